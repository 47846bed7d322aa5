/* Every type of packets against every other: none is lost, merged or cut. */

#define _GNU_SOURCE
#include "tests/system/packets.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PACKETS 1000
#define PACKET_MAX 8192

/* How many packets may be under way: the shortest queue on the way holds this many. */
#define WINDOW 4

#define HELLO "hello"

/* Each end has addresses, a protocol and names of its own. */
struct side {
    const char *name;
    const char *program; /* host of the program, in raw IP */
    const char *test;    /* host of the test, in raw IP */
    int protocol;
};
static const struct side left_side = {"left", "127.0.0.1", "127.0.0.2", 253};
static const struct side right_side = {"right", "127.0.0.3", "127.0.0.4", 254};

struct end;

/* How sockets of a family are named, on the command line and by the test. */
struct family {
    int socktype;
    int protocol; /* 0: the default; -1: that of the side */
    struct place (*place)(const struct end *end);
    const char *(*address)(const struct end *end);
    bool has_port;
    size_t header; /* what stands before the data that the test receives */
};

/* A type, and how the test gets in touch with it. */
struct kind {
    const char *type;
    const struct family *family;
    const char *ready; /* what is logged when it is there; ends with the port, if there is one */
    bool sends;        /* to the test's place; else it waits at its own */
    bool reads_only;
    bool waits;      /* it opens with a first packet */
    bool once;       /* and gives no other */
    bool ends_empty; /* an empty packet is the end; elsewhere it is nothing */
};

/* An end of a pair that is tested. */
struct end {
    struct harness *harness;
    const struct kind *kind;
    const struct side *side;
    int fd; /* the test's socket */
    struct place place;
};

static struct place at_loopback4(const struct end *end)
{
    return place_host(end->harness, "127.0.0.1", 0);
}

static struct place at_loopback6(const struct end *end)
{
    return place_host(end->harness, "::1", 0);
}

static const char *test_name(const struct end *end)
{
    return text(end->harness, "%s.test", path(end->harness, end->side->name));
}

static const char *program_name(const struct end *end)
{
    return text(end->harness, "%s.modcat", path(end->harness, end->side->name));
}

static struct place at_path(const struct end *end)
{
    return place_path(end->harness, test_name(end));
}

static struct place at_name(const struct end *end)
{
    return place_abstract(end->harness, test_name(end));
}

static struct place at_own_host(const struct end *end)
{
    return place_host(end->harness, end->side->test, 0);
}

static const char *ip4_address(const struct end *end)
{
    return end->kind->sends ? text(end->harness, "%s:127.0.0.1:%u,bind=127.0.0.1:0",
                                   end->kind->type, place_port(&end->place))
                            : text(end->harness, "%s:0,bind=127.0.0.1", end->kind->type);
}

static const char *ip6_address(const struct end *end)
{
    return end->kind->sends ? text(end->harness, "%s:[::1]:%u,bind=[::1]:0", end->kind->type,
                                   place_port(&end->place))
                            : text(end->harness, "%s:0,bind=[::1]", end->kind->type);
}

static const char *unix_address(const struct end *end)
{
    return end->kind->sends ? text(end->harness, "%s:%s,bind=%s", end->kind->type, test_name(end),
                                   program_name(end))
                            : text(end->harness, "%s:%s", end->kind->type, program_name(end));
}

static const char *sequence_address(const struct end *end)
{
    return text(end->harness, "%s,socktype=%d", unix_address(end), SOCK_SEQPACKET);
}

static const char *raw_address(const struct end *end)
{
    const struct side *side = end->side;
    return end->kind->sends ? text(end->harness, "%s:%s:%d,bind=%s", end->kind->type, side->test,
                                   side->protocol, side->program)
                            : text(end->harness, "%s:%d,bind=%s", end->kind->type, side->protocol,
                                   side->program);
}

#define ZEROS "x0000000000000000"

static const char *generic_address(const struct end *end)
{
    return end->kind->sends
               ? text(end->harness, "%s:2:2:17:x%04x7f000001" ZEROS ",bind=x00007f000001" ZEROS,
                      end->kind->type, place_port(&end->place))
               : text(end->harness, "%s:2:2:17:x00007f000001" ZEROS, end->kind->type);
}

static const struct family udp4 = {SOCK_DGRAM, 0, at_loopback4, ip4_address, true, 0};
static const struct family udp6 = {SOCK_DGRAM, 0, at_loopback6, ip6_address, true, 0};
static const struct family lite = {SOCK_DGRAM, IPPROTO_UDPLITE, at_loopback4, ip4_address, true, 0};
static const struct family files = {SOCK_DGRAM, 0, at_path, unix_address, false, 0};
static const struct family names = {SOCK_DGRAM, 0, at_name, unix_address, false, 0};
static const struct family sequence = {SOCK_SEQPACKET, 0, at_path, sequence_address, false, 0};
static const struct family raw = {SOCK_RAW, -1, at_own_host, raw_address, false, 20};
static const struct family generic = {SOCK_DGRAM, 0, at_loopback4, generic_address, true, 0};

