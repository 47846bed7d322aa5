/* Every type that carries a stream against every other: all bytes arrive, in both directions. */

#define _GNU_SOURCE
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LENGTH (1 << 20)

struct end;

/* A type, and how the test gets in touch with it. */
struct kind {
    const char *type;
    const char *options;
    /* Makes the test's socket, and returns what stands between type and options. */
    const char *(*prepare)(struct end *end);
    /* Connects the test's socket with the program. */
    void (*attach)(struct end *end, struct program *program);
    int stream; /* which of the program's descriptors it is: 0 (and 1), 3, or -1 */
};

/* An end of a pair that is tested. */
struct end {
    struct harness *harness;
    const struct kind *kind;
    const char *side;
    int fd;    /* the test's: of the connection, or that listens */
    int given; /* what the program gets as a descriptor */
    struct place place;
};

#define ZEROS "x0000000000000000"

static const char *side_path(const struct end *end)
{
    return path(end->harness, end->side);
}

/* Servers of the test, which the program connects to. */

static void serve(struct end *end, struct place place, int type)
{
    end->fd = packet_socket(end->harness, type, 0, &place);
    end->place = packet_place(end->harness, end->fd);
    assert_int_equal(listen(end->fd, 1), 0);
}

static const char *serve_ip4(struct end *end)
{
    serve(end, place_host(end->harness, "127.0.0.1", 0), SOCK_STREAM);
    return text(end->harness, "127.0.0.1:%u", place_port(&end->place));
}

static const char *serve_ip6(struct end *end)
{
    serve(end, place_host(end->harness, "::1", 0), SOCK_STREAM);
    return text(end->harness, "[::1]:%u", place_port(&end->place));
}

static const char *serve_path(struct end *end)
{
    serve(end, place_path(end->harness, side_path(end)), SOCK_STREAM);
    return side_path(end);
}

static const char *serve_sequence(struct end *end)
{
    serve(end, place_path(end->harness, side_path(end)), SOCK_SEQPACKET);
    return side_path(end);
}

static const char *serve_name(struct end *end)
{
    serve(end, place_abstract(end->harness, side_path(end)), SOCK_STREAM);
    return side_path(end);
}

static const char *serve_generic(struct end *end)
{
    serve(end, place_host(end->harness, "127.0.0.1", 0), SOCK_STREAM);
    return text(end->harness, "2:6:x%04x7f000001" ZEROS, place_port(&end->place));
}

/* A program that is started, and which is connected with the test by a program of its own. */
static const char *serve_child(struct end *end)
{
    const char *modcat = getenv("MODCAT");
    const char *shut = strstr(end->kind->options, "pipes") != NULL ? "shut-close" : "shut-down";
    serve_path(end);
    return text(end->harness, "\"%s -t 20 STDIO,%s UNIX-CONNECT:%s\"",
                modcat != NULL ? modcat : "./modcat", shut, side_path(end));
}

static void accept_program(struct end *end, struct program *program)
{
    (void)program;
    end->fd = peer_accept(end->harness, end->fd);
}

/* Clients of the test, which the program waits for. */

static const char *wait_ip4(struct end *end)
{
    end->place = place_host(end->harness, "127.0.0.1", 0);
    return "0";
}

static const char *wait_ip6(struct end *end)
{
    end->place = place_host(end->harness, "::1", 0);
    return "0";
}

static const char *wait_path(struct end *end)
{
    end->place = place_path(end->harness, side_path(end));
    return side_path(end);
}

static const char *wait_name(struct end *end)
{
    end->place = place_abstract(end->harness, side_path(end));
    return side_path(end);
}

static const char *wait_generic(struct end *end)
{
    end->place = place_host(end->harness, "127.0.0.1", 0);
    return "2:6:x00007f000001" ZEROS;
}

static void connect_type(struct end *end, int type)
{
    end->fd = socket(end->place.address.ss_family, type | SOCK_CLOEXEC, 0);
    harness_keep(end->harness, end->fd);
    packet_connect(end->harness, end->fd, &end->place);
}

static void connect_host(struct end *end, struct program *program)
{
    bool ip6 = end->place.address.ss_family == AF_INET6;
    end->place = place_host(end->harness, ip6 ? "::1" : "127.0.0.1", program_port(program));
    connect_type(end, SOCK_STREAM);
}

static void connect_unix(struct end *end, struct program *program)
{
    program_logs(program, " N listening on ");
    connect_type(end, SOCK_STREAM);
}

static void connect_sequence(struct end *end, struct program *program)
{
    program_logs(program, " N listening on ");
    connect_type(end, SOCK_SEQPACKET);
}

/* Descriptors that the program gets from the test. */

static int give_pair(struct end *end)
{
    int pair[2];
    peer_pair(end->harness, pair);
    end->fd = pair[0];
    end->given = pair[1];
    return pair[1];
}

