#define _GNU_SOURCE
#include "core/relay/flow.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/relay/convert.h"
#include "core/relay/endpoint.h"
#include "core/relay/halfclose.h"
#include "core/relay/patient.h"
#include "core/relay/wait.h"
#include "core/session/side.h"
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a source at its end is read again with ignoreeof. */
#define IGNOREEOF_INTERVAL MODCAT_SECOND

/* What one read takes of a stream that goes to a sink of messages: it fits into a packet of most
 * kinds. */
#define MESSAGE_BLOCK 8192
#define DEFAULT_BLOCK 65536

/* How many buffers one flow may move before the other gets its turn. */
#define ROUNDS_MAX 16

/* How often a terminal line without another end is looked at with sitout-eio. */
#define SITOUT_INTERVAL (MODCAT_SECOND / 100)

static const struct opening_settings *source_settings(const struct flow *flow)
{
    return &flow->source->opening->set;
}

static const struct opening_settings *sink_settings(const struct flow *flow)
{
    return &flow->sink->opening->set;
}

static bool has_messages(const struct opened *opened)
{
    return (opened->endpoint->flags & MODCAT_MESSAGES) != 0;
}

static bool converts(const struct flow *flow)
{
    return source_settings(flow)->line_end != sink_settings(flow)->line_end;
}

/* What one read takes: `wanted`, or by default. Of a stream no more than makes one message, which
 * is longer when line ends become two characters. */
static size_t block_size(const struct flow *flow, size_t wanted)
{
    bool makes_messages = has_messages(flow->sink) && !has_messages(flow->source);
    size_t block = wanted != 0 ? wanted : makes_messages ? MESSAGE_BLOCK : DEFAULT_BLOCK;
    size_t most = flow->sink->endpoint->message_max;
    if (converts(flow) && most > 1)
        most /= 2;
    return makes_messages && most > 0 && block > most ? most : block;
}

/* The kernel can move bytes that nobody has to look at. A flow starts with its buffer, and changes
 * over when it has filled it once: many flows never need a pipe of their own. */
static void plan(struct flow *flow)
{
    if (flow->observer != NULL || converts(flow) || source_settings(flow)->escape >= 0)
        flow->splice = (struct splice){.way = SPLICE_NOT, .pipe = {-1, -1}};
    else
        splice_plan(&flow->splice, flow->source->endpoint, flow->sink->endpoint);
    flow->splicing = flow->splice.way == SPLICE_STRAIGHT;
    log_debug("moving data from %d to %d %s", flow->source->endpoint->read_fd,
              flow->sink->endpoint->write_fd, splice_way_name(flow->splice.way));
}

/* Converted data may be twice as long, and is made from the buffer's upper half. */
void flow_start(struct flow *flow, struct side *from, struct side *to, size_t block,
                struct flow_observer *observer)
{
    *flow = (struct flow){
        .from = from,
        .to = to,
        .observer = observer,
        .source = side_reader(from),
        .sink = side_writer(to),
        .capacity = block,
        .left = SIZE_MAX,
    };
    if (flow->source == NULL || flow->sink == NULL) {
        flow->state = FLOW_ENDED;
        return;
    }
    flow->capacity = block = block_size(flow, block);
    if (source_settings(flow)->readbytes > 0)
        flow->left = source_settings(flow)->readbytes;
    flow->buffer = memory_alloc(converts(flow) ? 3 * block : block);
    flow->source_blocks = patient_needed(flow->source->endpoint, flow->source->endpoint->read_fd);
    flow->sink_blocks = patient_needed(flow->sink->endpoint, flow->sink->endpoint->write_fd);
    plan(flow);
}

void flow_free(struct flow *flow)
{
    if (flow->buffer != NULL)
        splice_free(&flow->splice);
    free(flow->buffer);
    flow->buffer = NULL;
}

static bool is_empty(const struct flow *flow)
{
    return flow->start == flow->end && flow->splice.held == 0;
}

size_t flow_undelivered(const struct flow *flow)
{
    return flow->end - flow->start + flow->splice.held;
}

bool flow_wants_source(const struct flow *flow)
{
    return flow->state == FLOW_OPEN && is_empty(flow) && flow->retry_at == 0 &&
           !flow->splice.sink_full;
}

bool flow_wants_sink(const struct flow *flow)
{
    return flow->state != FLOW_ENDED &&
           (!is_empty(flow) || flow->splice.sink_full || flow->half_closing);
}

bool flow_has_pending(const struct flow *flow)
{
    return flow_wants_source(flow) && endpoint_pending(flow->source->endpoint);
}

void flow_abandon(struct flow *flow)
{
    flow->state = FLOW_ENDED;
    flow->start = flow->end = flow->splice.held = 0;
    flow->splice.sink_full = false;
    flow->retry_at = 0;
    flow->half_closing = false;
}

