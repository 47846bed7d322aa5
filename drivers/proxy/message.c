#define _GNU_SOURCE
#include "message.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *base64(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = strlen(text);
    char *result = malloc((length + 2) / 3 * 4 + 1), *at = result;
    for (size_t i = 0; result != NULL && i < length; i += 3) {
        size_t count = length - i < 3 ? length - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= count > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= count > 2 ? bytes[i + 2] : 0;
        *at++ = digits[group >> 18];
        *at++ = digits[group >> 12 & 63];
        *at++ = count > 1 ? digits[group >> 6 & 63] : '=';
        *at++ = count > 2 ? digits[group & 63] : '=';
    }
    if (result != NULL)
        *at = '\0';
    return result;
}

/* printf(3) would leave a copy of secrets on the stack. */
static char *join(const char *const *parts, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += strlen(parts[i]);
    char *text = malloc(length + 1), *at = text;
    for (size_t i = 0; text != NULL && i < count; i++)
        at = stpcpy(at, parts[i]);
    return text;
}

/* HTTP/1.0 knows no header Host, HTTP/1.1 demands it. */
static char *compose(const struct proxy_request *request, const char *login)
{
    bool named = strcmp(request->version, "1.0") != 0;
    const char *const parts[] = {
        "CONNECT ",
        request->host,
        ":",
        request->port,
        " HTTP/",
        request->version,
        "\r\n",
        named ? "Host: " : "",
        named ? request->host : "",
        named ? ":" : "",
        named ? request->port : "",
        named ? "\r\n" : "",
        login != NULL ? "Proxy-authorization: Basic " : "",
        login != NULL ? login : "",
        login != NULL ? "\r\n" : "",
        "\r\n",
    };
    return join(parts, sizeof parts / sizeof parts[0]);
}

char *proxy_request_text(const struct proxy_request *request)
{
    if (request->login == NULL)
        return compose(request, NULL);
    char *login = base64(request->login);
    char *text = login != NULL ? compose(request, login) : NULL;
    if (login != NULL)
        explicit_bzero(login, strlen(login));
    free(login);
    return text;
}

/* An answer that nobody with a blank for the version's last digit would take for another one. */
static const char start[] = "HTTP/1.";
#define START_LENGTH (sizeof start - 1)
#define VERSION_LENGTH (START_LENGTH + 1)

static enum proxy_verdict broken(struct proxy_answer *answer, const char *what, const char *detail)
{
    snprintf(answer->why, sizeof answer->why, "proxy: %s%s", what, detail);
    return PROXY_BROKEN;
}

static enum proxy_verdict invalid(struct proxy_answer *answer)
{
    answer->line[answer->length] = '\0';
    snprintf(answer->why, sizeof answer->why, "proxy: invalid answer \"%s\"", answer->line);
    return PROXY_BROKEN;
}

static enum proxy_verdict too_long(struct proxy_answer *answer, int limit)
{
    snprintf(answer->why, sizeof answer->why, "proxy answer exceeds %d bytes, aborting", limit);
    return PROXY_BROKEN;
}

/* Something else than a proxy is found out at its first bytes: it might send no line at all. What
 * else is there of its line is good to see. */
static enum proxy_verdict foreign(struct proxy_answer *answer, const char *rest, size_t length)
{
    size_t count = 0;
    while (count < length && answer->length < PROXY_LINE_MAX && rest[count] != '\r' &&
           rest[count] != '\n')
        answer->line[answer->length++] = rest[count++];
    return invalid(answer);
}

static bool is_start(const struct proxy_answer *answer)
{
    size_t length = answer->length < START_LENGTH ? answer->length : START_LENGTH;
    return memcmp(answer->line, start, length) == 0;
}

/* Returns the three digits behind the version, or -1; *reason is what follows. */
static int parse_status(const char *line, const char **reason)
{
    const char *at = line + VERSION_LENGTH;
    if (strlen(line) <= VERSION_LENGTH || !isdigit((unsigned char)at[-1]) || *at != ' ')
        return -1;
    at += strspn(at, " ");
    if (strspn(at, "0123456789") != 3 || (at[3] != ' ' && at[3] != '\0'))
        return -1;
    *reason = at + 3 + strspn(at + 3, " ");
    return (int)strtol(at, NULL, 10);
}

static enum proxy_verdict end_first_line(struct proxy_answer *answer)
{
    const char *reason;
    answer->line[answer->length] = '\0';
    answer->status = parse_status(answer->line, &reason);
    if (answer->status < 100)
        return invalid(answer);
    answer->headers = true;
    answer->length = 0;
    if (answer->status / 100 == 2 || (answer->status / 100 == 1 && answer->status != 101))
        return PROXY_MORE;
    if (reason[0] != '\0')
        snprintf(answer->why, sizeof answer->why, "%s (status %d)", reason, answer->status);
    else
        snprintf(answer->why, sizeof answer->why, "status %d", answer->status);
    return PROXY_REFUSED;
}

/* Behind an interim answer, the final one follows. */
static enum proxy_verdict end_line(struct proxy_answer *answer)
{
    bool whole = answer->headers && answer->length == 0;
    if (!answer->headers)
        return end_first_line(answer);
    answer->length = 0;
    if (!whole)
        return PROXY_MORE;
    answer->headers = false;
    return answer->status / 100 == 1 ? PROXY_MORE : PROXY_GRANTED;
}

static enum proxy_verdict take_line_feed(struct proxy_answer *answer)
{
    bool returned = answer->after_return;
    answer->after_return = false;
    if (!returned && !answer->bare_ends)
        return broken(answer, "a line of the answer ends without carriage return; ",
                      "option ignorecr permits that");
    return end_line(answer);
}

/* A CR that no LF follows is a byte as all others. */
static enum proxy_verdict take_byte(struct proxy_answer *answer, char byte)
{
    if (answer->after_return)
        answer->length++;
    answer->after_return = byte == '\r';
    if (!answer->headers && answer->length >= PROXY_LINE_MAX)
        return too_long(answer, PROXY_LINE_MAX);
    if (!answer->headers)
        answer->line[answer->length] = byte;
    if (!answer->after_return)
        answer->length++;
    return PROXY_MORE;
}

enum proxy_verdict proxy_answer_take(struct proxy_answer *answer, const char *data, size_t length,
                                     size_t *used)
{
    enum proxy_verdict verdict = PROXY_MORE;
    *used = 0;
    while (verdict == PROXY_MORE && *used < length) {
        char byte = data[(*used)++];
        if (++answer->total > PROXY_ANSWER_MAX)
            return too_long(answer, PROXY_ANSWER_MAX);
        verdict = byte == '\n' ? take_line_feed(answer) : take_byte(answer, byte);
        if (verdict == PROXY_MORE && !answer->headers && !is_start(answer))
            return foreign(answer, data + *used, length - *used);
    }
    return verdict;
}
