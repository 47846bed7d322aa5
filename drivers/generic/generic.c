/* SOCKET-CONNECT and its kin: sockets of any family, with addresses in binary. */

#include <errno.h>
#include <modcat/driver.h>
#include <modcat/net.h>
#include <stdlib.h>
#include <string.h>

static modcat_open_fn generic_connect, generic_sendto, generic_datagram, generic_recv;
static modcat_listen_fn generic_listen, generic_recvfrom;

#define STREAM_SYNTAX(address) .syntax = ":<domain>:<protocol>:<" address ">"
#define PACKET_SYNTAX(address) .syntax = ":<domain>:<type>:<protocol>:<" address ">"
#define STREAM .min_params = 3, .max_params = 3
#define PACKETS .min_params = 4, .max_params = 4
#define BOTH_WAYS .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE

static const struct modcat_address_type types[] = {
    {
        .name = "SOCKET-CONNECT",
        STREAM_SYNTAX("remote-address"),
        .groups = "FD,SOCKET,CHILD,RETRY",
        .help = "connect a socket of any family",
        .example = "modcat - SOCKET-CONNECT:2:6:x0050x7f000001x0000000000000000",
        .open = generic_connect,
        STREAM,
        BOTH_WAYS,
    },
    {
        .name = "SOCKET-LISTEN",
        STREAM_SYNTAX("local-address"),
        .groups = "FD,SOCKET,LISTEN,CHILD,RETRY,RANGE",
        .help = "wait for a connection on a socket of any family",
        .example = "modcat SOCKET-LISTEN:2:6:x1f90x00000000x0000000000000000,fork PIPE",
        .listen = generic_listen,
        STREAM,
        BOTH_WAYS,
    },
    {
        .name = "SOCKET-SENDTO",
        .aliases = "SENDTO",
        PACKET_SYNTAX("remote-address"),
        .groups = "FD,SOCKET",
        .help = "send packets on a socket of any family",
        .example = "modcat - SOCKET-SENDTO:2:2:17:x0035x7f000001x0000000000000000",
        .open = generic_sendto,
        PACKETS,
        BOTH_WAYS,
    },
    {
        .name = "SOCKET-DATAGRAM",
        .aliases = "DATAGRAM,DGRAM",
        PACKET_SYNTAX("remote-address"),
        .groups = "FD,SOCKET,RANGE",
        .help = "send packets on a socket of any family, and receive from any sender",
        .example = "modcat - SOCKET-DATAGRAM:2:2:17:x1388xe0000001x0000000000000000",
        .open = generic_datagram,
        PACKETS,
        BOTH_WAYS,
    },
    {
        .name = "SOCKET-RECVFROM",
        PACKET_SYNTAX("local-address"),
        .groups = "FD,SOCKET,CHILD,RANGE",
        .help = "receive packets of the first sender on a socket of any family, and answer it",
        .example = "modcat SOCKET-RECVFROM:2:2:17:x14e9x00000000x0000000000000000,fork PIPE",
        .listen = generic_recvfrom,
        PACKETS,
        BOTH_WAYS,
    },
    {
        .name = "SOCKET-RECV",
        PACKET_SYNTAX("local-address"),
        .groups = "FD,SOCKET,RANGE",
        .help = "receive packets on a socket of any family from any sender",
        .example = "modcat -u SOCKET-RECV:2:2:17:x0202x00000000x0000000000000000 STDOUT",
        .directions = MODCAT_DIR_READ,
        .open = generic_recv,
        PACKETS,
    },
};

MODCAT_DRIVER(.name = "generic", .version = MODCAT_DRIVER_VERSION,
              .summary = "sockets of any family", MODCAT_TYPES(types));

/* A number in any base that C knows; what follows it is told, and left out. */
static int read_number(struct modcat_opening *opening, size_t index, int *number)
{
    const char *text = modcat_param(opening, index);
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 0);
    if (errno != 0 || end == text || value > INT32_MAX) {
        errno = EINVAL;
        return modcat_fail(opening, "%s: \"%s\" is not a number", modcat_keyword(opening), text);
    }
    if (*end != '\0')
        modcat_log(MODCAT_WARNING, "ignoring \"%s\" behind the number in a parameter", end);
    *number = (int)value;
    return 0;
}

