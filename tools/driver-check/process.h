/* process.h: what a driver may not change of the process, and that its operations do not sleep. */

#ifndef TOOLS_DRIVER_CHECK_PROCESS_H
#define TOOLS_DRIVER_CHECK_PROCESS_H

#include <signal.h>
#include <sys/types.h>

/* What all sessions of a process share. */
struct process_state {
    char *folder;
    char *environment; /* all variables, each in a line */
    mode_t mask;
    sigset_t blocked;
    struct sigaction actions[NSIG];
};

/* Remembers the state; process_free() frees it. */
void process_take(struct process_state *state);
void process_free(struct process_state *state);

/* A fault for each difference between then and now. */
void process_compare(const struct process_state *before);

/* Around a call of an operation, with what the first one returned. A fault when the call has slept
 * for more than a tenth of a second. errno is kept. */
long long process_call_begins(void);
void process_call_ends(const char *operation, long long began);

#endif
