/* children.h: the processes that a session has made and still has to bury. */

#ifndef CORE_SESSION_CHILDREN_H
#define CORE_SESSION_CHILDREN_H

#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct session;

/* A hash table: each child is found at once, however many there are. */
struct children {
    pid_t *pids;  /* 0: a free place */
    size_t room;  /* places, a power of two */
    size_t count; /* of children */
};

/* Remembers a child that serves a peer. */
void children_add(struct children *children, pid_t pid);

bool children_have(const struct children *children, pid_t pid);

/* Forgets all of them, in a new child. */
void children_forget(struct children *children);

/* Says how a child ended, by its status of waitpid(2). */
void children_log_end(enum modcat_level level, pid_t pid, int status);

/* Buries those that have ended, with a log line each. */
void children_reap(struct children *children);

/* Waits until fewer than `limit` are alive. Returns 0, or -1 with errno (ECANCELED: the program is
 * asked to end). */
int children_wait_below(struct session *session, size_t limit);

/* With max-children: the same until there may be one more; `most` 0: there always may. */
int children_wait_for_room(struct session *session, int most);

#endif
