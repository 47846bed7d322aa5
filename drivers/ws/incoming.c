/* What comes from the peer.
 *
 *     bytes -> frame: judged -> control frame: answered
 *                            -> part of a message -> inflated -> judged as UTF-8 -> handed over
 *
 * No more than one buffer is taken from below before what is in it has been handed over. Frames
 * without data can't keep the program busy: each call does so many steps, and no more. */

#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <string.h>

#define RAW_SIZE 65536
#define STEPS_MAX 256

static bool is_control(uint8_t opcode)
{
    return (opcode & 8) != 0;
}

/* Of the length that the second byte says, how many bytes of it follow. */
static size_t length_bytes(const struct frame *frame)
{
    uint8_t length = frame->head[1] & 0x7f;
    return length == 126 ? 2 : length == 127 ? 8 : 0;
}

static bool is_masked(const struct frame *frame)
{
    return (frame->head[1] & 0x80) != 0;
}

static size_t head_size(const struct frame *frame)
{
    if (frame->head_length < 2)
        return 2;
    return 2 + length_bytes(frame) + (is_masked(frame) ? MASK_BYTES : 0);
}

static uint64_t payload_size(const struct frame *frame)
{
    uint64_t size = frame->head[1] & 0x7f;
    size_t count = length_bytes(frame);
    for (size_t i = 0; i < count; i++)
        size = (i == 0 ? 0 : size << 8) | frame->head[2 + i];
    return size;
}

static size_t smaller(uint64_t one, size_t other)
{
    return one < other ? (size_t)one : other;
}

/* Takes the head of a frame out of what has come. Returns true when it is complete. */
static bool take_head(struct ws *ws)
{
    struct bytes *raw = &ws->in.raw;
    struct frame *frame = &ws->in.frame;
    while (frame->head_length < head_size(frame)) {
        if (bytes_length(raw) == 0)
            return false;
        frame->head[frame->head_length++] = raw->data[raw->start];
        bytes_drop(raw, 1);
    }
    return true;
}

/* The head without its mask. */
static size_t give_head(struct frame *frame, uint8_t *buffer, size_t length)
{
    size_t count = smaller(2 + length_bytes(frame) - frame->head_given, length);
    memcpy(buffer, frame->head + frame->head_given, count);
    if (frame->head_given <= 1 && frame->head_given + count > 1)
        buffer[1 - frame->head_given] &= 0x7f;
    frame->head_given += count;
    return count;
}

static size_t give_payload(struct ws *ws, uint8_t *buffer, size_t length)
{
    struct bytes *raw = &ws->in.raw;
    struct frame *frame = &ws->in.frame;
    size_t count = smaller(payload_size(frame) - frame->given, smaller(bytes_length(raw), length));
    if (count == 0)
        return 0;
    memcpy(buffer, raw->data + raw->start, count);
    if (is_masked(frame))
        mask_bytes(buffer, count, frame->head + head_size(frame) - MASK_BYTES, frame->given);
    frame->given += count;
    bytes_drop(raw, count);
    return count;
}

/* No byte of the next frame, and none before the head is complete. */
ssize_t ws_give_frame(uint8_t *buffer, size_t length, int flags, void *data)
{
    struct ws *ws = data;
    struct frame *frame = &ws->in.frame;
    (void)flags;
    if (!take_head(ws))
        return -1;
    size_t count = frame->head_given < 2 + length_bytes(frame) ? give_head(frame, buffer, length)
                                                               : give_payload(ws, buffer, length);
    return count > 0 ? (ssize_t)count : -1;
}

ssize_t ws_fill(struct ws *ws)
{
    struct bytes *raw = &ws->in.raw;
    uint8_t *room = bytes_room(raw, RAW_SIZE);
    if (room == NULL) {
        errno = ENOMEM;
        return -1;
    }
    ssize_t count = modcat_lower_read(ws->lower, room, RAW_SIZE);
    int error = errno;
    if (count > 0)
        raw->end += (size_t)count;
    if (bytes_length(raw) == 0)
        bytes_free(raw);
    if (count > 0)
        ws->awaits_pong = false;
    errno = error;
    return count;
}

