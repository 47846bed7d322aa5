#define _GNU_SOURCE
#include "tests/system/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ARGUMENTS_MAX 16
#define SEEN_MAX 65536

struct terminal *terminal_open(struct harness *harness)
{
    struct terminal *terminal = memory(harness, sizeof *terminal);

    *terminal = (struct terminal){.harness = harness};
    terminal->user = harness_keep(harness, posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (terminal->user < 0 || unlockpt(terminal->user) < 0)
        harness_fail(harness, "can't make a terminal: %s", strerror(errno));
    terminal->name = text(harness, "%s", ptsname(terminal->user));
    terminal->line = harness_keep(harness, open(terminal->name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    terminal->seen = memory(harness, SEEN_MAX + 1);
    terminal_set_size(terminal, 24, 80);
    terminal->before = terminal_settings(terminal);
    return terminal;
}

struct program *terminal_start(struct terminal *terminal, ...)
{
    const char *arguments[ARGUMENTS_MAX];
    size_t count = 0;
    va_list list;

    va_start(list, terminal);
    do
        arguments[count] = va_arg(list, const char *);
    while (arguments[count++] != NULL && count < ARGUMENTS_MAX);
    va_end(list);
    return program_launch(terminal->harness, &(struct launch){.arguments = arguments,
                                                              .in = terminal->line,
                                                              .out = terminal->line,
                                                              .environment = "TERM=vt100"});
}

struct termios terminal_settings(const struct terminal *terminal)
{
    struct termios settings;

    if (tcgetattr(terminal->line, &settings) < 0)
        harness_fail(terminal->harness, "tcgetattr(): %s", strerror(errno));
    return settings;
}

bool terminal_is_as_before(const struct terminal *terminal)
{
    struct termios now = terminal_settings(terminal);
    const struct termios *before = &terminal->before;

    return now.c_iflag == before->c_iflag && now.c_oflag == before->c_oflag &&
           now.c_cflag == before->c_cflag && now.c_lflag == before->c_lflag &&
           memcmp(now.c_cc, before->c_cc, sizeof now.c_cc) == 0;
}

void terminal_set_size(const struct terminal *terminal, unsigned short rows, unsigned short columns)
{
    const struct winsize size = {.ws_row = rows, .ws_col = columns};

    if (ioctl(terminal->user, TIOCSWINSZ, &size) < 0)
        harness_fail(terminal->harness, "TIOCSWINSZ: %s", strerror(errno));
}

void terminal_type(const struct terminal *terminal, const char *keys)
{
    if (write(terminal->user, keys, strlen(keys)) != (ssize_t)strlen(keys))
        harness_fail(terminal->harness, "can't type: %s", strerror(errno));
}

/* Takes what is there, waiting for it up to a time; returns false when there is nothing. */
static bool look(struct terminal *terminal, int wait)
{
    struct pollfd ready = {terminal->user, POLLIN, 0};
    ssize_t count;

    if (poll(&ready, 1, wait) <= 0)
        return false;
    count = read(terminal->user, terminal->seen + terminal->seen_length,
                 SEEN_MAX - terminal->seen_length);
    if (count > 0)
        terminal->seen_length += (size_t)count;
    return count > 0;
}

void terminal_shows(struct terminal *terminal, const char *expected)
{
    long long deadline = milliseconds() + PATIENCE;
    const char *found;

    while ((found = memmem(terminal->seen + terminal->awaited,
                           terminal->seen_length - terminal->awaited, expected,
                           strlen(expected))) == NULL) {
        if (milliseconds() > deadline || !look(terminal, PATIENCE))
            harness_fail(terminal->harness, "the terminal does not show \"%s\" but \"%.*s\"",
                         expected, (int)(terminal->seen_length - terminal->awaited),
                         terminal->seen + terminal->awaited);
    }
    terminal->awaited = (size_t)(found - terminal->seen) + strlen(expected);
}

bool terminal_has_shown(struct terminal *terminal, const char *unexpected)
{
    while (look(terminal, 0))
        ;
    return memmem(terminal->seen, terminal->seen_length, unexpected, strlen(unexpected)) != NULL;
}
