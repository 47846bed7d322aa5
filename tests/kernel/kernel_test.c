/* SCTP, DCCP and VSOCK, in a kernel that has them. The program runs itself there. */

#define _GNU_SOURCE
#include "tests/kernel/kernel.h"
#include "tests/system/peers.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#define MEBIBYTE (1024 * 1024)

/* Two programs: from a TCP client to a connecting address, and from a listening one to a TCP
 * server. */
struct chain {
    struct program *listening;
    struct program *connecting;
    int client;
    int server;
};

static struct chain chain_open(struct harness *harness, const char *listen, const char *connect)
{
    struct chain chain;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    chain.listening = program_start(harness, "-d", "-d", "-t", "0.3", listen,
                                    text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    program_logs(chain.listening, " listening on ");
    chain.connecting = program_start(harness, "-d", "-d", "-t", "0.3",
                                     "TCP4-LISTEN:0,bind=" LOOPBACK, connect, NULL);
    chain.client = peer_connect(harness, LOOPBACK, program_port(chain.connecting));
    chain.server = peer_accept(harness, listener);
    return chain;
}

/* A megabyte goes each way at once, then one end leaves, and the other learns of it. */
static void relays(struct harness *harness, const char *listen, const char *connect, size_t length)
{
    struct chain chain = chain_open(harness, listen, connect);
    struct flow flows[] = {
        {chain.client, chain.server, .seed = 1, .length = length, .open_end = true},
        {chain.server, chain.client, .seed = 2, .length = length, .open_end = true},
    };
    flows_run(harness, flows, 2);
    harness_close(harness, chain.client);
    peer_receives_end(harness, chain.server);
    harness_close(harness, chain.server);
    program_ends(chain.connecting, 0);
    program_ends(chain.listening, 0);
}

static void relays_over_sctp_4(void **state)
{
    relays(*state, "SCTP4-LISTEN:5001", "SCTP4-CONNECT:127.0.0.1:5001", MEBIBYTE);
}

static void relays_over_sctp_6(void **state)
{
    relays(*state, "SCTP6-LISTEN:5002", "SCTP6:[::1]:5002", MEBIBYTE);
}

static void relays_over_sctp_with_its_options(void **state)
{
    relays(*state, "SCTP-LISTEN:5003,sctp-nodelay,sctp-maxseg=1000,range=127.0.0.0/8",
           "SCTP:127.0.0.1:5003,sctp-nodelay,sctp-maxseg-late=900,sourceport=5555", MEBIBYTE);
}

/* SCTP refuses what is longer than the socket's buffer. */
static void relays_blocks_that_sctp_refuses_in_pieces(void **state)
{
    relays(*state, "SCTP4-LISTEN:5011,so-sndbuf=20000", "SCTP4:127.0.0.1:5011,so-sndbuf=20000",
           MEBIBYTE);
}

/* What a receiver has no room for, DCCP drops; so it gets room for all. */
#define ROOM "so-rcvbuf=4000000,so-sndbuf=4000000"

static void relays_over_dccp_4(void **state)
{
    relays(*state, "DCCP4-LISTEN:5004," ROOM, "DCCP4:127.0.0.1:5004,dccp-set-ccid=2," ROOM,
           MEBIBYTE / 4);
}

static void relays_over_dccp_6(void **state)
{
    relays(*state, "DCCP6-L:5005," ROOM, "DCCP6-CONNECT:[::1]:5005," ROOM, MEBIBYTE / 4);
}

static void relays_over_vsock(void **state)
{
    relays(*state, "VSOCK-LISTEN:5006", "VSOCK-CONNECT:1:5006", MEBIBYTE);
}

static void relays_over_vsock_from_a_bound_port(void **state)
{
    relays(*state, "VSOCK-L:5007,bind=1", "VSOCK:1:5007,bind=1:700", MEBIBYTE);
}

#define MESSAGES 100

static struct sockaddr_un unix_address(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(name) < sizeof address.sun_path);
    memcpy(address.sun_path, name, strlen(name));
    return address;
}

