/* The handshakes of SOCKS 4 and 4A, and of SOCKS 5 (RFC 1928) with passwords (RFC 1929): requests
 * go to the server below, replies come back.
 *
 *     SOCKS 4: request -> reply
 *     SOCKS 5: methods -> choice (-> user and password -> verdict) -> request -> reply
 *     BIND:    a second reply, when the peer has connected to the server
 *
 * Each exchange has to be done before connect-timeout, but for the wait for a peer of BIND. Replies
 * are read byte by byte as far as they reach, so that nothing is taken of what follows: the layer
 * passes everything through afterwards. Requests are wiped, for they may hold a password. */

#define _GNU_SOURCE
#include "socks.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* One request, or none, and the reply to it. */
struct exchange {
    socks_read_fn *read;
    const char *name;      /* of the reply */
    const char *suspicion; /* added where the reply does not come, or "" */
    const char *about;     /* whom a refusal is about, or NULL */
    long long deadline;
    bool begins_late; /* `deadline` is made when the reply begins */
    uint8_t request[SOCKS_REQUEST_MAX];
    size_t request_length;
    struct socks_reply reply;
};

#define NO_SOCKS4 "; it may not be a SOCKS4 server"
#define NO_SOCKS5 "; it may not be a SOCKS5 server"

static int fail_io(const struct modcat_opening *opening, const char *call,
                   const struct exchange *exchange)
{
    if (errno == ECANCELED)
        return -1;
    return modcat_fail(opening, "cannot get the %s: %s%s [%s]", exchange->name,
                       errno == ETIMEDOUT ? "connect-timeout has passed" : strerror(errno),
                       exchange->suspicion, call);
}

static int fail_end(const struct modcat_opening *opening, const struct exchange *exchange)
{
    errno = ECONNRESET;
    return modcat_fail(opening, "the server closed the connection before the end of the %s%s",
                       exchange->name, exchange->suspicion);
}

static int fail_refused(const struct modcat_opening *opening, const struct exchange *exchange)
{
    errno = ECONNREFUSED;
    return modcat_fail(opening, "%s%s%s", exchange->about != NULL ? exchange->about : "",
                       exchange->about != NULL ? ": " : "", exchange->reply.why);
}

static int send_request(struct modcat_opening *opening, struct modcat_endpoint *lower,
                        struct exchange *exchange)
{
    int result = modcat_lower_send(opening, lower, exchange->request, exchange->request_length,
                                   exchange->deadline);
    explicit_bzero(exchange->request, exchange->request_length);
    return result < 0 ? fail_io(opening, "write()", exchange) : 0;
}

/* Never reads a byte that the peer behind the server has sent. */
static int receive_reply(struct modcat_opening *opening, struct modcat_endpoint *lower,
                         struct exchange *exchange)
{
    uint8_t data[SOCKS_REPLY_MAX];
    size_t length = 0;
    for (;;) {
        enum socks_verdict verdict = exchange->read(data, length, &exchange->reply);
        if (verdict == SOCKS_GRANTED)
            return 0;
        if (verdict == SOCKS_REFUSED)
            return fail_refused(opening, exchange);
        ssize_t count = modcat_lower_receive(opening, lower, data + length, exchange->reply.missing,
                                             exchange->deadline);
        if (count <= 0)
            return count < 0 ? fail_io(opening, "read()", exchange) : fail_end(opening, exchange);
        if (length == 0 && exchange->begins_late)
            exchange->deadline = modcat_connect_deadline(opening);
        length += (size_t)count;
    }
}

static int run(struct modcat_opening *opening, struct modcat_endpoint *lower,
               struct exchange *exchange)
{
    if (send_request(opening, lower, exchange) < 0)
        return -1;
    return receive_reply(opening, lower, exchange);
}

static void log_bound(const char *what, const struct socks_reply *reply)
{
    char text[SOCKS_HOST_TEXT];
    modcat_log(MODCAT_NOTICE, "%s %s", what, socks_host_text(&reply->bound, text));
}

int socks4_handshake(struct modcat_opening *opening, struct modcat_endpoint *lower,
                     const struct socks_wish *wish)
{
    struct exchange exchange = {
        .read = socks4_read_reply,
        .name = "socks reply",
        .suspicion = NO_SOCKS4,
        .about = wish->target_text,
        .deadline = modcat_connect_deadline(opening),
    };
    exchange.request_length = socks4_request(&wish->target, wish->user, exchange.request);
    int result = run(opening, lower, &exchange);
    if (exchange.reply.version > 0)
        modcat_log(MODCAT_WARNING, "socks: reply code version is not 0 (%d)",
                   exchange.reply.version);
    if (result < 0)
        return -1;
    modcat_log(MODCAT_NOTICE, "successfully connected via socks4 to %s", wish->target_text);
    return 0;
}

