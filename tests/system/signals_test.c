#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRANSFER " N starting data transfer loop"

static void terminate(struct program *program)
{
    program_signal(program, SIGTERM);
    program_ends_logging(program, 143, " W exiting on signal 15");
}

static void sigterm_ends_it_while_it_opens_a_fifo(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    struct program *program;

    assert_int_equal(mkfifo(fifo, 0600), 0);
    program = program_start(harness, "-d", "-d", "-u", text(harness, "OPEN:%s", fifo), "-", NULL);
    program_logs(program, " N opening named pipe \"*\" for reading");
    terminate(program);
}

static void sigterm_ends_it_while_it_listens(void **state)
{
    struct program *program =
        program_start(*state, "-d", "-d", "TCP4-LISTEN:0,bind=" LOOPBACK, "PIPE", NULL);

    program_port(program);
    terminate(program);
}

static void sigterm_ends_it_while_it_listens_with_fork(void **state)
{
    struct program *program =
        program_start(*state, "-d", "-d", "TCP4-LISTEN:0,fork,bind=" LOOPBACK, "PIPE", NULL);

    program_port(program);
    terminate(program);
}

static void sigterm_ends_it_while_it_connects(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    struct program *program;

    peer_listen_unresponsive(harness, LOOPBACK, &port);
    program = program_start(harness, "-d", "-d", text(harness, "TCP4:" LOOPBACK ":%u", port),
                            "PIPE", NULL);
    program_logs(program, " N opening connection to ");
    terminate(program);
}

static void sigterm_ends_it_while_it_waits_for_the_next_try(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    struct program *program;

    peer_bind(harness, LOOPBACK, &port);
    program = program_start(harness, "-d", "-d", "-d",
                            text(harness, "TCP4:" LOOPBACK ":%u,forever,interval=1000", port),
                            "PIPE", NULL);
    program_logs(program, " N cannot connect to *: Connection refused [connect(");
    terminate(program);
}

static void sigterm_ends_it_while_it_relays(void **state)
{
    struct program *program = program_start(*state, "-d", "-d", "-", "PIPE", NULL);

    program_logs(program, " N starting data transfer loop");
    terminate(program);
}

/* There is never a moment in which it has nothing to do. */
static void sigterm_ends_it_in_the_middle_of_an_endless_stream(void **state)
{
    struct harness *harness = *state;
    static const char *const sources[] = {"/dev/zero", "/dev/zero,escape=256"};

    for (size_t i = 0; i < 2; i++) {
        struct program *program =
            program_start(harness, "-d", "-d", "-u", sources[i], "OPEN:/dev/null", NULL);
        program_logs(program, " N starting data transfer loop");
        terminate(program);
    }
}

static void sigusr1_is_heard_in_the_middle_of_an_endless_stream(void **state)
{
    struct program *program =
        program_start(*state, "-d", "-d", "-u", "/dev/zero", "OPEN:/dev/null", NULL);

    program_logs(program, " N starting data transfer loop");
    program_signal(program, SIGUSR1);
    program_logs(program, " I STATISTICS: left to right: ");
}

static void sigterm_ends_it_while_its_sink_is_full(void **state)
{
    struct harness *harness = *state;
    struct bridge bridge = bridge_open(harness, LOOPBACK, "10", "", "");
    struct flow flow = {
        .write_fd = bridge.client, .read_fd = bridge.server, .seed = 1, .length = (size_t)1 << 26};

    flow_push(harness, &flow);
    terminate(bridge.program);
}

/* Standard output may be a descriptor that blocks. Each row: the address that reads, by options
 * that make the program move data in one way or another. */
static const char *const readers[] = {"-", "-,escape=256", "-,readbytes=100000000"};

static void sigterm_ends_it_while_its_standard_output_is_full(void **state)
{
    struct harness *harness = *state;

    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        struct program *program =
            program_start(harness, "-d", "-d", "-u", readers[i], "STDOUT", NULL);
        struct flow flow = {.write_fd = program_take_input(program),
                            .read_fd = program_take_output(program),
                            .seed = 1,
                            .length = (size_t)1 << 26};
        program_logs(program, " N starting data transfer loop");
        while (flow_push(harness, &flow) > 0)
            continue;
        terminate(program);
    }
}

