#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define MEBIBYTE ((size_t)1 << 20)

static void relay_both_ways(struct harness *harness, const char *host, size_t length)
{
    struct bridge bridge = bridge_open(harness, host, "10", "", "");
    struct flow flows[] = {
        {.write_fd = bridge.client, .read_fd = bridge.server, .seed = 1, .length = length},
        {.write_fd = bridge.server, .read_fd = bridge.client, .seed = 2, .length = length},
    };

    flows_run(harness, flows, 2);
    program_ends(bridge.program, 0);
}

static void relays_64_mib_both_ways_at_once_over_tcp(void **state)
{
    relay_both_ways(*state, LOOPBACK, 64 * MEBIBYTE);
}

static void relays_both_ways_over_ipv6(void **state)
{
    if (!peer_has_ipv6())
        skip_because("there is no IPv6");
    relay_both_ways(*state, "::1", 4 * MEBIBYTE);
}

static void relay_after_half_close(struct harness *harness, bool client_first)
{
    struct bridge bridge = bridge_open(harness, LOOPBACK, "10", "", "");
    int first = client_first ? bridge.client : bridge.server;
    int second = client_first ? bridge.server : bridge.client;
    struct flow flow = {.write_fd = second, .read_fd = first, .seed = 3, .length = 4 * MEBIBYTE};

    peer_send(harness, first, "question");
    peer_end(first);
    peer_receives(harness, second, "question");
    peer_receives_end(harness, second);
    flows_run(harness, &flow, 1);
    program_ends(bridge.program, 0);
}

static void passes_on_the_clients_end_and_still_relays_the_answer(void **state)
{
    relay_after_half_close(*state, true);
}

static void passes_on_the_servers_end_and_still_relays_the_answer(void **state)
{
    relay_after_half_close(*state, false);
}

static void relays_empty_streams(void **state)
{
    relay_both_ways(*state, LOOPBACK, 0);
}

static void a_peer_that_does_not_read_does_not_stop_the_other_direction(void **state)
{
    struct harness *harness = *state;
    struct bridge bridge = bridge_open(harness, LOOPBACK, "10", "", "");
    struct flow flows[] = {
        {.write_fd = bridge.client, .read_fd = bridge.server, .seed = 4, .length = 64 * MEBIBYTE},
        {.write_fd = bridge.server, .read_fd = bridge.client, .seed = 5, .length = 4 * MEBIBYTE},
    };

    flow_push(harness, &flows[0]);
    flows_run(harness, &flows[1], 1);
    flows_run(harness, &flows[0], 1);
    program_ends(bridge.program, 0);
}

static void a_full_sink_does_not_make_the_program_use_the_processor(void **state)
{
    struct harness *harness = *state;
    struct bridge bridge = bridge_open(harness, LOOPBACK, "10", "", "");
    struct flow flow = {
        .write_fd = bridge.client, .read_fd = bridge.server, .seed = 6, .length = 64 * MEBIBYTE};
    long long before;

    while (flow_push(harness, &flow) > 0)
        continue;
    before = process_ticks(program_pid(bridge.program));
    assert_int_equal(flow_push(harness, &flow), 0);
    assert_true(process_ticks(program_pid(bridge.program)) - before <= 2);
}

/* The pipe is full of what nobody will read. */
static void an_echo_ends_with_a_peer_that_resets_its_connection_under_load(void **state)
{
    struct harness *harness = *state;
    const char *const echoes[] = {"PIPE", "SOCKETPAIR", "SOCKETPAIR,socktype=1"};

    for (size_t i = 0; i < 3; i++) {
        struct program *program =
            program_start(harness, "-d", "-d", "TCP4-LISTEN:0,bind=" LOOPBACK, echoes[i], NULL);
        int client = peer_connect(harness, LOOPBACK, program_port(program));
        struct flow flow = {
            .write_fd = client, .read_fd = client, .seed = 15, .length = 64 * MEBIBYTE};
        flow_push(harness, &flow);
        peer_reset(harness, client);
        program_ends_logging(program, 1, " N socket 2 to socket 1 is in error");
    }
}

