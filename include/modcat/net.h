/* net.h: sockets for drivers: resolving, connecting and listening with all the options of the
 * groups SOCKET, IP4, IP6, IPAPP, LISTEN and RANGE. */

#ifndef MODCAT_NET_H
#define MODCAT_NET_H

#include <modcat/driver.h>

#ifdef __cplusplus
extern "C" {
#endif

struct addrinfo; /* of <netdb.h> */

/* A transport: the arguments of socket(2). The options pf, so-type and so-protocol override it. */
struct modcat_transport {
    size_t size;     /* sizeof(struct modcat_transport) in the driver */
    int family;      /* AF_INET, AF_INET6, AF_UNIX, ...; AF_UNSPEC: by name and preference */
    int socktype;    /* SOCK_STREAM, ... */
    int protocol;    /* IPPROTO_TCP, ...; 0: the family's default */
    bool fixed_type; /* the option so-type is the driver's own, and does not override socktype */
};

/* A socket address with its length. */
struct modcat_sockaddr {
    size_t size;      /* sizeof(struct modcat_sockaddr) in the driver */
    socklen_t length; /* 0: none */
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
    } u;
};

/* Resolves host and service to a list that the caller frees with freeaddrinfo(3). `host` may be
 * NULL or empty (the wildcard), a name, a dotted quad or an IPv6 address in brackets. `flags` are
 * getaddrinfo(3)'s. Options ai-*, res-* and pf apply; results stand in the order of preference.
 * Returns 0, or -1 after reporting. Counterpart: getaddrinfo(3). */
int modcat_resolve(struct modcat_opening *opening, const struct modcat_transport *transport,
                   const char *host, const char *service, int flags, struct addrinfo **result);

/* The number of a port, from 0 to 65535, or of a service of TCP by its name, for protocols that
 * take nothing else. Returns it, or -1 after reporting. */
int modcat_port_number(struct modcat_opening *opening, const char *service);

/* Connects to host and service: every resolved address in turn, with bind, sourceport, lowport and
 * connect-timeout. Fills `endpoint` in. Returns 0, or -1 after reporting. */
int modcat_connect_host(struct modcat_opening *opening, const struct modcat_transport *transport,
                        const char *host, const char *service, struct modcat_endpoint *endpoint);

/* Connects to one address, from `local` when its length is not 0. `more` tells that a further
 * address will be tried, which makes a failure a warning. Fills `endpoint` in.
 * Returns 0, or -1 after reporting. Counterpart: connect(2). */
int modcat_connect_to(struct modcat_opening *opening, const struct modcat_transport *transport,
                      const struct modcat_sockaddr *peer, const struct modcat_sockaddr *local,
                      bool more, struct modcat_endpoint *endpoint);

/* Listens on a service of this machine, on the address of option bind or the wildcard. Fills
 * `listener` in. Returns 0, or -1 after reporting. */
int modcat_listen_service(struct modcat_opening *opening, const struct modcat_transport *transport,
                          const char *service, struct modcat_listener *listener);

/* Listens on one address. Fills `listener` in. Returns 0, or -1 after reporting.
 * Counterpart: bind(2), listen(2). */
int modcat_listen_on(struct modcat_opening *opening, const struct modcat_transport *transport,
                     const struct modcat_sockaddr *local, struct modcat_listener *listener);

/* Listens on a socket that listens already. Fills `listener` in. Returns 0, or -1 after
 * reporting. */
int modcat_listen_fd(struct modcat_opening *opening, int fd, struct modcat_listener *listener);

/* The `accept` of the listeners that the functions above fill in, for a driver that puts one of its
 * own there to do more with the endpoint. Returns as that. */
int modcat_listen_accept(struct modcat_listener *listener, struct modcat_opening *opening,
                         struct modcat_endpoint *endpoint);

/* The transport that is left after options pf, so-type and so-protocol. Returns 0, or -1 after
 * reporting. */
int modcat_transport_chosen(struct modcat_opening *opening,
                            const struct modcat_transport *transport,
                            struct modcat_transport *chosen);

/* Makes a socket with the options of phases PRESOCKET to PASTSOCKET. Returns it, close-on-exec and
 * not blocking, or -1 after reporting. Counterpart: socket(2). */
int modcat_socket(struct modcat_opening *opening, const struct modcat_transport *transport);

/* Binds a socket, with the options of phases PREBIND to PASTBIND. Returns 0, or -1 after
 * reporting. Counterpart: bind(2). */
int modcat_bind(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local);

/* Whose packets an endpoint takes that sends to one address. */
enum modcat_senders {
    MODCAT_TARGET_ONLY, /* those of exactly that address; others are ignored */
    MODCAT_ANYBODY      /* those of everybody who passes the filters of modcat_permit_peer() */
};

/* Makes an endpoint that sends each message to `target`, from `local` when its length is not 0.
 * Fills `endpoint` in. Returns 0, or -1 after reporting. Counterpart: sendto(2). */
int modcat_sendto(struct modcat_opening *opening, const struct modcat_transport *transport,
                  const struct modcat_sockaddr *target, const struct modcat_sockaddr *local,
                  enum modcat_senders senders, struct modcat_endpoint *endpoint);