static void sigterm_ends_it_while_a_fifo_is_full(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    struct program *program;
    struct flow flow = {.seed = 1, .length = (size_t)1 << 26};

    assert_int_equal(mkfifo(fifo, 0600), 0);
    flow.read_fd = harness_keep(harness, open(fifo, O_RDWR | O_CLOEXEC));
    program = program_start(harness, "-d", "-d", "-u", "-", text(harness, "OPEN:%s", fifo), NULL);
    flow.write_fd = program_take_input(program);
    program_logs(program, " N starting data transfer loop");
    while (flow_push(harness, &flow) > 0)
        continue;
    terminate(program);
}

static void sigterm_ends_it_while_it_waits_for_a_lock(void **state)
{
    struct harness *harness = *state;
    const char *lock = path(harness, "lock");
    struct program *program;

    file_write(harness, lock, "");
    program = program_start(harness, "-d", "-d", "-W", lock, "-", "PIPE", NULL);
    program_logs(program, " N waiting for lock \"");
    terminate(program);
    assert_true(file_exists(lock));
}

static void sigterm_leaves_no_fifo_behind(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    struct program *program =
        program_start(harness, "-d", "-d", "-", text(harness, "PIPE:%s", fifo), NULL);

    program_logs(program, " N starting data transfer loop");
    assert_true(file_exists(fifo));
    terminate(program);
    assert_false(file_exists(fifo));
}

/* As with socat, whose scripts end it with SIGINT though the shell has it ignored for what runs in
 * the background. */
static void a_signal_that_is_ignored_at_the_start_ends_it_all_the_same(void **state)
{
    static const struct {
        const char *name;
        int number;
    } rows[] = {{"INT", SIGINT}, {"TERM", SIGTERM}, {"HUP", SIGHUP}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *command = text(*state, "trap '' %s; exec \"$0\" -d -d - PIPE", rows[i].name);
        const struct launch launch = {
            .program = "sh",
            .arguments = (const char *[]){"-c", command, program_file(), NULL},
            .in = STREAM_PIPE,
            .out = STREAM_PIPE,
        };
        struct program *program = program_launch(*state, &launch);
        program_logs(program, " N starting data transfer loop");
        program_signal(program, rows[i].number);
        program_ends(program, 128 + rows[i].number);
    }
}

static const struct {
    int number;
    const char *message;
} ending_signals[] = {
    {SIGHUP, " N exiting on signal 1"},
    {SIGINT, " N exiting on signal 2"},
    {SIGQUIT, " E exiting on signal 3"},
    {SIGABRT, " E exiting on signal 6"},
};

static void each_ending_signal_is_said_and_gives_128_and_its_number(void **state)
{
    for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++) {
        struct program *program = program_start(*state, "-d", "-d", "-", "PIPE", NULL);
        program_logs(program, " N starting data transfer loop");
        program_signal(program, ending_signals[i].number);
        program_ends_logging(program, 128 + ending_signals[i].number, ending_signals[i].message);
    }
}

static void a_signal_that_is_not_in_the_mask_keeps_its_default_action(void **state)
{
    struct program *program = program_start(*state, "-d", "-d", "-S", "0", "-", "PIPE", NULL);

    program_logs(program, " N starting data transfer loop");
    program_signal(program, SIGTERM);
    program_ends(program, -SIGTERM);
}

#define STORMS 3

/* A process that sends signals as fast as it can, for as long as the program lives. */
static pid_t storm(pid_t victim)
{
    static const int numbers[] = {SIGCHLD, SIGWINCH, SIGCONT};
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    for (size_t i = 0; kill(victim, numbers[i % 3]) == 0; i++)
        continue;
    _exit(0);
}

static void signals_that_never_stop_hold_up_neither_data_nor_time(void **state)
{
    static const char *const addresses[] = {"PIPE", "SOCKETPAIR", "EXEC:cat"};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        pid_t storms[STORMS];
        const char *const arguments[] = {"-d", "-d", "-T", "0.5", "-", addresses[i], NULL};
        const struct launch launch = {
            .arguments = arguments,
            .in = STREAM_PIPE,
            .out = STREAM_PIPE,
            /* The search for leaks stops the program, which such signals prevent. */
            .environment = SANITIZED ? "ASAN_OPTIONS=detect_leaks=0" : NULL,
        };
        struct program *program = program_launch(*state, &launch);
        program_logs(program, TRANSFER);
        for (int j = 0; j < STORMS; j++)
            storms[j] = storm(program_pid(program));
        program_send(program, "12345");
        program_outputs(program, "12345");
        int status = program_end(program);
        for (int j = 0; j < STORMS; j++) {
            kill(storms[j], SIGKILL);
            waitpid(storms[j], NULL, 0);
        }
        assert_int_equal(status, 0);
        assert_true(program_has_logged(program, " N inactivity timeout triggered"));
    }
}

