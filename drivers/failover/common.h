/* common.h: what all sessions of an address know of its ends, in whichever processes they are:
 * which of them have failed lately, whose turn it is, and how many sessions each has.
 *
 * Sessions are counted by process, so that those of a process that was killed are found and
 * dropped. */

#ifndef FAILOVER_COMMON_H
#define FAILOVER_COMMON_H

#include <stdbool.h>
#include <stddef.h>

struct common;
struct modcat_opening;

/* Of one address. */
#define ENDS_MAX 256

/* Returns NULL after reporting. */
struct common *common_of(struct modcat_opening *opening);

/* An end that has failed is left out until a time of CLOCK_MONOTONIC, and is let in again when it
 * has been opened: then it returns true if it had been left out. */
void common_leave_out(struct common *common, size_t end, long long until);
bool common_let_in(struct common *common, size_t end);
bool common_is_left_out(const struct common *common, size_t end);

/* Whose turn it is: 0, 1, 2, ... */
size_t common_turn(struct common *common);

/* Counts a session of this process in, and out. */
void common_enter(struct common *common, size_t end);
void common_leave(struct common *common, size_t end);

/* Adds up the sessions of each end. */
void common_count(struct common *common, unsigned long counts[ENDS_MAX]);

#endif
