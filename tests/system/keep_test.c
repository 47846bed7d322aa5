/* KEEP: what goes and comes back, and what becomes of the data meanwhile. */

#define _GNU_SOURCE
#include "tests/system/peers.h"
#ifdef WITH_TLS
#include "tests/system/certificates.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOON "interval=0.001,max-interval=0.01"

/* How often a peer is lost where that counts; MODCAT_TEST_LOSSES says otherwise. */
static unsigned losses(void)
{
    const char *wanted = getenv("MODCAT_TEST_LOSSES");
    return wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : 200;
}

static int unix_listen(struct harness *harness, const char *name, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, name, sizeof address.sun_path - 1);
    unlink(name);
    int fd = harness_keep(harness, socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 5) < 0)
        harness_fail(harness, "cannot listen on %s: %s", name, strerror(errno));
    return fd;
}

/* A client of a server that has KEEP on its other side: one session of either engine. */
struct kept {
    struct program *program;
    int client;
};

static struct kept keep_with(struct harness *harness, const char *keep, const char *closing)
{
    struct kept kept = {
        .program = program_start(harness, "-d", "-d", "-t", closing,
                                 "TCP4-LISTEN:0,bind=" LOOPBACK ",fork", keep, NULL),
    };
    kept.client = peer_connect(harness, LOOPBACK, program_port(kept.program));
    int yes = 1;
    setsockopt(kept.client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return kept;
}

static struct kept keep(struct harness *harness, const char *address)
{
    return keep_with(harness, address, "10");
}

static const char *over_tcp(struct harness *harness, const char *options, unsigned port)
{
    return text(harness, "KEEP,%s|TCP4:" LOOPBACK ":%u,nodelay", options, port);
}

static const char *over_unix(struct harness *harness, const char *options)
{
    return text(harness, "KEEP,%s|UNIX:%s", options, path(harness, "socket"));
}

static int receive_line(struct harness *harness, int fd, char *line, size_t size)
{
    size_t length = 0;
    while (length + 1 < size) {
        struct pollfd entry = {.fd = fd, .events = POLLIN};
        if (poll(&entry, 1, PATIENCE) <= 0)
            harness_fail(harness, "no line came");
        ssize_t count = read(fd, line + length, 1);
        if (count <= 0)
            break;
        if (line[length++] == '\n')
            break;
    }
    line[length] = '\0';
    return (int)length;
}

/* In both directions, and while nobody is there. */
static void loses_and_doubles_nothing_while_its_peer_goes_and_comes(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct kept kept = keep(harness, over_tcp(harness, SOON, port));
    int server = peer_accept(harness, listener);
    for (unsigned i = 0; i < losses(); i++) {
        const char *up = text(harness, "up %u\n", i), *down = text(harness, "down %u\n", i);
        peer_send(harness, kept.client, up);
        peer_receives(harness, server, up);
        peer_send(harness, server, down);
        if (i % 3 == 2)
            peer_receives(harness, kept.client, down);
        if (i % 3 == 2)
            peer_reset(harness, server);
        else
            harness_close(harness, server);
        if (i % 3 != 2)
            peer_receives(harness, kept.client, down);
        program_logs(kept.program, " W KEEP: TCP4:" LOOPBACK ":*is lost");
        const char *meanwhile = text(harness, "meanwhile %u\n", i);
        peer_send(harness, kept.client, meanwhile);
        server = peer_accept(harness, listener);
        peer_receives(harness, server, meanwhile);
    }
    peer_end(kept.client);
    peer_receives_end(harness, server);
    peer_send(harness, server, "last");
    harness_close(harness, server);
    peer_receives(harness, kept.client, "last");
    peer_receives_end(harness, kept.client);
}

/* The peer ends with something unread: what it has said before comes through, though nothing can
 * be written to it any more. Of what was written to it nothing is written twice. */
static void reads_a_peer_to_its_end_that_takes_no_more(void **state)
{
    struct harness *harness = *state;
    char line[64], wanted[64];
    long last = -1;
    int listener = unix_listen(harness, path(harness, "socket"), SOCK_STREAM);
    struct kept kept = keep(harness, over_unix(harness, SOON));
    int flags = fcntl(kept.client, F_GETFL);
    fcntl(kept.client, F_SETFL, flags | O_NONBLOCK);
    for (unsigned i = 0, number = 0; i < losses() / 4; i++) {
        int server = peer_accept(harness, listener);
        for (unsigned j = 0; j < 100; j++) {
            int length = snprintf(line, sizeof line, "%u\n", number);
            if (write(kept.client, line, (size_t)length) == length)
                number++;
        }
        receive_line(harness, server, line, sizeof line);
        long first = number_in(harness, line);
        if (first <= last)
            harness_fail(harness, "%ld came again after %ld", first, last);
        last = first;
        for (unsigned j = 0; j < 50; j++)
            peer_send(harness, server, text(harness, "down %u %u\n", i, j));
        harness_close(harness, server);
        for (unsigned j = 0; j < 50; j++) {
            snprintf(wanted, sizeof wanted, "down %u %u\n", i, j);
            receive_line(harness, kept.client, line, sizeof line);
            assert_string_equal(line, wanted);
        }
    }
}

static void says_once_that_it_is_lost_and_once_that_it_is_back(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    int listener = unix_listen(harness, name, SOCK_STREAM);
    struct kept kept = keep(harness, over_unix(harness, SOON));
    int server = peer_accept(harness, listener);
    harness_close(harness, listener);
    harness_close(harness, server);
    program_logs(kept.program, " W KEEP: UNIX:*is lost (end of file); trying to open it again");
    program_logs(kept.program, " N cannot connect to *Connection refused");
    peer_send(harness, kept.client, "meanwhile");
    listener = unix_listen(harness, name, SOCK_STREAM);
    server = peer_accept(harness, listener);
    peer_receives(harness, server, "meanwhile");
    program_logs(kept.program, " W KEEP: UNIX:*is back after 0.*seconds");
    peer_send(harness, server, "again");
    peer_receives(harness, kept.client, "again");
}

/* What does not fit waits where it comes from. */
static void holds_no_more_than_it_may_and_loses_nothing(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    int listener = unix_listen(harness, name, SOCK_STREAM);
    struct kept kept = keep(harness, over_unix(harness, SOON ",hold-size=1000"));
    int server = peer_accept(harness, listener);
    harness_close(harness, listener);
    harness_close(harness, server);
    program_logs(kept.program, "is lost");
    struct flow flow = {.write_fd = kept.client, .seed = 1, .length = 64 << 20};
    size_t taken = flow_push(harness, &flow);
    listener = unix_listen(harness, name, SOCK_STREAM);
    flow.read_fd = peer_accept(harness, listener);
    program_logs(kept.program, "is back after *; 1000 bytes were held");
    flow.length = taken + (1 << 20);
    flows_run(harness, &flow, 1);
}

/* A pipe, unlike a TCP connection, has all that was written as soon as it was written: a program
 * that rests has read it. */
static void discards_what_comes_meanwhile_and_counts_it(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    int listener = unix_listen(harness, name, SOCK_STREAM);
    struct program *program = program_start(harness, "-d", "-d", "-",
                                            over_unix(harness, SOON ",while-away=discard"), NULL);
    int client = program_take_input(program);
    int server = peer_accept(harness, listener);
    harness_close(harness, listener);
    harness_close(harness, server);
    program_logs(program, "is lost");
    struct flow flow = {.write_fd = client, .seed = 1, .length = 3000000, .open_end = true};
    size_t taken = flow_push(harness, &flow);
    assert_int_equal(taken, 3000000);
    process_rests(harness, program_pid(program));
    peer_send(harness, client, "nobody sees this");
    process_rests(harness, program_pid(program));
    listener = unix_listen(harness, name, SOCK_STREAM);
    server = peer_accept(harness, listener);
    const char *line = program_logs(program, "is back after *bytes were discarded");
    assert_non_null(strstr(line, "; 3000016 bytes were discarded"));
    peer_send(harness, client, "but this");
    peer_receives(harness, server, "but this");
}

static void ends_the_session_when_something_comes_meanwhile(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program = program_start(
        harness, "-d", "-d", "-", over_tcp(harness, SOON ",while-away=close", port), NULL);
    int server = peer_accept(harness, listener);
    harness_close(harness, listener);
    harness_close(harness, server);
    program_logs(program, "is lost");
    program_send(program, "x");
    program_ends_logging(program, 1, " E cannot write to KEEP*Transport endpoint is not connected");
}

/* The end of the upper side comes when the peer is back, and behind what was held. */
static void keeps_the_end_for_a_peer_that_comes_back(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    int listener = unix_listen(harness, name, SOCK_STREAM);
    struct kept kept = keep(harness, over_unix(harness, SOON));
    int server = peer_accept(harness, listener);
    harness_close(harness, listener);
    harness_close(harness, server);
    program_logs(kept.program, "is lost");
    peer_send(harness, kept.client, "last words");
    peer_end(kept.client);
    program_logs(kept.program, "is at EOF");
    listener = unix_listen(harness, name, SOCK_STREAM);
    server = peer_accept(harness, listener);
    peer_receives(harness, server, "last words");
    peer_receives_end(harness, server);
    peer_send(harness, server, "answer");
    harness_close(harness, server);
    peer_receives(harness, kept.client, "answer");
    peer_receives_end(harness, kept.client);
}

static void waits_for_it_as_long_as_option_t_says(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    int listener = unix_listen(harness, name, SOCK_STREAM);
    struct kept kept = keep_with(harness, over_unix(harness, SOON), "0.2");
    int server = peer_accept(harness, listener);
    harness_close(harness, listener);
    harness_close(harness, server);
    program_logs(kept.program, "is lost");
    peer_send(harness, kept.client, "last words");
    peer_end(kept.client);
    peer_receives_end(harness, kept.client);
    program_logs(kept.program, " W KEEP: 10 bytes that were held are not delivered");
}

static void a_half_close_goes_through_and_then_the_end_is_the_end(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-d", "-t", "10", "-", over_tcp(harness, SOON, port), NULL);
    int server = peer_accept(harness, listener);
    program_send(program, "question");
    program_end_input(program);
    peer_receives(harness, server, "question");
    peer_receives_end(harness, server);
    peer_send(harness, server, "answer");
    harness_close(harness, server);
    program_outputs(program, "answer");
    program_ends(program, 0);
    assert_false(program_has_logged(program, "KEEP"));
}

static void gives_up_after_so_many_tries(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-d", "-", over_tcp(harness, SOON ",keep-tries=3", port), NULL);
    int server = peer_accept(harness, listener);
    harness_close(harness, listener);
    harness_close(harness, server);
    program_logs(program, " W cannot connect to " LOOPBACK ":*Connection refused");
    program_logs(program, " E KEEP: TCP4:" LOOPBACK ":*does not come back: given up after 3 tries");
    program_ends(program, 1);
    assert_null(program_line(program, " E cannot"));
}

static void the_first_opening_fails_as_usual(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-", over_unix(harness, SOON), NULL);
    program_ends_logging(program, 1, " E cannot connect to *No such file or directory");
}

static void with_forever_it_waits_for_the_first_opening_too(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", "-t", "10", "-",
                                            over_unix(harness, SOON ",forever"), NULL);
    program_send(program, "early");
    program_logs(program, " N cannot connect to *No such file or directory");
    int listener = unix_listen(harness, path(harness, "new"), SOCK_STREAM);
    assert_int_equal(rename(path(harness, "new"), path(harness, "socket")), 0);
    int server = peer_accept(harness, listener);
    peer_receives(harness, server, "early");
    harness_close(harness, server);
    program_logs(program, "is lost");
    server = peer_accept(harness, listener);
    program_end_input(program);
    peer_receives_end(harness, server);
    harness_close(harness, server);
    program_ends(program, 0);
}

