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

/* What a layer has closed is closed for what it stands on. */
static void forget_descriptors(const struct opened *sink)
{
    for (const struct opened *level = sink->lower; level != NULL; level = level->lower) {
        level->endpoint->read_fd = sink->endpoint->read_fd;
        level->endpoint->write_fd = sink->endpoint->write_fd;
    }
}

static int shut_close(struct opened *sink)
{
    struct modcat_endpoint *endpoint = sink->endpoint;
    int fd = endpoint->write_fd;
    taking_watch(sink);
    if (endpoint->read_fd == fd)
        endpoint->read_fd = -1;
    endpoint->write_fd = -1;
    forget_descriptors(sink);
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

static int shut_by_type(struct opened *sink)
{
    struct modcat_endpoint *endpoint = sink->endpoint;
    if (endpoint->ops == NULL || endpoint->ops->shutdown == NULL)
        return by_driver[endpoint->half_close](sink);
    int result = endpoint->ops->shutdown(endpoint);
    /* What a layer stands on may have closed its descriptors. */
    if (sink->lower != NULL) {
        endpoint->read_fd = sink->lower->endpoint->read_fd;
        endpoint->write_fd = sink->lower->endpoint->write_fd;
    }
    return result;
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
    sink->half_closed = shut_by_type(sink) == 0;
    if (sink->half_closed)
        return 0;
    if (errno == EAGAIN)
        return 1;
    log_info("shutdown of fd %d: %s", fd, strerror(errno));
    return 0;
}
