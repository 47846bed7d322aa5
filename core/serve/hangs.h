/* hangs.h: finds workers whose sessions wait because one of them never gives way. */

#ifndef CORE_SERVE_HANGS_H
#define CORE_SERVE_HANGS_H

#include <stdbool.h>
#include <sys/types.h>

/* What a worker tells the process that made it. */
struct hang;

/* Before the worker is made. Returns NULL when there is no memory for it: then nothing is told. */
struct hang *hangs_new(void);

void hangs_free(struct hang *hang);

/* In the worker, before it hosts sessions. `hang` may be NULL. The signal SIGCHLD wakes its parent
 * when there is something new. */
void hangs_watch(struct hang *hang);

/* In its parent: logs what is new. Returns true while the worker is held up. */
bool hangs_tell(struct hang *hang, pid_t worker);

#endif
