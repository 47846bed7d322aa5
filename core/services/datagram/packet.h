/* packet.h: one packet off a socket, with who sent it and what the kernel tells about it. */

#ifndef CORE_SERVICES_DATAGRAM_PACKET_H
#define CORE_SERVICES_DATAGRAM_PACKET_H

#include <modcat/net.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Room for all control messages that the options can ask for. */
#define PACKET_CONTROL_MAX 1024

/* How packets are received: never waiting, and with their full length. */
#define PACKET_FLAGS (MSG_TRUNC | MSG_DONTWAIT | MSG_CMSG_CLOEXEC)

/* What is known about a packet besides its data. */
struct packet_facts {
    struct modcat_sockaddr from; /* of a sender without a name the family only */
    size_t size;                 /* all of its bytes, however many were wanted */
    size_t control_length;
    unsigned char control[PACKET_CONTROL_MAX] __attribute__((aligned(8)));
};

/* A packet that waits in memory. */
struct packet {
    struct packet *next;
    struct packet_facts facts;
    size_t length;
    unsigned char data[];
};

/* Packets in the order in which they came. */
struct packet_queue {
    struct packet *first;
    struct packet **end;
    size_t count;
};

/* Makes `message` ready for recvmsg(2) of one packet into `piece`, with its facts. */
void packet_prepare(struct msghdr *message, struct iovec *piece, struct packet_facts *facts);

/* Fills in the facts of a packet of `size` bytes that was received by such a message. */
void packet_received(int fd, struct msghdr *message, size_t size, struct packet_facts *facts);

/* Reads one packet. Returns the number of bytes put into `buffer`, or -1 with errno; the rest of a
 * packet that is longer is lost, see packet_warn_cut(). Never blocks. */
ssize_t packet_read(int fd, void *buffer, size_t length, struct packet_facts *facts);

/* Takes one packet off a socket. Returns it, to be freed, or NULL with errno. */
struct packet *packet_take(int fd);

/* Copies a packet's data as a read of `length` bytes would; warns where that cuts it. */
size_t packet_copy(const struct packet *packet, void *buffer, size_t length);

/* Warns where a packet was longer than the buffer for it. */
void packet_warn_cut(size_t size, size_t length);

void packet_queue_start(struct packet_queue *queue);
void packet_queue_add(struct packet_queue *queue, struct packet *packet);
void packet_queue_put_back(struct packet_queue *queue, struct packet *packet);
/* The first packet, or NULL. */
struct packet *packet_queue_next(struct packet_queue *queue);
/* Moves all packets of one sender to the end of another queue. */
void packet_queue_sort_out(struct packet_queue *queue, const struct modcat_sockaddr *sender,
                           struct packet_queue *to);
void packet_queue_free(struct packet_queue *queue);

/* True for a socket of SOCK_RAW over IPv4, whose packets come with their IP header. */
bool packet_has_header(int fd);

/* Removes the IP header at the front of `length` bytes. Returns how many are left. */
size_t packet_strip_header(unsigned char *data, size_t length);

#endif
