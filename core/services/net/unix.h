/* unix.h: names of UNIX sockets: binding to them with the permissions that the options want, and
 * removing what was bound. See unix(7). */

#ifndef CORE_SERVICES_NET_UNIX_H
#define CORE_SERVICES_NET_UNIX_H

#include <modcat/net.h>

/* bind(2) for a UNIX address. An entry of that name must not exist, unless the options remove it;
 * the new one has its owner and permissions from the start, and vanishes with the session.
 * Returns 0, or -1 after reporting. */
int unix_bind(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local);

/* Takes back what unix_bind() has left in the file system, for an opening that fails. errno is
 * kept. */
void unix_unbind(struct modcat_opening *opening);

#endif
