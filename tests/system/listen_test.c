/* Who is served by listeners, and how clients find a server. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define LISTEN "TCP4-LISTEN:0,bind=127.0.0.1"

static unsigned local_port(int fd)
{
    struct sockaddr_in local;
    socklen_t length = sizeof(local);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&local, &length), 0);
    return ntohs(local.sin_port);
}

static unsigned peer_port(int fd)
{
    struct sockaddr_in peer;
    socklen_t length = sizeof(peer);
    assert_int_equal(getpeername(fd, (struct sockaddr *)&peer, &length), 0);
    return ntohs(peer.sin_port);
}

static void is_served(struct harness *harness, int client)
{
    peer_send(harness, client, "echo");
    peer_receives(harness, client, "echo");
}

static void range_refuses_peers_from_elsewhere(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", LISTEN ",range=127.0.0.2/32", "PIPE", NULL);
    unsigned port = program_port(program);
    int client = peer_connect(harness, LOOPBACK, port);

    program_logs(program, " W refusing connection from AF=2 127.0.0.1:* due to range option");
    peer_receives_end(harness, client);
    is_served(harness, peer_connect_from(harness, "127.0.0.2", 0, LOOPBACK, port));
}

static void range_takes_a_mask(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", LISTEN ",range=127.0.0.9:255.255.255.0", "PIPE", NULL);
    unsigned port = program_port(program);
    int client = peer_connect_from(harness, "127.0.1.1", 0, LOOPBACK, port);

    program_logs(program, " W refusing connection from *range option");
    peer_receives_end(harness, client);
    is_served(harness, peer_connect(harness, LOOPBACK, port));
}

static void sourceport_refuses_other_ports_of_the_peer(void **state)
{
    struct harness *harness = *state;
    unsigned wanted;
    int reserved = peer_bind(harness, LOOPBACK, &wanted);
    struct program *program = program_start(
        harness, "-d", "-d", text(harness, LISTEN ",sourceport=%u", wanted), "PIPE", NULL);
    unsigned port = program_port(program);
    int client = peer_connect(harness, LOOPBACK, port);

    program_logs(program, " W refusing connection from *due to wrong sourceport");
    peer_receives_end(harness, client);
    harness_close(harness, reserved);
    is_served(harness, peer_connect_from(harness, LOOPBACK, wanted, LOOPBACK, port));
}

static int connect_from_low_port(struct harness *harness, unsigned port)
{
    for (unsigned low = 1023; low > 900; low--) {
        int fd = peer_try_connect_from(harness, LOOPBACK, low, LOOPBACK, port);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

static void lowport_refuses_peers_from_high_ports(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", LISTEN ",lowport", "PIPE", NULL);
    unsigned port = program_port(program);
    int client = peer_connect(harness, LOOPBACK, port);

    program_logs(program, " W refusing connection from *due to lowport option");
    peer_receives_end(harness, client);
    client = connect_from_low_port(harness, port);
    if (client >= 0)
        is_served(harness, client);
}

static void a_filter_holds_for_each_connection_of_a_forking_listener(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", LISTEN ",fork,range=127.0.0.2/32", "PIPE", NULL);
    unsigned port = program_port(program);

    for (int i = 0; i < 3; i++) {
        is_served(harness, peer_connect_from(harness, "127.0.0.2", 0, LOOPBACK, port));
        peer_receives_end(harness, peer_connect(harness, LOOPBACK, port));
    }
}

static void a_listener_without_fork_serves_one_connection(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", LISTEN, "PIPE", NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(program));

    is_served(harness, client);
    peer_end(client);
    peer_receives_end(harness, client);
    program_ends(program, 0);
}

static void a_listener_ends_when_nobody_connects_within_accept_timeout(void **state)
{
    struct program *program =
        program_start(*state, "-d", "-d", LISTEN ",accept-timeout=0.05", "PIPE", NULL);

    program_ends_logging(program, 0, " W accept: Connection timed out");
}

static void tells_the_port_it_chose_even_if_it_ends_at_once(void **state)
{
    struct program *program =
        program_start(*state, "-d", "-d", "TCP4-L:0,accept-timeout=0.000001", "/dev/null", NULL);

    assert_true(program_port(program) > 0);
    program_ends(program, 0);
}

static void reports_an_address_in_use(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    struct program *program;

    peer_listen(harness, LOOPBACK, &port);
    program =
        program_start(harness, text(harness, "TCP4-LISTEN:%u,bind=" LOOPBACK, port), "PIPE", NULL);
    program_ends_logging(
        program, 1,
        " E cannot bind to 127.0.0.1:*: Address already in use *[bind(*, {AF=2 127.0.0.1:*}, 16)]");
}

static void listening_again_and_again_ends_with_an_error_and_not_in_silence(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    struct program *program;

    peer_listen(harness, LOOPBACK, &port);
    program = program_start(
        harness, text(harness, "TCP4-LISTEN:%u,bind=" LOOPBACK ",retry=2,interval=0.01", port),
        "PIPE", NULL);
    program_ends_logging(program, 1, " E cannot bind to *: Address already in use *[bind(");
}

static void retry_waits_for_a_server_to_come_up(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_bind(harness, LOOPBACK, &port);
    struct program *program = program_start(
        harness, "-d", "-d", "-d",
        text(harness, "TCP4:" LOOPBACK ":%u,retry=1000,interval=0.02", port), "PIPE", NULL);

    program_logs(program, " N cannot connect to *: Connection refused [connect(");
    program_logs(program, " N cannot connect to *: Connection refused [connect(");
    assert_int_equal(listen(listener, 5), 0);
    is_served(harness, peer_accept(harness, listener));
}

static void forever_goes_on_until_a_server_comes_up(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_bind(harness, LOOPBACK, &port);
    struct program *program = program_start(
        harness, "-d", "-d", "-d",
        text(harness, "TCP4:" LOOPBACK ":%u,forever,interval=0.02", port), "PIPE", NULL);

    program_logs(program, " N cannot connect to *: Connection refused [connect(");
    assert_int_equal(listen(listener, 5), 0);
    is_served(harness, peer_accept(harness, listener));
}

static void the_last_retry_fails_with_an_error(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    long long began = milliseconds();
    struct program *program;

    peer_bind(harness, LOOPBACK, &port);
    program = program_start(harness, "-d", "-d", "-d",
                            text(harness, "TCP4:" LOOPBACK ":%u,retry=2,interval=0.1", port),
                            "PIPE", NULL);
    program_logs(program, " N cannot connect to *: Connection refused [connect(");
    program_logs(program, " N cannot connect to *: Connection refused [connect(");
    program_logs(program, " E cannot connect to *: Connection refused [connect(");
    program_ends(program, 1);
    assert_true(milliseconds() - began >= 200);
}

static void a_refused_connection_is_an_error(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    struct program *program;

    peer_bind(harness, LOOPBACK, &port);
    program = program_start(harness, text(harness, "TCP4:" LOOPBACK ":%u", port), "PIPE", NULL);
    program_ends_logging(
        program, 1,
        " E cannot connect to *: Connection refused [connect(*, AF=2 127.0.0.1:*, 16)]");
}

static void connect_timeout_gives_up_on_a_server_that_does_not_answer(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    struct program *program;

    peer_listen_unresponsive(harness, LOOPBACK, &port);
    program = program_start(
        harness, text(harness, "TCP4:" LOOPBACK ":%u,connect-timeout=0.1", port), "PIPE", NULL);
    program_ends_logging(
        program, 1,
        " E cannot connect to *: Connection timed out [connecting to AF=2 127.0.0.1:*]");
}

static void a_client_binds_to_the_address_and_port_it_is_given(void **state)
{
    struct harness *harness = *state;
    unsigned port, wanted;
    int listener = peer_listen(harness, LOOPBACK, &port);
    int reserved = peer_bind(harness, LOOPBACK, &wanted);
    int server;

    harness_close(harness, reserved);
    program_start(
        harness, text(harness, "TCP4:" LOOPBACK ":%u,bind=" LOOPBACK ":%u,reuseaddr", port, wanted),
        "PIPE", NULL);
    server = peer_accept(harness, listener);
    assert_int_equal(peer_port(server), wanted);
    assert_int_equal(local_port(server), port);
}

static void a_client_with_sourceport_uses_that_port(void **state)
{
    struct harness *harness = *state;
    unsigned port, wanted;
    int listener = peer_listen(harness, LOOPBACK, &port);
    int reserved = peer_bind(harness, LOOPBACK, &wanted);

    harness_close(harness, reserved);
    program_start(harness,
                  text(harness, "TCP4:" LOOPBACK ":%u,sourceport=%u,reuseaddr", port, wanted),
                  "PIPE", NULL);
    assert_int_equal(peer_port(peer_accept(harness, listener)), wanted);
}

static void listens_on_ipv6_when_asked_to(void **state)
{
    struct harness *harness = *state;
    struct program *program;

    if (!peer_has_ipv6())
        skip_because("there is no IPv6");
    program = program_start(harness, "-d", "-d", "-6", "TCP-LISTEN:0,bind=[::1],range=[::1]/128",
                            "PIPE", NULL);
    is_served(harness, peer_connect(harness, "::1", program_port(program)));
    program_logs(program, " N accepting connection from AF=10 "
                          "[0000:0000:0000:0000:0000:0000:0000:0001]:*");
}

static void who_asks_for_it_sees_by_the_status_that_nobody_came(void **state)
{
    struct program *program =
        program_start(*state, LISTEN ",accept-timeout=0.05,accept-timeout-status=75", "PIPE", NULL);
    program_ends_logging(program, 75, " W accept: Connection timed out");
    program = program_start(*state, LISTEN ",accept-timeout-status=75", "PIPE", NULL);
    program_ends_logging(program, 1,
                         " E option accept-timeout-status: option accept-timeout must be given");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(range_refuses_peers_from_elsewhere),
        SYSTEM_TEST(range_takes_a_mask),
        SYSTEM_TEST(sourceport_refuses_other_ports_of_the_peer),
        SYSTEM_TEST(lowport_refuses_peers_from_high_ports),
        SYSTEM_TEST(a_filter_holds_for_each_connection_of_a_forking_listener),
        SYSTEM_TEST(a_listener_without_fork_serves_one_connection),
        SYSTEM_TEST(a_listener_ends_when_nobody_connects_within_accept_timeout),
        SYSTEM_TEST(tells_the_port_it_chose_even_if_it_ends_at_once),
        SYSTEM_TEST(reports_an_address_in_use),
        SYSTEM_TEST(listening_again_and_again_ends_with_an_error_and_not_in_silence),
        SYSTEM_TEST(retry_waits_for_a_server_to_come_up),
        SYSTEM_TEST(forever_goes_on_until_a_server_comes_up),
        SYSTEM_TEST(the_last_retry_fails_with_an_error),
        SYSTEM_TEST(a_refused_connection_is_an_error),
        SYSTEM_TEST(connect_timeout_gives_up_on_a_server_that_does_not_answer),
        SYSTEM_TEST(a_client_binds_to_the_address_and_port_it_is_given),
        SYSTEM_TEST(a_client_with_sourceport_uses_that_port),
        SYSTEM_TEST(listens_on_ipv6_when_asked_to),
        SYSTEM_TEST(who_asks_for_it_sees_by_the_status_that_nobody_came),
    };
    return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
