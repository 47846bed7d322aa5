/* UDP: whose packets are taken, who is answered, and what becomes of empty and long packets. */

#define _GNU_SOURCE
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCAL "127.0.0.1"

/* A test's UDP socket and where it is. */
struct peer {
    int fd;
    unsigned port;
};

static struct peer new_peer(struct harness *harness, const char *host)
{
    struct peer peer;
    peer.fd = packet_udp(harness, host, &peer.port);
    return peer;
}

static void send_text(struct harness *harness, const struct peer *peer, unsigned port,
                      const char *data)
{
    struct place place = place_host(harness, LOCAL, port);
    packet_send_to(harness, peer->fd, &place, data);
}

/* Every packet that was sent before this one has been dealt with when it comes out. */
static void is_next(struct harness *harness, const struct peer *peer, unsigned port,
                    struct program *program, const char *data)
{
    send_text(harness, peer, port, data);
    program_outputs(program, data);
}

static void sendto_takes_packets_of_its_target_only(void **state)
{
    struct harness *harness = *state;
    struct peer target = new_peer(harness, LOCAL), other = new_peer(harness, LOCAL);
    struct program *program = program_start(
        harness, "-d", "-d", "-d", "-",
        text(harness, "UDP4-SENDTO:" LOCAL ":%u,bind=" LOCAL ":0", target.port), NULL);
    unsigned port = program_logs_port(program, " N successfully prepared local socket AF=2 ");

    send_text(harness, &other, port, "from another");
    is_next(harness, &target, port, program, "from the target");
    program_send(program, "to the target");
    packet_arrives(harness, target.fd, "to the target");
    assert_true(program_has_logged(program, " I recvfrom(): wrong peer address, ignoring packet"));
    assert_true(program_has_logged(program, " N received packet with 15 bytes from AF=2 " LOCAL));
}

static void sendto_has_the_port_of_option_sourceport(void **state)
{
    struct harness *harness = *state;
    struct peer target = new_peer(harness, LOCAL), free_port = new_peer(harness, LOCAL);
    harness_close(harness, free_port.fd);
    struct program *program = program_start(
        harness, "-u", "-",
        text(harness, "UDP4-SENDTO:" LOCAL ":%u,sourceport=%u", target.port, free_port.port), NULL);
    struct place from;

    program_send(program, "x");
    from = packet_arrives(harness, target.fd, "x");
    assert_int_equal(place_port(&from), free_port.port);
}

static void datagram_takes_packets_of_all_whom_the_range_lets_in(void **state)
{
    struct harness *harness = *state;
    struct peer target = new_peer(harness, LOCAL), other = new_peer(harness, "127.0.0.2"),
                stranger = new_peer(harness, "127.0.1.1");
    struct program *program = program_start(
        harness, "-d", "-d", "-",
        text(harness, "UDP4-DATAGRAM:" LOCAL ":%u,bind=:0,range=127.0.0.0/24", target.port), NULL);
    unsigned port = program_logs_port(program, " N successfully prepared local socket AF=2 ");

    send_text(harness, &stranger, port, "from a stranger");
    is_next(harness, &other, port, program, "from another");
    is_next(harness, &target, port, program, "from the target");
    program_logs(program, " W refusing connection from AF=2 127.0.1.1:* due to range option");
}

static void datagram_takes_packets_of_the_port_of_option_sourceport(void **state)
{
    struct harness *harness = *state;
    struct peer wanted = new_peer(harness, LOCAL), other = new_peer(harness, LOCAL);
    struct program *program = program_start(
        harness, "-d", "-d", "-",
        text(harness, "UDP4-DATAGRAM:" LOCAL ":9,bind=:0,sourceport=%u", wanted.port), NULL);
    unsigned port = program_logs_port(program, " N successfully prepared local socket AF=2 ");

    send_text(harness, &other, port, "from another");
    is_next(harness, &wanted, port, program, "from the wanted one");
    program_logs(program, " W refusing connection from AF=2 " LOCAL ":* due to wrong sourceport");
}

