/* A descriptor in a few words: its kind, and what it leads to. */

#define _GNU_SOURCE
#include "core/base/sockaddr.h"
#include "core/command/descriptor.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Names of socket types, by number. */
static const char *const socket_types[] = {
    [SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram",         [SOCK_RAW] = "raw",
    [SOCK_RDM] = "rdm",       [SOCK_SEQPACKET] = "seqpacket",
};

/* What a socket of an IP protocol is called, for both versions. Protocol 0: any other one. */
static const struct protocol {
    int number;
    const char *name[2];
} protocols[] = {
    {IPPROTO_TCP, {"tcp", "tcp6"}},
    {IPPROTO_UDP, {"udp", "udp6"}},
    {IPPROTO_SCTP, {"sctp", "sctp6"}},
    {IPPROTO_DCCP, {"dccp", "dccp6"}},
    {IPPROTO_UDPLITE, {"udplite", "udplite6"}},
    {0, {"ip", "ip6"}},
};

static int socket_number(int fd, int option)
{
    int number = 0;
    socklen_t length = sizeof number;
    return getsockopt(fd, SOL_SOCKET, option, &number, &length) == 0 ? number : -1;
}

static const char *type_name(int fd)
{
    int type = socket_number(fd, SO_TYPE);
    bool known =
        type > 0 && (size_t)type < MODCAT_COUNT(socket_types) && socket_types[type] != NULL;
    return known ? socket_types[type] : "unknown";
}

static void put_ip_name(FILE *out, int family, int protocol)
{
    size_t i = 0;
    while (protocols[i].number != 0 && protocols[i].number != protocol)
        i++;
    fputs(protocols[i].name[family == AF_INET6], out);
}

/* The two names of a socket; length 0 for one that it has not. */
struct names {
    struct modcat_sockaddr local, peer;
};

static void get_names(int fd, struct names *names)
{
    names->local.length = names->peer.length = sizeof names->local.u;
    if (getsockname(fd, &names->local.u.any, &names->local.length) < 0)
        names->local.length = 0;
    if (getpeername(fd, &names->peer.u.any, &names->peer.length) < 0)
        names->peer.length = 0;
}

static void put_address(FILE *out, const struct modcat_sockaddr *address)
{
    char host[SOCKADDR_HOST_TEXT];
    long long port = sockaddr_port(&address->u.any, address->length);
    fputs(sockaddr_host_text(&address->u.any, address->length, host), out);
    if (port >= 0)
        fprintf(out, ":%lld", port);
}

static void put_local(FILE *out, const struct names *names)
{
    if (names->local.length > 0)
        put_address(out, &names->local);
}

static void put_addresses(FILE *out, const struct names *names, const char *between)
{
    put_local(out, names);
    if (names->peer.length == 0)
        return;
    fputs(between, out);
    put_address(out, &names->peer);
}

static void put_kind(FILE *out, int fd, int family)
{
    if (family == AF_UNIX)
        fputs(socket_number(fd, SO_TYPE) == SOCK_DGRAM ? "unixdatagram" : "unix", out);
    else
        put_ip_name(out, family, socket_number(fd, SO_PROTOCOL));
}

/* Of UNIX sockets, this form has one name. */
static void put_plain(FILE *out, int fd, int family, const struct names *names)
{
    put_kind(out, fd, family);
    fputs(socket_number(fd, SO_ACCEPTCONN) > 0 ? "(listening) " : " ", out);
    if (family == AF_UNIX)
        put_local(out, names);
    else
        put_addresses(out, names, " ");
}

static void put_joined(FILE *out, int fd, int family, const struct names *names)
{
    if (family == AF_UNIX)
        fputs("unix", out);
    else
        put_ip_name(out, family, socket_number(fd, SO_PROTOCOL));
    putc(' ', out);
    put_addresses(out, names, "-");
    fprintf(out, family == AF_UNIX ? " %s" : " (%s)", type_name(fd));
    if (socket_number(fd, SO_ACCEPTCONN) > 0)
        fputs(" (listening)", out);
}

static void put_socket(FILE *out, int fd, enum descriptor_short form)
{
    struct names names;
    int family = socket_number(fd, SO_DOMAIN);
    if (family != AF_UNIX && family != AF_INET && family != AF_INET6) {
        fprintf(out, "socket(family/domain=%d)", family);
        return;
    }
    get_names(fd, &names);
    if (form == DESCRIPTOR_PLAIN)
        put_plain(out, fd, family, &names);
    else
        put_joined(out, fd, family, &names);
}

/* What /proc says of a descriptor; that of a pipe without a name is no name. */
static void put_path(FILE *out, int fd)
{
    char link[40], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    if (length > 0 && strncmp(path, "pipe:", strlen("pipe:")) != 0)
        fprintf(out, "%.*s", (int)length, path);
}

void descriptor_print_short(FILE *out, int fd, enum descriptor_short form)
{
    struct stat status;
    if (fstat(fd, &status) < 0) {
        fprintf(out, "undef %s", strerror(errno));
    } else if (S_ISSOCK(status.st_mode)) {
        put_socket(out, fd, form);
    } else {
        fprintf(out, "%s ",
                S_ISCHR(status.st_mode) && isatty(fd) ? "tty" : descriptor_kind(status.st_mode));
        put_path(out, fd);
    }
}
