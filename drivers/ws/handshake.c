/* The handshake, RFC 6455 section 4: one request of HTTP, and one answer.
 *
 *     client: request sent -> answer read: 101 and all that belongs to it, or a failure
 *     server: request read -> judged by the rows of `demands` -> 101 sent, or an answer that says
 *             what is wrong; that client is refused, and no failure of the server
 *
 * Bytes that were read past the end of the head are the beginning of the peer's frames. */

#define _GNU_SOURCE
#include "ws.h"

#include "digest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

/* How long a client that is refused has to take the answer, and how much of it is dropped. */
#define LINGER MODCAT_SECOND
#define LINGER_ROUNDS 64

#define READ_SIZE 4096
#define INTERIM_ANSWERS_MAX 10

/* One conversation. */
struct talk {
    struct modcat_opening *opening;
    struct modcat_endpoint *lower;
    const struct ws_wish *wish;
    struct ws_agreement *agreement;
    long long deadline;
    char key[WS_KEY_TEXT];
    struct bytes subprotocol; /* that is agreed on, with its NUL */
    struct http_head head;
};

static long long earlier(long long one, long long other)
{
    if (one == MODCAT_FOREVER || other == MODCAT_FOREVER)
        return one == MODCAT_FOREVER ? other : one;
    return one < other ? one : other;
}

static struct talk *begin(struct modcat_opening *opening, struct modcat_endpoint *lower,
                          const struct ws_wish *wish, struct ws_agreement *agreement)
{
    struct talk *talk = calloc(1, sizeof *talk);
    if (talk == NULL) {
        modcat_fail(opening, "out of memory");
        return NULL;
    }
    talk->opening = opening;
    talk->lower = lower;
    talk->wish = wish;
    talk->agreement = agreement;
    talk->deadline = earlier(modcat_connect_deadline(opening),
                             wish->handshake_timeout > 0 ? modcat_deadline(wish->handshake_timeout)
                                                         : MODCAT_FOREVER);
    talk->head.is_answer = !agreement->server;
    return talk;
}

static int end(struct talk *talk, int result)
{
    int error = errno;
    bytes_free(&talk->subprotocol);
    explicit_bzero(&talk->head, sizeof talk->head);
    free(talk);
    errno = error;
    return result;
}

/* Reads to the end of a head; what is behind it is kept. Returns 1 at the end of the stream, -1
 * with errno, 0 with *verdict. */
static int read_head(struct talk *talk, enum http_verdict *verdict)
{
    struct bytes *early = &talk->agreement->early;
    for (*verdict = HTTP_MORE; *verdict == HTTP_MORE;) {
        size_t used;
        if (bytes_length(early) == 0) {
            void *room = bytes_room(early, READ_SIZE);
            errno = ENOMEM;
            ssize_t count = room == NULL ? -1
                                         : modcat_lower_receive(talk->opening, talk->lower, room,
                                                                READ_SIZE, talk->deadline);
            if (count <= 0)
                return count < 0 ? -1 : 1;
            early->end += (size_t)count;
        }
        *verdict = http_take(&talk->head, (const char *)early->data + early->start,
                             bytes_length(early), &used);
        bytes_drop(early, used);
    }
    return 0;
}

/* "a, b" of all values of an option. */
static bool add_list(struct modcat_opening *opening, const char *name, struct bytes *text)
{
    const struct modcat_value *value = NULL;
    bool first = true, added = true;
    while (added && (value = modcat_option_next(opening, name, value)) != NULL) {
        added = bytes_add_texts(text, (const char *const[]){first ? "" : ", ", value->string}, 2);
        first = false;
    }
    return added;
}

/* Those of this side come first where it is a server, RFC 6455 section 4.2.2. Subprotocols are told
 * apart by case. */
static const char *find_subprotocol(struct modcat_opening *opening, const char *word, size_t length)
{
    const struct modcat_value *value = NULL;
    while ((value = modcat_option_next(opening, "ws-subprotocol", value)) != NULL) {
        const char *at = value->string, *own;
        size_t own_length;
        while ((own = http_next(&at, &own_length)) != NULL)
            if (own_length == length && memcmp(own, word, length) == 0)
                return own;
    }
    return NULL;
}

