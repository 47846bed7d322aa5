#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 200

#define FORKING "TCP4-LISTEN:0,fork,bind=" LOOPBACK

static void connect_all(struct harness *harness, struct flow *flows, unsigned port)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        int fd = peer_connect(harness, LOOPBACK, port);
        flows[i] =
            (struct flow){.write_fd = fd, .read_fd = fd, .seed = i + 1, .length = 20000 + i * 331};
    }
}

static void close_all(struct harness *harness, const struct flow *flows)
{
    for (size_t i = 0; i < CLIENTS; i++)
        harness_close(harness, flows[i].read_fd);
}

static void serves_200_connections_at_once_and_leaves_nothing_behind(void **state)
{
    struct harness *harness = *state;
    struct flow flows[CLIENTS];
    struct program *program =
        program_start(harness, "-d", "-d", "-t", "10", FORKING ",backlog=200", "PIPE", NULL);
    unsigned port = program_port(program);
    size_t descriptors = process_descriptors(program_pid(program));

    for (int round = 0; round < 2; round++) {
        connect_all(harness, flows, port);
        program_awaits_peers(program, CLIENTS);
        flows_run(harness, flows, CLIENTS);
        close_all(harness, flows);
        program_awaits_peers(program, 0);
        process_awaits_descriptors(harness, program_pid(program), descriptors);
    }
    assert_false(program_has_logged(program, " E "));
}

static void clients_that_reset_their_connections_leave_no_child_behind(void **state)
{
    struct harness *harness = *state;
    struct flow flows[CLIENTS];
    struct program *program =
        program_start(harness, "-d", "-d", FORKING ",backlog=200", "PIPE", NULL);
    unsigned port = program_port(program);
    size_t descriptors = process_descriptors(program_pid(program));
    int client;

    connect_all(harness, flows, port);
    for (size_t i = 0; i < CLIENTS; i++) {
        peer_send(harness, flows[i].write_fd, "lost");
        peer_reset(harness, flows[i].write_fd);
    }
    client = peer_connect(harness, LOOPBACK, port);
    peer_send(harness, client, "still here");
    peer_receives(harness, client, "still here");
    harness_close(harness, client);
    program_awaits_peers(program, 0);
    process_awaits_descriptors(harness, program_pid(program), descriptors);
}

static void a_child_that_fails_does_not_disturb_the_listener(void **state)
{
    struct harness *harness = *state;
    unsigned refusing;
    int server = peer_bind(harness, LOOPBACK, &refusing);
    struct program *program = program_start(harness, "-d", "-d", FORKING,
                                            text(harness, "TCP4:" LOOPBACK ":%u", refusing), NULL);
    unsigned port = program_port(program);
    int client = peer_connect(harness, LOOPBACK, port);

    program_logs(program, " E cannot connect to *: Connection refused [connect(");
    peer_receives_end(harness, client);
    assert_int_equal(listen(server, 5), 0);
    client = peer_connect(harness, LOOPBACK, port);
    server = peer_accept(harness, server);
    peer_send(harness, client, "now");
    peer_receives(harness, server, "now");
}

static void children_shutup_makes_their_errors_warnings(void **state)
{
    struct harness *harness = *state;
    unsigned refusing;
    struct program *program;

    peer_bind(harness, LOOPBACK, &refusing);
    program = program_start(harness, "-d", "-d", FORKING ",children-shutup",
                            text(harness, "TCP4:" LOOPBACK ":%u", refusing), NULL);
    peer_receives_end(harness, peer_connect(harness, LOOPBACK, program_port(program)));
    program_logs(program, " W cannot connect to *: Connection refused [connect(");
}

static void accept_timeout_ends_a_forking_listener_when_no_more_peers_come(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", FORKING ",accept-timeout=1", "PIPE", NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(program));

    peer_send(harness, client, "x");
    peer_receives(harness, client, "x");
    peer_end(client);
    peer_receives_end(harness, client);
    program_ends_logging(program, 0, " W accept: Connection timed out");
}