static void source_ended(struct flow *flow)
{
    if (flow->state != FLOW_OPEN)
        return;
    log_notice("socket %d (fd %d) is at EOF", flow->from->number, flow->source->endpoint->read_fd);
    flow->state = FLOW_DRAINING;
    flow->source->ended = true;
    flow->retry_at = 0;
}

static void fail(struct flow *flow)
{
    flow->failed = true;
    log_notice("socket %d to socket %d is in error", flow->from->number, flow->to->number);
}

/* A layer must not tell its peer that all has come when the source has failed. */
static bool cut_off(const struct flow *flow)
{
    return flow->source_failed && flow->sink->lower != NULL;
}

static void finish_when_drained(struct flow *flow)
{
    if (flow->state != FLOW_DRAINING || !is_empty(flow))
        return;
    int result = cut_off(flow) ? 0 : halfclose_sink(flow->sink);
    flow->half_closing = result > 0;
    if (flow->half_closing)
        return;
    flow->state = FLOW_ENDED;
    if (result < 0)
        fail(flow);
}

void flow_source_closed(struct flow *flow)
{
    source_ended(flow);
    finish_when_drained(flow);
}

static ssize_t read_source(const struct flow *flow, void *buffer, size_t length)
{
    struct modcat_endpoint *endpoint = flow->source->endpoint;
    if (endpoint->ops != NULL && endpoint->ops->read != NULL)
        return endpoint->ops->read(endpoint, buffer, length);
    return read(endpoint->read_fd, buffer, length);
}

/* A terminal line whose other end has gone says so by an input/output error. */
static bool terminal_closed(const struct flow *flow, int error)
{
    struct stat status;
    return error == EIO && fstat(flow->source->endpoint->read_fd, &status) == 0 &&
           S_ISCHR(status.st_mode);
}

/* With sitout-eio, somebody has that time to open the other end again. */
static bool sit_out(struct flow *flow)
{
    long long limit = source_settings(flow)->sitout_eio, now = wait_now();
    if (limit > 0 && flow->gone_since == 0) {
        flow->gone_since = now;
        log_notice("xioread(fd=%d): EIO, sitting out %lld.%02llds for recovery",
                   flow->source->endpoint->read_fd, limit / MODCAT_SECOND,
                   limit % MODCAT_SECOND / (MODCAT_SECOND / 100));
    }
    if (now - flow->gone_since >= limit)
        return false;
    flow->retry_at = now + SITOUT_INTERVAL;
    return true;
}

/* A program that ends with input left unread resets its connection. */
static bool program_ended(const struct flow *flow, int error)
{
    return error == ECONNRESET && (flow->source->endpoint->flags & MODCAT_PROGRAM) != 0;
}

/* What a driver has reported in its own words is not told again. */
static enum modcat_level failure_level(const struct opened *opened)
{
    return (opened->endpoint->flags & MODCAT_REPORTED) != 0 ? MODCAT_INFO : MODCAT_ERROR;
}

static void read_failed(struct flow *flow, size_t length)
{
    int fd = flow->source->endpoint->read_fd;
    bool terminal = terminal_closed(flow, errno);
    if (terminal && sit_out(flow))
        return;
    errno = terminal ? EIO : errno;
    if (terminal && source_settings(flow)->sitout_eio == 0) {
        log_notice("read(%d, %p, %zu): %s (probably PTY closed)", fd, (void *)flow->buffer, length,
                   strerror(errno));
        flow->source_at_end = true;
    } else if (program_ended(flow, errno)) {
        log_info("read(%d, %p, %zu): %s (the program has not read all)", fd, (void *)flow->buffer,
                 length, strerror(errno));
        flow->source_at_end = true;
    } else {
        modcat_log(failure_level(flow->source), "read(%d, %p, %zu): %s", fd, (void *)flow->buffer,
                   length, strerror(errno));
        fail(flow);
        flow->source_failed = true;
    }
    source_ended(flow);
}

static bool empty_is_no_end(const struct flow *flow)
{
    return has_messages(flow->source) && !source_settings(flow)->null_eof &&
           (flow->source->endpoint->flags & MODCAT_EMPTY_ENDS) == 0;
}

/* An empty read: the end, an empty message, or the end that is ignored for a while. */
static void nothing_read(struct flow *flow, bool closing)
{
    if (empty_is_no_end(flow))
        return;
    if (source_settings(flow)->ignoreeof && !closing) {
        flow->retry_at = wait_now() + IGNOREEOF_INTERVAL;
        return;
    }
    flow->source_at_end = true;
    source_ended(flow);
}

