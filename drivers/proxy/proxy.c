/* PROXY: reaches hosts through HTTP proxies, with their method CONNECT. */

#define _GNU_SOURCE
#include "wish.h"

#include "message.h"

#include <errno.h>
#include <modcat/net.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static modcat_open_fn proxy_open;
static modcat_wrap_fn proxy_wrap;

#define PROXY_OPTION(option, others, text, value)                                                  \
    .name = (option), .aliases = (others), .help = (text), .phase = MODCAT_PHASE_SPEC,             \
    .effect = MODCAT_FETCHED, .preset = (value)
#define PROXY_BOOL(...)                                                                            \
    {                                                                                              \
        PROXY_OPTION(__VA_ARGS__), .type = MODCAT_BOOL                                             \
    }
#define PROXY_NAME(...)                                                                            \
    {                                                                                              \
        PROXY_OPTION(__VA_ARGS__), .type = MODCAT_STRING, .check = modcat_check_filled             \
    }
static const struct modcat_option options[] = {
    PROXY_NAME("http-version", NULL, "version of the request, 1.0 or 1.1", "1.0"),
    PROXY_BOOL("ignorecr", NULL, "lines of the answer may end without CR", "0"),
    {.name = "proxy-authorization",
     .aliases = "proxyauth,proxy-auth",
     .help = "user:password for the proxy; others can see it in the process list",
     .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_SPEC,
     .effect = MODCAT_FETCHED,
     .preset = "none",
     .secret = true},
    PROXY_NAME("proxy-authorization-file", "proxyauthfile", "file with user:password for the proxy",
               "none"),
    PROXY_BOOL("proxy-resolve", "resolve,resolv", "look up the host here, not at the proxy", "0"),
    PROXY_NAME("proxyport", NULL, "port of the proxy", "8080"),
};

static const struct modcat_option_group groups[] = {
    {.name = "HTTP", .help = "HTTP proxies", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {
    {
        .name = "PROXY",
        .aliases = "PROXY-CONNECT",
        .syntax = ":<proxy-server>:<host>:<port>",
        .groups = "FD,SOCKET,CHILD,RETRY,IP4,IP6,IPAPP,TCP,HTTP",
        .help = "connect through an HTTP proxy, or on top of a connection to one",
        .example = "modcat - PROXY:proxy:www.example.org:443,proxyport=3128",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .flags = MODCAT_TYPE_PROXY,
        .min_params = 3,
        .max_params = 3,
        .open = proxy_open,
        .wrap = proxy_wrap,
        .prepare = proxy_prepare,
        .release = proxy_release,
        .layer_max_params = 2,
        .layer_syntax = "[:<host>:<port>]",
        .layer_groups = "CHILD,RETRY,HTTP",
    },
};

MODCAT_DRIVER(.name = "proxy", .version = MODCAT_DRIVER_VERSION, .needs = "tcp",
              .summary = "connections through HTTP proxies", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups));

static const struct modcat_transport tcp = {
    .size = sizeof(struct modcat_transport),
    .family = AF_UNSPEC,
    .socktype = SOCK_STREAM,
    .protocol = IPPROTO_TCP,
};

static const char *proxy_port(struct modcat_opening *opening)
{
    return modcat_option_string(opening, "proxyport", "8080");
}

static int proxy_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    const struct proxy_wish *wish = modcat_prepared(opening);
    const char *server = modcat_param(opening, 0);
    const char *port = proxy_port(opening);
    if (server[0] == '\0' || port[0] == '\0') {
        errno = EINVAL;
        return modcat_fail(opening, "%s: empty %s of the proxy", modcat_keyword(opening),
                           server[0] == '\0' ? "name" : "port");
    }
    modcat_log(MODCAT_NOTICE, "opening connection to %s:%s via proxy %s:%s", wish->host, wish->port,
               server, port);
    return modcat_connect_host(opening, &tcp, server, port, endpoint);
}

/* One conversation with a proxy. */
struct talk {
    struct modcat_opening *opening;
    struct modcat_endpoint *lower;
    const struct proxy_wish *wish;
    long long deadline;
    struct proxy_answer answer;
    char data[4096]; /* what was read last, and where the peer's bytes begin in it */
    size_t start;
    size_t end;
};

static int fail_io(const struct talk *talk, const char *call)
{
    if (errno == ECANCELED)
        return -1;
    return modcat_fail(talk->opening, "cannot get the proxy's answer: %s [%s]",
                       errno == ETIMEDOUT ? "connect-timeout has passed" : strerror(errno), call);
}

static int ask(const struct talk *talk)
{
    char *request = proxy_request_text(&(struct proxy_request){
        .host = talk->wish->host,
        .port = talk->wish->port,
        .version = talk->wish->version,
        .login = talk->wish->login,
    });
    if (request == NULL)
        return modcat_fail(talk->opening, "out of memory");
    size_t length = strlen(request);
    int result = modcat_lower_send(talk->opening, talk->lower, request, length, talk->deadline);
    int error = errno;
    explicit_bzero(request, length);
    free(request);
    errno = error;
    return result < 0 ? fail_io(talk, "write()") : 0;
}

static int fail_refused(const struct talk *talk)
{
    const struct proxy_answer *answer = &talk->answer;
    bool hint = answer->status == 407 && talk->wish->login == NULL;
    errno = ECONNREFUSED;
    return modcat_fail(talk->opening, "CONNECT %s:%s: %s%s", talk->wish->host, talk->wish->port,
                       answer->why,
                       hint ? "; give user and password with proxy-authorization-file" : "");
}

/* What the peer sends at once may come together with the answer. */
static int listen_to_answer(struct talk *talk)
{
    enum proxy_verdict verdict = PROXY_MORE;
    while (verdict == PROXY_MORE) {
        ssize_t count = modcat_lower_receive(talk->opening, talk->lower, talk->data,
                                             sizeof talk->data, talk->deadline);
        if (count < 0)
            return fail_io(talk, "read()");
        if (count == 0) {
            errno = ECONNRESET;
            return modcat_fail(
                talk->opening,
                "the proxy closed the connection without an answer; it may not be an HTTP proxy");
        }
        talk->end = (size_t)count;
        verdict = proxy_answer_take(&talk->answer, talk->data, talk->end, &talk->start);
    }
    if (verdict == PROXY_GRANTED)
        return 0;
    if (verdict == PROXY_REFUSED)
        return fail_refused(talk);
    errno = EPROTO;
    return modcat_fail(talk->opening, "%s", talk->answer.why);
}

static void log_success(struct modcat_opening *opening, const struct proxy_wish *wish)
{
    if (modcat_is_stacked(opening))
        modcat_log(MODCAT_NOTICE, "successfully connected to %s:%s via the proxy below", wish->host,
                   wish->port);
    else
        modcat_log(MODCAT_NOTICE, "successfully connected to %s:%s via proxy %s:%s", wish->host,
                   wish->port, modcat_param(opening, 0), proxy_port(opening));
}

static int proxy_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                      struct modcat_endpoint *endpoint)
{
    const struct proxy_wish *wish = modcat_prepared(opening);
    struct talk talk = {
        .opening = opening,
        .lower = lower,
        .wish = wish,
        .deadline = modcat_connect_deadline(opening),
        .answer = {.bare_ends = wish->bare_ends},
    };
    if (ask(&talk) < 0 || listen_to_answer(&talk) < 0)
        return -1;
    log_success(opening, wish);
    modcat_set_peer_name(opening, wish->name);
    return modcat_pass_through(lower, endpoint, talk.data + talk.start, talk.end - talk.start);
}
