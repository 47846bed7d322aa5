#define _GNU_SOURCE
#include "core/relay/unwanted.h"

#include "core/relay/lines.h"
#include "core/relay/moving.h"
#include "core/session/endpoint.h"

/* So much of it is dropped before others get their turn. */
#define ROUNDS_MAX 16

static unsigned lowest_flags(const struct opened *opened)
{
    while (opened->lower != NULL)
        opened = opened->lower;
    return opened->endpoint->flags;
}

/* A connection of our own, whose peer does not know that its data is not read; or a program or the
 * user of a terminal line, who would block on their output and then stop reading their input. */
static bool may_be_dropped(const struct opened *opened)
{
    unsigned flags = lowest_flags(opened);
    bool answers = (flags & (MODCAT_END_SOCKET | MODCAT_END_PROGRAM)) != 0 || lines_is_one(opened);
    return answers && (flags & MODCAT_END_INHERITED) == 0 &&
           (!flow_has_messages(opened) || opened->connected) && opened->endpoint->read_fd >= 0;
}

bool unwanted_comes(const struct flow *flow, const struct flow *other)
{
    const struct opened *sink = flow->sink;
    if (sink == NULL || flow->source == NULL || sink->ended || flow_sink_failed(flow))
        return false;
    bool is_read = other->source != NULL && other->source->endpoint == sink->endpoint;
    if (is_read && flow_is_open(other))
        return false;
    return flow->sink_talks ? sink->endpoint->read_fd >= 0 : may_be_dropped(sink);
}

/* A layer's troubles with what it reads are its own. A program may end when it likes: what it did
 * not take is reported when it is written. A terminal line may get another user with sitout-eio. */
static bool concerns_writing(const struct opened *from)
{
    return from->lower == NULL && (from->endpoint->flags & MODCAT_END_PROGRAM) == 0 &&
           !(lines_is_one(from) && from->opening->set.sitout_eio > 0);
}

int unwanted_drop(struct opened *from)
{
    char dropped[16384];
    for (int round = 0; round < ROUNDS_MAX; round++) {
        ssize_t count = endpoint_read(from->endpoint, false, dropped, sizeof dropped);
        if (count > 0 ||
            (count == 0 && flow_has_messages(from) && !endpoint_is_over(from->endpoint->read_fd)))
            continue;
        if (count < 0 && (flow_would_block(errno) || errno == EINTR))
            return 0;
        from->ended = true;
        return count < 0 && concerns_writing(from) ? -1 : 0;
    }
    return 0;
}
