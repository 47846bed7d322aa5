/* permessage-deflate, RFC 7692: each message is a stream of raw DEFLATE without its end, which goes
 * on in the next one unless it was agreed that a side forgets. */

#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a message leaves out, RFC 7692 section 7.2.1. */
static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff};

#define STEP 16384

static bool own_side_forgets(const struct ws *ws)
{
    return ws->server ? ws->terms.server_forgets : ws->terms.client_forgets;
}

static int own_window(const struct ws *ws)
{
    int window = ws->server ? ws->terms.server_window : ws->terms.client_window;
    return window != 0 ? window : TERMS_WINDOW_MAX;
}

bool ws_deflate_begin(struct ws *ws)
{
    if (!ws->terms.agreed)
        return true;
    z_stream *inflater = calloc(1, sizeof *inflater), *deflater = calloc(1, sizeof *deflater);
    bool inflates = inflater != NULL && inflateInit2(inflater, -TERMS_WINDOW_MAX) == Z_OK;
    bool deflates =
        deflater != NULL && deflateInit2(deflater, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                                         -own_window(ws), 8, Z_DEFAULT_STRATEGY) == Z_OK;
    ws->inflater = inflates ? inflater : NULL;
    ws->deflater = deflates ? deflater : NULL;
    if (!inflates)
        free(inflater);
    if (!deflates)
        free(deflater);
    return inflates && deflates;
}

void ws_deflate_end(struct ws *ws)
{
    if (ws->inflater != NULL)
        inflateEnd(ws->inflater);
    if (ws->deflater != NULL)
        deflateEnd(ws->deflater);
    free(ws->inflater);
    free(ws->deflater);
}

/* Where the chunk is used up and ends a message, what that leaves out is put behind it. */
static void give_input(struct ws *ws)
{
    struct incoming *in = &ws->in;
    if (in->chunk_left == 0 && in->ends && !in->tail_given) {
        in->chunk = tail;
        in->chunk_left = sizeof tail;
        in->tail_given = true;
    }
    ws->inflater->next_in = (uint8_t *)in->chunk;
    ws->inflater->avail_in = (uInt)in->chunk_left;
}

/* A block may be marked as the last one; the next begins anew, RFC 7692 section 7.2.3.4. */
static int inflate_some(struct ws *ws)
{
    int result = inflate(ws->inflater, Z_SYNC_FLUSH);
    if (result == Z_STREAM_END)
        return inflateReset(ws->inflater);
    return result == Z_BUF_ERROR ? Z_OK : result;
}

ssize_t ws_inflate(struct ws *ws, uint8_t *buffer, size_t length)
{
    struct incoming *in = &ws->in;
    z_stream *inflater = ws->inflater;
    size_t room = length > STEP * 4 ? STEP * 4 : length;
    give_input(ws);
    inflater->next_out = buffer;
    inflater->avail_out = (uInt)room;
    int result = inflate_some(ws);
    if (result == Z_MEM_ERROR)
        return ws_fail(ws, ENOMEM, CLOSE_INTERNAL, "out of memory");
    if (result != Z_OK)
        return ws_fail(ws, EPROTO, CLOSE_PAYLOAD, "a message can't be decompressed");
    in->chunk = inflater->next_in;
    in->chunk_left = inflater->avail_in;
    in->inflates = inflater->avail_out == 0;
    size_t count = room - inflater->avail_out;
    in->inflated += count;
    if (in->chunk_left == 0 && !in->inflates && in->ends && !in->tail_given)
        in->inflates = true;
    if (ws->max_message > 0 && in->inflated > ws->max_message)
        return ws_fail(ws, EMSGSIZE, CLOSE_TOO_BIG,
                       "a message is longer than %zu bytes, the limit of ws-max-message",
                       ws->max_message);
    return (ssize_t)count;
}

static int deflate_some(struct ws *ws, struct bytes *out)
{
    uint8_t *room = bytes_room(out, STEP);
    if (room == NULL)
        return Z_MEM_ERROR;
    ws->deflater->next_out = room;
    ws->deflater->avail_out = STEP;
    int result = deflate(ws->deflater, Z_SYNC_FLUSH);
    out->end += STEP - ws->deflater->avail_out;
    return result == Z_BUF_ERROR ? Z_OK : result;
}

/* The end of a message is that of an empty block; where the library has nothing to flush, it is
 * made here, RFC 7692 section 7.2.3.6. */
static bool leave_out_tail(struct bytes *out)
{
    static const uint8_t empty_block[] = {0x00};
    size_t length = bytes_length(out);
    if (length >= sizeof tail && memcmp(out->data + out->end - sizeof tail, tail, sizeof tail) == 0)
        out->end -= sizeof tail;
    return bytes_length(out) > 0 || bytes_add(out, empty_block, sizeof empty_block);
}

int ws_deflate(struct ws *ws, const uint8_t *data, size_t length, bool last, struct bytes *out)
{
    z_stream *deflater = ws->deflater;
    int result;
    deflater->next_in = (uint8_t *)(data != NULL ? data : tail);
    deflater->avail_in = (uInt)length;
    do
        result = deflate_some(ws, out);
    while (result == Z_OK && deflater->avail_out == 0);
    if (result == Z_OK && last && own_side_forgets(ws))
        result = deflateReset(deflater);
    if (result == Z_OK && (!last || leave_out_tail(out)))
        return 0;
    return ws_fail(ws, ENOMEM, CLOSE_INTERNAL, "out of memory");
}
