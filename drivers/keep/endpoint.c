/* The operations of the layer. */

#define _GNU_SOURCE
#include "keep.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

static bool is_no_loss(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == EMSGSIZE ||
           error == ECANCELED;
}

static ssize_t not_now(void)
{
    errno = EAGAIN;
    return -1;
}

/* An empty message is none. */
static bool has_hung_up(const struct modcat_endpoint *lower)
{
    struct pollfd entry = {.fd = lower->read_fd, .events = POLLRDHUP};
    return poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP)) != 0;
}

static bool is_lost(const struct keep *keep, ssize_t count)
{
    if (keep->is_shut || count > 0)
        return false;
    if (count < 0)
        return !is_no_loss(errno);
    bool empty_is_no_end = keep->held.has_messages &&
                           (keep->lower->flags & MODCAT_END_EMPTY_ENDS) == 0 &&
                           !has_hung_up(keep->lower);
    return !empty_is_no_end;
}

static ssize_t keep_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct keep *keep = endpoint->state;
    if (keep->state == KEEP_AWAY)
        return not_now();
    ssize_t count = modcat_lower_read(keep->lower, buffer, length);
    if (!is_lost(keep, count))
        return count;
    int error = count < 0 ? errno : 0;
    if (keep_go_away(keep, keep->state == KEEP_BROKEN ? keep->reason : error) == 0)
        return not_now();
    errno = error;
    return count;
}

/* While nothing can be delivered. */
static ssize_t put_aside(struct keep *keep, const void *buffer, size_t length)
{
    if (keep->mode == KEEP_CLOSE) {
        errno = ENOTCONN;
        return -1;
    }
    if (keep->mode == KEEP_DISCARD) {
        keep->discarded += length;
        return (ssize_t)length;
    }
    ssize_t count = held_put(&keep->held, buffer, length);
    keep->is_full = count < 0 && errno == EAGAIN;
    return count;
}

/* A message that is too long for the new peer would stand in the way of all others. */
static int drop_too_long(struct keep *keep, size_t length)
{
    modcat_log(MODCAT_WARNING, "%s: a message of %zu bytes is too long and discarded",
               modcat_keyword(keep->opening), length);
    held_take(&keep->held, length);
    return 0;
}

static int flush_first(struct keep *keep, const void *data, size_t length)
{
    ssize_t count = modcat_lower_write(keep->lower, data, length);
    if (count > 0 || (count == 0 && length == 0)) {
        held_take(&keep->held, (size_t)count);
        return 0;
    }
    if (count < 0 && errno == EMSGSIZE && keep->held.has_messages)
        return drop_too_long(keep, length);
    if (count < 0 && errno == EMSGSIZE && length > 1)
        return flush_first(keep, data, length / 2);
    if (count < 0 && !is_no_loss(errno))
        keep_break(keep);
    return count < 0 && errno == EINTR ? 0 : -1;
}

int keep_flush(struct keep *keep)
{
    size_t length;
    const void *data;
    while ((data = held_peek(&keep->held, &length)) != NULL)
        if (flush_first(keep, data, length) < 0)
            return -1;
    return 0;
}

static ssize_t keep_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct keep *keep = endpoint->state;
    if (keep->state == KEEP_PRESENT && keep_flush(keep) < 0 && keep->state == KEEP_PRESENT)
        return -1;
    if (keep->state != KEEP_PRESENT)
        return put_aside(keep, buffer, length);
    ssize_t count = modcat_lower_write(keep->lower, buffer, length);
    if (count >= 0 || is_no_loss(errno) || keep->is_shut)
        return count;
    keep_break(keep);
    return put_aside(keep, buffer, length);
}

static int keep_shutdown(struct modcat_endpoint *endpoint)
{
    struct keep *keep = endpoint->state;
    keep->is_last = true;
    if (keep->state != KEEP_PRESENT || keep_flush(keep) < 0)
        return (int)not_now();
    int result = modcat_lower_shutdown(keep->lower);
    keep->is_shut = result == 0 || errno != EAGAIN;
    return result;
}

static void keep_close(struct modcat_endpoint *endpoint)
{
    struct keep *keep = endpoint->state;
    if (keep->held.bytes > 0)
        modcat_log(MODCAT_WARNING, "%s: %zu bytes that were held are not delivered",
                   modcat_keyword(keep->opening), keep->held.bytes);
    if (keep->discarded > 0)
        modcat_log(MODCAT_WARNING, "%s: %llu bytes were discarded while it was away",
                   modcat_keyword(keep->opening), keep->discarded);
    held_free(&keep->held);
    free(keep);
}

static bool keep_pending(struct modcat_endpoint *endpoint)
{
    struct keep *keep = endpoint->state;
    return keep->state != KEEP_AWAY && modcat_lower_pending(keep->lower);
}

static bool holds(const struct keep *keep)
{
    size_t length;
    return held_peek(&keep->held, &length) != NULL;
}

/* What is put aside needs no descriptor, but only what is ready gets to be written. The descriptor
 * of an end that is away, or broken, always is. */
static short wants_to_write(const struct keep *keep)
{
    if (keep->state != KEEP_PRESENT)
        return keep->is_last || keep->is_full ? 0 : POLLOUT;
    return holds(keep) ? 0 : modcat_lower_wants(keep->lower, MODCAT_DIR_WRITE);
}

static short keep_wants(struct modcat_endpoint *endpoint, unsigned direction)
{
    struct keep *keep = endpoint->state;
    if (direction == MODCAT_DIR_WRITE)
        return wants_to_write(keep);
    return keep->state == KEEP_AWAY ? 0 : modcat_lower_wants(keep->lower, direction);
}

/* Until all that was held is written, this waits by itself. */
static void keep_watch(struct modcat_endpoint *endpoint, struct modcat_attention *attention)
{
    struct keep *keep = endpoint->state;
    if (keep->state != KEEP_PRESENT) {
        attention->deadline = keep->next;
        return;
    }
    if (!holds(keep))
        return;
    short wants = modcat_lower_wants(keep->lower, MODCAT_DIR_WRITE);
    int fd = (wants & POLLIN) != 0 ? keep->lower->read_fd : keep->lower->write_fd;
    attention->watched[attention->count++] = (struct modcat_watched){.fd = fd, .events = wants};
}

static int keep_attend(struct modcat_endpoint *endpoint, const struct modcat_attention *attention)
{
    struct keep *keep = endpoint->state;
    (void)attention;
    if (keep->state != KEEP_PRESENT && keep_come_back(keep) < 0)
        return -1;
    if (keep->state == KEEP_PRESENT)
        (void)keep_flush(keep);
    return 0;
}

const struct modcat_endpoint_ops keep_ops = {
    .size = sizeof keep_ops,
    .read = keep_read,
    .write = keep_write,
    .shutdown = keep_shutdown,
    .close = keep_close,
    .pending = keep_pending,
    .wants = keep_wants,
    .watch = keep_watch,
    .attend = keep_attend,
};
