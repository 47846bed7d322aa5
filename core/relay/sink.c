/* Writing to the sink of a flow. */

#define _GNU_SOURCE
#include "core/base/log.h"
#include "core/base/patient.h"
#include "core/relay/lines.h"
#include "core/relay/moving.h"
#include <string.h>
#include <unistd.h>

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
    if (flow_sink_settings(flow)->cool_write)
        return MODCAT_NOTICE;
    bool answers = (sink->opening->directions & MODCAT_DIR_READ) != 0;
    return (sink->endpoint->flags & MODCAT_END_PROGRAM) != 0 && answers ? MODCAT_WARNING
                                                                        : MODCAT_ERROR;
}

void flow_write_failed(struct flow *flow, size_t length)
{
    if (length == 0 && lines_has_left(flow, errno)) {
        flow_sink_gone(flow);
        return;
    }
    enum modcat_level level = write_failure(flow, errno);
    flow_log_write_failure(flow, level == MODCAT_ERROR ? flow_failure_level(flow->sink) : level,
                           NULL, length);
    flow_fail(flow);
    flow->failed = level == MODCAT_ERROR;
    flow_abandon(flow);
}

void flow_written(struct flow *flow, size_t count)
{
    flow->bytes += count;
    flow->blocks++;
    flow->sink->written = true;
    if (log_shows(MODCAT_INFO))
        log_info("transferred %zu bytes from %d to %d", count, flow->source->endpoint->read_fd,
                 flow->sink->endpoint->write_fd);
}

/* Returns true unless the sink would block. */
static bool write_went_wrong(struct flow *flow, size_t length)
{
    if (flow_would_block(errno))
        return false;
    if (errno != EINTR)
        flow_write_failed(flow, length);
    return true;
}

/* A stream that becomes a sequence of packets over a connection has no boundaries to keep. */
static bool may_be_split(const struct flow *flow)
{
    return !flow_has_messages(flow->sink) ||
           (!flow_has_messages(flow->source) && flow->sink->connected);
}

/* A stream may have limits, too: SCTP makes a message of each write, and that must fit into the
 * socket's buffer. */
static bool write_less(struct flow *flow, size_t length, int error)
{
    if (error != EMSGSIZE || length <= 1 || !may_be_split(flow))
        return false;
    flow->write_max = length / 2;
    return true;
}

bool flow_drain_buffer(struct flow *flow)
{
    while (flow->start < flow->end) {
        size_t length = flow->end - flow->start;
        if (length > flow->write_max)
            length = flow->write_max;
        ssize_t count = write_sink(flow, flow->buffer + flow->start, length);
        if (count >= 0) {
            flow->start += (size_t)count;
            flow_written(flow, (size_t)count);
            if (flow->sink_blocks && (size_t)count < length)
                return false;
        } else if (write_less(flow, length, errno)) {
            continue;
        } else if (lost_alone(flow, errno)) {
            lost_message(flow, length, errno);
            flow->start = flow->end = 0;
        } else if (!write_went_wrong(flow, length)) {
            return false;
        }
    }
    return true;
}

bool flow_drain_batch(struct flow *flow)
{
    while (batch_count(flow->batch) > 0) {
        int sent = batch_write(flow->batch, flow->sink->endpoint);
        size_t length = batch_first_length(flow->batch);
        if (sent < 0 && lost_alone(flow, errno)) {
            lost_message(flow, length, errno);
            batch_drop_first(flow->batch);
        } else if (sent < 0 && !write_went_wrong(flow, length)) {
            return false;
        }
        for (int i = 0; i < sent; i++) {
            flow_written(flow, batch_first_length(flow->batch));
            batch_drop_first(flow->batch);
        }
    }
    return true;
}