static void recv_takes_packets_of_everybody(void **state)
{
    struct harness *harness = *state;
    struct peer one = new_peer(harness, LOCAL), other = new_peer(harness, "127.0.0.2");
    struct program *program =
        program_start(harness, "-d", "-d", "-u", "UDP4-RECV:0,bind=" LOCAL, "-", NULL);
    unsigned port = program_logs_port(program, " bound to AF=2 " LOCAL ":");

    is_next(harness, &one, port, program, "from one\n");
    is_next(harness, &other, port, program, "from the other\n");
}

static void recv_filters_packets(void **state)
{
    struct harness *harness = *state;
    struct peer one = new_peer(harness, LOCAL), other = new_peer(harness, "127.0.0.2");
    struct program *program =
        program_start(harness, "-d", "-d", "-u", "UDP4-RECV:0,range=127.0.0.2/32", "-", NULL);
    unsigned port = program_logs_port(program, " bound to AF=2 0.0.0.0:");

    send_text(harness, &one, port, "from one");
    is_next(harness, &other, port, program, "from the other");
}

static void recvfrom_gives_one_packet_and_answers_its_sender(void **state)
{
    struct harness *harness = *state;
    struct peer one = new_peer(harness, LOCAL), other = new_peer(harness, LOCAL);
    struct program *program =
        program_start(harness, "-d", "-d", "UDP4-RECVFROM:0,bind=" LOCAL, "-", NULL);
    unsigned port = program_logs_port(program, " N receiving on AF=2 " LOCAL ":");

    send_text(harness, &one, port, "question");
    program_outputs(program, "question");
    send_text(harness, &one, port, "more");
    send_text(harness, &other, port, "another");
    program_send(program, "answer");
    packet_arrives(harness, one.fd, "answer");
    program_end_input(program);
    program_ends(program, 0);
    program_outputs(program, "");
    assert_true(peer_is_silent(other.fd));
}

static void recvfrom_lets_in_whom_the_range_permits(void **state)
{
    struct harness *harness = *state;
    struct peer one = new_peer(harness, LOCAL), other = new_peer(harness, "127.0.0.2");
    struct program *program =
        program_start(harness, "-d", "-d", "UDP4-RECVFROM:0,range=127.0.0.2/32", "-", NULL);
    unsigned port = program_logs_port(program, " N receiving on AF=2 0.0.0.0:");

    send_text(harness, &one, port, "from one");
    program_logs(program, " W refusing connection from AF=2 " LOCAL ":* due to range option");
    is_next(harness, &other, port, program, "from the other");
}

/* All packets of ten peers wait before the program looks at the first one. */

#define PEERS 10

static void send_all(struct harness *harness, struct program *program, unsigned port,
                     struct peer *peers, int packets)
{
    for (int i = 0; i < PEERS; i++)
        peers[i] = new_peer(harness, LOCAL);
    program_signal(program, SIGSTOP);
    for (int number = 0; number < packets; number++)
        for (int i = 0; i < PEERS; i++)
            send_text(harness, &peers[i], port, text(harness, "%d of %d", number, i));
    program_signal(program, SIGCONT);
}

static void recvfrom_with_fork_answers_each_packet_of_ten_peers_once(void **state)
{
    enum { PACKETS = 8 };
    struct harness *harness = *state;
    struct peer peers[PEERS];
    struct program *program = program_start(harness, "-d", "-d", "-t", "5",
                                            "UDP4-RECVFROM:0,fork,bind=" LOCAL, "PIPE", NULL);
    unsigned port = program_logs_port(program, " N receiving on AF=2 " LOCAL ":");
    send_all(harness, program, port, peers, PACKETS);

    for (int i = 0; i < PEERS; i++) {
        bool seen[PACKETS] = {false};
        for (int count = 0; count < PACKETS; count++) {
            char buffer[32] = "";
            int number = 0, peer = 0;
            packet_receive(harness, peers[i].fd, buffer, sizeof(buffer) - 1, NULL);
            assert_int_equal(sscanf(buffer, "%d of %d", &number, &peer), 2);
            assert_int_equal(peer, i);
            assert_false(seen[number]);
            seen[number] = true;
        }
    }
    program_awaits_peers(program, 0);
    for (int i = 0; i < PEERS; i++)
        assert_true(peer_is_silent(peers[i].fd));
}

