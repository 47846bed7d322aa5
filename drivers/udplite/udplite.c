/* UDPLITE: UDP with checksums that need not cover all of a packet, RFC 3828. */

#include <modcat/driver.h>
#include <modcat/net.h>
#include <netinet/in.h>

#define TRANSPORT(version)                                                                         \
    {                                                                                              \
        .size = sizeof(struct modcat_transport), .family = (version), .socktype = SOCK_DGRAM,      \
        .protocol = IPPROTO_UDPLITE                                                                \
    }
static const struct modcat_transport any = TRANSPORT(AF_UNSPEC);
static const struct modcat_transport ip4 = TRANSPORT(AF_INET);
static const struct modcat_transport ip6 = TRANSPORT(AF_INET6);

/* These two are not in the C library's headers, see udplite(7). */
#define SEND_COVERAGE 10
#define RECEIVE_COVERAGE 11

static const struct modcat_option options[] = {
    {.name = "udplite-send-cscov",
     .help = "bytes of each sent packet that the checksum covers, with the header's 8; 0: all",
     .type = MODCAT_INT,
     .phase = MODCAT_PHASE_FD,
     .effect = MODCAT_SOCKOPT,
     .code = IPPROTO_UDPLITE,
     .detail = SEND_COVERAGE},
    {.name = "udplite-recv-cscov",
     .help = "drop received packets whose checksum covers less than so many bytes",
     .type = MODCAT_INT,
     .phase = MODCAT_PHASE_FD,
     .effect = MODCAT_SOCKOPT,
     .code = IPPROTO_UDPLITE,
     .detail = RECEIVE_COVERAGE},
};

static const struct modcat_option_group groups[] = {
    {.name = "UDPLITE", .help = "options of UDP-Lite", MODCAT_OPTIONS(options)},
};