/* The same for host and service, with option bind; sourceport and lowport choose the own port for
 * MODCAT_TARGET_ONLY, and filter packets for MODCAT_ANYBODY. `service` may be NULL. */
int modcat_sendto_host(struct modcat_opening *opening, const struct modcat_transport *transport,
                       const char *host, const char *service, enum modcat_senders senders,
                       struct modcat_endpoint *endpoint);

/* Makes an endpoint that gives each packet which arrives at `local` (length 0: unbound) and passes
 * the filters, and can't be written to. Fills `endpoint` in. Returns 0, or -1 after reporting. */
int modcat_receive_on(struct modcat_opening *opening, const struct modcat_transport *transport,
                      const struct modcat_sockaddr *local, struct modcat_endpoint *endpoint);

/* The same for a service of this machine, on the address of option bind or the wildcard. Without
 * `service` and bind the socket stays unbound. */
int modcat_receive_service(struct modcat_opening *opening, const struct modcat_transport *transport,
                           const char *service, struct modcat_endpoint *endpoint);

/* What an endpoint gets that begins with one packet. */
enum modcat_span {
    MODCAT_ONE_PACKET, /* that packet, then the end */
    MODCAT_ONE_SENDER  /* more of the same sender, unless option fork shares the socket */
};

/* Waits for packets at `local` (length 0: unbound): each one is a peer, whom the endpoint answers.
 * Fills `listener` in. Returns 0, or -1 after reporting. */
int modcat_receive_from(struct modcat_opening *opening, const struct modcat_transport *transport,
                        const struct modcat_sockaddr *local, enum modcat_span span,
                        struct modcat_listener *listener);

/* The same for a service of this machine, as modcat_receive_service(). */
int modcat_receive_from_service(struct modcat_opening *opening,
                                const struct modcat_transport *transport, const char *service,
                                struct modcat_listener *listener);

/* Waits for the first packet of any sender on a service of this machine, and makes a connected
 * socket for that sender. Fills `listener` in. Returns 0, or -1 after reporting. */
int modcat_listen_packets(struct modcat_opening *opening, const struct modcat_transport *transport,
                          const char *service, struct modcat_listener *listener);

/* The `open` and `listen` of address types with the parameters <host> and <port>, or <port> alone,
 * whose `data` is their struct modcat_transport: nothing is left to write for them. These do as
 * modcat_connect_host() and modcat_listen_service(); with a transport of SOCK_DGRAM as
 * modcat_listen_packets(), and an empty packet tells the peer that no more comes. */
int modcat_type_connect(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
int modcat_type_listen(struct modcat_opening *opening, struct modcat_listener *listener);

/* The same for packets: modcat_sendto_host() with MODCAT_TARGET_ONLY and with MODCAT_ANYBODY,
 * modcat_receive_service(), and modcat_receive_from_service(). */
int modcat_type_sendto(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
int modcat_type_datagram(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
int modcat_type_receive(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
int modcat_type_receive_from(struct modcat_opening *opening, struct modcat_listener *listener);

/* Makes an endpoint of a connected socket; one that is not of SOCK_STREAM keeps messages apart. */
void modcat_socket_endpoint(int fd, struct modcat_endpoint *endpoint);

/* Makes the address of a UNIX socket of a path, or of an abstract name. Option unix-tightsocklen
 * applies. Returns 0, or -1 after reporting a name that is too long or empty. */
int modcat_unix_address(struct modcat_opening *opening, const char *name, bool abstract,
                        struct modcat_sockaddr *address);

/* The own address of a client that options bind and unix-bind-tempname choose, of length 0 where
 * neither is given; modcat_bind() completes the latter. Returns 0, or -1 after reporting. */
int modcat_unix_local(struct modcat_opening *opening, bool abstract,
                      struct modcat_sockaddr *address);

/* Connects to a UNIX socket of whichever type it is: stream, sequenced packets, or, without
 * connecting, datagrams. Fills `endpoint` in. Returns 0, or -1 after reporting. */
int modcat_unix_client(struct modcat_opening *opening, const char *name, bool abstract,
                       struct modcat_endpoint *endpoint);

/* True when this peer passes the address's filters (range, sourceport, lowport, and what other
 * drivers add to the group RANGE). A refusal is logged. */
bool modcat_permit_peer(struct modcat_opening *opening, const struct sockaddr *peer,
                        socklen_t length);

/* True when a range of numeric addresses ("10.0.0.0/8", "[fd00::]/8", as option range takes them)
 * holds the peer. modcat_check_range() is for options that name one. */
bool modcat_in_range(const char *range, const struct sockaddr *peer, socklen_t length);
const char *modcat_check_range(const struct modcat_value *value);

/* Renders a socket address for messages ("AF=2 127.0.0.1:80") into `text` and returns it. */
#define MODCAT_SOCKADDR_TEXT 320
const char *modcat_sockaddr_text(const struct sockaddr *address, socklen_t length,
                                 char text[MODCAT_SOCKADDR_TEXT]);

#ifdef __cplusplus
}
#endif

#endif
