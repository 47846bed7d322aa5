/* Packets that can't be sent, in a network of the test's own: a server of many goes on without
 * them, and says what is lost; and what an ICMP packet says ends nothing where it was asked for. */

#define _GNU_SOURCE
#include "tests/system/firewall.h"
#include "tests/system/network.h"
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROTOCOL 254

/* Addresses that come and go, besides the loopback's own. */
#define AWAY4 "10.9.0.1"
#define AWAY6 "fd00::9"

static void own_network(void)
{
    if (!packet_own_network())
        skip_because("a network namespace takes root: %s", strerror(errno));
}

/* A protocol whose packets are sent, by an address type's prefix. */
struct protocol {
    const char *prefix; /* UDP4 of UDP4-DATAGRAM */
    const char *host;   /* as in an address of the program */
    const char *numeric;
    const char *away; /* one that comes and goes, in both spellings */
    const char *away_numeric;
    int type, number;
};

static const struct protocol protocols[] = {
    {"UDP4", "127.0.0.1", "127.0.0.1", AWAY4, AWAY4, SOCK_DGRAM, 0},
    {"UDP6", "[::1]", "::1", "[" AWAY6 "]", AWAY6, SOCK_DGRAM, 0},
    {"UDPLITE4", "127.0.0.1", "127.0.0.1", AWAY4, AWAY4, SOCK_DGRAM, IPPROTO_UDPLITE},
    {"UDPLITE6", "[::1]", "::1", "[" AWAY6 "]", AWAY6, SOCK_DGRAM, IPPROTO_UDPLITE},
    {"IP4", "127.0.0.1", "127.0.0.1", AWAY4, AWAY4, SOCK_RAW, PROTOCOL},
    {"IP6", "[::1]", "::1", "[" AWAY6 "]", AWAY6, SOCK_RAW, PROTOCOL},
};
#define PROTOCOL_COUNT (sizeof(protocols) / sizeof(protocols[0]))

static bool is_raw(const struct protocol *protocol)
{
    return protocol->type == SOCK_RAW;
}

static bool is_ip6(const struct protocol *protocol)
{
    return strchr(protocol->numeric, ':') != NULL;
}

static bool exists(const struct protocol *protocol)
{
    int family = is_ip6(protocol) ? AF_INET6 : AF_INET;
    int fd = socket(family, protocol->type | SOCK_CLOEXEC, protocol->number);
    if (fd >= 0)
        close(fd);
    return fd >= 0 && (family == AF_INET || peer_has_ipv6());
}

/* The port of raw IP is its protocol in addresses of the program, and nothing in the test's. */
static unsigned port_in_address(const struct protocol *protocol, unsigned port)
{
    return is_raw(protocol) ? PROTOCOL : port;
}

static int peer_at(struct harness *harness, const struct protocol *protocol, const char *host,
                   unsigned port)
{
    struct place place = place_host(harness, host, is_raw(protocol) ? 0 : port);
    return packet_socket(harness, protocol->type, protocol->number, &place);
}

/* What a packet holds; raw IPv4 comes with its header. */
static void comes(struct harness *harness, const struct protocol *protocol, int fd,
                  const char *wanted)
{
    char buffer[2048] = "";
    size_t header = is_raw(protocol) && !is_ip6(protocol) ? 20 : 0;
    size_t length = packet_receive(harness, fd, buffer, sizeof(buffer) - 1, NULL);
    assert_int_equal(length, header + strlen(wanted));
    assert_string_equal(buffer + header, wanted);
}

/* The kernel makes an IPv6 address its own some time after ip(8) has ended; until then it drops
 * what is sent there. */
static void await_packets_to(struct harness *harness, const char *host)
{
    struct place place = place_host(harness, host, 0);
    int fd = packet_socket(harness, SOCK_DGRAM, 0, &place);
    long long deadline = milliseconds() + PATIENCE;
    struct pollfd ready = {fd, POLLIN, 0};
    place.length = sizeof(place.address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&place.address, &place.length), 0);
    do {
        if (milliseconds() > deadline)
            harness_fail(harness, "no packet to %s arrives", host);
        packet_send_to(harness, fd, &place, "");
    } while (poll(&ready, 1, 10) <= 0);
    harness_close(harness, fd);
}

