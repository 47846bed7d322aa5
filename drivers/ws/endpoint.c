/* The endpoint: what the program asks for, and pings.
 *
 * A WebSocket has no half-close: its peer is told of the end by goodbye() alone, and that of the
 * peer is the end of both directions. An end of file below without a goodbye may be an attack that
 * cuts data off, and is an error.
 *
 * Anything that arrives after a ping counts as its answer: the pong itself may be queued behind
 * data that the other side is slow to take. */

#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_TEXT 512
#define DROPS_MAX 1000

/* One Close says why; the peer may still want to read it. */
int ws_fail(struct ws *ws, int error, uint16_t code, const char *format, ...)
{
    char why[WHY_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    if (!ws->failed && (ws->lower->flags & MODCAT_END_REPORTED) == 0)
        modcat_log(ws->leaving ? MODCAT_WARNING : MODCAT_ERROR, "%s: %s", ws->name, why);
    ws->endpoint->flags |= MODCAT_END_REPORTED;
    ws->failed = true;
    ws->error = error;
    if (code != 0)
        ws_close_with(ws, code, NULL);
    errno = error;
    return -1;
}

/* A connection that has failed tells its peer why before the session ends it. Keeps errno. */
static ssize_t tell_failure(struct ws *ws, ssize_t result)
{
    int error = errno;
    if (ws->failed)
        ws_flush(ws);
    errno = error;
    return result;
}

static ssize_t op_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct ws *ws = endpoint->state;
    return tell_failure(ws, ws_read(ws, buffer, length));
}

static ssize_t op_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct ws *ws = endpoint->state;
    return tell_failure(ws, ws_write(ws, buffer, length));
}

static bool op_pending(struct modcat_endpoint *endpoint)
{
    return ws_pending(endpoint->state);
}

static bool has_something_to_send(const struct ws *ws)
{
    const struct outgoing *out = &ws->out;
    return bytes_length(&out->raw) > 0 ||
           (!out->close_sent && (out->pong_due || out->ping_due || out->close_code != 0));
}

/* Where both ways have one descriptor, a reader also waits to send what is due. */
static short op_wants(struct modcat_endpoint *endpoint, unsigned direction)
{
    const struct ws *ws = endpoint->state;
    short wants = modcat_lower_wants(ws->lower, direction);
    if (direction == MODCAT_DIR_READ && endpoint->read_fd == endpoint->write_fd &&
        has_something_to_send(ws))
        wants |= modcat_lower_wants(ws->lower, MODCAT_DIR_WRITE);
    return wants;
}

static void op_close(struct modcat_endpoint *endpoint)
{
    struct ws *ws = endpoint->state;
    wslay_frame_context_free(ws->frames);
    ws_deflate_end(ws);
    bytes_free(&ws->in.raw);
    bytes_free(&ws->in.message);
    bytes_free(&ws->out.raw);
    free(ws->name);
    free(ws);
}

/* Begins to part: ends the last line, and says why. */
static void leave(struct ws *ws, bool complete)
{
    if (ws->leaving)
        return;
    if (complete && !ws->failed && !ws->closed)
        ws_end_message(ws);
    ws->leaving = true;
    if (!ws->failed)
        ws_close_with(ws, complete ? CLOSE_NORMAL : CLOSE_INTERNAL, NULL);
}

/* What comes behind this side's goodbye has nowhere to go. Returns as `goodbye`. */
static int await_goodbye(struct ws *ws, short *wants)
{
    uint8_t dropped[4096];
    for (int i = 0; i < DROPS_MAX; i++) {
        ssize_t count = ws_read(ws, dropped, sizeof dropped);
        if (count == 0 && ws->cut == WS_MESSAGES && !ws->closed)
            continue;
        if (count == 0 || (count < 0 && errno != EAGAIN))
            return 0;
        if (count < 0 && !ws_pending(ws))
            break;
    }
    *wants = ws_pending(ws) ? POLLOUT : modcat_lower_wants(ws->lower, MODCAT_DIR_READ);
    errno = EAGAIN;
    return -1;
}

static int op_goodbye(struct modcat_endpoint *endpoint, bool complete, short *wants)
{
    struct ws *ws = endpoint->state;
    leave(ws, complete);
    if (ws_flush(ws) < 0) {
        *wants = modcat_lower_wants(ws->lower, MODCAT_DIR_WRITE);
        return -1;
    }
    return ws->closed || ws->failed ? 0 : await_goodbye(ws, wants);
}

static bool pings(const struct ws *ws)
{
    return ws->ping_interval > 0 && !ws->failed && !ws->closed && !ws->leaving;
}

