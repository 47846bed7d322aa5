/* Over packets, each of which has a header of its own, for one may overtake another. */

#define _GNU_SOURCE
#include "pp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

struct over {
    struct modcat_endpoint *lower;
    uint8_t *data; /* room for a message with its header */
    size_t room;
    size_t first;     /* length of the message that is there already, or 0 */
    bool has_refused; /* a message without a header, which was told */
    size_t header_length;
    uint8_t header[]; /* that goes before each message */
};

static int make_room(struct over *over, size_t length)
{
    if (over->room >= length)
        return 0;
    uint8_t *larger = realloc(over->data, length);
    if (larger == NULL)
        return -1;
    over->data = larger;
    over->room = length;
    return 0;
}

static ssize_t read_whole(struct over *over, size_t length)
{
    ssize_t count = (ssize_t)over->first;
    if (over->first > 0) {
        over->first = 0;
        return count;
    }
    if (make_room(over, length + PP_HEADER_MAX) < 0)
        return -1;
    return modcat_lower_read(over->lower, over->data, over->room);
}

/* One without a header can't be told apart from what anybody else sends. */
static ssize_t drop(struct over *over, const char *why)
{
    if (!over->has_refused)
        modcat_log(MODCAT_WARNING,
                   "dropping a packet, and further ones silently: no header of the "
                   "PROXY protocol: %s",
                   why);
    over->has_refused = true;
    errno = EAGAIN;
    return -1;
}

static ssize_t read_behind_header(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct over *over = endpoint->state;
    struct pp_header header;
    const char *why = "it is too short for one";
    ssize_t count = read_whole(over, length);
    if (count < 0 || (count == 0 && (endpoint->flags & MODCAT_END_EMPTY_ENDS) != 0))
        return count;
    if (pp_read(over->data, (size_t)count, &header, &why) != PP_TAKEN)
        return drop(over, why);
    size_t rest = (size_t)count - header.length;
    rest = rest < length ? rest : length;
    memcpy(buffer, over->data + header.length, rest);
    return (ssize_t)rest;
}

static ssize_t write_behind_header(struct modcat_endpoint *endpoint, const void *buffer,
                                   size_t length)
{
    struct over *over = endpoint->state;
    if (make_room(over, over->header_length + length) < 0)
        return -1;
    memcpy(over->data, over->header, over->header_length);
    memcpy(over->data + over->header_length, buffer, length);
    ssize_t count = modcat_lower_write(over->lower, over->data, over->header_length + length);
    return count < 0 ? count : (ssize_t)length;
}

static ssize_t read_plain(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct over *over = endpoint->state;
    return modcat_lower_read(over->lower, buffer, length);
}

static ssize_t write_plain(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct over *over = endpoint->state;
    return modcat_lower_write(over->lower, buffer, length);
}

static int shut_down(struct modcat_endpoint *endpoint)
{
    struct over *over = endpoint->state;
    return modcat_lower_shutdown(over->lower);
}

static void free_state(struct modcat_endpoint *endpoint)
{
    struct over *over = endpoint->state;
    free(over->data);
    free(over);
}

static bool is_pending(struct modcat_endpoint *endpoint)
{
    struct over *over = endpoint->state;
    return over->first > 0 || modcat_lower_pending(over->lower);
}

static short wants(struct modcat_endpoint *endpoint, unsigned direction)
{
    struct over *over = endpoint->state;
    return modcat_lower_wants(over->lower, direction);
}

#define COMMON                                                                                     \
    .size = sizeof(struct modcat_endpoint_ops), .shutdown = shut_down, .close = free_state,        \
    .pending = is_pending, .wants = wants
static const struct modcat_endpoint_ops sending = {COMMON, .read = read_plain,
                                                   .write = write_behind_header};
static const struct modcat_endpoint_ops receiving = {COMMON, .read = read_behind_header,
                                                     .write = write_plain};

int pp_over_messages(struct modcat_opening *opening, struct modcat_endpoint *lower,
                     struct modcat_endpoint *endpoint, const struct pp_made *made,
                     const void *first, size_t length)
{
    size_t header_length = made != NULL ? made->length : 0;
    struct over *over = calloc(1, sizeof *over + header_length);
    if (over == NULL || make_room(over, length) < 0) {
        free(over);
        return modcat_fail(opening, "out of memory");
    }
    over->lower = lower;
    over->first = length;
    if (length > 0)
        memcpy(over->data, first, length);
    over->header_length = header_length;
    if (made != NULL)
        memcpy(over->header, made->data, header_length);
    endpoint->flags = lower->flags;
    endpoint->half_close = lower->half_close;
    endpoint->message_max =
        lower->message_max > header_length ? lower->message_max - header_length : 0;
    endpoint->ops = made != NULL ? &sending : &receiving;
    endpoint->state = over;
    return 0;
}
