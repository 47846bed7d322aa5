/* The options of a socket, in the order and with the names that filan(1) gives them. */

#define _GNU_SOURCE
#include "core/command/descriptor_socket.h"

#include <modcat/net.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* Long enough for every option here, TCP_INFO among them. */
union value {
    int numbers[64];
    struct timeval time;
    struct ucred credentials;
    struct tcp_info tcp;
    char text[256];
};

/* Prints what follows the name; NULL where the length says how. */
typedef void (*value_printer)(FILE *out, const union value *value, socklen_t length);

static void put_credentials(FILE *out, const union value *value, socklen_t length);
static void put_interface(FILE *out, const union value *value, socklen_t length);
static void put_instructions(FILE *out, const union value *value, socklen_t length);
static void put_time(FILE *out, const union value *value, socklen_t length);

struct socket_option {
    const char *name;
    int option;
    value_printer print;
    bool takes_error; /* asking for it takes a pending error off the socket */
};

static const struct socket_option socket_options[] = {
    {.name = "DEBUG", .option = SO_DEBUG},
    {.name = "REUSEADDR", .option = SO_REUSEADDR},
    {.name = "PROTOCOL", .option = SO_PROTOCOL},
    {.name = "TYPE", .option = SO_TYPE},
    {.name = "ERROR", .option = SO_ERROR, .takes_error = true},
    {.name = "DONTROUTE", .option = SO_DONTROUTE},
    {.name = "BROADCAST", .option = SO_BROADCAST},
    {.name = "SNDBUF", .option = SO_SNDBUF},
    {.name = "RCVBUF", .option = SO_RCVBUF},
    {.name = "KEEPALIVE", .option = SO_KEEPALIVE},
    {.name = "OOBINLINE", .option = SO_OOBINLINE},
    {.name = "NO_CHECK", .option = SO_NO_CHECK},
    {.name = "PRIORITY", .option = SO_PRIORITY},
    {.name = "LINGER", .option = SO_LINGER},
    {.name = "BSDCOMPAT", .option = SO_BSDCOMPAT},
    {.name = "REUSEPORT", .option = SO_REUSEPORT},
    {.name = "PASSCRED", .option = SO_PASSCRED},
    {.name = "PEERCRED", .option = SO_PEERCRED, .print = put_credentials},
    {.name = "RCVLOWAT", .option = SO_RCVLOWAT},
    {.name = "SNDLOWAT", .option = SO_SNDLOWAT},
    {.name = "RCVTIMEO", .option = SO_RCVTIMEO, .print = put_time},
    {.name = "SNDTIMEO", .option = SO_SNDTIMEO, .print = put_time},
    {.name = "BINDTODEVICE", .option = SO_BINDTODEVICE, .print = put_interface},
    {.name = "ATTACH_FILTER", .option = SO_GET_FILTER, .print = put_instructions},
};

static const struct socket_option ip_options[] = {
    {.name = "IP_TOS", .option = IP_TOS},
    {.name = "IP_TTL", .option = IP_TTL},
    {.name = "IP_HDRINCL", .option = IP_HDRINCL},
    {.name = "IP_OPTIONS", .option = IP_OPTIONS},
    {.name = "IP_ROUTER_ALERT", .option = IP_ROUTER_ALERT},
    {.name = "IP_RECVOPTS", .option = IP_RECVOPTS},
    {.name = "IP_RETOPTS", .option = IP_RETOPTS},
    {.name = "IP_PKTINFO", .option = IP_PKTINFO},
    {.name = "IP_PKTOPTIONS", .option = IP_PKTOPTIONS},
    {.name = "IP_MTU_DISCOVER", .option = IP_MTU_DISCOVER},
    {.name = "IP_RECVERR", .option = IP_RECVERR},
    {.name = "IP_RECVTTL", .option = IP_RECVTTL},
    {.name = "IP_RECVTOS", .option = IP_RECVTOS},
    {.name = "IP_TRANSPARENT", .option = IP_TRANSPARENT},
    {.name = "IP_MTU", .option = IP_MTU},
    {.name = "IP_FREEBIND", .option = IP_FREEBIND},
    {.name = "IP_MULTICAST_TTL", .option = IP_MULTICAST_TTL},
    {.name = "IP_MULTICAST_LOOP", .option = IP_MULTICAST_LOOP},
};

