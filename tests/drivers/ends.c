/* Drivers that open ends themselves.
 *
 * AGAIN is a layer that opens again what it stands on when that has ended; what is written
 * meanwhile waits. FIRST:(...)(...) is the first of its addresses that opens. BOTH:(...)(...)
 * writes to two, and reads what comes from either. MEET:<name> gives what is written to it to all
 * other sessions that have come to the same address. */

#define _GNU_SOURCE
#include <errno.h>
#include <modcat/driver.h>
#include <modcat/layer.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static modcat_wrap_fn again_wrap;
static modcat_open_fn first_open, both_open, meet_open;

static const struct modcat_option options[] = {
    {.name = "again-interval", .help = "seconds between tries", .type = MODCAT_TIMESPEC},
    {.name = "again-most", .help = "how often it is opened again", .type = MODCAT_UINT},
};

static const struct modcat_option_group groups[] = {
    {.name = "AGAIN", .help = "opening again", MODCAT_OPTIONS(options)},
};

#define BOTH_WAYS .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE

static const struct modcat_address_type types[] = {
    {.name = "AGAIN",
     .help = "open again what has ended",
     BOTH_WAYS,
     .flags = MODCAT_TYPE_WAITS | MODCAT_TYPE_REOPENS,
     .wrap = again_wrap,
     .layer_groups = "FD,AGAIN"},
    {.name = "FIRST",
     .groups = "FD",
     .help = "the first that opens",
     BOTH_WAYS,
     .flags = MODCAT_TYPE_ADDRESSES,
     .syntax = ":(<address>)...",
     .min_params = 1,
     .max_params = 1,
     .open = first_open},
    {.name = "BOTH",
     .groups = "FD,CHILD,RETRY",
     .help = "two at once",
     BOTH_WAYS,
     .flags = MODCAT_TYPE_ADDRESSES,
     .syntax = ":(<address>)(<address>)",
     .min_params = 1,
     .max_params = 1,
     .open = both_open},
    {.name = "MEET",
     .groups = "FD",
     .help = "meet others",
     BOTH_WAYS,
     .syntax = ":<name>",
     .min_params = 1,
     .max_params = 1,
     .open = meet_open},
};

MODCAT_DRIVER(.name = "ends", .version = "1.0", .summary = "ends of their own", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups));

struct again {
    struct modcat_opening *opening;
    struct modcat_endpoint *lower;
    long long interval;
    long long next_try; /* MODCAT_FOREVER: it is open */
    unsigned left;      /* how often it may be opened again */
    bool is_shut;       /* no more will be written */
};

static bool is_away(const struct again *again)
{
    return again->next_try != MODCAT_FOREVER;
}

static ssize_t go_away(struct again *again)
{
    if (modcat_lower_close(again->opening, &again->lower) < 0)
        return -1;
    again->next_try = modcat_deadline(again->interval);
    errno = EAGAIN;
    return -1;
}

static bool is_lost(const struct again *again, ssize_t result)
{
    return again->left > 0 && (result == 0 || (result < 0 && errno != EAGAIN && errno != EINTR));
}

static ssize_t again_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct again *again = endpoint->state;
    if (is_away(again)) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t count = modcat_lower_read(again->lower, buffer, length);
    return is_lost(again, count) ? go_away(again) : count;
}

static ssize_t again_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct again *again = endpoint->state;
    if (is_away(again)) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t count = modcat_lower_write(again->lower, buffer, length);
    return is_lost(again, count) ? go_away(again) : count;
}

static int again_shutdown(struct modcat_endpoint *endpoint)
{
    struct again *again = endpoint->state;
    again->is_shut = true;
    return is_away(again) ? 0 : modcat_lower_shutdown(again->lower);
}

static bool again_pending(struct modcat_endpoint *endpoint)
{
    struct again *again = endpoint->state;
    return !is_away(again) && modcat_lower_pending(again->lower);
}

