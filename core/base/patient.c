#define _GNU_SOURCE
#include "core/base/patient.h"

#include "core/base/moment.h"
#include "core/base/procfs.h"
#include "core/base/system_calls.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool never_blocks(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
}

bool patient_needed(const struct modcat_endpoint *endpoint, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_NONBLOCK) != 0 || never_blocks(fd))
        return false;
    if ((endpoint->flags & MODCAT_END_INHERITED) != 0)
        return true;
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0;
}

/* Opens a terminal once more, for this program alone; -1 where that is not possible. Opening the
 * master of a pseudo terminal would make another one. */
static int open_again(int fd)
{
    int number;
    if (!isatty(fd) || ioctl(fd, TIOCGPTN, &number) == 0)
        return -1;
    return procfs_reopen(fd, O_WRONLY | O_NONBLOCK | O_NOCTTY);
}

static ssize_t write_and_close(int fd, const void *data, size_t length)
{
    ssize_t count = write(fd, data, length);
    int error = errno;
    close(fd);
    errno = error;
    return count;
}

/* The kernel can't be told to return at once for this kind of descriptor, or must not be asked: a
 * sandbox may answer EPERM to what it does not know. */
static bool must_try_otherwise(int error)
{
    return error == EOPNOTSUPP || error == EINVAL || error == ENOSYS || error == EPERM;
}

static int not_ready(void)
{
    errno = EAGAIN;
    return -1;
}

static bool is_ready(int fd, short events)
{
    struct pollfd entry = {.fd = fd, .events = events};
    return poll(&entry, 1, 0) != 0;
}

/* Ends the moment of a call that has returned `result`. */
static ssize_t after_moment(ssize_t result)
{
    moment_stop();
    return result < 0 && errno == EINTR ? not_ready() : result;
}

ssize_t patient_read(int fd, void *data, size_t length)
{
    struct iovec piece = {.iov_base = data, .iov_len = length};
    ssize_t count = preadv2(fd, &piece, 1, -1, RWF_NOWAIT);
    if (count >= 0 || !must_try_otherwise(errno))
        return count;
    if (!is_ready(fd, POLLIN))
        return not_ready();
    moment_start();
    return after_moment(read(fd, data, length));
}

/* A pipe that polls as writable has room for PIPE_BUF bytes, pipe(7), unless somebody else takes
 * it meanwhile. A terminal may have less. */
static ssize_t write_for_a_moment(int fd, const void *data, size_t length)
{
    int own = open_again(fd);
    if (own >= 0)
        return write_and_close(own, data, length);
    if (!is_ready(fd, POLLOUT))
        return not_ready();
    moment_start();
    return after_moment(write(fd, data, length < PIPE_BUF ? length : PIPE_BUF));
}

ssize_t patient_write(int fd, const void *data, size_t length)
{
    struct iovec piece = {.iov_base = (void *)data, .iov_len = length};
    ssize_t count = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
    if (count >= 0 || !must_try_otherwise(errno))
        return count;
    return write_for_a_moment(fd, data, length);
}

int patient_accept(int fd, struct sockaddr *peer, socklen_t *length, int flags)
{
    if (!is_ready(fd, POLLIN))
        return not_ready();
    moment_start();
    return (int)after_moment(accept4(fd, peer, length, flags));
}
