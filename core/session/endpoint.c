#define _GNU_SOURCE
#include "core/session/endpoint.h"

#include "core/base/patient.h"
#include "core/opening/session_state.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

ssize_t endpoint_read(struct modcat_endpoint *endpoint, bool blocks, void *buffer, size_t length)
{
    if (endpoint->ops != NULL && endpoint->ops->read != NULL)
        return endpoint->ops->read(endpoint, buffer, length);
    return blocks ? patient_read(endpoint->read_fd, buffer, length)
                  : read(endpoint->read_fd, buffer, length);
}

/* Of a socket this is called SIOCOUTQ, tcp(7) and unix(7), and has the same number. */
size_t endpoint_untaken(int fd)
{
    int count = 0;
    return ioctl(fd, TIOCOUTQ, &count) == 0 && count > 0 ? (size_t)count : 0;
}

bool endpoint_pending(const struct modcat_endpoint *endpoint)
{
    return ENDPOINT_DOES(endpoint, pending) &&
           endpoint->ops->pending((struct modcat_endpoint *)endpoint);
}

bool endpoint_can_be_abandoned(const struct modcat_endpoint *endpoint)
{
    return ENDPOINT_DOES(endpoint, abandoned);
}

bool endpoint_abandoned(const struct modcat_endpoint *endpoint)
{
    return endpoint_can_be_abandoned(endpoint) &&
           endpoint->ops->abandoned((struct modcat_endpoint *)endpoint);
}

static bool has_hung_up(int fd)
{
    struct pollfd entry = {.fd = fd, .events = POLLRDHUP};
    return poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP)) != 0;
}

bool endpoint_hung_up(const struct modcat_endpoint *endpoint)
{
    return has_hung_up(endpoint->read_fd);
}

bool endpoint_is_over(int fd)
{
    int queued = 0;
    return has_hung_up(fd) && (ioctl(fd, FIONREAD, &queued) < 0 || queued == 0);
}

short endpoint_wants(const struct modcat_endpoint *endpoint, unsigned direction)
{
    if (ENDPOINT_DOES(endpoint, wants))
        return endpoint->ops->wants((struct modcat_endpoint *)endpoint, direction);
    return direction == MODCAT_DIR_READ ? POLLIN : POLLOUT;
}

int endpoint_fd(const struct modcat_endpoint *endpoint, short events)
{
    return (events & POLLIN) != 0 ? endpoint->read_fd : endpoint->write_fd;
}
