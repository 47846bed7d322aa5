#define _GNU_SOURCE
#include "core/relay/patient.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
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
    if ((endpoint->flags & MODCAT_INHERITED) != 0)
        return true;
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0;
}

/* Opens a terminal once more, for this program alone; -1 where that is not possible. Opening the
 * master of a pseudo terminal would make another one. */
static int open_again(int fd)
{
    char name[32];
    int number;
    if (!isatty(fd) || ioctl(fd, TIOCGPTN, &number) == 0)
        return -1;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static ssize_t write_and_close(int fd, const void *data, size_t length)
{
    ssize_t count = write(fd, data, length);
    int error = errno;
    close(fd);
    errno = error;
    return count;
}

/* Where the kernel can't be told to return at once, a pipe that polls as writable still has room
 * for PIPE_BUF bytes, pipe(7). A terminal may have less. */
ssize_t patient_write(int fd, const void *data, size_t length)
{
    struct iovec piece = {.iov_base = (void *)data, .iov_len = length};
    ssize_t count = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
    if (count >= 0 || (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS))
        return count;
    int own = open_again(fd);
    if (own >= 0)
        return write_and_close(own, data, length);
    return write(fd, data, length < PIPE_BUF ? length : PIPE_BUF);
}