static bool wants_subprotocol(const struct talk *talk)
{
    return modcat_option_value(talk->opening, "ws-subprotocol") != NULL;
}

static bool keep_subprotocol(struct talk *talk, const char *word, size_t length)
{
    return bytes_add(&talk->subprotocol, word, length) && bytes_add(&talk->subprotocol, "", 1);
}

static const char *subprotocol(const struct talk *talk)
{
    return (const char *)talk->subprotocol.data;
}

static void log_success(const struct talk *talk, const char *whom)
{
    const char *word = subprotocol(talk);
    modcat_log(MODCAT_NOTICE, "WebSocket with %s%s%s%s", whom, word != NULL ? ", subprotocol " : "",
               word != NULL ? word : "", talk->agreement->terms.agreed ? ", compressed" : "");
}

/* `talk` is NULL where there was no memory for it, which has been reported. */
static int shake_hands(struct talk *talk, int (*dialogue)(struct talk *talk), const char *whom)
{
    if (talk == NULL)
        return -1;
    int result = dialogue(talk);
    if (result == 0)
        log_success(talk, whom);
    return end(talk, result);
}

static bool make_key(char text[WS_KEY_TEXT])
{
    uint8_t key[WS_KEY_BYTES];
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        return false;
    digest_base64(key, sizeof key, text);
    return true;
}

/* An IPv6 address stands in brackets, RFC 3986 section 3.2.2. */
static bool add_host(const struct talk *talk, struct bytes *text)
{
    const struct ws_wish *wish = talk->wish;
    const char *host = wish->host != NULL ? wish->host : modcat_peer_name(talk->opening);
    bool own = modcat_option_value(talk->opening, "ws-host") != NULL;
    if (host == NULL || host[0] == '\0')
        host = "localhost";
    bool bare = !own && strchr(host, ':') != NULL && host[0] != '[';
    const char *const parts[] = {
        "Host: ",   bare ? "[" : "", host, bare ? "]" : "", wish->port != NULL ? ":" : "",
        wish->port, "\r\n"};
    return bytes_add_texts(text, parts, MODCAT_COUNT(parts));
}

static bool add_asked_subprotocols(const struct talk *talk, struct bytes *text)
{
    if (!wants_subprotocol(talk))
        return true;
    return bytes_add_texts(text, (const char *const[]){"Sec-WebSocket-Protocol: "}, 1) &&
           add_list(talk->opening, "ws-subprotocol", text) && bytes_add(text, "\r\n", 2);
}

static bool make_request(const struct talk *talk, struct bytes *text)
{
    const struct ws_wish *wish = talk->wish;
    const char *origin = modcat_option_string(talk->opening, "ws-origin", NULL);
    const char *const first[] = {"GET ", wish->path != NULL ? wish->path : "/", " HTTP/1.1\r\n"};
    const char *const rest[] = {
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: ",
        talk->key,
        "\r\n",
        origin != NULL ? "Origin: " : NULL,
        origin,
        origin != NULL ? "\r\n" : NULL,
        wish->deflate ? "Sec-WebSocket-Extensions: " TERMS_OFFER "\r\n" : NULL,
        wish->headers,
    };
    return bytes_add_texts(text, first, MODCAT_COUNT(first)) && add_host(talk, text) &&
           bytes_add_texts(text, rest, MODCAT_COUNT(rest)) && add_asked_subprotocols(talk, text) &&
           bytes_add(text, "\r\n", 2);
}

static int fail_io(const struct talk *talk, const char *what, const char *call)
{
    if (errno == ECANCELED)
        return -1;
    return modcat_fail(talk->opening, "cannot %s: %s [%s]", what,
                       errno == ETIMEDOUT ? "the time for the handshake is over" : strerror(errno),
                       call);
}

static int send_request(const struct talk *talk)
{
    struct bytes text = {.secret = true};
    if (!make_request(talk, &text)) {
        bytes_free(&text);
        return modcat_fail(talk->opening, "out of memory");
    }
    int result = modcat_lower_send(talk->opening, talk->lower, text.data, text.end, talk->deadline);
    int error = errno;
    bytes_free(&text);
    errno = error;
    return result < 0 ? fail_io(talk, "send the request", "write()") : 0;
}

