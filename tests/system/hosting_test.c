/* Sessions that share processes: fork=session, workers, --drain. What every server does is tested
 * in this engine by hosted_test. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define SERVER "TCP4-LISTEN:0,bind=" LOOPBACK ",fork=session"

static int new_peer(struct harness *harness, unsigned port)
{
    int peer = peer_connect(harness, LOOPBACK, port);
    peer_send(harness, peer, "hello");
    peer_receives(harness, peer, "hello");
    return peer;
}

static void goes_on(struct harness *harness, int peer)
{
    peer_send(harness, peer, "still");
    peer_receives(harness, peer, "still");
}

static void leaves(struct harness *harness, int peer)
{
    peer_end(peer);
    peer_receives_end(harness, peer);
    harness_close(harness, peer);
}

static void one_process_serves_all_peers(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", SERVER, "PIPE", NULL);
    unsigned port = program_port(program);
    size_t descriptors = process_descriptors(program_pid(program));
    int peers[20];
    for (size_t i = 0; i < COUNT(peers); i++)
        peers[i] = new_peer(harness, port);
    assert_int_equal(process_children(program_pid(program)), 0);
    for (size_t i = 0; i < COUNT(peers); i++)
        goes_on(harness, peers[i]);
    for (size_t i = 0; i < COUNT(peers); i++)
        leaves(harness, peers[i]);
    process_awaits_descriptors(harness, program_pid(program), descriptors);
    program_signal(program, SIGTERM);
    program_ends(program, 128 + SIGTERM);
}

/* Its number stands in its lines of the log. */
static void a_worker_that_is_killed_is_replaced(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "-d", SERVER ",workers=2", "PIPE", NULL);
    unsigned port = program_port(program);
    process_awaits_children(harness, program_pid(program), 2);
    int peer = new_peer(harness, port);
    int worker = 0;
    const char *line = program_logs(program, "*[1] N accepting connection from");
    assert_int_equal(sscanf(strchr(line, '['), "[%d]", &worker), 1);
    kill(worker, SIGKILL);
    program_logs(program, text(harness, "worker %d has been ended by signal 9", worker));
    peer_receives_end(harness, peer);
    process_awaits_children(harness, program_pid(program), 2);
    leaves(harness, new_peer(harness, port));
    program_signal(program, SIGTERM);
    program_ends(program, 128 + SIGTERM);
}

static void drained(struct harness *harness, const char *server)
{
    struct program *program =
        program_start(harness, "-d", "-d", "--drain", "60", server, "PIPE", NULL);
    unsigned port = program_port(program);
    int peer = new_peer(harness, port);
    program_signal(program, SIGTERM);
    program_logs(program, "signal 15: no new sessions");
    goes_on(harness, peer);
    leaves(harness, peer);
    program_ends(program, 128 + SIGTERM);
}

static void sessions_have_time_to_end_after_a_signal(void **state)
{
    drained(*state, SERVER);
}

static void those_of_workers_have_it_too(void **state)
{
    drained(*state, SERVER ",workers=2");
}

static void no_more_peers_are_accepted_then(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "--drain", "60", SERVER, "PIPE", NULL);
    unsigned port = program_port(program);
    int peer = new_peer(harness, port);
    process_rests(harness, program_pid(program));
    size_t descriptors = process_descriptors(program_pid(program));
    program_signal(program, SIGINT);
    process_awaits_descriptors(harness, program_pid(program), descriptors - 1);
    program_ends_logging(
        program_start(harness, "-", text(harness, "TCP4:" LOOPBACK ":%u", port), NULL), 1,
        "Connection refused");
    goes_on(harness, peer);
    program_signal(program, SIGTERM);
    peer_receives_end(harness, peer);
    program_ends(program, 128 + SIGTERM);
}

static void sessions_that_take_longer_are_ended(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "--drain", "0.2", SERVER, "PIPE", NULL);
    int peer = new_peer(harness, program_port(program));
    program_signal(program, SIGTERM);
    peer_receives_end(harness, peer);
    program_ends_logging(program, 128 + SIGTERM, "W exiting on signal 15");
}

static void mistakes_are_told_before_anything_is_opened(void **state)
{
    static const struct {
        const char *options;
        const char *message;
    } rows[] = {
        {"fork=banana", "option \"fork=banana\" needs yes or no, or one of: session"},
        {"fork=session,workers=0", "option workers: invalid value \"0\": it must be 1 to 64"},
        {"fork=session,workers=65", "option workers: invalid value \"65\": it must be 1 to 64"},
        {"fork=session,workers=two", "option \"workers=two\" needs a number"},
        {"fork,workers=2", "option workers is not allowed without fork=session"},
        {"workers=2", "option workers is not allowed without fork=session"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++)
        program_ends_logging(program_start(harness,
                                           text(harness, "TCP4-LISTEN:0,%s", rows[i].options),
                                           "PIPE", NULL),
                             1, rows[i].message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(one_process_serves_all_peers),
        SYSTEM_TEST(a_worker_that_is_killed_is_replaced),
        SYSTEM_TEST(sessions_have_time_to_end_after_a_signal),
        SYSTEM_TEST(those_of_workers_have_it_too),
        SYSTEM_TEST(no_more_peers_are_accepted_then),
        SYSTEM_TEST(sessions_that_take_longer_are_ended),
        SYSTEM_TEST(mistakes_are_told_before_anything_is_opened),
    };
    return cmocka_run_group_tests_name("hosting", tests, NULL, NULL);
}