static void recvfrom_serves_no_more_than_max_children_at_once(void **state)
{
    struct harness *harness = *state;
    struct peer peer = new_peer(harness, LOCAL);
    unsigned server_port;
    int server = peer_listen(harness, LOCAL, &server_port);
    struct program *program = program_start(harness, "-d", "-d", "-t", "20",
                                            "UDP4-RECVFROM:0,fork,max-children=2,bind=" LOCAL,
                                            text(harness, "TCP4:" LOCAL ":%u", server_port), NULL);
    unsigned port = program_logs_port(program, " N receiving on AF=2 " LOCAL ":");
    int clients[3];

    for (int i = 0; i < 3; i++)
        send_text(harness, &peer, port, "x");
    clients[0] = peer_accept(harness, server);
    clients[1] = peer_accept(harness, server);
    program_logs(program, " N maxchildren are active, waiting");
    assert_true(peer_is_silent(server));
    peer_send(harness, clients[0], "done");
    harness_close(harness, clients[0]);
    packet_arrives(harness, peer.fd, "done");
    clients[2] = peer_accept(harness, server);
    peer_receives(harness, clients[2], "x");
}

static void listen_serves_ten_peers_that_send_at_once_in_order(void **state)
{
    enum { PACKETS = 15 };
    struct harness *harness = *state;
    struct peer peers[PEERS];
    struct program *program =
        program_start(harness, "-d", "-d", "UDP4-LISTEN:0,fork,bind=" LOCAL, "SOCKETPAIR", NULL);
    unsigned port = program_logs_port(program, " N listening on UDP AF=2 " LOCAL ":");
    send_all(harness, program, port, peers, PACKETS);

    for (int i = 0; i < PEERS; i++)
        for (int number = 0; number < PACKETS; number++)
            packet_arrives(harness, peers[i].fd, text(harness, "%d of %d", number, i));
    program_awaits_peers(program, PEERS);
    for (int i = 0; i < PEERS; i++) {
        send_text(harness, &peers[i], port, "once more");
        packet_arrives(harness, peers[i].fd, "once more");
    }
    for (int i = 0; i < PEERS; i++) {
        send_text(harness, &peers[i], port, "");
        assert_true(peer_is_silent(peers[i].fd));
    }
    program_awaits_peers(program, 0);
}

/* Peers that come while the sockets of others are being made. */
static void listen_loses_nothing_while_it_takes_peers(void **state)
{
    enum { ROUNDS = 15, BURST = 6 };
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "UDP4-LISTEN:0,fork,bind=" LOCAL, "SOCKETPAIR", NULL);
    unsigned port = program_logs_port(program, " N listening on UDP AF=2 " LOCAL ":");

    for (int round = 0; round < ROUNDS; round++) {
        struct peer peers[PEERS];
        for (int i = 0; i < PEERS; i++)
            peers[i] = new_peer(harness, LOCAL);
        for (int number = 0; number < BURST; number++)
            for (int i = 0; i < PEERS; i++)
                send_text(harness, &peers[i], port, text(harness, "%d of %d", number, i));
        for (int i = 0; i < PEERS; i++)
            for (int number = 0; number < BURST; number++)
                packet_arrives(harness, peers[i].fd, text(harness, "%d of %d", number, i));
        for (int i = 0; i < PEERS; i++) {
            assert_true(peer_is_silent(peers[i].fd));
            send_text(harness, &peers[i], port, "");
        }
    }
    program_awaits_peers(program, 0);
}