static int fail_answer(const struct talk *talk, const char *why)
{
    errno = EPROTO;
    return modcat_fail(talk->opening, "the server's answer is none of WebSocket: %s", why);
}

/* Anything but 101. */
static int fail_status(const struct talk *talk)
{
    const struct http_head *head = &talk->head;
    const char *location = http_value(head, "Location"), *hint = "";
    errno = ECONNREFUSED;
    if (head->status / 100 == 3 && location != NULL)
        return modcat_fail(talk->opening,
                           "the server sends clients elsewhere: %d %.200s: connect to %.500s "
                           "instead",
                           head->status, head->reason, location);
    if (head->status / 100 == 2)
        hint = "; there is a web page, and no WebSocket";
    else if (head->status == 401)
        hint = "; give the header Authorization with ws-header-file";
    return modcat_fail(talk->opening, "the server refuses: %d %.200s%s", head->status, head->reason,
                       hint);
}

/* RFC 6455 section 4.1. */
static int check_subprotocol(struct talk *talk)
{
    const char *word = http_value(&talk->head, "Sec-WebSocket-Protocol");
    if (word == NULL && !wants_subprotocol(talk))
        return 0;
    if (word == NULL)
        return fail_answer(talk, "it chooses none of the subprotocols that were offered");
    if (http_count(&talk->head, "Sec-WebSocket-Protocol") != 1 ||
        find_subprotocol(talk->opening, word, strlen(word)) == NULL)
        return fail_answer(talk, "it chooses a subprotocol that was not offered");
    if (!keep_subprotocol(talk, word, strlen(word)))
        return modcat_fail(talk->opening, "out of memory");
    return 0;
}

static int check_answer(struct talk *talk)
{
    const struct http_head *head = &talk->head;
    const char *accept = http_value(head, "Sec-WebSocket-Accept");
    char expected[WS_ACCEPT_TEXT];
    digest_accept(talk->key, expected);
    if (head->status != 101)
        return fail_status(talk);
    if (!http_lists(head, "Upgrade", "websocket") || !http_lists(head, "Connection", "Upgrade"))
        return fail_answer(talk, "it changes to another protocol");
    if (http_count(head, "Sec-WebSocket-Accept") != 1 || strcmp(accept, expected) != 0)
        return fail_answer(talk, "Sec-WebSocket-Accept does not belong to the request");
    const char *fault = terms_read(head, talk->wish->deflate, &talk->agreement->terms);
    if (fault != NULL)
        return fail_answer(talk, fault);
    return check_subprotocol(talk);
}

/* Interim answers are passed over, RFC 9110 section 15.2. */
static int read_answer(struct talk *talk, enum http_verdict *verdict)
{
    for (int i = 0; i < INTERIM_ANSWERS_MAX; i++) {
        int result = read_head(talk, verdict);
        if (result != 0 || *verdict != HTTP_WHOLE || talk->head.status / 100 != 1 ||
            talk->head.status == 101)
            return result;
        talk->head = (struct http_head){.is_answer = true};
    }
    talk->head.why = "there are too many interim answers";
    *verdict = HTTP_BROKEN;
    return 0;
}

static int ask(struct talk *talk)
{
    enum http_verdict verdict;
    if (!make_key(talk->key))
        return modcat_fail(talk->opening, "cannot get random bytes: %s [getrandom()]",
                           strerror(errno));
    if (send_request(talk) < 0)
        return -1;
    int result = read_answer(talk, &verdict);
    if (result < 0)
        return fail_io(talk, "get the server's answer", "read()");
    if (result > 0) {
        errno = ECONNRESET;
        return modcat_fail(talk->opening, "the server closed the connection before the end of its "
                                          "answer; it may not be a web server");
    }
    return verdict == HTTP_BROKEN ? fail_answer(talk, talk->head.why) : check_answer(talk);
}

int ws_ask(struct modcat_opening *opening, struct modcat_endpoint *lower,
           const struct ws_wish *wish, struct ws_agreement *agreement)
{
    return shake_hands(begin(opening, lower, wish, agreement), ask, "the server");
}

