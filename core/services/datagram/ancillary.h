/* ancillary.h: what the kernel tells about a packet besides its data, in messages and for the
 * environment of child programs. */

#ifndef CORE_SERVICES_DATAGRAM_ANCILLARY_H
#define CORE_SERVICES_DATAGRAM_ANCILLARY_H

#include "core/services/datagram/packet.h"

/* Logs the control messages of a packet; with `opening` it exports them to the programs that its
 * session starts, in place of those of an earlier packet. */
void ancillary_tell(const struct packet_facts *facts, struct modcat_opening *opening);

/* True for a socket that collects the details of errors (ip-recverr, ipv6-recverr). Keeps errno. */
bool ancillary_collects_errors(int fd);

/* Logs the errors that such a socket has collected, and forgets them. Returns their number; errno
 * is * kept. */
int ancillary_tell_errors(int fd);

/* Where a packet was sent to, if the socket is told (IP_PKTINFO, IPV6_RECVPKTINFO) and it is an
 * address of this host: fills in `local`, port 0. Returns false where nothing is known. */
bool ancillary_destination(const struct packet_facts *facts, struct modcat_sockaddr *local);

#endif
