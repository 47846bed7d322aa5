/* UDP: sends packets to a port, or receives them on one. */

#include <modcat/driver.h>
#include <modcat/net.h>
#include <netinet/in.h>

#define TRANSPORT(version)                                                                         \
    {                                                                                              \
        .size = sizeof(struct modcat_transport), .family = (version), .socktype = SOCK_DGRAM,      \
        .protocol = IPPROTO_UDP                                                                    \
    }
static const struct modcat_transport any = TRANSPORT(AF_UNSPEC);
static const struct modcat_transport ip4 = TRANSPORT(AF_INET);
static const struct modcat_transport ip6 = TRANSPORT(AF_INET6);

static const struct modcat_option_group groups[] = {
    {.name = "UDP", .help = "options of UDP"},
};

#define SEND_GROUPS "FD,SOCKET,IPAPP,UDP"
#define CONNECT_GROUPS SEND_GROUPS
#define DATAGRAM_GROUPS SEND_GROUPS ",RANGE"
#define RECV_GROUPS DATAGRAM_GROUPS
#define RECVFROM_GROUPS DATAGRAM_GROUPS ",CHILD"
#define LISTEN_GROUPS RECVFROM_GROUPS ",LISTEN"

#define TO_PORT .syntax = ":<host>:<port>", .min_params = 2, .max_params = 2
#define ON_PORT .syntax = ":<port>", .min_params = 1, .max_params = 1
#define BOTH_WAYS .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE
#define CONNECTS TO_PORT, BOTH_WAYS, .open = modcat_type_connect
#define SENDS TO_PORT, BOTH_WAYS, .open = modcat_type_sendto
#define SENDS_AND_RECEIVES TO_PORT, BOTH_WAYS, .open = modcat_type_datagram
#define RECEIVES ON_PORT, .directions = MODCAT_DIR_READ, .open = modcat_type_receive
#define RECEIVES_FROM ON_PORT, BOTH_WAYS, .listen = modcat_type_receive_from
#define LISTENS ON_PORT, BOTH_WAYS, .listen = modcat_type_listen

