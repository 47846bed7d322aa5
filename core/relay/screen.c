#define _GNU_SOURCE
#include "core/relay/screen.h"

#include "core/base/patient.h"
#include "core/base/procfs.h"
#include "core/session/session.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* A terminal that polls as writable may have room for a few bytes only. One that is opened anew
 * can be switched to non-blocking without surprising those who share standard error. */
void screen_open(struct screen *screen, struct session *session)
{
    const struct modcat_endpoint shared = {.flags = MODCAT_END_INHERITED};
    int own =
        isatty(STDERR_FILENO) ? procfs_reopen(STDERR_FILENO, O_WRONLY | O_NONBLOCK | O_NOCTTY) : -1;
    screen->session = session;
    screen->fd = own >= 0 ? own : STDERR_FILENO;
    screen->blocks = own < 0 && patient_needed(&shared, STDERR_FILENO);
}

/* Returns false when the program is asked to end. */
static bool await_room(const struct screen *screen)
{
    struct wait_entry entry = {.fd = screen->fd, .events = POLLOUT};
    int ready;
    do
        ready = session_wait(screen->session, &entry, 1, MODCAT_FOREVER);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

int screen_write(const struct screen *screen, const void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        const char *rest = (const char *)data + done;
        ssize_t count = screen->blocks ? patient_write(screen->fd, rest, length - done)
                                       : write(screen->fd, rest, length - done);
        if (count >= 0)
            done += (size_t)count;
        else if (errno == EAGAIN && !await_room(screen))
            return 0;
        else if (errno != EAGAIN && errno != EINTR)
            return -1;
    }
    return 0;
}

void screen_close(struct screen *screen)
{
    if (screen->fd > STDERR_FILENO)
        close(screen->fd);
}
