#define _GNU_SOURCE
#include "core/relay/flow.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/wait.h"
#include "core/loop/loop.h"
#include "core/relay/buffers.h"
#include "core/relay/moving.h"
#include "core/services/net/socket.h"
#include "core/session/endpoint.h"
#include "core/session/halfclose.h"
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What one read takes of a stream that goes to a sink of messages: it fits into a packet of most
 * kinds. */
#define MESSAGE_BLOCK 8192
#define DEFAULT_BLOCK 65536

/* The same for a stream that has filled its buffer once: so many bytes fit into a core's cache. */
#define BULK_BLOCK (512 * 1024)

/* How many buffers one flow may move before the other gets its turn, and as many sessions as there
 * are in this process theirs. */
#define ROUNDS_MAX 16
#define HOSTED_ROUNDS_MAX 2

/* What one read takes: `wanted`, or by default. Of a stream no more than makes one message, which
 * is longer when line ends become two characters. */
static size_t block_size(const struct flow *flow, size_t wanted)
{
    bool makes_messages = flow_has_messages(flow->sink) && !flow_has_messages(flow->source);
    size_t block = wanted != 0 ? wanted : makes_messages ? MESSAGE_BLOCK : DEFAULT_BLOCK;
    size_t most = flow->sink->endpoint->message_max;
    if (flow_converts(flow) && most > 1)
        most /= 2;
    return makes_messages && most > 0 && block > most ? most : block;
}

/* Nobody looks at the messages, and no end of file comes between them but the last. */
static bool can_batch(const struct flow *flow)
{
    const struct opening_settings *source = flow_source_settings(flow);
    return flow->observer == NULL && !flow_converts(flow) && source->escape < 0 &&
           !source->ignoreeof && flow->left == SIZE_MAX &&
           (flow->source->endpoint->flags & MODCAT_END_ONE_READ) == 0 && !flow->source_blocks &&
           !flow->sink_blocks && batch_possible(flow->source->endpoint, flow->sink->endpoint);
}

/* An inherited descriptor that must not be waited for takes and gives small pieces only. */
static bool can_grow(const struct flow *flow)
{
    return flow->splice.way == SPLICE_NOT && !flow_has_messages(flow->source) &&
           !flow_has_messages(flow->sink) && !flow->source_blocks && !flow->sink_blocks;
}

/* The kernel can move bytes that nobody has to look at. A flow starts with its buffer, and changes
 * over when it has filled it once: many flows never need a pipe of their own. */
static void plan(struct flow *flow, size_t block, struct natures *natures)
{
    if (flow->observer != NULL || flow_converts(flow) || flow_source_settings(flow)->escape >= 0)
        flow->splice = (struct splice){.way = SPLICE_NOT, .pipe = {-1, -1}};
    else
        splice_plan(&flow->splice, flow->source, flow->sink, natures);
    flow->way = flow->splice.way == SPLICE_STRAIGHT ? FLOW_SPLICED : FLOW_BUFFERED;
    flow->may_batch = can_batch(flow);
    flow->bulk = block == 0 && can_grow(flow) ? BULK_BLOCK : 0;
    log_debug("moving data from %d to %d %s", flow->source->endpoint->read_fd,
              flow->sink->endpoint->write_fd, splice_way_name(flow->splice.way));
}

/* Converted data may be twice as long, and is made from what is behind. */
static size_t buffer_size(const struct flow *flow)
{
    return flow_converts(flow) ? 3 * flow->capacity : flow->capacity;
}

void flow_hold_buffer(struct flow *flow)
{
    if (flow->buffer == NULL)
        flow->buffer = buffers_take(buffer_size(flow));
}

static void drop_buffer(struct flow *flow)
{
    buffers_give_back(flow->buffer, buffer_size(flow));
    flow->buffer = NULL;
}

