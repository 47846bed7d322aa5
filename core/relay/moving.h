/* moving.h: what the parts of a flow share: reading its source (source.c), writing its sink
 * (sink.c), and the way past the buffer (splicing.c). */

#ifndef CORE_RELAY_MOVING_H
#define CORE_RELAY_MOVING_H

#include "core/opening/session_state.h"
#include "core/relay/flow.h"
#include <errno.h>

static inline const struct opening_settings *flow_source_settings(const struct flow *flow)
{
    return &flow->source->opening->set;
}

static inline const struct opening_settings *flow_sink_settings(const struct flow *flow)
{
    return &flow->sink->opening->set;
}

static inline bool flow_has_messages(const struct opened *opened)
{
    return (opened->endpoint->flags & MODCAT_END_MESSAGES) != 0;
}

static inline bool flow_converts(const struct flow *flow)
{
    return flow_source_settings(flow)->line_end != flow_sink_settings(flow)->line_end;
}

static inline bool flow_would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

/* What a driver has reported in its own words is not told again. */
static inline enum modcat_level flow_failure_level(const struct opened *opened)
{
    return (opened->endpoint->flags & MODCAT_END_REPORTED) != 0 ? MODCAT_INFO : MODCAT_ERROR;
}

/* Log that reading the source, or writing so many bytes to the sink, has failed (`errno`, kept). */
void flow_log_read_failure(const struct flow *flow, enum modcat_level level, size_t length);
void flow_log_write_failure(const struct flow *flow, enum modcat_level level, const char *reason,
                            size_t length);

/* Nothing more comes from the source, as `source_end` says; or nothing until that time. */
void flow_source_ended(struct flow *flow);
void flow_rest(struct flow *flow, long long until);
void flow_fail(struct flow *flow);

/* Gives the flow its buffer, which it has until it is empty again. */
void flow_hold_buffer(struct flow *flow);

/* Read into the buffer, or the batch, once. Return true unless the source would block. `closing` as
 * for flow_move(). */
bool flow_fill_buffer(struct flow *flow, bool closing);
bool flow_fill_batch(struct flow *flow, bool closing);
/* Moves what can be spliced from the source; as those. `sink_ready`: of a straight move, the source
 * is what it would wait for. */
bool flow_splice_source(struct flow *flow, bool sink_ready, bool closing);

/* What a read has given: so many bytes, nothing, or an error (`errno`). */
void flow_count_read(struct flow *flow, size_t length);
void flow_nothing_read(struct flow *flow, bool closing);
void flow_read_failed(struct flow *flow, size_t length);

/* Write what the buffer, the batch or the pipe holds. Return true unless the sink would block. */
bool flow_drain_buffer(struct flow *flow);
bool flow_drain_batch(struct flow *flow);
bool flow_drain_pipe(struct flow *flow);

/* What a write has given: so many bytes, or an error (`errno`). */
void flow_written(struct flow *flow, size_t count);
void flow_write_failed(struct flow *flow, size_t length);

#endif
