/* The way of a flow past its buffer. */

#define _GNU_SOURCE
#include "core/base/log.h"
#include "core/relay/moving.h"
#include <poll.h>
#include <string.h>

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

/* A straight move that would block does not tell for which end. A sink without room hides that its
 * source has nothing, or is at its end; what a source has left then goes through the buffer.
 * Returns true unless an end would block. */
static bool find_who_blocks(struct flow *flow, bool sink_ready, bool closing)
{
    struct pollfd source = {.fd = flow->source->endpoint->read_fd, .events = POLLIN | POLLRDHUP};
    if (flow->splice.way != SPLICE_STRAIGHT || sink_ready)
        return false;
    short ready = poll(&source, 1, 0) > 0 ? source.revents : 0;
    if ((ready & ~POLLIN) != 0)
        return flow_fill_buffer(flow, closing);
    flow->splice.sink_full = ready != 0;
    return false;
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
        return find_who_blocks(flow, sink_ready, closing);
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