/* libwslay says no more than that a frame is malformed. */
static int fail_malformed(struct ws *ws)
{
    const struct frame *frame = &ws->in.frame;
    if (is_control(frame->head[0] & 0x0f) && (frame->head[0] & 0x80) == 0)
        return ws_fail(ws, EPROTO, CLOSE_PROTOCOL, "a control frame is cut into fragments");
    if (is_control(frame->head[0] & 0x0f))
        return ws_fail(ws, EPROTO, CLOSE_PROTOCOL, "a control frame is longer than 125 bytes");
    return ws_fail(ws, EPROTO, CLOSE_PROTOCOL,
                   "the length of a frame is not written as RFC 6455 demands");
}

static bool is_too_large(const struct ws *ws, uint64_t more)
{
    return ws->max_message > 0 && (more > ws->max_message || ws->in.size > ws->max_message - more);
}

static int fail_too_large(struct ws *ws)
{
    return ws_fail(ws, EMSGSIZE, CLOSE_TOO_BIG,
                   "a message is longer than %zu bytes, the limit of ws-max-message",
                   ws->max_message);
}

static void begin_message(struct ws *ws, const struct wslay_frame_iocb *frame)
{
    struct incoming *in = &ws->in;
    in->in_message = true;
    in->text = frame->opcode == WSLAY_TEXT_FRAME;
    in->compressed = frame->rsv != 0;
    in->size = in->inflated = 0;
    in->utf8 = (struct utf8){0};
}

/* What holds for frames of every kind. */
static int judge_bits(struct ws *ws, const struct wslay_frame_iocb *frame)
{
    bool begins = frame->opcode == WSLAY_TEXT_FRAME || frame->opcode == WSLAY_BINARY_FRAME;
    uint8_t allowed = ws->terms.agreed && begins ? WSLAY_RSV1_BIT : 0;
    if ((frame->rsv & ~allowed) != 0)
        return ws_fail(ws, EPROTO, CLOSE_PROTOCOL, "a frame has reserved bits set");
    if (ws->server && !is_masked(&ws->in.frame))
        return ws_fail(ws, EPROTO, CLOSE_PROTOCOL, "the client sends a frame without a mask");
    if (!ws->server && is_masked(&ws->in.frame))
        return ws_fail(ws, EPROTO, CLOSE_PROTOCOL, "the server sends a frame with a mask");
    if (!begins && frame->opcode != WSLAY_CONTINUATION_FRAME &&
        (frame->opcode < WSLAY_CONNECTION_CLOSE || frame->opcode > WSLAY_PONG))
        return ws_fail(ws, EPROTO, CLOSE_PROTOCOL, "a frame is of the unknown kind %u",
                       frame->opcode);
    return 0;
}

static int judge(struct ws *ws, const struct wslay_frame_iocb *frame)
{
    if (judge_bits(ws, frame) < 0)
        return -1;
    if (is_control(frame->opcode)) {
        ws->in.control_length = 0;
        return 0;
    }
    if (frame->opcode == WSLAY_CONTINUATION_FRAME && !ws->in.in_message)
        return ws_fail(ws, EPROTO, CLOSE_PROTOCOL, "a message begins with a later fragment");
    if (frame->opcode != WSLAY_CONTINUATION_FRAME && ws->in.in_message)
        return ws_fail(ws, EPROTO, CLOSE_PROTOCOL, "a message begins within another one");
    if (!ws->in.in_message)
        begin_message(ws, frame);
    if (ws->in.compressed)
        return 0;
    if (is_too_large(ws, frame->payload_length))
        return fail_too_large(ws);
    ws->in.size += frame->payload_length;
    return 0;
}

