/* transport.h: what drivers say of their sockets. */

#ifndef CORE_SERVICES_NET_TRANSPORT_H
#define CORE_SERVICES_NET_TRANSPORT_H

#include <modcat/net.h>

/* A copy of a driver's transport, which may be shorter or longer than this core's. */
struct modcat_transport transport_copy(const struct modcat_transport *transport);

#endif