/* It matters for messages only. */
static bool has_connection(const struct modcat_endpoint *sink)
{
    return (sink->flags & MODCAT_END_SOCKET) != 0 && (sink->flags & MODCAT_END_MESSAGES) != 0 &&
           socket_parting_of(sink->write_fd) != SOCKET_NO_CONNECTION;
}

/* What a layer reads is more than data, unless it lies in a file. */
static bool talks(const struct opened *sink)
{
    struct stat status;
    return sink->lower != NULL && ENDPOINT_DOES(sink->endpoint, read) &&
           sink->endpoint->read_fd >= 0 && fstat(sink->endpoint->read_fd, &status) == 0 &&
           !S_ISREG(status.st_mode);
}

void flow_start(struct flow *flow, struct side *from, struct side *to, size_t block,
                struct flow_observer *observer, struct natures *natures)
{
    *flow = (struct flow){
        .from = from,
        .to = to,
        .observer = observer,
        .source = side_reader(from),
        .sink = side_writer(to),
        .left = SIZE_MAX,
        .write_max = SIZE_MAX,
    };
    if (flow->source == NULL || flow->sink == NULL)
        return;
    flow->state = FLOW_OPEN;
    flow->sink_talks = talks(flow->sink);
    flow->sink->connected = has_connection(flow->sink->endpoint);
    flow->capacity = block_size(flow, block);
    if (flow_source_settings(flow)->readbytes > 0)
        flow->left = flow_source_settings(flow)->readbytes;
    /* A block that is larger than memory is no surprise when the first bytes come. */
    if (block > 0) {
        flow_hold_buffer(flow);
        drop_buffer(flow);
    }
    struct modcat_endpoint *source = flow->source->endpoint, *sink = flow->sink->endpoint;
    flow->source_blocks = nature_blocks(nature_of(natures, source, source->read_fd), source);
    flow->sink_blocks = nature_blocks(nature_of(natures, sink, sink->write_fd), sink);
    plan(flow, block, natures);
}

void flow_free(struct flow *flow)
{
    if (flow->state == FLOW_UNUSED)
        return;
    splice_free(&flow->splice);
    batch_free(flow->batch);
    flow->batch = NULL;
    drop_buffer(flow);
    flow->state = FLOW_UNUSED;
}

static bool is_empty(const struct flow *flow)
{
    return flow->start == flow->end && flow->splice.held == 0 && batch_count(flow->batch) == 0;
}

size_t flow_undelivered(const struct flow *flow)
{
    return flow->end - flow->start + flow->splice.held + batch_bytes(flow->batch);
}

bool flow_wants_source(const struct flow *flow)
{
    return flow->state == FLOW_OPEN && is_empty(flow) && !flow->splice.sink_full;
}

bool flow_wants_sink(const struct flow *flow)
{
    return !flow_is_over(flow) &&
           (!is_empty(flow) || flow->splice.sink_full || flow->state == FLOW_CLOSING);
}

bool flow_has_pending(const struct flow *flow)
{
    return flow_wants_source(flow) && endpoint_pending(flow->source->endpoint);
}

void flow_abandon(struct flow *flow)
{
    flow->state = FLOW_ENDED;
    flow->start = flow->end = flow->splice.held = 0;
    batch_drop_all(flow->batch);
    flow->splice.sink_full = false;
}

void flow_source_ended(struct flow *flow)
{
    if (!flow_is_open(flow))
        return;
    log_notice("socket %d (fd %d) is at EOF", flow->from->number, flow->source->endpoint->read_fd);
    flow->state = FLOW_DRAINING;
    flow->source->ended = flow->source_end != SOURCE_IS_READ_NO_MORE;
}

void flow_rest(struct flow *flow, long long until)
{
    flow->state = FLOW_RESTING;
    flow->retry_at = until;
}

void flow_sink_gone(struct flow *flow)
{
    log_notice("socket %d (fd %d) has gone, nothing was on its way there", flow->to->number,
               flow->sink->endpoint->write_fd);
    flow_abandon(flow);
}

