/* What was sent last arrives though the peer says something that nobody wants: a socket that is
 * closed with something unread would reset its connection. */

#define _GNU_SOURCE
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LENGTH ((size_t)3000000)

/* So much fits into what the kernel keeps of a connection. */
#define SHORT_LENGTH ((size_t)100000)

static const char *content(struct harness *harness, size_t length)
{
    const char *name = path(harness, "content");
    char *bytes = memory(harness, length + 1);
    memset(bytes, 'x', length);
    bytes[length] = '\0';
    file_write(harness, name, bytes);
    return name;
}

/* Reads to the end, and returns how much came. */
static size_t read_all(struct harness *harness, int fd)
{
    static char bytes[65536];
    size_t total = 0;
    for (;;) {
        struct pollfd entry = {.fd = fd, .events = POLLIN};
        if (poll(&entry, 1, PATIENCE) <= 0)
            harness_fail(harness, "nothing comes behind %zu bytes", total);
        ssize_t count = read(fd, bytes, sizeof(bytes));
        if (count < 0 && errno != EAGAIN)
            harness_fail(harness, "%s behind %zu bytes", strerror(errno), total);
        if (count == 0)
            return total;
        total += count > 0 ? (size_t)count : 0;
    }
}

static void a_file_for_whoever_connects_arrives_though_he_says_something(void **state)
{
    static const char *const listeners[] = {"TCP4-LISTEN:0,bind=" LOOPBACK ",fork",
                                            "TCP6-LISTEN:0,bind=[::1],fork"};
    for (size_t i = 0; i < (peer_has_ipv6() ? 2U : 1U); i++) {
        struct program *program =
            program_start(*state, "-d", "-d", "-t", "20", "-U", listeners[i],
                          text(*state, "OPEN:%s", content(*state, LENGTH)), NULL);
        unsigned port = program_port(program);
        for (int client = 0; client < 3; client++) {
            int fd = peer_connect(*state, i == 0 ? LOOPBACK : "::1", port);
            peer_send(*state, fd, "GET / HTTP/1.0\r\n\r\n");
            assert_int_equal(read_all(*state, fd), LENGTH);
            harness_close(*state, fd);
        }
        program_signal(program, SIGTERM);
        program_ends(program, 143);
    }
}

