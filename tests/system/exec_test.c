#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEBIBYTE ((size_t)1 << 20)

/* The ways to connect a program, as options. */
static const char *const transports[] = {"", ",pipes", ",pty,rawer", ",socktype=5"};
#define EACH(transport)                                                                            \
    for (const char *const *transport = transports;                                                \
         transport < transports + sizeof(transports) / sizeof(transports[0]); transport++)

/* Runs a command to its end, with this input, and returns what it has put out. */
static const char *run(struct harness *harness, const char *address, const char *input, int status)
{
    struct program *program = program_start(harness, "-t", "10", "-", address, NULL);
    program_send(program, input);
    program_end_input(program);
    program_ends(program, status);
    return program_output(program, NULL);
}

static const char *take(struct harness *harness, const char *address, int status)
{
    struct program *program = program_start(harness, "-u", address, "-", NULL);
    program_ends(program, status);
    return program_output(program, NULL);
}

static void awaits_end_of_process(struct harness *harness, pid_t pid)
{
    long long deadline = milliseconds() + PATIENCE;
    while (kill(pid, 0) == 0) {
        if (milliseconds() > deadline)
            harness_fail(harness, "process %d stays behind", (int)pid);
        poll(NULL, 0, 5);
    }
}

static void relays_through_a_program_both_ways(void **state)
{
    assert_string_equal(run(*state, "EXEC:cat", "hello\n", 0), "hello\n");
    assert_string_equal(run(*state, "EXEC:wc -c,pipes", "hello\n", 0), "6\n");
    assert_string_equal(run(*state, "SYSTEM:tr a-z A-Z", "hello\n", 0), "HELLO\n");
    assert_string_equal(run(*state, "SHELL:wc -l,shell=/bin/sh", "17*3\n", 0), "1\n");
}

static void converses_with_a_program(void **state)
{
    EACH(transport)
    {
        struct program *program =
            program_start(*state, "-", text(*state, "EXEC:cat%s", *transport), NULL);
        for (int i = 0; i < 5; i++) {
            program_send(program, "line\n");
            program_outputs(program, "line\n");
        }
    }
}

static void relays_megabytes_through_cat(void **state)
{
    struct harness *harness = *state;
    const char *const addresses[] = {"EXEC:cat", "EXEC:cat,pipes"};

    for (size_t i = 0; i < 2; i++) {
        unsigned port;
        struct program *program = program_start(harness, "-d", "-d", "-t", "10",
                                                "TCP4-LISTEN:0,bind=" LOOPBACK, addresses[i], NULL);
        port = program_port(program);
        int fd = peer_connect(harness, LOOPBACK, port);
        struct flow flow = {.write_fd = fd, .read_fd = fd, .seed = i, .length = 16 * MEBIBYTE};
        flows_run(harness, &flow, 1);
        program_ends(program, 0);
    }
}

/* What `seq 1 200000` prints is known by its length and its end. */
static void every_byte_arrives_of_a_program_that_has_ended(void **state)
{
    EACH(transport)
    {
        size_t length;
        struct program *program =
            program_start(*state, "-u", text(*state, "EXEC:seq 1 200000%s", *transport), "-", NULL);
        program_ends(program, 0);
        const char *output = program_output(program, &length);
        assert_int_equal(length, 1288895);
        assert_string_equal(output + length - 7, "200000\n");
    }
}

static void every_byte_arrives_of_a_program_that_was_killed(void **state)
{
    EACH(transport)
    {
        size_t length;
        struct program *program = program_start(
            *state, "-u", text(*state, "SYSTEM:seq 1 200000; kill -9 $$%s", *transport), "-", NULL);
        program_ends_logging(program, 1, " W waitpid(): child * exited on signal 9");
        program_output(program, &length);
        assert_int_equal(length, 1288895);
    }
}

static void the_end_of_input_reaches_the_program_and_its_answer_comes_back(void **state)
{
    assert_string_equal(run(*state, "SYSTEM:cat >/dev/null; echo end", "x", 0), "end\n");
    assert_string_equal(run(*state, "SYSTEM:cat >/dev/null; echo end,pipes", "x", 0), "end\n");
}