static size_t cut_at_escape(struct flow *flow, const unsigned char *data, size_t length)
{
    int escape = source_settings(flow)->escape;
    const unsigned char *found =
        escape < 0 || escape > UCHAR_MAX ? NULL : memchr(data, escape, length);
    if (found == NULL)
        return length;
    log_info("escape char found in input");
    source_ended(flow);
    return (size_t)(found - data);
}

static void count_read(struct flow *flow, size_t length)
{
    if (flow->left == SIZE_MAX)
        return;
    flow->left -= length;
    if (flow->left > 0)
        return;
    log_info("xioread(%d, ...): readbytes consumed, inserting EOF",
             flow->source->endpoint->read_fd);
    source_ended(flow);
}

static void take(struct flow *flow, unsigned char *data, size_t length)
{
    count_read(flow, length);
    length = cut_at_escape(flow, data, length);
    flow->start = 0;
    flow->end = length;
    if (data != flow->buffer)
        flow->end =
            convert_lines((enum line_end)source_settings(flow)->line_end,
                          (enum line_end)sink_settings(flow)->line_end, data, length, flow->buffer);
    if (flow->observer != NULL && flow->end > 0)
        flow->observer->look(flow->observer, flow->buffer, flow->end);
    if (flow->state == FLOW_OPEN && (flow->source->endpoint->flags & MODCAT_ONE_READ) != 0)
        source_ended(flow);
}

/* Returns true unless the source would block. */
static bool fill_buffer(struct flow *flow, bool closing)
{
    unsigned char *data = converts(flow) ? flow->buffer + 2 * flow->capacity : flow->buffer;
    size_t length = flow->capacity < flow->left ? flow->capacity : flow->left;
    ssize_t count;
    do
        count = read_source(flow, data, length);
    while (count < 0 && errno == EINTR);
    flow->more_likely = count == (ssize_t)length || (count > 0 && has_messages(flow->source));
    if (count >= 0)
        flow->gone_since = 0;
    if (count > 0)
        take(flow, data, (size_t)count);
    else if (count == 0)
        nothing_read(flow, closing);
    else if (errno == EAGAIN || errno == EWOULDBLOCK)
        return false;
    else
        read_failed(flow, length);
    if (flow->more_likely && flow->splice.way == SPLICE_THROUGH)
        flow->splicing = splice_prepare(&flow->splice);
    return true;
}

static ssize_t write_sink(const struct flow *flow, const void *data, size_t length)
{
    struct modcat_endpoint *endpoint = flow->sink->endpoint;
    if (endpoint->ops != NULL && endpoint->ops->write != NULL)
        return endpoint->ops->write(endpoint, data, length);
    if (flow->sink_blocks)
        return patient_write(endpoint->write_fd, data, length);
    return write(endpoint->write_fd, data, length);
}

/* A program that answers need not read all of its input, and whether the rest fits into its
 * connection before it ends is chance. Its own exit status says whether it was content. */
static enum modcat_level write_failure(const struct flow *flow, int error)
{
    const struct opened *sink = flow->sink;
    if (error != EPIPE && error != ECONNRESET)
        return MODCAT_ERROR;
    if (sink_settings(flow)->cool_write)
        return MODCAT_NOTICE;
    bool answers = (sink->opening->directions & MODCAT_READ) != 0;
    return (sink->endpoint->flags & MODCAT_PROGRAM) != 0 && answers ? MODCAT_WARNING : MODCAT_ERROR;
}

static void write_failed(struct flow *flow, size_t length)
{
    int fd = flow->sink->endpoint->write_fd;
    enum modcat_level level = write_failure(flow, errno);
    modcat_log(level == MODCAT_ERROR ? failure_level(flow->sink) : level, "write(%d, %p, %zu): %s",
               fd, (void *)(flow->buffer + flow->start), length, strerror(errno));
    fail(flow);
    flow->failed = level == MODCAT_ERROR;
    flow_abandon(flow);
}

/* One message that is too long takes no others with it. */
static void drop_message(struct flow *flow, size_t length)
{
    int fd = flow->sink->endpoint->write_fd;
    log_error("write(%d, %p, %zu): %s: this message of %zu bytes is dropped", fd,
              (void *)(flow->buffer + flow->start), length, strerror(errno), length);
    flow->start = flow->end = 0;
    flow->failed = true;
}

static void written(struct flow *flow, size_t count)
{
    flow->bytes += count;
    flow->blocks++;
    if (log_shows(MODCAT_INFO))
        log_info("transferred %zu bytes from %d to %d", count, flow->source->endpoint->read_fd,
                 flow->sink->endpoint->write_fd);
}

