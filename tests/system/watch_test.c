/* What shows a session's traffic: dumps, copies, progress, statistics, the table of descriptors,
 * and messages as JSON. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Runs the program over "-" and PIPE, sends the text there and back, and returns what it showed. */
static const char *echo_showing(struct harness *harness, const char *const *arguments,
                                const char *data)
{
    struct program *program = program_launch(harness, &(struct launch){.arguments = arguments});
    program_send(program, data);
    program_outputs(program, data);
    program_end_input(program);
    program_ends(program, 0);
    return program_log(program);
}

/* The text with the digits of each time replaced by 0. */
static const char *without_times(struct harness *harness, const char *shown)
{
    char *copy = memory(harness, strlen(shown) + 1);
    memcpy(copy, shown, strlen(shown) + 1);
    for (char *line = copy; line != NULL && *line != '\0';) {
        if (line[0] == '>' || line[0] == '<')
            for (char *digit = line + 2; *digit != '\0' && strncmp(digit, "  ", 2) != 0; digit++)
                if (*digit >= '0' && *digit <= '9')
                    *digit = '0';
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return copy;
}

#define TIME "0000/00/00 00:00:00.000000000"

static void the_text_dump_shows_each_chunk_with_its_place(void **state)
{
    const char *const arguments[] = {"-v", "-u", "-", "/dev/null", NULL};
    struct program *program = program_launch(*state, &(struct launch){.arguments = arguments});

    program_send(program, "a\tb\n");
    program_logs(program, "length=4 from=0 to=3");
    program_send(program, "\a\b\v\f\r\\\001\303\274\177.");
    program_logs(program, "length=11 from=4 to=14");
    program_end_input(program);
    program_ends(program, 0);
    assert_string_equal(without_times(*state, program_log(program)),
                        "> " TIME "  length=4 from=0 to=3\na\tb\n"
                        "> " TIME "  length=11 from=4 to=14\n\\a\\b\\v\\f\\r\\\\.....");
}

static void the_hex_dump_shows_each_byte(void **state)
{
    const char *const arguments[] = {"-x", "-", "PIPE", NULL};
    const char *shown = echo_showing(*state, arguments, "az\n\377");

    assert_string_equal(without_times(*state, shown),
                        "> " TIME "  length=4 from=0 to=3\n 61 7a 0a ff\n"
                        "< " TIME "  length=4 from=0 to=3\n 61 7a 0a ff\n");
}

static void both_dumps_together_show_rows_that_end_with_a_line(void **state)
{
    const char *const arguments[] = {"-x", "-v", "-u", "-", "/dev/null", NULL};
    struct program *program = program_launch(*state, &(struct launch){.arguments = arguments});

    program_send(program, "x\n0123456789abcdefg\t");
    program_logs(program, "--");
    program_end_input(program);
    program_ends(program, 0);
    assert_string_equal(without_times(*state, program_log(program)),
                        "> " TIME "  length=20 from=0 to=19\n"
                        " 78 0a                                            x.\n"
                        " 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
                        " 67 09                                            g.\n"
                        "--\n");
}

static void the_dump_shows_the_time_of_now_down_to_nanoseconds(void **state)
{
    const char *const arguments[] = {"-x", "-u", "-", "/dev/null", NULL};
    struct timespec before, after, shown = {0};
    struct tm parts = {.tm_isdst = -1};
    struct program *program = program_launch(*state, &(struct launch){.arguments = arguments});

    clock_gettime(CLOCK_REALTIME, &before);
    program_send(program, "x");
    const char *line = program_logs(program, "> *");
    clock_gettime(CLOCK_REALTIME, &after);
    assert_int_equal(sscanf(line, "> %d/%d/%d %d:%d:%d.%9ld", &parts.tm_year, &parts.tm_mon,
                            &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec,
                            &shown.tv_nsec),
                     7);
    parts.tm_year -= 1900;
    parts.tm_mon--;
    shown.tv_sec = mktime(&parts);
    assert_true(shown.tv_sec > before.tv_sec ||
                (shown.tv_sec == before.tv_sec && shown.tv_nsec >= before.tv_nsec));
    assert_true(shown.tv_sec < after.tv_sec ||
                (shown.tv_sec == after.tv_sec && shown.tv_nsec <= after.tv_nsec));
}

static void dumps_and_copies_hold_what_is_written_after_conversion(void **state)
{
    struct harness *harness = *state;
    const char *copy = path(harness, "copy");
    const char *const arguments[] = {"-x", "-r", copy, "-u", "-", "OPEN:/dev/null,crnl", NULL};
    struct program *program = program_launch(harness, &(struct launch){.arguments = arguments});

    program_send(program, "a\nb\n");
    program_logs(program, "length=6 from=0 to=5");
    program_logs(program, " 61 0d 0a 62 0d 0a");
    program_end_input(program);
    program_ends(program, 0);
    assert_string_equal(file_read(harness, copy), "a\r\nb\r\n");
}

/* Files are moved inside of the kernel where nobody looks at them. */
static void a_dumped_file_arrives_whole_and_is_copied_whole(void **state)
{
    struct harness *harness = *state;
    enum { LENGTH = 300000 };
    char *data = memory(harness, LENGTH + 1);
    const char *from = path(harness, "from"), *to = path(harness, "to");
    const char *copy = path(harness, "copy");

    for (int i = 0; i < LENGTH; i++)
        data[i] = (char)('a' + i % 23);
    data[LENGTH] = '\0';
    file_write(harness, from, data);
    program_ends(
        program_start(harness, "-r", copy, "-u", from, text(harness, "CREATE:%s", to), NULL), 0);
    assert_string_equal(file_read(harness, to), data);
    assert_string_equal(file_read(harness, copy), data);
}

static void each_direction_is_copied_to_its_own_file(void **state)
{
    struct harness *harness = *state;
    const char *right = path(harness, "right"), *left = path(harness, "left");
    struct bridge bridge;
    const char *const arguments[] = {"-r", right, "-R", left, "-", NULL, NULL};
    const char *copy_arguments[7];
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);

    memcpy(copy_arguments, arguments, sizeof arguments);
    copy_arguments[5] = text(harness, "TCP4:" LOOPBACK ":%u", port);
    bridge.program = program_launch(harness, &(struct launch){.arguments = copy_arguments});
    bridge.server = peer_accept(harness, listener);
    program_send(bridge.program, "question");
    peer_receives(harness, bridge.server, "question");
    peer_send(harness, bridge.server, "answer");
    program_outputs(bridge.program, "answer");
    peer_end(bridge.server);
    program_end_input(bridge.program);
    program_ends(bridge.program, 0);
    assert_string_equal(file_read(harness, right), "question");
    assert_string_equal(file_read(harness, left), "answer");
}