/* Statuses that are used, RFC 9110 section 15 and RFC 6585 section 5. */
static const struct {
    int status;
    const char *reason;
    const char *headers;
} statuses[] = {
    {400, "Bad Request", ""},
    {403, "Forbidden", ""},
    {404, "Not Found", ""},
    {405, "Method Not Allowed", "Allow: GET\r\n"},
    {408, "Request Timeout", ""},
    {426, "Upgrade Required",
     "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n"},
    {431, "Request Header Fields Too Large", ""},
    {505, "HTTP Version Not Supported", ""},
};

static bool is_get(struct talk *talk)
{
    return strcmp(talk->head.method, "GET") == 0;
}

/* The query is the program's that is served. */
static bool is_path(struct talk *talk)
{
    const char *path = talk->wish->path, *target = talk->head.target;
    if (path == NULL)
        return true;
    size_t length = strchr(path, '?') != NULL ? strlen(target) : strcspn(target, "?");
    return strlen(path) == length && memcmp(path, target, length) == 0;
}

static bool has_host(struct talk *talk)
{
    return http_count(&talk->head, "Host") == 1;
}

static bool upgrades(struct talk *talk)
{
    return http_lists(&talk->head, "Upgrade", "websocket") &&
           http_lists(&talk->head, "Connection", "Upgrade");
}

static bool is_version_13(struct talk *talk)
{
    return http_count(&talk->head, "Sec-WebSocket-Version") == 1 &&
           strcmp(http_value(&talk->head, "Sec-WebSocket-Version"), "13") == 0;
}

static bool has_key(struct talk *talk)
{
    return http_count(&talk->head, "Sec-WebSocket-Key") == 1 &&
           digest_is_key(http_value(&talk->head, "Sec-WebSocket-Key"));
}

static bool has_no_body(struct talk *talk)
{
    const char *length = http_value(&talk->head, "Content-Length");
    return http_count(&talk->head, "Transfer-Encoding") == 0 &&
           (length == NULL || strcmp(length, "0") == 0);
}

/* An empty one lets clients in that tell none, as programs do. Case does not matter in the parts
 * that browsers send. */
static bool is_origin(struct talk *talk)
{
    const char *origin = http_value(&talk->head, "Origin");
    const struct modcat_value *value = NULL;
    if (modcat_option_value(talk->opening, "ws-origin") == NULL)
        return true;
    while ((value = modcat_option_next(talk->opening, "ws-origin", value)) != NULL)
        if (strcasecmp(value->string, origin != NULL ? origin : "") == 0)
            return http_count(&talk->head, "Origin") <= 1;
    return false;
}

static bool offers_own(struct talk *talk, const char *own, size_t length)
{
    const struct http_head *head = &talk->head;
    for (size_t i = 0; i < head->count; i++) {
        const char *at = head->headers[i].value, *word;
        size_t word_length;
        if (strcasecmp(head->headers[i].name, "Sec-WebSocket-Protocol") != 0)
            continue;
        while ((word = http_next(&at, &word_length)) != NULL)
            if (word_length == length && memcmp(word, own, length) == 0)
                return true;
    }
    return false;
}

static bool chooses_subprotocol(struct talk *talk)
{
    const struct modcat_value *value = NULL;
    if (!wants_subprotocol(talk))
        return true;
    while ((value = modcat_option_next(talk->opening, "ws-subprotocol", value)) != NULL) {
        const char *at = value->string, *own;
        size_t length;
        while ((own = http_next(&at, &length)) != NULL)
            if (offers_own(talk, own, length))
                return keep_subprotocol(talk, own, length);
    }
    return false;
}

/* What a request has to be, RFC 6455 section 4.2.1, in the order in which it is judged. */
static const struct demand {
    bool (*holds)(struct talk *talk);
    int status;
    const char *why;
} demands[] = {
    {is_get, 405, "the method is not GET"},
    {is_path, 404, "this path is not served"},
    {has_host, 400, "there is not exactly one header Host"},
    {upgrades, 426, "the request does not ask for WebSocket"},
    {is_version_13, 426, "the version of WebSocket is not 13"},
    {has_key, 400, "Sec-WebSocket-Key is not 16 bytes in base64"},
    {has_no_body, 400, "the request has a body"},
    {is_origin, 403, "this origin is not let in"},
    {chooses_subprotocol, 400, "none of the client's subprotocols is served"},
};