void flow_fail(struct flow *flow)
{
    flow->failed = true;
    flow->sink->incomplete = true;
    log_notice("socket %d to socket %d is in error", flow->from->number, flow->to->number);
}

/* A layer must not tell its peer that all has come when the source has failed. */
static bool cut_off(const struct flow *flow)
{
    return flow->source_end == SOURCE_FAILED && flow->sink->lower != NULL;
}

static void finish_when_drained(struct flow *flow)
{
    if (flow_is_open(flow) || flow_is_over(flow) || !is_empty(flow))
        return;
    int result = cut_off(flow) ? 0 : halfclose_sink(flow->sink);
    flow->state = result > 0 ? FLOW_CLOSING : FLOW_ENDED;
    if (result < 0)
        flow_fail(flow);
}

void flow_source_closed(struct flow *flow)
{
    flow_source_ended(flow);
    finish_when_drained(flow);
}

static void start_batches(struct flow *flow)
{
    flow->batch = batch_new(flow->capacity);
    flow->way = FLOW_BATCHED;
    log_debug("moving packets from %d to %d many at a time", flow->source->endpoint->read_fd,
              flow->sink->endpoint->write_fd);
}

static void grow_buffer(struct flow *flow)
{
    drop_buffer(flow);
    flow->capacity = flow->bulk;
    flow->bulk = 0;
}

/* A buffer was filled, or several packets were there. Nothing is held now. */
static void speed_up(struct flow *flow)
{
    if (flow->splice.way == SPLICE_THROUGH && flow->way == FLOW_BUFFERED)
        flow->way = splice_prepare(&flow->splice) ? FLOW_SPLICED : FLOW_BUFFERED;
    else if (flow->bulk > 0)
        grow_buffer(flow);
    else if (flow->may_batch && flow->way == FLOW_BUFFERED)
        start_batches(flow);
}

/* What was received before the flow began comes first, and one by one. */
static bool fill(struct flow *flow, bool sink_ready, bool closing)
{
    if (flow->way == FLOW_SPLICED && !splice_prepare(&flow->splice))
        flow->way = FLOW_BUFFERED;
    if (flow->way == FLOW_BATCHED && !endpoint_pending(flow->source->endpoint))
        return flow_fill_batch(flow, closing);
    return flow->way == FLOW_SPLICED ? flow_splice_source(flow, sink_ready, closing)
                                     : flow_fill_buffer(flow, closing);
}

static bool drain(struct flow *flow)
{
    return flow_drain_buffer(flow) && flow_drain_pipe(flow) && flow_drain_batch(flow);
}

bool flow_move(struct flow *flow, bool source_ready, bool sink_ready, bool closing)
{
    unsigned long long bytes = flow->bytes;
    bool was_open = flow_is_open(flow);
    if (flow_is_over(flow))
        return false;
    if (flow->state == FLOW_RESTING && (closing || wait_now() >= flow->retry_at)) {
        flow->state = FLOW_OPEN;
        source_ready = true;
    }
    if (sink_ready && flow->splice.sink_full) {
        flow->splice.sink_full = false;
        source_ready = true;
    }
    if (sink_ready || !flow->sink_blocks)
        drain(flow);
    int rounds = loop_runs() ? HOSTED_ROUNDS_MAX : ROUNDS_MAX;
    for (int round = 0; round < rounds && source_ready && flow_wants_source(flow); round++) {
        if (flow->more_likely && (round > 1 || !flow->may_batch))
            speed_up(flow);
        if (!fill(flow, sink_ready, closing) || (flow->sink_blocks && !sink_ready) || !drain(flow))
            break;
        source_ready = flow->more_likely && !flow->source_blocks;
    }
    finish_when_drained(flow);
    if (is_empty(flow)) {
        drop_buffer(flow);
        splice_rest(&flow->splice);
    }
    return flow->bytes != bytes || flow_is_open(flow) != was_open || flow_is_over(flow);
}