/* It greets, and says more while it is written to, and at the end. */
static void a_server_that_greets_gets_all_of_a_file(void **state)
{
    unsigned port;
    int listener = peer_listen(*state, LOOPBACK, &port);
    struct program *program = program_start(*state, "-t", "20", "-u", content(*state, LENGTH),
                                            text(*state, "TCP4:" LOOPBACK ":%u", port), NULL);
    int server = peer_accept(*state, listener);
    char bytes[100000];
    peer_send(*state, server, "220 ready\r\n");
    assert_int_equal(recv(server, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
    peer_send(*state, server, "250 go on\r\n");
    assert_int_equal(read_all(*state, server), LENGTH - sizeof(bytes));
    peer_send(*state, server, "221 bye\r\n");
    harness_close(*state, server);
    program_ends(program, 0);
}

/* More than a connection holds, before it reads anything. */
static void a_peer_that_writes_before_it_reads_does_not_stop_a_session(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    program_start(harness, "-t", "20", "-u", content(harness, LENGTH),
                  text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    int server = peer_accept(harness, listener);
    static char bytes[20000000];
    for (size_t done = 0; done < sizeof(bytes);) {
        struct pollfd entry = {.fd = server, .events = POLLOUT};
        if (poll(&entry, 1, PATIENCE) <= 0)
            harness_fail(harness, "it takes no more than %zu bytes", done);
        ssize_t count = send(server, bytes + done, sizeof(bytes) - done, MSG_DONTWAIT);
        if (count < 0 && errno != EAGAIN)
            harness_fail(harness, "send(): %s", strerror(errno));
        done += count > 0 ? (size_t)count : 0;
    }
    assert_int_equal(read_all(harness, server), LENGTH);
}

/* `option` ends what comes from the first address, while more of that is on its way. */
static void arrives_though_an_option_ends_the_other_direction(struct harness *harness,
                                                              const char *option)
{
    struct bridge bridge = bridge_open(harness, LOOPBACK, "20", option, "");
    static char more[SHORT_LENGTH];
    peer_send(harness, bridge.client, "abcdeZ");
    peer_receives(harness, bridge.server, "abcde");
    peer_receives_end(harness, bridge.server);
    memset(more, 'm', sizeof(more));
    assert_int_equal(send(bridge.client, more, sizeof(more), 0), sizeof(more));
    assert_int_equal(send(bridge.server, more, sizeof(more), 0), sizeof(more));
    harness_close(harness, bridge.server);
    assert_int_equal(read_all(harness, bridge.client), sizeof(more));
    harness_close(harness, bridge.client);
    program_ends(bridge.program, 0);
    assert_false(program_has_logged(bridge.program, " W "));
}

static void readbytes_and_escape_do_not_cut_off_the_answer(void **state)
{
    arrives_though_an_option_ends_the_other_direction(*state, "readbytes=5");
    arrives_though_an_option_ends_the_other_direction(*state, "escape=90");
}

/* Sends a file to a peer that reads all of it and stays, until the program ends without a word. */
static void send_to_one_who_stays(struct harness *harness, const char *closing, const char *options)
{
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-t", closing, "-u", content(harness, SHORT_LENGTH),
                      text(harness, "TCP4:" LOOPBACK ":%u%s", port, options), NULL);
    int server = peer_accept(harness, listener);
    assert_int_equal(read_all(harness, server), SHORT_LENGTH);
    program_ends(program, 0);
    assert_string_equal(program_log(program), "");
}

static void a_peer_that_never_ends_is_waited_for_as_long_as_the_closing_timeout_says(void **state)
{
    long long began = milliseconds();
    send_to_one_who_stays(*state, "0.3", "");
    assert_true(milliseconds() - began >= 290);
}

/* It has no reason to end. */
static void a_peer_that_is_not_told_of_the_end_is_not_waited_for(void **state)
{
    send_to_one_who_stays(*state, "60", ",shut-none");
}

static void a_signal_ends_that_wait(void **state)
{
    unsigned port;
    int listener = peer_listen(*state, LOOPBACK, &port);
    struct program *program =
        program_start(*state, "-d", "-d", "-t", "600", "-u", content(*state, SHORT_LENGTH),
                      text(*state, "TCP4:" LOOPBACK ":%u", port), NULL);
    int server = peer_accept(*state, listener);
    assert_int_equal(read_all(*state, server), SHORT_LENGTH);
    program_signal(program, SIGTERM);
    program_ends(program, 143);
}

/* It takes less than what was sent, and goes. */
static void a_reset_with_data_on_its_way_is_an_error(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_bind(harness, LOOPBACK, &port), small = 4096;
    assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    assert_int_equal(listen(listener, 1), 0);
    struct program *program =
        program_start(harness, "-d", "-d", "-d", "-t", "20", "-u", content(harness, SHORT_LENGTH),
                      text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    int server = peer_accept(harness, listener);
    program_logs(program, " I shutdown(");
    peer_reset(harness, server);
    program_ends_logging(program, 1, " E Connection reset by peer before the peer had taken");
}

/* The kinds of UNIX connections, by the options of UNIX-CONNECT. */
static const struct {
    const char *options;
    int type;
} kinds[] = {{"", SOCK_STREAM}, {",so-type=5", SOCK_SEQPACKET}};
#define EACH_KIND(index) for (size_t index = 0; index < sizeof(kinds) / sizeof(kinds[0]); index++)

/* The program, with a connection to a server of that kind. */
struct sender {
    struct program *program;
    int listener, server;
};

static struct sender send_over(struct harness *harness, size_t kind, size_t length)
{
    const char *name = path(harness, "socket");
    struct place place = place_path(harness, name);
    unlink(name);
    int listener = packet_socket(harness, kinds[kind].type, 0, &place);
    assert_int_equal(listen(listener, 1), 0);
    struct program *program = program_start(
        harness, "-d", "-d", "-d", "-t", "20", "-b", "1000", "-u", content(harness, length),
        text(harness, "UNIX-CONNECT:%s%s", name, kinds[kind].options), NULL);
    return (struct sender){program, listener, peer_accept(harness, listener)};
}

static void ends(struct harness *harness, struct sender *sender)
{
    harness_close(harness, sender->server);
    program_ends(sender->program, 0);
    assert_false(program_has_logged(sender->program, " E "));
    harness_close(harness, sender->listener);
}

/* All of it waits in the connection, and so does what the peer says, until that takes it. */
static void what_is_sent_last_over_a_unix_socket_arrives_though_the_peer_says_something(
    void **state)
{
    EACH_KIND(kind)
    {
        struct sender sender = send_over(*state, kind, 20000);
        peer_send(*state, sender.server, "hello\n");
        program_logs(sender.program, " is at EOF");
        process_rests(*state, program_pid(sender.program));
        assert_int_equal(read_all(*state, sender.server), 20000);
        ends(*state, &sender);
    }
}

/* More than fits into the connection. */
static void a_unix_peer_that_writes_before_it_reads_does_not_stop_a_session(void **state)
{
    struct harness *harness = *state;
    static const char bytes[1000];
    EACH_KIND(kind)
    {
        struct sender sender = send_over(harness, kind, LENGTH);
        for (size_t done = 0; done < LENGTH;) {
            struct pollfd entry = {.fd = sender.server, .events = POLLOUT};
            if (poll(&entry, 1, PATIENCE) <= 0)
                harness_fail(harness, "it takes no more than %zu bytes", done);
            ssize_t count = send(sender.server, bytes, sizeof(bytes), MSG_DONTWAIT);
            done += count > 0 ? (size_t)count : 0;
        }
        assert_int_equal(read_all(harness, sender.server), LENGTH);
        ends(harness, &sender);
    }
}

static void a_unix_peer_that_leaves_something_unread_is_an_error(void **state)
{
    EACH_KIND(kind)
    {
        struct sender sender = send_over(*state, kind, 20000);
        program_logs(sender.program, " I shutdown(");
        harness_close(*state, sender.server);
        program_ends_logging(sender.program, 1,
                             " E Connection reset by peer before the peer had taken");
        harness_close(*state, sender.listener);
    }
}

/* What is given back by nobody and what a program does are not waited for. */
static void ends_without_a_peer_end_at_once(void **state)
{
    static const char *const addresses[] = {"SOCKETPAIR", "SOCKETPAIR,so-type=5", "EXEC:head -c 1",
                                            "EXEC:cat"};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct program *program =
            program_start(*state, "-t", "600", "-u", content(*state, 5), addresses[i], NULL);
        program_ends(program, 0);
    }
}

static void a_reader_that_goes_ends_a_session_of_one_direction(void **state)
{
    int pair[2], ends[2];
    peer_pair(*state, pair);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const char *const arguments[] = {"-d", "-d", "-u", "-", "FD:1", NULL};
    struct program *program = program_launch(
        *state, &(struct launch){.arguments = arguments, .out = ends[1], .in = pair[0]});
    close(ends[1]);
    program_logs(program, " N starting data transfer loop");
    close(ends[0]);
    program_ends_logging(program, 0, " has gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_file_for_whoever_connects_arrives_though_he_says_something),
        SYSTEM_TEST(a_server_that_greets_gets_all_of_a_file),
        SYSTEM_TEST(a_peer_that_writes_before_it_reads_does_not_stop_a_session),
        SYSTEM_TEST(readbytes_and_escape_do_not_cut_off_the_answer),
        SYSTEM_TEST(a_peer_that_never_ends_is_waited_for_as_long_as_the_closing_timeout_says),
        SYSTEM_TEST(a_peer_that_is_not_told_of_the_end_is_not_waited_for),
        SYSTEM_TEST(a_signal_ends_that_wait),
        SYSTEM_TEST(a_reset_with_data_on_its_way_is_an_error),
        SYSTEM_TEST(what_is_sent_last_over_a_unix_socket_arrives_though_the_peer_says_something),
        SYSTEM_TEST(a_unix_peer_that_writes_before_it_reads_does_not_stop_a_session),
        SYSTEM_TEST(a_unix_peer_that_leaves_something_unread_is_an_error),
        SYSTEM_TEST(ends_without_a_peer_end_at_once),
        SYSTEM_TEST(a_reader_that_goes_ends_a_session_of_one_direction),
    };
    return cmocka_run_group_tests_name("parting", tests, NULL, NULL);
}
