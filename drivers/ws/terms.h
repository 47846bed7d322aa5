/* terms.h: what both sides agree on about compression: permessage-deflate, RFC 7692. */

#ifndef DRIVERS_WS_TERMS_H
#define DRIVERS_WS_TERMS_H

#include "http.h"

#define TERMS_WINDOW_MAX 15

/* It starts as zeros: nothing is compressed. */
struct terms {
    bool agreed;
    bool client_forgets; /* each message of the client is compressed by itself */
    bool server_forgets;
    int client_window; /* bits of the window; 0: not named */
    int server_window;
};

/* What a client offers. */
#define TERMS_OFFER "permessage-deflate"

/* The server's choice among what a client offers: the first that it can carry out, or none. */
void terms_choose(const struct http_head *request, struct terms *terms);

/* What a server answers to it. */
#define TERMS_TEXT 120
const char *terms_text(const struct terms *terms, char text[TERMS_TEXT]);

/* The server's answer to a client that has made an offer or not. Returns NULL, or what is wrong
 * with it. */
const char *terms_read(const struct http_head *answer, bool offered, struct terms *terms);

#endif