static const char *give_stream(struct end *end)
{
    give_pair(end);
    return NULL;
}

static const char *give_third(struct end *end)
{
    give_pair(end);
    return "3";
}

static const char *give_listener(struct end *end)
{
    serve(end, place_host(end->harness, "127.0.0.1", 0), SOCK_STREAM);
    end->given = end->fd;
    return "3";
}

/* The program's copies are the only ones from now on, so that their end is the end. */
static void let_go(struct end *end, struct program *program)
{
    (void)program;
    harness_close(end->harness, end->given);
}

static void connect_given(struct end *end, struct program *program)
{
    program_logs(program, " N listening on ");
    let_go(end, program);
    connect_type(end, SOCK_STREAM);
}

static const struct kind kinds[] = {
    {"TCP4-CONNECT", "", serve_ip4, accept_program, -1},
    {"TCP6-CONNECT", "", serve_ip6, accept_program, -1},
    {"TCP-CONNECT", "", serve_ip4, accept_program, -1},
    {"TCP4-LISTEN", "", wait_ip4, connect_host, -1},
    {"TCP6-LISTEN", "", wait_ip6, connect_host, -1},
    {"TCP-LISTEN", "", wait_ip4, connect_host, -1},
    {"UNIX-CONNECT", "", serve_path, accept_program, -1},
    {"UNIX-CLIENT", "", serve_path, accept_program, -1},
    {"GOPEN", "", serve_path, accept_program, -1},
    {"UNIX-LISTEN", "", wait_path, connect_unix, -1},
    {"UNIX-CLIENT", "", serve_sequence, accept_program, -1},
    {"UNIX-LISTEN", ",socktype=5", wait_path, connect_sequence, -1},
    {"ABSTRACT-CONNECT", "", serve_name, accept_program, -1},
    {"ABSTRACT-CLIENT", "", serve_name, accept_program, -1},
    {"ABSTRACT-LISTEN", "", wait_name, connect_unix, -1},
    {"SOCKET-CONNECT", "", serve_generic, accept_program, -1},
    {"SOCKET-LISTEN", "", wait_generic, connect_host, -1},
    {"EXEC", "", serve_child, accept_program, -1},
    {"EXEC", ",pipes", serve_child, accept_program, -1},
    {"SYSTEM", "", serve_child, accept_program, -1},
    {"ACCEPT-FD", "", give_listener, connect_given, 3},
    {"FD", ",shut-down", give_third, let_go, 3},
    {"STDIO", ",shut-down", give_stream, let_go, 0},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const char *prepare(struct end *end)
{
    const char *parameter = end->kind->prepare(end);
    return parameter == NULL
               ? text(end->harness, "%s%s", end->kind->type, end->kind->options)
               : text(end->harness, "%s:%s%s", end->kind->type, parameter, end->kind->options);
}

static int given_as(const struct end *left, const struct end *right, int stream, int otherwise)
{
    if (left->kind->stream == stream)
        return left->given;
    return right->kind->stream == stream ? right->given : otherwise;
}

static struct program *start(const struct end *left, const struct end *right, const char *one,
                             const char *other)
{
    const char *const arguments[] = {"-d", "-d", "-t", "20", one, other, NULL};
    int standard = given_as(left, right, 0, STREAM_NULL);
    return program_launch(left->harness, &(struct launch){
                                             .arguments = arguments,
                                             .in = standard,
                                             .out = standard,
                                             .extra = given_as(left, right, 3, 0),
                                         });
}

static void run_pair(struct harness *harness, const struct kind *one, const struct kind *other)
{
    struct end left = {.harness = harness, .kind = one, .side = "left"};
    struct end right = {.harness = harness, .kind = other, .side = "right"};
    const char *left_address = prepare(&left);
    const char *right_address = prepare(&right);
    struct program *program = start(&left, &right, left_address, right_address);

    one->attach(&left, program);
    other->attach(&right, program);
    struct flow flows[] = {
        {.write_fd = left.fd, .read_fd = right.fd, .seed = 1, .length = LENGTH, .piece = 20000},
        {.write_fd = right.fd, .read_fd = left.fd, .seed = 2, .length = LENGTH, .piece = 20000},
    };
    flows_run(harness, flows, 2);
    program_ends(program, 0);
}

static bool share_a_stream(const struct kind *one, const struct kind *other)
{
    return one->stream >= 0 && one->stream == other->stream;
}

static void carries_all_bytes_between_every_two_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS * KINDS; i++) {
        const struct kind *one = &kinds[i / KINDS], *other = &kinds[i % KINDS];
        void *pair;
        if (share_a_stream(one, other))
            continue;
        harness_begin(&pair);
        run_pair(pair, one, other);
        harness_end(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_all_bytes_between_every_two_types),
    };
    return cmocka_run_group_tests_name("matrix", tests, NULL, NULL);
}
