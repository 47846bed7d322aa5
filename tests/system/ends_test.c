/* How a session ends: closing and inactivity, the shut-* options, and options that end or change a
 * stream. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static void ends_when_both_sides_have_ended(void **state)
{
    struct program *program = program_start(*state, "-d", "-d", "-t", "1000", "-", "PIPE", NULL);

    program_send(program, "last words");
    program_end_input(program);
    program_outputs(program, "last words");
    program_ends_logging(program, 0, " N exiting with status 0");
    assert_true(program_has_logged(program, " N socket 1 (fd 0) is at EOF"));
}

static void the_closing_timeout_cuts_an_idle_peer_without_a_warning(void **state)
{
    struct harness *harness = *state;
    struct bridge bridge = bridge_open(harness, LOOPBACK, "0.2", "", "");
    long long began = milliseconds();

    peer_end(bridge.client);
    peer_receives_end(harness, bridge.server);
    program_ends(bridge.program, 0);
    assert_true(milliseconds() - began >= 190);
    assert_false(program_has_logged(bridge.program, " W "));
    peer_receives_end(harness, bridge.client);
}

static void the_closing_timeout_starts_anew_with_each_byte(void **state)
{
    struct harness *harness = *state;
    struct bridge bridge = bridge_open(harness, LOOPBACK, "0.8", "", "");

    peer_end(bridge.client);
    peer_receives_end(harness, bridge.server);
    for (int i = 0; i < 5; i++) {
        struct pollfd silent = {bridge.client, POLLIN, 0};
        assert_int_equal(poll(&silent, 1, 200), 0);
        peer_send(harness, bridge.server, "x");
        peer_receives(harness, bridge.client, "x");
    }
    peer_end(bridge.server);
    program_ends(bridge.program, 0);
}

static void sequenced_packets_come_to_their_end(void **state)
{
    struct program *program =
        program_start(*state, "-t", "1000", "-", "SOCKETPAIR,socktype=5", NULL);

    program_send(program, "packet");
    program_outputs(program, "packet");
    program_end_input(program);
    program_ends(program, 0);
}

static void the_end_of_udp_tells_the_listener(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "[::1]"};
    for (size_t i = 0; i < (peer_has_ipv6() ? 2U : 1U); i++) {
        struct program *listener = program_start(
            *state, "-d", "-d", "-u",
            text(*state, "UDP%d-LISTEN:0,bind=%s", i == 0 ? 4 : 6, hosts[i]), "-", NULL);
        const char *address = text(*state, "UDP:%s:%u", hosts[i], program_port(listener));
        struct program *client = program_start(*state, "-u", "-", address, NULL);
        program_send(client, "packet");
        program_outputs(listener, "packet");
        program_end_input(client);
        program_ends(client, 0);
        program_ends(listener, 0);
    }
}

/* Its user has left much unread. */
static void a_session_ends_when_both_its_client_and_its_terminals_user_have_gone(void **state)
{
    struct harness *harness = *state;
    const char *link = path(harness, "line");
    struct program *program =
        program_start(harness, "-d", "-d", "-T", "600", "TCP4-LISTEN:0,fork,bind=" LOOPBACK,
                      text(harness, "PTY,rawer,link=%s", link), NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(program));
    program_logs(program, " N starting data transfer loop");
    int user = open(link, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(user >= 0);
    flow_push(harness, &(struct flow){.write_fd = client, .seed = 1, .length = 100000});
    peer_end(client);
    close(user);
    process_awaits_children(harness, program_pid(program), 0);
    harness_close(harness, client);
}

static void an_idle_session_ends_after_the_inactivity_timeout(void **state)
{
    struct harness *harness = *state;
    long long began = milliseconds();
    struct program *program = program_start(harness, "-d", "-d", "-T", "0.2", "-", "PIPE", NULL);

    program_ends_logging(program, 0, " N inactivity timeout triggered");
    assert_true(milliseconds() - began >= 200);
}

static void a_tiny_inactivity_timeout_ends_the_program_right_after_opening(void **state)
{
    struct program *program =
        program_start(*state, "-d", "-d", "-T", "0.000001", "-", "PIPE", NULL);

    program_ends_logging(program, 0, " N starting data transfer loop");
}

static void one_direction_ends_at_once_with_its_source(void **state)
{
    struct harness *harness = *state;
    long long began = milliseconds();
    struct program *program = program_start(harness, "-t", "1000", "-u", "-", "STDOUT", NULL);

    program_send(program, "x");
    program_end_input(program);
    program_outputs(program, "x");
    program_ends(program, 0);
    assert_true(milliseconds() - began < PATIENCE / 2);
}

static void readbytes_ends_the_stream_after_so_many_bytes(void **state)
{
    struct program *program = program_start(*state, "-u", "-,readbytes=5", "STDOUT", NULL);

    program_send(program, "12345678");
    program_outputs(program, "12345");
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "12345");
}

