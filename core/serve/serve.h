/* serve.h: waits for the peers of a listening address, filters them, and makes a process for each
 * where the address says `fork`. */

#ifndef CORE_SERVE_SERVE_H
#define CORE_SERVE_SERVE_H

#include "core/serve/sides.h"

/* Takes over the listener and its opening. SESSION_OPEN: *opened holds a peer, in the only process
 * or in a child. SESSION_DONE: accept-timeout has ended the waiting. */
enum session_result serve_peers(struct session *session, struct modcat_opening *listening,
                                struct modcat_listener *listener, struct opened *opened);

#endif
