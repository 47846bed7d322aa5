/* wait.h: the one place where the program waits for descriptors, time and signals. */

#ifndef CORE_BASE_WAIT_H
#define CORE_BASE_WAIT_H

#include <stdbool.h>
#include <stddef.h>

/* What to wait for on one descriptor: POLLIN, POLLOUT of poll(2); or POLLERR alone, which is ready
 * when the other end has gone. An error or a hang-up makes ready whatever is waited for. */
struct wait_entry {
    int fd;
    short events;
    short ready;  /* which of `events` will not block; set by wait_ready() ... */
    bool hung_up; /* ... and whether the other end has hung up */
};

/* Nanoseconds of CLOCK_MONOTONIC. */
long long wait_now(void);

/* The earlier one of two deadlines, of which either may be MODCAT_FOREVER. */
long long wait_earlier(long long one, long long other);

/* Waits until an entry is ready, the deadline (MODCAT_FOREVER: none) passes or a signal comes.
 * Returns the number of ready entries, 0 at the deadline, -1 with errno (EINTR: a signal). */
int wait_ready(struct wait_entry *entries, size_t count, long long deadline);

/* How wait_ready() waits unless it is told otherwise: the whole process does. */
int wait_here(struct wait_entry *entries, size_t count, long long deadline);

/* Makes wait_ready() wait in another way from now on. */
void wait_use(int (*way)(struct wait_entry *entries, size_t count, long long deadline));

#endif
