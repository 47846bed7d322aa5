#define _GNU_SOURCE
#include "core/services/process/channel.h"

#include "core/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <modcat/net.h>
#include <modcat/tty.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

static int open_pair(struct modcat_opening *opening, struct channel *channel);
static int open_pipes(struct modcat_opening *opening, struct channel *channel);
static int open_pty(struct modcat_opening *opening, struct channel *channel);

struct transport {
    const char *name;
    int (*open)(struct modcat_opening *opening, struct channel *channel);
    enum modcat_half_close half_close;
};

static const struct transport pair = {"socket", open_pair, MODCAT_HALF_SHUTDOWN};
static const struct transport pipes = {"pipes", open_pipes, MODCAT_HALF_CLOSE};
static const struct transport pty = {"pty", open_pty, MODCAT_HALF_NONE};

/* Each of the three options asks for a pseudo terminal; each has to be looked at. */
static bool wants_pty(struct modcat_opening *opening)
{
    static const char *const options[] = {"pty", "openpty", "ptmx"};
    bool wanted = false;
    for (size_t i = 0; i < MODCAT_COUNT(options); i++)
        wanted |= modcat_option_bool(opening, options[i], false);
    return wanted;
}

const struct transport *channel_transport(struct modcat_opening *opening)
{
    bool terminal = wants_pty(opening);
    bool piped = modcat_option_bool(opening, "pipes", false);
    if (terminal && piped)
        log_warning("options \"pipes\" and \"pty\" must not be specified together; "
                    "ignoring \"pipes\"");
    return terminal ? &pty : piped ? &pipes : &pair;
}

const char *channel_name(const struct transport *transport)
{
    return transport->name;
}

enum modcat_half_close channel_half_close(const struct transport *transport)
{
    return transport->half_close;
}

/* Both ends go both ways; each direction that is not wanted is left out. */
static void use_two_way(const struct modcat_opening *opening, struct channel *channel, int ours,
                        int theirs)
{
    unsigned directions = modcat_directions(opening);
    channel->read_fd = (directions & MODCAT_DIR_READ) != 0 ? ours : -1;
    channel->write_fd = (directions & MODCAT_DIR_WRITE) != 0 ? ours : -1;
    channel->in = (directions & MODCAT_DIR_WRITE) != 0 ? theirs : -1;
    channel->out = (directions & MODCAT_DIR_READ) != 0 ? theirs : -1;
}

/* Only our end will be switched to non-blocking, when data is moved. */
static int open_pair(struct modcat_opening *opening, struct channel *channel)
{
    static const struct modcat_transport local = {
        .size = sizeof(struct modcat_transport), .family = AF_UNIX, .socktype = SOCK_STREAM};
    struct modcat_transport actual;
    int ends[2];
    if (modcat_transport_chosen(opening, &local, &actual) < 0)
        return -1;
    if (socketpair(actual.family, actual.socktype | SOCK_CLOEXEC, actual.protocol, ends) < 0)
        return modcat_fail(opening, "socketpair(%d, %d, %d, ...): %s", actual.family,
                           actual.socktype, actual.protocol, strerror(errno));
    use_two_way(opening, channel, ends[0], ends[1]);
    channel->flags = MODCAT_END_SOCKET;
    if (actual.socktype == SOCK_DGRAM)
        channel->flags |= MODCAT_END_MESSAGES;
    return 0;
}

static int open_pipe(const struct modcat_opening *opening, int *read_fd, int *write_fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return modcat_fail_call(opening, "make a pipe", NULL, NULL, "pipe2(ends, O_CLOEXEC)");
    *read_fd = ends[0];
    *write_fd = ends[1];
    return 0;
}

static int open_pipes(struct modcat_opening *opening, struct channel *channel)
{
    unsigned directions = modcat_directions(opening);
    if ((directions & MODCAT_DIR_WRITE) != 0 &&
        open_pipe(opening, &channel->in, &channel->write_fd) < 0)
        return -1;
    if ((directions & MODCAT_DIR_READ) == 0 ||
        open_pipe(opening, &channel->read_fd, &channel->out) == 0)
        return 0;
    channel_close_ours(channel);
    channel_close_theirs(channel);
    return -1;
}

/* A terminal line that collects lines knows a character for the end of input. It counts at the
 * beginning of a line only; anywhere else the first of two ends the line. Where there is such a
 * character the program knows its end from now on. */
static int end_terminal_input(struct modcat_endpoint *endpoint)
{
    struct termios settings;
    if (tcgetattr(endpoint->write_fd, &settings) < 0 || (settings.c_lflag & ICANON) == 0)
        return 0;
    const char ends[] = {(char)settings.c_cc[VEOF], (char)settings.c_cc[VEOF]};
    for (size_t done = 0; done < sizeof ends;) {
        ssize_t count = write(endpoint->write_fd, ends + done, sizeof ends - done);
        if (count > 0)
            done += (size_t)count;
        else if (errno != EAGAIN ||
                 modcat_wait(endpoint->state, endpoint->write_fd, POLLOUT, MODCAT_FOREVER) < 0)
            return -1;
    }
    endpoint->half_close = MODCAT_HALF_SHUTDOWN;
    return 0;
}

/* The program has the terminal open from the start: nobody else is waited for. */
static int link_terminal(struct modcat_opening *opening, const struct modcat_pty *terminal)
{
    const char *link = modcat_option_string(opening, "symbolic-link", NULL);
    modcat_ignore_option(opening, "pty-wait-slave");
    modcat_ignore_option(opening, "pty-interval");
    return link == NULL ? 0 : modcat_tty_link(opening, terminal->name, link);
}

/* In both directions the line stays open after the end of input, because terminals do. */
static int open_pty(struct modcat_opening *opening, struct channel *channel)
{
    static const struct modcat_endpoint_ops only_written = {.size = sizeof only_written,
                                                            .shutdown = end_terminal_input};
    struct modcat_pty terminal = {.size = sizeof terminal};
    if (modcat_pty_open(opening, &terminal) < 0)
        return -1;
    if (link_terminal(opening, &terminal) < 0) {
        modcat_pty_close(&terminal);
        return -1;
    }
    use_two_way(opening, channel, terminal.master, terminal.slave);
    if (modcat_directions(opening) == MODCAT_DIR_WRITE)
        channel->ops = &only_written;
    return 0;
}

/* What is said of a terminal where there is none. */
static int refuse_terminal_options(struct modcat_opening *opening)
{
    static const char *const options[] = {"symbolic-link", "pty-wait-slave", "pty-interval",
                                          "sitout-eio"};
    for (size_t i = 0; i < MODCAT_COUNT(options); i++)
        if (modcat_option_value(opening, options[i]) != NULL) {
            errno = EINVAL;
            return modcat_fail(opening, "option %s is for a pseudo terminal: add option pty",
                               options[i]);
        }
    return 0;
}

int channel_open(struct modcat_opening *opening, const struct transport *transport,
                 struct channel *channel)
{
    *channel = (struct channel){
        .transport = transport, .read_fd = -1, .write_fd = -1, .in = -1, .out = -1};
    if (transport != &pty && refuse_terminal_options(opening) < 0)
        return -1;
    return transport->open(opening, channel);
}

static void close_both(int *one, int *other)
{
    if (*one >= 0)
        close(*one);
    if (*other >= 0 && *other != *one)
        close(*other);
    *one = *other = -1;
}

void channel_close_theirs(struct channel *channel)
{
    close_both(&channel->in, &channel->out);
}

void channel_close_ours(struct channel *channel)
{
    close_both(&channel->read_fd, &channel->write_fd);
}
