/* IP-SENDTO and its kin: raw IP packets of any protocol. They need CAP_NET_RAW. */

#include <errno.h>
#include <modcat/driver.h>
#include <modcat/net.h>
#include <stdlib.h>

static modcat_open_fn rawip_sendto, rawip_datagram, rawip_recv;
static modcat_listen_fn rawip_recvfrom;

#define PROTOCOL_MAX 255

#define TRANSPORT(version)                                                                         \
    {                                                                                              \
        .size = sizeof(struct modcat_transport), .family = (version), .socktype = SOCK_RAW         \
    }
static const struct modcat_transport any = TRANSPORT(AF_UNSPEC);
static const struct modcat_transport ip4 = TRANSPORT(AF_INET);
static const struct modcat_transport ip6 = TRANSPORT(AF_INET6);

#define SEND_GROUPS "FD,SOCKET"
#define DATAGRAM_GROUPS SEND_GROUPS ",RANGE"
#define RECVFROM_GROUPS DATAGRAM_GROUPS ",CHILD"

#define TO_HOST .syntax = ":<host>:<protocol>", .min_params = 2, .max_params = 2
#define OF_PROTOCOL .syntax = ":<protocol>", .min_params = 1, .max_params = 1
#define BOTH_WAYS .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE
#define SENDS TO_HOST, BOTH_WAYS, .open = rawip_sendto
#define SENDS_AND_RECEIVES TO_HOST, BOTH_WAYS, .open = rawip_datagram
#define RECEIVES OF_PROTOCOL, .directions = MODCAT_DIR_READ, .open = rawip_recv
#define RECEIVES_FROM OF_PROTOCOL, BOTH_WAYS, .listen = rawip_recvfrom

static const struct modcat_address_type types[] = {
    {
        .name = "IP-SENDTO",
        .aliases = "IP,IP-SEND",
        .groups = SEND_GROUPS ",IP4,IP6",
        .help = "send packets of an IP protocol to a host",
        .example = "modcat - IP-SENDTO:127.0.0.1:254",
        .data = &any,
        SENDS,
    },
    {
        .name = "IP-DATAGRAM",
        .aliases = "IP-DGRAM",
        .groups = DATAGRAM_GROUPS ",IP4,IP6",
        .help = "send packets of an IP protocol to a host, and receive from any sender",
        .example = "modcat - IP-DATAGRAM:127.0.0.1:254",
        .data = &any,
        SENDS_AND_RECEIVES,
    },
    {
        .name = "IP-RECVFROM",
        .groups = RECVFROM_GROUPS ",IP4,IP6",
        .help = "receive one packet of an IP protocol, and answer its sender",
        .example = "modcat IP-RECVFROM:254,fork PIPE",
        .data = &any,
        RECEIVES_FROM,
    },
    {
        .name = "IP-RECV",
        .groups = DATAGRAM_GROUPS ",IP4,IP6",
        .help = "receive packets of an IP protocol from any sender",
        .example = "modcat -u IP-RECV:254 STDOUT",
        .data = &any,
        RECEIVES,
    },
    {
        .name = "IP4-SENDTO",
        .aliases = "IP4,IP4-SEND",
        .groups = SEND_GROUPS ",IP4",
        .help = "send packets of an IP version 4 protocol to a host",
        .example = "modcat - IP4-SENDTO:127.0.0.1:254",
        .data = &ip4,
        SENDS,
    },
    {
        .name = "IP4-DATAGRAM",
        .aliases = "IP4-DGRAM",
        .groups = DATAGRAM_GROUPS ",IP4",
        .help = "send packets of an IP version 4 protocol to a host, and receive from any sender",
        .example = "modcat - IP4-DATAGRAM:127.0.0.1:254",
        .data = &ip4,
        SENDS_AND_RECEIVES,
    },
    {
        .name = "IP4-RECVFROM",
        .groups = RECVFROM_GROUPS ",IP4",
        .help = "receive one packet of an IP version 4 protocol, and answer its sender",
        .example = "modcat IP4-RECVFROM:254,fork PIPE",
        .data = &ip4,
        RECEIVES_FROM,
    },
    {
        .name = "IP4-RECV",
        .groups = DATAGRAM_GROUPS ",IP4",
        .help = "receive packets of an IP version 4 protocol from any sender",
        .example = "modcat -u IP4-RECV:254 STDOUT",
        .data = &ip4,
        RECEIVES,
    },
    {
        .name = "IP6-SENDTO",
        .aliases = "IP6,IP6-SEND",
        .groups = SEND_GROUPS ",IP6",
        .help = "send packets of an IP version 6 protocol to a host",
        .example = "modcat - IP6-SENDTO:[::1]:254",
        .data = &ip6,
        SENDS,
    },
    {
        .name = "IP6-DATAGRAM",
        .aliases = "IP6-DGRAM",
        .groups = DATAGRAM_GROUPS ",IP6",
        .help = "send packets of an IP version 6 protocol to a host, and receive from any sender",
        .example = "modcat - IP6-DATAGRAM:[::1]:254",
        .data = &ip6,
        SENDS_AND_RECEIVES,
    },
    {
        .name = "IP6-RECVFROM",
        .groups = RECVFROM_GROUPS ",IP6",
        .help = "receive one packet of an IP version 6 protocol, and answer its sender",
        .example = "modcat IP6-RECVFROM:254,fork PIPE",
        .data = &ip6,
        RECEIVES_FROM,
    },
    {
        .name = "IP6-RECV",
        .groups = DATAGRAM_GROUPS ",IP6",
        .help = "receive packets of an IP version 6 protocol from any sender",
        .example = "modcat -u IP6-RECV:254 STDOUT",
        .data = &ip6,
        RECEIVES,
    },
};

