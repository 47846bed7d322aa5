#define _GNU_SOURCE
#include "terms.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* zlib makes no stream for a window of 2^8 bytes, deflateInit2() in <zlib.h>. */
#define OWN_WINDOW_MIN 9

static bool is_word(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

/* A number between 8 and 15 without zeros in front, RFC 7692 section 7.1.2; 0 is none. */
static int read_window(const char *text, size_t length)
{
    if (length > 2 && text[0] == '"' && text[length - 1] == '"') {
        text++;
        length -= 2;
    }
    if (length == 1 && (text[0] == '8' || text[0] == '9'))
        return text[0] - '0';
    if (length == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5')
        return 10 + text[1] - '0';
    return 0;
}

/* Each may stand there once. `value` NULL: none is given. */
static bool take_flag(bool *flag, const char *value)
{
    bool fits = !*flag && value == NULL;
    *flag = true;
    return fits;
}

static bool take_window(int *window, const char *value, size_t length)
{
    bool fits = *window == 0;
    *window = value != NULL ? read_window(value, length) : TERMS_WINDOW_MAX;
    return fits && *window != 0;
}

static bool take_parameter(struct terms *terms, const char *name, size_t name_length,
                           const char *value, size_t length)
{
    if (is_word(name, name_length, "server_no_context_takeover"))
        return take_flag(&terms->server_forgets, value);
    if (is_word(name, name_length, "client_no_context_takeover"))
        return take_flag(&terms->client_forgets, value);
    if (is_word(name, name_length, "server_max_window_bits"))
        return value != NULL && take_window(&terms->server_window, value, length);
    if (is_word(name, name_length, "client_max_window_bits"))
        return take_window(&terms->client_window, value, length);
    return false;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

static size_t trimmed(const char *start, const char *end)
{
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (size_t)(end - start);
}

/* One parameter, between two semicolons. */
static bool read_parameter(const char *start, const char *end, struct terms *terms)
{
    const char *equals = memchr(start, '=', (size_t)(end - start)), *value = NULL;
    size_t length = 0;
    start = skip_blanks(start, end);
    if (equals != NULL) {
        value = skip_blanks(equals + 1, end);
        length = trimmed(value, end);
        end = equals;
    }
    return end >= start && take_parameter(terms, start, trimmed(start, end), value, length);
}

/* One extension of a list. Returns 1 when it is the one that is known, with all that belongs to it;
 * 0 when it is another one, -1 when it is not understood. */
static int read_extension(const char *element, size_t length, struct terms *terms)
{
    const char *end = element + length, *at = memchr(element, ';', length);
    *terms = (struct terms){0};
    if (!is_word(element, trimmed(element, at != NULL ? at : end), TERMS_OFFER))
        return 0;
    while (at != NULL) {
        const char *start = at + 1;
        at = memchr(start, ';', (size_t)(end - start));
        if (!read_parameter(start, at != NULL ? at : end, terms))
            return -1;
    }
    terms->agreed = true;
    return 1;
}

static const char header[] = "Sec-WebSocket-Extensions";

void terms_choose(const struct http_head *request, struct terms *terms)
{
    for (size_t i = 0; i < request->count; i++) {
        const char *at = request->headers[i].value, *element;
        size_t length;
        if (strcasecmp(request->headers[i].name, header) != 0)
            continue;
        while ((element = http_next(&at, &length)) != NULL)
            if (read_extension(element, length, terms) > 0 &&
                (terms->server_window == 0 || terms->server_window >= OWN_WINDOW_MIN))
                return;
    }
    *terms = (struct terms){0};
}

/* What the client has to keep to is what it offered to. */
const char *terms_text(const struct terms *terms, char text[TERMS_TEXT])
{
    int length = snprintf(text, TERMS_TEXT, TERMS_OFFER "%s%s",
                          terms->server_forgets ? "; server_no_context_takeover" : "",
                          terms->client_forgets ? "; client_no_context_takeover" : "");
    if (terms->server_window != 0)
        snprintf(text + length, TERMS_TEXT - (size_t)length, "; server_max_window_bits=%d",
                 terms->server_window);
    return text;
}

const char *terms_read(const struct http_head *answer, bool offered, struct terms *terms)
{
    *terms = (struct terms){0};
    for (size_t i = 0; i < answer->count; i++) {
        const char *at = answer->headers[i].value, *element;
        size_t length;
        if (strcasecmp(answer->headers[i].name, header) != 0)
            continue;
        while ((element = http_next(&at, &length)) != NULL) {
            struct terms read;
            int kind = read_extension(element, length, &read);
            if (kind == 0 || !offered)
                return "the server has chosen an extension that was not offered";
            if (kind < 0 || read.client_window != 0 || terms->agreed)
                return "the server's terms for compression are not understood";
            *terms = read;
        }
    }
    return NULL;
}
