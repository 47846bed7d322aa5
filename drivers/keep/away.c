/* Going away, and coming back. */

#define _GNU_SOURCE
#include "keep.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* How often is looked at whether a peer that takes nothing more has been read to its end. */
#define LOOK_INTERVAL (MODCAT_SECOND / 2)

#define NAME_SIZE 256

static double seconds_of(long long time)
{
    return (double)time / (double)MODCAT_SECOND;
}

void keep_break(struct keep *keep)
{
    keep->reason = errno;
    keep->state = KEEP_BROKEN;
    keep->next = modcat_deadline(LOOK_INTERVAL);
}

/* One that has lasted is opened again at once, one that ends again and again is left alone. */
static long long first_delay(struct keep *keep, long long now)
{
    if (now - keep->opened_at < keep->interval)
        return keep->delay;
    keep->delay = keep->interval;
    return 0;
}

static void slow_down(struct keep *keep)
{
    keep->delay = keep->delay > keep->max_interval / 2 ? keep->max_interval : 2 * keep->delay;
}

int keep_go_away(struct keep *keep, int error)
{
    char name[NAME_SIZE];
    if (modcat_lower_close(keep->opening, &keep->lower) < 0)
        return -1;
    long long now = modcat_deadline(0), delay = first_delay(keep, now);
    modcat_log(MODCAT_WARNING, "%s: %s is lost (%s); trying to open it again",
               modcat_keyword(keep->opening), modcat_lower_name(keep->opening, name, sizeof name),
               error != 0 ? strerror(error) : "end of file");
    if (delay > 0)
        slow_down(keep);
    keep->state = KEEP_AWAY;
    keep->tries = 0;
    keep->lost_at = now;
    keep->next = now + delay;
    return 0;
}

static void report_return(const struct keep *keep)
{
    char name[NAME_SIZE], data[80] = "";
    if (keep->mode == KEEP_DISCARD)
        snprintf(data, sizeof data, "; %llu bytes were discarded", keep->discarded);
    else if (keep->held.bytes > 0)
        snprintf(data, sizeof data, "; %zu bytes were held", keep->held.bytes);
    modcat_log(MODCAT_WARNING, "%s: %s is back after %.3f seconds%s", modcat_keyword(keep->opening),
               modcat_lower_name(keep->opening, name, sizeof name),
               seconds_of(keep->opened_at - keep->lost_at), data);
}

static void arrive(struct keep *keep)
{
    keep->state = KEEP_PRESENT;
    keep->opened_at = modcat_deadline(0);
    keep->is_full = false;
    report_return(keep);
    keep->discarded = 0;
}

/* A listener goes on to listen. */
static void wait_for_next_try(struct keep *keep)
{
    bool listens = modcat_is_served(keep->opening) && errno == ETIMEDOUT;
    keep->next = modcat_deadline(listens ? 0 : keep->delay);
    if (!listens)
        slow_down(keep);
}

static int fail_at_last(struct keep *keep)
{
    int error = errno;
    char name[NAME_SIZE];
    modcat_log(MODCAT_ERROR, "%s: %s does not come back: given up after %u tries",
               modcat_keyword(keep->opening), modcat_lower_name(keep->opening, name, sizeof name),
               keep->tries);
    keep->endpoint->flags |= MODCAT_END_REPORTED;
    errno = error;
    return -1;
}

/* Only the first reason of many that are alike is worth a notice, and the last one a warning. */
static int try_to_open(struct keep *keep)
{
    bool last = ++keep->tries == keep->most_tries;
    enum modcat_level level = last               ? MODCAT_WARNING
                              : keep->tries == 1 ? MODCAT_NOTICE
                                                 : MODCAT_INFO;
    long long deadline = modcat_deadline(keep->timeout);
    if (modcat_lower_reopen_until(keep->opening, &keep->lower, level, deadline) == 0) {
        arrive(keep);
        return 0;
    }
    if (last)
        return fail_at_last(keep);
    wait_for_next_try(keep);
    return 0;
}

/* What was received before the peer broke is still there, while the upper side reads slowly. */
static bool has_more_to_read(const struct keep *keep)
{
    struct pollfd entry = {.fd = keep->lower->read_fd, .events = POLLIN};
    return modcat_lower_pending(keep->lower) ||
           (poll(&entry, 1, 0) > 0 && (entry.revents & POLLIN) != 0);
}

int keep_come_back(struct keep *keep)
{
    if (modcat_deadline(0) < keep->next)
        return 0;
    if (keep->state == KEEP_AWAY)
        return try_to_open(keep);
    keep->next = modcat_deadline(LOOK_INTERVAL);
    return has_more_to_read(keep) ? 0 : keep_go_away(keep, keep->reason);
}