static void readbytes_of_zero_is_no_limit(void **state)
{
    struct program *program = program_start(*state, "-u", "-,readbytes=0", "STDOUT", NULL);

    program_send(program, "12345678");
    program_end_input(program);
    program_outputs(program, "12345678");
    program_ends(program, 0);
}

static void readbytes_leaves_the_rest_of_a_file_to_others(void **state)
{
    struct harness *harness = *state;
    const char *in = path(harness, "in");
    struct program *program;

    file_write(harness, in, "first second");
    program = program_start(harness, "-u", text(harness, "%s,readbytes=6", in), "STDOUT", NULL);
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "first ");
}

static void escape_ends_the_stream_before_its_character(void **state)
{
    struct program *program = program_start(*state, "-u", "-,escape=0x1d", "STDOUT", NULL);

    program_send(program, "before\035after");
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "before");
}

static void escape_lets_the_answer_come_in(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program = program_start(harness, "-t", "10", "-,escape=1",
                                            text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    int server = peer_accept(harness, listener);

    program_send(program, "question\001");
    peer_receives(harness, server, "question");
    peer_receives_end(harness, server);
    peer_send(harness, server, "answer");
    harness_close(harness, server);
    program_outputs(program, "answer");
    program_ends(program, 0);
}

static void ignoreeof_goes_on_to_read_what_is_appended(void **state)
{
    struct harness *harness = *state;
    const char *in = path(harness, "in");
    struct program *program;

    file_write(harness, in, "one ");
    program = program_start(harness, "-u", text(harness, "OPEN:%s,ignoreeof", in), "STDOUT", NULL);
    program_outputs(program, "one ");
    file_append(harness, in, "two");
    program_outputs(program, "two");
}

/* Each row: what happens to one text between two addresses. */
static const struct {
    const char *from;
    const char *to;
    const char *in;
    const char *out;
} conversions[] = {
    {"-", "STDOUT,crnl", "a\nb\n", "a\r\nb\r\n"},
    {"-", "STDOUT,crlf", "a\r\nb", "a\r\r\nb"},
    {"-,crnl", "STDOUT", "a\r\nb\rc\n", "a\nbc\n"},
    {"-", "STDOUT,cr", "a\nb\n", "a\rb\r"},
    {"-,cr", "STDOUT", "a\rb\r", "a\nb\n"},
    {"-,cr", "STDOUT,crnl", "a\rb\r", "a\r\nb\r\n"},
    {"-,crnl", "STDOUT,cr", "a\r\nb\r\n", "a\rb\r"},
    {"-,crnl", "STDOUT,crnl", "a\r\nb\n", "a\r\nb\n"},
    {"-,cr", "STDOUT,cr", "a\rb\n", "a\rb\n"},
    {"-", "STDOUT,cr,crnl", "a\n", "a\r\n"},
    {"-", "STDOUT,crnl,cr", "a\n", "a\r"},
    {"-", "STDOUT", "a\r\nb\n", "a\r\nb\n"},
};

static void line_ends_are_converted_between_the_addresses(void **state)
{
    for (size_t i = 0; i < sizeof(conversions) / sizeof(conversions[0]); i++) {
        struct program *program =
            program_start(*state, "-u", conversions[i].from, conversions[i].to, NULL);
        program_send(program, conversions[i].in);
        program_end_input(program);
        program_ends(program, 0);
        assert_string_equal(program_output(program, NULL), conversions[i].out);
    }
}

static void line_ends_are_converted_in_both_directions(void **state)
{
    struct harness *harness = *state;
    struct bridge bridge = bridge_open(harness, LOOPBACK, "10", "crnl", "");

    peer_send(harness, bridge.client, "to\r\n");
    peer_receives(harness, bridge.server, "to\n");
    peer_send(harness, bridge.server, "from\n");
    peer_receives(harness, bridge.client, "from\r\n");
}

/* The program between its standard streams and one end of a pair of sockets, descriptor 3. */
static struct program *start_on_pair(struct harness *harness, const char *options, int *ours)
{
    const char *const arguments[] = {"-d", "-d", "-t", "10", "-", text(harness, "FD:3,%s", options),
                                     NULL};
    struct program *program;
    int pair[2];

    peer_pair(harness, pair);
    program = program_launch(harness, &(struct launch){.arguments = arguments, .extra = pair[1]});
    harness_close(harness, pair[1]);
    *ours = pair[0];
    program_send(program, "x");
    peer_receives(harness, *ours, "x");
    return program;
}

static void an_inherited_descriptor_is_not_shut_down_at_the_end_of_input(void **state)
{
    struct harness *harness = *state;
    int ours;
    struct program *program = start_on_pair(harness, "", &ours);

    program_end_input(program);
    program_logs(program, " N socket 1 (fd 0) is at EOF");
    peer_send(harness, ours, "y");
    program_outputs(program, "y");
    assert_true(peer_is_silent(ours));
    peer_end(ours);
    program_ends(program, 0);
}

static void shut_down_ends_the_stream_of_an_inherited_descriptor(void **state)
{
    struct harness *harness = *state;
    int ours;
    struct program *program = start_on_pair(harness, "shut-down", &ours);

    program_end_input(program);
    peer_receives_end(harness, ours);
    peer_send(harness, ours, "y");
    program_outputs(program, "y");
    peer_end(ours);
    program_ends(program, 0);
}

static struct program *start_client(struct harness *harness, const char *options, int *server)
{
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-d", "-d", "-t", "10", "-",
                      text(harness, "TCP4:" LOOPBACK ":%u,%s", port, options), NULL);

    *server = peer_accept(harness, listener);
    return program;
}