MODCAT_DRIVER(.name = "rawip", .version = MODCAT_DRIVER_VERSION,
              .summary = "raw IP packets, version 4 and 6", MODCAT_TYPES(types));

/* The transport with the protocol that a parameter gives as a number. */
static int read_protocol(struct modcat_opening *opening, size_t index,
                         struct modcat_transport *transport)
{
    const struct modcat_transport *general = modcat_type_data(opening);
    const char *text = modcat_param(opening, index);
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 0);
    *transport = *general;
    transport->protocol = (int)number;
    if (errno == 0 && end != text && *end == '\0' && number <= PROTOCOL_MAX)
        return 0;
    if (end != text && *end == '\0') {
        errno = ERANGE;
        return modcat_fail(opening, "%s: protocol number exceeds %d (%s)", modcat_keyword(opening),
                           PROTOCOL_MAX, text);
    }
    errno = EINVAL;
    return modcat_fail(opening, "%s: the protocol must be a number, not \"%s\"",
                       modcat_keyword(opening), text);
}

static int send_to(struct modcat_opening *opening, enum modcat_senders senders,
                   struct modcat_endpoint *endpoint)
{
    struct modcat_transport transport;
    if (read_protocol(opening, 1, &transport) < 0)
        return -1;
    return modcat_sendto_host(opening, &transport, modcat_param(opening, 0), NULL, senders,
                              endpoint);
}

static int rawip_sendto(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return send_to(opening, MODCAT_TARGET_ONLY, endpoint);
}

static int rawip_datagram(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return send_to(opening, MODCAT_ANYBODY, endpoint);
}

static int rawip_recvfrom(struct modcat_opening *opening, struct modcat_listener *listener)
{
    struct modcat_transport transport;
    if (read_protocol(opening, 0, &transport) < 0)
        return -1;
    modcat_log(MODCAT_NOTICE, "receiving IP protocol %d", transport.protocol);
    return modcat_receive_from_service(opening, &transport, NULL, listener);
}

static int rawip_recv(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct modcat_transport transport;
    if (read_protocol(opening, 0, &transport) < 0)
        return -1;
    return modcat_receive_service(opening, &transport, NULL, endpoint);
}