static void copies_are_appended_and_one_file_may_take_both_directions(void **state)
{
    struct harness *harness = *state;
    const char *copy = path(harness, "copy");
    const char *const arguments[] = {"-r", copy, "-R", copy, "-", "PIPE", NULL};

    file_write(harness, copy, "before ");
    echo_showing(harness, arguments, "twice ");
    assert_string_equal(file_read(harness, copy), "before twice twice ");
}

static void a_direction_that_is_not_used_leaves_an_empty_file(void **state)
{
    struct harness *harness = *state;
    const char *copy = path(harness, "copy");

    program_ends(program_start(harness, "-u", "-R", copy, "/dev/null", "/dev/null", NULL), 0);
    assert_string_equal(file_read(harness, copy), "");
}

static void the_name_of_a_copy_is_filled_in(void **state)
{
    struct harness *harness = *state;
    const char *folder = path(harness, "");
    const char *pattern = text(harness, "${FOLDER}$PROGNAME-$$");
    const char *const arguments[] = {"-lp", "it", "-r", pattern, "-d", "-d", "-", "PIPE", NULL};
    const char *environment = text(harness, "FOLDER=%s", folder);
    struct program *program = program_launch(
        harness, &(struct launch){.arguments = arguments, .environment = environment});

    program_send(program, "x");
    program_outputs(program, "x");
    program_end_input(program);
    program_ends(program, 0);
    assert_string_equal(
        file_read(harness, text(harness, "%sit-%d", folder, (int)program_pid(program))), "x");
}

