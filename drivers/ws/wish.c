/* What the user wants: parameters and options, judged before anything is opened. */

#define _GNU_SOURCE
#include "ws.h"

#include <errno.h>
#include <modcat/net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How long a client may take to ask; and what a message that is kept whole may take of memory. */
#define PATIENCE (60 * MODCAT_SECOND)
#define WHOLE_MESSAGE_MAX ((size_t)1 << 20)

static int no_memory(const struct modcat_opening *opening)
{
    return modcat_fail(opening, "out of memory");
}

/* Blanks and line ends would make another request of it. */
static bool is_visible(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

static int take_path(struct modcat_opening *opening, size_t index, struct ws_wish *wish)
{
    wish->path = modcat_param(opening, index);
    if (wish->path[0] != '/') {
        errno = EINVAL;
        return modcat_fail_param(opening, index, "a path begins with \"/\"");
    }
    if (!is_visible(wish->path) || strchr(wish->path, '#') != NULL) {
        errno = EINVAL;
        return modcat_fail_param(
            opening, index,
            "blanks, \"#\" and all that is not ASCII have to be written as %%20 "
            "and the like in a path");
    }
    return 0;
}

/* A port that everybody assumes is left out. On top of another address it is mostly that of TLS. */
static int take_host(struct modcat_opening *opening, struct ws_wish *wish)
{
    wish->host = modcat_param(opening, 0);
    wish->port = modcat_param(opening, 1);
    if (wish->host[0] == '/' || !is_visible(wish->host)) {
        errno = EINVAL;
        return modcat_fail_param(opening, 0,
                                 wish->host[0] == '/'
                                     ? "here is the place of the host; a colon in a path is \"\\:\""
                                     : "a host holds no blanks and control characters");
    }
    int number = modcat_port_number(opening, wish->port);
    if (number == (modcat_is_stacked(opening) ? 443 : 80))
        wish->port = NULL;
    return number < 0 ? -1 : 0;
}

static int take_params(struct modcat_opening *opening, struct ws_wish *wish)
{
    size_t count = modcat_param_count(opening);
    if (count > 1 && modcat_is_served(opening)) {
        errno = EINVAL;
        return modcat_fail_param(opening, 0, "a server has a path, and no host and port");
    }
    if (count > 1 && take_host(opening, wish) < 0)
        return -1;
    return count % 2 == 1 ? take_path(opening, count - 1, wish) : 0;
}

static int take_own_host(struct modcat_opening *opening, struct ws_wish *wish)
{
    const char *host = modcat_option_string(opening, "ws-host", NULL);
    if (host == NULL)
        return 0;
    errno = EINVAL;
    if (modcat_is_served(opening))
        return modcat_fail_option(opening, "ws-host", "only clients ask for a host");
    if (!is_visible(host))
        return modcat_fail_option(opening, "ws-host",
                                  "a host holds no blanks and control characters");
    wish->host = host;
    wish->port = NULL;
    return 0;
}

/* What the handshake makes itself, RFC 6455 sections 4.1 and 4.2. */
static const char *const own_headers[] = {
    "Connection",
    "Content-Length",
    "Host",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "Transfer-Encoding",
    "Upgrade",
};

static const char *header_fault(const char *line, size_t length)
{
    const char *fault = http_line_fault(line, length);
    for (size_t i = 0; fault == NULL && i < MODCAT_COUNT(own_headers); i++) {
        size_t name = strlen(own_headers[i]);
        if (length > name && line[name] == ':' && strncasecmp(line, own_headers[i], name) == 0)
            fault = "this header is made by the handshake; ws-host and ws-subprotocol can change "
                    "it";
    }
    return fault;
}

static bool add_line(struct bytes *headers, const char *line, size_t length)
{
    return bytes_add(headers, line, length) && bytes_add(headers, "\r\n", 2);
}

static int take_header_options(struct modcat_opening *opening, struct bytes *headers)
{
    const struct modcat_value *value = NULL;
    while ((value = modcat_option_next(opening, "ws-header", value)) != NULL) {
        const char *fault = header_fault(value->string, strlen(value->string));
        if (fault != NULL) {
            errno = EINVAL;
            return modcat_fail_option(opening, "ws-header", "%s", fault);
        }
        if (!add_line(headers, value->string, strlen(value->string)))
            return no_memory(opening);
    }
    return 0;
}

/* The lines hold secrets: what is wrong with one is told without it. */
static int take_header_lines(struct modcat_opening *opening, const char *text,
                             struct bytes *headers)
{
    for (unsigned number = 1; *text != '\0'; number++) {
        size_t whole = strcspn(text, "\n"), length = whole;
        if (length > 0 && text[length - 1] == '\r')
            length--;
        const char *fault = length > 0 ? header_fault(text, length) : NULL;
        if (fault != NULL) {
            errno = EINVAL;
            return modcat_fail_option(opening, "ws-header-file", "line %u: %s", number, fault);
        }
        if (length > 0 && !add_line(headers, text, length))
            return no_memory(opening);
        text += text[whole] == '\n' ? whole + 1 : whole;
    }
    return 0;
}

static int take_header_file(struct modcat_opening *opening, struct bytes *headers)
{
    const char *file = modcat_option_string(opening, "ws-header-file", NULL);
    char *text = file != NULL ? modcat_read_secret(opening, file) : NULL;
    if (text == NULL)
        return file != NULL ? -1 : 0;
    int result = take_header_lines(opening, text, headers), error = errno;
    explicit_bzero(text, strlen(text));
    free(text);
    errno = error;
    return result;
}

static int take_headers(struct modcat_opening *opening, struct ws_wish *wish)
{
    struct bytes headers = {.secret = true};
    int result = 0;
    if (take_header_options(opening, &headers) < 0 || take_header_file(opening, &headers) < 0)
        result = -1;
    else if (!bytes_add(&headers, "", 1))
        result = no_memory(opening);
    else if ((wish->headers = strdup((const char *)headers.data)) == NULL)
        result = no_memory(opening);
    else
        modcat_wipe_when_open(opening, wish->headers);
    bytes_free(&headers);
    return result;
}

static int check_subprotocols(struct modcat_opening *opening)
{
    const struct modcat_value *value = NULL;
    while ((value = modcat_option_next(opening, "ws-subprotocol", value)) != NULL) {
        const char *at = value->string, *word;
        size_t length, count = 0;
        while ((word = http_next(&at, &length)) != NULL && http_is_token(word, length))
            count++;
        if (word != NULL || count == 0) {
            errno = EINVAL;
            return modcat_fail_option(
                opening, "ws-subprotocol",
                "a subprotocol is a word of letters, digits and signs such as \"-\" and \".\"");
        }
    }
    return 0;
}

static int check_origins(struct modcat_opening *opening)
{
    const struct modcat_value *value = NULL;
    while ((value = modcat_option_next(opening, "ws-origin", value)) != NULL)
        if (!is_visible(value->string)) {
            errno = EINVAL;
            return modcat_fail_option(opening, "ws-origin",
                                      "an origin is as in https://www.example.org");
        }
    return 0;
}

static int take_cut(struct modcat_opening *opening, struct ws_wish *wish)
{
    bool lines = modcat_option_bool(opening, "ws-lines", false);
    bool messages = modcat_option_bool(opening, "ws-messages", false);
    if (lines && messages) {
        errno = EINVAL;
        return modcat_fail(opening, "use only one of the options ws-lines and ws-messages");
    }
    wish->cut = lines ? WS_LINES : messages ? WS_MESSAGES : WS_STREAM;
    wish->text = modcat_option_bool(opening, "ws-text", false);
    wish->deflate = modcat_option_bool(opening, "ws-deflate", false);
    wish->max_message = (size_t)modcat_option_number(opening, "ws-max-message",
                                                     messages ? (long long)WHOLE_MESSAGE_MAX : 0);
    if (messages && (wish->max_message == 0 || wish->max_message > SIZE_MAX / 8))
        wish->max_message = SIZE_MAX / 8;
    return 0;
}

static long long option_time(struct modcat_opening *opening, const char *name, long long otherwise)
{
    const struct modcat_value *value = modcat_option_value(opening, name);
    return value != NULL ? value->time : otherwise;
}

static void take_times(struct modcat_opening *opening, struct ws_wish *wish)
{
    wish->handshake_timeout =
        option_time(opening, "ws-handshake-timeout", modcat_is_served(opening) ? PATIENCE : 0);
    wish->ping_interval = option_time(opening, "ws-ping", 0);
    wish->ping_timeout = option_time(opening, "ws-ping-timeout", wish->ping_interval);
}

static void wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

void ws_release(void *prepared)
{
    struct ws_wish *wish = prepared;
    wipe(wish->headers);
    free(wish);
}

int ws_prepare(struct modcat_opening *opening, void **prepared)
{
    struct ws_wish *wish = calloc(1, sizeof *wish);
    if (wish == NULL)
        return no_memory(opening);
    take_times(opening, wish);
    if (take_params(opening, wish) < 0 || take_own_host(opening, wish) < 0 ||
        take_headers(opening, wish) < 0 || check_subprotocols(opening) < 0 ||
        check_origins(opening) < 0 || take_cut(opening, wish) < 0) {
        int error = errno;
        ws_release(wish);
        errno = error;
        return -1;
    }
    *prepared = wish;
    return 0;
}