static void come_and_go(struct harness *harness, const struct protocol *protocol, const char *verb)
{
    bool comes = strcmp(verb, "add") == 0;
    network_ip(harness, "addr %s %s/%d dev lo%s", verb, protocol->away_numeric,
               is_ip6(protocol) ? 128 : 32, is_ip6(protocol) && comes ? " nodad" : "");
    if (comes)
        await_packets_to(harness, protocol->away_numeric);
}

/* It serves one sender after the other through one socket, whatever becomes of what it sends. */
static void goes_on_while_its_group_is_away(struct harness *harness,
                                            const struct protocol *protocol)
{
    const unsigned port = 5500, own = 5600;
    struct program *program =
        program_start(harness, "-d", "-d", "-",
                      text(harness, "%s-DATAGRAM:%s:%u,bind=%s%s", protocol->prefix, protocol->away,
                           port_in_address(protocol, port), protocol->host,
                           is_raw(protocol) ? "" : text(harness, ":%u", own)),
                      NULL);
    program_logs(program, " N starting data transfer loop");
    program_send(program, "lost");
    program_logs(program, " E cannot send to *: *unreachable: this message of 4 bytes is dropped");
    come_and_go(harness, protocol, "add");
    int peer = peer_at(harness, protocol, protocol->away_numeric, port);
    struct place to = place_host(harness, protocol->numeric, is_raw(protocol) ? 0 : own);
    packet_send_to(harness, peer, &to, "from a peer");
    program_outputs(program, "from a peer");
    program_send(program, "arrives");
    comes(harness, protocol, peer, "arrives");
    harness_close(harness, peer);
    come_and_go(harness, protocol, "del");
    program_end_input(program);
    program_ends(program, 1);
}

static void datagram_goes_on_where_its_peer_can_not_be_reached(void **state)
{
    own_network();
    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        if (exists(&protocols[i]))
            goes_on_while_its_group_is_away(*state, &protocols[i]);
}

/* Errors of the way, as routes make them. */
static void every_error_of_the_way_is_told_and_ends_no_server(void **state)
{
    static const struct {
        const char *route, *message;
    } rows[] = {
        {"unreachable", "No route to host"},
        {"prohibit", "Permission denied"},
        {"throw", "Network is unreachable"},
    };
    struct harness *harness = *state;
    own_network();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        network_ip(harness, "route add %s " AWAY4, rows[i].route);
        struct program *program = program_start(
            harness, "-d", "-d", "-", "UDP4-DATAGRAM:" AWAY4 ":5500,bind=127.0.0.1:5600", NULL);
        struct place to = place_host(harness, "127.0.0.1", 5600);
        unsigned port;
        program_logs(program, " N starting data transfer loop");
        program_send(program, "lost");
        program_logs(program,
                     text(harness, " E cannot send to *: %s: this message of 4 bytes is dropped",
                          rows[i].message));
        packet_send_to(harness, packet_udp(harness, "127.0.0.1", &port), &to, "still there");
        program_outputs(program, "still there");
        program_end_input(program);
        program_ends(program, 1);
        network_ip(harness, "route del %s " AWAY4, rows[i].route);
    }
}

static void what_a_firewall_refuses_ends_no_server(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    own_network();
    int peer = packet_udp(harness, "127.0.0.1", &port);
    struct place to = place_host(harness, "127.0.0.1", 5600);
    struct program *program =
        program_start(harness, "-d", "-d", "-",
                      text(harness, "UDP4-DATAGRAM:127.0.0.1:%u,bind=127.0.0.1:5600", port), NULL);
    program_logs(program, " N starting data transfer loop");
    firewall_close(harness);
    program_send(program, "lost");
    program_logs(program,
                 " E cannot send to *: Operation not permitted: this message of 4 bytes is "
                 "dropped");
    firewall_open(harness);
    program_send(program, "arrives");
    packet_arrives(harness, peer, "arrives");
    packet_send_to(harness, peer, &to, "still there");
    program_outputs(program, "still there");
    program_end_input(program);
    program_ends(program, 1);
}