/* The other lines of a terminal's user, and of a program that ends again and again. */
static void starts_a_program_again_that_dies(void **state)
{
    struct harness *harness = *state;
    struct kept kept =
        keep(harness, "KEEP," SOON "|SYSTEM:\"read line; echo got $line; test $line != two\"");
    const char *const lines[] = {"one", "two", "three", "four"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        peer_send(harness, kept.client, text(harness, "%s\n", lines[i]));
        peer_receives(harness, kept.client, text(harness, "got %s\n", lines[i]));
        program_logs(kept.program, "is lost");
    }
}

static void a_program_that_cannot_be_kept_alive_is_left_more_and_more_alone(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(
        harness, "-d", "-d", "-u", "KEEP,interval=0.2,max-interval=0.5|SYSTEM:true", "-", NULL);
    const char *const times[] = {"0.2", "0.4", "0.5"};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        const char *line = strstr(program_logs(program, "is back after"), "after ");
        double wanted = atof(times[i]), seconds = atof(line + strlen("after "));
        assert_true(seconds >= wanted - 0.001);
    }
    program_signal(program, SIGTERM);
    program_ends(program, 143);
}

/* Written to only: the peer's end is seen all the same. */
static void sessions_of_one_direction_are_kept(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-d", "-d", "-u", "-", over_tcp(harness, SOON, port), NULL);
    for (int i = 0; i < 3; i++) {
        int server = peer_accept(harness, listener);
        const char *line = text(harness, "line %d\n", i);
        program_send(program, line);
        peer_receives(harness, server, line);
        if (i == 1)
            peer_reset(harness, server);
        else
            harness_close(harness, server);
        program_logs(program, "is lost");
    }
    int server = peer_accept(harness, listener);
    program_end_input(program);
    peer_receives_end(harness, server);
    harness_close(harness, server);
    program_ends(program, 0);
}

