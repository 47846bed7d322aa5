/* connection.h: an open connection: messages that come and go.
 *
 *     open -> goodbye said -> both have said it      (Close of RFC 6455 section 5.5.1)
 *      |           |
 *      +-----------+--> failed: reported once; the peer is told why by a Close of this side
 *
 * Frames are read and made by libwslay, one by one: what belongs together, and what it means, is
 * judged here. The library gets the bytes of one frame at a time, so that the beginning is known of
 * one that is malformed. */

#ifndef DRIVERS_WS_CONNECTION_H
#define DRIVERS_WS_CONNECTION_H

#include "mask.h"
#include "utf8.h"
#include "ws.h"

#include <wslay/wslay.h>
#include <zlib.h>

#define CONTROL_MAX 125
#define FRAME_HEAD_MAX 14

/* The frame that is being read. */
struct frame {
    uint8_t head[FRAME_HEAD_MAX]; /* as it came */
    size_t head_length;
    size_t head_given; /* of it, to the library */
    uint64_t given;    /* of the payload, to the library ... */
    uint64_t taken;    /* ... and from it */
    bool open;         /* it has been judged, and is not complete */
    bool fin;
    uint8_t opcode;
};

/* What comes. */
struct incoming {
    struct bytes raw;
    struct frame frame;
    uint8_t control[CONTROL_MAX]; /* payload of a control frame, so far */
    size_t control_length;

    bool in_message; /* its last frame is not complete */
    bool text;
    bool compressed;
    uint64_t size;     /* of the message, so far; not where it is compressed ... */
    uint64_t inflated; /* ... then what became of it */
    struct utf8 utf8;
    const uint8_t *chunk; /* of it, in the library, and not taken yet */
    size_t chunk_left;
    bool ends;       /* behind the chunk */
    bool tail_given; /* what a compressed message leaves out at its end */
    bool inflates;   /* the library may have more without more input */

    bool end_due;         /* the end of a line */
    struct bytes message; /* one that is kept whole */
};

/* What goes. Control frames wait for the end of the frame that is on its way. */
struct outgoing {
    struct bytes raw;
    bool head_due; /* the library makes the head of a frame next */
    uint8_t mask[MASK_BYTES];
    uint64_t masked; /* so much of the payload of the frame */
    size_t taken;    /* of the data that a write was given, to be told when `raw` is sent */
    bool in_message;
    uint64_t size; /* of the message, so far */
    struct utf8 utf8;
    uint8_t pong[CONTROL_MAX];
    size_t pong_length;
    bool pong_due;
    bool ping_due;
    uint16_t close_code; /* 0: no Close has to be sent */
    const char *close_reason;
    bool close_sent; /* or it waits in `raw` */
};

struct ws {
    struct modcat_endpoint *lower;
    struct modcat_endpoint *endpoint;
    struct wslay_frame_context *frames;
    char *name; /* for messages */
    bool server;
    bool text;
    enum ws_cut cut;
    size_t max_message;
    struct terms terms;
    z_stream *inflater;
    z_stream *deflater;
    struct incoming in;
    struct outgoing out;

    bool closed;  /* the peer has said goodbye */
    bool leaving; /* this side has begun to */
    bool failed;
    int error; /* errno of the failure */

    long long ping_interval;
    long long ping_timeout;
    long long last_ping;
    bool awaits_pong;
};

#define CLOSE_NORMAL 1000
#define CLOSE_GOING_AWAY 1001
#define CLOSE_PROTOCOL 1002
#define CLOSE_NONE 1005
#define CLOSE_PAYLOAD 1007
#define CLOSE_TOO_BIG 1009
#define CLOSE_INTERNAL 1011

/* Reports the reason for a failure, once, and queues a Close with this code for the peer (0: the
 * peer can't be reached). Returns -1 with errno `error`. */
int ws_fail(struct ws *ws, int error, uint16_t code, const char *format, ...) MODCAT_PRINTF(4, 5);

/* Compression: makes what was agreed on. Returns false where there is no memory. */
bool ws_deflate_begin(struct ws *ws);
void ws_deflate_end(struct ws *ws);

/* Inflates from the chunk that has come into `buffer`. Returns the count, -1 after ws_fail(). */
ssize_t ws_inflate(struct ws *ws, uint8_t *buffer, size_t length);

/* Deflates a part of a message, or all of it, behind `out`. Returns 0, or -1 after ws_fail(). */
int ws_deflate(struct ws *ws, const uint8_t *data, size_t length, bool last, struct bytes *out);

/* Reads from the peer. As the operations of endpoints. */
ssize_t ws_read(struct ws *ws, uint8_t *buffer, size_t length);
bool ws_pending(const struct ws *ws);
/* Takes what has come from below. Returns the count, 0 at the end, -1 with errno. */
ssize_t ws_fill(struct ws *ws);

/* Writes to the peer. As the operations of endpoints. */
ssize_t ws_write(struct ws *ws, const uint8_t *data, size_t length);
/* Sends what is made, and control frames that are due. Returns 0, or -1 with errno. */
int ws_flush(struct ws *ws);
/* Ends a message that is not complete. Returns 0, or -1 after ws_fail(). */
int ws_end_message(struct ws *ws);
void ws_close_with(struct ws *ws, uint16_t code, const char *reason);

/* The library's way to the bytes of a frame and back. */
ssize_t ws_give_frame(uint8_t *buffer, size_t length, int flags, void *ws);
ssize_t ws_take_frame(const uint8_t *data, size_t length, int flags, void *ws);

#endif
