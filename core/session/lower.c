/* The services of <modcat/layer.h>, with which a layer uses what it stands on.
 *
 * A layer has the descriptors of the lowest level, and waits for those; it reads and writes through
 * modcat_lower_read() and its kin, never on the descriptors, for what is below may be a layer, or
 * an inherited descriptor that would block. During its dialogue with the peer (`wrap`) it may wait,
 * up to modcat_connect_deadline(); afterwards its operations return EAGAIN instead. One that has
 * nothing more to do than its dialogue hands its work to modcat_pass_through(), with the bytes that
 * it has read too far: they are given out first, and without any the relay uses the lower level as
 * it is. */

#define _GNU_SOURCE
#include "core/base/memory.h"
#include "core/base/patient.h"
#include "core/registry/registry.h"
#include "core/session/endpoint.h"
#include "core/session/halfclose.h"
#include "core/session/session.h"
#include <errno.h>
#include <modcat/layer.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *modcat_prepared(const struct modcat_opening *opening)
{
    return opening->prepared != NULL ? opening->prepared->state : NULL;
}

bool modcat_is_stacked(const struct modcat_opening *opening)
{
    return opening->address->lower != NULL;
}

bool modcat_is_served(const struct modcat_opening *opening)
{
    return address_lowest(opening->address)->type->type.listen != NULL;
}

/* The layer above, when its parameters say what it wants to reach through this one. Those of a
 * proxy do if they are not its target, which stands further up then. */
static const struct address *reaching_layer(const struct address *address)
{
    const struct address *upper = address->upper;
    if (upper == NULL || upper->param_count < 2)
        return NULL;
    bool proxy = (upper->type->type.flags & MODCAT_TYPE_PROXY) != 0;
    return !proxy || reaching_layer(upper) != NULL ? upper : NULL;
}

const char *modcat_upper_param(const struct modcat_opening *opening, size_t index)
{
    const struct address *upper = reaching_layer(opening->address);
    return upper != NULL && index < upper->param_count ? upper->params[index] : NULL;
}

/* Host or port, by index. */
static const char *target_param(const struct modcat_opening *opening, size_t index)
{
    size_t count = modcat_param_count(opening);
    const char *wanted = modcat_is_stacked(opening) ? modcat_upper_param(opening, index) : NULL;
    return wanted != NULL || count < 2 ? wanted : modcat_param(opening, count - 2 + index);
}

int modcat_target(struct modcat_opening *opening, const char **host, const char **port)
{
    *host = target_param(opening, 0);
    *port = target_param(opening, 1);
    if (modcat_param_count(opening) != 1 && *host != NULL && *port != NULL)
        return 0;
    errno = EINVAL;
    return modcat_fail(opening,
                       "no target given; usage: %s:<host>:<port>|<address>, or a layer with host "
                       "and port above",
                       modcat_keyword(opening));
}

const char *modcat_peer_name(const struct modcat_opening *opening)
{
    while (opening->peer_name == NULL && opening->below != NULL)
        opening = opening->below;
    return opening->peer_name;
}

void modcat_set_peer_name(struct modcat_opening *opening, const char *name)
{
    free(opening->peer_name);
    opening->peer_name = memory_copy_text(name);
}

long long modcat_connect_deadline(const struct modcat_opening *opening)
{
    long long timeout = opening->set.connect_timeout;
    return timeout > 0 ? modcat_deadline(timeout) : MODCAT_FOREVER;
}

static const struct opened *opened_of(const struct modcat_endpoint *lower)
{
    return lower->host;
}

ssize_t modcat_lower_read(struct modcat_endpoint *lower, void *buffer, size_t length)
{
    if (lower->ops != NULL && lower->ops->read != NULL)
        return lower->ops->read(lower, buffer, length);
    if (opened_of(lower)->read_blocks)
        return patient_read(lower->read_fd, buffer, length);
    return read(lower->read_fd, buffer, length);
}

ssize_t modcat_lower_write(struct modcat_endpoint *lower, const void *buffer, size_t length)
{
    if (lower->ops != NULL && lower->ops->write != NULL)
        return lower->ops->write(lower, buffer, length);
    if (!opened_of(lower)->write_blocks)
        return write(lower->write_fd, buffer, length);
    return patient_write(lower->write_fd, buffer, length);
}

