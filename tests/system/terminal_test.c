/* Terminals as addresses: what options set, and that all is as before at the end. */

#define _GNU_SOURCE
#include "tests/system/peers.h"
#include "tests/system/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TRANSFER " N starting data transfer loop"

static void check_raw(const struct terminal *terminal)
{
    struct termios settings = terminal_settings(terminal);

    assert_int_equal(settings.c_lflag, 0);
    assert_int_equal(settings.c_iflag, 0);
    assert_int_equal(settings.c_oflag, 0);
    assert_int_equal(settings.c_cc[VMIN], 1);
    assert_int_equal(cfgetospeed(&settings), cfgetospeed(&terminal->before));
}

static void end_by(struct program *program, int number)
{
    program_signal(program, number);
    program_ends(program, 128 + number);
}

static void rawer_passes_on_each_key_and_shows_none(void **state)
{
    struct harness *harness = *state;
    struct terminal *terminal = terminal_open(harness);
    const char *file = path(harness, "typed");
    struct program *program = terminal_start(terminal, "-d", "-d", "-u", "-,rawer,escape=1",
                                             text(harness, "CREATE:%s", file), NULL);

    program_logs(program, TRANSFER);
    check_raw(terminal);
    terminal_type(terminal, "a\r\003\x7f\004b\001");
    program_ends(program, 0);
    assert_string_equal(file_read(harness, file), "a\r\003\x7f\004b");
    assert_false(terminal_has_shown(terminal, "a"));
    assert_true(terminal_is_as_before(terminal));
}

static void raw_keeps_the_echo(void **state)
{
    struct terminal *terminal = terminal_open(*state);
    struct program *program =
        terminal_start(terminal, "-d", "-d", "-u", "-,raw", "OPEN:/dev/null", NULL);

    program_logs(program, TRANSFER);
    terminal_type(terminal, "abc");
    terminal_shows(terminal, "abc");
    end_by(program, SIGTERM);
}

static void without_echo_nothing_is_shown_but_lines_are_edited(void **state)
{
    struct harness *harness = *state;
    struct terminal *terminal = terminal_open(harness);
    const char *file = path(harness, "typed");
    struct program *program = terminal_start(terminal, "-d", "-d", "-u", "STDIN,echo=0",
                                             text(harness, "CREATE:%s", file), NULL);

    program_logs(program, TRANSFER);
    terminal_type(terminal, "secrex\x7ft\n\004");
    program_ends(program, 0);
    assert_string_equal(file_read(harness, file), "secret\n");
    assert_false(terminal_has_shown(terminal, "s"));
    assert_true(terminal_is_as_before(terminal));
}

static void what_comes_later_on_the_command_line_wins(void **state)
{
    struct terminal *terminal = terminal_open(*state);
    struct program *program = terminal_start(
        terminal, "-d", "-d", "-,raw,echo=0,opost,icrnl,vmin=3,intr=1", "PIPE", NULL);
    struct termios settings;

    program_logs(program, TRANSFER);
    settings = terminal_settings(terminal);
    assert_false(settings.c_lflag & (ICANON | ECHO | ISIG));
    assert_true(settings.c_oflag & OPOST);
    assert_int_equal(settings.c_iflag & (ICRNL | INLCR | IXON), ICRNL);
    assert_int_equal(settings.c_cc[VMIN], 3);
    assert_int_equal(settings.c_cc[VINTR], 1);
    end_by(program, SIGTERM);
    assert_true(terminal_is_as_before(terminal));
}

/* Each row: an address of the terminal, "%s" being its name. */
static const char *const ways[] = {"-,rawer",  "STDIN,rawer!!STDOUT", "FD:0,rawer", "OPEN:%s,rawer",
                                   "%s,rawer", "FD:3,rawer"};

static void every_way_to_a_terminal_sets_and_restores_it(void **state)
{
    struct harness *harness = *state;

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct terminal *terminal = terminal_open(harness);
        const char *place = strstr(ways[i], "%s");
        const char *address = place == NULL ? ways[i]
                                            : text(harness, "%.*s%s%s", (int)(place - ways[i]),
                                                   ways[i], terminal->name, place + 2);
        const char *const arguments[] = {"-d", "-d", address, "PIPE", NULL};
        struct program *program =
            program_launch(harness, &(struct launch){.arguments = arguments,
                                                     .in = terminal->line,
                                                     .out = terminal->line,
                                                     .extra = terminal->line});
        program_logs(program, TRANSFER);
        check_raw(terminal);
        end_by(program, SIGTERM);
        assert_true(terminal_is_as_before(terminal));
    }
}