static short again_wants(struct modcat_endpoint *endpoint, unsigned direction)
{
    struct again *again = endpoint->state;
    return is_away(again) ? 0 : modcat_lower_wants(again->lower, direction);
}

static void again_watch(struct modcat_endpoint *endpoint, struct modcat_attention *attention)
{
    struct again *again = endpoint->state;
    attention->deadline = again->next_try;
}

static int again_attend(struct modcat_endpoint *endpoint, const struct modcat_attention *attention)
{
    struct again *again = endpoint->state;
    (void)attention;
    if (!is_away(again))
        return 0;
    again->next_try = modcat_deadline(again->interval);
    if (modcat_lower_reopen(again->opening, &again->lower, MODCAT_NOTICE) == 0) {
        again->next_try = MODCAT_FOREVER;
        again->left--;
        modcat_log(MODCAT_NOTICE, "back again");
        if (again->is_shut)
            modcat_lower_shutdown(again->lower);
    }
    return 0;
}

static void free_state(struct modcat_endpoint *endpoint)
{
    free(endpoint->state);
}

static const struct modcat_endpoint_ops again_ops = {
    .size = sizeof again_ops,
    .read = again_read,
    .write = again_write,
    .shutdown = again_shutdown,
    .close = free_state,
    .pending = again_pending,
    .wants = again_wants,
    .watch = again_watch,
    .attend = again_attend,
};

static int again_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                      struct modcat_endpoint *endpoint)
{
    const struct modcat_value *interval = modcat_option_value(opening, "again-interval");
    struct again *again = calloc(1, sizeof *again);
    if (again == NULL)
        return modcat_fail(opening, "out of memory");
    *again = (struct again){.opening = opening, .lower = lower, .next_try = MODCAT_FOREVER};
    again->interval = interval != NULL ? interval->time : MODCAT_SECOND / 50;
    again->left = (unsigned)modcat_option_number(opening, "again-most", 1000000);
    endpoint->ops = &again_ops;
    endpoint->state = again;
    return 0;
}

static int first_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    for (size_t i = 0; i < modcat_end_count(opening); i++) {
        struct modcat_endpoint *end = modcat_open_end(opening, i, MODCAT_WARNING);
        if (end != NULL)
            return modcat_pass_through(end, endpoint, NULL, 0);
    }
    return modcat_fail(opening, "none of %zu addresses opens", modcat_end_count(opening));
}

struct both {
    struct modcat_endpoint *ends[2];
    bool ended[2];
};

static ssize_t both_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct both *both = endpoint->state;
    for (int i = 0; i < 2; i++) {
        ssize_t count = both->ended[i] ? 0 : modcat_lower_read(both->ends[i], buffer, length);
        if (count > 0 || (count < 0 && errno != EAGAIN))
            return count;
        both->ended[i] = count == 0;
    }
    if (both->ended[0] && both->ended[1])
        return 0;
    errno = EAGAIN;
    return -1;
}

static ssize_t both_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct both *both = endpoint->state;
    ssize_t count = modcat_lower_write(both->ends[0], buffer, length);
    if (count <= 0)
        return count;
    return modcat_lower_write(both->ends[1], buffer, (size_t)count) == count ? count : -1;
}

static int both_shutdown(struct modcat_endpoint *endpoint)
{
    struct both *both = endpoint->state;
    int first = modcat_lower_shutdown(both->ends[0]);
    int second = modcat_lower_shutdown(both->ends[1]);
    return first < 0 || second < 0 ? -1 : 0;
}

static bool both_pending(struct modcat_endpoint *endpoint)
{
    struct both *both = endpoint->state;
    struct pollfd entry = {.fd = both->ends[1]->read_fd, .events = POLLIN};
    return !both->ended[1] && poll(&entry, 1, 0) > 0;
}

static short both_wants(struct modcat_endpoint *endpoint, unsigned direction)
{
    struct both *both = endpoint->state;
    if (direction == MODCAT_DIR_READ && both->ended[0])
        return 0;
    return modcat_lower_wants(both->ends[0], direction);
}

