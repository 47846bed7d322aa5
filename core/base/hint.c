#define _GNU_SOURCE
#include "core/base/hint.h"

#include "core/base/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ANY (-1)

/* Which kernel module brings a protocol; the first row that fits counts. */
static const struct {
    int family;
    int protocol;
    const char *name;
    const char *module;
} modules[] = {
    {AF_INET, IPPROTO_SCTP, "SCTP", "sctp"},
    {AF_INET6, IPPROTO_SCTP, "SCTP", "sctp"},
    {AF_INET, IPPROTO_DCCP, "DCCP", "dccp_ipv4"},
    {AF_INET6, IPPROTO_DCCP, "DCCP over IPv6", "dccp_ipv6"},
    {AF_INET, IPPROTO_UDPLITE, "UDP-Lite", NULL},
    {AF_INET6, IPPROTO_UDPLITE, "UDP-Lite", NULL},
    {AF_INET6, ANY, "IPv6", "ipv6"},
    {AF_UNIX, ANY, "UNIX sockets", "unix"},
    {AF_VSOCK, ANY, "VSOCK", "vsock"},
    {AF_PACKET, ANY, "packet sockets", "af_packet"},
    {AF_BLUETOOTH, ANY, "Bluetooth", "bluetooth"},
    {AF_CAN, ANY, "CAN", "can"},
    {AF_TIPC, ANY, "TIPC", "tipc"},
};

/* Begins with the error's own text, to which a hint in brackets may be added. */
static void start_reason(char text[HINT_TEXT])
{
    snprintf(text, HINT_TEXT, "%s", strerror(errno));
}

__attribute__((format(printf, 2, 3))) static void add_hint(char text[HINT_TEXT], const char *format,
                                                           ...)
{
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, HINT_TEXT - length, format, arguments);
    va_end(arguments);
}

static void name_module(size_t row, char text[HINT_TEXT])
{
    if (modules[row].module == NULL)
        add_hint(text, " (this kernel does not support %s)", modules[row].name);
    else
        add_hint(text, " (this kernel does not support %s, or its module %s is not loaded)",
                 modules[row].name, modules[row].module);
}

static void hint_module(const struct modcat_transport *transport, char text[HINT_TEXT])
{
    for (size_t i = 0; i < MODCAT_COUNT(modules); i++)
        if (modules[i].family == transport->family &&
            (modules[i].protocol == ANY || modules[i].protocol == transport->protocol) &&
            (errno == EAFNOSUPPORT || modules[i].protocol != ANY))
            return name_module(i, text);
    if (errno == EAFNOSUPPORT)
        add_hint(text,
                 " (this kernel does not support protocol family %d, or its module net-pf-%d is "
                 "not loaded)",
                 transport->family, transport->family);
}

const char *hint_socket(const struct modcat_transport *transport, char text[HINT_TEXT])
{
    int saved = errno;
    start_reason(text);
    if (errno == EPERM || errno == EACCES)
        add_hint(text, " (needs the capability CAP_NET_RAW)");
    else if (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT)
        hint_module(transport, text);
    errno = saved;
    return text;
}

/* The option of ss(8) that lists the sockets of this kind, or NULL. */
static const char *ss_option(int fd, const struct modcat_sockaddr *local)
{
    int type = 0;
    socklen_t size = sizeof type;
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
    if (local->u.any.sa_family == AF_UNIX)
        return "-xlp";
    return type == SOCK_STREAM ? "-tlnp" : type == SOCK_DGRAM ? "-ulnp" : NULL;
}

const char *hint_bind(int fd, const struct modcat_sockaddr *local, char text[HINT_TEXT])
{
    int saved = errno;
    long long port = sockaddr_port(&local->u.any, local->length);
    const char *option = ss_option(fd, local);
    errno = saved;
    start_reason(text);
    if (errno == EACCES && port > 0 && port < SOCKADDR_PRIVILEGED_PORTS)
        add_hint(text, " (a port below %d needs the capability CAP_NET_BIND_SERVICE)",
                 SOCKADDR_PRIVILEGED_PORTS);
    else if (errno == EADDRINUSE && option != NULL)
        add_hint(text, " (\"ss %s\" shows which program has it)", option);
    else if (errno == EADDRNOTAVAIL)
        add_hint(text, " (no interface of this host has this address)");
    errno = saved;
    return text;
}

/* Socket options that need a privilege of their own; all others that do, CAP_NET_ADMIN. */
static const struct {
    int level;
    int name;
    const char *capability;
} privileged[] = {
    {SOL_SOCKET, SO_BINDTODEVICE, "CAP_NET_RAW"},
    {IPPROTO_IP, IP_TRANSPARENT, "CAP_NET_ADMIN or CAP_NET_RAW"},
    {IPPROTO_IP, IP_FREEBIND, "CAP_NET_ADMIN or CAP_NET_RAW"},
    {IPPROTO_IP, IP_HDRINCL, "CAP_NET_RAW"},
};

const char *hint_sockopt(int level, int name, char text[HINT_TEXT])
{
    const char *capability = "CAP_NET_ADMIN";
    start_reason(text);
    if (errno == ENODEV)
        add_hint(text, " (\"ip link\" lists the interfaces)");
    if (errno != EPERM && (errno != EACCES || level != SOL_SOCKET))
        return text;
    for (size_t i = 0; i < MODCAT_COUNT(privileged); i++)
        if (privileged[i].level == level && privileged[i].name == name)
            capability = privileged[i].capability;
    add_hint(text, " (needs the capability %s)", capability);
    return text;
}