static void listen_hears_its_first_peer_only(void **state)
{
    struct harness *harness = *state;
    struct peer one = new_peer(harness, LOCAL), other = new_peer(harness, LOCAL);
    struct program *program =
        program_start(harness, "-d", "-d", "UDP4-LISTEN:0,bind=" LOCAL, "-", NULL);
    unsigned port = program_logs_port(program, " N listening on UDP AF=2 " LOCAL ":");

    is_next(harness, &one, port, program, "first");
    program_logs(program, " N accepting UDP connection from AF=2 " LOCAL ":");
    send_text(harness, &other, port, "from another");
    is_next(harness, &one, port, program, "second");
    program_send(program, "answer");
    packet_arrives(harness, one.fd, "answer");
}

static void listen_answers_from_where_it_was_reached(void **state)
{
    struct harness *harness = *state;
    struct peer peer = new_peer(harness, LOCAL);
    struct program *program = program_start(harness, "-d", "-d", "UDP4-LISTEN:0", "PIPE", NULL);
    unsigned port = program_logs_port(program, " N listening on UDP AF=2 0.0.0.0:");
    struct place place = place_host(harness, "127.0.0.9", port);

    for (int i = 0; i < 2; i++) {
        packet_send_to(harness, peer.fd, &place, "where?");
        struct place from = packet_arrives(harness, peer.fd, "where?");
        assert_memory_equal(&from.address, &place.address, sizeof(struct sockaddr_in));
    }
}

static void listen_over_ip6_serves_ip4_too(void **state)
{
    struct harness *harness = *state;
    struct peer peer = new_peer(harness, LOCAL);
    struct program *program =
        program_start(harness, "-0", "-d", "-d", "UDP-LISTEN:0", "PIPE", NULL);
    unsigned port = program_logs_port(program, " N listening on UDP AF=10 ");

    send_text(harness, &peer, port, "hello");
    packet_arrives(harness, peer.fd, "hello");
}

static void listen_forbids_peers_out_of_range_and_goes_on(void **state)
{
    struct harness *harness = *state;
    struct peer one = new_peer(harness, LOCAL), other = new_peer(harness, "127.0.0.2");
    struct program *program =
        program_start(harness, "-d", "-d", "-d", "UDP4-LISTEN:0,range=127.0.0.2/32", "-", NULL);
    unsigned port = program_logs_port(program, " N listening on UDP AF=2 0.0.0.0:");

    send_text(harness, &one, port, "from one");
    program_logs(program, " N forbidding UDP connection from AF=2 " LOCAL ":");
    is_next(harness, &other, port, program, "from the other");
    assert_true(program_has_logged(program, " I permitting UDP connection from AF=2 127.0.0.2:"));
}

static void a_second_listener_on_the_port_is_refused(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "UDP4-LISTEN:0,bind=" LOCAL, "PIPE", NULL);
    unsigned port = program_logs_port(program, " N listening on UDP AF=2 " LOCAL ":");
    struct program *second =
        program_start(harness, text(harness, "UDP4-LISTEN:%u,bind=" LOCAL, port), "PIPE", NULL);

    program_ends_logging(second, 1, " E cannot bind to *: Address already in use");
}

static void an_empty_packet_ends_a_connection(void **state)
{
    struct harness *harness = *state;
    struct peer peer = new_peer(harness, LOCAL);
    struct program *program =
        program_start(harness, "-d", "-d", "-u", "UDP4-LISTEN:0,bind=" LOCAL, "-", NULL);
    unsigned port = program_logs_port(program, " N listening on UDP AF=2 " LOCAL ":");

    is_next(harness, &peer, port, program, "data");
    send_text(harness, &peer, port, "");
    program_ends(program, 0);
}

