/* Window sizes: a terminal on one side, a pseudo terminal on the other. */

#define _GNU_SOURCE
#include "core/services/tty/terminals.h"

#include "core/base/log.h"
#include "core/opening/session_state.h"
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Linux lets a master ask for its number only. */
static bool is_master(int fd)
{
    unsigned number;
    return fd >= 0 && ioctl(fd, TIOCGPTN, &number) == 0;
}

static bool may_be_terminal(const struct opened *opened)
{
    return opened != NULL && (opened->endpoint->flags & MODCAT_END_SOCKET) == 0;
}

static int reader_fd(struct side *side)
{
    const struct opened *reader = side_reader(side);
    return may_be_terminal(reader) ? reader->endpoint->read_fd : -1;
}

static int writer_fd(struct side *side)
{
    const struct opened *writer = side_writer(side);
    return may_be_terminal(writer) ? writer->endpoint->write_fd : -1;
}

/* A line without a size says 0. */
bool terminals_size(struct side *side, struct winsize *size)
{
    const int fds[] = {writer_fd(side), reader_fd(side)};
    for (size_t i = 0; i < MODCAT_COUNT(fds); i++)
        if (fds[i] >= 0 && !is_master(fds[i]) && ioctl(fds[i], TIOCGWINSZ, size) == 0)
            return size->ws_row > 0 && size->ws_col > 0;
    return false;
}

/* Where the size is the same already, nobody is to be disturbed. */
static void set_size(int master, const struct winsize *size)
{
    struct winsize before;
    if (ioctl(master, TIOCGWINSZ, &before) == 0 && memcmp(&before, size, sizeof before) == 0)
        return;
    if (ioctl(master, TIOCSWINSZ, size) == 0)
        log_info("window size of fd %d is %hu rows, %hu columns", master, size->ws_row,
                 size->ws_col);
}

void terminals_size_new(struct session *session, int master)
{
    struct winsize size;
    for (int i = 0; i < 2; i++)
        if (session->sides[i].address != NULL && terminals_size(&session->sides[i], &size))
            set_size(master, &size);
}

static void notify(const struct opened *opened)
{
    if (ENDPOINT_DOES(opened->endpoint, refresh))
        opened->endpoint->ops->refresh(opened->endpoint);
}

/* What the user has chosen stays. */
static bool has_own_size(struct side *side)
{
    const struct opened *reader = side_reader(side);
    return reader != NULL && opening_option_used(reader->opening, "tiocswinsz");
}

void terminals_pass_size(struct session *session)
{
    struct winsize size;
    for (int i = 0; i < 2; i++) {
        struct side *side = &session->sides[i];
        int other = reader_fd(&session->sides[1 - i]);
        if (is_master(other) && !has_own_size(&session->sides[1 - i]) &&
            terminals_size(side, &size))
            set_size(other, &size);
    }
}

void terminals_resized(struct session *session)
{
    terminals_pass_size(session);
    for (int i = 0; i < 2; i++) {
        notify(&session->sides[i].first);
        notify(&session->sides[i].second);
    }
}