static int fail_method(const struct modcat_opening *opening, int method,
                       const struct socks_wish *wish)
{
    const char *hint =
        wish->password == NULL
            ? "; give user and password with socksuser and socks-password-file if it wants them"
            : "";
    errno = EACCES;
    if (method == 0xff)
        return modcat_fail(opening,
                           "SOCKS5 authentication negotiation failed - client & server have no "
                           "common supported methods%s",
                           hint);
    return modcat_fail(opening, "SOCKS5 server requested unsupported auth method (%d)%s", method,
                       method == SOCKS_PASSWORD ? hint : "");
}

static int log_in(struct modcat_opening *opening, struct modcat_endpoint *lower,
                  const struct socks_wish *wish, long long deadline)
{
    struct exchange exchange = {
        .read = socks5_read_login,
        .name = "SOCKS5 authentication reply",
        .suspicion = "",
        .about = wish->user,
        .deadline = deadline,
    };
    exchange.request_length = socks5_login(wish->user, wish->password, exchange.request);
    if (run(opening, lower, &exchange) < 0)
        return -1;
    modcat_log(MODCAT_NOTICE, "SOCKS5 server accepted user \"%s\"", wish->user);
    return 0;
}

static int greet(struct modcat_opening *opening, struct modcat_endpoint *lower,
                 const struct socks_wish *wish, long long deadline)
{
    struct exchange exchange = {
        .read = socks5_read_hello,
        .name = "SOCKS5 server hello",
        .suspicion = NO_SOCKS5,
        .deadline = deadline,
    };
    exchange.request_length = socks5_hello(wish->password != NULL, exchange.request);
    if (run(opening, lower, &exchange) < 0)
        return -1;
    if (exchange.reply.code == SOCKS_NO_LOGIN)
        return 0;
    if (exchange.reply.code == SOCKS_PASSWORD && wish->password != NULL)
        return log_in(opening, lower, wish, deadline);
    return fail_method(opening, exchange.reply.code, wish);
}

/* Tells who has connected to the server; a name says nothing to filters and children. */
static void introduce(struct modcat_opening *opening, const struct socks_host *host)
{
    struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_port = htons(host->port)};
    struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6, .sin6_port = htons(host->port)};
    if (host->kind == SOCKS_IP4) {
        memcpy(&ip4.sin_addr, host->bytes, sizeof ip4.sin_addr);
        modcat_set_peer(opening, (const struct sockaddr *)&ip4, sizeof ip4, NULL, 0);
    } else if (host->kind == SOCKS_IP6) {
        memcpy(&ip6.sin6_addr, host->bytes, sizeof ip6.sin6_addr);
        modcat_set_peer(opening, (const struct sockaddr *)&ip6, sizeof ip6, NULL, 0);
    }
}

/* A second reply comes when a peer does, which may take as long as it likes; then it comes at once.
 */
static int await_peer(struct modcat_opening *opening, struct modcat_endpoint *lower,
                      struct exchange *exchange)
{
    log_bound("remote host listens on", &exchange->reply);
    modcat_log(MODCAT_NOTICE, "listening on remote host, waiting for connection");
    exchange->deadline = MODCAT_FOREVER;
    exchange->begins_late = true;
    if (receive_reply(opening, lower, exchange) < 0)
        return -1;
    log_bound("received connection on remote host from", &exchange->reply);
    introduce(opening, &exchange->reply.bound);
    return 0;
}

int socks5_handshake(struct modcat_opening *opening, struct modcat_endpoint *lower,
                     const struct socks_wish *wish)
{
    const struct socks_kind *kind = modcat_type_data(opening);
    struct exchange exchange = {
        .read = socks5_read_reply,
        .name = "SOCKS5 reply",
        .suspicion = "",
        .about = wish->target_text,
        .deadline = modcat_connect_deadline(opening),
    };
    if (greet(opening, lower, wish, exchange.deadline) < 0)
        return -1;
    exchange.request_length = socks5_request(kind->command, &wish->target, exchange.request);
    if (run(opening, lower, &exchange) < 0)
        return -1;
    if (kind->command == SOCKS_BIND)
        return await_peer(opening, lower, &exchange);
    modcat_log(MODCAT_NOTICE, "successfully connected via socks5 to %s", wish->target_text);
    return 0;
}