static long long next_ping(const struct ws *ws)
{
    return ws->last_ping + (ws->awaits_pong ? ws->ping_timeout : ws->ping_interval);
}

/* Two descriptors can't be waited for by `wants`. */
static void op_watch(struct modcat_endpoint *endpoint, struct modcat_attention *attention)
{
    const struct ws *ws = endpoint->state;
    if (pings(ws))
        attention->deadline = next_ping(ws);
    if (endpoint->read_fd != endpoint->write_fd && endpoint->write_fd >= 0 &&
        has_something_to_send(ws))
        attention->watched[attention->count++] =
            (struct modcat_watched){.fd = endpoint->write_fd, .events = POLLOUT};
}

static void ping(struct ws *ws)
{
    ws->out.ping_due = true;
    ws->awaits_pong = true;
    ws->last_ping = modcat_deadline(0);
}

/* Something that lies here unread, or below, is a sign of life; so nothing is known of a peer while
 * the other side takes nothing, or while the ping itself could not be sent. */
static int judge_silence(struct ws *ws)
{
    if (bytes_length(&ws->in.raw) == 0 && !has_something_to_send(ws))
        ws_fill(ws);
    if (!ws->awaits_pong || bytes_length(&ws->in.raw) > 0 || has_something_to_send(ws)) {
        ws->awaits_pong = false;
        ws->last_ping = modcat_deadline(0);
        return 0;
    }
    return ws_fail(ws, ETIMEDOUT, CLOSE_GOING_AWAY,
                   "the peer has not answered a ping for %g seconds",
                   (double)ws->ping_timeout / MODCAT_SECOND);
}

static int op_attend(struct modcat_endpoint *endpoint, const struct modcat_attention *attention)
{
    struct ws *ws = endpoint->state;
    int result = 0;
    (void)attention;
    if (pings(ws) && modcat_deadline(0) >= next_ping(ws)) {
        if (ws->awaits_pong)
            result = judge_silence(ws);
        else
            ping(ws);
    }
    ws_flush(ws);
    if (result < 0)
        errno = ws->error;
    return result;
}

static const struct modcat_endpoint_ops ops = {
    .size = sizeof ops,
    .read = op_read,
    .write = op_write,
    .close = op_close,
    .pending = op_pending,
    .wants = op_wants,
    .goodbye = op_goodbye,
};

/* For those that wait for more than their two directions: a session keeps its stack for that. */
static const struct modcat_endpoint_ops attentive_ops = {
    .size = sizeof attentive_ops,
    .read = op_read,
    .write = op_write,
    .close = op_close,
    .pending = op_pending,
    .wants = op_wants,
    .goodbye = op_goodbye,
    .watch = op_watch,
    .attend = op_attend,
};

static char *name_of(struct modcat_opening *opening)
{
    const char *peer = modcat_peer_name(opening);
    char *name = NULL;
    if (asprintf(&name, peer != NULL ? "%s to %s" : "%s", modcat_keyword(opening), peer) < 0)
        return NULL;
    return name;
}

static bool begin(struct modcat_opening *opening, struct ws *ws)
{
    static const struct wslay_frame_callbacks callbacks = {
        .send_callback = ws_take_frame,
        .recv_callback = ws_give_frame,
    };
    ws->name = name_of(opening);
    return ws->name != NULL && wslay_frame_context_init(&ws->frames, &callbacks, ws) == 0 &&
           ws_deflate_begin(ws);
}

int ws_endpoint(struct modcat_opening *opening, struct modcat_endpoint *lower,
                const struct ws_wish *wish, struct ws_agreement *agreement,
                struct modcat_endpoint *endpoint)
{
    struct ws *ws = calloc(1, sizeof *ws);
    if (ws == NULL)
        return modcat_fail(opening, "out of memory");
    *ws = (struct ws){
        .lower = lower,
        .endpoint = endpoint,
        .server = agreement->server,
        .terms = agreement->terms,
        .text = wish->text,
        .cut = wish->cut,
        .max_message = wish->max_message,
        .ping_interval = wish->ping_interval,
        .ping_timeout = wish->ping_timeout,
        .last_ping = modcat_deadline(0),
    };
    ws->in.raw = agreement->early;
    agreement->early = (struct bytes){0};
    endpoint->state = ws;
    if (!begin(opening, ws)) {
        op_close(endpoint);
        return modcat_fail(opening, "out of memory");
    }
    bool attentive = wish->ping_interval > 0 || endpoint->read_fd != endpoint->write_fd;
    endpoint->ops = attentive ? &attentive_ops : &ops;
    endpoint->flags = MODCAT_END_WHOLE | (wish->cut == WS_MESSAGES ? MODCAT_END_MESSAGES : 0);
    return 0;
}
