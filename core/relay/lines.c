#define _GNU_SOURCE
#include "core/relay/lines.h"

#include "core/base/log.h"
#include "core/base/wait.h"
#include "core/relay/moving.h"
#include "core/session/endpoint.h"
#include <sys/ioctl.h>

bool lines_is_one(const struct opened *opened)
{
    return endpoint_can_be_abandoned(opened->endpoint);
}

static long long patience(const struct flow *flow)
{
    return flow_sink_settings(flow)->sitout_eio;
}

static bool has_more(const struct opened *source)
{
    int count = 0;
    return ioctl(source->endpoint->read_fd, FIONREAD, &count) == 0 && count > 0;
}

bool lines_has_left(const struct flow *flow, int error)
{
    return error == EIO && lines_is_one(flow->sink) && patience(flow) == 0 &&
           !has_more(flow->source);
}

void lines_log_sitting_out(int fd, long long limit)
{
    log_notice("xioread(fd=%d): EIO, sitting out %lld.%02llds for recovery", fd,
               limit / MODCAT_SECOND, limit % MODCAT_SECOND / (MODCAT_SECOND / 100));
}

/* What its users type has been dropped until there were none. */
static bool sits_out(const struct relay *relay, const struct flow *flow)
{
    return !relay->two_way && !flow_is_over(flow) && lines_is_one(flow->sink) &&
           patience(flow) > 0 && flow->sink->ended;
}

static void sit_out(struct flow *flow, long long *since)
{
    long long now = wait_now();
    if (*since == 0) {
        *since = now;
        lines_log_sitting_out(flow->sink->endpoint->read_fd, patience(flow));
    }
    if (!endpoint_hung_up(flow->sink->endpoint)) {
        *since = 0;
        flow->sink->ended = false;
    } else if (now - *since >= patience(flow)) {
        errno = EIO;
        flow_write_failed(flow, flow_undelivered(flow));
    }
}

void lines_consider(struct relay *relay)
{
    for (int i = 0; i < 2; i++)
        if (sits_out(relay, &relay->flows[i]))
            sit_out(&relay->flows[i], &relay->users_left[i]);
}

long long lines_next_look(const struct relay *relay)
{
    long long next = MODCAT_FOREVER;
    for (int i = 0; i < 2; i++)
        if (sits_out(relay, &relay->flows[i]))
            next = wait_now() + LINES_TICK;
    return next;
}
