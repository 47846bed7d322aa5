/* endpoint.h: endpoints of datagram sockets. */

#ifndef CORE_DATAGRAM_ENDPOINT_H
#define CORE_DATAGRAM_ENDPOINT_H

#include "core/datagram/packet.h"
#include <modcat/net.h>

/* Whose packets are read. */
enum datagram_senders {
    DATAGRAM_CONNECTED, /* the kernel sees to it */
    DATAGRAM_TARGET,    /* the one that is written to */
    DATAGRAM_FILTERED,  /* all who pass the filters */
    DATAGRAM_NOBODY     /* what is pending, and then the end */
};

/* How a datagram endpoint begins. */
struct datagram_start {
    struct modcat_opening *opening;
    int fd;
    struct modcat_sockaddr target; /* where to write to; length 0: nowhere, or connected */
    enum datagram_senders senders;
    struct packet_queue *pending; /* what was received already, or NULL; is emptied */
};

/* Fills `endpoint` in, which owns the descriptor from then on. */
void datagram_endpoint(const struct datagram_start *start, struct modcat_endpoint *endpoint);

/* Operations of a connected socket that keeps messages apart. They need no state, so that a layer
 * may put its own in their place. */
extern const struct modcat_endpoint_ops datagram_connected_ops;

/* Logs "received packet with ...". */
void datagram_log_received(const struct packet_facts *facts);

#endif