static void shut_none_does_not_tell_a_peer_that_the_input_has_ended(void **state)
{
    struct harness *harness = *state;
    int server;
    struct program *program = start_client(harness, "shut-none", &server);

    program_end_input(program);
    program_logs(program, " N socket 1 (fd 0) is at EOF");
    peer_send(harness, server, "y");
    program_outputs(program, "y");
    assert_true(peer_is_silent(server));
    peer_end(server);
    program_ends(program, 0);
}

static void shut_close_closes_the_whole_connection_at_the_end_of_input(void **state)
{
    struct harness *harness = *state;
    int server;
    struct program *program = start_client(harness, "shut-close", &server);

    program_send(program, "x");
    peer_receives(harness, server, "x");
    program_end_input(program);
    peer_receives_end(harness, server);
    program_ends(program, 0);
}

static void end_close_ends_a_session_as_well(void **state)
{
    struct harness *harness = *state;
    int server;
    struct program *program = start_client(harness, "end-close", &server);

    program_send(program, "x");
    program_end_input(program);
    peer_receives(harness, server, "x");
    peer_receives_end(harness, server);
    peer_end(server);
    program_ends(program, 0);
}

/* From a TCP server to standard output. */
static struct program *start_to_output(struct harness *harness, int *server)
{
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-u", text(harness, "TCP4:" LOOPBACK ":%u", port), "STDOUT", NULL);
    *server = peer_accept(harness, listener);
    return program;
}

/* There is nothing to write that could fail. */
static void output_that_nobody_reads_is_no_error_when_the_input_ends(void **state)
{
    struct harness *harness = *state;
    int server;
    struct program *program = start_to_output(harness, &server);

    peer_send(harness, server, "x");
    program_outputs(program, "x");
    harness_close(harness, program_take_output(program));
    harness_close(harness, server);
    program_ends(program, 0);
}

