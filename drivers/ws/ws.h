/* ws.h: what the parts of the driver share. */

#ifndef DRIVERS_WS_WS_H
#define DRIVERS_WS_WS_H

#include "bytes.h"
#include "terms.h"

#include <modcat/layer.h>

/* How data becomes messages. */
enum ws_cut {
    WS_STREAM,  /* as it comes: messages have no meaning */
    WS_LINES,   /* a message is a line without its end */
    WS_MESSAGES /* a message is what one write has, or a packet */
};

/* What the user wants, the same for all peers of a listener. */
struct ws_wish {
    const char *host; /* for the header Host, or NULL: as the level below knows it */
    const char *port; /* behind it, or NULL */
    const char *path; /* NULL: a server takes any */
    char *headers;    /* lines with their ends, or NULL */
    bool text;
    bool deflate;
    enum ws_cut cut;
    size_t max_message;          /* 0: no limit */
    long long handshake_timeout; /* 0: none */
    long long ping_interval;     /* 0: none */
    long long ping_timeout;
};

modcat_prepare_fn ws_prepare;
void ws_release(void *wish);

/* What a handshake has come to. */
struct ws_agreement {
    bool server;
    struct terms terms;
    struct bytes early; /* what was read too far */
};

/* Return 0; 1 where a client was refused; -1 after reporting. */
int ws_ask(struct modcat_opening *opening, struct modcat_endpoint *lower,
           const struct ws_wish *wish, struct ws_agreement *agreement);
int ws_answer(struct modcat_opening *opening, struct modcat_endpoint *lower,
              const struct ws_wish *wish, struct ws_agreement *agreement);

/* Makes the endpoint of it, which owns the agreement's bytes. Returns 0, or -1 after reporting. */
int ws_endpoint(struct modcat_opening *opening, struct modcat_endpoint *lower,
                const struct ws_wish *wish, struct ws_agreement *agreement,
                struct modcat_endpoint *endpoint);

#endif
