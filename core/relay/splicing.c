/* The way of a flow past its buffer. */

#define _GNU_SOURCE
#include "core/base/log.h"
#include "core/relay/moving.h"
#include "core/session/endpoint.h"
#include <string.h>
#include <sys/ioctl.h>

/* A descriptor that can't be spliced after all, or one that can't be written to, which only matters
 * when there is something to write: the buffer does the rest. */
static void stop_splicing(struct flow *flow)
{
    log_debug("splice(%d, ..., %d, ...): %s; going on through a buffer",
              flow->source->endpoint->read_fd, flow->sink->endpoint->write_fd, strerror(errno));
    flow->way = FLOW_BUFFERED;
    flow->splice.way = SPLICE_NOT;
    flow->splice.sink_full = false;
}

static bool splice_refused(int error)
{
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == ENOMEM ||
           error == EMSGSIZE || error == EPIPE || error == EBADF || error == EPERM;
}

/* A straight move fails for either end. Reading a pipe never fails. */
static void splice_failed(struct flow *flow, size_t length)
{
    if (flow->splice.way == SPLICE_STRAIGHT && flow->splice.source_is_pipe)
        flow_write_failed(flow, length);
    else
        flow_read_failed(flow, length);
}

/* A sink without room hides that its source has nothing. */
static bool is_empty(const struct flow *flow)
{
    int queued = 0;
    return ioctl(flow->source->endpoint->read_fd, FIONREAD, &queued) == 0 && queued == 0;
}

/* Which end a straight move waits for, or whether the source is at its end. */
static void stop_for_now(struct flow *flow, bool sink_ready, bool closing)
{
    bool sink_may_be_full = flow->splice.way == SPLICE_STRAIGHT && !sink_ready;
    flow->splice.sink_full = sink_may_be_full && !is_empty(flow);
    if (sink_may_be_full && endpoint_is_over(flow->source->endpoint->read_fd))
        flow_nothing_read(flow, closing);
}

/* Returns true unless an end would block. `sink_ready` tells which one it must be, if it is. */
bool flow_splice_source(struct flow *flow, bool sink_ready, bool closing)
{
    size_t length = flow->splice.size < flow->left ? flow->splice.size : flow->left;
    ssize_t count = splice_from(&flow->splice, flow->source->endpoint->read_fd,
                                flow->sink->endpoint->write_fd, length);
    flow->more_likely = count > 0;
    flow->splice.sink_full = false;
    if (count > 0) {
        flow_count_read(flow, (size_t)count);
        if (flow->splice.way == SPLICE_STRAIGHT)
            flow_written(flow, (size_t)count);
    } else if (count == 0) {
        flow_nothing_read(flow, closing);
    } else if (flow_would_block(errno)) {
        stop_for_now(flow, sink_ready, closing);
        return false;
    } else if (splice_refused(errno)) {
        stop_splicing(flow);
    } else if (errno != EINTR) {
        splice_failed(flow, length);
    }
    return true;
}

/* Bytes that are in the pipe when its sink refuses them go on through the buffer. */
bool flow_drain_pipe(struct flow *flow)
{
    while (flow->splice.held > 0) {
        if (flow->way != FLOW_SPLICED) {
            flow_hold_buffer(flow);
            ssize_t count = splice_take_back(&flow->splice, flow->buffer, flow->capacity);
            flow->start = 0;
            flow->end = count > 0 ? (size_t)count : 0;
            if (!flow_drain_buffer(flow))
                return false;
            continue;
        }
        size_t length = flow->splice.held;
        ssize_t count = splice_to(&flow->splice, flow->sink->endpoint->write_fd);
        if (count > 0)
            flow_written(flow, (size_t)count);
        else if (count < 0 && flow_would_block(errno))
            return false;
        else if (count == 0 || splice_refused(errno))
            stop_splicing(flow);
        else if (errno != EINTR)
            flow_write_failed(flow, length);
    }
    return true;
}