static void a_terminal_that_shows_nothing_takes_keys(void **state)
{
    struct harness *harness = *state;
    struct terminal *terminal = terminal_open(harness);
    const char *const arguments[] = {"-d", "-d", "-,rawer", "FD:3", NULL};
    int pair[2];
    peer_pair(harness, pair);
    struct program *program = program_launch(harness, &(struct launch){.arguments = arguments,
                                                                       .in = terminal->line,
                                                                       .out = terminal->line,
                                                                       .extra = pair[1]});
    struct flow flow = {.write_fd = pair[0], .read_fd = pair[0], .seed = 1, .length = 1 << 22};

    program_logs(program, TRANSFER);
    flow_push(harness, &flow);
    terminal_type(terminal, "key");
    peer_receives(harness, pair[0], "key");
}

static void output_may_go_elsewhere_than_to_the_terminal(void **state)
{
    struct harness *harness = *state;
    struct terminal *terminal = terminal_open(harness);
    const char *const arguments[] = {"-d", "-d", "-,rawer,escape=1", "PIPE", NULL};
    struct program *program = program_launch(
        harness,
        &(struct launch){.arguments = arguments, .in = terminal->line, .out = STREAM_PIPE});

    program_logs(program, TRANSFER);
    check_raw(terminal);
    terminal_type(terminal, "key\001");
    program_outputs(program, "key");
    program_ends(program, 0);
    assert_true(terminal_is_as_before(terminal));
}

/* It exits for the first ones, and dies of the others, for which nothing has been arranged. */
static void every_signal_that_ends_it_leaves_the_terminal_as_before(void **state)
{
    static const int numbers[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,  SIGALRM,
                                  SIGUSR2, SIGXCPU, SIGPROF, SIGTRAP,  SIGVTALRM,
                                  SIGIO,   SIGPWR,  SIGSYS,  SIGSTKFLT};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct terminal *terminal = terminal_open(*state);
        struct program *program =
            terminal_start(terminal, "-d", "-d", "-,raw,echo=0,min=5", "PIPE", NULL);

        program_logs(program, TRANSFER);
        assert_false(terminal_is_as_before(terminal));
        program_signal(program, numbers[i]);
        program_ends(program, i < 4 ? 128 + numbers[i] : -numbers[i]);
        assert_true(terminal_is_as_before(terminal));
    }
}

static void two_addresses_on_one_terminal_leave_it_as_before(void **state)
{
    struct terminal *terminal = terminal_open(*state);
    struct program *program =
        terminal_start(terminal, "-d", "-d", "-,raw", "FD:1,opost=0,isig=0,echo=0", NULL);

    program_logs(program, TRANSFER);
    assert_false(terminal_is_as_before(terminal));
    end_by(program, SIGTERM);
    assert_true(terminal_is_as_before(terminal));
}

