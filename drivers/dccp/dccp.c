/* DCCP: connects to a DCCP port, or waits for connections on one. */

#include <modcat/driver.h>
#include <modcat/net.h>
#include <netinet/in.h>

/* Of <linux/dccp.h> and <linux/socket.h>; the C library does not have all of them. */
#define SOL_DCCP 269
#define DCCP_SOCKOPT_CCID 13

#define TRANSPORT(version)                                                                         \
    {                                                                                              \
        .size = sizeof(struct modcat_transport), .family = (version), .socktype = SOCK_DCCP,       \
        .protocol = IPPROTO_DCCP                                                                   \
    }
static const struct modcat_transport any_dccp = TRANSPORT(AF_UNSPEC);
static const struct modcat_transport dccp4 = TRANSPORT(AF_INET);
static const struct modcat_transport dccp6 = TRANSPORT(AF_INET6);

static const struct modcat_option options[] = {
    {.name = "dccp-set-ccid",
     .aliases = "ccid",
     .help = "congestion control by this identifier: 2 as TCP, 3 for a steady rate",
     .type = MODCAT_BYTE,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_SOCKOPT,
     .code = SOL_DCCP,
     .detail = DCCP_SOCKOPT_CCID},
};

static const struct modcat_option_group groups[] = {
    {.name = "DCCP", .help = "options of DCCP", MODCAT_OPTIONS(options)},
};

#define CONNECT_GROUPS "FD,SOCKET,CHILD,RETRY,IPAPP,DCCP"
#define LISTEN_GROUPS CONNECT_GROUPS ",LISTEN,RANGE"
#define CONNECTS                                                                                   \
    .syntax = ":<host>:<port>", .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE, .min_params = 2, \
    .max_params = 2, .open = modcat_type_connect
#define LISTENS                                                                                    \
    .syntax = ":<port>", .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE, .min_params = 1,        \
    .max_params = 1, .listen = modcat_type_listen

static const struct modcat_address_type types[] = {
    {
        .name = "DCCP-CONNECT",
        .aliases = "DCCP",
        .groups = CONNECT_GROUPS ",IP4,IP6",
        .help = "connect to a DCCP port",
        .example = "modcat - DCCP:localhost:5001",
        .data = &any_dccp,
        CONNECTS,
    },
    {
        .name = "DCCP4-CONNECT",
        .aliases = "DCCP4",
        .groups = CONNECT_GROUPS ",IP4",
        .help = "connect to a DCCP port over IPv4",
        .example = "modcat - DCCP4:localhost:5001",
        .data = &dccp4,
        CONNECTS,
    },
    {
        .name = "DCCP6-CONNECT",
        .aliases = "DCCP6",
        .groups = CONNECT_GROUPS ",IP6",
        .help = "connect to a DCCP port over IPv6",
        .example = "modcat - DCCP6:[::1]:5001",
        .data = &dccp6,
        CONNECTS,
    },
    {
        .name = "DCCP-LISTEN",
        .aliases = "DCCP-L",
        .groups = LISTEN_GROUPS ",IP4,IP6",
        .help = "wait for a connection on a DCCP port",
        .example = "modcat DCCP-LISTEN:5001,fork PIPE",
        .data = &any_dccp,
        LISTENS,
    },
    {
        .name = "DCCP4-LISTEN",
        .aliases = "DCCP4-L",
        .groups = LISTEN_GROUPS ",IP4",
        .help = "wait for a connection on a DCCP port over IPv4",
        .example = "modcat DCCP4-LISTEN:5001,range=10.0.0.0/8,fork PIPE",
        .data = &dccp4,
        LISTENS,
    },
    {
        .name = "DCCP6-LISTEN",
        .aliases = "DCCP6-L",
        .groups = LISTEN_GROUPS ",IP6",
        .help = "wait for a connection on a DCCP port over IPv6",
        .example = "modcat DCCP6-LISTEN:5001,fork PIPE",
        .data = &dccp6,
        LISTENS,
    },
};

MODCAT_DRIVER(.name = "dccp", .version = MODCAT_DRIVER_VERSION,
              .summary = "DCCP, version 4 and 6 of IP", MODCAT_TYPES(types), MODCAT_GROUPS(groups));