static void a_program_that_does_not_read_its_input_is_no_error(void **state)
{
    for (int i = 0; i < 20; i++) {
        assert_string_equal(run(*state, "SYSTEM:read x; echo $x", "one\ntwo\nthree\n", 0), "one\n");
        assert_string_equal(run(*state, "EXEC:echo hi", "unread\n", 0), "hi\n");
    }
}

static void what_a_program_leaves_behind_may_still_write_in_one_direction(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    struct program *program =
        program_start(harness, "-d", "-d", "-d", "-u",
                      text(harness, "SYSTEM:cat %s & echo early", fifo), "-", NULL);

    program_logs(program, " I exec'd process * on socket 0 terminated");
    file_append(harness, fifo, "late\n");
    program_outputs(program, "early\nlate\n");
    program_ends(program, 0);
}

static void in_both_directions_the_closing_time_begins_with_the_programs_end(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int keep = harness_keep(harness, open(fifo, O_RDWR | O_CLOEXEC));
    struct program *program =
        program_start(harness, "-", text(harness, "SYSTEM:cat %s & echo early", fifo), NULL);

    program_outputs(program, "early\n");
    program_ends(program, 0);
    assert_int_equal(write(keep, "x", 1), 1);
}

static void the_session_ends_with_its_program_though_more_input_may_come(void **state)
{
    EACH(transport)
    {
        const char *address = text(*state, "EXEC:true%s", *transport);
        program_ends(program_start(*state, "-", address, NULL), 0);
        program_ends(program_start(*state, "-u", "-", address, NULL), 0);
    }
}

static void a_terminal_that_nobody_reads_any_more_does_not_hold_the_session(void **state)
{
    struct harness *harness = *state;
    const char *const directions[] = {"-d", "-u"};
    char *lines = memory(harness, MEBIBYTE + 1);
    for (size_t i = 0; i < MEBIBYTE; i++)
        lines[i] = i % 2 == 0 ? 'y' : '\n';
    lines[MEBIBYTE] = '\0';
    file_write(harness, path(harness, "lines"), lines);

    for (size_t i = 0; i < 2; i++) {
        int in = harness_keep(harness, open(path(harness, "lines"), O_RDONLY | O_CLOEXEC));
        const char *const arguments[] = {directions[i], "-", "EXEC:true,pty", NULL};
        struct program *program =
            program_launch(harness, &(struct launch){.arguments = arguments, .in = in});
        program_ends_logging(program, 0, " W * bytes for socket 2 are not delivered");
    }
}

static void the_exit_status_counts_where_what_the_program_wrote_was_given_back_to_it(void **state)
{
    for (int i = 0; i < 5; i++)
        program_ends(
            program_start(*state, "-t", "20", "SYSTEM:exec <&-; echo x; exit 3", "PIPE", NULL), 1);
}

static void the_exit_status_counts_in_each_direction_and_each_time(void **state)
{
    struct harness *harness = *state;

    EACH(transport)
    for (int i = 0; i < 5; i++) {
        take(harness, text(harness, "EXEC:false%s", *transport), 1);
        take(harness, text(harness, "EXEC:true%s", *transport), 0);
        run(harness, text(harness, "EXEC:false%s", *transport), "", 1);
        run(harness, text(harness, "EXEC:true%s", *transport), "", 0);
    }
}

static void a_failure_is_said_with_the_programs_status(void **state)
{
    struct program *program = program_start(*state, "-u", "EXEC:sh -c 'exit 7'", "-", NULL);
    program_ends(program, 0); /* the address takes the quotes, and sh the word "exit" */
    program = program_start(*state, "-u", "EXEC:\"sh -c 'exit 7'\"", "-", NULL);
    program_ends_logging(program, 1, " W waitpid(): child * exited with status 7");
    program = program_start(*state, "-u", "SYSTEM:exit 7", "-", NULL);
    program_ends_logging(program, 1, " W system(\"exit 7\") returned with status 1792");
    assert_true(program_has_logged(program, " W waitpid(): child * exited with status 7"));
}

static void a_program_that_closes_its_output_first_is_judged_by_its_end(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    struct program *program = program_start(
        harness, "-d", "-d", "-d", "-t", "20", "-u",
        text(harness, "SYSTEM:echo out; exec >&-; read x <%s; exit 4", fifo), "-", NULL);

    program_logs(program, " I waiting for process * to end");
    file_append(harness, fifo, "go\n");
    program_ends_logging(program, 1, " W waitpid(): child * exited with status 4");
    assert_string_equal(program_output(program, NULL), "out\n");
}

