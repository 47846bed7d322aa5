/* TCP: connects to a TCP port, or waits for connections on one. */

#include <modcat/driver.h>
#include <modcat/net.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#define TRANSPORT(version)                                                                         \
    {                                                                                              \
        .size = sizeof(struct modcat_transport), .family = (version), .socktype = SOCK_STREAM,     \
        .protocol = IPPROTO_TCP                                                                    \
    }
static const struct modcat_transport any_tcp = TRANSPORT(AF_UNSPEC);
static const struct modcat_transport tcp4 = TRANSPORT(AF_INET);
static const struct modcat_transport tcp6 = TRANSPORT(AF_INET6);

/* An integer option of sockets that is set as soon as there is one. */
#define TCP_NUMBER(kind, option, others, constant, text)                                           \
    {                                                                                              \
        .name = (option), .aliases = (others), .help = (text), .type = (kind),                     \
        .phase = MODCAT_PHASE_PASTSOCKET, .effect = MODCAT_SOCKOPT, .code = IPPROTO_TCP,           \
        .detail = (constant)                                                                       \
    }
#define TCP_INT(...) TCP_NUMBER(MODCAT_INT, __VA_ARGS__)
#define TCP_BOOL(...) TCP_NUMBER(MODCAT_INT_BOOL, __VA_ARGS__)
#define TCP_SIZE(...) TCP_NUMBER(MODCAT_INT_SIZE, __VA_ARGS__)
static const struct modcat_option options[] = {
    TCP_BOOL("tcp-cork", "cork", TCP_CORK, "send only full segments"),
    TCP_INT("tcp-defer-accept", "defer-accept", TCP_DEFER_ACCEPT,
            "accept when data has come; seconds to wait for it"),
    TCP_INT("tcp-info", "info", TCP_INFO, "read-only on this system"),
    TCP_INT("tcp-keepcnt", "keepcnt", TCP_KEEPCNT,
            "keepalive probes before the connection is given up"),
    TCP_INT("tcp-keepidle", "keepidle", TCP_KEEPIDLE,
            "seconds of silence before keepalive probes begin"),
    TCP_INT("tcp-keepintvl", "keepintvl", TCP_KEEPINTVL, "seconds between keepalive probes"),
    TCP_INT("tcp-linger2", "linger2", TCP_LINGER2, "seconds in state FIN-WAIT-2"),
    TCP_SIZE("tcp-maxseg", "maxseg,mss", TCP_MAXSEG, "largest segment, in bytes"),
    {.name = "tcp-maxseg-late",
     .aliases = "maxseg-late,mss-late",
     .help = "largest segment, in bytes, set when connected",
     .type = MODCAT_INT_SIZE,
     .phase = MODCAT_PHASE_CONNECTED,
     .effect = MODCAT_SOCKOPT,
     .code = IPPROTO_TCP,
     .detail = TCP_MAXSEG},
    TCP_INT("tcp-md5sig", NULL, TCP_MD5SIG, "MD5 signatures; needs a structure on this system"),
    TCP_BOOL("tcp-nodelay", "nodelay", TCP_NODELAY, "send small segments without delay"),
    TCP_BOOL("tcp-quickack", "quickack", TCP_QUICKACK, "acknowledge at once"),
    TCP_INT("tcp-syncnt", "syncnt", TCP_SYNCNT, "how often a connection request is repeated"),
    TCP_SIZE("tcp-window-clamp", "window-clamp", TCP_WINDOW_CLAMP,
             "largest receive window, in bytes"),
};

static const struct modcat_option_group groups[] = {
    {.name = "TCP", .help = "options of TCP", MODCAT_OPTIONS(options)},
};

#define CONNECT_GROUPS "FD,SOCKET,CHILD,RETRY,IPAPP,TCP"
#define LISTEN_GROUPS CONNECT_GROUPS ",LISTEN,RANGE"
#define CONNECTS                                                                                   \
    .syntax = ":<host>:<port>", .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE, .min_params = 2, \
    .max_params = 2, .open = modcat_type_connect
#define LISTENS                                                                                    \
    .syntax = ":<port>", .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE, .min_params = 1,        \
    .max_params = 1, .listen = modcat_type_listen

static const struct modcat_address_type types[] = {
    {
        .name = "TCP-CONNECT",
        .aliases = "TCP,INET",
        .groups = CONNECT_GROUPS ",IP4,IP6",
        .help = "connect to a TCP port",
        .example = "modcat - TCP:www.example.org:80",
        .data = &any_tcp,
        CONNECTS,
    },
    {
        .name = "TCP4-CONNECT",
        .aliases = "TCP4,INET4",
        .groups = CONNECT_GROUPS ",IP4",
        .help = "connect to a TCP port over IPv4",
        .example = "modcat - TCP4:www.example.org:80",
        .data = &tcp4,
        CONNECTS,
    },
    {
        .name = "TCP6-CONNECT",
        .aliases = "TCP6,INET6",
        .groups = CONNECT_GROUPS ",IP6",
        .help = "connect to a TCP port over IPv6",
        .example = "modcat - TCP6:[::1]:80",
        .data = &tcp6,
        CONNECTS,
    },
    {
        .name = "TCP-LISTEN",
        .aliases = "TCP-L,INET-LISTEN,INET-L",
        .groups = LISTEN_GROUPS ",IP4,IP6",
        .help = "wait for a connection on a TCP port",
        .example = "modcat TCP-LISTEN:8080,fork TCP:localhost:80",
        .data = &any_tcp,
        LISTENS,
    },
    {
        .name = "TCP4-LISTEN",
        .aliases = "TCP4-L,INET4-LISTEN,INET4-L",
        .groups = LISTEN_GROUPS ",IP4",
        .help = "wait for a connection on a TCP port over IPv4",
        .example = "modcat TCP4-LISTEN:8080,range=10.0.0.0/8,fork TCP:localhost:80",
        .data = &tcp4,
        LISTENS,
    },
    {
        .name = "TCP6-LISTEN",
        .aliases = "TCP6-L,INET6-LISTEN,INET6-L",
        .groups = LISTEN_GROUPS ",IP6",
        .help = "wait for a connection on a TCP port over IPv6",
        .example = "modcat TCP6-LISTEN:8080,ipv6only,fork TCP:localhost:80",
        .data = &tcp6,
        LISTENS,
    },
};

MODCAT_DRIVER(.name = "tcp", .version = MODCAT_DRIVER_VERSION,
              .summary = "TCP, version 4 and 6 of IP", MODCAT_TYPES(types), MODCAT_GROUPS(groups));