static const struct socket_option tcp_options[] = {
    {.name = "TCP_NODELAY", .option = TCP_NODELAY},
    {.name = "TCP_MAXSEG", .option = TCP_MAXSEG},
    {.name = "TCP_CORK", .option = TCP_CORK},
    {.name = "TCP_KEEPIDLE", .option = TCP_KEEPIDLE},
    {.name = "TCP_KEEPINTVL", .option = TCP_KEEPINTVL},
    {.name = "TCP_KEEPCNT", .option = TCP_KEEPCNT},
    {.name = "TCP_SYNCNT", .option = TCP_SYNCNT},
    {.name = "TCP_LINGER2", .option = TCP_LINGER2},
    {.name = "TCP_ACCEPT", .option = TCP_DEFER_ACCEPT},
    {.name = "TCP_WINDOW_CLAMP", .option = TCP_WINDOW_CLAMP},
    {.name = "TCP_INFO", .option = TCP_INFO},
    {.name = "TCP_QUICKACK", .option = TCP_QUICKACK},
};

static const struct socket_option ipv6_options[] = {
    {.name = "IPV6_V6ONLY", .option = IPV6_V6ONLY},
    {.name = "IPV6_UNICAST_HOPS", .option = IPV6_UNICAST_HOPS},
    {.name = "IPV6_TCLASS", .option = IPV6_TCLASS},
    {.name = "IPV6_MTU_DISCOVER", .option = IPV6_MTU_DISCOVER},
    {.name = "IPV6_MTU", .option = IPV6_MTU},
    {.name = "IPV6_MULTICAST_HOPS", .option = IPV6_MULTICAST_HOPS},
    {.name = "IPV6_MULTICAST_LOOP", .option = IPV6_MULTICAST_LOOP},
    {.name = "IPV6_RECVPKTINFO", .option = IPV6_RECVPKTINFO},
    {.name = "IPV6_RECVERR", .option = IPV6_RECVERR},
};

#define OPTIONS(table) .options = (table), .count = MODCAT_COUNT(table)

/* Protocols in the order of the table. An IPv6 socket has what IP has, too, for the IPv4 peers that
 * it may get. `families` ends with 0; `protocol` 0: any. */
static const struct level {
    int level;
    int families[3];
    int protocol;
    const struct socket_option *options;
    size_t count;
} levels[] = {
    {.level = IPPROTO_IP, .families = {AF_INET, AF_INET6}, OPTIONS(ip_options)},
    {
        .level = IPPROTO_TCP,
        .families = {AF_INET, AF_INET6},
        .protocol = IPPROTO_TCP,
        OPTIONS(tcp_options),
    },
    {.level = IPPROTO_IPV6, .families = {AF_INET6}, OPTIONS(ipv6_options)},
};

static void put_credentials(FILE *out, const union value *value, socklen_t length)
{
    (void)length;
    fprintf(out, "{%d,%d}", (int)value->credentials.pid, (int)value->credentials.uid);
}

/* Without an interface, what socat shows for it. */
static void put_interface(FILE *out, const union value *value, socklen_t length)
{
    if (length == 0)
        fputs("{0,0}", out);
    else
        fprintf(out, "\"%.*s\"", (int)length, value->text);
}

static void put_instructions(FILE *out, const union value *value, socklen_t length)
{
    (void)value;
    fprintf(out, "{%d,0}", (int)length);
}

static void put_time(FILE *out, const union value *value, socklen_t length)
{
    (void)length;
    fprintf(out, "{%lld,%ld}", (long long)value->time.tv_sec, (long)value->time.tv_usec);
}