static void a_program_that_ignores_the_end_of_input_is_terminated(void **state)
{
    EACH(transport)
    {
        struct program *program = program_start(
            *state, "-", text(*state, "EXEC:'sh -c \"echo $$; exec sleep 1000\"'%s", *transport),
            NULL);
        program_end_input(program);
        program_ends(program, 0);
        pid_t pid = (pid_t)strtol(program_output(program, NULL), NULL, 10);
        assert_true(pid > 1);
        awaits_end_of_process(*state, pid);
    }
}

static void sigterm_ends_the_program_too(void **state)
{
    struct program *program =
        program_start(*state, "-d", "-d", "-", "EXEC:'sh -c \"echo $$; exec sleep 1000\"'", NULL);
    program_logs(program, " N starting data transfer loop");
    while (strchr(program_output(program, NULL), '\n') == NULL)
        poll(NULL, 0, 5);
    pid_t pid = (pid_t)strtol(program_output(program, NULL), NULL, 10);
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    awaits_end_of_process(*state, pid);
}

static void end_close_lets_the_program_live_on(void **state)
{
    struct program *program = program_start(
        *state, "-", "SYSTEM:echo $$; exec sleep 1000 </dev/null >&0,end-close", NULL);
    program_end_input(program);
    program_ends(program, 0);
    pid_t pid = (pid_t)strtol(program_output(program, NULL), NULL, 10);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, 0), 0);
    kill(pid, SIGKILL);
}

static void a_program_that_only_takes_data_finishes_its_work(void **state)
{
    struct harness *harness = *state;
    static const char *const ways[] = {"", ",pipes", ",pty"};
    const char *fifo = path(harness, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);

    for (size_t i = 0; i < 3; i++) {
        const char *copy = path(harness, text(harness, "copy%zu", i));
        struct program *program = program_start(
            harness, "-d", "-d", "-d", "-u", "-",
            text(harness, "SYSTEM:read x <%s; cat >%s; exit 3%s", fifo, copy, ways[i]), NULL);
        program_send(program, "all of it\n");
        program_end_input(program);
        program_logs(program, " I waiting for process * to end");
        file_append(harness, fifo, "go\n");
        program_ends_logging(program, 1, " W waitpid(): child * exited with status 3");
        assert_string_equal(file_read(harness, copy), "all of it\n");
    }
}

static void sigterm_ends_the_wait_for_a_program_that_only_takes_data(void **state)
{
    struct program *program =
        program_start(*state, "-d", "-d", "-d", "-u", "-", "EXEC:sleep 1000", NULL);
    program_end_input(program);
    program_logs(program, " I waiting for process * to end");
    program_signal(program, SIGTERM);
    program_ends(program, 143);
}

static void the_inactivity_timeout_ends_that_wait_too(void **state)
{
    struct program *program =
        program_start(*state, "-T", "0.2", "-u", "-", "EXEC:sleep 1000", NULL);
    program_end_input(program);
    program_ends(program, 0);
}

static void a_signal_is_passed_on_where_an_option_says_so(void **state)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"hup", SIGHUP}, {"int", SIGINT}, {"quit", SIGQUIT}};

    for (size_t i = 0; i < 3; i++) {
        struct harness *harness = *state;
        const char *script = path(harness, "script");
        file_write(harness, script,
                   text(harness, "trap 'echo got; exit 0' %d\necho ready\nwhile read x; do :; done",
                        signals[i].number));
        struct program *program =
            program_start(harness, "-d", "-d", "-d", "-",
                          text(harness, "EXEC:sh %s,sig%s", script, signals[i].name), NULL);
        program_outputs(program, "ready\n");
        program_signal(program, signals[i].number);
        program_logs(program, text(harness, " N socatsignalpass(sig=%d)", signals[i].number));
        program_logs(program, " I socatsignalpass(): propagated signal to 1 sub processes");
        program_outputs(program, "got\n");
        program_ends(program, 0);
    }
}

