/* http.h: the heads of HTTP requests and answers (RFC 9112), read as they come, and judged
 * strictly: lines end with CR and LF, no line goes on in the next one, names are tokens, and no
 * control character is let through.
 *
 *     first line -> header lines -> empty line: whole
 *         |              |
 *         +--------------+--> broken; `why` tells, and `status` what to answer
 *
 * A head is taken piece by piece, however it is cut by the network. What follows it is left. */

#ifndef DRIVERS_WS_HTTP_H
#define DRIVERS_WS_HTTP_H

#include <stdbool.h>
#include <stddef.h>

/* The longest head, in bytes, and the most headers in it. */
#define HTTP_HEAD_MAX 16384
#define HTTP_HEADERS_MAX 100

enum http_verdict { HTTP_MORE, HTTP_WHOLE, HTTP_BROKEN };

struct http_header {
    const char *name;
    const char *value; /* without the blanks around it */
};

/* A head that is being read. It starts as zeros, but for `is_answer`. */
struct http_head {
    bool is_answer; /* and no request; the caller's choice */
    size_t length;
    size_t line; /* where the current line begins */

    /* Of a whole head. */
    const char *method; /* of a request */
    const char *target;
    int status;         /* of an answer; of a broken request, what to answer */
    const char *reason; /* of an answer */
    size_t count;
    struct http_header headers[HTTP_HEADERS_MAX];

    const char *why;              /* of a broken one */
    char text[HTTP_HEAD_MAX + 1]; /* cut into the above */
};

/* Takes the next bytes. *used tells how many of them belong to the head. */
enum http_verdict http_take(struct http_head *head, const char *data, size_t length, size_t *used);

/* How often a header is there, and the value of the first one, or NULL. */
size_t http_count(const struct http_head *head, const char *name);
const char *http_value(const struct http_head *head, const char *name);

/* True when one of the headers of this name, each a list, holds the word in any case. */
bool http_lists(const struct http_head *head, const char *name, const char *word);

/* Cuts the next element off a list with commas: *at moves on, and *length is how long the element
 * is without blanks around it. Commas between quotes belong to it. NULL: none is left. */
const char *http_next(const char **at, size_t *length);

/* True when all of the text is a token of HTTP, RFC 9110 section 5.6.2, and not empty. */
bool http_is_token(const char *text, size_t length);

/* NULL when a line "name: value" can be sent as a header, or what is wrong with it. */
const char *http_line_fault(const char *line, size_t length);

#endif