static void an_empty_packet_is_nothing_unless_null_eof_is_given(void **state)
{
    struct harness *harness = *state;
    for (int null_eof = 0; null_eof < 2; null_eof++) {
        struct peer peer = new_peer(harness, LOCAL);
        struct program *program = program_start(
            harness, "-d", "-d", "-u",
            text(harness, "UDP4-RECV:0,bind=" LOCAL ",null-eof=%d", null_eof), "-", NULL);
        unsigned port = program_logs_port(program, " bound to AF=2 " LOCAL ":");

        is_next(harness, &peer, port, program, "before");
        send_text(harness, &peer, port, "");
        if (null_eof)
            program_ends(program, 0);
        else
            is_next(harness, &peer, port, program, "after");
    }
}

/* The kernel drops them; none of them goes without a word. */
static void packets_that_come_too_fast_are_counted(void **state)
{
    enum { COUNT = 3000, SIZE = 1000 };
    struct harness *harness = *state;
    struct peer peer = new_peer(harness, LOCAL);
    char data[SIZE] = "";
    struct program *program = program_start(
        harness, "-d", "-d", "-u", "UDP4-RECV:0,bind=" LOCAL ",rcvbuf=20000,null-eof", "-", NULL);
    unsigned port = program_logs_port(program, " bound to AF=2 " LOCAL ":");
    struct place place = place_host(harness, LOCAL, port);
    packet_connect(harness, peer.fd, &place);
    program_logs(program, " N starting data transfer loop");
    program_signal(program, SIGSTOP);
    for (int i = 0; i < COUNT; i++)
        packet_send(harness, peer.fd, data, sizeof data);
    program_signal(program, SIGCONT);
    program_logs(program, " W * packets for socket 1 were dropped, because they came faster");
    packet_send(harness, peer.fd, "", 0);
    program_ends(program, 0);
    size_t length, counted = 0;
    program_output(program, &length);
    for (const char *line = program_log(program);
         (line = strstr(line, " packets for socket 1 were dropped")) != NULL; line++) {
        const char *digits = line;
        while (digits[-1] >= '0' && digits[-1] <= '9')
            digits--;
        counted += strtoul(digits, NULL, 10);
    }
    assert_true(counted > 0);
    assert_int_equal(length / SIZE + counted, COUNT);
}

static void a_packet_that_is_longer_than_the_buffer_is_cut_with_a_warning(void **state)
{
    struct harness *harness = *state;
    struct peer peer = new_peer(harness, LOCAL);
    struct program *program =
        program_start(harness, "-d", "-d", "-b", "10", "-u", "UDP4-RECV:0,bind=" LOCAL, "-", NULL);
    unsigned port = program_logs_port(program, " bound to AF=2 " LOCAL ":");

    send_text(harness, &peer, port, "0123456789abc");
    program_outputs(program, "0123456789");
    program_logs(program, " W packet of 13 bytes is cut to the 10 bytes of the buffer");
    is_next(harness, &peer, port, program, "0123456789");
}

static void a_packet_that_is_too_long_to_be_sent_takes_no_other_with_it(void **state)
{
    struct harness *harness = *state;
    struct peer target = new_peer(harness, LOCAL);
    const char *name = path(harness, "socket");
    struct program *program =
        program_start(harness, "-d", "-d", "-u", text(harness, "UNIX-RECV:%s,null-eof", name),
                      text(harness, "UDP4-SENDTO:" LOCAL ":%u", target.port), NULL);
    struct place own = place_path(harness, path(harness, "own")), place = place_path(harness, name);
    int fd = packet_socket(harness, SOCK_DGRAM, 0, &own);
    char *large = memory(harness, 65530);

    program_logs(program, " N receiving on ");
    packet_connect(harness, fd, &place);
    memset(large, 'x', 65530);
    packet_send(harness, fd, "before", 6);
    packet_send(harness, fd, large, 65530);
    packet_send(harness, fd, "after", 5);
    packet_send(harness, fd, "", 0);
    packet_arrives(harness, target.fd, "before");
    packet_arrives(harness, target.fd, "after");
    program_ends_logging(program, 1,
                         " E cannot write to *: Message too long*65530 bytes is dropped*65530)]");
}

