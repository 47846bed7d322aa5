/* children.h: the processes that this one has made and still has to bury: those that serve peers,
 * and programs. */

#ifndef CORE_SERVICES_PROCESS_CHILDREN_H
#define CORE_SERVICES_PROCESS_CHILDREN_H

#include "core/services/process/stage.h"
#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct session;

struct children;

struct children *children_new(void);
void children_free(struct children *children);

/* How many live that serve peers. */
size_t children_count(const struct children *children);

/* A stage for a child that is about to be made, one of `most`; see stage_new(). */
struct stage *children_new_stage(struct children *children, size_t most);

/* Remembers a child that serves a peer, and shares `stage` (or NULL) with this process. The
 * dialogue with its peer begins at `since`. */
void children_add(struct children *children, pid_t pid, struct stage *stage, long long since);

/* Remembers a program. `end` is called with `owner` and the status of waitpid(2), or NULL where it
 * is not known. */
typedef void child_end_fn(void *owner, const int *status);
void children_add_program(struct children *children, pid_t pid, child_end_fn *end, void *owner);

/* The same for one that serves many peers. */
void children_add_worker(struct children *children, pid_t pid, child_end_fn *end, void *owner);

/* Nobody cares any more how that program ends; it is only buried. */
void children_disown(struct children *children, pid_t pid);

bool children_have(const struct children *children, pid_t pid);

/* Forgets all of them, in a new child. */
void children_forget(struct children *children);

/* Says how a child ended, by its status of waitpid(2). */
void children_log_end(enum modcat_level level, pid_t pid, int status);

/* Sends a signal to those that serve peers. */
void children_signal(const struct children *children, int number);

/* Buries those that have ended, with a log line each. */
void children_reap(struct children *children);

/* The same for one of them. Returns false while it lives. */
bool children_bury(struct children *children, pid_t pid);

/* Waits until fewer than `limit` that serve peers are alive. Returns 0, or -1 with errno
 * (ECANCELED: the program is asked to end). */
int children_wait_below(struct session *session, size_t limit);

/* Where the next peer may be waiting to be served. */
struct queue_of_peers {
    int fd;     /* readable when one does; -1: nothing tells */
    bool known; /* one does */
};

/* With max-children: the same until there may be one more; `most` 0: there always may. If a peer
 * waits meanwhile, a child that has been in the dialogue of its opening for too long is ended. */
int children_wait_for_room(struct session *session, int most, struct queue_of_peers queue);

#endif
