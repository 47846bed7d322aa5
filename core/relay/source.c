/* Reading the source of a flow. */

#define _GNU_SOURCE
#include "core/base/log.h"
#include "core/base/wait.h"
#include "core/relay/convert.h"
#include "core/relay/lines.h"
#include "core/relay/moving.h"
#include "core/session/endpoint.h"
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a source at its end is read again with ignoreeof. */
#define IGNOREEOF_INTERVAL MODCAT_SECOND

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
    long long limit = flow_source_settings(flow)->sitout_eio, now = wait_now();
    if (limit > 0 && flow->gone_since == 0) {
        flow->gone_since = now;
        lines_log_sitting_out(flow->source->endpoint->read_fd, limit);
    }
    if (now - flow->gone_since >= limit)
        return false;
    flow_rest(flow, now + LINES_TICK);
    return true;
}

/* A program that ends with input left unread resets its connection. */
static bool program_ended(const struct flow *flow, int error)
{
    return error == ECONNRESET && (flow->source->endpoint->flags & MODCAT_END_PROGRAM) != 0;
}

void flow_read_failed(struct flow *flow, size_t length)
{
    int fd = flow->source->endpoint->read_fd;
    bool terminal = terminal_closed(flow, errno);
    if (terminal && sit_out(flow))
        return;
    errno = terminal ? EIO : errno;
    if (terminal && flow_source_settings(flow)->sitout_eio == 0) {
        log_notice("read(%d, %p, %zu): %s (probably PTY closed)", fd, (void *)flow->buffer, length,
                   strerror(errno));
        flow->source_end = SOURCE_AT_END;
    } else if (program_ended(flow, errno)) {
        log_info("read(%d, %p, %zu): %s (the program has not read all)", fd, (void *)flow->buffer,
                 length, strerror(errno));
        flow->source_end = SOURCE_AT_END;
    } else {
        flow_log_read_failure(flow, flow_failure_level(flow->source), length);
        flow_fail(flow);
        flow->source_end = SOURCE_FAILED;
    }
    flow_source_ended(flow);
}

static bool empty_is_no_end(const struct flow *flow)
{
    return flow_has_messages(flow->source) && !flow_source_settings(flow)->null_eof &&
           (flow->source->endpoint->flags & MODCAT_END_EMPTY_ENDS) == 0 &&
           !endpoint_is_over(flow->source->endpoint->read_fd);
}

/* An empty read: the end, an empty message, or the end that is ignored for a while. */
void flow_nothing_read(struct flow *flow, bool closing)
{
    if (empty_is_no_end(flow))
        return;
    if (flow_source_settings(flow)->ignoreeof && !closing) {
        flow_rest(flow, wait_now() + IGNOREEOF_INTERVAL);
        return;
    }
    flow->source_end = SOURCE_AT_END;
    flow_source_ended(flow);
}

static size_t cut_at_escape(struct flow *flow, const unsigned char *data, size_t length)
{
    int escape = flow_source_settings(flow)->escape;
    const unsigned char *found =
        escape < 0 || escape > UCHAR_MAX ? NULL : memchr(data, escape, length);
    if (found == NULL)
        return length;
    log_info("escape char found in input");
    flow_source_ended(flow);
    return (size_t)(found - data);
}

void flow_count_read(struct flow *flow, size_t length)
{
    if (flow->left == SIZE_MAX)
        return;
    flow->left -= length;
    if (flow->left > 0)
        return;
    log_info("xioread(%d, ...): readbytes consumed, inserting EOF",
             flow->source->endpoint->read_fd);
    flow_source_ended(flow);
}

static void take(struct flow *flow, unsigned char *data, size_t length)
{
    flow_count_read(flow, length);
    length = cut_at_escape(flow, data, length);
    flow->start = 0;
    flow->end = length;
    if (data != flow->buffer)
        flow->end = convert_lines((enum line_end)flow_source_settings(flow)->line_end,
                                  (enum line_end)flow_sink_settings(flow)->line_end, data, length,
                                  flow->buffer);
    if (flow->observer != NULL && flow->end > 0)
        flow->observer->look(flow->observer, flow->buffer, flow->end);
    if (flow->state == FLOW_OPEN && (flow->source->endpoint->flags & MODCAT_END_ONE_READ) != 0)
        flow_source_ended(flow);
}

bool flow_fill_buffer(struct flow *flow, bool closing)
{
    flow_hold_buffer(flow);
    unsigned char *data = flow_converts(flow) ? flow->buffer + 2 * flow->capacity : flow->buffer;
    size_t length = flow->capacity < flow->left ? flow->capacity : flow->left;
    ssize_t count;
    do
        count = endpoint_read(flow->source->endpoint, flow->source_blocks, data, length);
    while (count < 0 && errno == EINTR);
    flow->more_likely = count == (ssize_t)length || (count > 0 && flow_has_messages(flow->source));
    if (count >= 0)
        flow->gone_since = 0;
    if (count > 0)
        take(flow, data, (size_t)count);
    else if (count == 0)
        flow_nothing_read(flow, closing);
    else if (flow_would_block(errno))
        return false;
    else
        flow_read_failed(flow, length);
    return true;
}

bool flow_fill_batch(struct flow *flow, bool closing)
{
    int count = batch_read(flow->batch, flow->source->endpoint);
    flow->more_likely = count == BATCH_PACKETS;
    if (count < 0 && flow_would_block(errno))
        return false;
    if (count < 0 && errno != EINTR)
        flow_read_failed(flow, flow->capacity);
    if (empty_is_no_end(flow))
        batch_drop_empty(flow->batch);
    else if (batch_end_at_empty(flow->batch))
        flow_nothing_read(flow, closing);
    return true;
}
