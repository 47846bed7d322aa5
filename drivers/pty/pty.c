/* PTY: a pseudo terminal whose other end is for other programs, and the options of terminals. */

#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <modcat/tty.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static int pty_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
static void pty_close(struct modcat_endpoint *endpoint);
static bool pty_abandoned(struct modcat_endpoint *endpoint);

static const struct modcat_address_type types[] = {
    {
        .name = "PTY",
        .groups = "FD,NAMED,TERMIOS,PTY",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "make a terminal for other programs",
        .example = "modcat PTY,link=/tmp/tty0,rawer TCP:host:4001",
        .open = pty_open,
    },
};

MODCAT_DRIVER(.name = "pty", .version = MODCAT_DRIVER_VERSION,
              .summary = "pseudo terminals and the settings of terminals", MODCAT_TYPES(types),
              MODCAT_GROUPS(pty_groups));

/* An endpoint's state. */
struct line {
    struct modcat_opening *opening;
    struct modcat_pty pty;
    pid_t owner;
};

static const struct modcat_endpoint_ops ops = {
    .size = sizeof ops, .close = pty_close, .abandoned = pty_abandoned};

/* Without another end, a terminal that was open once is hung up. */
static bool is_open(const struct modcat_pty *pty)
{
    struct pollfd state = {.fd = pty->master, .events = POLLIN};
    return poll(&state, 1, 0) >= 0 && (state.revents & POLLHUP) == 0;
}

static bool has_data(const struct modcat_pty *pty)
{
    struct pollfd state = {.fd = pty->master, .events = POLLIN};
    return poll(&state, 1, 0) > 0 && (state.revents & POLLIN) != 0;
}

/* A program that opens it and closes it at once is seen by inotify(7); where that is not to be had,
 * looking now and then has to do. */
static int watch(const struct modcat_pty *pty)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd >= 0 && inotify_add_watch(fd, pty->name, IN_OPEN) < 0) {
        modcat_log(MODCAT_INFO, "inotify_add_watch(%d, \"%s\", IN_OPEN): %s", fd, pty->name,
                   strerror(errno));
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Returns 0 when a program has opened it, or -1 where the wait ends without. */
static int wait_until_open(struct modcat_opening *opening, const struct modcat_pty *pty,
                           int watch_fd)
{
    const struct modcat_value *given = modcat_option_value(opening, "pty-interval");
    long long interval = given != NULL && given->time > 0 ? given->time : MODCAT_SECOND;
    int seen = 0;
    while (seen == 0 && !is_open(pty) && !has_data(pty))
        seen = modcat_wait(opening, watch_fd, POLLIN, modcat_deadline(interval));
    return seen < 0 ? -1 : 0;
}

/* The slave is opened and closed once: a terminal that nobody ever had open is not hung up. */
static int wait_for_slave(struct modcat_opening *opening, struct modcat_pty *pty)
{
    if (modcat_pty_open_slave(opening, pty) < 0)
        return -1;
    int watch_fd = watch(pty);
    close(pty->slave);
    pty->slave = -1;
    modcat_log(MODCAT_NOTICE, "waiting for a program to open %s", pty->name);
    int result = wait_until_open(opening, pty, watch_fd);
    if (watch_fd >= 0)
        close(watch_fd);
    return result;
}

/* With the slave open here too, programs may come and go. */
static int settle_slave(struct modcat_opening *opening, struct modcat_pty *pty)
{
    bool waits = modcat_option_bool(opening, "pty-wait-slave", false);
    bool fleeting = modcat_option_bool(opening, "ptmx", false);
    modcat_ignore_option(opening, "pty-interval");
    if (waits)
        return wait_for_slave(opening, pty);
    return fleeting ? 0 : modcat_pty_open_slave(opening, pty);
}

static int make_link(struct modcat_opening *opening, const struct modcat_pty *pty)
{
    const char *link = modcat_option_string(opening, "symbolic-link", NULL);
    if (link != NULL)
        return modcat_tty_link(opening, pty->name, link);
    modcat_ignore_option(opening, "unlink-close");
    modcat_ignore_option(opening, "unlink-early");
    return 0;
}

static int pty_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    unsigned directions = modcat_directions(opening);
    struct line *line = malloc(sizeof *line);
    if (line == NULL)
        return modcat_fail(opening, "out of memory");
    *line = (struct line){.opening = opening, .owner = getpid()};
    line->pty = (struct modcat_pty){.size = sizeof line->pty, .master = -1, .slave = -1};
    if (modcat_pty_open_master(opening, &line->pty) < 0 || make_link(opening, &line->pty) < 0 ||
        settle_slave(opening, &line->pty) < 0) {
        modcat_pty_close(&line->pty);
        free(line);
        return -1;
    }
    /* What users of the line type is read in any case; reading also says that they have left. */
    endpoint->read_fd = line->pty.master;
    endpoint->write_fd = (directions & MODCAT_DIR_WRITE) != 0 ? line->pty.master : -1;
    endpoint->ops = &ops;
    endpoint->state = line;
    return 0;
}

/* The host closes the master. What a child has inherited stays open in its parent: nothing is lost
 * there. */
static void pty_close(struct modcat_endpoint *endpoint)
{
    struct line *line = endpoint->state;
    if (endpoint->write_fd >= 0 && line->owner == getpid())
        modcat_pty_drain(line->opening, &line->pty);
    line->pty.master = -1;
    modcat_pty_close(&line->pty);
    free(line);
}

/* Our own slave keeps the line open for programs that come later. */
static bool pty_abandoned(struct modcat_endpoint *endpoint)
{
    struct line *line = endpoint->state;
    bool kept = line->pty.slave >= 0;
    if (kept)
        close(line->pty.slave);
    line->pty.slave = -1;
    bool abandoned = !is_open(&line->pty);
    if (kept)
        (void)modcat_pty_open_slave(line->opening, &line->pty);
    return abandoned;
}
