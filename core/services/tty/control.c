/* The controlling terminal. */

#define _GNU_SOURCE
#include "core/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <modcat/tty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A process that has no terminal has none to give up. For the leader of a session that means a
 * hang-up, which must not end it. */
static void give_up_present(void)
{
    const struct sigaction ignoring = {.sa_handler = SIG_IGN};
    struct sigaction before;
    int fd = open("/dev/tty", O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    sigaction(SIGHUP, &ignoring, &before);
    if (ioctl(fd, TIOCNOTTY) < 0)
        log_warning("ioctl(%d, TIOCNOTTY, NULL): %s", fd, strerror(errno));
    /* Where it is blocked, it waits in spite of the first call; this one throws it away. */
    sigaction(SIGHUP, &ignoring, NULL);
    sigaction(SIGHUP, &before, NULL);
    close(fd);
}

/* SIGTTOU would stop a process that is not in the foreground yet. */
static void come_to_foreground(int fd)
{
    sigset_t output, before;
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU);
    sigprocmask(SIG_BLOCK, &output, &before);
    if (tcsetpgrp(fd, getpgrp()) < 0)
        log_warning("tcsetpgrp(%d, %d): %s", fd, (int)getpgrp(), strerror(errno));
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* A process that leads no session has none that could have a terminal. */
void modcat_tty_control(struct modcat_opening *opening, int fd)
{
    (void)opening;
    pid_t session = tcgetsid(fd);
    if (session < 0 || session != getsid(0)) {
        if (getsid(0) == getpid())
            give_up_present();
        if (ioctl(fd, TIOCSCTTY, 0) < 0)
            log_warning("ioctl(%d, TIOCSCTTY, NULL): %s", fd, strerror(errno));
    }
    come_to_foreground(fd);
}
