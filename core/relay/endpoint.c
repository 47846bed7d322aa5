#include "core/relay/endpoint.h"

#include <poll.h>

bool endpoint_pending(const struct modcat_endpoint *endpoint)
{
    const struct modcat_endpoint_ops *ops = endpoint->ops;
    return ops != NULL && ops->pending != NULL && ops->pending((struct modcat_endpoint *)endpoint);
}

/* The operation is younger than the first drivers. */
static bool says_what_it_wants(const struct modcat_endpoint_ops *ops)
{
    return ops != NULL && ops->size > offsetof(struct modcat_endpoint_ops, wants) &&
           ops->wants != NULL;
}

short endpoint_wants(const struct modcat_endpoint *endpoint, unsigned direction)
{
    if (says_what_it_wants(endpoint->ops))
        return endpoint->ops->wants((struct modcat_endpoint *)endpoint, direction);
    return direction == MODCAT_READ ? POLLIN : POLLOUT;
}

int endpoint_fd(const struct modcat_endpoint *endpoint, short events)
{
    return (events & POLLIN) != 0 ? endpoint->read_fd : endpoint->write_fd;
}
