/* flow.h: one direction of a session: bytes from a source to a sink through one bounded buffer.
 *
 *     UNUSED                     the session has no such direction
 *     OPEN <-> RESTING           the source was at its end, and is read again later (ignoreeof)
 *       |         |
 *       +--> DRAINING            the source has ended; what is held goes to the sink
 *               |
 *               +--> CLOSING     the end is signalled to the sink, which takes several calls
 *               |       |
 *               +-------+--> ENDED
 *
 * An error at either end, and a sink that has gone, lead to ENDED from every state; what was held
 * is lost then, and over.c says so. A flow reads only when it holds nothing, so that a slow sink
 * slows its source down. relay.c decides when to call flow_move(); source.c reads, sink.c writes,
 * and splicing.c moves bytes past the buffer. RFC 9293, section 3.6 (half-closed connections). */

#ifndef CORE_RELAY_FLOW_H
#define CORE_RELAY_FLOW_H

#include "core/relay/lost.h"
#include "core/relay/splice.h"
#include "core/services/datagram/batch.h"
#include "core/session/session.h"
#include <stdbool.h>
#include <stddef.h>

enum flow_state { FLOW_UNUSED, FLOW_OPEN, FLOW_RESTING, FLOW_DRAINING, FLOW_CLOSING, FLOW_ENDED };

/* Why nothing more comes from a source. */
enum source_end {
    SOURCE_IS_READ_NO_MORE, /* it may have more: by options, or because its sink has gone */
    SOURCE_AT_END,          /* it has said so itself */
    SOURCE_FAILED
};

/* How bytes are moved at present; each flow begins with its buffer. */
enum flow_way {
    FLOW_BUFFERED,
    FLOW_SPLICED, /* inside the kernel */
    FLOW_BATCHED  /* many messages at a time */
};

/* Somebody who looks at the bytes of a flow, as they are going to be written, before they are. */
struct flow_observer {
    void (*look)(struct flow_observer *observer, const unsigned char *data, size_t length);
};

struct flow {
    struct opened *source;
    struct opened *sink;
    struct side *from; /* the sides they belong to */
    struct side *to;
    struct flow_observer *observer; /* or NULL */
    enum flow_state state;
    enum flow_way way;
    enum source_end source_end;
    unsigned char *buffer;
    size_t capacity;      /* what one read may take */
    size_t start;         /* what is buffered: from here ... */
    size_t end;           /* ... to here */
    size_t left;          /* what option readbytes still lets through; SIZE_MAX: all */
    long long retry_at;   /* RESTING: when the source is read again */
    long long gone_since; /* when a terminal line lost its other end (sitout-eio); 0: it has one */
    bool more_likely;     /* after the last read: more is likely to be there */
    bool source_blocks;   /* reading when not ready would block the program */
    bool sink_talks;      /* it is a layer that is asked things, and told of the end */
    bool sink_blocks;     /* writing when not ready would block the program */
    bool failed;          /* it ended by an error */
    struct lost lost;     /* messages that could not be sent */
    struct splice splice; /* the way past the buffer, if there is one */
    size_t write_max;     /* most that one write has; less when the sink has refused that much */
    size_t bulk;          /* to this the buffer may grow when it has been filled; 0: it may not */
    bool may_batch;       /* messages can be moved many at a time ... */
    struct batch *batch;  /* ... in this, once more than one was there */
    unsigned long long bytes;  /* written so far */
    unsigned long long blocks; /* in so many writes */
};

/* Starts a flow; `block` is the size of one read, 0: as it fits the two ends. `observer` may be
 * NULL. `natures` is shared by the flows of a session. */
void flow_start(struct flow *flow, struct side *from, struct side *to, size_t block,
                struct flow_observer *observer, struct natures *natures);
void flow_free(struct flow *flow);

/* What a flow wants to wait for now. */
bool flow_wants_source(const struct flow *flow);
bool flow_wants_sink(const struct flow *flow);

/* True while the source may give more. */
static inline bool flow_is_open(const struct flow *flow)
{
    return flow->state == FLOW_OPEN || flow->state == FLOW_RESTING;
}

/* True when nothing more comes, and the sink has been told. */
static inline bool flow_is_over(const struct flow *flow)
{
    return flow->state == FLOW_ENDED || flow->state == FLOW_UNUSED;
}

/* True when it was the sink that has failed: it has not got all. */
static inline bool flow_sink_failed(const struct flow *flow)
{
    return flow->failed && flow->source_end != SOURCE_FAILED;
}

/* How many bytes are on the way: read, and not written yet. */
size_t flow_undelivered(const struct flow *flow);

/* True when the source has data that no descriptor shows. */
bool flow_has_pending(const struct flow *flow);

/* Moves what can be moved. `closing`: the other direction has ended, so that an end of file is not
 * ignored any more. Returns true when bytes were moved or the state has changed. */
bool flow_move(struct flow *flow, bool source_ready, bool sink_ready, bool closing);

/* Takes note that the source's descriptor was closed by a half-close of the other direction. */
void flow_source_closed(struct flow *flow);

/* Ends a flow that waits for its source, because whoever took from its sink has gone. */
void flow_sink_gone(struct flow *flow);

/* Ends a flow without telling its sink, because an error made it senseless. */
void flow_abandon(struct flow *flow);

#endif