static void a_stream_is_cut_into_packets_that_fit(void **state)
{
    struct harness *harness = *state;
    struct peer target = new_peer(harness, LOCAL);
    char *data = memory(harness, 20001), buffer[9000];
    struct program *program;
    size_t received = 0;

    memset(data, 'x', 20000);
    data[20000] = '\0';
    file_write(harness, path(harness, "file"), data);
    program = program_start(harness, "-u", path(harness, "file"),
                            text(harness, "UDP4-SENDTO:" LOCAL ":%u", target.port), NULL);
    program_ends(program, 0);
    while (received < 20000)
        received += packet_receive(harness, target.fd, buffer, sizeof(buffer), NULL);
    assert_int_equal(received, 20000);
}

static void a_refused_connection_is_an_error(void **state)
{
    struct harness *harness = *state;
    struct peer gone = new_peer(harness, LOCAL);
    struct program *program = program_start(
        harness, "-d", "-d", "-", text(harness, "UDP4-CONNECT:" LOCAL ":%u", gone.port), NULL);

    program_logs(program, " N successfully connected from local address AF=2 " LOCAL ":");
    harness_close(harness, gone.fd);
    program_send(program, "anybody?");
    program_ends_logging(program, 1, ": Connection refused");
}

static void options_of_the_socket_hold_for_each_peer_of_a_listener(void **state)
{
    struct harness *harness = *state;
    struct peer peer = new_peer(harness, LOCAL);
    struct program *program =
        program_start(harness, "-d", "-d", "UDP4-LISTEN:0,fork,ip-ttl=7,bind=" LOCAL, "PIPE", NULL);
    unsigned port = program_logs_port(program, " N listening on UDP AF=2 " LOCAL ":");
    char buffer[64], control[256];
    struct iovec piece = {buffer, sizeof(buffer)};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    int on = 1, ttl = 0;

    assert_int_equal(setsockopt(peer.fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on)), 0);
    send_text(harness, &peer, port, "hello");
    assert_int_equal(recvmsg(peer.fd, &message, 0), 5);
    memcpy(&ttl, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(ttl));
    assert_int_equal(ttl, 7);
}

/* What an ICMP packet says is told, and ends nothing: anybody can send one. */
static void with_recverr_a_refused_packet_ends_no_server(void **state)
{
    struct harness *harness = *state;
    static const char *const options[] = {"", ",fork"};

    for (size_t i = 0; i < 2; i++) {
        unsigned own;
        int peer = packet_udp(harness, "127.0.0.1", &own);
        struct place from = place_host(harness, "127.0.0.1", own);
        struct program *program = program_start(
            harness, "-d", "-d",
            text(harness, "UDP4-LISTEN:0,bind=127.0.0.1,ip-recverr%s", options[i]), "-", NULL);
        struct place to =
            place_host(harness, "127.0.0.1",
                       program_logs_port(program, " N listening on UDP AF=2 127.0.0.1:"));

        packet_send_to(harness, peer, &to, "a");
        program_outputs(program, "a");
        harness_close(harness, peer);
        program_send(program, "anybody?");
        program_logs(program,
                     " N packet to AF=2 127.0.0.1:* failed: Connection refused, says 127.0.0.1");
        peer = packet_socket(harness, SOCK_DGRAM, 0, &from);
        packet_send_to(harness, peer, &to, "b");
        program_outputs(program, "b");
        assert_false(program_has_logged(program, " E "));
    }
}

