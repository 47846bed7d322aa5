/* channel.h: the ways to connect a program: a socket pair, pipes, a pseudo terminal. */

#ifndef CORE_SERVICES_PROCESS_CHANNEL_H
#define CORE_SERVICES_PROCESS_CHANNEL_H

#include <modcat/driver.h>

struct transport;

/* Both ends of a connection; -1: not wanted, or closed. */
struct channel {
    const struct transport *transport;
    int read_fd;                           /* ours; may equal write_fd */
    int write_fd;                          /* ours */
    int in;                                /* what the program reads from; may equal out */
    int out;                               /* what it writes to */
    unsigned flags;                        /* of the endpoint */
    const struct modcat_endpoint_ops *ops; /* of the endpoint, whose state is the opening */
};

/* The transport that the options of an opening ask for; a contradiction is said. */
const struct transport *channel_transport(struct modcat_opening *opening);

/* "socket", "pipes", "pty" for messages; how the endpoint is half-closed. */
const char *channel_name(const struct transport *transport);
enum modcat_half_close channel_half_close(const struct transport *transport);

/* Makes the connection, in the directions of the opening. Returns 0, or -1 after reporting, with
 * nothing left open. */
int channel_open(struct modcat_opening *opening, const struct transport *transport,
                 struct channel *channel);

/* Closes the program's ends, or ours. */
void channel_close_theirs(struct channel *channel);
void channel_close_ours(struct channel *channel);

#endif
