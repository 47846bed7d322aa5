/* KEEP: a layer that keeps a session while what it stands on goes and comes back: a server that is
 * restarted, a serial device that is unplugged, a program that dies. */

#define _GNU_SOURCE
#include "keep.h"

#include <stdlib.h>

#define HOLD_SIZE 65536
#define MAX_INTERVAL (30 * MODCAT_SECOND)
#define TIMEOUT (10 * MODCAT_SECOND)

static modcat_wrap_fn keep_wrap;

static const char *check_interval(const struct modcat_value *value)
{
    return value->time > 0 ? NULL : "it must be more than 0 seconds";
}

static const struct modcat_option options[] = {
    {.name = "keep-while-away",
     .aliases = "while-away",
     .help = "what becomes of data that comes meanwhile",
     .type = MODCAT_CHOICE,
     .words = "hold,discard,close",
     .preset = "hold"},
    {.name = "keep-hold-size",
     .aliases = "hold-size",
     .help = "number of bytes that are held; then the writer waits",
     .type = MODCAT_SIZE,
     .preset = "64k"},
    {.name = "keep-max-interval",
     .aliases = "max-interval",
     .help = "most time between two tries, which doubles up to this",
     .type = MODCAT_TIMESPEC,
     .preset = "30",
     .check = check_interval},
    {.name = "keep-timeout",
     .help = "most time for one try; 0 for no limit",
     .type = MODCAT_TIMESPEC,
     .preset = "10"},
    {.name = "keep-tries",
     .help = "number of tries in a row before the session ends",
     .type = MODCAT_UINT,
     .preset = "no limit"},
};

static const struct modcat_option_group groups[] = {
    {.name = "KEEP", .help = "opening again what is lost", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {
    {.name = "KEEP",
     .help = "open again what is lost, and keep the session",
     .example = "modcat PTY,link=/tmp/device,raw 'KEEP,interval=2|TCP:box:4001'",
     .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
     .flags = MODCAT_TYPE_WAITS | MODCAT_TYPE_REOPENS,
     .wrap = keep_wrap,
     .groups = "CHILD,RETRY,KEEP"},
};

MODCAT_DRIVER(.name = "keep", .version = MODCAT_DRIVER_VERSION,
              .summary = "a layer that opens again what is lost", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups));

static long long time_of(struct modcat_opening *opening, const char *name, long long otherwise)
{
    const struct modcat_value *value = modcat_option_value(opening, name);
    return value != NULL ? value->time : otherwise;
}

/* Without a time of its own the first try comes at once; so the interval is never nothing. */
static void take_options(struct modcat_opening *opening, struct keep *keep)
{
    keep->mode = (enum keep_mode)modcat_option_number(opening, "keep-while-away", KEEP_HOLD);
    keep->held.most = (size_t)modcat_option_number(opening, "keep-hold-size", HOLD_SIZE);
    keep->most_tries = (unsigned)modcat_option_number(opening, "keep-tries", 0);
    keep->interval = time_of(opening, "interval", MODCAT_SECOND);
    if (keep->interval < MODCAT_SECOND / 1000)
        keep->interval = MODCAT_SECOND / 1000;
    keep->max_interval = time_of(opening, "keep-max-interval", MAX_INTERVAL);
    if (keep->max_interval < keep->interval)
        keep->max_interval = keep->interval;
    keep->delay = keep->interval;
    keep->timeout = time_of(opening, "keep-timeout", TIMEOUT);
    if (keep->timeout <= 0)
        keep->timeout = MODCAT_FOREVER;
}

/* The end of what has no half-close is told by its own operation, and not by the layer. */
static void take_nature(struct keep *keep, struct modcat_endpoint *endpoint)
{
    const struct modcat_endpoint *lower = keep->lower;
    keep->held.has_messages = (lower->flags & MODCAT_END_MESSAGES) != 0;
    endpoint->flags = lower->flags & ~MODCAT_END_WHOLE;
    endpoint->half_close = lower->half_close;
    endpoint->message_max = lower->message_max;
}

static int keep_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                     struct modcat_endpoint *endpoint)
{
    struct keep *keep = calloc(1, sizeof *keep);
    if (keep == NULL)
        return modcat_fail(opening, "out of memory");
    keep->opening = opening;
    keep->endpoint = endpoint;
    keep->lower = lower;
    keep->opened_at = modcat_deadline(0);
    take_options(opening, keep);
    take_nature(keep, endpoint);
    endpoint->ops = &keep_ops;
    endpoint->state = keep;
    return 0;
}
