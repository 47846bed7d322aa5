/* WS: WebSocket (RFC 6455), to hosts, and on top of any other address. */

#define _GNU_SOURCE
#include "ws.h"

#include <errno.h>
#include <modcat/net.h>
#include <netinet/in.h>
#include <string.h>

static modcat_open_fn ws_open;
static modcat_wrap_fn ws_wrap;

#define WS_OPTION(option, others, kind, text, value)                                               \
    .name = (option), .aliases = (others), .help = (text), .type = (kind),                         \
    .phase = MODCAT_PHASE_SPEC, .effect = MODCAT_FETCHED, .preset = (value)
#define WS_BOOL(option, others, text)                                                              \
    {                                                                                              \
        WS_OPTION(option, others, MODCAT_BOOL, text, "0")                                          \
    }
#define WS_TIME(option, others, text, value, ...)                                                  \
    {                                                                                              \
        WS_OPTION(option, others, MODCAT_TIMEVAL, text, value), __VA_ARGS__                        \
    }
#define WS_NAME(option, others, text, value)                                                       \
    {                                                                                              \
        WS_OPTION(option, others, MODCAT_STRING, text, value), .check = modcat_check_filled        \
    }

static const struct modcat_option options[] = {
    WS_BOOL("ws-deflate", "deflate", "compress messages if the peer wants to, too"),
    WS_TIME("ws-handshake-timeout", NULL,
            "seconds for the handshake; 0: no limit; a server's peers get 60", "none", ),
    {WS_OPTION(
         "ws-header", NULL, MODCAT_STRING,
         "further header, Name: value; may be repeated; others can see it in the process list",
         "none"),
     .secret = true, .check = modcat_check_filled},
    WS_NAME("ws-header-file", NULL, "file with further headers, one a line", "none"),
    WS_NAME("ws-host", NULL, "host to ask for in the header Host", "the host's name"),
    WS_BOOL("ws-lines", NULL, "send each line as a message, and end each message as a line"),
    {WS_OPTION("ws-max-message", "max-message", MODCAT_SIZE,
               "largest message, in bytes; 0: no limit", "0; 1M with ws-messages")},
    WS_BOOL("ws-messages", NULL, "keep messages apart, as packets are"),
    {WS_OPTION("ws-origin", "origin", MODCAT_STRING,
               "client: origin to tell; server: one that is let in; may be repeated", "any")},
    WS_TIME("ws-ping", NULL, "seconds between pings", "none", ),
    WS_TIME("ws-ping-timeout", NULL, "seconds within which a ping has to be answered", "as ws-ping",
            .needs = "ws-ping"),
    WS_NAME("ws-subprotocol", "subprotocol",
            "subprotocols to agree on, with commas between them; may be repeated", "none"),
    WS_BOOL("ws-text", NULL,
            "send messages of text, which has to be UTF-8, instead of binary ones"),
};

static const struct modcat_option_group groups[] = {
    {.name = "WS", .help = "WebSocket", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {
    {
        .name = "WS",
        .aliases = "WEBSOCKET",
        .syntax = ":<host>:<port>[:<path>]",
        .groups = "FD,SOCKET,CHILD,RETRY,IP4,IP6,IPAPP,TCP,WS",
        .help = "WebSocket client; WebSocket server when stacked on a listening address",
        .example = "modcat 'WS:/ssh|TCP-LISTEN:8080,fork' TCP:localhost:22",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .min_params = 2,
        .max_params = 3,
        .open = ws_open,
        .wrap = ws_wrap,
        .prepare = ws_prepare,
        .release = ws_release,
        .layer_max_params = 3,
        .layer_syntax = "[:<host>:<port>][:<path>]",
        .layer_groups = "CHILD,RETRY,WS",
    },
};

MODCAT_DRIVER(.name = "ws", .version = MODCAT_DRIVER_VERSION, .summary = "WebSocket",
              MODCAT_TYPES(types), MODCAT_GROUPS(groups));

static const struct modcat_transport tcp = {
    .size = sizeof(struct modcat_transport),
    .family = AF_UNSPEC,
    .socktype = SOCK_STREAM,
    .protocol = IPPROTO_TCP,
};

static int ws_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return modcat_connect_host(opening, &tcp, modcat_param(opening, 0), modcat_param(opening, 1),
                               endpoint);
}

static int ws_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                   struct modcat_endpoint *endpoint)
{
    const struct ws_wish *wish = modcat_prepared(opening);
    struct ws_agreement agreement = {.server = modcat_is_served(opening)};
    int result = agreement.server ? ws_answer(opening, lower, wish, &agreement)
                                  : ws_ask(opening, lower, wish, &agreement);
    if (result == 0)
        result = ws_endpoint(opening, lower, wish, &agreement, endpoint);
    if (result != 0)
        bytes_free(&agreement.early);
    return result;
}