/* The number of the process that was made for the next peer. */
static const char *child_of(struct program *program)
{
    const char *line = program_logs(program, " N forked off child process *");
    return strrchr(line, ' ') + 1;
}

static void each_child_of_a_server_has_a_copy_of_its_own(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "-r", text(harness, "%s$$", path(harness, "copy-")),
                      "TCP4-LISTEN:0,fork,bind=" LOOPBACK, "PIPE", NULL);
    unsigned port = program_port(program);

    for (int i = 0; i < 2; i++) {
        const char *message = text(harness, "message %d", i);
        int client = peer_connect(harness, LOOPBACK, port);
        peer_send(harness, client, message);
        peer_receives(harness, client, message);
        const char *own = sessions_are_hosted()
                              ? text(harness, "%d.%d", program_pid(program), i + 1)
                              : child_of(program);
        peer_end(client);
        peer_receives_end(harness, client);
        assert_string_equal(file_read(harness, text(harness, "%s%s", path(harness, "copy-"), own)),
                            message);
    }
}

static void a_copy_that_can_not_be_opened_is_an_error(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "missing/copy");

    program_ends_logging(program_start(harness, "-r", name, "-", "PIPE", NULL), 1,
                         text(harness, " E option -r \"%s\": No such file or directory", name));
    program_ends_logging(program_start(harness, "-R", name, "-", "PIPE", NULL), 1,
                         text(harness, " E option -R \"%s\": No such file or directory", name));
}

static void a_copy_that_can_not_be_written_is_a_warning(void **state)
{
    const char *const arguments[] = {"-r", "/dev/full", "-", "PIPE", NULL};
    const char *shown = echo_showing(*state, arguments, "data");

    assert_non_null(strstr(shown, " W option -r: write("));
    assert_non_null(strstr(shown, "\"/dev/full\", 4): No space left on device"));
}

