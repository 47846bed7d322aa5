/* ws_lower.h: what a WebSocket stands on where a test plays it: bytes that come in pieces, and room
 * for some at a time. */

#ifndef TESTS_UNIT_WS_LOWER_H
#define TESTS_UNIT_WS_LOWER_H

#include "drivers/ws/connection.h"

struct lower {
    const uint8_t *data; /* that come */
    size_t length;
    size_t at;
    size_t piece;  /* most of them at a time; each time there is nothing first */
    bool ends;     /* behind them */
    bool had_none; /* the last time */
    uint8_t sent[1 << 18];
    size_t sent_length;
    size_t room; /* most that is taken at a time; 0: all, and otherwise there is no room first */
    bool had_room;
    char log[4096];
    long long now;
};

/* The one that the functions of <modcat/layer.h> use. */
extern struct lower lower;

/* An endpoint on top of it. `terms` may be NULL. */
void lower_begin(const struct ws_wish *wish, bool server, const struct terms *terms,
                 struct modcat_endpoint *endpoint);
void lower_end(struct modcat_endpoint *endpoint);

#endif
