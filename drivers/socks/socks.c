/* SOCKS: reaches hosts through SOCKS servers of the versions 4, 4A and 5, and lets a server of
 * version 5 wait for a peer. */

#include "socks.h"

#include <assert.h>
#include <errno.h>
#include <modcat/net.h>
#include <netdb.h>
#include <netinet/in.h>

static modcat_open_fn socks_open;
static modcat_wrap_fn socks_wrap;
static modcat_check_fn check_length, check_password;

static const struct socks_kind socks4 = {.version = 4, .command = SOCKS_CONNECT};
static const struct socks_kind socks4a = {.version = 4, .names = true, .command = SOCKS_CONNECT};
static const struct socks_kind socks5 = {.version = 5, .names = true, .command = SOCKS_CONNECT};
static const struct socks_kind socks5_bind = {.version = 5, .names = true, .command = SOCKS_BIND};

#define SOCKS_TEXT(option, text, value)                                                            \
    .name = (option), .help = (text), .type = MODCAT_STRING, .phase = MODCAT_PHASE_SPEC,           \
    .effect = MODCAT_FETCHED, .preset = (value)
#define SOCKS_STRING(option, text, value)                                                          \
    {                                                                                              \
        SOCKS_TEXT(option, text, value), .check = check_length                                     \
    }
#define SOCKS_NAME(option, text, value)                                                            \
    {                                                                                              \
        SOCKS_TEXT(option, text, value), .check = modcat_check_filled                              \
    }
static const struct modcat_option options[] = {
    SOCKS_NAME("socksport", "port of the server, a number or a service", "1080"),
    SOCKS_STRING("socksuser", "user name for the server", "$LOGNAME"),
};

/* There are no passwords in SOCKS 4. */
static const struct modcat_option version5_options[] = {
    {.name = "socks-password",
     .help = "password for the server; others can see it in the process list",
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_SPEC,
     .effect = MODCAT_FETCHED,
     .preset = "$MODCAT_SOCKS_PASSWORD",
     .secret = true,
     .check = check_length},
    SOCKS_NAME("socks-password-file", "file with the password for the server", "none"),
    {.name = "sockspass",
     .help = "password of socksuser; others can see it in the process list",
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_SPEC,
     .effect = MODCAT_FETCHED,
     .secret = true,
     .check = check_password,
     .needs = "socksuser"},
};

static const struct modcat_option_group groups[] = {
    {.name = "SOCKS", .help = "SOCKS servers", MODCAT_OPTIONS(options)},
    {.name = "SOCKS5", .help = "SOCKS servers of version 5", MODCAT_OPTIONS(version5_options)},
};

#define SOCKS_TYPE(own)                                                                            \
    .groups = "FD,SOCKET,CHILD,RETRY,IP4,IP6,IPAPP,TCP," own, .layer_groups = "CHILD,RETRY," own,  \
    .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE, .flags = MODCAT_TYPE_PROXY, .min_params = 3, \
    .open = socks_open, .wrap = socks_wrap, .prepare = socks_prepare, .release = socks_release,    \
    .layer_max_params = 2, .layer_syntax = "[:<host>:<port>]"
#define SOCKS4_TYPE SOCKS_TYPE("SOCKS"), .max_params = 3, .syntax = ":<socks-server>:<host>:<port>"
#define SOCKS5_TYPE                                                                                \
    SOCKS_TYPE("SOCKS,SOCKS5"), .max_params = 4,                                                   \
                                .syntax = ":<socks-server>[:<socks-port>]:<host>:<port>"

static const struct modcat_address_type types[] = {
    {
        .name = "SOCKS4",
        .aliases = "SOCKS",
        .help = "connect through a SOCKS 4 server, to an IPv4 address",
        .example = "modcat - SOCKS4:proxy:www.example.org:80",
        .data = &socks4,
        SOCKS4_TYPE,
    },
    {
        .name = "SOCKS4A",
        .help = "connect through a SOCKS 4A server, which resolves names itself",
        .example = "modcat - SOCKS4A:proxy:www.example.org:80,socksport=9050",
        .data = &socks4a,
        SOCKS4_TYPE,
    },
    {
        .name = "SOCKS5-CONNECT",
        .aliases = "SOCKS5",
        .help = "connect through a SOCKS 5 server, or on top of a connection to one",
        .example = "modcat - 'OPENSSL:www.example.org:443|SOCKS5|TCP:proxy:1080'",
        .data = &socks5,
        SOCKS5_TYPE,
    },
    {
        .name = "SOCKS5-LISTEN",
        .aliases = "SOCKS5-BIND",
        .help = "ask a SOCKS5 server to accept one connection for us (BIND)",
        .example = "modcat - SOCKS5-LISTEN:proxy:1080:peer.example.org:2000",
        .data = &socks5_bind,
        SOCKS5_TYPE,
    },
};

MODCAT_DRIVER(.name = "socks", .version = MODCAT_DRIVER_VERSION, .needs = "tcp",
              .summary = "connections through SOCKS servers", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups));

static const struct modcat_transport tcp = {
    .size = sizeof(struct modcat_transport),
    .family = AF_UNSPEC,
    .socktype = SOCK_STREAM,
    .protocol = IPPROTO_TCP,
};

/* A byte says how long it is, RFC 1929. */
static const char *check_length(const struct modcat_value *value)
{
    static_assert(SOCKS_TEXT_MAX == 255, "the text below says so");
    return value->length <= SOCKS_TEXT_MAX ? NULL : "it has more than 255 bytes";
}

/* RFC 1929, section 2. */
static const char *check_password(const struct modcat_value *value)
{
    return value->length == 0 ? "a password must not be empty" : check_length(value);
}

/* The option comes first: users of socat had to give it besides the parameter. */
static const char *server_port(struct modcat_opening *opening)
{
    const char *parameter = modcat_param_count(opening) > 3 ? modcat_param(opening, 1) : NULL;
    const char *port = modcat_option_string(opening, "socksport", parameter);
    if (port != NULL)
        return port;
    return getservbyname("socks", "tcp") != NULL ? "socks" : "1080";
}

static int socks_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    const struct socks_kind *kind = modcat_type_data(opening);
    const struct socks_wish *wish = modcat_prepared(opening);
    const char *server = modcat_param(opening, 0), *port = server_port(opening);
    if (server[0] == '\0' || port[0] == '\0') {
        errno = EINVAL;
        return modcat_fail(opening, "%s: empty %s of the server", modcat_keyword(opening),
                           server[0] == '\0' ? "name" : "port");
    }
    if (kind->version == 4)
        modcat_log(MODCAT_NOTICE, "opening connection to %s via socks4 server %s:%s as user \"%s\"",
                   wish->target_text, server, port, wish->user);
    else
        modcat_log(MODCAT_NOTICE, "connecting to socks5 server %s:%s", server, port);
    return modcat_connect_host(opening, &tcp, server, port, endpoint);
}

/* No reply is read too far, so that the endpoint below can be used as it is. */
static int socks_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                      struct modcat_endpoint *endpoint)
{
    const struct socks_kind *kind = modcat_type_data(opening);
    const struct socks_wish *wish = modcat_prepared(opening);
    int result = kind->version == 4 ? socks4_handshake(opening, lower, wish)
                                    : socks5_handshake(opening, lower, wish);
    if (result < 0)
        return -1;
    modcat_set_peer_name(opening, wish->target_name);
    return modcat_pass_through(lower, endpoint, NULL, 0);
}
