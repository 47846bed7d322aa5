/* peer.h: who is at the other end of a connection. */

#ifndef CORE_SERVICES_NET_PEER_H
#define CORE_SERVICES_NET_PEER_H

#include "core/opening/opening.h"

/* Takes note of both ends of a connection of this host, as far as they tell whether the peer is on
 * it, too. */
void peer_note(struct modcat_opening *opening, const struct modcat_sockaddr *peer,
               const struct modcat_sockaddr *local);

/* True for a peer over IP on this host. `fd` is asked where nothing was noted. */
bool peer_is_here(const struct modcat_opening *opening, int fd);

#endif