/* The client can read what it is told before the connection goes: what it still sends would reset
 * that. */
static void linger(struct talk *talk)
{
    long long deadline = modcat_deadline(LINGER);
    char dropped[4096];
    modcat_lower_shutdown(talk->lower);
    for (int i = 0; i < LINGER_ROUNDS; i++)
        if (modcat_lower_receive(talk->opening, talk->lower, dropped, sizeof dropped, deadline) <=
            0)
            return;
}

static void tell(struct talk *talk, int status, const char *why)
{
    char text[512];
    size_t i = 0;
    while (statuses[i].status != status)
        i++;
    int length = snprintf(
        text, sizeof text,
        "HTTP/1.1 %d %s\r\n%s%sContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s\n", status,
        statuses[i].reason, statuses[i].headers, status == 426 ? "" : "Connection: close\r\n",
        strlen(why) + 1, why);
    if (modcat_lower_send(talk->opening, talk->lower, text, (size_t)length,
                          modcat_deadline(LINGER)) == 0)
        linger(talk);
}

static int refuse(struct talk *talk, int status, const char *why)
{
    const struct http_head *head = &talk->head;
    if (head->target != NULL)
        modcat_log(MODCAT_WARNING, "client refused with status %d: %s: %.20s %.200s", status, why,
                   head->method, head->target);
    else
        modcat_log(MODCAT_WARNING, "client refused with status %d: %s", status, why);
    tell(talk, status, why);
    return 1;
}

static int refuse_silent(struct talk *talk, int result)
{
    if (result < 0 && errno == ECANCELED)
        return -1;
    if (result < 0 && errno == ETIMEDOUT)
        return refuse(talk, 408, "the time for the handshake is over");
    modcat_log(MODCAT_WARNING, "client refused: %s before the end of its request",
               result > 0 ? "it closed the connection" : strerror(errno));
    return 1;
}

static bool make_answer(struct talk *talk, struct bytes *text)
{
    char accept[WS_ACCEPT_TEXT], terms[TERMS_TEXT];
    const char *word = subprotocol(talk);
    bool compressed = talk->agreement->terms.agreed;
    digest_accept(http_value(&talk->head, "Sec-WebSocket-Key"), accept);
    const char *const parts[] = {
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: ",
        accept,
        "\r\n",
        word != NULL ? "Sec-WebSocket-Protocol: " : NULL,
        word,
        word != NULL ? "\r\n" : NULL,
        compressed ? "Sec-WebSocket-Extensions: " : NULL,
        compressed ? terms_text(&talk->agreement->terms, terms) : NULL,
        compressed ? "\r\n" : NULL,
        talk->wish->headers,
        "\r\n",
    };
    return bytes_add_texts(text, parts, MODCAT_COUNT(parts));
}

static int send_answer(struct talk *talk)
{
    struct bytes text = {.secret = true};
    if (!make_answer(talk, &text)) {
        bytes_free(&text);
        return modcat_fail(talk->opening, "out of memory");
    }
    int result = modcat_lower_send(talk->opening, talk->lower, text.data, text.end, talk->deadline);
    int error = errno;
    bytes_free(&text);
    errno = error;
    if (result == 0 || errno == ECANCELED)
        return result;
    modcat_log(MODCAT_WARNING, "client refused: cannot answer: %s [write()]", strerror(errno));
    return 1;
}

static int answer(struct talk *talk)
{
    enum http_verdict verdict;
    int result = read_head(talk, &verdict);
    if (result != 0)
        return refuse_silent(talk, result);
    if (verdict == HTTP_BROKEN)
        return refuse(talk, talk->head.status, talk->head.why);
    for (size_t i = 0; i < MODCAT_COUNT(demands); i++)
        if (!demands[i].holds(talk))
            return refuse(talk, demands[i].status, demands[i].why);
    if (talk->wish->deflate)
        terms_choose(&talk->head, &talk->agreement->terms);
    return send_answer(talk);
}

int ws_answer(struct modcat_opening *opening, struct modcat_endpoint *lower,
              const struct ws_wish *wish, struct ws_agreement *agreement)
{
    return shake_hands(begin(opening, lower, wish, agreement), answer, "a client");
}