#define SEND_GROUPS "FD,SOCKET,IPAPP,UDP,UDPLITE"
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
        .name = "UDPLITE-CONNECT",
        .aliases = "UDPLITE",
        .groups = CONNECT_GROUPS ",IP4,IP6",
        .help = "send packets to a UDP-Lite port, and receive those of that port only",
        .example = "modcat - UDPLITE-CONNECT:localhost:53",
        .data = &any,
        CONNECTS,
    },
    {
        .name = "UDPLITE-LISTEN",
        .aliases = "UDPLITE-L",
        .groups = LISTEN_GROUPS ",IP4,IP6",
        .help = "wait for the first packet on a UDP-Lite port, then serve its sender",
        .example = "modcat UDPLITE-LISTEN:5353,fork PIPE",
        .data = &any,
        LISTENS,
    },
    {
        .name = "UDPLITE-SENDTO",
        .aliases = "UDPLITE-SEND",
        .groups = SEND_GROUPS ",IP4,IP6",
        .help = "send packets to a UDP-Lite port, without connecting to it",
        .example = "modcat - UDPLITE-SENDTO:localhost:514",
        .data = &any,
        SENDS,
    },
    {
        .name = "UDPLITE-DATAGRAM",
        .aliases = "UDPLITE-DGRAM",
        .groups = DATAGRAM_GROUPS ",IP4,IP6",
        .help = "send packets to a UDP-Lite port, broadcasts and multicasts too, and receive from "
                "any sender",
        .example = "modcat - UDPLITE-DATAGRAM:localhost:5000",
        .data = &any,
        SENDS_AND_RECEIVES,
    },
    {
        .name = "UDPLITE-RECVFROM",
        .groups = RECVFROM_GROUPS ",IP4,IP6",
        .help = "receive one packet on a UDP-Lite port, and answer its sender",
        .example = "modcat UDPLITE-RECVFROM:5353,fork PIPE",
        .data = &any,
        RECEIVES_FROM,
    },
    {
        .name = "UDPLITE-RECV",
        .groups = RECV_GROUPS ",IP4,IP6",
        .help = "receive packets on a UDP-Lite port from any sender",
        .example = "modcat -u UDPLITE-RECV:514 STDOUT",
        .data = &any,
        RECEIVES,
    },
    {
        .name = "UDPLITE4-CONNECT",
        .aliases = "UDPLITE4",
        .groups = CONNECT_GROUPS ",IP4",
        .help = "send packets to a UDP-Lite port over IPv4, and receive those of that port only",
        .example = "modcat - UDPLITE4-CONNECT:127.0.0.1:53",
        .data = &ip4,
        CONNECTS,
    },
    {
        .name = "UDPLITE4-LISTEN",
        .aliases = "UDPLITE4-L",
        .groups = LISTEN_GROUPS ",IP4",
        .help = "wait for the first packet on a UDP-Lite port over IPv4, then serve its sender",
        .example = "modcat UDPLITE4-LISTEN:5353,fork PIPE",
        .data = &ip4,
        LISTENS,
    },
    {
        .name = "UDPLITE4-SENDTO",
        .aliases = "UDPLITE4-SEND",
        .groups = SEND_GROUPS ",IP4",
        .help = "send packets to a UDP-Lite port over IPv4, without connecting to it",
        .example = "modcat - UDPLITE4-SENDTO:127.0.0.1:514",
        .data = &ip4,
        SENDS,
    },
    {
        .name = "UDPLITE4-DATAGRAM",
        .aliases = "UDPLITE4-DGRAM",
        .groups = DATAGRAM_GROUPS ",IP4",
        .help = "send packets to a UDP-Lite port over IPv4, broadcasts and multicasts too, and "
                "receive from any sender",
        .example = "modcat - UDPLITE4-DATAGRAM:127.0.0.1:5000",
        .data = &ip4,
        SENDS_AND_RECEIVES,
    },
    {
        .name = "UDPLITE4-RECVFROM",
        .groups = RECVFROM_GROUPS ",IP4",
        .help = "receive one packet on a UDP-Lite port over IPv4, and answer its sender",
        .example = "modcat UDPLITE4-RECVFROM:5353,fork PIPE",
        .data = &ip4,
        RECEIVES_FROM,
    },
    {
        .name = "UDPLITE4-RECV",
        .groups = RECV_GROUPS ",IP4",
        .help = "receive packets on a UDP-Lite port over IPv4 from any sender",
        .example = "modcat -u UDPLITE4-RECV:514 STDOUT",
        .data = &ip4,
        RECEIVES,
    },
    {
        .name = "UDPLITE6-CONNECT",
        .aliases = "UDPLITE6",
        .groups = CONNECT_GROUPS ",IP6",
        .help = "send packets to a UDP-Lite port over IPv6, and receive those of that port only",
        .example = "modcat - UDPLITE6-CONNECT:[::1]:53",
        .data = &ip6,
        CONNECTS,
    },
    {
        .name = "UDPLITE6-LISTEN",
        .aliases = "UDPLITE6-L",
        .groups = LISTEN_GROUPS ",IP6",
        .help = "wait for the first packet on a UDP-Lite port over IPv6, then serve its sender",
        .example = "modcat UDPLITE6-LISTEN:5353,fork PIPE",
        .data = &ip6,
        LISTENS,
    },
    {
        .name = "UDPLITE6-SENDTO",
        .aliases = "UDPLITE6-SEND",
        .groups = SEND_GROUPS ",IP6",
        .help = "send packets to a UDP-Lite port over IPv6, without connecting to it",
        .example = "modcat - UDPLITE6-SENDTO:[::1]:514",
        .data = &ip6,
        SENDS,
    },
    {
        .name = "UDPLITE6-DATAGRAM",
        .aliases = "UDPLITE6-DGRAM",
        .groups = DATAGRAM_GROUPS ",IP6",
        .help = "send packets to a UDP-Lite port over IPv6, broadcasts and multicasts too, and "
                "receive from any sender",
        .example = "modcat - UDPLITE6-DATAGRAM:[::1]:5000",
        .data = &ip6,
        SENDS_AND_RECEIVES,
    },
    {
        .name = "UDPLITE6-RECVFROM",
        .groups = RECVFROM_GROUPS ",IP6",
        .help = "receive one packet on a UDP-Lite port over IPv6, and answer its sender",
        .example = "modcat UDPLITE6-RECVFROM:5353,fork PIPE",
        .data = &ip6,
        RECEIVES_FROM,
    },
    {
        .name = "UDPLITE6-RECV",
        .groups = RECV_GROUPS ",IP6",
        .help = "receive packets on a UDP-Lite port over IPv6 from any sender",
        .example = "modcat -u UDPLITE6-RECV:514 STDOUT",
        .data = &ip6,
        RECEIVES,
    },
};

MODCAT_DRIVER(.name = "udplite", .version = MODCAT_DRIVER_VERSION,
              .summary = "UDP-Lite, version 4 and 6 of IP", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups));