/* The reader of the copy comes late; nothing of it is lost. */
static void a_copy_to_a_full_fifo_waits_and_can_be_terminated(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    struct program *program;

    assert_int_equal(mkfifo(fifo, 0600), 0);
    int reader = harness_keep(harness, open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    program = program_start(harness, "-d", "-d", "-r", fifo, "-u", "/dev/zero", "/dev/null", NULL);
    program_logs(program, " N starting data transfer loop");
    for (int available = 0; available < 65536;) {
        struct pollfd readable = {.fd = reader, .events = POLLIN};
        assert_int_equal(poll(&readable, 1, PATIENCE), 1);
        char data[65536];
        ssize_t count = read(reader, data, sizeof data);
        available += count > 0 ? (int)count : 0;
    }
    program_signal(program, SIGTERM);
    program_ends_logging(program, 143, " W exiting on signal 15");
    assert_false(program_has_logged(program, " W option -r"));
}

static void statistics_are_one_json_object(void **state)
{
    const char *const both[] = {"--statistics=json", "-", "PIPE", NULL};
    const char *shown = echo_showing(*state, both, "12345");
    int blocks, bytes;
    const char *at = strstr(shown, "\"left_to_right\":");

    assert_memory_equal(shown, "{\"time\":\"", 9);
    assert_non_null(strstr(shown, "\"event\":\"statistics\",\"seconds\":"));
    assert_non_null(at);
    assert_int_equal(sscanf(at,
                            "\"left_to_right\":{\"blocks\":%d,\"bytes\":%d},"
                            "\"right_to_left\":{\"blocks\"",
                            &blocks, &bytes),
                     2);
    assert_int_equal(bytes, 5);
    assert_string_equal(strchr(shown, '\n'), "\n");
}

static void json_statistics_of_what_there_is_not_are_null(void **state)
{
    struct program *program =
        program_start(*state, "--statistics=json", "-u", "/dev/null", "/dev/null", NULL);
    program_ends_logging(program, 0,
                         "\"left_to_right\":{\"blocks\":0,\"bytes\":0},\"right_to_left\":null}");
    program = program_start(*state, "--statistics=json", "OPEN:/missing/file", "-", NULL);
    program_ends_logging(program, 1, "\"left_to_right\":null,\"right_to_left\":null}");
}

static void sigusr1_shows_statistics_as_json_where_that_is_asked_for(void **state)
{
    struct program *program = program_start(*state, "--statistics=json", "-", "PIPE", NULL);

    program_send(program, "12345");
    program_outputs(program, "12345");
    program_signal(program, SIGUSR1);
    program_logs(program, "{\"time\":*\"bytes\":5}*\"bytes\":5}}");
}

static void one_way_statistics_have_one_line(void **state)
{
    struct program *program =
        program_start(*state, "--statistics", "-U", "/dev/null", "/dev/null", NULL);

    program_ends_logging(program, 0, " I STATISTICS: right to left: 0 packets(s), 0 byte(s)");
    assert_true(program_has_logged(program, " W statistics are experimental"));
    assert_false(program_has_logged(program, "left to right"));
}

static void messages_become_json_objects(void **state)
{
    struct program *program =
        program_start(*state, "--log-format=json", "-d", "-d", "OPEN:/missing/\"file\"", "-", NULL);

    program_ends_logging(program, 1,
                         "\"level\":\"error\",\"program\":\"*\",\"pid\":*,\"message\":"
                         "\"cannot open *\",\"host\":\"*\"}");
    for (const char *line = program_log(program); *line != '\0'; line = strchr(line, '\n') + 1)
        assert_memory_equal(line, "{\"time\":\"", 9);
}

/* The row of a descriptor in the table, from a mark in it on. */
static const char *row(const char *table, const char *mark)
{
    const char *at = strstr(table, mark);
    assert_non_null(at);
    return at;
}

static bool row_has(const char *at, const char *what)
{
    const char *found = strstr(at, what);
    return found != NULL && found < strchr(at, '\n');
}

static void the_table_shows_each_descriptor_once(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-D", "-", text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    int server = peer_accept(harness, listener);

    peer_send(harness, server, "x");
    program_outputs(program, "x");
    const char *table = program_log(program);
    assert_ptr_equal(strstr(table, "  FD  type\tdevice\tinode\tmode\tlinks\tuid\t"), table);
    assert_true(row_has(row(table, "   0: pipe\t"), "\tF_GETPIPE_SZ="));
    assert_true(row_has(row(table, "   0: pipe\t"), "\tpoll: "));
    assert_true(row_has(row(table, "   1: pipe\t"), "\tpoll: OUT,"));
    const char *socket = row(table, ": socket\t");
    assert_true(row_has(socket, text(harness, " <-> AF=2 " LOOPBACK ":%u\t", port)));
    assert_true(row_has(socket, "\tTYPE=1\t"));
    assert_null(strstr(socket + 1, ": socket\t"));
}

/* The program with a terminal for its standard streams. */
struct terminal {
    int master;
    pid_t pid;
    char shown[8192];
    size_t length;
};

static void terminal_start(struct harness *harness, struct terminal *terminal,
                           const char *const *arguments)
{
    const char *words[16] = {program_file()};
    for (size_t i = 0; arguments[i] != NULL; i++)
        words[i + 1] = arguments[i];
    terminal->length = 0;
    terminal->pid = forkpty(&terminal->master, NULL, NULL, NULL);
    if (terminal->pid < 0)
        harness_fail(harness, "forkpty(): %s", strerror(errno));
    if (terminal->pid == 0) {
        execv(words[0], (char **)words);
        _exit(127);
    }
    harness_keep(harness, terminal->master);
}

/* Reads on. Returns false at the end. */
static bool terminal_read(struct harness *harness, struct terminal *terminal)
{
    struct pollfd readable = {.fd = terminal->master, .events = POLLIN};
    if (poll(&readable, 1, PATIENCE) != 1)
        harness_fail(harness, "the terminal shows only \"%s\"", terminal->shown);
    ssize_t count = read(terminal->master, terminal->shown + terminal->length,
                         sizeof terminal->shown - 1 - terminal->length);
    terminal->length += count > 0 ? (size_t)count : 0;
    terminal->shown[terminal->length] = '\0';
    return count > 0;
}

static void terminal_shows(struct harness *harness, struct terminal *terminal, const char *what)
{
    terminal->shown[terminal->length] = '\0';
    while (strstr(terminal->shown, what) == NULL)
        if (!terminal_read(harness, terminal))
            harness_fail(harness, "the terminal shows only \"%s\"", terminal->shown);
}

static void terminal_ends(struct harness *harness, struct terminal *terminal, int status)
{
    int ended;
    while (terminal_read(harness, terminal))
        ;
    assert_int_equal(waitpid(terminal->pid, &ended, 0), terminal->pid);
    assert_true(WIFEXITED(ended));
    assert_int_equal(WEXITSTATUS(ended), status);
}

static void progress_ends_with_all_of_a_file(void **state)
{
    struct harness *harness = *state;
    const char *from = path(harness, "from");
    struct terminal terminal;
    const char *const arguments[] = {"--progress", "-u", from, "OPEN:/dev/null", NULL};

    file_write(harness, from, "0123456789");
    terminal_start(harness, &terminal, arguments);
    terminal_ends(harness, &terminal, 0);
    assert_non_null(strstr(terminal.shown, "\r10 B "));
    assert_non_null(strstr(terminal.shown, "  100%\033[K\r\n"));
}

static void progress_is_redrawn_and_makes_room_for_messages(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    const char *const arguments[] = {"--progress", "-u", fifo, "OPEN:/dev/null", NULL};
    struct terminal terminal;

    assert_int_equal(mkfifo(fifo, 0600), 0);
    int writer = harness_keep(harness, open(fifo, O_RDWR | O_CLOEXEC));
    terminal_start(harness, &terminal, arguments);
    terminal_shows(harness, &terminal, "\r0 B 0 B/s  0:0");
    assert_int_equal(write(writer, "abc", 3), 3);
    terminal_shows(harness, &terminal, "\033[K\r3 B ");
    assert_int_equal(kill(terminal.pid, SIGTERM), 0);
    terminal_ends(harness, &terminal, 143);
    const char *message = strstr(terminal.shown, " W exiting on signal 15");
    assert_non_null(message);
    while (message > terminal.shown && message[-1] != 'K')
        message--;
    assert_memory_equal(message - 4, "\r\033[K", 4);
}

static void progress_is_not_mixed_into_data_on_the_terminal(void **state)
{
    struct harness *harness = *state;
    const char *from = path(harness, "from");
    struct terminal terminal;
    const char *const outputs[] = {"-", "OPEN:/dev/tty"};

    file_write(harness, from, "data");
    for (size_t i = 0; i < 2; i++) {
        const char *const arguments[] = {"--progress", "-u", from, outputs[i], NULL};
        terminal_start(harness, &terminal, arguments);
        terminal_ends(harness, &terminal, 0);
        assert_string_equal(terminal.shown, "data");
    }
}

static void progress_leaves_a_terminal_alone_that_is_typed_on(void **state)
{
    struct harness *harness = *state;
    const char *const arguments[] = {"--progress", "-d", "-d", "-u", "-", "OPEN:/dev/null", NULL};
    struct terminal terminal;

    terminal_start(harness, &terminal, arguments);
    terminal_shows(harness, &terminal, " N no progress is shown: data goes to the terminal");
    assert_int_equal(write(terminal.master, "\004", 1), 1);
    terminal_ends(harness, &terminal, 0);
    assert_null(strstr(terminal.shown, "\033[K"));
}

static void progress_is_shown_on_a_terminal_only(void **state)
{
    struct program *program =
        program_start(*state, "--progress", "-d", "-d", "-u", "/dev/null", "/dev/null", NULL);

    program_ends_logging(program, 0, " N no progress is shown: standard error is no terminal");
    assert_null(strchr(program_log(program), '\r'));
}

/* Nobody reads what it shows. */
static void a_full_standard_error_does_not_keep_it_from_ending(void **state)
{
    struct harness *harness = *state;
    const char *log = path(harness, "log");
    const char *const arguments[] = {"-lf", log, "-v", "-u", "/dev/zero", "OPEN:/dev/null", NULL};
    struct terminal terminal;
    int status;

    terminal_start(harness, &terminal, arguments);
    terminal_shows(harness, &terminal, "> ");
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, terminal.pid, 0), .events = POLLIN};
    harness_keep(harness, ended.fd);
    assert_int_equal(kill(terminal.pid, SIGTERM), 0);
    if (poll(&ended, 1, PATIENCE) != 1)
        kill(terminal.pid, SIGKILL);
    assert_int_equal(waitpid(terminal.pid, &status, 0), terminal.pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 143);
    assert_non_null(strstr(file_read(harness, log), " W exiting on signal 15"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(the_text_dump_shows_each_chunk_with_its_place),
        SYSTEM_TEST(the_hex_dump_shows_each_byte),
        SYSTEM_TEST(both_dumps_together_show_rows_that_end_with_a_line),
        SYSTEM_TEST(the_dump_shows_the_time_of_now_down_to_nanoseconds),
        SYSTEM_TEST(dumps_and_copies_hold_what_is_written_after_conversion),
        SYSTEM_TEST(a_dumped_file_arrives_whole_and_is_copied_whole),
        SYSTEM_TEST(each_direction_is_copied_to_its_own_file),
        SYSTEM_TEST(copies_are_appended_and_one_file_may_take_both_directions),
        SYSTEM_TEST(a_direction_that_is_not_used_leaves_an_empty_file),
        SYSTEM_TEST(the_name_of_a_copy_is_filled_in),
        SYSTEM_TEST(each_child_of_a_server_has_a_copy_of_its_own),
        SYSTEM_TEST(a_copy_that_can_not_be_opened_is_an_error),
        SYSTEM_TEST(a_copy_that_can_not_be_written_is_a_warning),
        SYSTEM_TEST(a_copy_to_a_full_fifo_waits_and_can_be_terminated),
        SYSTEM_TEST(statistics_are_one_json_object),
        SYSTEM_TEST(json_statistics_of_what_there_is_not_are_null),
        SYSTEM_TEST(sigusr1_shows_statistics_as_json_where_that_is_asked_for),
        SYSTEM_TEST(one_way_statistics_have_one_line),
        SYSTEM_TEST(messages_become_json_objects),
        SYSTEM_TEST(the_table_shows_each_descriptor_once),
        SYSTEM_TEST(progress_ends_with_all_of_a_file),
        SYSTEM_TEST(progress_is_redrawn_and_makes_room_for_messages),
        SYSTEM_TEST(progress_is_not_mixed_into_data_on_the_terminal),
        SYSTEM_TEST(progress_leaves_a_terminal_alone_that_is_typed_on),
        SYSTEM_TEST(progress_is_shown_on_a_terminal_only),
        SYSTEM_TEST(a_full_standard_error_does_not_keep_it_from_ending),
    };
    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
