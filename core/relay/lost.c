#define _GNU_SOURCE
#include "core/relay/lost.h"

#include "core/base/failure.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/shortage.h"
#include "core/base/sockaddr.h"
#include "core/relay/moving.h"
#include "core/services/datagram/operations.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What is written to an interface comes from others, and need not be a packet; and somebody may set
 * the interface down for a while: TUN gives EIO then. */
static bool interface_outlives(const struct modcat_endpoint *sink, int error)
{
    return (sink->flags & MODCAT_END_LOSES_ALONE) != 0 &&
           (error == EINVAL || error == ENETDOWN || error == EIO || error == ENOMEM);
}

bool lost_alone(const struct flow *flow, int error)
{
    const struct modcat_endpoint *sink = flow->sink->endpoint;
    return flow_has_messages(flow->sink) &&
           (error == EMSGSIZE || error == ENOBUFS || interface_outlives(sink, error) ||
            datagram_outlives(sink, error));
}

/* Where a stream was cut into messages, the user can have shorter ones. */
static const char *advice(const struct flow *flow, int error)
{
    bool cut = error == EMSGSIZE && !flow_has_messages(flow->source);
    return cut ? "; option -b makes shorter ones" : "";
}

static void report(const struct flow *flow, size_t length, int error)
{
    const struct modcat_endpoint *sink = flow->sink->endpoint;
    const struct modcat_sockaddr *target = datagram_target(sink);
    char to[MODCAT_SOCKADDR_TEXT], plain[SOCKADDR_PLAIN_TEXT];
    AUTO_FREE char *reason = memory_format("%s: this message of %zu bytes is dropped%s",
                                           strerror(error), length, advice(flow, error));
    if (target == NULL || target->length == 0 || error == EMSGSIZE)
        flow_log_write_failure(flow, MODCAT_ERROR, reason, length);
    else
        log_failure(MODCAT_ERROR, "send to", sockaddr_plain_text(target, plain), reason,
                    "sendto(%d, ..., %zu, ..., %s)", datagram_fd(sink), length,
                    modcat_sockaddr_text(&target->u.any, target->length, to));
}

void lost_report(struct flow *flow)
{
    struct lost *lost = &flow->lost;
    if (lost->messages > 0)
        log_error("%zu more messages of %zu bytes for socket %d were dropped", lost->messages,
                  lost->bytes, flow->to->number);
    lost->messages = lost->bytes = 0;
}

void lost_message(struct flow *flow, size_t length, int error)
{
    struct lost *lost = &flow->lost;
    flow->failed = true;
    if (shortage_may_warn(&lost->quiet_until)) {
        lost_report(flow);
        report(flow, length, error);
        return;
    }
    lost->messages++;
    lost->bytes += length;
}