static const struct modcat_address_type types[] = {
    {
        .name = "UDP-CONNECT",
        .aliases = "UDP",
        .groups = CONNECT_GROUPS ",IP4,IP6",
        .help = "send packets to a UDP port, and receive those of that port only",
        .example = "modcat - UDP-CONNECT:localhost:53",
        .data = &any,
        CONNECTS,
    },
    {
        .name = "UDP-LISTEN",
        .aliases = "UDP-L",
        .groups = LISTEN_GROUPS ",IP4,IP6",
        .help = "wait for the first packet on a UDP port, then serve its sender",
        .example = "modcat UDP-LISTEN:5353,fork PIPE",
        .data = &any,
        LISTENS,
    },
    {
        .name = "UDP-SENDTO",
        .aliases = "UDP-SEND",
        .groups = SEND_GROUPS ",IP4,IP6",
        .help = "send packets to a UDP port, without connecting to it",
        .example = "modcat - UDP-SENDTO:localhost:514",
        .data = &any,
        SENDS,
    },
    {
        .name = "UDP-DATAGRAM",
        .aliases = "UDP-DGRAM",
        .groups = DATAGRAM_GROUPS ",IP4,IP6",
        .help = "send packets to a UDP port, broadcasts and multicasts too, and receive from any "
                "sender",
        .example = "modcat - UDP-DATAGRAM:localhost:5000",
        .data = &any,
        SENDS_AND_RECEIVES,
    },
    {
        .name = "UDP-RECVFROM",
        .groups = RECVFROM_GROUPS ",IP4,IP6",
        .help = "receive one packet on a UDP port, and answer its sender",
        .example = "modcat UDP-RECVFROM:5353,fork PIPE",
        .data = &any,
        RECEIVES_FROM,
    },
    {
        .name = "UDP-RECV",
        .groups = RECV_GROUPS ",IP4,IP6",
        .help = "receive packets on a UDP port from any sender",
        .example = "modcat -u UDP-RECV:514 STDOUT",
        .data = &any,
        RECEIVES,
    },
    {
        .name = "UDP4-CONNECT",
        .aliases = "UDP4",
        .groups = CONNECT_GROUPS ",IP4",
        .help = "send packets to a UDP port over IPv4, and receive those of that port only",
        .example = "modcat - UDP4-CONNECT:127.0.0.1:53",
        .data = &ip4,
        CONNECTS,
    },
    {
        .name = "UDP4-LISTEN",
        .aliases = "UDP4-L",
        .groups = LISTEN_GROUPS ",IP4",
        .help = "wait for the first packet on a UDP port over IPv4, then serve its sender",
        .example = "modcat UDP4-LISTEN:5353,fork PIPE",
        .data = &ip4,
        LISTENS,
    },
    {
        .name = "UDP4-SENDTO",
        .aliases = "UDP4-SEND",
        .groups = SEND_GROUPS ",IP4",
        .help = "send packets to a UDP port over IPv4, without connecting to it",
        .example = "modcat - UDP4-SENDTO:127.0.0.1:514",
        .data = &ip4,
        SENDS,
    },
    {
        .name = "UDP4-DATAGRAM",
        .aliases = "UDP4-DGRAM",
        .groups = DATAGRAM_GROUPS ",IP4",
        .help = "send packets to a UDP port over IPv4, broadcasts and multicasts too, and receive "
                "from any sender",
        .example = "modcat - UDP4-DATAGRAM:127.0.0.1:5000",
        .data = &ip4,
        SENDS_AND_RECEIVES,
    },
    {
        .name = "UDP4-RECVFROM",
        .groups = RECVFROM_GROUPS ",IP4",
        .help = "receive one packet on a UDP port over IPv4, and answer its sender",
        .example = "modcat UDP4-RECVFROM:5353,fork PIPE",
        .data = &ip4,
        RECEIVES_FROM,
    },
    {
        .name = "UDP4-RECV",
        .groups = RECV_GROUPS ",IP4",
        .help = "receive packets on a UDP port over IPv4 from any sender",
        .example = "modcat -u UDP4-RECV:514 STDOUT",
        .data = &ip4,
        RECEIVES,
    },
    {
        .name = "UDP6-CONNECT",
        .aliases = "UDP6",
        .groups = CONNECT_GROUPS ",IP6",
        .help = "send packets to a UDP port over IPv6, and receive those of that port only",
        .example = "modcat - UDP6-CONNECT:[::1]:53",
        .data = &ip6,
        CONNECTS,
    },
    {
        .name = "UDP6-LISTEN",
        .aliases = "UDP6-L",
        .groups = LISTEN_GROUPS ",IP6",
        .help = "wait for the first packet on a UDP port over IPv6, then serve its sender",
        .example = "modcat UDP6-LISTEN:5353,fork PIPE",
        .data = &ip6,
        LISTENS,
    },
    {
        .name = "UDP6-SENDTO",
        .aliases = "UDP6-SEND",
        .groups = SEND_GROUPS ",IP6",
        .help = "send packets to a UDP port over IPv6, without connecting to it",
        .example = "modcat - UDP6-SENDTO:[::1]:514",
        .data = &ip6,
        SENDS,
    },
    {
        .name = "UDP6-DATAGRAM",
        .aliases = "UDP6-DGRAM",
        .groups = DATAGRAM_GROUPS ",IP6",
        .help = "send packets to a UDP port over IPv6, broadcasts and multicasts too, and receive "
                "from any sender",
        .example = "modcat - UDP6-DATAGRAM:[::1]:5000",
        .data = &ip6,
        SENDS_AND_RECEIVES,
    },
    {
        .name = "UDP6-RECVFROM",
        .groups = RECVFROM_GROUPS ",IP6",
        .help = "receive one packet on a UDP port over IPv6, and answer its sender",
        .example = "modcat UDP6-RECVFROM:5353,fork PIPE",
        .data = &ip6,
        RECEIVES_FROM,
    },
    {
        .name = "UDP6-RECV",
        .groups = RECV_GROUPS ",IP6",
        .help = "receive packets on a UDP port over IPv6 from any sender",
        .example = "modcat -u UDP6-RECV:514 STDOUT",
        .data = &ip6,
        RECEIVES,
    },
};

MODCAT_DRIVER(.name = "udp", .version = MODCAT_DRIVER_VERSION,
              .summary = "UDP, version 4 and 6 of IP", MODCAT_TYPES(types), MODCAT_GROUPS(groups));
