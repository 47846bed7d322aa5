#define _GNU_SOURCE
#include "core/session/taking.h"

#include "core/base/procfs.h"
#include "core/services/net/unix_unread.h"
#include "core/services/process/programs.h"
#include "core/session/endpoint.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t readable(int fd)
{
    int count = 0;
    return fd >= 0 && ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

/* What lies in a pseudo terminal is known to its other end only. */
static size_t readable_at_other_end(int master)
{
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    size_t count = readable(slave);
    if (slave >= 0)
        close(slave);
    return count;
}

/* Most programs are connected by UNIX sockets. */
static size_t readable_at_peer(int fd)
{
    long long unread = endpoint_untaken(fd) > 0 ? unix_unread(fd) : 0;
    return unread >= 0 ? (size_t)unread : endpoint_untaken(fd);
}

/* A line of input and what waits before it: that much may be unread, and the kernel shows less. */
#define LINE_MAX_INPUT 4095
#define TERMINAL_MAX (LINE_MAX_INPUT + 65536)

void taking_note_reader(const struct opened *sink, unsigned long long written)
{
    while (sink->lower != NULL)
        sink = sink->lower;
    int fd = sink->endpoint->write_fd;
    if (written == 0 || fd < 0 || (sink->endpoint->flags & MODCAT_END_SOCKET) != 0 || !isatty(fd))
        return;
    size_t unread = readable_at_other_end(fd);
    sink->opening->is_read = written > (unread < LINE_MAX_INPUT ? unread : TERMINAL_MAX);
}

static bool is_pipe(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

size_t taking_left(const struct opened *sink)
{
    while (sink->lower != NULL)
        sink = sink->lower;
    int fd = sink->endpoint->write_fd;
    if ((sink->endpoint->flags & MODCAT_END_PROGRAM) == 0 || programs_ended(sink->opening))
        return 0;
    /* Others keep what they have not read, but what lies in a terminal goes with it. */
    if (!programs_will_be_asked(sink->opening) && (fd < 0 || !isatty(fd)))
        return 0;
    if (fd < 0)
        return sink->watch_fd > 0 ? readable(sink->watch_fd) : 0;
    if (isatty(fd))
        return readable_at_other_end(fd);
    return is_pipe(fd) ? readable(fd) : readable_at_peer(fd);
}

/* The reading end of a pipe can be had once more. It must not be there before: a program that has
 * closed its own would not be noticed. */
void taking_watch(struct opened *sink)
{
    while (sink->lower != NULL)
        sink = sink->lower;
    int fd = sink->endpoint->write_fd;
    if ((sink->endpoint->flags & MODCAT_END_PROGRAM) != 0 && sink->watch_fd <= 0 && is_pipe(fd))
        sink->watch_fd = procfs_reopen(fd, O_RDONLY | O_NONBLOCK);
}

void taking_forget(struct opened *sink)
{
    if (sink->watch_fd > 0)
        close(sink->watch_fd);
    sink->watch_fd = 0;
}