/* The handler's first answer is refused, and its second arrives. */
static void an_answer_that_a_firewall_refuses_ends_no_server(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    own_network();
    struct gate gate = gate_make(harness);
    int peer = packet_udp(harness, "127.0.0.1", &port);
    struct place to = place_host(harness, "127.0.0.1", 5600);
    struct program *program = program_start(
        harness, "-d", "-d", "-t", "20", "UDP4-RECVFROM:5600,bind=127.0.0.1,fork",
        text(harness, "SYSTEM:read a; read go <%s; echo lost; read go <%s; echo arrives", gate.fifo,
             gate.fifo),
        NULL);
    program_logs(program, " N receiving on ");
    for (int i = 0; i < 2; i++) {
        packet_send_to(harness, peer, &to, "question\n");
        program_logs(program, " N starting data transfer loop");
        firewall_close(harness);
        gate_open(&gate);
        program_logs(program,
                     " E cannot send to *: Operation not permitted: this message of 5 bytes is "
                     "dropped");
        firewall_open(harness);
        gate_open(&gate);
        packet_arrives(harness, peer, "arrives\n");
    }
}

/* They are told once a second, and all of them are counted. */
static void lost_packets_are_counted_and_told_no_more_than_once_a_second(void **state)
{
    enum { COUNT = 2000 };
    struct harness *harness = *state;
    const char *name = path(harness, "server"), *own_name = path(harness, "client");
    struct place to = place_path(harness, name), own = place_path(harness, own_name);
    own_network();
    int sender = packet_socket(harness, SOCK_DGRAM, 0, &own);
    struct program *program =
        program_start(harness, "-d", "-d", "-u", text(harness, "UNIX-RECV:%s,null-eof", name),
                      "UDP4-DATAGRAM:" AWAY4 ":5500", NULL);
    long long began = milliseconds();
    program_logs(program, " N starting data transfer loop");
    packet_connect(harness, sender, &to);
    for (int i = 0; i < COUNT; i++)
        packet_send(harness, sender, "12345", 5);
    packet_send(harness, sender, "", 0);
    program_ends(program, 1);
    size_t told = 0, counted = 0;
    for (const char *line = program_log(program); line != NULL && *line != '\0';
         line = strchr(line, '\n') != NULL ? strchr(line, '\n') + 1 : NULL) {
        const char *end = strchr(line, '\n'), *more = strstr(line, " E ");
        if (more == NULL || end == NULL || more > end)
            continue;
        if (strncmp(more, " E cannot send to ", 18) == 0)
            told++;
        else if (strstr(more, " more messages of ") != NULL && strstr(more, " more messages") < end)
            counted += strtoul(more + 3, NULL, 10);
    }
    assert_int_equal(told + counted, COUNT);
    assert_true((long long)told <= 1 + (milliseconds() - began) / 1000);
}

/* A handler answers in three packets, and the second one finds no way. */
static void an_answer_that_can_not_be_sent_takes_no_other_with_it(void **state)
{
    struct harness *harness = *state;
    const struct protocol *udp = &protocols[0];
    const char *script = path(harness, "script");
    own_network();
    file_write(harness, script, "echo one; read go; echo two; read go; echo three\n");
    struct gate gate = gate_make(harness);
    struct program *program =
        program_start(harness, "-d", "-d", "UDP4-RECVFROM:5600,fork",
                      text(harness, "SYSTEM:'sh %s <%s'", script, gate.fifo), NULL);
    struct place to = place_host(harness, "127.0.0.1", 5600);
    program_logs(program, " N receiving on ");
    come_and_go(harness, udp, "add");
    int peer = peer_at(harness, udp, AWAY4, 5500);
    packet_send_to(harness, peer, &to, "question");
    packet_arrives(harness, peer, "one\n");
    harness_close(harness, peer);
    come_and_go(harness, udp, "del");
    gate_open(&gate);
    program_logs(program,
                 " E cannot send to *:5500: Network is unreachable: this message of 4 bytes");
    come_and_go(harness, udp, "add");
    peer = peer_at(harness, udp, AWAY4, 5500);
    gate_open(&gate);
    packet_arrives(harness, peer, "three\n");
    process_awaits_children(harness, program_pid(program), 0);
    program_signal(program, SIGTERM);
    program_ends(program, 143);
}

