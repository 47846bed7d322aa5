/* message.h: the request to an HTTP proxy and its answer, made and read without moving them. See
 * RFC 9110 section 9.3.6 (CONNECT), RFC 9112 (HTTP/1.1) and RFC 7617 (passwords).
 *
 *     status line -> header lines -> empty line -> granted, with what the peer has sent already
 *          |              |
 *          +--------------+--> refused, or malformed: too long, no HTTP, a line without its end
 *
 * The answer is taken piece by piece, however it is cut by the network; of its headers none is
 * kept. Interim answers (1xx) are passed over, RFC 9110 section 15.2. */

#ifndef DRIVERS_PROXY_MESSAGE_H
#define DRIVERS_PROXY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

struct proxy_request {
    const char *host; /* brackets around an IPv6 address */
    const char *port;
    const char *version; /* "1.0" or "1.1" */
    const char *login;   /* "user:password", or NULL */
};

/* Makes the request. Returns a text for free(3), or NULL where there is no memory. */
char *proxy_request_text(const struct proxy_request *request);

/* The longest first line, and the longest answer, in bytes. */
#define PROXY_LINE_MAX 2048
#define PROXY_ANSWER_MAX 65536

enum proxy_verdict {
    PROXY_MORE,    /* the answer is not complete */
    PROXY_GRANTED, /* it is, and what follows is the peer's */
    PROXY_REFUSED, /* `status` and `why` tell */
    PROXY_BROKEN   /* `why` tells what is no answer of a proxy */
};

/* An answer that is being read. It starts as zeros. */
struct proxy_answer {
    bool bare_ends;    /* lines may end without CR; the caller's choice */
    bool headers;      /* the first line is complete */
    bool after_return; /* the last byte was CR */
    size_t length;     /* of the current line, CR and LF left out */
    size_t total;      /* of the answer so far */
    int status;
    char line[PROXY_LINE_MAX + 1]; /* the first line */
    char why[PROXY_LINE_MAX + 100];
};

/* Takes the next bytes. *used tells how many of them belong to the answer; all, unless the verdict
 * is PROXY_GRANTED. */
enum proxy_verdict proxy_answer_take(struct proxy_answer *answer, const char *data, size_t length,
                                     size_t *used);

#endif
