#define _GNU_SOURCE
#include "http.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static enum http_verdict broken(struct http_head *head, int status, const char *why)
{
    if (!head->is_answer)
        head->status = status;
    head->why = why;
    return HTTP_BROKEN;
}

bool http_is_token(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) &&
            (text[i] == '\0' || strchr("!#$%&'*+-.^_`|~", text[i]) == NULL))
            return false;
    return length > 0;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Of the text between two places, without the blanks around it. */
static const char *trim(const char *start, const char *end, size_t *length)
{
    while (start < end && is_blank(*start))
        start++;
    while (end > start && is_blank(end[-1]))
        end--;
    *length = (size_t)(end - start);
    return start;
}

/* Quotes keep commas together; a backslash between them keeps a quote. */
static const char *element_end(const char *at)
{
    bool quoted = false;
    for (; *at != '\0' && (quoted || *at != ','); at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (quoted && *at == '\\' && at[1] != '\0')
            at++;
    }
    return at;
}

const char *http_next(const char **at, size_t *length)
{
    while (**at != '\0') {
        const char *end = element_end(*at), *start = trim(*at, end, length);
        *at = *end == ',' ? end + 1 : end;
        if (*length > 0)
            return start;
    }
    return NULL;
}

size_t http_count(const struct http_head *head, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < head->count; i++)
        count += strcasecmp(head->headers[i].name, name) == 0;
    return count;
}

const char *http_value(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->count; i++)
        if (strcasecmp(head->headers[i].name, name) == 0)
            return head->headers[i].value;
    return NULL;
}

static bool list_holds(const char *list, const char *word)
{
    const char *element;
    size_t length;
    while ((element = http_next(&list, &length)) != NULL)
        if (length == strlen(word) && strncasecmp(element, word, length) == 0)
            return true;
    return false;
}

bool http_lists(const struct http_head *head, const char *name, const char *word)
{
    for (size_t i = 0; i < head->count; i++)
        if (strcasecmp(head->headers[i].name, name) == 0 &&
            list_holds(head->headers[i].value, word))
            return true;
    return false;
}

const char *http_line_fault(const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    if (colon == NULL || !http_is_token(line, (size_t)(colon - line)))
        return "a header is a name, a colon and a value";
    for (size_t i = 0; i < length; i++)
        if (iscntrl((unsigned char)line[i]) && line[i] != '\t')
            return "a header must not hold control characters";
    return NULL;
}

/* "HTTP/1.1", and for requests nothing older, RFC 6455 section 4.2.1. */
static bool is_version(const char *text, size_t length)
{
    return length == 8 && memcmp(text, "HTTP/1.", 7) == 0 && isdigit((unsigned char)text[7]);
}

static bool is_visible(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

static enum http_verdict take_request_line(struct http_head *head, char *line)
{
    char *target = strchr(line, ' '), *version = target != NULL ? strchr(target + 1, ' ') : NULL;
    if (version == NULL || !is_version(version + 1, strlen(version + 1)))
        return broken(head, 400, "the first line is no request of HTTP/1");
    if (version[8] == '0')
        return broken(head, 505, "a request of HTTP/1.0 can't ask for WebSocket");
    *target++ = *version = '\0';
    if (!http_is_token(line, strlen(line)) || target[0] == '\0' || !is_visible(target))
        return broken(head, 400, "the first line is no request of HTTP/1");
    head->method = line;
    head->target = target;
    return HTTP_MORE;
}

static enum http_verdict take_status_line(struct http_head *head, char *line)
{
    if (strlen(line) < 12 || !is_version(line, 8) || line[8] != ' ' ||
        strspn(line + 9, "0123456789") != 3 || (line[12] != ' ' && line[12] != '\0'))
        return broken(head, 0, "the first line is no answer of HTTP/1");
    head->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + line[11] - '0';
    head->reason = line[12] == ' ' ? line + 13 : "";
    return HTTP_MORE;
}

static enum http_verdict take_header(struct http_head *head, char *line)
{
    char *colon = strchr(line, ':');
    size_t length;
    if (is_blank(line[0]))
        return broken(head, 400, "a header goes on in the next line");
    if (colon == NULL || !http_is_token(line, (size_t)(colon - line)))
        return broken(head, 400, "a line is no header");
    if (head->count == HTTP_HEADERS_MAX)
        return broken(head, 431, "there are more than 100 headers");
    char *value = (char *)trim(colon + 1, strchr(colon, '\0'), &length);
    *colon = value[length] = '\0';
    head->headers[head->count++] = (struct http_header){.name = line, .value = value};
    return HTTP_MORE;
}

/* The line that has just got its CR and LF. Empty lines before a request are left out, RFC 9112
 * section 2.2. */
static enum http_verdict end_line(struct http_head *head)
{
    char *line = head->text + head->line;
    bool is_first = head->method == NULL && head->reason == NULL;
    head->text[head->length - 2] = '\0';
    head->line = head->length;
    if (line[0] == '\0' && is_first && !head->is_answer)
        return HTTP_MORE;
    if (line[0] == '\0' && !is_first)
        return HTTP_WHOLE;
    if (!is_first)
        return take_header(head, line);
    return head->is_answer ? take_status_line(head, line) : take_request_line(head, line);
}

static bool ends_line(const struct http_head *head, char byte)
{
    return byte == '\n' && head->length > head->line && head->text[head->length - 1] == '\r';
}

/* Something else than HTTP is found out at its first bytes: it might send no line at all. */
static bool is_foreign(const struct http_head *head)
{
    static const char start[] = "HTTP/1.";
    size_t length = head->length < sizeof start - 1 ? head->length : sizeof start - 1;
    return head->is_answer && head->reason == NULL && memcmp(head->text, start, length) != 0;
}

static enum http_verdict take_byte(struct http_head *head, char byte)
{
    bool after_return = head->length > head->line && head->text[head->length - 1] == '\r';
    bool ends = ends_line(head, byte);
    if (head->length == HTTP_HEAD_MAX)
        return broken(head, 431, "the headers are longer than 16384 bytes");
    if (after_return && !ends)
        return broken(head, 400, "a carriage return stands within a line");
    if (byte == '\n' && !ends)
        return broken(head, 400, "a line ends without carriage return");
    if (iscntrl((unsigned char)byte) && byte != '\t' && byte != '\r' && byte != '\n')
        return broken(head, 400, "there is a control character in it");
    head->text[head->length++] = byte;
    if (ends)
        return end_line(head);
    return is_foreign(head) ? broken(head, 0, "the first line is no answer of HTTP/1") : HTTP_MORE;
}

enum http_verdict http_take(struct http_head *head, const char *data, size_t length, size_t *used)
{
    enum http_verdict verdict = HTTP_MORE;
    *used = 0;
    while (verdict == HTTP_MORE && *used < length)
        verdict = take_byte(head, data[(*used)++]);
    return verdict;
}
