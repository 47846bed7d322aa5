/* terminal.h: a terminal for the program under test: the test is the user at its other end. */

#ifndef TESTS_SYSTEM_TERMINAL_H
#define TESTS_SYSTEM_TERMINAL_H

#include "tests/system/harness.h"

#include <termios.h>

struct terminal {
    struct harness *harness;
    int user;              /* what the user types and sees */
    int line;              /* the terminal itself, for the program */
    struct termios before; /* how it was made */
    const char *name;
    char *seen; /* all that the user has seen, and where the next wait begins */
    size_t seen_length;
    size_t awaited;
};

/* A terminal with usual settings and a window of 24 lines and 80 columns. */
struct terminal *terminal_open(struct harness *harness);

/* Starts the program with the terminal as standard input and output. */
struct program *terminal_start(struct terminal *terminal, ...) __attribute__((sentinel));

struct termios terminal_settings(const struct terminal *terminal);
bool terminal_is_as_before(const struct terminal *terminal);
void terminal_set_size(const struct terminal *terminal, unsigned short rows,
                       unsigned short columns);

/* Types keys; waits until this text is seen, behind what was waited for before. */
void terminal_type(const struct terminal *terminal, const char *keys);
void terminal_shows(struct terminal *terminal, const char *expected);
/* True when this text has been seen at all. */
bool terminal_has_shown(struct terminal *terminal, const char *unexpected);

#endif
