/* SOCKET-*: sockets of any family, whose addresses are written in binary. */

#define _GNU_SOURCE
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <string.h>
#include <sys/socket.h>

#define ZEROS "x0000000000000000"

static const char *ip4(struct harness *harness, unsigned port)
{
    return text(harness, "x%04x7f000001" ZEROS, port);
}

static void connects_from_an_address_in_binary(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int server = peer_listen(harness, LOOPBACK, &port);
    struct program *program = program_start(
        harness, "-",
        text(harness, "SOCKET-CONNECT:2:6:%s,bind=x00007f000005" ZEROS, ip4(harness, port)), NULL);
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);
    struct place wanted = place_host(harness, "127.0.0.5", 0);

    server = peer_accept(harness, server);
    assert_int_equal(getpeername(server, (struct sockaddr *)&peer, &length), 0);
    assert_memory_equal((char *)&peer + 4, (char *)&wanted.address + 4, 4);
    program_send(program, "hello");
    peer_receives(harness, server, "hello");
    peer_send(harness, server, "answer");
    program_outputs(program, "answer");
}

static void connects_to_a_unix_socket(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    struct place place = place_path(harness, name);
    int server = packet_socket(harness, SOCK_STREAM, 0, &place);
    struct program *program;

    listen(server, 1);
    program =
        program_start(harness, "-", text(harness, "SOCKET-CONNECT:1:0:\\\"%s\\\"x00", name), NULL);
    server = peer_accept(harness, server);
    program_send(program, "hello");
    peer_receives(harness, server, "hello");
}

static void listens_for_peers_in_a_binary_range(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d",
                      text(harness, "SOCKET-LISTEN:2:6:x000000000000" ZEROS
                                    ",fork,range=x00007f000002:x0000ffffffff"),
                      "PIPE", NULL);
    unsigned port = program_port(program);
    int client = peer_connect(harness, LOOPBACK, port);

    program_logs(program, " W refusing connection from AF=2 127.0.0.1:* due to range option");
    peer_receives_end(harness, client);
    client = peer_connect_from(harness, "127.0.0.2", 0, LOOPBACK, port);
    peer_send(harness, client, "echo");
    peer_receives(harness, client, "echo");
}

static void recvfrom_stays_with_its_first_sender(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d",
                      text(harness, "SOCKET-RECVFROM:2:2:17:%s", ip4(harness, 0)), "-", NULL);
    unsigned port = program_logs_port(program, " N receiving on AF=2 127.0.0.1:");
    struct place place = place_host(harness, LOOPBACK, port);
    unsigned ignored;
    int one = packet_udp(harness, LOOPBACK, &ignored),
        other = packet_udp(harness, LOOPBACK, &ignored);

    packet_send_to(harness, one, &place, "first");
    program_outputs(program, "first");
    packet_send_to(harness, other, &place, "from another");
    packet_send_to(harness, one, &place, "second");
    program_outputs(program, "second");
    program_send(program, "answer");
    packet_arrives(harness, one, "answer");
    assert_true(peer_is_silent(other));
}

static void recvfrom_with_fork_serves_each_packet(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(
        harness, "-d", "-d", "-t", "5",
        text(harness, "SOCKET-RECVFROM:2:2:17:%s,fork", ip4(harness, 0)), "PIPE", NULL);
    unsigned port = program_logs_port(program, " N receiving on AF=2 127.0.0.1:"), ignored;
    struct place place = place_host(harness, LOOPBACK, port);
    int peer = packet_udp(harness, LOOPBACK, &ignored);

    for (int i = 0; i < 5; i++) {
        packet_send_to(harness, peer, &place, text(harness, "packet %d", i));
        packet_arrives(harness, peer, text(harness, "packet %d", i));
    }
    process_awaits_children(harness, program_pid(program), 0);
}

static void wrong_input_is_named(void **state)
{
    static const struct {
        const char *address;
        const char *message;
    } rows[] = {
        {"SOCKET-CONNECT:x:6:x00", " E SOCKET-CONNECT: \"x\" is not a number"},
        {"SOCKET-CONNECT:2:6:zz", " E syntax error in \"zz\": unexpected character"},
        {"SOCKET-CONNECT:2:6:x0", " E syntax error in \"x0\": odd number of hexadecimal digits"},
        {"SOCKET-CONNECT:2:6:x00,bind=zz", " E syntax error in \"zz\""},
        {"SOCKET-CONNECT:2:6", "wrong number of parameters"},
        {"SOCKET-CONNECT:99:0:x00", "this kernel does not support protocol family 99"},
        {"SOCKET-DATAGRAM:2:2:17:x0001x7f000001" ZEROS ",range=x00", "range"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        program_ends_logging(program_start(harness, "-", rows[i].address, NULL), 1,
                             rows[i].message);
}

static void an_address_that_is_too_long_is_refused(void **state)
{
    struct harness *harness = *state;
    char data[300] = "SOCKET-CONNECT:2:6:x";
    size_t length = strlen(data);
    memset(data + length, '0', 260);
    data[length + 260] = '\0';
    program_ends_logging(program_start(harness, "-", data, NULL), 1, " E data too long: \"x000");
}

static void text_behind_a_number_is_told_and_left_out(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(
        harness, "-", text(harness, "SOCKET-CONNECT:2abc:6:%s", ip4(harness, 1)), NULL);
    program_ends_logging(program, 1, " W ignoring \"abc\" behind the number in a parameter");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(connects_from_an_address_in_binary),
        SYSTEM_TEST(connects_to_a_unix_socket),
        SYSTEM_TEST(listens_for_peers_in_a_binary_range),
        SYSTEM_TEST(recvfrom_stays_with_its_first_sender),
        SYSTEM_TEST(recvfrom_with_fork_serves_each_packet),
        SYSTEM_TEST(wrong_input_is_named),
        SYSTEM_TEST(an_address_that_is_too_long_is_refused),
        SYSTEM_TEST(text_behind_a_number_is_told_and_left_out),
    };
    return cmocka_run_group_tests_name("generic", tests, NULL, NULL);
}