/* The bytes behind the family of a socket address. */
static int read_address(struct modcat_opening *opening, const char *text, int family,
                        struct modcat_sockaddr *address)
{
    const char *reason;
    const size_t front = offsetof(struct sockaddr, sa_data);
    *address = (struct modcat_sockaddr){.length = 0};
    ssize_t count = modcat_parse_data(text, (char *)&address->u.storage + front,
                                      sizeof address->u.storage - front, &reason);
    if (count < 0 && strcmp(reason, "data too long") == 0)
        return modcat_fail(opening, "data too long: \"%s\"", text);
    if (count < 0)
        return modcat_fail(opening, "syntax error in \"%s\": %s", text, reason);
    address->u.any.sa_family = (sa_family_t)family;
    address->length = (socklen_t)(front + (size_t)count);
    return 0;
}

/* The option bind, of the same family. */
static int read_own_address(struct modcat_opening *opening, int family,
                            struct modcat_sockaddr *local)
{
    const char *text = modcat_option_string(opening, "bind", NULL);
    *local = (struct modcat_sockaddr){.length = 0};
    return text != NULL ? read_address(opening, text, family, local) : 0;
}

static int read_stream(struct modcat_opening *opening, struct modcat_transport *transport,
                       struct modcat_sockaddr *address)
{
    *transport = (struct modcat_transport){.size = sizeof *transport, .socktype = SOCK_STREAM};
    if (read_number(opening, 0, &transport->family) < 0 ||
        read_number(opening, 1, &transport->protocol) < 0)
        return -1;
    return read_address(opening, modcat_param(opening, 2), transport->family, address);
}

static int read_packets(struct modcat_opening *opening, struct modcat_transport *transport,
                        struct modcat_sockaddr *address)
{
    *transport = (struct modcat_transport){.size = sizeof *transport};
    if (read_number(opening, 0, &transport->family) < 0 ||
        read_number(opening, 1, &transport->socktype) < 0 ||
        read_number(opening, 2, &transport->protocol) < 0)
        return -1;
    return read_address(opening, modcat_param(opening, 3), transport->family, address);
}

static int generic_connect(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct modcat_transport transport;
    struct modcat_sockaddr peer, local;
    if (read_stream(opening, &transport, &peer) < 0 ||
        read_own_address(opening, transport.family, &local) < 0)
        return -1;
    return modcat_connect_to(opening, &transport, &peer, &local, false, endpoint);
}

static int generic_listen(struct modcat_opening *opening, struct modcat_listener *listener)
{
    struct modcat_transport transport;
    struct modcat_sockaddr local;
    if (read_stream(opening, &transport, &local) < 0)
        return -1;
    return modcat_listen_on(opening, &transport, &local, listener);
}

static int send_to(struct modcat_opening *opening, enum modcat_senders senders,
                   struct modcat_endpoint *endpoint)
{
    struct modcat_transport transport;
    struct modcat_sockaddr target, local;
    if (read_packets(opening, &transport, &target) < 0 ||
        read_own_address(opening, transport.family, &local) < 0)
        return -1;
    return modcat_sendto(opening, &transport, &target, &local, senders, endpoint);
}

static int generic_sendto(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return send_to(opening, MODCAT_TARGET_ONLY, endpoint);
}

static int generic_datagram(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return send_to(opening, MODCAT_ANYBODY, endpoint);
}

static int generic_recvfrom(struct modcat_opening *opening, struct modcat_listener *listener)
{
    struct modcat_transport transport;
    struct modcat_sockaddr local;
    if (read_packets(opening, &transport, &local) < 0)
        return -1;
    return modcat_receive_from(opening, &transport, &local, MODCAT_ONE_SENDER, listener);
}

static int generic_recv(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct modcat_transport transport;
    struct modcat_sockaddr local;
    if (read_packets(opening, &transport, &local) < 0)
        return -1;
    return modcat_receive_on(opening, &transport, &local, endpoint);
}