static void a_reader_of_small_pieces_gets_everything(void **state)
{
    struct harness *harness = *state;
    struct bridge bridge = bridge_open(harness, LOOPBACK, "10", "", "");
    struct flow flow = {.write_fd = bridge.client,
                        .read_fd = bridge.server,
                        .seed = 7,
                        .length = 4 * MEBIBYTE,
                        .piece = 99};

    while (flow_push(harness, &flow) > 0)
        continue;
    flows_run(harness, &flow, 1);
    peer_end(bridge.server);
    program_ends(bridge.program, 0);
}

/* Standard output is a pipe that blocks and that nobody reads for a while. */
static void a_full_standard_output_does_not_stop_the_other_direction(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program = program_start(harness, "-t", "10", "STDIO",
                                            text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    int server = peer_accept(harness, listener);
    struct flow flows[] = {
        {.write_fd = server, .seed = 13, .length = 16 * MEBIBYTE},
        {.read_fd = server, .seed = 14, .length = 4 * MEBIBYTE, .write_closes = true},
    };

    flows[0].read_fd = program_take_output(program);
    flows[1].write_fd = program_take_input(program);
    while (flow_push(harness, &flows[0]) > 0)
        continue;
    flows_run(harness, &flows[1], 1);
    flows_run(harness, &flows[0], 1);
    program_ends(program, 0);
}

/* The sink takes 64 KiB and then nothing for longer than the closing timeout. */
static void late_reader(struct harness *harness, const char *option)
{
    struct program *program =
        program_start(harness, "-d", "-d", "-t", "0.1", "-b", "150000",
                      text(harness, "TCP4-LISTEN:0,bind=" LOOPBACK "%s", option), "STDIO", NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(program));
    struct flow flow = {.write_fd = client, .seed = 11, .length = 140000};
    struct pollfd nothing = {-1, 0, 0};

    flow.read_fd = program_take_output(program);
    while (flow_push(harness, &flow) > 0)
        continue;
    poll(&nothing, 1, 500);
    flows_run(harness, &flow, 1);
    program_ends(program, 0);
}

static void a_late_reader_gets_what_was_sent_before_the_end(void **state)
{
    late_reader(*state, "");
}

static void a_late_reader_gets_what_is_buffered_at_the_end(void **state)
{
    late_reader(*state, ",escape=256");
}

/* The kernel moves bytes straight from a socket to a pipe, so that those which a full pipe does not
 * take are still with the socket. */
static void a_reader_may_pause_for_longer_than_the_closing_timeout(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program = program_start(harness, "-d", "-d", "-t", "0.1", "-",
                                            text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    int server = peer_accept(harness, listener);
    struct flow flow = {.write_fd = server,
                        .read_fd = program_take_output(program),
                        .seed = 1,
                        .length = 32 * MEBIBYTE};
    program_logs(program, " N starting data transfer loop");
    program_end_input(program);
    peer_receives_end(harness, server);
    /* Nothing is taken any more for longer than the closing timeout. */
    flow_push_for(harness, &flow, 400);
    flows_run(harness, &flow, 1);
    program_ends(program, 0);
}

/* The whole stream has been read when the closing timeout of zero begins. */
static void a_closing_timeout_of_zero_loses_nothing_that_was_read(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-t", "0", "-", text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    struct flow flow = {.seed = 12, .length = MEBIBYTE, .write_closes = true};

    flow.write_fd = program_take_input(program);
    flow.read_fd = peer_accept(harness, listener);
    flows_run(harness, &flow, 1);
    program_ends(program, 0);
}

/* Each row: two addresses with "%s" for files; what is relayed must come out unchanged whichever
 * way the program moves it. */
static const char *const routes[][2] = {
    {"OPEN:%s/in", "CREATE:%s/out"},
    {"OPEN:%s/in,readbytes=3000000", "CREATE:%s/out"},
    {"OPEN:%s/in,escape=256", "OPEN:%s/out,creat,append"},
    {"OPEN:%s/in", "GOPEN:%s/out"},
};

static void copies_files_by_every_route(void **state)
{
    struct harness *harness = *state;
    const size_t length = 3000000;
    char *content = memory(harness, length + 1);

    for (size_t i = 0; i < length; i++)
        content[i] = (char)('a' + (i * i / 7) % 26);
    content[length] = '\0';
    file_write(harness, path(harness, "in"), content);
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        unlink(path(harness, "out"));
        program_ends(program_start(harness, "-u",
                                   with_path(harness, routes[i][0], path(harness, ".")),
                                   with_path(harness, routes[i][1], path(harness, ".")), NULL),
                     0);
        assert_string_equal(file_read(harness, path(harness, "out")), content);
    }
}

/* A descriptor from which the data can be read, and then the end. */
static int complete_input(struct harness *harness, const char *data)
{
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    harness_keep(harness, fds[0]);
    peer_send(harness, fds[1], data);
    close(fds[1]);
    return fds[0];
}

static void takes_input_that_was_complete_before_the_start(void **state)
{
    struct harness *harness = *state;
    const char *out = path(harness, "out");
    const char *const sinks[] = {"OPEN:%s,creat", "OPEN:%s,creat,append", "CREATE:%s",
                                 "CREATE:%s,crnl"};

    for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++) {
        const char *const arguments[] = {"-u", "-", with_path(harness, sinks[i], out), NULL};
        struct launch launch = {.arguments = arguments, .in = complete_input(harness, "data")};
        unlink(out);
        program_ends(program_launch(harness, &launch), 0);
        assert_string_equal(file_read(harness, out), "data");
    }
}