static void a_failing_second_address_leaves_the_terminal_as_before(void **state)
{
    struct harness *harness = *state;
    struct terminal *terminal = terminal_open(harness);
    unsigned port;
    struct program *program;

    peer_bind(harness, LOOPBACK, &port);
    program =
        terminal_start(terminal, "-,rawer", text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    program_ends_logging(program, 1, "Connection refused");
    assert_true(terminal_is_as_before(terminal));
}

static void a_failing_option_leaves_the_terminal_as_before(void **state)
{
    struct terminal *terminal = terminal_open(*state);
    struct program *program = terminal_start(terminal, "-,rawer,seek-end=-1", "PIPE", NULL);

    program_ends_logging(program, 1, "Illegal seek");
    assert_true(terminal_is_as_before(terminal));
}

/* The children that serve peers have not set the terminal; the parent has. */
static void only_the_process_that_set_the_terminal_restores_it(void **state)
{
    struct terminal *terminal = terminal_open(*state);
    struct program *program =
        terminal_start(terminal, "-d", "-d", "-,rawer", "TCP4-LISTEN:0,fork,bind=" LOOPBACK, NULL);
    unsigned port = program_port(program);
    int client;

    client = peer_connect(*state, LOOPBACK, port);
    peer_send(*state, client, "hello");
    terminal_shows(terminal, "hello");
    harness_close(*state, client);
    process_awaits_children(*state, program_pid(program), 0);
    check_raw(terminal);
    end_by(program, SIGTERM);
    assert_true(terminal_is_as_before(terminal));
}

static void a_terminal_without_options_is_not_touched(void **state)
{
    struct terminal *terminal = terminal_open(*state);
    struct program *program = terminal_start(terminal, "-d", "-d", "-", "PIPE", NULL);
    struct termios other;

    program_logs(program, TRANSFER);
    assert_true(terminal_is_as_before(terminal));
    other = terminal->before;
    other.c_lflag &= ~(tcflag_t)ECHO;
    assert_int_equal(tcsetattr(terminal->line, TCSANOW, &other), 0);
    end_by(program, SIGTERM);
    assert_int_equal(terminal_settings(terminal).c_lflag, other.c_lflag);
}

static void await_size(struct harness *harness, int fd, unsigned short rows, unsigned short columns)
{
    long long deadline = milliseconds() + PATIENCE;
    struct winsize size;

    do {
        assert_int_equal(ioctl(fd, TIOCGWINSZ, &size), 0);
        if (milliseconds() > deadline)
            harness_fail(harness, "window size is %hu,%hu", size.ws_row, size.ws_col);
        poll(NULL, 0, 1);
    } while (size.ws_row != rows || size.ws_col != columns);
}

static void a_pseudo_terminal_gets_the_size_of_the_terminal_and_its_changes(void **state)
{
    struct harness *harness = *state;
    struct terminal *terminal = terminal_open(harness);
    const char *link = path(harness, "link");
    struct program *program =
        terminal_start(terminal, "-d", "-d", text(harness, "PTY,link=%s", link), "-,rawer", NULL);
    int client;

    program_logs(program, TRANSFER);
    client = harness_keep(harness, open(link, O_RDWR | O_NOCTTY | O_CLOEXEC));
    await_size(harness, client, 24, 80);
    terminal_set_size(terminal, 50, 132);
    program_signal(program, SIGWINCH);
    await_size(harness, client, 50, 132);
    end_by(program, SIGTERM);
}

/* Each row: an address of a terminal, and the message that names what is wrong with it. */
static const struct {
    const char *address;
    const char *message;
} mistakes[] = {
    {"-,csize=9", " E option csize: invalid value \"9\""},
    {"-,csize=4", " E option csize: invalid value \"4\""},
    {"-,crdly=4", " E option crdly: invalid value \"4\""},
    {"-,tabdly=77", " E option tabdly: invalid value \"77\""},
    {"-,ispeed=9601", " E option ispeed: invalid value \"9601\""},
    {"-,ospeed=16", " E option ospeed: invalid value \"16\""},
    {"-,vintr=256", " E *vintr=256"},
    {"-,echo=maybe", " E *echo=maybe"},
    {"-,raw=1", " E *raw"},
    {"-,rwa", "did you mean \"raw\""},
    {"-,link=x", " E *\"link\" not supported with this address type"},
    {"-,cs7",
     " E cannot set terminal options cs7: Invalid argument [tcsetattr(0, TCSADRAIN, ...)]"},
};

static void each_mistake_is_named_and_changes_nothing(void **state)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct terminal *terminal = terminal_open(*state);

        program_ends_logging(terminal_start(terminal, mistakes[i].address, "PIPE", NULL), 1,
                             mistakes[i].message);
        assert_true(terminal_is_as_before(terminal));
    }
}

static void what_is_no_terminal_is_refused(void **state)
{
    struct program *program = program_start(*state, "-,echo=0", "PIPE", NULL);

    program_ends_logging(program, 1,
                         " E cannot set terminal option echo: not a terminal [tcgetattr(0, ...)]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(rawer_passes_on_each_key_and_shows_none),
        SYSTEM_TEST(raw_keeps_the_echo),
        SYSTEM_TEST(without_echo_nothing_is_shown_but_lines_are_edited),
        SYSTEM_TEST(what_comes_later_on_the_command_line_wins),
        SYSTEM_TEST(every_way_to_a_terminal_sets_and_restores_it),
        SYSTEM_TEST(a_terminal_that_shows_nothing_takes_keys),
        SYSTEM_TEST(output_may_go_elsewhere_than_to_the_terminal),
        SYSTEM_TEST(every_signal_that_ends_it_leaves_the_terminal_as_before),
        SYSTEM_TEST(two_addresses_on_one_terminal_leave_it_as_before),
        SYSTEM_TEST(a_failing_second_address_leaves_the_terminal_as_before),
        SYSTEM_TEST(a_failing_option_leaves_the_terminal_as_before),
        SYSTEM_TEST(only_the_process_that_set_the_terminal_restores_it),
        SYSTEM_TEST(a_terminal_without_options_is_not_touched),
        SYSTEM_TEST(a_pseudo_terminal_gets_the_size_of_the_terminal_and_its_changes),
        SYSTEM_TEST(each_mistake_is_named_and_changes_nothing),
        SYSTEM_TEST(what_is_no_terminal_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
