/* interest.h: who waits for which descriptor, and what the kernel has been told of it.
 *
 * Several tasks may wait for one descriptor; the kernel is told what all of them want. Whoever
 * waits again and again keeps its interests, and nothing is told. A new interest always is, because
 * the descriptor may have been closed since, and its number be another one's. What nobody waits for
 * is taken back when it becomes ready. A descriptor that was closed here while another process has
 * it open goes on to be reported: then all are told to a new instance. epoll(7).
 */

#ifndef CORE_LOOP_INTEREST_H
#define CORE_LOOP_INTEREST_H

#include "core/base/wait.h"
#include <stdbool.h>
#include <stddef.h>

/* One entry of what somebody waits for. */
struct interest {
    struct interest *next;    /* in the same descriptor */
    struct wait_entry *entry; /* where to say that it is ready */
    void *owner;
    int fd; /* of the entry when it was added */
    short events;
};

/* Called when something becomes ready for an owner. */
typedef void interest_ready_fn(void *owner);

/* Opens the connection to the kernel. Returns 0, or -1 with errno. */
int interest_start(interest_ready_fn *ready);
/* Closes it; nobody may wait any more. In a new process: leaves the parent's alone. */
void interest_stop(void);

/* Begins to wait for an entry. Returns 0; 1 when it is always ready (regular files); -1 with
 * errno. */
int interest_add(struct interest *interest, struct wait_entry *entry, void *owner);

/* Ends it. What the kernel was told stays. */
void interest_remove(struct interest *interest);

/* The same where the descriptor is about to be closed. */
void interest_leave(struct interest *interest);

/* Takes back what the kernel was told of a descriptor, which may be closed, as far as nobody wants
 * it any more. */
void interest_settle(int fd);

/* Waits until something is ready, up to `timeout` nanoseconds (MODCAT_FOREVER: no limit), and tells
 * those who wait. Returns 0, or -1 with errno. */
int interest_wait(long long timeout);

#endif
