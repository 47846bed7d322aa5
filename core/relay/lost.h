/* lost.h: messages that could not be sent, and take no others with them: each is counted, and they
 * are reported, no more than once a second. */

#ifndef CORE_RELAY_LOST_H
#define CORE_RELAY_LOST_H

#include "core/relay/overflow.h"
#include <stdbool.h>
#include <stddef.h>

struct flow;

/* What a flow has lost since that was reported last. */
struct lost {
    size_t messages;
    size_t bytes;
    long long quiet_until; /* when the next one may be reported */
    struct overflow overflow;
};

/* True when `error` of writing to the flow's sink concerns the message that was written and no
 * other one: it is too long, the system had no room for it, one of many peers can't be
 * reached, or an interface does not take it. */
bool lost_alone(const struct flow *flow, int error);

/* Takes note of such a message, of `length` bytes, and reports it when it is time. The session
 * fails in the end. */
void lost_message(struct flow *flow, size_t length, int error);

/* Reports what is not reported yet. */
void lost_report(struct flow *flow);

#endif
