/* harness.h: runs the program under test with its streams at hand, and waits for what it does.
 * Every wait ends at a deadline, which fails the test and shows what was logged. What a test
 * starts and opens is gone at its end. */

#ifndef TESTS_SYSTEM_HARNESS_H
#define TESTS_SYSTEM_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "tests/skipping.h"

/* 1 where the program under test is built with sanitizers. */
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* How long anything may take, in milliseconds. */
#define PATIENCE 20000

struct harness;

/* Set-up and teardown of one test; *state is its struct harness. */
int harness_begin(void **state);
int harness_end(void **state);
#define SYSTEM_TEST(function) cmocka_unit_test_setup_teardown(function, harness_begin, harness_end)

/* The decimal number that a line is, with or without its end. Fails the test for anything else. */
long number_in(struct harness *harness, const char *line);

/* Fails the test after showing the commands and logs of the latest programs. */
void harness_fail(struct harness *harness, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Memory and texts that live as long as the test. */
void *memory(struct harness *harness, size_t size);
const char *text(struct harness *harness, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A text with its "%s" replaced by a path. */
const char *with_path(struct harness *harness, const char *pattern, const char *name);
/* The path of a name in the test's own folder, which vanishes with the test. */
const char *path(struct harness *harness, const char *name);

/* Takes a descriptor over, to be closed at the end of the test, and returns it. */
int harness_keep(struct harness *harness, int fd);
/* Closes such a descriptor now. */
void harness_close(struct harness *harness, int fd);

/* Milliseconds of CLOCK_MONOTONIC. */
long long milliseconds(void);

/* Writes, extends and reads whole files. The content read lives as long as the test. */
void file_write(struct harness *harness, const char *name, const char *content);
void file_append(struct harness *harness, const char *name, const char *content);
const char *file_read(struct harness *harness, const char *name);
bool file_exists(const char *name);

/* A FIFO from which a script reads a line when it may go on. */
struct gate {
    const char *fifo;
    int fd;
};
struct gate gate_make(struct harness *harness);
void gate_open(const struct gate *gate);

struct program;

/* What a standard stream of a program is besides a descriptor of the test. */
#define STREAM_PIPE 0 /* a pipe from or to the test */
#define STREAM_CLOSED (-1)
#define STREAM_NULL (-2) /* /dev/null */

struct launch {
    const char *const *arguments; /* after the program's name, NULL-terminated */
    int in;
    int out;
    int extra;               /* a further descriptor; 0: none */
    int extra_number;        /* its number in the program; 0: 3 */
    int further[2];          /* and as numbers 4 and 5; 0: none */
    const char *environment; /* NAME=VALUE to add, or NULL */
    const char *program;     /* another one than the one under test, searched in PATH, or NULL */
};

/* The path of the program under test: the environment variable MODCAT, or ./modcat. */
const char *program_file(void);
/* That of one which stands at the test's side of it: MODCAT_HELPER, a build that is as good and
 * takes less time, or the same. */
const char *program_helper_file(void);

/* The same file by a name that is one word in an address and in a shell, whatever its path is. */
const char *program_word(struct harness *harness, const char *file);
/* Copies the program under test, with its drivers, to where the user nobody can run it, and makes
 * the copy the program under test of this process. The test's folder belongs to that user then. */
void program_for_nobody(struct harness *harness);

/* Starts the program under test, or the one at its side; the first two with plain pipes and the
 * arguments that follow, up to NULL. */
struct program *program_start(struct harness *harness, ...) __attribute__((sentinel));
struct program *program_start_helper(struct harness *harness, ...) __attribute__((sentinel));
struct program *program_launch(struct harness *harness, const struct launch *launch);

pid_t program_pid(const struct program *program);
void program_signal(struct program *program, int signal_number);

/* Writes to standard input; ends it. */
void program_send(struct program *program, const char *data);
void program_end_input(struct program *program);
/* Hands over the test's end of standard input or output to the caller. */
int program_take_input(struct program *program);
int program_take_output(struct program *program);

/* Waits until standard output holds exactly this behind what was expected before. */
void program_outputs(struct program *program, const char *data);
/* All of the output so far, with its length where that is not NULL. */
const char *program_output(struct program *program, size_t *length);

/* Waits for a log line that holds the pattern, behind the line that was waited for before, and
 * returns it. A `*` in a pattern stands for anything. */
const char *program_logs(struct program *program, const char *pattern);
/* All that has been logged so far. */
const char *program_log(struct program *program);
/* True when a line that holds the pattern has been logged at all. */
bool program_has_logged(struct program *program, const char *pattern);
/* The first line of the log so far that holds the pattern, or null; the next call changes it. */
const char *program_line(struct program *program, const char *pattern);
/* Waits for "listening on ADDRESS:PORT" and returns the port. */
unsigned program_port(struct program *program);

/* Waits for the program's end and returns its exit status, or minus the signal that killed it. */
int program_end(struct program *program);
/* Waits for the end with this status. */
void program_ends(struct program *program, int status);
/* The same, after a log line that holds the pattern. */
void program_ends_logging(struct program *program, int status, const char *pattern);

/* How many descriptors a process has open; how many children, dead ones included; and how long it
 * has run, in clock ticks. */
size_t process_descriptors(pid_t pid);
size_t process_children(pid_t pid);
long long process_ticks(pid_t pid);
/* True when this process may give a program this many descriptors. */
bool process_may_open(size_t count);
/* Waits until a process sleeps, and goes on to, or has ended. */
void process_rests(struct harness *harness, pid_t pid);
/* Waits until a process has this many children. */
void process_awaits_children(struct harness *harness, pid_t pid, size_t count);

/* Waits until the process has that many open descriptors: a session may close its own a moment
 * after its peer has seen the end. */
void process_awaits_descriptors(struct harness *harness, pid_t pid, size_t count);

/* True where programs host sessions that would have processes of their own: MODCAT_TEST_ENGINE. */
bool sessions_are_hosted(void);
/* For tests of what is different then. */
#define needs_processes()                                                                          \
    do {                                                                                           \
        if (sessions_are_hosted())                                                                 \
            skip_because("peers have no processes of their own");                                  \
    } while (0)

/* Waits until a server has so many peers, whatever serves them. */
void program_awaits_peers(struct program *program, size_t count);

#endif