static int listen_for_messages(struct harness *harness, const char *name)
{
    struct sockaddr_un address = unix_address(name);
    int fd = harness_keep(harness, socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static int connect_for_messages(struct harness *harness, const char *name)
{
    struct sockaddr_un address = unix_address(name);
    int fd = harness_keep(harness, socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static size_t message_length(size_t number)
{
    return 1 + number * 1237 % 8192;
}

static void sends_messages_one_way(struct harness *harness, int from, int to)
{
    unsigned char *message = memory(harness, 16384);
    struct pollfd ready = {.fd = to, .events = POLLIN};
    for (size_t i = 0; i < MESSAGES; i++) {
        size_t length = message_length(i);
        memset(message, (int)(i % 251), length);
        assert_int_equal(send(from, message, length, 0), length);
        if (poll(&ready, 1, PATIENCE) != 1)
            harness_fail(harness, "message %zu of %zu bytes does not come", i, length);
        assert_int_equal(recv(to, message, 16384, 0), length);
        assert_int_equal(message[0], i % 251);
        assert_int_equal(message[length - 1], i % 251);
    }
}

static void keeps_messages_of_sctp_apart_with_so_type_5(void **state)
{
    struct harness *harness = *state;
    const char *near = path(harness, "near"), *far = path(harness, "far");
    int listener = listen_for_messages(harness, far);
    struct program *program =
        program_start(harness, "-d", "-d", "SCTP4-LISTEN:5008,so-type=5,sctp-nodelay",
                      text(harness, "UNIX-CONNECT:%s,so-type=5", far), NULL);
    program_logs(program, " listening on ");
    program = program_start(harness, "-d", "-d", text(harness, "UNIX-LISTEN:%s,so-type=5", near),
                            "SCTP4:127.0.0.1:5008,so-type=5,sctp-nodelay", NULL);
    program_logs(program, " listening on ");
    int client = connect_for_messages(harness, near);
    int server = peer_accept(harness, listener);
    sends_messages_one_way(harness, client, server);
    sends_messages_one_way(harness, server, client);
}

static struct program *echo_server(struct harness *harness, const char *listen)
{
    struct program *server = program_start(harness, "-d", "-d", listen, "PIPE", NULL);
    program_logs(server, " listening on ");
    return server;
}

#define CLIENTS 5

/* Some clients at once, each of which is answered while the others are there, and then one more. */
static void serves_many(struct harness *harness, const char *listen, const char *connect)
{
    struct program *server = echo_server(harness, listen), *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = program_start(harness, "-t", "0.1", "-", connect, NULL);
    for (int round = 0; round < 2; round++)
        for (int i = CLIENTS - 1; i >= 0; i--) {
            const char *words = text(harness, "client %d, round %d", i, round);
            program_send(clients[i], words);
            program_outputs(clients[i], words);
        }
    process_awaits_children(harness, program_pid(server), CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        program_end_input(clients[i]);
        program_ends(clients[i], 0);
        assert_string_equal(program_log(clients[i]), "");
    }
    process_awaits_children(harness, program_pid(server), 0);
    struct program *last = program_start(harness, "-t", "0.1", "-", connect, NULL);
    program_send(last, "there and back");
    program_outputs(last, "there and back");
    assert_false(program_has_logged(server, " E "));
}

static void sctp_serves_many(void **state)
{
    serves_many(*state, "SCTP4-LISTEN:5009,fork", "SCTP4:127.0.0.1:5009");
    serves_many(*state, "SCTP6-LISTEN:5015,fork", "SCTP6:[::1]:5015");
}

static void dccp_serves_many(void **state)
{
    serves_many(*state, "DCCP4-LISTEN:5012,fork", "DCCP4:127.0.0.1:5012");
    serves_many(*state, "DCCP6-LISTEN:5013,fork", "DCCP6:[::1]:5013");
}

static void vsock_serves_many(void **state)
{
    serves_many(*state, "VSOCK-LISTEN:5014,fork", "VSOCK-CONNECT:1:5014");
}

/* The end of what the client says must not cut off what the server has yet to say. */
static void sctp_brings_the_answer_to_what_was_said_last(void **state)
{
    struct harness *harness = *state;
    echo_server(harness, "SCTP4-LISTEN:5011");
    struct program *client = program_start(harness, "-t", "20", "-", "SCTP4:127.0.0.1:5011", NULL);
    program_send(client, "there and back");
    program_end_input(client);
    program_outputs(client, "there and back");
    program_signal(client, SIGTERM);
    program_ends(client, 143);
}

/* Connections, by what the program connects with and the test listens on. */
struct kind {
    const char *address;
    int family, type, protocol;
};

static int listen_on(struct harness *harness, const struct kind *kind)
{
    const struct sockaddr_in ip = {.sin_family = AF_INET, .sin_port = htons(5020)};
    const struct sockaddr_vm vm = {
        .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = 5020};
    bool is_ip = kind->family == AF_INET;
    int fd = socket(kind->family, kind->type | SOCK_CLOEXEC, kind->protocol);
    if (fd < 0)
        harness_fail(harness, "socket(): %s", strerror(errno));
    harness_keep(harness, fd);
    if (bind(fd, is_ip ? (const void *)&ip : &vm, is_ip ? sizeof(ip) : sizeof(vm)) < 0 ||
        listen(fd, 1) < 0)
        harness_fail(harness, "bind() or listen(): %s", strerror(errno));
    return fd;
}

/* The peer says something that nobody wants, and begins to take what is sent to it when the program
 * has nothing left to do. */
static void arrives(struct harness *harness, const struct kind *kind, size_t length)
{
    const char *name = path(harness, "content");
    char *content = memory(harness, length + 1), bytes[2000];
    int listener = listen_on(harness, kind);
    size_t received = 0;
    ssize_t count;
    memset(content, 'x', length);
    content[length] = '\0';
    file_write(harness, name, content);
    struct program *program = program_start(harness, "-d", "-d", "-t", "20", "-b", "1000", "-u",
                                            name, kind->address, NULL);
    int server = peer_accept(harness, listener);
    peer_send(harness, server, "hello\n");
    program_logs(program, " is at EOF");
    process_rests(harness, program_pid(program));
    while ((count = recv(server, bytes, sizeof(bytes), 0)) > 0)
        received += (size_t)count;
    if (count < 0)
        harness_fail(harness, "%s: %s behind %zu bytes", kind->address, strerror(errno), received);
    assert_int_equal(received, length);
    harness_close(harness, server);
    program_ends(program, 0);
    assert_false(program_has_logged(program, " E "));
    harness_close(harness, listener);
}

static void what_is_sent_last_arrives_though_the_peer_says_something(void **state)
{
    static const struct kind kinds[] = {
        {"SCTP4:127.0.0.1:5020", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
        {"SCTP4:127.0.0.1:5020,so-type=5", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
        {"VSOCK:1:5020", AF_VSOCK, SOCK_STREAM, 0},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        arrives(*state, &kinds[i], 20000);
}

/* DCCP has no way to say the end but to close, and drops what its receiver has no room for. */
static void what_is_sent_last_over_dccp_arrives_though_the_peer_says_something(void **state)
{
    static const struct kind kind = {"DCCP4:127.0.0.1:5020", AF_INET, SOCK_DCCP, IPPROTO_DCCP};
    arrives(*state, &kind, 5000);
}

static void sctp_refuses_peers_out_of_range(void **state)
{
    struct harness *harness = *state;
    struct program *server =
        program_start(harness, "-d", "-d", "SCTP4-LISTEN:5010,range=10.0.0.0/8", "PIPE", NULL);
    program_logs(server, " listening on ");
    program_start(harness, "-", "SCTP4:127.0.0.1:5010", NULL);
    program_logs(server, " W refusing connection from AF=2 127.0.0.1:*range option");
}

static void fails_where_nobody_listens(struct harness *harness, const char *address)
{
    struct program *program = program_start(harness, "-", address, NULL);
    program_ends_logging(program, 1, " E cannot connect to ");
}

static void names_the_failure_where_nobody_listens(void **state)
{
    fails_where_nobody_listens(*state, "SCTP4:127.0.0.1:9");
    fails_where_nobody_listens(*state, "DCCP6:[::1]:9");
    fails_where_nobody_listens(*state, "VSOCK:1:9");
}

static void names_what_sockets_sctp_has(void **state)
{
    struct program *program = program_start(*state, "-", "SCTP4:127.0.0.1:9,so-type=2", NULL);
    program_ends_logging(program, 1, " E so-type=2: SCTP has 1 (stream) and 5 (seqpacket) only");
}

static int run_inside(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(relays_over_sctp_4),
        SYSTEM_TEST(relays_over_sctp_6),
        SYSTEM_TEST(relays_over_sctp_with_its_options),
        SYSTEM_TEST(relays_blocks_that_sctp_refuses_in_pieces),
        SYSTEM_TEST(relays_over_dccp_4),
        SYSTEM_TEST(relays_over_dccp_6),
        SYSTEM_TEST(relays_over_vsock),
        SYSTEM_TEST(relays_over_vsock_from_a_bound_port),
        SYSTEM_TEST(keeps_messages_of_sctp_apart_with_so_type_5),
        SYSTEM_TEST(sctp_serves_many),
        SYSTEM_TEST(dccp_serves_many),
        SYSTEM_TEST(vsock_serves_many),
        SYSTEM_TEST(sctp_brings_the_answer_to_what_was_said_last),
        SYSTEM_TEST(what_is_sent_last_arrives_though_the_peer_says_something),
        SYSTEM_TEST(what_is_sent_last_over_dccp_arrives_though_the_peer_says_something),
        SYSTEM_TEST(sctp_refuses_peers_out_of_range),
        SYSTEM_TEST(names_the_failure_where_nobody_listens),
        SYSTEM_TEST(names_what_sockets_sctp_has),
    };
    return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}

int main(int count, char **arguments)
{
    return kernel_main(count, arguments, run_inside);
}
