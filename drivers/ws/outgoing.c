/* What goes to the peer.
 *
 *     data -> cut into messages -> deflated -> frames, masked by clients -> sent
 *
 * A write is told as done when its frames are sent, so that nothing is left here that the program
 * does not know of. Messages of lines, and of text that is cut within a character, go on in further
 * fragments: none is kept back. */

#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* How much data is made into frames before they are sent, and the longest of them; most servers
 * take messages of that length. */
#define BATCH 65536

/* The head, with a mask where that belongs there. */
static bool take_head(struct ws *ws, const uint8_t *head, size_t length)
{
    struct bytes *raw = &ws->out.raw;
    size_t start = raw->end;
    ws->out.head_due = false;
    ws->out.masked = 0;
    if (!bytes_add(raw, head, length))
        return false;
    if (ws->server)
        return true;
    raw->data[start + 1] |= 0x80;
    return bytes_add(raw, ws->out.mask, sizeof ws->out.mask);
}

/* All of it has room, so that each call of the library makes a whole frame. */
ssize_t ws_take_frame(const uint8_t *data, size_t length, int flags, void *taker)
{
    struct ws *ws = taker;
    struct bytes *raw = &ws->out.raw;
    (void)flags;
    if (ws->out.head_due)
        return take_head(ws, data, length) ? (ssize_t)length : -1;
    if (!bytes_add(raw, data, length))
        return -1;
    if (!ws->server)
        mask_bytes(raw->data + raw->end - length, length, ws->out.mask, ws->out.masked);
    ws->out.masked += length;
    return (ssize_t)length;
}

/* It must be unpredictable: RFC 6455, section 10.3. */
static bool make_mask(struct ws *ws)
{
    struct outgoing *out = &ws->out;
    out->head_due = true;
    return ws->server || getrandom(out->mask, sizeof out->mask, 0) == (ssize_t)sizeof out->mask;
}

static int make_frame(struct ws *ws, uint8_t opcode, bool fin, uint8_t rsv, const void *data,
                      size_t length)
{
    struct wslay_frame_iocb frame = {
        .fin = fin,
        .rsv = rsv,
        .opcode = opcode,
        .payload_length = length,
        .data = data != NULL ? data : "",
        .data_length = length,
    };
    if (make_mask(ws) && bytes_room(&ws->out.raw, length + FRAME_HEAD_MAX) != NULL &&
        wslay_frame_send(ws->frames, &frame) == (ssize_t)length)
        return 0;
    return ws_fail(ws, ENOMEM, 0, "cannot make a frame of %zu bytes", length);
}

/* A part of a message, or its end. */
static int make_part(struct ws *ws, const uint8_t *data, size_t length, bool fin)
{
    struct outgoing *out = &ws->out;
    struct bytes deflated = {0};
    uint8_t opcode = out->in_message ? WSLAY_CONTINUATION_FRAME
                     : ws->text      ? WSLAY_TEXT_FRAME
                                     : WSLAY_BINARY_FRAME;
    uint8_t rsv = ws->terms.agreed && !out->in_message ? WSLAY_RSV1_BIT : 0;
    int result;
    if (ws->terms.agreed) {
        result = ws_deflate(ws, data, length, fin, &deflated);
        if (result == 0)
            result = make_frame(ws, opcode, fin, rsv, deflated.data, bytes_length(&deflated));
        bytes_free(&deflated);
    } else {
        result = make_frame(ws, opcode, fin, rsv, data, length);
    }
    out->in_message = !fin;
    out->size = fin ? 0 : out->size + length;
    return result;
}

static int fail_text(struct ws *ws)
{
    return ws_fail(ws, EILSEQ, CLOSE_INTERNAL,
                   "what is to be sent is not UTF-8; leave ws-text out to send bytes");
}

static size_t part_of(const struct ws *ws, size_t length)
{
    size_t most = ws->max_message > 0 && ws->max_message < BATCH ? ws->max_message : BATCH;
    return length < most ? length : most;
}

/* One message of what there is; text that ends within a character goes on in a fragment. */
static ssize_t make_stream(struct ws *ws, const uint8_t *data, size_t length)
{
    length = part_of(ws, length);
    if (ws->text && !utf8_take(&ws->out.utf8, data, length))
        return fail_text(ws);
    bool fin = ws->out.utf8.missing == 0;
    return make_part(ws, data, length, fin) < 0 ? -1 : (ssize_t)length;
}

static ssize_t make_whole(struct ws *ws, const uint8_t *data, size_t length)
{
    struct utf8 utf8 = {0};
    if (ws->text && (!utf8_take(&utf8, data, length) || utf8.missing > 0))
        return fail_text(ws);
    return make_part(ws, data, length, true) < 0 ? -1 : (ssize_t)length;
}