static void what_is_only_read_is_kept(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-d", "-u", over_tcp(harness, SOON, port), "-", NULL);
    for (int i = 0; i < 3; i++) {
        int server = peer_accept(harness, listener);
        const char *line = text(harness, "line %d\n", i);
        peer_send(harness, server, line);
        harness_close(harness, server);
        program_outputs(program, line);
    }
    program_signal(program, SIGTERM);
    program_ends(program, 143);
}

static void receive_message(struct harness *harness, int fd, const char *wanted)
{
    char message[64] = "";
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    if (poll(&entry, 1, PATIENCE) <= 0 || recv(fd, message, sizeof message - 1, 0) < 0)
        harness_fail(harness, "no message \"%s\" came", wanted);
    assert_string_equal(message, wanted);
}

static void messages_that_are_held_stay_messages(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket"), *left = path(harness, "left");
    int listener = unix_listen(harness, name, SOCK_SEQPACKET);
    int users = unix_listen(harness, left, SOCK_SEQPACKET);
    struct program *program = program_start(
        harness, "-d", "-d", "-t", "10", text(harness, "UNIX-CONNECT:%s,so-type=5", left),
        text(harness, "KEEP," SOON ",hold-size=20|UNIX-CONNECT:%s,so-type=5", name), NULL);
    int user = peer_accept(harness, users), server = peer_accept(harness, listener);
    send(user, "before", 6, 0);
    receive_message(harness, server, "before");
    harness_close(harness, listener);
    harness_close(harness, server);
    program_logs(program, "is lost");
    const char *const messages[] = {"one", "twotwo", "a", "threethreethree", "four", "five"};
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        send(user, messages[i], strlen(messages[i]), 0);
    listener = unix_listen(harness, name, SOCK_SEQPACKET);
    server = peer_accept(harness, listener);
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        receive_message(harness, server, messages[i]);
    send(server, "answer", 6, 0);
    receive_message(harness, user, "answer");
}