static void takes_input_for_two_ways_that_was_complete_before_the_start(void **state)
{
    struct harness *harness = *state;
    const char *const others[] = {"PIPE", "SOCKETPAIR,socktype=1"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const char *const arguments[] = {"-t", "1000", "-", others[i], NULL};
        struct launch launch = {.arguments = arguments, .in = complete_input(harness, "data")};
        struct program *program = program_launch(harness, &launch);
        program_outputs(program, "data");
        program_ends(program, 0);
    }
}

static void runs_with_closed_standard_streams(void **state)
{
    struct harness *harness = *state;
    const char *in = path(harness, "in");
    const char *out = path(harness, "out");
    const char *const arguments[] = {"-u", in, text(harness, "CREATE:%s", out), NULL};
    struct launch launch = {.arguments = arguments, .in = STREAM_CLOSED, .out = STREAM_CLOSED};

    file_write(harness, in, "content");
    program_ends(program_launch(harness, &launch), 0);
    assert_string_equal(file_read(harness, out), "content");
}

static void relays_descriptors_beyond_the_reach_of_select(void **state)
{
    struct harness *harness = *state;
    const int numbers[] = {1023, 1024, 1025, 2000};

    if (!process_may_open(2048))
        skip_because("a process may not open 2048 files");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const char *const arguments[] = {"-", text(harness, "FD:%d", numbers[i]), NULL};
        struct launch launch = {.arguments = arguments, .extra_number = numbers[i]};
        struct program *program;
        int pair[2];
        peer_pair(harness, pair);
        launch.extra = pair[1];
        program = program_launch(harness, &launch);
        program_send(program, "there");
        peer_receives(harness, pair[0], "there");
        peer_send(harness, pair[0], "back");
        program_outputs(program, "back");
    }
}

static void each_byte_of_a_slow_writer_is_passed_on_at_once(void **state)
{
    struct harness *harness = *state;
    struct bridge bridge = bridge_open(harness, LOOPBACK, "10", "", "");

    for (char letter = 'a'; letter <= 'z'; letter++) {
        char message[2] = {letter, '\0'};
        peer_send(harness, bridge.client, message);
        peer_receives(harness, bridge.server, message);
        peer_send(harness, bridge.server, message);
        peer_receives(harness, bridge.client, message);
    }
}

/* From standard input to standard output, by way of an address that gives back what it gets. */
static void echo(struct harness *harness, const char *address, const char *block, size_t length)
{
    struct program *program = program_start(harness, "-t", "10", "-b", block, "-", address, NULL);
    struct flow flow = {.seed = 9, .length = length, .write_closes = true};

    flow.write_fd = program_take_input(program);
    flow.read_fd = program_take_output(program);
    flows_run(harness, &flow, 1);
    program_ends(program, 0);
}