/* The next line, or what there is of it. Returns how much it was, with its end. */
static ssize_t make_line(struct ws *ws, const uint8_t *data, size_t length)
{
    const uint8_t *end = memchr(data, '\n', length);
    size_t count = end != NULL ? (size_t)(end - data) : length;
    if (ws->max_message > 0 && count > ws->max_message - ws->out.size)
        return ws_fail(ws, EMSGSIZE, CLOSE_INTERNAL,
                       "a line is longer than %zu bytes, the limit of ws-max-message",
                       ws->max_message);
    if (ws->text && !utf8_take(&ws->out.utf8, data, count))
        return fail_text(ws);
    if (ws->text && end != NULL && ws->out.utf8.missing > 0)
        return fail_text(ws);
    if (make_part(ws, data, count, end != NULL) < 0)
        return -1;
    return (ssize_t)(end != NULL ? count + 1 : count);
}

static ssize_t make_lines(struct ws *ws, const uint8_t *data, size_t length)
{
    size_t done = 0;
    if (length > BATCH)
        length = BATCH;
    while (done < length && ws->out.raw.end < BATCH) {
        ssize_t count = make_line(ws, data + done, length - done);
        if (count < 0)
            return -1;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

static ssize_t (*const makers[])(struct ws *ws, const uint8_t *data, size_t length) = {
    [WS_STREAM] = make_stream,
    [WS_LINES] = make_lines,
    [WS_MESSAGES] = make_whole,
};

/* Returns 0 when all of it has gone. */
static int send_raw(struct ws *ws)
{
    struct bytes *raw = &ws->out.raw;
    while (bytes_length(raw) > 0) {
        ssize_t count = modcat_lower_write(ws->lower, raw->data + raw->start, bytes_length(raw));
        if (count < 0)
            return -1;
        bytes_drop(raw, (size_t)count);
    }
    return 0;
}

static int make_close(struct ws *ws)
{
    struct outgoing *out = &ws->out;
    uint8_t payload[CONTROL_MAX] = {(uint8_t)(out->close_code >> 8), (uint8_t)out->close_code};
    size_t length = out->close_reason != NULL ? strlen(out->close_reason) : 0;
    if (length > CONTROL_MAX - 2)
        length = CONTROL_MAX - 2;
    if (length > 0)
        memcpy(payload + 2, out->close_reason, length);
    out->close_sent = true;
    return make_frame(ws, WSLAY_CONNECTION_CLOSE, true, 0, payload,
                      out->close_code == CLOSE_NONE ? 0 : length + 2);
}

/* Control frames that are due; none follows a Close. Returns 1 where one was made. */
static int make_control(struct ws *ws)
{
    struct outgoing *out = &ws->out;
    if (out->close_sent)
        return 0;
    if (out->pong_due) {
        out->pong_due = false;
        return make_frame(ws, WSLAY_PONG, true, 0, out->pong, out->pong_length) < 0 ? -1 : 1;
    }
    if (out->close_code != 0)
        return make_close(ws) < 0 ? -1 : 1;
    if (out->ping_due) {
        out->ping_due = false;
        return make_frame(ws, WSLAY_PING, true, 0, NULL, 0) < 0 ? -1 : 1;
    }
    return 0;
}

int ws_flush(struct ws *ws)
{
    int made = 1;
    while (made > 0) {
        if (send_raw(ws) < 0)
            return -1;
        made = make_control(ws);
    }
    return made;
}

void ws_close_with(struct ws *ws, uint16_t code, const char *reason)
{
    if (ws->out.close_code != 0)
        return;
    ws->out.close_code = code != 0 ? code : CLOSE_NONE;
    ws->out.close_reason = reason;
}

int ws_end_message(struct ws *ws)
{
    if (!ws->out.in_message)
        return 0;
    if (ws->out.utf8.missing > 0)
        return ws_fail(ws, EILSEQ, CLOSE_INTERNAL, "what is to be sent ends within a character");
    return make_part(ws, NULL, 0, true);
}

static int fail_write(struct ws *ws)
{
    if (errno == EAGAIN || errno == EINTR)
        return -1;
    return ws_fail(ws, errno, 0, "connection lost: %s [write()]", strerror(errno));
}

ssize_t ws_write(struct ws *ws, const uint8_t *data, size_t length)
{
    if (ws->failed || ws->closed) {
        errno = ws->failed ? ws->error : EPIPE;
        return -1;
    }
    if (ws->out.taken == 0 && ws_flush(ws) < 0)
        return fail_write(ws);
    if (ws->out.taken == 0) {
        ssize_t count = makers[ws->cut](ws, data, length);
        if (count < 0)
            return -1;
        ws->out.taken = (size_t)count;
    }
    if (send_raw(ws) < 0)
        return fail_write(ws);
    ssize_t taken = (ssize_t)ws->out.taken;
    ws->out.taken = 0;
    return taken;
}
