/* forget.h: wipes the secrets that a session does not need any more once it is open: those that
 * layers have prepared for their dialogue with a peer, and those of the environment. */

#ifndef CORE_SESSION_FORGET_H
#define CORE_SESSION_FORGET_H

#include "core/opening/session_state.h"

/* In a process that has its session, and will open nothing more. */
void session_forget_secrets(const struct session *session);

/* A server's address is prepared once: what its options took from the environment is not read again
 * when it listens. */
void session_forget_prepared(const struct modcat_opening *listening);

#endif