static void both_watch(struct modcat_endpoint *endpoint, struct modcat_attention *attention)
{
    struct both *both = endpoint->state;
    if (!both->ended[1])
        attention->watched[attention->count++] =
            (struct modcat_watched){.fd = both->ends[1]->read_fd, .events = POLLIN};
}

/* What has come is read by both_read(). */
static int both_attend(struct modcat_endpoint *endpoint, const struct modcat_attention *attention)
{
    (void)endpoint;
    (void)attention;
    return 0;
}

static const struct modcat_endpoint_ops both_ops = {
    .size = sizeof both_ops,
    .read = both_read,
    .write = both_write,
    .shutdown = both_shutdown,
    .close = free_state,
    .pending = both_pending,
    .wants = both_wants,
    .watch = both_watch,
    .attend = both_attend,
};

static int both_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct both *both = calloc(1, sizeof *both);
    if (both == NULL)
        return modcat_fail(opening, "out of memory");
    for (size_t i = 0; i < 2; i++) {
        both->ends[i] = modcat_open_end(opening, i, MODCAT_ERROR);
        if (both->ends[i] == NULL) {
            free(both);
            return -1;
        }
    }
    endpoint->read_fd = both->ends[0]->read_fd;
    endpoint->write_fd = both->ends[0]->write_fd;
    endpoint->flags = both->ends[0]->flags;
    endpoint->ops = &both_ops;
    endpoint->state = both;
    return 0;
}

/* What all who meet have in common. */
struct meeting {
    struct guest *first;
};

struct guest {
    struct guest *next;
    struct meeting *meeting;
    int fd; /* readable when there is something */
    char *heard;
    size_t count;
};

static ssize_t meet_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct guest *guest = endpoint->state;
    eventfd_t ignored;
    if (guest->count == 0) {
        errno = EAGAIN;
        return -1;
    }
    size_t count = guest->count < length ? guest->count : length;
    memcpy(buffer, guest->heard, count);
    guest->count -= count;
    memmove(guest->heard, guest->heard + count, guest->count);
    if (guest->count == 0)
        eventfd_read(guest->fd, &ignored);
    return (ssize_t)count;
}

static int tell(struct guest *guest, const void *data, size_t length)
{
    char *longer = realloc(guest->heard, guest->count + length);
    if (longer == NULL)
        return -1;
    memcpy(longer + guest->count, data, length);
    guest->heard = longer;
    guest->count += length;
    return eventfd_write(guest->fd, 1);
}

static ssize_t meet_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct guest *guest = endpoint->state;
    for (struct guest *other = guest->meeting->first; other != NULL; other = other->next)
        if (other != guest && tell(other, buffer, length) < 0)
            return -1;
    return (ssize_t)length;
}

static void meet_close(struct modcat_endpoint *endpoint)
{
    struct guest *guest = endpoint->state;
    struct guest **place = &guest->meeting->first;
    while (*place != guest)
        place = &(*place)->next;
    *place = guest->next;
    free(guest->heard);
    free(guest);
}

static const struct modcat_endpoint_ops meet_ops = {
    .size = sizeof meet_ops,
    .read = meet_read,
    .write = meet_write,
    .close = meet_close,
};

static void end_meeting(void *data)
{
    const struct meeting *meeting = data;
    modcat_log(MODCAT_NOTICE, "the meeting is over, %s", meeting->first == NULL ? "all left" : "?");
}

static int meet_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    struct meeting *meeting = modcat_share(opening, sizeof *meeting, end_meeting);
    struct guest *guest = calloc(1, sizeof *guest);
    if (guest == NULL)
        return modcat_fail(opening, "out of memory");
    *guest = (struct guest){.next = meeting->first, .meeting = meeting};
    guest->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    endpoint->read_fd = endpoint->write_fd = guest->fd;
    endpoint->half_close = MODCAT_HALF_NONE;
    endpoint->ops = &meet_ops;
    endpoint->state = guest;
    meeting->first = guest;
    return 0;
}