/* A serial line that is unplugged, and plugged in again. */
static void a_terminal_line_comes_back(void **state)
{
    struct harness *harness = *state;
    const char *line = path(harness, "line"), *ready = text(harness, "PTY,raw,link=%s", line);
    struct program *device = program_start_helper(harness, "-d", "-d", ready, "-", NULL);
    program_logs(device, "starting data transfer");
    struct program *program = program_start(harness, "-d", "-d", "-",
                                            text(harness, "KEEP," SOON "|OPEN:%s,raw", line), NULL);
    size_t descriptors = 0;
    for (int i = 0; i < 5; i++) {
        program_send(program, "ping");
        program_outputs(device, "ping");
        program_send(device, "pong");
        program_outputs(program, "pong");
        if (i == 1)
            descriptors = process_descriptors(program_pid(program));
        program_signal(device, SIGTERM);
        program_ends(device, 143);
        program_logs(program, "is lost");
        device = program_start_helper(harness, "-d", "-d", ready, "-", NULL);
        program_logs(program, "is back");
    }
    process_awaits_descriptors(harness, program_pid(program), descriptors);
}

/* A connection that comes about only slowly holds up the end no longer than one try takes. */
static void a_try_takes_no_longer_than_it_may(void **state)
{
    struct harness *harness = *state;
    unsigned silent, port;
    peer_listen_unresponsive(harness, LOOPBACK, &silent);
    int listener = peer_listen(harness, LOOPBACK, &port);
    const char *options = SOON ",keep-timeout=0.1,while-away=discard";
    struct kept kept =
        keep(harness, text(harness,
                           "KEEP,%s|FAILOVER:(TCP4:" LOOPBACK ":%u,connect-timeout=0.05)"
                           "(TCP4:" LOOPBACK ":%u),check=0",
                           options, port, silent));
    int server = peer_accept(harness, listener);
    harness_close(harness, listener);
    harness_close(harness, server);
    program_logs(kept.program, "is lost");
    program_logs(kept.program, "cannot connect to " LOOPBACK "*Connection timed out");
    program_logs(kept.program, "cannot connect to " LOOPBACK "*Connection timed out");
    peer_send(harness, kept.client, "nobody is there");
    peer_end(kept.client);
    program_logs(kept.program, "is at EOF");
}

/* A listener is opened again for the next peer. With fork each peer has a session of its own, whose
 * end is its end. */
