#define _GNU_SOURCE
#include "core/base/hint.h"

#include "core/base/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
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

static void name_module(size_t row, char text[HINT_TEXT])
{
    if (modules[row].module == NULL)
        snprintf(text, HINT_TEXT, " (this kernel has no %s)", modules[row].name);
    else
        snprintf(text, HINT_TEXT, " (this kernel has no %s, or not its module %s loaded)",
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
        snprintf(text, HINT_TEXT,
                 " (this kernel has no protocol family %d, or not its module net-pf-%d loaded)",
                 transport->family, transport->family);
}

const char *hint_socket(const struct modcat_transport *transport, char text[HINT_TEXT])
{
    int saved = errno;
    text[0] = '\0';
    if (errno == EPERM || errno == EACCES)
        snprintf(text, HINT_TEXT, " (needs the capability CAP_NET_RAW)");
    else if (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT)
        hint_module(transport, text);
    errno = saved;
    return text;
}

const char *hint_bind(const struct modcat_sockaddr *local, char text[HINT_TEXT])
{
    long long port = sockaddr_port(&local->u.any, local->length);
    text[0] = '\0';
    if (errno == EACCES && port > 0 && port < SOCKADDR_PRIVILEGED_PORTS)
        snprintf(text, HINT_TEXT, " (a port below %d needs the capability CAP_NET_BIND_SERVICE)",
                 SOCKADDR_PRIVILEGED_PORTS);
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
    text[0] = '\0';
    if (errno != EPERM && (errno != EACCES || level != SOL_SOCKET))
        return text;
    for (size_t i = 0; i < MODCAT_COUNT(privileged); i++)
        if (privileged[i].level == level && privileged[i].name == name)
            capability = privileged[i].capability;
    snprintf(text, HINT_TEXT, " (needs the capability %s)", capability);
    return text;
}
