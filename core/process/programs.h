/* programs.h: the programs that a session's addresses run: who they are, how they ended, and what
 * that means for the session. */

#ifndef CORE_PROCESS_PROGRAMS_H
#define CORE_PROCESS_PROGRAMS_H

#include "core/process/family.h"
#include <modcat/driver.h>
#include <stdbool.h>
#include <sys/types.h>

struct program;
struct session;

/* What a program leaves running when it ends, its orphans, becomes our child, so that it can be
 * found. */
enum orphans {
    ORPHANS_UNDECIDED, /* there has been no program yet */
    ORPHANS_ADOPTED,
    ORPHANS_LEFT /* they are not for us to end, or can't be told from other children */
};

struct programs {
    struct program *first;
    pid_t newborn; /* forked, but perhaps never to be a program; 0: none */
    enum orphans orphans;
    struct family terminated; /* what was sent SIGTERM, descendants too */
};

/* Before each start of a program: decides about its orphans. */
void programs_prepare(const struct modcat_opening *opening);

/* Lets orphans go to whom they would go without us, from now on. */
void programs_leave_orphans(struct session *session);

/* Remembers a program that an opening has started. `failure` (copied, or NULL) is what a warning
 * calls it; bit N of `signals` says that signal N is for it, and not for us. */
void programs_add(struct modcat_opening *opening, pid_t pid, const char *failure,
                  unsigned long signals);

/* Buries those that have ended, with a log line each; and orphans. */
void programs_reap(struct session *session);

/* Hands over the signals that are meant for programs. */
void programs_pass_signals(struct session *session);

/* True when this opening has started a program, and it has ended. */
bool programs_ended(const struct modcat_opening *opening);

/* Waits until the opening's program has ended, if it has one, or the deadline passes, or the
 * session's own program is asked to end. */
void programs_wait(const struct modcat_opening *opening, long long deadline);

/* True when one has ended badly of its own accord. */
bool programs_failed(const struct session *session);

/* The opening is being closed: its program and all that has come from it get SIGTERM, unless the
 * option end-close says that it may live on. How it ends does not matter from now on. */
void programs_release(const struct modcat_opening *opening);

/* Ends what is left of the programs that have ended or got SIGTERM: after a moment's grace by
 * SIGKILL. Never takes long. */
void programs_bury(struct session *session);

/* Forgets all of them: at the end, or in a new process whose children they are not. */
void programs_forget(struct session *session);

#endif