static void a_signal_that_is_passed_on_need_not_be_in_the_mask(void **state)
{
    struct harness *harness = *state;
    const char *script = path(harness, "script");
    file_write(harness, script,
               "trap 'echo got; exit 0' INT\necho ready\nwhile read x; do :; done");
    struct program *program =
        program_start(harness, "-S", "0", "-", text(harness, "EXEC:sh %s,sigint", script), NULL);
    program_outputs(program, "ready\n");
    program_signal(program, SIGINT);
    program_outputs(program, "got\n");
    program_ends(program, 0);
}

/* A thousand; with sanitizers a hundred, whose processes take as long to come and go. */
static void many_sessions_leave_nothing_behind(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", "-t", "10",
                                            "TCP4-LISTEN:0,fork,bind=" LOOPBACK, "EXEC:cat", NULL);
    unsigned port = program_port(program);
    size_t descriptors = process_descriptors(program_pid(program));

    for (int round = 0; round < (SANITIZED ? 5 : 50); round++) {
        int clients[20];
        for (int i = 0; i < 20; i++) {
            clients[i] = peer_connect(harness, LOOPBACK, port);
            peer_send(harness, clients[i], "ping");
            peer_end(clients[i]);
        }
        for (int i = 0; i < 20; i++) {
            peer_receives(harness, clients[i], "ping");
            peer_receives_end(harness, clients[i]);
            harness_close(harness, clients[i]);
        }
    }
    process_awaits_children(harness, program_pid(program), 0);
    process_awaits_descriptors(harness, program_pid(program), descriptors);
    assert_false(program_has_logged(program, " E "));
    assert_false(program_has_logged(program, " W "));
}

/* The program of the first address belongs to the parent: a child leaves it alone at its end. */
static void sessions_share_the_program_of_the_first_address(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "-U", "SYSTEM:while read x; do echo $x >&2; done",
                      "TCP4-LISTEN:0,fork,bind=" LOOPBACK, NULL);
    unsigned port = program_port(program);

    for (int i = 0; i < 3; i++) {
        int client = peer_connect(harness, LOOPBACK, port);
        peer_send(harness, client, text(harness, "line %d\n", i));
        program_logs(program, text(harness, "line %d", i));
        peer_reset(harness, client);
        process_awaits_children(harness, program_pid(program), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(relays_through_a_program_both_ways),
        SYSTEM_TEST(converses_with_a_program),
        SYSTEM_TEST(relays_megabytes_through_cat),
        SYSTEM_TEST(every_byte_arrives_of_a_program_that_has_ended),
        SYSTEM_TEST(every_byte_arrives_of_a_program_that_was_killed),
        SYSTEM_TEST(the_end_of_input_reaches_the_program_and_its_answer_comes_back),
        SYSTEM_TEST(a_program_that_does_not_read_its_input_is_no_error),
        SYSTEM_TEST(what_a_program_leaves_behind_may_still_write_in_one_direction),
        SYSTEM_TEST(in_both_directions_the_closing_time_begins_with_the_programs_end),
        SYSTEM_TEST(the_session_ends_with_its_program_though_more_input_may_come),
        SYSTEM_TEST(a_terminal_that_nobody_reads_any_more_does_not_hold_the_session),
        SYSTEM_TEST(the_exit_status_counts_where_what_the_program_wrote_was_given_back_to_it),
        SYSTEM_TEST(the_exit_status_counts_in_each_direction_and_each_time),
        SYSTEM_TEST(a_failure_is_said_with_the_programs_status),
        SYSTEM_TEST(a_program_that_closes_its_output_first_is_judged_by_its_end),
        SYSTEM_TEST(a_program_that_ignores_the_end_of_input_is_terminated),
        SYSTEM_TEST(sigterm_ends_the_program_too),
        SYSTEM_TEST(end_close_lets_the_program_live_on),
        SYSTEM_TEST(a_program_that_only_takes_data_finishes_its_work),
        SYSTEM_TEST(sigterm_ends_the_wait_for_a_program_that_only_takes_data),
        SYSTEM_TEST(the_inactivity_timeout_ends_that_wait_too),
        SYSTEM_TEST(a_signal_is_passed_on_where_an_option_says_so),
        SYSTEM_TEST(a_signal_that_is_passed_on_need_not_be_in_the_mask),
        SYSTEM_TEST(many_sessions_leave_nothing_behind),
        SYSTEM_TEST(sessions_share_the_program_of_the_first_address),
    };
    return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