static void the_next_client_of_a_listener_comes_to_the_same_session(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "-t", "10", "-",
                      "KEEP," SOON "|TCP4-LISTEN:0,bind=" LOOPBACK ",reuseaddr", NULL);
    for (int i = 0; i < 3; i++) {
        int client = peer_connect(harness, LOOPBACK, program_port(program));
        peer_send(harness, client, "x");
        program_outputs(program, "x");
        program_send(program, "y");
        peer_receives(harness, client, "y");
        harness_close(harness, client);
        program_logs(program, "is lost");
    }
    program_signal(program, SIGTERM);
    program_ends(program, 143);
}

static void sessions_of_a_listener_end_with_their_peers(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "KEEP," SOON "|TCP4-LISTEN:0,bind=" LOOPBACK ",fork",
                      "SYSTEM:\"cat; echo end\"", NULL);
    unsigned port = program_port(program);
    for (int i = 0; i < 2; i++) {
        int client = peer_connect(harness, LOOPBACK, port);
        peer_send(harness, client, "x");
        peer_receives(harness, client, "x");
        peer_end(client);
        peer_receives(harness, client, "end\n");
        peer_receives_end(harness, client);
    }
    assert_false(program_has_logged(program, "is lost"));
}

#ifdef WITH_TLS
static void a_connection_of_tls_comes_back_below(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    const char *listening =
        text(harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",reuseaddr,%s,verify=0",
             certificate_shown(harness));
    struct program *server = program_start_helper(harness, "-d", "-d", listening, "PIPE", NULL);
    unsigned port = program_port(server);
    struct kept kept = keep(harness, text(harness, "KEEP," SOON "|OPENSSL:" LOOPBACK ":%u,%s", port,
                                          certificate_trusted(harness)));
    listening = text(harness, "OPENSSL-LISTEN:%u,bind=" LOOPBACK ",reuseaddr,%s,verify=0", port,
                     certificate_shown(harness));
    for (int i = 0; i < 5; i++) {
        const char *line = text(harness, "line %d", i);
        peer_send(harness, kept.client, line);
        peer_receives(harness, kept.client, line);
        program_signal(server, i % 2 == 0 ? SIGTERM : SIGKILL);
        program_end(server);
        program_logs(kept.program, " W KEEP: OPENSSL:*is lost");
        peer_send(harness, kept.client, "held");
        server = program_start_helper(harness, "-d", "-d", listening, "PIPE", NULL);
        peer_receives(harness, kept.client, "held");
    }
}
#endif

static void values_that_make_no_sense_are_refused(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-", "KEEP,while-away=wait|PIPE", NULL);
    program_ends_logging(program, 1, "hold,discard,close");
    program = program_start(harness, "-", "KEEP,max-interval=0|PIPE", NULL);
    program_ends_logging(program, 1, "it must be more than 0 seconds");
    program = program_start(harness, "-", "KEEP", NULL);
    program_ends_logging(program, 1, "KEEP");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(loses_and_doubles_nothing_while_its_peer_goes_and_comes),
        SYSTEM_TEST(reads_a_peer_to_its_end_that_takes_no_more),
        SYSTEM_TEST(says_once_that_it_is_lost_and_once_that_it_is_back),
        SYSTEM_TEST(holds_no_more_than_it_may_and_loses_nothing),
        SYSTEM_TEST(discards_what_comes_meanwhile_and_counts_it),
        SYSTEM_TEST(ends_the_session_when_something_comes_meanwhile),
        SYSTEM_TEST(keeps_the_end_for_a_peer_that_comes_back),
        SYSTEM_TEST(waits_for_it_as_long_as_option_t_says),
        SYSTEM_TEST(a_half_close_goes_through_and_then_the_end_is_the_end),
        SYSTEM_TEST(gives_up_after_so_many_tries),
        SYSTEM_TEST(the_first_opening_fails_as_usual),
        SYSTEM_TEST(with_forever_it_waits_for_the_first_opening_too),
        SYSTEM_TEST(starts_a_program_again_that_dies),
        SYSTEM_TEST(a_program_that_cannot_be_kept_alive_is_left_more_and_more_alone),
        SYSTEM_TEST(sessions_of_one_direction_are_kept),
        SYSTEM_TEST(what_is_only_read_is_kept),
        SYSTEM_TEST(messages_that_are_held_stay_messages),
        SYSTEM_TEST(a_terminal_line_comes_back),
        SYSTEM_TEST(a_try_takes_no_longer_than_it_may),
        SYSTEM_TEST(the_next_client_of_a_listener_comes_to_the_same_session),
        SYSTEM_TEST(sessions_of_a_listener_end_with_their_peers),
#ifdef WITH_TLS
        SYSTEM_TEST(a_connection_of_tls_comes_back_below),
#endif
        SYSTEM_TEST(values_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