static void wrong_input_is_named(void **state)
{
    static const struct {
        const char *address;
        const char *message;
    } rows[] = {
        {"UDP4-SENDTO:127.0.0.1:nosuchport",
         " E cannot look up port nosuchport: *getaddrinfo(\"127.0.0.1\", \"nosuchport\""},
        {"UDP4-SENDTO:127.0.0.1:70000", " E error in port number \"70000\""},
        {"UDP4-SENDTO:127.0.0.1", " E UDP4-SENDTO: wrong number of parameters"},
        {"UDP-SENDTO:127.0.0.1:1,bind=[::1]", " E bind=[::1]: it is of another address family"},
        {"UDP4-DATAGRAM:127.0.0.1:1,range=1.2.3.4", "no netmask in \"1.2.3.4\": use "},
        {"UDP4-DATAGRAM:127.0.0.1:1,range=1.2.3.4/33", "netmask"},
        {"UDP4-DATAGRAM:127.0.0.1:1,bind=", "address required"},
        {"UDP4-RECVFROM:0,bind=", "address required"},
        {"UDP4-DATAGRAM:127.0.0.1:1,if=nosuch",
         " E cannot set option if=nosuch: No such device*{\"nosuch\"}, 7)]"},
        {"UDP4-DATAGRAM:127.0.0.1:1,ip-add-membership=10.1.2.3:lo",
         " E 10.1.2.3 is not a multicast address"},
        {"UDP6-DATAGRAM:[::1]:1,ipv6-join-group=[ff02::1]:nosuch",
         " E interface \"nosuch\" not found"},
        {"UDP4-CONNECT:127.0.0.1:1,fork", "option \"fork\""},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        program_ends_logging(program_start(harness, "-", rows[i].address, NULL), 1,
                             rows[i].message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(sendto_takes_packets_of_its_target_only),
        SYSTEM_TEST(sendto_has_the_port_of_option_sourceport),
        SYSTEM_TEST(datagram_takes_packets_of_all_whom_the_range_lets_in),
        SYSTEM_TEST(datagram_takes_packets_of_the_port_of_option_sourceport),
        SYSTEM_TEST(recv_takes_packets_of_everybody),
        SYSTEM_TEST(recv_filters_packets),
        SYSTEM_TEST(recvfrom_gives_one_packet_and_answers_its_sender),
        SYSTEM_TEST(recvfrom_lets_in_whom_the_range_permits),
        SYSTEM_TEST(recvfrom_with_fork_answers_each_packet_of_ten_peers_once),
        SYSTEM_TEST(recvfrom_serves_no_more_than_max_children_at_once),
        SYSTEM_TEST(listen_serves_ten_peers_that_send_at_once_in_order),
        SYSTEM_TEST(listen_loses_nothing_while_it_takes_peers),
        SYSTEM_TEST(listen_hears_its_first_peer_only),
        SYSTEM_TEST(listen_answers_from_where_it_was_reached),
        SYSTEM_TEST(listen_over_ip6_serves_ip4_too),
        SYSTEM_TEST(listen_forbids_peers_out_of_range_and_goes_on),
        SYSTEM_TEST(a_second_listener_on_the_port_is_refused),
        SYSTEM_TEST(an_empty_packet_ends_a_connection),
        SYSTEM_TEST(an_empty_packet_is_nothing_unless_null_eof_is_given),
        SYSTEM_TEST(packets_that_come_too_fast_are_counted),
        SYSTEM_TEST(a_packet_that_is_longer_than_the_buffer_is_cut_with_a_warning),
        SYSTEM_TEST(a_packet_that_is_too_long_to_be_sent_takes_no_other_with_it),
        SYSTEM_TEST(a_stream_is_cut_into_packets_that_fit),
        SYSTEM_TEST(a_refused_connection_is_an_error),
        SYSTEM_TEST(options_of_the_socket_hold_for_each_peer_of_a_listener),
        SYSTEM_TEST(with_recverr_a_refused_packet_ends_no_server),
        SYSTEM_TEST(wrong_input_is_named),
    };
    return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