/* The codes that may be sent, RFC 6455 section 7.4 and the registry of IANA. */
static bool may_be_sent(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* Those that say that something has gone wrong; in applications' codes there is no telling. */
static bool is_failure(unsigned code)
{
    return code != CLOSE_NORMAL && code != CLOSE_GOING_AWAY && code != CLOSE_NONE;
}

/* The reason is shown as the peer wrote it; the log makes control characters harmless. */
static int take_close(struct ws *ws, unsigned code, const char *reason, size_t length)
{
    ws->closed = true;
    ws_close_with(ws, code == CLOSE_NONE ? 0 : (uint16_t)code, NULL);
    if (is_failure(code) && !ws->leaving)
        return ws_fail(ws, ECONNRESET, 0, "the peer closes with code %u%s%.*s", code,
                       length > 0 ? ": " : "", (int)length, reason);
    modcat_log(MODCAT_INFO, "%s: the peer closes with code %u%s%.*s", ws->name, code,
               length > 0 ? ": " : "", (int)length, reason);
    return 0;
}

static int judge_close(struct ws *ws, const uint8_t *payload, size_t length)
{
    struct utf8 utf8 = {0};
    if (length == 0)
        return take_close(ws, CLOSE_NONE, "", 0);
    if (length == 1)
        return ws_fail(ws, EPROTO, CLOSE_PROTOCOL, "the code of a Close is cut off");
    unsigned code = (unsigned)payload[0] << 8 | payload[1];
    if (!may_be_sent(code))
        return ws_fail(ws, EPROTO, CLOSE_PROTOCOL,
                       "the peer closes with code %u, which there is not", code);
    if (!utf8_take(&utf8, payload + 2, length - 2) || utf8.missing > 0)
        return ws_fail(ws, EPROTO, CLOSE_PAYLOAD, "the reason of a Close is not UTF-8");
    return take_close(ws, code, (const char *)payload + 2, length - 2);
}

static int end_control(struct ws *ws)
{
    struct incoming *in = &ws->in;
    if (in->frame.opcode == WSLAY_CONNECTION_CLOSE)
        return judge_close(ws, in->control, in->control_length);
    if (in->frame.opcode == WSLAY_PING) {
        memcpy(ws->out.pong, in->control, in->control_length);
        ws->out.pong_length = in->control_length;
        ws->out.pong_due = true;
    }
    return 0;
}

static void take_payload(struct ws *ws, const struct wslay_frame_iocb *frame)
{
    struct incoming *in = &ws->in;
    in->frame.taken += frame->data_length;
    if (is_control(frame->opcode)) {
        if (frame->data_length > 0)
            memcpy(in->control + in->control_length, frame->data, frame->data_length);
        in->control_length += frame->data_length;
        return;
    }
    in->chunk = frame->data;
    in->chunk_left = frame->data_length;
    in->tail_given = false;
}

/* Takes the next piece of a frame out of what has come. Returns 1, 0 where more has to come, -1
 * after ws_fail(). */
static int next_piece(struct ws *ws)
{
    struct incoming *in = &ws->in;
    struct wslay_frame_iocb frame = {0};
    ssize_t count = wslay_frame_recv(ws->frames, &frame);
    if (count == WSLAY_ERR_WANT_READ)
        return 0;
    if (count < 0)
        return fail_malformed(ws);
    if (!in->frame.open) {
        in->frame.opcode = frame.opcode;
        if (judge(ws, &frame) < 0)
            return -1;
        in->frame.open = true;
    }
    take_payload(ws, &frame);
    if (in->frame.taken < frame.payload_length)
        return 1;
    int result = 0;
    if (is_control(frame.opcode))
        result = end_control(ws);
    else
        in->ends = frame.fin;
    in->frame = (struct frame){0};
    return result < 0 ? -1 : 1;
}

static bool has_chunk(const struct incoming *in)
{
    return in->chunk_left > 0 || in->ends || in->inflates;
}

static int end_message(struct ws *ws)
{
    struct incoming *in = &ws->in;
    if (in->text && in->utf8.missing > 0)
        return ws_fail(ws, EILSEQ, CLOSE_PAYLOAD, "a message of text ends within a character");
    in->ends = in->in_message = false;
    in->end_due = ws->cut != WS_STREAM;
    return 0;
}

static ssize_t take_plain(struct incoming *in, uint8_t *buffer, size_t length)
{
    size_t count = smaller(in->chunk_left, length);
    if (count > 0)
        memcpy(buffer, in->chunk, count);
    in->chunk += count;
    in->chunk_left -= count;
    return (ssize_t)count;
}

/* Hands over what is there of the message. Returns the count, -1 after ws_fail(). */
static ssize_t hand_over(struct ws *ws, uint8_t *buffer, size_t length)
{
    struct incoming *in = &ws->in;
    ssize_t count =
        in->compressed ? ws_inflate(ws, buffer, length) : take_plain(in, buffer, length);
    if (count < 0)
        return -1;
    if (in->text && !utf8_take(&in->utf8, buffer, (size_t)count))
        return ws_fail(ws, EILSEQ, CLOSE_PAYLOAD, "a message of text is not UTF-8");
    if (in->chunk_left == 0 && !in->inflates && in->ends && end_message(ws) < 0)
        return -1;
    return count;
}

static int fail_end(struct ws *ws)
{
    if (ws->leaving) {
        modcat_log(MODCAT_WARNING, "%s: the peer closed the connection without a goodbye",
                   ws->name);
        ws->closed = true;
        return 0;
    }
    return ws_fail(ws, EPROTO, 0,
                   "the peer closed the connection without a goodbye; data may be missing");
}

/* Gets the next piece, from below if need be. Returns 1, 0 at the end, -1 with errno. */
static int advance(struct ws *ws)
{
    int result = next_piece(ws);
    if (result != 0)
        return result;
    ssize_t count = ws_fill(ws);
    if (count > 0)
        return 1;
    if (count == 0)
        return fail_end(ws);
    if (errno == EAGAIN || errno == EINTR)
        return -1;
    return ws_fail(ws, errno, 0, "connection lost: %s [read()]", strerror(errno));
}

static ssize_t read_stream(struct ws *ws, uint8_t *buffer, size_t length)
{
    struct incoming *in = &ws->in;
    size_t used = 0;
    int result = 1;
    for (int step = 0; used < length && result > 0 && step < STEPS_MAX; step++) {
        if (in->end_due) {
            in->end_due = false;
            buffer[used++] = '\n';
        } else if (has_chunk(in)) {
            ssize_t count = hand_over(ws, buffer + used, length - used);
            used += count > 0 ? (size_t)count : 0;
            result = count < 0 ? -1 : 1;
        } else {
            result = ws->closed ? 0 : advance(ws);
        }
    }
    if (used > 0)
        return (ssize_t)used;
    if (result > 0)
        errno = EAGAIN;
    return result > 0 ? -1 : result;
}

/* A part of a message that is kept whole. Returns as advance(). */
static int keep(struct ws *ws)
{
    struct bytes *message = &ws->in.message;
    uint8_t *room = bytes_room(message, RAW_SIZE);
    if (room == NULL)
        return ws_fail(ws, ENOMEM, CLOSE_INTERNAL, "out of memory");
    ssize_t count = hand_over(ws, room, RAW_SIZE);
    if (count < 0)
        return -1;
    message->end += (size_t)count;
    return 1;
}

static ssize_t hand_over_whole(struct ws *ws, uint8_t *buffer, size_t length)
{
    struct bytes *message = &ws->in.message;
    size_t count = bytes_length(message);
    if (count > length)
        return ws_fail(ws, EMSGSIZE, CLOSE_TOO_BIG,
                       "a message of %zu bytes does not fit a block of %zu; option -b takes more",
                       count, length);
    ws->in.end_due = false;
    if (count > 0)
        memcpy(buffer, message->data + message->start, count);
    bytes_free(message);
    return (ssize_t)count;
}

static ssize_t read_message(struct ws *ws, uint8_t *buffer, size_t length)
{
    int result = 1;
    for (int step = 0; result > 0 && step < STEPS_MAX; step++) {
        if (ws->in.end_due)
            return hand_over_whole(ws, buffer, length);
        if (has_chunk(&ws->in))
            result = keep(ws);
        else
            result = ws->closed ? 0 : advance(ws);
    }
    if (result == 0)
        ws->endpoint->flags |= MODCAT_END_EMPTY_ENDS;
    if (result > 0)
        errno = EAGAIN;
    return result > 0 ? -1 : result;
}

/* What is due for what has come is sent at once, or when there is room. */
ssize_t ws_read(struct ws *ws, uint8_t *buffer, size_t length)
{
    if (ws->failed) {
        errno = ws->error;
        return -1;
    }
    ssize_t count =
        ws->cut == WS_MESSAGES ? read_message(ws, buffer, length) : read_stream(ws, buffer, length);
    int error = errno;
    if (!ws->failed)
        ws_flush(ws);
    errno = error;
    return count;
}

bool ws_pending(const struct ws *ws)
{
    return ws->failed || ws->closed || ws->in.end_due || has_chunk(&ws->in) ||
           bytes_length(&ws->in.raw) > 0 || modcat_lower_pending(ws->lower);
}
