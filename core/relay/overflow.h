/* overflow.h: packets that come faster than they are read: the kernel drops what does not fit into
 * the socket's buffer, and only counts it. */

#ifndef CORE_RELAY_OVERFLOW_H
#define CORE_RELAY_OVERFLOW_H

#include <stdbool.h>

struct flow;

/* What was dropped of a flow's source. */
struct overflow {
    bool looked;
    unsigned reported;
    unsigned long long bytes; /* that the flow had moved by then */
    long long next_look;
};

/* Reports what the kernel has dropped since the last time; looks once a second, or now. A socket
 * that others read from, too, is not looked at: they would report the same packets. */
void overflow_report(struct flow *flow, bool now);

/* When it is to be looked at again, or MODCAT_FOREVER as long as nothing comes. */
long long overflow_next_look(const struct flow *flow);

#endif
