/* socket.h: what the socket services share. */

#ifndef CORE_SERVICES_NET_SOCKET_H
#define CORE_SERVICES_NET_SOCKET_H

#include <modcat/net.h>
#include <stdbool.h>

/* What option protocol-family takes: the name of a family, or its number. */
modcat_check_fn socket_check_family;

/* Carries out the options that come before a socket, phases OFFSET to EARLY. Returns 0, or -1 after
 * reporting. */
int socket_apply_early(struct modcat_opening *opening);

/* modcat_bind() to a free port of 640 to 1023. */
int socket_bind_low(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local);

/* Binds a listening socket, that of TCP with SO_REUSEADDR unless option reuseaddr is given. */
int socket_bind_listening(struct modcat_opening *opening, int fd,
                          const struct modcat_sockaddr *local);

/* setsockopt(2). Returns 0, or -1 after reporting. */
int socket_set(struct modcat_opening *opening, int fd, int level, int name, const void *data,
               size_t length);

/* The own address of a socket, of length 0 where there is none. */
void socket_own_address(int fd, struct modcat_sockaddr *address);

/* True for a socket of TCP. */
bool socket_is_tcp(int fd);

/* What becomes of what was sent over a connection when its socket is closed. */
enum socket_parting {
    SOCKET_NO_CONNECTION,  /* datagrams, or no socket: nothing is connected */
    SOCKET_PARTS_UNTAKEN,  /* what the peer has not taken can still be lost, and is counted */
    SOCKET_PARTS_RECEIVED, /* the peer has it, and loses it with a reset */
    SOCKET_PARTS_UNTOLD,   /* as the first, and the peer can't be told of the end before that */
};
enum socket_parting socket_parting_of(int fd);

/* Of a socket, what its type and protocol mean. */
struct socket_kind {
    bool is_stream;    /* an empty read is the end */
    bool closes_whole; /* shutdown(2) ends both directions, and keeps what was written */
};
struct socket_kind socket_kind_of(int fd);

/* What modcat_socket_endpoint() makes of a stream, whose kind is known. */
void socket_fill_endpoint(int fd, struct socket_kind kind, struct modcat_endpoint *endpoint);

/* Marks the endpoint of a socket that the program has made itself, and that does not block, unless
 * an option may say so: nobody has to ask for its flags. */
void socket_mark_own(const struct modcat_opening *opening, struct modcat_endpoint *endpoint);
#define SOCKET_OWN (1u << 31) /* of an endpoint's flags */

/* True for a socket whose empty read is the end. */
bool socket_is_stream(int fd);

/* True for a socket whose shutdown(2) ends both directions, and keeps what was written. */
bool socket_closes_whole(int fd);

/* Whether the association of such a socket still exists, which no event tells, and how many chunks
 * the peer has not acknowledged. */
bool socket_association(int fd, size_t *untaken);

/* How many packets the kernel has dropped for want of room since the socket was made. Returns
 * false where it does not tell. */
bool socket_count_dropped(int fd, unsigned *dropped);

/* Reports a bind(2) that has failed, and what it needs. Returns -1. */
int socket_fail_bind(const struct modcat_opening *opening, int fd,
                     const struct modcat_sockaddr *local);

/* Says which port the system has chosen, where port 0 was asked for; `who` comes first. */
void socket_log_chosen_port(int fd, const struct modcat_sockaddr *asked, const char *who);

/* Reports a failed connect(2), as one that does not matter while opening->trying is set. `target`
 * is the peer as the user wrote it, or NULL. Returns -1, errno kept. */
int socket_connect_failed(struct modcat_opening *opening, int fd,
                          const struct modcat_sockaddr *peer, const char *target);

#endif
