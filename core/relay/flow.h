/* flow.h: one direction of a session: bytes from a source to a sink through one bounded buffer. */

#ifndef CORE_RELAY_FLOW_H
#define CORE_RELAY_FLOW_H

#include "core/relay/lost.h"
#include "core/relay/splice.h"
#include "core/services/datagram/batch.h"
#include "core/session/session.h"
#include <stdbool.h>
#include <stddef.h>

enum flow_state {
    FLOW_OPEN,     /* the source may give more */
    FLOW_DRAINING, /* the source has ended, the buffer has not */
    FLOW_ENDED     /* nothing more comes, and the sink has been told */
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
    unsigned char *buffer;
    size_t capacity;      /* what one read may take */
    size_t start;         /* what is buffered: from here ... */
    size_t end;           /* ... to here */
    size_t left;          /* what option readbytes still lets through; SIZE_MAX: all */
    long long retry_at;   /* when a source at its end is read again (ignoreeof); 0: not waiting */
    long long gone_since; /* when a terminal line lost its other end (sitout-eio); 0: it has one */
    bool half_closing;    /* the sink has to be told again that nothing more comes */
    bool more_likely;     /* after the last read: more is likely to be there */
    bool source_blocks;   /* reading when not ready would block the program */
    bool sink_blocks;     /* writing when not ready would block the program */
    bool source_at_end;   /* the source itself said that nothing more comes */
    bool failed;          /* it ended by an error ... */
    bool source_failed;   /* ... of its source */
    struct lost lost;     /* messages that could not be sent */
    struct splice splice; /* the way past the buffer */
    bool splicing;        /* it is being used */
    size_t write_max;     /* most that one write has; less when the sink has refused that much */
    size_t bulk;          /* to this the buffer may grow when it has been filled; 0: it may not */
    bool may_batch;       /* messages can be moved many at a time ... */
    struct batch *batch;  /* ... in this, once more than one was there; or NULL */
    unsigned long long bytes;  /* written so far */
    unsigned long long blocks; /* in so many writes */
};

/* Starts a flow; `block` is the size of one read, 0: as it fits the two ends. `observer` may be
 * NULL. */
void flow_start(struct flow *flow, struct side *from, struct side *to, size_t block,
                struct flow_observer *observer);
void flow_free(struct flow *flow);

/* What a flow wants to wait for now. */
bool flow_wants_source(const struct flow *flow);
bool flow_wants_sink(const struct flow *flow);

/* True when it was the sink that has failed: it has not got all. */
static inline bool flow_sink_failed(const struct flow *flow)
{
    return flow->failed && !flow->source_failed;
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