static void put_words(FILE *out, const union value *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%08x", i == 0 ? "{" : " ", (unsigned)value->numbers[i]);
    putc('}', out);
}

static void put_by_length(FILE *out, const union value *value, socklen_t length)
{
    if (length == 0)
        fputs("\"\"", out);
    else if (length <= sizeof value->numbers[0])
        fprintf(out, "%d", value->numbers[0]);
    else if (length <= 2 * sizeof value->numbers[0])
        fprintf(out, "{%d,%d}", value->numbers[0], value->numbers[1]);
    else
        put_words(out, value, (length + sizeof value->numbers[0] - 1) / sizeof value->numbers[0]);
}

/* The kernel takes the length for SO_GET_FILTER as a count of instructions, and with 0 it only says
 * how many there are. */
static int get_option(int fd, int level, int option, union value *value, socklen_t *length)
{
    bool counts = level == SOL_SOCKET && option == SO_GET_FILTER;
    *length = counts ? 0 : sizeof *value;
    memset(value, 0, sizeof *value);
    return getsockopt(fd, level, option, counts ? NULL : value, length);
}

static void put_options(FILE *out, int fd, const struct level *level, bool own)
{
    for (size_t i = 0; i < level->count; i++) {
        const struct socket_option *entry = &level->options[i];
        union value value;
        socklen_t length;
        if ((own && entry->takes_error) ||
            get_option(fd, level->level, entry->option, &value, &length) < 0)
            continue;
        fprintf(out, "\t%s=", entry->name);
        (entry->print != NULL ? entry->print : put_by_length)(out, &value, length);
    }
}

static int socket_number(int fd, int option)
{
    union value value;
    socklen_t length;
    return get_option(fd, SOL_SOCKET, option, &value, &length) == 0 ? value.numbers[0] : -1;
}

static bool has_level(const struct level *level, int family, int protocol)
{
    if (level->protocol != 0 && level->protocol != protocol)
        return false;
    for (const int *one = level->families; *one != 0; one++)
        if (*one == family)
            return true;
    return false;
}

static void put_sockaddr(FILE *out, const char *between,
                         int (*name)(int fd, struct sockaddr *address, socklen_t *length), int fd)
{
    char text[MODCAT_SOCKADDR_TEXT];
    struct modcat_sockaddr address = {.length = sizeof address.u};
    if (name(fd, &address.u.any, &address.length) == 0)
        fprintf(out, "%s%s", between, modcat_sockaddr_text(&address.u.any, address.length, text));
}

static int local_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return getsockname(fd, address, length);
}

static int peer_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return getpeername(fd, address, length);
}

/* Parts of TCP_INFO under names. */
static void put_tcp_state(FILE *out, int fd)
{
    union value value;
    socklen_t length;
    if (get_option(fd, IPPROTO_TCP, TCP_INFO, &value, &length) < 0)
        return;
    fprintf(out, "\tTCPI_STATE={%u}\tTCPI_OPTIONS={%u}\tTCPI_SND_WSCALE={%u}\tTCPI_RCV_WSCALE={%u}",
            value.tcp.tcpi_state, value.tcp.tcpi_options, value.tcp.tcpi_snd_wscale,
            value.tcp.tcpi_rcv_wscale);
}

void descriptor_print_socket(FILE *out, int fd, bool own)
{
    const struct level any = {.level = SOL_SOCKET, OPTIONS(socket_options)};
    int family = socket_number(fd, SO_DOMAIN), protocol = socket_number(fd, SO_PROTOCOL);
    put_options(out, fd, &any, own);
    put_sockaddr(out, "\t", local_name, fd);
    put_sockaddr(out, " <-> ", peer_name, fd);
    for (size_t i = 0; i < MODCAT_COUNT(levels); i++) {
        if (!has_level(&levels[i], family, protocol))
            continue;
        put_options(out, fd, &levels[i], own);
        if (levels[i].level == IPPROTO_TCP)
            put_tcp_state(out, fd);
    }
}
