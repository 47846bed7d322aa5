#define _GNU_SOURCE
#include "core/relay/overflow.h"

#include "core/base/log.h"
#include "core/base/wait.h"
#include "core/relay/moving.h"
#include "core/services/net/socket.h"

/* What RECVFROM gives belongs to the listener's socket. */
static bool is_own_socket(const struct modcat_endpoint *source)
{
    return source->read_fd >= 0 && (source->flags & MODCAT_END_MESSAGES) != 0 &&
           ((source->flags & MODCAT_END_EMPTY_ENDS) == 0 ||
            (source->flags & MODCAT_END_SOCKET) != 0);
}

void overflow_report(struct flow *flow, bool now)
{
    struct overflow *overflow = &flow->lost.overflow;
    const struct opened *source = flow->source;
    unsigned dropped;
    if (source == NULL || !is_own_socket(source->endpoint) ||
        (!now && wait_now() < overflow->next_look) ||
        !socket_count_dropped(source->endpoint->read_fd, &dropped))
        return;
    bool earlier = !overflow->looked && (source->endpoint->flags & MODCAT_END_INHERITED) != 0;
    overflow->looked = true;
    overflow->bytes = flow->bytes;
    overflow->next_look = wait_now() + MODCAT_SECOND;
    if (dropped != overflow->reported && !earlier)
        log_warning("%u packets for socket %d were dropped, because they came faster than they "
                    "were read; option so-rcvbuf makes room for more",
                    dropped - overflow->reported, flow->from->number);
    overflow->reported = dropped;
}

long long overflow_next_look(const struct flow *flow)
{
    const struct overflow *overflow = &flow->lost.overflow;
    return overflow->looked && flow->bytes != overflow->bytes ? overflow->next_look
                                                              : MODCAT_FOREVER;
}