/* While the program is stopped, so that it finds both at once: a reader who leaves before more
 * comes in ends the session in order. */
static void output_that_nobody_reads_is_an_error_when_more_comes_in(void **state)
{
    struct harness *harness = *state;
    int server;
    struct program *program = start_to_output(harness, &server);

    process_rests(harness, program_pid(program));
    program_signal(program, SIGSTOP);
    harness_close(harness, program_take_output(program));
    peer_send(harness, server, "x");
    program_signal(program, SIGCONT);
    program_ends_logging(program, 1, " E cannot write to *: Broken pipe [write(");
}

static void cool_write_takes_a_reset_peer_for_an_ordinary_end(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program = program_start(
        harness, "-u", "-", text(harness, "TCP4:" LOOPBACK ":%u,cool-write", port), NULL);
    struct flow flow = {.write_fd = program_take_input(program),
                        .seed = 1,
                        .length = (size_t)1 << 26,
                        .write_closes = true};
    int server = peer_accept(harness, listener);

    flow.read_fd = server;
    flow_push(harness, &flow);
    peer_reset(harness, server);
    program_ends(program, 0);
    assert_false(program_has_logged(program, " E "));
}

/* A pipe without reader refuses whatever is moved, even nothing. */
static void the_end_of_no_data_is_no_error_where_nobody_reads(void **state)
{
    struct harness *harness = *state;
    const char *const arguments[] = {"-d", "-d", "-u", "FD:3", "STDOUT", NULL};
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    close(out[0]);
    struct program *program = program_launch(
        harness, &(struct launch){.arguments = arguments, .out = out[1], .extra = in[0]});
    close(out[1]);
    close(in[0]);
    program_logs(program, " N starting data transfer loop");
    close(in[1]);
    program_ends(program, 0);
    assert_false(program_has_logged(program, " E "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(ends_when_both_sides_have_ended),
        SYSTEM_TEST(the_closing_timeout_cuts_an_idle_peer_without_a_warning),
        SYSTEM_TEST(the_closing_timeout_starts_anew_with_each_byte),
        SYSTEM_TEST(sequenced_packets_come_to_their_end),
        SYSTEM_TEST(the_end_of_udp_tells_the_listener),
        SYSTEM_TEST(a_session_ends_when_both_its_client_and_its_terminals_user_have_gone),
        SYSTEM_TEST(an_idle_session_ends_after_the_inactivity_timeout),
        SYSTEM_TEST(a_tiny_inactivity_timeout_ends_the_program_right_after_opening),
        SYSTEM_TEST(one_direction_ends_at_once_with_its_source),
        SYSTEM_TEST(readbytes_ends_the_stream_after_so_many_bytes),
        SYSTEM_TEST(readbytes_of_zero_is_no_limit),
        SYSTEM_TEST(readbytes_leaves_the_rest_of_a_file_to_others),
        SYSTEM_TEST(escape_ends_the_stream_before_its_character),
        SYSTEM_TEST(escape_lets_the_answer_come_in),
        SYSTEM_TEST(ignoreeof_goes_on_to_read_what_is_appended),
        SYSTEM_TEST(line_ends_are_converted_between_the_addresses),
        SYSTEM_TEST(line_ends_are_converted_in_both_directions),
        SYSTEM_TEST(an_inherited_descriptor_is_not_shut_down_at_the_end_of_input),
        SYSTEM_TEST(shut_down_ends_the_stream_of_an_inherited_descriptor),
        SYSTEM_TEST(shut_none_does_not_tell_a_peer_that_the_input_has_ended),
        SYSTEM_TEST(shut_close_closes_the_whole_connection_at_the_end_of_input),
        SYSTEM_TEST(end_close_ends_a_session_as_well),
        SYSTEM_TEST(output_that_nobody_reads_is_no_error_when_the_input_ends),
        SYSTEM_TEST(output_that_nobody_reads_is_an_error_when_more_comes_in),
        SYSTEM_TEST(cool_write_takes_a_reset_peer_for_an_ordinary_end),
        SYSTEM_TEST(the_end_of_no_data_is_no_error_where_nobody_reads),
    };
    return cmocka_run_group_tests_name("ends", tests, NULL, NULL);
}
