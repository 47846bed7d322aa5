/* fork.h: a process for one peer. */

#ifndef CORE_SERVE_FORK_H
#define CORE_SERVE_FORK_H

#include "core/opening/session_state.h"
#include <sys/types.h>

/* Makes a process for one peer, as soon as the system has one. Returns as fork(2); -1: the program
 * is asked to end. In the child nothing of the parent's is left to remove or to wait for. */
int fork_for_peer(struct session *session, const struct opening_settings *set);

/* For processes that serve many: fork(2), as soon as the system has a process, and what the child
 * has to do first. */
pid_t fork_patiently(struct session *session);
void fork_become_child(struct session *session);

#endif