/* Returns true unless the sink would block. */
static bool drain_buffer(struct flow *flow)
{
    while (flow->start < flow->end) {
        size_t length = flow->end - flow->start;
        ssize_t count = write_sink(flow, flow->buffer + flow->start, length);
        if (count >= 0) {
            flow->start += (size_t)count;
            written(flow, (size_t)count);
            if (flow->sink_blocks && (size_t)count < length)
                return false;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return false;
        } else if (errno == EMSGSIZE && has_messages(flow->sink)) {
            drop_message(flow, length);
        } else if (errno != EINTR) {
            write_failed(flow, length);
        }
    }
    return true;
}

static bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

/* A descriptor that can't be spliced after all: the buffer does the rest. */
static void stop_splicing(struct flow *flow)
{
    log_debug("splice(%d, ..., %d, ...): %s; going on through a buffer",
              flow->source->endpoint->read_fd, flow->sink->endpoint->write_fd, strerror(errno));
    flow->splicing = false;
    flow->splice.way = SPLICE_NOT;
    flow->splice.sink_full = false;
}

static bool splice_refused(int error)
{
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == ENOMEM;
}

/* A straight move fails for either end, but reading a pipe never does. A broken pipe refuses even
 * nothing, which is no fault where the source has ended: the buffer finds out what there is. */
static void splice_failed(struct flow *flow, size_t length)
{
    if (flow->splice.way == SPLICE_STRAIGHT && errno == EPIPE)
        stop_splicing(flow);
    else if (flow->splice.way == SPLICE_STRAIGHT && flow->splice.source_is_pipe)
        write_failed(flow, length);
    else
        read_failed(flow, length);
}

/* Returns true unless an end would block. `sink_ready` tells which one it must be, if it is. */
static bool splice_source(struct flow *flow, bool sink_ready, bool closing)
{
    size_t length = flow->splice.size < flow->left ? flow->splice.size : flow->left;
    ssize_t count = splice_from(&flow->splice, flow->source->endpoint->read_fd,
                                flow->sink->endpoint->write_fd, length);
    flow->more_likely = count > 0;
    flow->splice.sink_full = false;
    if (count > 0) {
        count_read(flow, (size_t)count);
        if (flow->splice.way == SPLICE_STRAIGHT)
            written(flow, (size_t)count);
    } else if (count == 0) {
        nothing_read(flow, closing);
    } else if (would_block(errno)) {
        flow->splice.sink_full = flow->splice.way == SPLICE_STRAIGHT && !sink_ready;
        return false;
    } else if (splice_refused(errno)) {
        stop_splicing(flow);
    } else if (errno != EINTR) {
        splice_failed(flow, length);
    }
    return true;
}

/* Bytes that are in the pipe when its sink refuses them go on through the buffer. */
static bool drain_pipe(struct flow *flow)
{
    while (flow->splice.held > 0) {
        if (!flow->splicing) {
            ssize_t count = splice_take_back(&flow->splice, flow->buffer, flow->capacity);
            flow->start = 0;
            flow->end = count > 0 ? (size_t)count : 0;
            if (!drain_buffer(flow))
                return false;
            continue;
        }
        size_t length = flow->splice.held;
        ssize_t count = splice_to(&flow->splice, flow->sink->endpoint->write_fd);
        if (count > 0)
            written(flow, (size_t)count);
        else if (count < 0 && would_block(errno))
            return false;
        else if (count == 0 || splice_refused(errno))
            stop_splicing(flow);
        else if (errno != EINTR)
            write_failed(flow, length);
    }
    return true;
}

static bool fill(struct flow *flow, bool sink_ready, bool closing)
{
    return flow->splicing ? splice_source(flow, sink_ready, closing) : fill_buffer(flow, closing);
}

static bool drain(struct flow *flow)
{
    return drain_buffer(flow) && drain_pipe(flow);
}

bool flow_move(struct flow *flow, bool source_ready, bool sink_ready, bool closing)
{
    unsigned long long bytes = flow->bytes;
    enum flow_state state = flow->state;
    if (flow->state == FLOW_ENDED)
        return false;
    if (flow->retry_at != 0 && (closing || wait_now() >= flow->retry_at)) {
        flow->retry_at = 0;
        source_ready = true;
    }
    if (sink_ready && flow->splice.sink_full) {
        flow->splice.sink_full = false;
        source_ready = true;
    }
    if (sink_ready || !flow->sink_blocks)
        drain(flow);
    for (int round = 0; round < ROUNDS_MAX && source_ready && flow_wants_source(flow); round++) {
        if (!fill(flow, sink_ready, closing) || (flow->sink_blocks && !sink_ready) || !drain(flow))
            break;
        source_ready = flow->more_likely && !flow->source_blocks;
    }
    finish_when_drained(flow);
    return flow->bytes != bytes || flow->state != state;
}