/* A client that does not wait for its answer. */
static void a_unix_client_that_has_gone_ends_no_server(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "server"), *own_name = path(harness, "client");
    struct place to = place_path(harness, name), own = place_path(harness, own_name);
    struct gate gate = gate_make(harness);
    struct program *program =
        program_start(harness, "-d", "-d", text(harness, "UNIX-RECVFROM:%s,fork", name),
                      text(harness, "SYSTEM:'read go <%s; echo answer'", gate.fifo), NULL);
    program_logs(program, " N receiving on AF=1 ");
    int client = packet_socket(harness, SOCK_DGRAM, 0, &own);
    packet_send_to(harness, client, &to, "question\n");
    program_logs(program, " N forked off child process ");
    harness_close(harness, client);
    unlink(own_name);
    gate_open(&gate);
    program_logs(program,
                 " E cannot send to *: No such file or directory: this message of 7 bytes");
    process_awaits_children(harness, program_pid(program), 0);
    client = packet_socket(harness, SOCK_DGRAM, 0, &own);
    packet_send_to(harness, client, &to, "question\n");
    gate_open(&gate);
    packet_arrives(harness, client, "answer\n");
    program_signal(program, SIGTERM);
    program_ends(program, 143);
}

/* One peer is all that there is. */
static void a_client_whose_only_peer_can_not_be_reached_fails(void **state)
{
    own_network();
    struct program *program = program_start(*state, "-", "UDP4-SENDTO:" AWAY4 ":5500", NULL);
    program_send(program, "lost");
    program_ends_logging(program, 1, " E cannot send to " AWAY4 ":5500: Network is unreachable");
}

static const char *recverr(const struct protocol *protocol)
{
    return is_ip6(protocol) ? "ipv6-recverr" : "ip-recverr";
}

/* The address that can be reached, and where nothing takes packets. */
static const char *nobody(const struct protocol *protocol)
{
    return is_ip6(protocol) ? AWAY6 : "127.0.0.9";
}

/* Unconnected: it sends to where nothing is, is told so, and goes on with others. */
static void unconnected_goes_on(struct harness *harness, const struct protocol *protocol,
                                const char *type)
{
    const unsigned own = 5600;
    if (is_ip6(protocol))
        come_and_go(harness, protocol, "add");
    const char *host = is_ip6(protocol) ? "[" AWAY6 "]" : nobody(protocol);
    struct program *program =
        program_start(harness, "-d", "-d", "-",
                      text(harness, "%s-%s:%s:%u,%s,bind=%s%s", protocol->prefix, type, host,
                           port_in_address(protocol, 5500), recverr(protocol), protocol->host,
                           is_raw(protocol) ? "" : text(harness, ":%u", own)),
                      NULL);
    program_logs(program, " N starting data transfer loop");
    for (int i = 0; i < 3; i++) {
        program_send(program, "anybody?");
        program_logs(program, " N packet to AF=*failed: *, says ");
    }
    int peer = peer_at(harness, protocol, nobody(protocol), 5500);
    struct place to = place_host(harness, protocol->numeric, is_raw(protocol) ? 0 : own);
    packet_send_to(harness, peer, &to, "still there");
    program_outputs(program, "still there");
    assert_false(program_has_logged(program, " E "));
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    harness_close(harness, peer);
    if (is_ip6(protocol))
        come_and_go(harness, protocol, "del");
}

static void with_recverr_a_refused_packet_ends_no_unconnected_socket(void **state)
{
    own_network();
    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        if (!exists(&protocols[i]))
            continue;
        unconnected_goes_on(*state, &protocols[i], "DATAGRAM");
        unconnected_goes_on(*state, &protocols[i], "SENDTO");
    }
}

/* The peer leaves, is written to, and comes back. */
static void connected_goes_on(struct harness *harness, const struct protocol *protocol,
                              const char *options)
{
    int peer = peer_at(harness, protocol, protocol->numeric, 5500);
    struct program *program =
        program_start(harness, "-d", "-d",
                      text(harness, "%s-LISTEN:5600,bind=%s,%s%s", protocol->prefix, protocol->host,
                           recverr(protocol), options),
                      "-", NULL);
    struct place to = place_host(harness, protocol->numeric, 5600);
    program_logs(program, " N listening on ");
    packet_send_to(harness, peer, &to, "a");
    program_outputs(program, "a");
    harness_close(harness, peer);
    program_send(program, "anybody?");
    program_logs(program, " N packet to AF=*:5500 failed: Connection refused, says ");
    peer = peer_at(harness, protocol, protocol->numeric, 5500);
    packet_send_to(harness, peer, &to, "b");
    program_outputs(program, "b");
    assert_false(program_has_logged(program, " E "));
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    harness_close(harness, peer);
}