static void echoes_from_standard_input_to_standard_output(void **state)
{
    echo(*state, "PIPE", "8192", 4 * MEBIBYTE);
}

static void echoes_through_a_socketpair_of_streams(void **state)
{
    echo(*state, "SOCKETPAIR,socktype=1", "8192", 4 * MEBIBYTE);
}

/* It has no end of its own: the program is ended by the closing timeout. */
static void echoes_through_a_socketpair_of_datagrams(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-t", "1", "-", "SOCKETPAIR", NULL);
    struct flow flow = {.seed = 9, .length = 4 * MEBIBYTE, .open_end = true};

    flow.write_fd = program_take_input(program);
    flow.read_fd = program_take_output(program);
    flows_run(harness, &flow, 1);
    harness_close(harness, flow.write_fd);
    program_ends(program, 0);
}

static void relays_in_blocks_of_one_byte(void **state)
{
    echo(*state, "PIPE", "1", 4096);
}

/* The pipe has one page, and nobody reads it; all that comes is delivered. */
static void a_full_sink_does_not_hide_the_end_of_the_input(void **state)
{
    struct program *program =
        program_start(*state, "-d", "-d", "-d", "-u", "STDIO", "PIPE,f-setpipe-sz=4096", NULL);

    program_logs(program, " N starting data transfer loop");
    program_send(program, "all");
    program_logs(program, " I transferred 3 bytes from");
    program_end_input(program);
    program_ends(program, 0);
}

static void relays_in_blocks_that_are_larger_than_a_pipe(void **state)
{
    echo(*state, "PIPE", "1000000", 8 * MEBIBYTE);
}

static void relays_in_one_direction_only(void **state)
{
    struct harness *harness = *state;
    const char *in = path(harness, "in");
    struct program *program;

    file_write(harness, in, "one way");
    program = program_start(harness, "-u", in, "STDOUT", NULL);
    program_outputs(program, "one way");
    program_ends(program, 0);
    program = program_start(harness, "-U", "STDOUT", in, NULL);
    program_outputs(program, "one way");
    program_ends(program, 0);
}

static void reports_a_peer_that_resets_its_connection(void **state)
{
    struct harness *harness = *state;
    struct bridge bridge = bridge_open(harness, LOOPBACK, "10", "", "");

    peer_send(harness, bridge.client, "x");
    peer_receives(harness, bridge.server, "x");
    peer_reset(harness, bridge.client);
    program_ends_logging(bridge.program, 1,
                         " E cannot read from *: Connection reset by peer [read(");
    peer_receives_end(harness, bridge.server);
}

static void reports_a_reset_while_it_has_data_for_the_peer(void **state)
{
    struct harness *harness = *state;
    struct bridge bridge = bridge_open(harness, LOOPBACK, "10", "", "");
    struct flow flow = {
        .write_fd = bridge.client, .read_fd = bridge.server, .seed = 10, .length = 64 * MEBIBYTE};

    flow_push(harness, &flow);
    peer_reset(harness, bridge.server);
    program_ends_logging(bridge.program, 1, " E *: Connection reset by peer");
}

/* Each row: a source whose data goes to the peer in one way or another. */
static const char *const sources[] = {"-", "-,escape=256", "/dev/zero"};

static void reports_a_peer_that_resets_its_connection_as_a_failed_write(void **state)
{
    struct harness *harness = *state;

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        unsigned port;
        int listener = peer_listen(harness, LOOPBACK, &port);
        struct program *program = program_start(harness, "-u", sources[i],
                                                text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
        struct flow flow = {.write_fd = program_take_input(program), .length = 64 * MEBIBYTE};
        int server = peer_accept(harness, listener);
        flow.read_fd = server;
        while (flow_push(harness, &flow) > 0)
            continue;
        peer_reset(harness, server);
        program_ends_logging(program, 1, " E cannot write to *: Connection reset by peer [write(");
    }
}

static void reports_a_full_disk(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-u", "-", "OPEN:/dev/full", NULL);

    program_send(program, "too much");
    program_ends_logging(program, 1, " E cannot write to *: No space left on device [write(");
}

