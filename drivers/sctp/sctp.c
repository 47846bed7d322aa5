/* SCTP: connects to an SCTP port, or waits for connections on one. With so-type=5 the messages of
 * the association are kept apart; otherwise it is taken as a stream of bytes.
 *
 * The sockets are of the one-to-one style of RFC 6458 in both cases: what style each end has does
 * not show on the wire, and this one has an accept queue, a peer, and an end of file. */

#include <errno.h>
#include <modcat/driver.h>
#include <modcat/net.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdlib.h>
#include <string.h>

static modcat_open_fn sctp_connect;
static modcat_listen_fn sctp_listen;
static modcat_apply_fn set_maxseg;

#define TRANSPORT(version)                                                                         \
    {                                                                                              \
        .size = sizeof(struct modcat_transport), .family = (version), .socktype = SOCK_STREAM,     \
        .protocol = IPPROTO_SCTP, .fixed_type = true                                               \
    }
static const struct modcat_transport any_sctp = TRANSPORT(AF_UNSPEC);
static const struct modcat_transport sctp4 = TRANSPORT(AF_INET);
static const struct modcat_transport sctp6 = TRANSPORT(AF_INET6);

static const struct modcat_option options[] = {
    {.name = "sctp-nodelay",
     .help = "send small messages without delay",
     .type = MODCAT_INT_BOOL,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_SOCKOPT,
     .code = IPPROTO_SCTP,
     .detail = SCTP_NODELAY},
    {.name = "sctp-maxseg",
     .help = "largest piece of a message in one packet, in bytes",
     .type = MODCAT_INT_SIZE,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_CALL,
     .apply = set_maxseg},
    {.name = "sctp-maxseg-late",
     .help = "largest piece of a message in one packet, in bytes, set when connected",
     .type = MODCAT_INT_SIZE,
     .phase = MODCAT_PHASE_CONNECTED,
     .effect = MODCAT_CALL,
     .apply = set_maxseg},
};

static const struct modcat_option_group groups[] = {
    {.name = "SCTP", .help = "options of SCTP", MODCAT_OPTIONS(options)},
};

#define CONNECT_GROUPS "FD,SOCKET,CHILD,RETRY,IPAPP,SCTP"
#define LISTEN_GROUPS CONNECT_GROUPS ",LISTEN,RANGE"
#define CONNECTS                                                                                   \
    .syntax = ":<host>:<port>", .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE, .min_params = 2, \
    .max_params = 2, .open = sctp_connect
#define LISTENS                                                                                    \
    .syntax = ":<port>", .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE, .min_params = 1,        \
    .max_params = 1, .listen = sctp_listen

static const struct modcat_address_type types[] = {
    {
        .name = "SCTP-CONNECT",
        .aliases = "SCTP",
        .groups = CONNECT_GROUPS ",IP4,IP6",
        .help = "connect to an SCTP port",
        .example = "modcat - SCTP:localhost:5000",
        .data = &any_sctp,
        CONNECTS,
    },
    {
        .name = "SCTP4-CONNECT",
        .aliases = "SCTP4",
        .groups = CONNECT_GROUPS ",IP4",
        .help = "connect to an SCTP port over IPv4",
        .example = "modcat - SCTP4:localhost:5000",
        .data = &sctp4,
        CONNECTS,
    },
    {
        .name = "SCTP6-CONNECT",
        .aliases = "SCTP6",
        .groups = CONNECT_GROUPS ",IP6",
        .help = "connect to an SCTP port over IPv6",
        .example = "modcat - SCTP6:[::1]:5000",
        .data = &sctp6,
        CONNECTS,
    },
    {
        .name = "SCTP-LISTEN",
        .aliases = "SCTP-L",
        .groups = LISTEN_GROUPS ",IP4,IP6",
        .help = "wait for a connection on an SCTP port",
        .example = "modcat SCTP-LISTEN:5000,fork PIPE",
        .data = &any_sctp,
        LISTENS,
    },
    {
        .name = "SCTP4-LISTEN",
        .aliases = "SCTP4-L",
        .groups = LISTEN_GROUPS ",IP4",
        .help = "wait for a connection on an SCTP port over IPv4",
        .example = "modcat SCTP4-LISTEN:5000,range=10.0.0.0/8,fork PIPE",
        .data = &sctp4,
        LISTENS,
    },
    {
        .name = "SCTP6-LISTEN",
        .aliases = "SCTP6-L",
        .groups = LISTEN_GROUPS ",IP6",
        .help = "wait for a connection on an SCTP port over IPv6",
        .example = "modcat SCTP6-LISTEN:5000,fork PIPE",
        .data = &sctp6,
        LISTENS,
    },
};

MODCAT_DRIVER(.name = "sctp", .version = MODCAT_DRIVER_VERSION,
              .summary = "SCTP, version 4 and 6 of IP", MODCAT_TYPES(types), MODCAT_GROUPS(groups));

/* There is a struct for it: the kernel takes a mere number too, but calls that outdated. */
static int set_maxseg(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value)
{
    const struct sctp_assoc_value wanted = {.assoc_value = (uint32_t)value->number};
    if (setsockopt(fd, IPPROTO_SCTP, SCTP_MAXSEG, &wanted, sizeof wanted) == 0)
        return 0;
    return modcat_fail_call(opening, "set option", option->name, NULL,
                            "setsockopt(%d, IPPROTO_SCTP, SCTP_MAXSEG, {%lld}, %zu)", fd,
                            value->number, sizeof wanted);
}

/* Returns 1 when messages are to be kept apart, 0 for a stream, -1 after reporting. */
static int wants_messages(struct modcat_opening *opening)
{
    long long type = modcat_option_number(opening, "so-type", SOCK_STREAM);
    if (type == SOCK_STREAM || type == SOCK_SEQPACKET)
        return type == SOCK_SEQPACKET;
    errno = ESOCKTNOSUPPORT;
    return modcat_fail(opening, "so-type=%lld: SCTP has %d (stream) and %d (seqpacket) only", type,
                       SOCK_STREAM, SOCK_SEQPACKET);
}

static void keep_messages(struct modcat_endpoint *endpoint)
{
    endpoint->flags |= MODCAT_END_MESSAGES | MODCAT_END_EMPTY_ENDS;
}

static int sctp_connect(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    int messages = wants_messages(opening);
    if (messages < 0 || modcat_type_connect(opening, endpoint) < 0)
        return -1;
    if (messages)
        keep_messages(endpoint);
    return 0;
}

static int accept_messages(struct modcat_listener *listener, struct modcat_opening *opening,
                           struct modcat_endpoint *endpoint)
{
    int result = modcat_listen_accept(listener, opening, endpoint);
    if (result == 0)
        keep_messages(endpoint);
    return result;
}

static int sctp_listen(struct modcat_opening *opening, struct modcat_listener *listener)
{
    int messages = wants_messages(opening);
    if (messages < 0 || modcat_type_listen(opening, listener) < 0)
        return -1;
    if (messages)
        listener->accept = accept_messages;
    return 0;
}