static void sigusr1_shows_statistics_and_the_relay_goes_on(void **state)
{
    struct program *program = program_start(*state, "-d", "-d", "-", "PIPE", NULL);

    program_send(program, "12345");
    program_outputs(program, "12345");
    program_signal(program, SIGUSR1);
    program_logs(program, " I STATISTICS: left to right: *5 byte(s)");
    program_logs(program, " I STATISTICS: right to left: *5 byte(s)");
    program_send(program, "67890");
    program_outputs(program, "67890");
}

static void statistics_are_shown_at_the_end_when_asked_for(void **state)
{
    const char *const arguments[] = {"--statistics", "-", "PIPE", NULL};
    struct program *program = program_launch(*state, &(struct launch){.arguments = arguments});

    program_send(program, "12345");
    program_outputs(program, "12345");
    program_end_input(program);
    program_ends_logging(program, 0, " I STATISTICS: left to right: *5 byte(s)");
    assert_true(program_has_logged(program, " I STATISTICS: right to left: *5 byte(s)"));
}

/* The signal SIGXFSZ would end it without a word. */
static void limit_file_sizes(struct program *program, rlim_t bytes)
{
    const struct rlimit limit = {bytes, bytes};
    assert_int_equal(prlimit(program_pid(program), RLIMIT_FSIZE, &limit, NULL), 0);
}

static void a_limit_of_file_sizes_is_an_error_like_a_full_disk(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(
        harness, "-d", "-d", "-u", "-", text(harness, "CREATE:%s", path(harness, "limited")), NULL);
    program_logs(program, TRANSFER);
    limit_file_sizes(program, 4);
    program_send(program, "123456789");
    program_ends_logging(program, 1, " E cannot write to *File too large");
    assert_string_equal(file_read(harness, path(harness, "limited")), "1234");
}

static void a_limit_of_file_sizes_ends_no_session_that_is_recorded(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "-r", path(harness, "dump"), "-", "PIPE", NULL);
    program_logs(program, TRANSFER);
    limit_file_sizes(program, 4);
    program_send(program, "123456789");
    program_logs(program, " W option -r: write(*File too large");
    program_outputs(program, "123456789");
    program_end_input(program);
    program_ends(program, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(sigterm_ends_it_while_it_opens_a_fifo),
        SYSTEM_TEST(sigterm_ends_it_while_it_listens),
        SYSTEM_TEST(sigterm_ends_it_while_it_listens_with_fork),
        SYSTEM_TEST(sigterm_ends_it_while_it_connects),
        SYSTEM_TEST(sigterm_ends_it_while_it_waits_for_the_next_try),
        SYSTEM_TEST(sigterm_ends_it_while_it_relays),
        SYSTEM_TEST(sigterm_ends_it_in_the_middle_of_an_endless_stream),
        SYSTEM_TEST(sigusr1_is_heard_in_the_middle_of_an_endless_stream),
        SYSTEM_TEST(sigterm_ends_it_while_its_sink_is_full),
        SYSTEM_TEST(sigterm_ends_it_while_its_standard_output_is_full),
        SYSTEM_TEST(sigterm_ends_it_while_a_fifo_is_full),
        SYSTEM_TEST(sigterm_ends_it_while_it_waits_for_a_lock),
        SYSTEM_TEST(a_signal_that_is_ignored_at_the_start_ends_it_all_the_same),
        SYSTEM_TEST(sigterm_leaves_no_fifo_behind),
        SYSTEM_TEST(each_ending_signal_is_said_and_gives_128_and_its_number),
        SYSTEM_TEST(a_signal_that_is_not_in_the_mask_keeps_its_default_action),
        SYSTEM_TEST(signals_that_never_stop_hold_up_neither_data_nor_time),
        SYSTEM_TEST(sigusr1_shows_statistics_and_the_relay_goes_on),
        SYSTEM_TEST(statistics_are_shown_at_the_end_when_asked_for),
        SYSTEM_TEST(a_limit_of_file_sizes_is_an_error_like_a_full_disk),
        SYSTEM_TEST(a_limit_of_file_sizes_ends_no_session_that_is_recorded),
    };
    return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