#define CONNECTS .ready = " N successfully connected from ", .sends = true, .ends_empty = true
#define LISTENS .ready = " N listening on ", .waits = true, .ends_empty = true
#define SENDS .ready = " N successfully prepared local socket ", .sends = true
#define RECEIVES_ONCE .ready = " N receiving on ", .waits = true, .once = true
#define RECEIVES .ready = " N receiving on ", .reads_only = true

static const struct kind kinds[] = {
    {"UDP4-CONNECT", &udp4, CONNECTS},
    {"UDP4-LISTEN", &udp4, LISTENS},
    {"UDP4-SENDTO", &udp4, SENDS},
    {"UDP4-DATAGRAM", &udp4, SENDS},
    {"UDP4-RECV", &udp4, RECEIVES},
    {"UDP6-CONNECT", &udp6, CONNECTS},
    {"UDP6-LISTEN", &udp6, LISTENS},
    {"UDP6-SENDTO", &udp6, SENDS},
    {"UDP6-DATAGRAM", &udp6, SENDS},
    {"UDP6-RECV", &udp6, RECEIVES},
    {"UDPLITE4-CONNECT", &lite, CONNECTS},
    {"UDPLITE4-LISTEN", &lite, LISTENS},
    {"UDPLITE4-SENDTO", &lite, SENDS},
    {"UDPLITE4-DATAGRAM", &lite, SENDS},
    {"UDPLITE4-RECV", &lite, RECEIVES},
    {"UNIX-SENDTO", &files, SENDS},
    {"UNIX-CLIENT", &files, SENDS},
    {"UNIX-RECV", &files, RECEIVES},
    {"UNIX-CONNECT", &sequence, CONNECTS},
    {"UNIX-LISTEN", &sequence, LISTENS},
    {"ABSTRACT-SENDTO", &names, SENDS},
    {"ABSTRACT-CLIENT", &names, SENDS},
    {"ABSTRACT-RECV", &names, RECEIVES},
    {"IP4-SENDTO", &raw, SENDS},
    {"IP4-DATAGRAM", &raw, SENDS},
    {"IP4-RECV", &raw, RECEIVES},
    {"UDP4-RECVFROM", &udp4, RECEIVES_ONCE},
    {"UDP6-RECVFROM", &udp6, RECEIVES_ONCE},
    {"UDPLITE4-RECVFROM", &lite, RECEIVES_ONCE},
    {"UNIX-RECVFROM", &files, RECEIVES_ONCE},
    {"ABSTRACT-RECVFROM", &names, RECEIVES_ONCE},
    {"IP4-RECVFROM", &raw, RECEIVES_ONCE},
    {"SOCKET-SENDTO", &generic, SENDS},
    {"SOCKET-DATAGRAM", &generic, SENDS},
    {"SOCKET-RECVFROM", &generic, .ready = " N receiving on ", .waits = true},
    {"SOCKET-RECV", &generic, RECEIVES},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool is_sequence(const struct end *end)
{
    return end->kind->family == &sequence;
}

static int protocol_of(const struct end *end)
{
    return end->kind->family->protocol < 0 ? end->side->protocol : end->kind->family->protocol;
}

/* Makes the test's socket, and returns the program's address for it. */
static const char *prepare(struct end *end)
{
    const struct family *family = end->kind->family;
    struct place place = family->place(end);

    end->fd = packet_socket(end->harness, family->socktype, protocol_of(end), &place);
    end->place = packet_place(end->harness, end->fd);
    if (is_sequence(end) && end->kind->sends)
        assert_int_equal(listen(end->fd, 1), 0);
    return family->address(end);
}

static struct place program_place(const struct end *end, unsigned port)
{
    struct harness *harness = end->harness;
    if (end->kind->family == &udp6)
        return place_host(harness, "::1", port);
    if (end->kind->family->has_port)
        return place_host(harness, "127.0.0.1", port);
    if (end->kind->family == &raw)
        return place_host(harness, end->side->program, 0);
    return end->kind->family == &names ? place_abstract(harness, program_name(end))
                                       : place_path(harness, program_name(end));
}

/* Waits until the program is at its place, and connects the test's socket to it. */
static void attach(struct end *end, struct program *program)
{
    unsigned port = 0;
    struct place peer;

    if (end->kind->family->has_port)
        port = program_logs_port(program, end->kind->ready);
    else
        program_logs(program, end->kind->ready);
    peer = program_place(end, port);
    if (is_sequence(end) && end->kind->sends)
        end->fd = harness_keep(end->harness, accept(end->fd, NULL, NULL));
    else
        packet_connect(end->harness, end->fd, &peer);
    if (end->kind->waits)
        packet_send(end->harness, end->fd, HELLO, strlen(HELLO));
}

/* From nothing to the largest size. */
static size_t packet_size(size_t number)
{
    return number * PACKET_MAX / (PACKETS - 1);
}

/* No two packets are alike, and no two parts of one. */
static void make_packet(size_t number, unsigned char *data)
{
    size_t size = packet_size(number);
    uint32_t random = (uint32_t)number * 2654435761U + 1;
    for (size_t i = 0; i < size; i++) {
        random = random * 1664525U + 1013904223U;
        data[i] = (unsigned char)(random >> 24);
    }
}

static void send_packet(const struct end *from, size_t number)
{
    unsigned char data[PACKET_MAX];
    make_packet(number, data);
    packet_send(from->harness, from->fd, data, packet_size(number));
}

static void expect(const struct end *to, const char *what, const void *wanted, size_t size)
{
    unsigned char data[PACKET_MAX + 100];
    size_t header = to->kind->family->header;
    size_t length = packet_receive(to->harness, to->fd, data, sizeof(data), NULL);

    if (length != size + header || memcmp(data + header, wanted, size) != 0)
        harness_fail(to->harness, "%s: %zu bytes came in, %zu were wanted", what, length - header,
                     size);
}

static void expect_packet(const struct end *to, size_t number)
{
    unsigned char wanted[PACKET_MAX];
    make_packet(number, wanted);
    expect(to, text(to->harness, "packet %zu", number), wanted, packet_size(number));
}

/* The empty packet is sent where it is no end, and never comes out. */
static void move_packets(const struct end *from, const struct end *to)
{
    size_t received = 1;
    for (size_t sent = from->kind->ends_empty ? 1 : 0; sent < PACKETS; sent++) {
        send_packet(from, sent);
        if (sent >= received + WINDOW)
            expect_packet(to, received++);
    }
    while (received < PACKETS)
        expect_packet(to, received++);
}

static struct program *start(struct harness *harness, const char *left, const char *right,
                             bool one_way)
{
    const char *const arguments[] = {"-d", "-d", one_way ? "-u" : "-t20", left, right, NULL};
    return program_launch(
        harness, &(struct launch){.arguments = arguments, .in = STREAM_NULL, .out = STREAM_NULL});
}

static void run_pair(struct harness *harness, const struct kind *one, const struct kind *other)
{
    struct end left = {.harness = harness, .kind = one, .side = &left_side};
    struct end right = {.harness = harness, .kind = other, .side = &right_side};
    const char *left_address = prepare(&left);
    const char *right_address = prepare(&right);
    struct program *program = start(harness, left_address, right_address, one->reads_only);

    attach(&left, program);
    attach(&right, program);
    if (one->waits)
        expect(&right, HELLO, HELLO, strlen(HELLO));
    if (other->waits && !one->reads_only)
        expect(&left, HELLO, HELLO, strlen(HELLO));
    if (!one->once)
        move_packets(&left, &right);
    if (!one->reads_only && !other->once)
        move_packets(&right, &left);
    assert_false(program_has_logged(program, " W "));
}

/* The kernel may lack a family, or refuse it to the user. */
static bool is_there(const struct kind *kind)
{
    void *state;
    bool there;

    harness_begin(&state);
    struct end end = {.harness = state, .kind = kind, .side = &left_side};
    struct place place = kind->family->place(&end);
    there = packet_try_socket(state, kind->family->socktype, protocol_of(&end), &place) >= 0;
    harness_end(&state);
    if (!there)
        print_message("%s is skipped: the system does not allow such sockets\n", kind->type);
    return there;
}

static void from_one_type_to_all(const struct kind *one, const bool there[KINDS])
{
    for (size_t i = 0; i < KINDS; i++) {
        void *state;
        if (!there[i] || kinds[i].reads_only)
            continue;
        harness_begin(&state);
        run_pair(state, one, &kinds[i]);
        harness_end(&state);
    }
}

static void keeps_every_packet_between_every_two_types(void **state)
{
    bool there[KINDS];
    (void)state;

    if (!packet_own_network())
        print_message("without a network of its own\n");
    for (size_t i = 0; i < KINDS; i++)
        there[i] = is_there(&kinds[i]);
    for (size_t i = 0; i < KINDS; i++)
        if (there[i])
            from_one_type_to_all(&kinds[i], there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_every_packet_between_every_two_types),
    };
    return cmocka_run_group_tests_name("datagram matrix", tests, NULL, NULL);
}
