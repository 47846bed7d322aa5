/* relay_state.h: what relay.c and over.c share: a session's two flows, and when something last
 * happened. */

#ifndef CORE_RELAY_RELAY_STATE_H
#define CORE_RELAY_RELAY_STATE_H

#include "core/relay/attention.h"
#include "core/relay/dump.h"
#include "core/relay/flow.h"
#include "core/relay/progress.h"
#include "core/relay/relay.h"

struct relay {
    struct session *session;
    struct flow flows[2]; /* left to right, right to left */
    struct dump dumps[2];
    struct progress progress;
    struct attention *attention; /* what endpoints wait for besides, or NULL */
    unsigned rebuilt;            /* of the session, when those were looked at */
    struct wait_entry *entries;  /* room for all there is to wait for then, or NULL */
    bool two_way;
    bool program_ended; /* of either end, though its connection may be open elsewhere */
    int empty_looks;    /* in which a program had taken all, one after the other */
    size_t untaken;     /* while the session closes: what its ends have not taken yet ... */
    size_t unread;      /* ... and how much of that its programs have not read */
    bool is_read;       /* a program has been seen to read some of it */
    long long started;
    long long last_activity;
    long long sinks_rest[2]; /* until when a flow's sink is left alone, or 0 */
    long long users_left[2]; /* when a flow's terminal line lost its user (sitout-eio), or 0 */
};

/* How often is looked at what the ends have taken, and whether somebody is left to take it: nothing
 * tells. */
#define TAKING_TICK (MODCAT_SECOND / 20)
#define EMPTY_TICK (MODCAT_SECOND / 100)
#define ABANDONED_TICK MODCAT_SECOND

static inline bool relay_same_endpoint(const struct opened *one, const struct opened *other)
{
    return one != NULL && other != NULL && one->endpoint == other->endpoint;
}

/* What is written to the flow's sink comes out of the other's source. */
static inline bool relay_is_given_back(const struct flow *flow, const struct flow *other)
{
    return relay_same_endpoint(flow->sink, other->source) &&
           (flow->sink->endpoint->flags & MODCAT_END_GIVES_BACK) != 0;
}

#endif
