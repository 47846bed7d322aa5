/* unix_unread.h: how much the other end of a UNIX socket has not read yet. What SIOCOUTQ tells,
 * unix(7), is memory, which is given back block by block. */

#ifndef CORE_SERVICES_NET_UNIX_UNREAD_H
#define CORE_SERVICES_NET_UNIX_UNREAD_H

/* Returns the bytes that lie unread at the peer of a connected UNIX socket, or -1 where the kernel
 * does not tell. Counterpart: sock_diag(7), UDIAG_SHOW_RQLEN. */
long long unix_unread(int fd);

#endif
