#define _GNU_SOURCE
#include "core/session/halfclose.h"

#include "core/base/log.h"
#include "core/session/taking.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static int shut_nothing(struct opened *sink)
{
    (void)sink;
    return 0;
}

/* A peer that has gone already is no news, unless option shut-down asks to be told. */
static int shut_down(struct opened *sink)
{
    int fd = sink->endpoint->write_fd;
    if (session_end_writing(fd) == 0)
        return 0;
    bool asked = sink->opening->set.shut == SHUT_DOWN && (errno == EPIPE || errno == ECONNRESET);
    modcat_log(asked ? MODCAT_ERROR : MODCAT_INFO, "shutdown(%d, 1): %s", fd, strerror(errno));
    return asked ? -1 : 0;
}

/* What a layer has closed is closed for what it stands on, unless it was its own. */
static void forget_descriptor(const struct opened *sink, int fd)
{
    for (const struct opened *level = sink; level != NULL; level = level->lower) {
        if (level->endpoint->read_fd == fd)
            level->endpoint->read_fd = -1;
        if (level->endpoint->write_fd == fd)
            level->endpoint->write_fd = -1;
    }
}

static int shut_close(struct opened *sink)
{
    int fd = sink->endpoint->write_fd;
    taking_watch(sink);
    forget_descriptor(sink, fd);
    if (close(fd) == 0)
        log_info("close(%d)", fd);
    return 0;
}

/* A full queue of packets takes the empty one later. */
static int shut_null(struct opened *sink)
{
    const struct modcat_endpoint_ops *ops = sink->endpoint->ops;
    ssize_t result = ops != NULL && ops->write != NULL ? ops->write(sink->endpoint, "", 0)
                                                       : write(sink->endpoint->write_fd, "", 0);
    if (result < 0 && (errno == EAGAIN || errno == EINTR)) {
        errno = EAGAIN;
        return 1;
    }
    if (result < 0)
        log_info("write(%d, \"\", 0): %s", sink->endpoint->write_fd, strerror(errno));
    return 0;
}

/* By the options shut-*, and by what the driver set. */
static int (*const by_option[])(struct opened *sink) = {
    [SHUT_NONE] = shut_nothing,
    [SHUT_DOWN] = shut_down,
    [SHUT_CLOSE] = shut_close,
    [SHUT_NULL] = shut_null,
};
static int (*const by_driver[])(struct opened *sink) = {
    [MODCAT_HALF_NONE] = shut_nothing,
    [MODCAT_HALF_SHUTDOWN] = shut_down,
    [MODCAT_HALF_CLOSE] = shut_close,
    [MODCAT_HALF_NULL] = shut_null,
};

/* What a layer stands on may have closed its descriptors, which are the layer's, too. */
static int shut_by_operation(struct opened *sink)
{
    struct modcat_endpoint *endpoint = sink->endpoint;
    const struct modcat_endpoint *lower = sink->lower != NULL ? sink->lower->endpoint : NULL;
    bool shares_read = lower != NULL && lower->read_fd == endpoint->read_fd;
    bool shares_write = lower != NULL && lower->write_fd == endpoint->write_fd;
    int result = endpoint->ops->shutdown(endpoint);
    if (shares_read)
        endpoint->read_fd = lower->read_fd;
    if (shares_write)
        endpoint->write_fd = lower->write_fd;
    return result;
}

static int shut_by_type(struct opened *sink)
{
    struct modcat_endpoint *endpoint = sink->endpoint;
    if ((endpoint->flags & MODCAT_END_WHOLE) != 0)
        return 0;
    if (endpoint->ops != NULL && endpoint->ops->shutdown != NULL)
        return shut_by_operation(sink);
    return by_driver[endpoint->half_close](sink);
}

int halfclose_by_type(struct opened *sink)
{
    return sink->endpoint->write_fd < 0 ? 0 : shut_by_type(sink);
}

/* A layer says goodbye itself before anything below it is shut down. */
int halfclose_sink(struct opened *sink)
{
    int choice = sink->opening->set.shut;
    if (sink->endpoint->write_fd < 0)
        return 0;
    if (choice != SHUT_DEFAULT && (choice != SHUT_DOWN || sink->lower == NULL))
        return by_option[choice](sink);
    int fd = sink->endpoint->write_fd;
    if ((sink->endpoint->flags & MODCAT_END_WHOLE) != 0)
        return 0;
    sink->half_closed = shut_by_type(sink) == 0;
    if (sink->half_closed)
        return 0;
    if (errno == EAGAIN)
        return 1;
    log_info("shutdown of fd %d: %s", fd, strerror(errno));
    return 0;
}
