/* parting.h: taking leave of a peer before its connection is closed, so that nothing that was sent
 * to it is lost.
 *
 * A TCP socket that is closed while something is still to be read, or that gets something after it
 * was closed, resets the connection (RFC 1122, section 4.2.2.13): what the peer has not taken by
 * then is lost. An association of SCTP is aborted for the same reason, and a UNIX socket of
 * sequenced packets, closed so, gives its peer an error before what is in the peer's queue. So the
 * connection is half-closed, and input is dropped until the peer closes its side too or the
 * time of option -t has passed; and as long as it goes on to take what is on its way, its time is
 * not over. A session has that time once, for all its ends. */

#ifndef CORE_SESSION_PARTING_H
#define CORE_SESSION_PARTING_H

#include "core/session/session.h"

/* Takes leave of the peer at the end of an endpoint, through all its layers. Returns when the
 * connection can be closed; at once where nothing can be lost, and when the program is asked to
 * end. What is lost all the same is reported, and makes the session fail. */
void parting_from(struct opened *opened);

/* The time of option -t has passed already, while data was moved. */
void parting_is_late(struct session *session);

#endif
