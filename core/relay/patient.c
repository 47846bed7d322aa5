#define _GNU_SOURCE
#include "core/relay/patient.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

/* Where the kernel can't be told to return at once, a pipe that polls as writable still has room
 * for PIPE_BUF bytes, pipe(7). */
ssize_t patient_write(int fd, const void *data, size_t length)
{
    struct iovec piece = {.iov_base = (void *)data, .iov_len = length};
    ssize_t count = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
    if (count >= 0 || (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS))
        return count;
    return write(fd, data, length < PIPE_BUF ? length : PIPE_BUF);
}
