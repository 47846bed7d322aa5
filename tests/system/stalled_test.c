/* Messages for a reader that stalls: they hold nothing up, and how many are lost is said. */
#define _GNU_SOURCE
#include "tests/system/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Starts the program with another standard error, and waits until it relays. */
static struct program *start(struct harness *harness, int standard_error, const char *options)
{
    const char *command = text(harness, "exec \"$0\" %s - PIPE 2>&3", options);
    const struct launch launch = {
        .program = "sh",
        .arguments = (const char *[]){"-c", command, program_file(), NULL},
        .in = STREAM_PIPE,
        .out = STREAM_PIPE,
        .extra = standard_error,
    };
    return program_launch(harness, &launch);
}

static void relays_and_ends(struct program *program)
{
    program_send(program, "hello");
    program_outputs(program, "hello");
    program_signal(program, SIGTERM);
    program_ends(program, 143);
}

static void open_pipe(struct harness *harness, int ends[2])
{
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    harness_keep(harness, ends[0]);
    harness_keep(harness, ends[1]);
}

/* Another description of the pipe: the program's own blocks. */
static void fill(struct harness *harness, const int ends[2])
{
    char block[4096];
    int other = harness_keep(
        harness, open(text(harness, "/proc/self/fd/%d", ends[1]), O_WRONLY | O_NONBLOCK));
    memset(block, '.', sizeof block);
    block[sizeof block - 1] = '\n';
    while (write(other, block, sizeof block) > 0)
        continue;
}

static void a_full_pipe_for_messages_holds_nothing_up(void **state)
{
    struct harness *harness = *state;
    int ends[2];

    open_pipe(harness, ends);
    fill(harness, ends);
    relays_and_ends(start(harness, ends[1], "-d -d -d -d"));
}

static void a_terminal_for_messages_that_is_stopped_holds_nothing_up(void **state)
{
    struct harness *harness = *state;
    struct terminal *terminal = terminal_open(harness);

    assert_int_equal(tcflow(terminal->line, TCOOFF), 0);
    relays_and_ends(start(harness, terminal->line, "-d -d -d -d"));
}

static void sigterm_ends_it_while_a_dump_waits(void **state)
{
    struct harness *harness = *state;
    struct program *program;
    int ends[2];

    open_pipe(harness, ends);
    program = start(harness, ends[1], "-d0 -v");
    program_send(program, "hello");
    program_outputs(program, "hello");
    fill(harness, ends);
    program_send(program, "again");
    program_signal(program, SIGTERM);
    program_ends(program, 143);
}

static void a_full_disk_for_messages_holds_nothing_up(void **state)
{
    struct harness *harness = *state;
    relays_and_ends(start(harness, STDERR_FILENO, "-d -d -d -d -lf /dev/full"));
}

static const char *read_all(struct harness *harness, int fd)
{
    size_t size = 1 << 20, length = 0;
    char *all = memory(harness, size);
    ssize_t count;
    while ((count = read(fd, all + length, size - 1 - length)) > 0)
        length += (size_t)count;
    all[length] = '\0';
    return all;
}

/* A line of the log begins with the century; what the test has written, with a dot. */
static void lines_are_whole(const char *lines)
{
    for (; *lines != '\0'; lines = strchr(lines, '\n') + 1) {
        assert_true(*lines == '.' || strncmp(lines, "20", 2) == 0);
        assert_non_null(strchr(lines, '\n'));
    }
}

static void lost_messages_are_counted_when_the_reader_goes_on(void **state)
{
    struct harness *harness = *state;
    struct program *program;
    const char *lines;
    int ends[2];

    open_pipe(harness, ends);
    fill(harness, ends);
    program = start(harness, ends[1], "-d -d -d -d");
    program_send(program, "hello");
    program_outputs(program, "hello");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    lines = read_all(harness, ends[0]);
    program_end_input(program);
    program_ends(program, 0);
    /* The program may have begun to write as soon as there was room. */
    lines = text(harness, "%s%s", lines, read_all(harness, ends[0]));
    lines_are_whole(lines);
    assert_null(strstr(lines, "starting data transfer loop"));
    assert_non_null(strstr(lines, " messages were lost: the log did not take them in time\n"));
    assert_non_null(strstr(lines, "exiting with status 0\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_full_pipe_for_messages_holds_nothing_up),
        SYSTEM_TEST(a_terminal_for_messages_that_is_stopped_holds_nothing_up),
        SYSTEM_TEST(sigterm_ends_it_while_a_dump_waits),
        SYSTEM_TEST(a_full_disk_for_messages_holds_nothing_up),
        SYSTEM_TEST(lost_messages_are_counted_when_the_reader_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
