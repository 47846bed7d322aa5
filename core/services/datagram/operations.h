/* operations.h: endpoints of datagram sockets. One write is one packet, one read one packet of a
 * sender that is let in; packets of others are passed over. A packet that cannot be sent is
 * reported by its error, and the endpoint stays usable unless datagram_is_broken() says so. What an
 * ICMP message says of an earlier packet comes as an error of the socket, once. */

#ifndef CORE_SERVICES_DATAGRAM_OPERATIONS_H
#define CORE_SERVICES_DATAGRAM_OPERATIONS_H

#include "core/services/datagram/packet.h"
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

/* Gives those to an endpoint whose descriptors are set. */
void datagram_connected_endpoint(struct modcat_endpoint *endpoint);

/* True for errors of receiving that the socket itself has. All others concern one packet, or one
 * that was sent before. */
bool datagram_is_broken(int error);

/* True for an endpoint of a socket, and no operations but those of this module. */
bool datagram_is_plain(const struct modcat_endpoint *endpoint);

/* The socket of a plain endpoint, which may wait for its receiver with another one. */
int datagram_fd(const struct modcat_endpoint *endpoint);

/* Whom a plain endpoint writes to; NULL: the socket is connected. */
const struct modcat_sockaddr *datagram_target(const struct modcat_endpoint *endpoint);

/* Looks at a packet that came into `room` bytes of a plain endpoint: filters and tells. Returns the
 * length of its data, or -1 with EAGAIN when it is not wanted. */
ssize_t datagram_take(struct modcat_endpoint *endpoint, const struct packet_facts *facts,
                      void *data, size_t room);

/* Reports what receiving on a plain endpoint or sending (`errno`) has failed with. Return -1 with
 * errno; EAGAIN when it is to be waited for. */
int datagram_read_failed(struct modcat_endpoint *endpoint);
int datagram_write_failed(struct modcat_endpoint *endpoint);

/* True when a packet that could not be sent for this reason is lost, and the endpoint goes on: it
 * answers many, or whoever has sent the packet that it serves. Where one peer is all there is, or
 * the endpoint can never send, its session has failed. errno is kept. */
bool datagram_outlives(const struct modcat_endpoint *endpoint, int error);

/* Tells that so many packets have left a plain endpoint. */
void datagram_written(const struct modcat_endpoint *endpoint, int count);

/* Logs "received packet with ...". */
void datagram_log_received(const struct packet_facts *facts);

#endif
