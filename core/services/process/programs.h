/* programs.h: the programs that a session's addresses run: who they are, how they ended, and what
 * that means for the session.
 *
 *     running -> ended           its status counts for the session's, and is logged
 *        |
 *        +-> released -> ended   its address is closed: the status does not count any more
 *
 * An opening has at most one. A program that is released while it runs is sent SIGTERM if its type
 * wants that (EXEC), unless it has ended its output or option end-close is given; SYSTEM, SHELL and
 * what any program has started are left alone. Signals that options sighup, sigint and sigquit hand
 * to programs are diverted from this one as long as a running program wants them. A process that is
 * forked forgets all programs of its parent. */

#ifndef CORE_SERVICES_PROCESS_PROGRAMS_H
#define CORE_SERVICES_PROCESS_PROGRAMS_H

#include <modcat/process.h>
#include <stdbool.h>
#include <sys/types.h>

struct session;

/* Remembers a program that an opening has started, with what has to be `known` of it later; bit N
 * of `signals` says that signal N is for it, and not for us. */
void programs_add(struct modcat_opening *opening, pid_t pid, const struct modcat_program *known,
                  unsigned long signals);

/* Buries those that have ended, with a log line each. */
void programs_reap(struct session *session);

/* Hands over the signals that are meant for programs. */
void programs_pass_signals(struct session *session);

/* True when this opening has started a program, and it has ended. */
bool programs_ended(const struct modcat_opening *opening);

/* True when it has started a program that programs_release() asks to end. */
bool programs_will_be_asked(const struct modcat_opening *opening);

/* Waits until the opening's program has ended, if it has one, or the deadline passes, or the
 * session's own program is asked to end. */
void programs_wait(const struct modcat_opening *opening, long long deadline);

/* True when one has ended badly of its own accord. */
bool programs_failed(const struct session *session);

/* The opening is being closed. A program that asks for it is sent SIGTERM where it still runs,
 * unless it has ended its output, and works on what it has got, or the option end-close says that
 * it may live on. `input_left`: it has not taken all of its input, which is a warning where it is
 * asked to end and we are not. How it ends does not matter from now on. */
void programs_release(const struct modcat_opening *opening, bool output_ended, bool input_left);

/* Forgets all of them: at the end, or in a new process whose children they are not. */
void programs_forget(struct session *session);

/* The same for those that have ended and were closed, while the session goes on without them: how
 * they have ended is not its own end. */
void programs_forget_closed(struct session *session);

#endif