static void reports_a_full_disk_when_splicing_from_a_socket(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", "-u",
                                            "TCP4-LISTEN:0,bind=" LOOPBACK, "OPEN:/dev/full", NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(program));

    peer_send(harness, client, "too much");
    program_ends_logging(program, 1, " E cannot write to *: No space left on device [write(");
}

static void reports_an_output_that_nobody_reads(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-u", "-", "STDOUT", NULL);

    harness_close(harness, program_take_output(program));
    program_send(program, "lost");
    program_ends_logging(program, 1, " E cannot write to *: Broken pipe [write(");
}

static void reports_an_output_that_is_closed(void **state)
{
    const char *const arguments[] = {"-u", "-", "STDOUT", NULL};
    struct program *program =
        program_launch(*state, &(struct launch){.arguments = arguments, .out = STREAM_CLOSED});

    program_send(program, "lost");
    program_ends_logging(program, 1, " E ");
}

static void cool_write_makes_a_peer_that_is_gone_an_ordinary_end(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-u", "-", "STDOUT,cool-write", NULL);

    harness_close(harness, program_take_output(program));
    program_send(program, "lost");
    program_ends(program, 0);
    assert_false(program_has_logged(program, " E "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(relays_64_mib_both_ways_at_once_over_tcp),
        SYSTEM_TEST(relays_both_ways_over_ipv6),
        SYSTEM_TEST(passes_on_the_clients_end_and_still_relays_the_answer),
        SYSTEM_TEST(passes_on_the_servers_end_and_still_relays_the_answer),
        SYSTEM_TEST(relays_empty_streams),
        SYSTEM_TEST(a_peer_that_does_not_read_does_not_stop_the_other_direction),
        SYSTEM_TEST(a_full_sink_does_not_make_the_program_use_the_processor),
        SYSTEM_TEST(an_echo_ends_with_a_peer_that_resets_its_connection_under_load),
        SYSTEM_TEST(a_reader_of_small_pieces_gets_everything),
        SYSTEM_TEST(a_full_standard_output_does_not_stop_the_other_direction),
        SYSTEM_TEST(a_late_reader_gets_what_was_sent_before_the_end),
        SYSTEM_TEST(a_late_reader_gets_what_is_buffered_at_the_end),
        SYSTEM_TEST(a_reader_may_pause_for_longer_than_the_closing_timeout),
        SYSTEM_TEST(a_closing_timeout_of_zero_loses_nothing_that_was_read),
        SYSTEM_TEST(copies_files_by_every_route),
        SYSTEM_TEST(takes_input_that_was_complete_before_the_start),
        SYSTEM_TEST(takes_input_for_two_ways_that_was_complete_before_the_start),
        SYSTEM_TEST(runs_with_closed_standard_streams),
        SYSTEM_TEST(relays_descriptors_beyond_the_reach_of_select),
        SYSTEM_TEST(each_byte_of_a_slow_writer_is_passed_on_at_once),
        SYSTEM_TEST(echoes_from_standard_input_to_standard_output),
        SYSTEM_TEST(echoes_through_a_socketpair_of_streams),
        SYSTEM_TEST(echoes_through_a_socketpair_of_datagrams),
        SYSTEM_TEST(relays_in_blocks_of_one_byte),
        SYSTEM_TEST(a_full_sink_does_not_hide_the_end_of_the_input),
        SYSTEM_TEST(relays_in_blocks_that_are_larger_than_a_pipe),
        SYSTEM_TEST(relays_in_one_direction_only),
        SYSTEM_TEST(reports_a_peer_that_resets_its_connection),
        SYSTEM_TEST(reports_a_reset_while_it_has_data_for_the_peer),
        SYSTEM_TEST(reports_a_peer_that_resets_its_connection_as_a_failed_write),
        SYSTEM_TEST(reports_a_full_disk),
        SYSTEM_TEST(reports_a_full_disk_when_splicing_from_a_socket),
        SYSTEM_TEST(reports_an_output_that_nobody_reads),
        SYSTEM_TEST(reports_an_output_that_is_closed),
        SYSTEM_TEST(cool_write_makes_a_peer_that_is_gone_an_ordinary_end),
    };
    return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