static void with_recverr_a_refused_packet_ends_no_connection(void **state)
{
    own_network();
    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        if (!exists(&protocols[i]) || is_raw(&protocols[i]))
            continue;
        connected_goes_on(*state, &protocols[i], "");
    }
}

/* The answer goes to a sender that has gone; the socket is the parent's as well. An ICMP packet
 * about raw IP is not looked at unless it quotes eight bytes of it. */
static void recvfrom_goes_on(struct harness *harness, const struct protocol *protocol)
{
    const char *gone = is_ip6(protocol) ? AWAY6 : "127.0.0.9";
    struct place to = place_host(harness, protocol->numeric, is_raw(protocol) ? 0 : 5600);
    struct gate gate = gate_make(harness);
    if (is_ip6(protocol))
        come_and_go(harness, protocol, "add");
    struct program *program =
        program_start(harness, "-d", "-d",
                      text(harness, "%s-RECVFROM:%u,bind=%s,%s,fork", protocol->prefix,
                           port_in_address(protocol, 5600), protocol->host, recverr(protocol)),
                      text(harness, "SYSTEM:'read go <%s; echo the answer'", gate.fifo), NULL);
    program_logs(program, " N receiving on ");
    int peer = peer_at(harness, protocol, gone, 5500);
    packet_send_to(harness, peer, &to, "question");
    program_logs(program, " N forked off child process ");
    harness_close(harness, peer);
    gate_open(&gate);
    program_logs(program, " N packet to AF=*failed: *, says ");
    peer = peer_at(harness, protocol, gone, 5500);
    packet_send_to(harness, peer, &to, "question");
    gate_open(&gate);
    comes(harness, protocol, peer, "the answer\n");
    process_awaits_children(harness, program_pid(program), 0);
    assert_false(program_has_logged(program, " E "));
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    harness_close(harness, peer);
    harness_close(harness, gate.fd);
    if (is_ip6(protocol))
        come_and_go(harness, protocol, "del");
}

static void with_recverr_a_refused_answer_ends_no_server(void **state)
{
    own_network();
    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        if (exists(&protocols[i]))
            recvfrom_goes_on(*state, &protocols[i]);
}

/* An address of the loopback is there whatever the network is. */
static void localhost_can_be_bound_to_with_only_the_loopback_up(void **state)
{
    static const char *const listeners[] = {"TCP4-LISTEN:0,bind=localhost",
                                            "TCP6-LISTEN:0,bind=localhost",
                                            "UDP4-LISTEN:0,bind=localhost"};
    struct harness *harness = *state;
    unsigned port;
    own_network();
    for (size_t i = 0; i < (peer_has_ipv6() ? 3U : 1U); i++) {
        struct program *program = program_start(harness, "-d", "-d", listeners[i], "PIPE", NULL);
        program_logs(program, " N listening on ");
        program_signal(program, SIGTERM);
        program_ends(program, 143);
    }
    int listener = peer_listen(harness, LOOPBACK, &port);
    program_start(harness, "-", text(harness, "TCP4:localhost:%u,bind=localhost", port), NULL);
    peer_accept(harness, listener);
    int receiver = packet_udp(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-", text(harness, "UDP4:localhost:%u,bind=localhost", port), NULL);
    program_send(program, "hello");
    packet_arrives(harness, receiver, "hello");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(datagram_goes_on_where_its_peer_can_not_be_reached),
        SYSTEM_TEST(every_error_of_the_way_is_told_and_ends_no_server),
        SYSTEM_TEST(what_a_firewall_refuses_ends_no_server),
        SYSTEM_TEST(an_answer_that_a_firewall_refuses_ends_no_server),
        SYSTEM_TEST(lost_packets_are_counted_and_told_no_more_than_once_a_second),
        SYSTEM_TEST(an_answer_that_can_not_be_sent_takes_no_other_with_it),
        SYSTEM_TEST(a_unix_client_that_has_gone_ends_no_server),
        SYSTEM_TEST(a_client_whose_only_peer_can_not_be_reached_fails),
        SYSTEM_TEST(with_recverr_a_refused_packet_ends_no_unconnected_socket),
        SYSTEM_TEST(with_recverr_a_refused_packet_ends_no_connection),
        SYSTEM_TEST(with_recverr_a_refused_answer_ends_no_server),
        SYSTEM_TEST(localhost_can_be_bound_to_with_only_the_loopback_up),
    };
    return cmocka_run_group_tests_name("unreachable", tests, NULL, NULL);
}