int modcat_lower_shutdown(struct modcat_endpoint *lower)
{
    return halfclose_by_type(lower->host);
}

bool modcat_lower_pending(struct modcat_endpoint *lower)
{
    return endpoint_pending(lower);
}

short modcat_lower_wants(struct modcat_endpoint *lower, unsigned direction)
{
    return endpoint_wants(lower, direction);
}

int modcat_lower_wait(struct modcat_opening *opening, struct modcat_endpoint *lower,
                      unsigned direction, long long deadline)
{
    if (direction == MODCAT_DIR_READ && endpoint_pending(lower))
        return 1;
    short events = endpoint_wants(lower, direction);
    return modcat_wait(opening, endpoint_fd(lower, events), events, deadline);
}

/* After a call that failed: waits where that helps. Returns 0 to try again, -1 with errno. */
static int wait_to_retry(struct modcat_opening *opening, struct modcat_endpoint *lower,
                         unsigned direction, long long deadline)
{
    if (errno == EINTR)
        return 0;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return -1;
    int ready = modcat_lower_wait(opening, lower, direction, deadline);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0 ? 0 : -1;
}

int modcat_lower_send(struct modcat_opening *opening, struct modcat_endpoint *lower,
                      const void *data, size_t length, long long deadline)
{
    const char *rest = data;
    while (length > 0) {
        ssize_t count = modcat_lower_write(lower, rest, length);
        if (count < 0 && wait_to_retry(opening, lower, MODCAT_DIR_WRITE, deadline) < 0)
            return -1;
        if (count > 0) {
            rest += count;
            length -= (size_t)count;
        }
    }
    return 0;
}

ssize_t modcat_lower_receive(struct modcat_opening *opening, struct modcat_endpoint *lower,
                             void *buffer, size_t length, long long deadline)
{
    for (;;) {
        ssize_t count = modcat_lower_read(lower, buffer, length);
        if (count >= 0)
            return count;
        if (wait_to_retry(opening, lower, MODCAT_DIR_READ, deadline) < 0)
            return -1;
    }
}

/* An endpoint that is the lower one, after what was read too far. */
struct passage {
    struct modcat_endpoint *lower;
    size_t start;
    size_t end;
    char early[];
};

static ssize_t passage_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct passage *passage = endpoint->state;
    size_t rest = passage->end - passage->start;
    if (rest == 0)
        return modcat_lower_read(passage->lower, buffer, length);
    size_t count = rest < length ? rest : length;
    memcpy(buffer, passage->early + passage->start, count);
    passage->start += count;
    return (ssize_t)count;
}

static ssize_t passage_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct passage *passage = endpoint->state;
    return modcat_lower_write(passage->lower, buffer, length);
}

static int passage_shutdown(struct modcat_endpoint *endpoint)
{
    struct passage *passage = endpoint->state;
    return modcat_lower_shutdown(passage->lower);
}

static void passage_close(struct modcat_endpoint *endpoint)
{
    free(endpoint->state);
}

static bool passage_pending(struct modcat_endpoint *endpoint)
{
    struct passage *passage = endpoint->state;
    return passage->start < passage->end || endpoint_pending(passage->lower);
}

static short passage_wants(struct modcat_endpoint *endpoint, unsigned direction)
{
    struct passage *passage = endpoint->state;
    return endpoint_wants(passage->lower, direction);
}

static const struct modcat_endpoint_ops passage_ops = {
    .size = sizeof passage_ops,
    .read = passage_read,
    .write = passage_write,
    .shutdown = passage_shutdown,
    .close = passage_close,
    .pending = passage_pending,
    .wants = passage_wants,
};

/* Plain descriptors with nothing read stay plain, and the relay may move data its fastest way. */
int modcat_pass_through(struct modcat_endpoint *lower, struct modcat_endpoint *endpoint,
                        const void *early, size_t length)
{
    endpoint->read_fd = lower->read_fd;
    endpoint->write_fd = lower->write_fd;
    endpoint->flags = lower->flags;
    endpoint->half_close = lower->half_close;
    if (lower->ops == NULL && length == 0)
        return 0;
    struct passage *passage = memory_alloc(sizeof *passage + length);
    *passage = (struct passage){.lower = lower, .end = length};
    if (length > 0)
        memcpy(passage->early, early, length);
    endpoint->ops = &passage_ops;
    endpoint->state = passage;
    return 0;
}
