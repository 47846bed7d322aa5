/* Option group SOCKET. */

#define _GNU_SOURCE
#include "core/options/effects.h"
#include "core/services/net/socket.h"
#include "core/values/groups.h"

#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

static modcat_check_fn check_bind, check_interface;
static modcat_apply_fn set_unless_empty, set_owner, set_data, set_int, set_string;

/* An integer option of sockets that is set as soon as there is one. */
#define SOCKET_NUMBER(kind, option, others, constant, text)                                        \
    {                                                                                              \
        .name = (option), .aliases = (others), .help = (text), .type = (kind),                     \
        .phase = MODCAT_PHASE_PASTSOCKET, .effect = MODCAT_SOCKOPT, .code = SOL_SOCKET,            \
        .detail = (constant)                                                                       \
    }
#define SOCKET_INT(...) SOCKET_NUMBER(MODCAT_INT, __VA_ARGS__)
#define SOCKET_BOOL(...) SOCKET_NUMBER(MODCAT_INT_BOOL, __VA_ARGS__)
#define SOCKET_SIZE(...) SOCKET_NUMBER(MODCAT_INT_SIZE, __VA_ARGS__)
static const struct modcat_option options[] = {
    {.name = "bind",
     .help = "own address to use",
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_BIND,
     .effect = MODCAT_FETCHED,
     .check = check_bind},
    {.name = "connect-timeout",
     .also = "OPENSSL,HTTP,SOCKS", /* layers have dialogues of their own */
     .help = "seconds after which connecting fails",
     .type = MODCAT_TIMEVAL,
     .phase = MODCAT_PHASE_PASTSOCKET,
     OPENING_SETTING(connect_timeout)},
    {.name = "fiosetown",
     .help = "process or group that gets SIGIO and SIGURG",
     .type = MODCAT_INT,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_CALL,
     .code = FIOSETOWN,
     .apply = set_owner},
    {.name = "null-eof",
     .help = "take an empty datagram for the end of data",
     .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_OFFSET,
     OPENING_SETTING(null_eof)},
    {.name = "protocol-family",
     .aliases = "pf",
     .help = "protocol family, by number or name",
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_PRESOCKET,
     .effect = MODCAT_FETCHED,
     .check = socket_check_family},
    {.name = "setsockopt",
     .aliases = "sockopt",
     .help = "any socket option of a connected socket, value in binary",
     .type = MODCAT_INT_INT_DATA,
     .phase = MODCAT_PHASE_CONNECTED,
     .effect = MODCAT_CALL,
     .apply = set_data},
    {.name = "setsockopt-bin",
     .aliases = "sockopt-bin",
     .help = "any socket option of a connected socket, value in binary",
     .type = MODCAT_INT_INT_DATA,
     .phase = MODCAT_PHASE_CONNECTED,
     .effect = MODCAT_CALL,
     .apply = set_data},
    {.name = "setsockopt-connected",
     .aliases = "sockopt-conn",
     .help = "any socket option of a connected socket, value in binary",
     .type = MODCAT_INT_INT_DATA,
     .phase = MODCAT_PHASE_CONNECTED,
     .effect = MODCAT_CALL,
     .apply = set_data},
    {.name = "setsockopt-int",
     .aliases = "sockopt-int",
     .help = "any socket option of a connected socket, value as integer",
     .type = MODCAT_INT_INT_INT,
     .phase = MODCAT_PHASE_CONNECTED,
     .effect = MODCAT_CALL,
     .apply = set_int},
    {.name = "setsockopt-listen",
     .aliases = "sockopt-listen",
     .help = "any socket option before binding, value in binary",
     .type = MODCAT_INT_INT_DATA,
     .phase = MODCAT_PHASE_PREBIND,
     .effect = MODCAT_CALL,
     .apply = set_data},
    {.name = "setsockopt-socket",
     .aliases = "sockopt-sock",
     .help = "any socket option of a new socket, value in binary",
     .type = MODCAT_INT_INT_DATA,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_CALL,
     .apply = set_data},
    {.name = "setsockopt-string",
     .aliases = "sockopt-string",
     .help = "any socket option of a connected socket, value as text",
     .type = MODCAT_INT_INT_STRING,
     .phase = MODCAT_PHASE_CONNECTED,
     .effect = MODCAT_CALL,
     .apply = set_string},
    {.name = "siocspgrp",
     .help = "process or group that gets SIGIO and SIGURG",
     .type = MODCAT_INT,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_CALL,
     .code = SIOCSPGRP,
     .apply = set_owner},
    SOCKET_INT("so-acceptconn", "acceptconn", SO_ACCEPTCONN, "read-only on this system"),
    SOCKET_INT("so-attach-filter", "attach-filter,attachfilter", SO_ATTACH_FILTER,
               "packet filter; needs a structure on this system"),
    {.name = "so-bindtodevice",
     .aliases = "bindtodevice,if,interface",
     .help = "use only this network interface",
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_SOCKOPT,
     .code = SOL_SOCKET,
     .detail = SO_BINDTODEVICE,
     .check = check_interface},
    SOCKET_BOOL("so-broadcast", "broadcast", SO_BROADCAST,
                "allow datagrams to broadcast addresses"),
    SOCKET_BOOL("so-bsdcompat", "bsdcompat", SO_BSDCOMPAT,
                "BSD error behaviour of UDP; has no effect on this system"),
    SOCKET_BOOL("so-debug", "debug", SO_DEBUG, "let the kernel record debugging data"),
    SOCKET_INT("so-detach-filter", "detach-filter,detachfilter", SO_DETACH_FILTER,
               "remove the packet filter"),
    SOCKET_BOOL("so-dontroute", "dontroute", SO_DONTROUTE,
                "send only to hosts on attached networks"),
    SOCKET_INT("so-error", "error", SO_ERROR, "read-only on this system"),
    {.name = "so-keepalive",
     .aliases = "keepalive",
     .help = "check now and then whether the peer is still there",
     .type = MODCAT_INT_BOOL,
     .phase = MODCAT_PHASE_FD,
     .effect = MODCAT_SOCKOPT,
     .code = SOL_SOCKET,
     .detail = SO_KEEPALIVE},
    {.name = "so-linger",
     .aliases = "linger",
     .help = "seconds for which close waits until data is sent",
     .type = MODCAT_LINGER,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_SOCKOPT,
     .code = SOL_SOCKET,
     .detail = SO_LINGER},
    SOCKET_BOOL("so-no-check", "no-check,nocheck", SO_NO_CHECK,
                "leave checksums of UDP packets out"),
    SOCKET_BOOL("so-oobinline", "oobinline", SO_OOBINLINE, "keep out-of-band data in the stream"),
    SOCKET_BOOL("so-passcred", "passcred", SO_PASSCRED,
                "receive the credentials of senders on a UNIX socket"),
    SOCKET_INT("so-peercred", "peercred", SO_PEERCRED, "read-only on this system"),
    SOCKET_INT("so-priority", "priority", SO_PRIORITY, "priority of packets in the send queue"),
    {.name = "so-protocol",
     .aliases = "protocol,prototype,so-prototype",
     .help = "protocol argument of socket(2)",
     .type = MODCAT_INT,
     .phase = MODCAT_PHASE_SOCKET,
     .effect = MODCAT_FETCHED},
    SOCKET_SIZE("so-rcvbuf", "rcvbuf", SO_RCVBUF, "size of the receive buffer"),
    {.name = "so-rcvbuf-late",
     .aliases = "rcvbuf-late",
     .help = "size of the receive buffer, set when connected",
     .type = MODCAT_INT_SIZE,
     .phase = MODCAT_PHASE_LATE,
     .effect = MODCAT_SOCKOPT,
     .code = SOL_SOCKET,
     .detail = SO_RCVBUF},
    SOCKET_SIZE("so-rcvlowat", "rcvlowat", SO_RCVLOWAT,
                "bytes that must be there before reading succeeds"),
    {.name = "so-rcvtimeo",
     .aliases = "rcvtimeo",
     .help = "seconds after which receiving fails",
     .type = MODCAT_TIMEVAL,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_SOCKOPT,
     .code = SOL_SOCKET,
     .detail = SO_RCVTIMEO},
    {.name = "so-reuseaddr",
     .aliases = "reuseaddr",
     .help = "bind to a port although old connections use it",
     .type = MODCAT_INT_OR_NONE,
     .phase = MODCAT_PHASE_PREBIND,
     .effect = MODCAT_CALL,
     .code = SOL_SOCKET,
     .detail = SO_REUSEADDR,
     .apply = set_unless_empty},
    {.name = "so-reuseport",
     .aliases = "reuseport",
     .help = "let several sockets bind to the same port",
     .type = MODCAT_INT_BOOL,
     .phase = MODCAT_PHASE_PREBIND,
     .effect = MODCAT_SOCKOPT,
     .code = SOL_SOCKET,
     .detail = SO_REUSEPORT},
    SOCKET_INT("so-security-authentication", "security-authentication,securityauthentication",
               SO_SECURITY_AUTHENTICATION,
               "security level of authentication; unknown to this system"),
    SOCKET_INT(
        "so-security-encryption-network", "security-encryption-network,securityencryptionnetwork",
        SO_SECURITY_ENCRYPTION_NETWORK, "security level of the network; unknown to this system"),
    SOCKET_INT("so-security-encryption-transport",
               "security-encryption-transport,securityencryptiontransport",
               SO_SECURITY_ENCRYPTION_TRANSPORT,
               "security level of the transport; unknown to this system"),
    SOCKET_SIZE("so-sndbuf", "sndbuf", SO_SNDBUF, "size of the send buffer"),
    {.name = "so-sndbuf-late",
     .aliases = "sndbuf-late",
     .help = "size of the send buffer, set when connected",
     .type = MODCAT_INT_SIZE,
     .phase = MODCAT_PHASE_LATE,
     .effect = MODCAT_SOCKOPT,
     .code = SOL_SOCKET,
     .detail = SO_SNDBUF},
    SOCKET_SIZE("so-sndlowat", "sndlowat", SO_SNDLOWAT, "cannot be changed on this system"),
    {.name = "so-sndtimeo",
     .aliases = "sndtimeo",
     .help = "seconds after which sending fails",
     .type = MODCAT_TIMEVAL,
     .phase = MODCAT_PHASE_PASTSOCKET,
     .effect = MODCAT_SOCKOPT,
     .code = SOL_SOCKET,
     .detail = SO_SNDTIMEO},
    SOCKET_BOOL("so-timestamp", "timestamp", SO_TIMESTAMP,
                "receive a time stamp with each datagram"),
    {.name = "so-type",
     .aliases = "socktype,type",
     .help = "type argument of socket(2)",
     .type = MODCAT_INT,
     .phase = MODCAT_PHASE_SOCKET,
     .effect = MODCAT_FETCHED},
};

