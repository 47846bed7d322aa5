/* lines.h: terminal lines that an address has made for other programs, in sessions that only write
 * to them. Reading such a line tells that its user has left it; writing goes on until it is full.
 * Without sitout-eio that ends the session. With it, somebody has that time to open the line again,
 * and finds there what was written meanwhile. */

#ifndef CORE_RELAY_LINES_H
#define CORE_RELAY_LINES_H

#include "core/relay/relay_state.h"

/* How often a line without a user is looked at with sitout-eio. */
#define LINES_TICK (MODCAT_SECOND / 100)

/* True for the line of an address. */
bool lines_is_one(const struct opened *opened);

/* True when `error` of reading the flow's sink says that its user has left, and the source has
 * nothing that he could have got. */
bool lines_has_left(const struct flow *flow, int error);

/* Says that the line has lost its user, who may come back within `limit`. */
void lines_log_sitting_out(int fd, long long limit);

/* Ends flows whose lines have been without a user for too long. To be called in each round. */
void lines_consider(struct relay *relay);

/* When to look again, at the latest. */
long long lines_next_look(const struct relay *relay);

#endif
