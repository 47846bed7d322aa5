/* terminals.h: the terminals that a session has changed, and how they were before. */

#ifndef CORE_SERVICES_TTY_TERMINALS_H
#define CORE_SERVICES_TTY_TERMINALS_H

#include <stdbool.h>

struct modcat_endpoint;
struct modcat_news;
struct modcat_opening;
struct session;
struct side;
struct winsize;

/* Remembers a terminal's settings, unless this process has them already. Descriptors that are no
 * terminal are left alone. */
void terminals_keep(struct session *session, int fd);

/* Puts back what is remembered, the last one first, in the process that remembered it; another one
 * only forgets. Output that is still under way gets the time that it needs, unless the program is
 * asked to end. */
void terminals_restore(struct session *session);

/* Forgets those that are hung up for good, so that a device that was unplugged gets its number
 * again. */
void terminals_forget_gone(struct session *session);

/* Gives a new pseudo terminal the window size of the terminal that is open on a side. */
void terminals_size_new(struct session *session, int master);

/* Hands the window size of a terminal on one side to the pseudo terminal on the other. */
void terminals_pass_size(struct session *session);

/* The same when it may have changed, which endpoints are told too. */
void terminals_resized(struct session *session);

/* The size of the terminal that a side is. Returns false where it is none, or has no size. */
bool terminals_size(struct side *side, struct winsize *size);

/* Does on a terminal what the other end of the session tells. Returns 0, or -1 with errno: ENOTSUP
 * where it is none. */
int terminals_hear(struct session *session, const struct modcat_endpoint *endpoint,
                   const struct modcat_news *news);

/* Sets what options changed by modcat_tty_settings(). Returns 0, or -1 after reporting. */
int terminals_settle(struct modcat_opening *opening);

#endif
