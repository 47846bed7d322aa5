#define _GNU_SOURCE
#include "tests/unit/ws_lower.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lower lower;
static struct modcat_endpoint below;

ssize_t modcat_lower_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    size_t count = lower.length - lower.at;
    (void)endpoint;
    lower.had_none = !lower.had_none;
    if (lower.had_none || (count == 0 && !lower.ends)) {
        errno = EAGAIN;
        return -1;
    }
    if (count > length)
        count = length;
    if (lower.piece > 0 && count > lower.piece)
        count = lower.piece;
    if (count > 0)
        memcpy(buffer, lower.data + lower.at, count);
    lower.at += count;
    return (ssize_t)count;
}

ssize_t modcat_lower_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    (void)endpoint;
    lower.had_room = !lower.had_room;
    if (lower.room > 0 && !lower.had_room) {
        errno = EAGAIN;
        return -1;
    }
    if (lower.room > 0 && length > lower.room)
        length = lower.room;
    if (length > sizeof lower.sent - lower.sent_length)
        abort();
    memcpy(lower.sent + lower.sent_length, buffer, length);
    lower.sent_length += length;
    return (ssize_t)length;
}

bool modcat_lower_pending(struct modcat_endpoint *endpoint)
{
    (void)endpoint;
    return false;
}

short modcat_lower_wants(struct modcat_endpoint *endpoint, unsigned direction)
{
    (void)endpoint;
    return direction == MODCAT_DIR_READ ? POLLIN : POLLOUT;
}

static MODCAT_PRINTF(1, 0) void add_log(const char *format, va_list arguments)
{
    size_t length = strlen(lower.log);
    vsnprintf(lower.log + length, sizeof lower.log - length, format, arguments);
}

void modcat_log(enum modcat_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (level <= MODCAT_WARNING)
        add_log(format, arguments);
    va_end(arguments);
}

int modcat_fail(const struct modcat_opening *opening, const char *format, ...)
{
    va_list arguments;
    (void)opening;
    va_start(arguments, format);
    add_log(format, arguments);
    va_end(arguments);
    return -1;
}

const char *modcat_peer_name(const struct modcat_opening *opening)
{
    (void)opening;
    return NULL;
}

const char *modcat_keyword(const struct modcat_opening *opening)
{
    (void)opening;
    return "WS";
}

long long modcat_deadline(long long delay)
{
    return lower.now + delay;
}

void lower_begin(const struct ws_wish *wish, bool server, const struct terms *terms,
                 struct modcat_endpoint *endpoint)
{
    struct ws_agreement agreement = {.server = server};
    if (terms != NULL)
        agreement.terms = *terms;
    lower = (struct lower){0};
    below = (struct modcat_endpoint){.read_fd = 7, .write_fd = 7};
    *endpoint = below;
    if (ws_endpoint(NULL, &below, wish, &agreement, endpoint) < 0)
        abort();
}

void lower_end(struct modcat_endpoint *endpoint)
{
    endpoint->ops->close(endpoint);
}