static void lets_no_more_than_max_children_run_at_once(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "-t", "0.1", FORKING ",max-children=2", "PIPE", NULL);
    unsigned port = program_port(program);
    int clients[3];

    for (int i = 0; i < 3; i++) {
        clients[i] = peer_connect(harness, LOOPBACK, port);
        peer_send(harness, clients[i], "hello");
    }
    peer_receives(harness, clients[0], "hello");
    peer_receives(harness, clients[1], "hello");
    program_logs(program, " N maxchildren are active, waiting");
    assert_true(peer_is_silent(clients[2]));
    program_awaits_peers(program, 2);
    harness_close(harness, clients[0]);
    peer_receives(harness, clients[2], "hello");
}

static void children_outlive_a_terminated_parent(void **state)
{
    needs_processes();
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", FORKING, "PIPE", NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(program));

    peer_send(harness, client, "before");
    peer_receives(harness, client, "before");
    program_signal(program, SIGTERM);
    program_ends_logging(program, 143, " W exiting on signal 15");
    peer_send(harness, client, "after");
    peer_receives(harness, client, "after");
    peer_end(client);
    peer_receives_end(harness, client);
}

static void a_child_does_not_remove_what_the_parent_made(void **state)
{
    struct harness *harness = *state;
    const char *lock = path(harness, "lock");
    struct program *program = program_start(harness, "-d", "-d", "-L", lock, FORKING, "PIPE", NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(program));

    peer_send(harness, client, "x");
    peer_receives(harness, client, "x");
    peer_end(client);
    peer_receives_end(harness, client);
    program_awaits_peers(program, 0);
    assert_true(file_exists(lock));
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    assert_false(file_exists(lock));
}

static void each_child_opens_the_second_address_anew(void **state)
{
    struct harness *harness = *state;
    const char *log = path(harness, "log");
    struct program *program = program_start(harness, "-d", "-d", "-u", FORKING,
                                            text(harness, "OPEN:%s,creat,append", log), NULL);
    unsigned port = program_port(program);

    for (int i = 0; i < 3; i++) {
        int client = peer_connect(harness, LOOPBACK, port);
        peer_send(harness, client, "line\n");
        peer_end(client);
        peer_receives_end(harness, client);
    }
    program_awaits_peers(program, 0);
    assert_string_equal(file_read(harness, log), "line\nline\nline\n");
}

/* A file is always ready, and never gone. */
static void one_way_into_a_file_a_peer_that_speaks_late_is_heard(void **state)
{
    struct harness *harness = *state;
    const char *log = path(harness, "log");
    struct program *program = program_start(harness, "-d", "-d", "-u", FORKING,
                                            text(harness, "OPEN:%s,creat,append", log), NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(program));

    program_logs(program, " N starting data transfer loop");
    assert_true(peer_is_silent(client));
    peer_send(harness, client, "late\n");
    peer_end(client);
    peer_receives_end(harness, client);
    program_awaits_peers(program, 0);
    assert_string_equal(file_read(harness, log), "late\n");
}

static void a_connecting_address_with_fork_connects_again_and_again(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);

    program_start(harness, text(harness, "TCP4:" LOOPBACK ":%u,fork,interval=0.01", port), "PIPE",
                  NULL);
    for (int i = 0; i < 3; i++) {
        int server = peer_accept(harness, listener);
        peer_send(harness, server, "echo");
        peer_receives(harness, server, "echo");
    }
}

static void max_children_needs_fork(void **state)
{
    struct program *program =
        program_start(*state, "TCP4-LISTEN:0,max-children=2,bind=" LOOPBACK, "PIPE", NULL);
    program_ends_logging(program, 1, " E option max-children not allowed without option fork");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(serves_200_connections_at_once_and_leaves_nothing_behind),
        SYSTEM_TEST(clients_that_reset_their_connections_leave_no_child_behind),
        SYSTEM_TEST(a_child_that_fails_does_not_disturb_the_listener),
        SYSTEM_TEST(children_shutup_makes_their_errors_warnings),
        SYSTEM_TEST(accept_timeout_ends_a_forking_listener_when_no_more_peers_come),
        SYSTEM_TEST(lets_no_more_than_max_children_run_at_once),
        SYSTEM_TEST(children_outlive_a_terminated_parent),
        SYSTEM_TEST(a_child_does_not_remove_what_the_parent_made),
        SYSTEM_TEST(each_child_opens_the_second_address_anew),
        SYSTEM_TEST(one_way_into_a_file_a_peer_that_speaks_late_is_heard),
        SYSTEM_TEST(a_connecting_address_with_fork_connects_again_and_again),
        SYSTEM_TEST(max_children_needs_fork),
    };
    return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
