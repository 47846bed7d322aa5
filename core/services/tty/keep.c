/* Remembering terminals, and putting them back. A descriptor of its own keeps each of them within
 * reach after the endpoint is closed. */

#define _GNU_SOURCE
#include "core/services/tty/terminals.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/wait.h"
#include "core/opening/session_state.h"
#include <errno.h>
#include <fcntl.h>
#include <modcat/tty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long the kernel itself lets output drain when a line is closed. */
#define DRAIN_LIMIT (30 * MODCAT_SECOND)
#define DRAIN_INTERVAL (MODCAT_SECOND / 100)

struct terminals {
    struct terminals *next;
    int fd;
    unsigned device;
    pid_t owner;
    struct termios settings;
};

/* /dev/tty and the terminal that it stands for are the same device here. */
static unsigned device_of(int fd)
{
    unsigned device = 0;
    struct stat status;
    if (ioctl(fd, TIOCGDEV, &device) == 0)
        return device;
    return fstat(fd, &status) == 0 ? (unsigned)status.st_rdev : 0;
}

static bool is_kept(const struct session *session, unsigned device)
{
    for (const struct terminals *kept = session->terminals; kept != NULL; kept = kept->next)
        if (kept->device == device && kept->owner == getpid())
            return true;
    return false;
}

/* Of sessions in one process the first one changes it, and nobody knows which is the last. */
void terminals_keep(struct session *session, int fd)
{
    struct termios settings;
    if (session->server != NULL)
        session = session->server;
    if (tcgetattr(fd, &settings) < 0 || is_kept(session, device_of(fd)))
        return;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (copy < 0) {
        log_warning("fcntl(%d, F_DUPFD_CLOEXEC): %s: the terminal will not be restored", fd,
                    strerror(errno));
        return;
    }
    struct terminals *kept = memory_alloc(sizeof *kept);
    *kept = (struct terminals){
        .next = session->terminals,
        .fd = copy,
        .device = device_of(fd),
        .owner = getpid(),
        .settings = settings,
    };
    session->terminals = kept;
}

void modcat_tty_keep(struct modcat_opening *opening, int fd)
{
    terminals_keep(opening->session, fd);
}

/* tcsetattr(3) with TCSADRAIN would wait for ever on a line whose other end has stopped it. */
static void let_drain(struct session *session, int fd)
{
    long long deadline = wait_now() + DRAIN_LIMIT;
    int queued = 0;
    while (ioctl(fd, TIOCOUTQ, &queued) == 0 && queued > 0 && wait_now() < deadline)
        if (session_pause(session, DRAIN_INTERVAL) < 0)
            return;
}

/* A process in the background would be stopped by SIGTTOU, for ever when nobody is left to
 * continue it. */
static void put_back(const struct terminals *kept)
{
    sigset_t output, before;
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU);
    sigprocmask(SIG_BLOCK, &output, &before);
    if (tcsetattr(kept->fd, TCSANOW, &kept->settings) < 0 && errno != EIO && errno != ENXIO)
        log_warning("tcsetattr(%d, TCSANOW, %p): %s", kept->fd, (const void *)&kept->settings,
                    strerror(errno));
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static bool is_gone(int fd)
{
    struct termios settings;
    return tcgetattr(fd, &settings) < 0 && (errno == EIO || errno == ENXIO || errno == ENODEV);
}

void terminals_forget_gone(struct session *session)
{
    struct session *keeper = session->server != NULL ? session->server : session;
    struct terminals **place = &keeper->terminals;
    while (*place != NULL) {
        struct terminals *kept = *place;
        if (!is_gone(kept->fd)) {
            place = &kept->next;
            continue;
        }
        *place = kept->next;
        close(kept->fd);
        free(kept);
    }
}

void terminals_restore(struct session *session)
{
    while (session->terminals != NULL) {
        struct terminals *last = session->terminals;
        session->terminals = last->next;
        if (last->owner == getpid()) {
            let_drain(session, last->fd);
            put_back(last);
        }
        close(last->fd);
        free(last);
    }
}