const struct modcat_option_group group_socket = {
    .name = "SOCKET",
    .help = "options of any socket",
    MODCAT_OPTIONS(options),
};

static const char *check_interface(const struct modcat_value *value)
{
    static_assert(IFNAMSIZ == 16, "the text below says so");
    return value->length < IFNAMSIZ ? NULL : "it has more than 15 characters";
}

static const char *check_bind(const struct modcat_value *value)
{
    return *value->string == '\0' ? "address required" : NULL;
}

static int set_unless_empty(struct modcat_opening *opening, int fd,
                            const struct modcat_option *option, const struct modcat_value *value)
{
    int number = (int)value->number;
    if (value->absent)
        return 0;
    return socket_set(opening, fd, option->code, option->detail, &number, sizeof number);
}

static int set_owner(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                     const struct modcat_value *value)
{
    int owner = (int)value->number;
    if (ioctl(fd, (unsigned long)option->code, &owner) == 0)
        return 0;
    return effects_fail(opening, option, value, NULL, "ioctl(%d, 0x%x, {%d})", fd,
                        (unsigned)option->code, owner);
}

static int set_data(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                    const struct modcat_value *value)
{
    (void)option;
    return socket_set(opening, fd, (int)value->number, (int)value->second, value->data,
                      value->length);
}

static int set_int(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                   const struct modcat_value *value)
{
    int number = (int)value->third;
    (void)option;
    return socket_set(opening, fd, (int)value->number, (int)value->second, &number, sizeof number);
}

/* The kernel gets the text with its NUL. */
static int set_string(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value)
{
    (void)option;
    return socket_set(opening, fd, (int)value->number, (int)value->second, value->string,
                      strlen(value->string) + 1);
}
