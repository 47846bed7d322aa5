/* Every type of packets against every other: none is lost, merged or cut. With sanitizers, each
 * type on either side, and each two families. */

#define _GNU_SOURCE
#include "tests/system/covering.h"
#include "tests/system/datagrams.h"
#include "tests/system/types.h"
#include "tests/system/workers.h"

#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS 1000
#define PACKET_MAX 8192

/* How many packets are sent at a time: the shortest queue on the way holds this many. */
#define BURST 8

struct packet {
    unsigned char *data;
    size_t size;
};

/* What a frame and an IP packet begin with: a group of hosts, whose first byte is that of IPv4; and
 * an Ethernet type that nothing else uses. */
static const unsigned char head_bytes[ETH_HLEN] = {0x45, 0, 0, 0, 0, 1,    2,
                                                   0,    0, 0, 0, 1, 0x88, 0xb5};

/* What is sent where packets must begin with so many of these bytes. */
static struct series {
    size_t head;
    struct packet hello;
    struct packet packets[PACKETS];
} all_series[] = {{.head = 0}, {.head = 1}, {.head = sizeof head_bytes}};

/* No two packets are alike, and no two parts of one. */
static struct packet make_packet(struct harness *harness, size_t number, size_t size, size_t head)
{
    uint32_t random = (uint32_t)number * 2654435761U + 1;
    if (size < head)
        size = head;
    struct packet packet = {memory(harness, size + 1), size};
    for (size_t i = 0; i < size; i++) {
        random = random * 1664525U + 1013904223U;
        packet.data[i] = (unsigned char)(random >> 24);
    }
    memcpy(packet.data, head_bytes, head);
    return packet;
}

/* From nothing to the largest size. */
static void make_series(struct harness *harness, struct series *series)
{
    series->hello = make_packet(harness, PACKETS, 20, series->head);
    for (size_t i = 0; i < PACKETS; i++)
        series->packets[i] = make_packet(harness, i, i * PACKET_MAX / (PACKETS - 1), series->head);
}

static const struct series *series_for(const struct datagram_kind *one,
                                       const struct datagram_kind *other)
{
    const struct series *series = all_series;
    while (series->head < one->family->head || series->head < other->family->head)
        series++;
    return series;
}

static void send_packet(const struct datagram_end *from, const struct packet *packet)
{
    if (from->kind->family->send != NULL)
        from->kind->family->send(from, packet->data, packet->size);
    else
        packet_send(from->harness, from->fd, packet->data, packet->size);
}

static size_t receive_packet(const struct datagram_end *to, void *data, size_t size)
{
    return to->kind->family->receive != NULL
               ? to->kind->family->receive(to, data, size)
               : packet_receive(to->harness, to->fd, data, size, NULL);
}

static void expect(const struct datagram_end *to, const struct packet *packet, const char *what)
{
    unsigned char data[PACKET_MAX + 100];
    size_t header = to->kind->family->header;
    size_t length = receive_packet(to, data, sizeof data);

    if (length != packet->size + header || memcmp(data + header, packet->data, packet->size) != 0)
        harness_fail(to->harness, "%s: %zu bytes came in, %zu were wanted", what, length - header,
                     packet->size);
}

struct pair {
    struct datagram_end left;
    struct datagram_end right;
    const struct series *series;
    size_t burst;
};

static bool gives_back(const struct datagram_end *end)
{
    return end->kind->family->gives_back;
}

/* An empty packet is sent where it is no end, and never comes out. */
static void move_packets(const struct pair *pair, struct program *program,
                         const struct datagram_end *from, const struct datagram_end *to)
{
    const struct packet *packets = pair->series->packets;
    size_t received = packets[0].size == 0 ? 1 : 0;
    for (size_t sent = from->kind->ends_empty ? received : 0; sent < PACKETS;) {
        for (size_t i = 0; i < pair->burst && sent < PACKETS; i++)
            send_packet(from, &packets[sent++]);
        while (received < sent)
            expect(to, &packets[received++], "a packet");
        /* The program does not wait long for the reader of its log, and warns of what it lost. */
        (void)program_log(program);
    }
}

static struct program *start(struct pair *pair, bool one_way)
{
    const char *left = pair->left.kind->family->address(&pair->left);
    const char *right = pair->right.kind->family->address(&pair->right);
    const char *writes = strstr(right, "!!");
    if (one_way && writes != NULL)
        right = writes + 2;
    const char *const arguments[] = {"-d", "-d", one_way ? "-u" : "-t20", left, right, NULL};
    const struct launch launch = {.arguments = arguments, .in = STREAM_NULL, .out = STREAM_NULL};
    return program_launch(pair->left.harness, &launch);
}

static void attach_early(const struct pair *pair, struct datagram_end *end, struct program *program)
{
    const struct datagram_kind *kind = end->kind;
    if (!kind->family->late)
        datagram_attach(end, program);
    else if (kind->ready != NULL)
        program_logs(program, kind->ready);
    if (kind->waits)
        send_packet(end, &pair->series->hello);
}

static void attach(struct pair *pair, struct program *program)
{
    struct datagram_end *ends[] = {&pair->left, &pair->right};
    attach_early(pair, ends[0], program);
    attach_early(pair, ends[1], program);
    if (ends[0]->kind->family->late || ends[1]->kind->family->late)
        program_logs(program, " N starting data transfer loop");
    for (int i = 0; i < 2; i++)
        if (ends[i]->kind->family->late)
            datagram_attach(ends[i], program);
}

static const struct datagram_end *where_to(const struct datagram_end *from,
                                           const struct datagram_end *other)
{
    return gives_back(other) ? from : other;
}

/* What comes in at one end goes out at the other. */
static void move_from(const struct pair *pair, struct program *program,
                      const struct datagram_end *from, const struct datagram_end *other)
{
    const struct datagram_end *to = where_to(from, other);
    if (gives_back(from) || other->kind->reads_only)
        return;
    if (from->kind->waits)
        expect(to, &pair->series->hello, "the first packet");
    if (!from->kind->once)
        move_packets(pair, program, from, to);
}

static const struct stream_setup *setup;

static void run_pair(struct harness *harness, const struct datagram_kind *one,
                     const struct datagram_kind *other)
{
    struct pair pair = {
        .left = {.harness = harness, .setup = setup, .kind = one, .side = &datagram_left},
        .right = {.harness = harness, .setup = setup, .kind = other, .side = &datagram_right},
        .series = series_for(one, other),
        .burst = one->family->single || other->family->single ? 1 : BURST,
    };
    if (!datagram_open(&pair.left) || !datagram_open(&pair.right))
        harness_fail(harness, "no sockets for %s and %s", one->types, other->types);
    struct program *program = start(&pair, one->reads_only);

    attach(&pair, program);
    move_from(&pair, program, &pair.left, &pair.right);
    move_from(&pair, program, &pair.right, &pair.left);
    const char *warning = program_line(program, " W ");
    if (warning != NULL)
        harness_fail(harness, "there is a warning: %s", warning);
}

/* The kinds that are tested. */
static const struct datagram_kind **kinds;
static size_t kind_count;

/* The kernel may lack a family, or refuse it to the user. */
static bool is_allowed(const struct datagram_kind *kind)
{
    void *state;
    assert_int_equal(harness_begin(&state), 0);
    struct datagram_end end = {.harness = state, .kind = kind, .side = &datagram_left};
    bool allowed = datagram_is_allowed(&end);
    assert_int_equal(harness_end(&state), 0);
    return allowed;
}

static void choose_kinds(struct harness *harness)
{
    const char *const *types = types_of_program(harness);
    kinds = memory(harness, datagram_kind_count * sizeof *kinds);
    for (size_t i = 0; i < datagram_kind_count; i++) {
        const struct datagram_kind *kind = &datagram_kinds[i];
        if (!types_have(harness, types, kind->types))
            print_message("%s is skipped: this modcat has no such type\n", kind->types);
        else if (!is_allowed(kind))
            print_message("%s is skipped: the system does not allow such sockets\n", kind->types);
        else
            kinds[kind_count++] = kind;
    }
}

static bool is_possible(const struct datagram_kind *one, const struct datagram_kind *other)
{
    bool both = one->family->gives_back && other->family->gives_back;
    return !other->reads_only && !both && !(one->reads_only && other->family->gives_back);
}

/* Two kinds by their numbers. */
struct chosen {
    size_t left, right;
};
static struct chosen *pairs;
static size_t *chosen; /* the numbers of those to try */

static size_t make_pairs(struct harness *harness)
{
    size_t count = 0;
    pairs = memory(harness, kind_count * kind_count * sizeof *pairs);
    for (size_t i = 0; i < kind_count * kind_count; i++) {
        size_t left = i / kind_count, right = i % kind_count;
        bool in_order = types_in_order(left, right) || !is_possible(kinds[right], kinds[left]);
        if (in_order && is_possible(kinds[left], kinds[right]))
            pairs[count++] = (struct chosen){left, right};
    }
    return count;
}

/* The number of the first kind of the same family. */
static size_t family_of(size_t kind)
{
    size_t first = 0;
    while (kinds[first]->family != kinds[kind]->family)
        first++;
    return first;
}

static size_t choose_pairs(struct harness *harness, size_t count)
{
    enum { LEFT, RIGHT, FAMILIES, GOALS };
    size_t(*goals)[GOALS] = memory(harness, (count + 1) * sizeof *goals);
    for (size_t i = 0; i < count; i++) {
        goals[i][LEFT] = pairs[i].left;
        goals[i][RIGHT] = kind_count + pairs[i].right;
        goals[i][FAMILIES] =
            2 * kind_count + family_of(pairs[i].left) * kind_count + family_of(pairs[i].right);
    }
    const struct covering covering = {
        .count = count,
        .per_case = GOALS,
        .goal_count = 2 * kind_count + kind_count * kind_count,
        .goals = goals[0],
    };
    chosen = memory(harness, (count + 1) * sizeof *chosen);
    return covering_choose(&covering, "pairs", "each type on either side, and each two families",
                           chosen);
}

static void run_chosen(struct harness *harness, size_t number)
{
    const struct chosen *pair = &pairs[chosen[number]];
    run_pair(harness, kinds[pair->left], kinds[pair->right]);
}

static void keeps_every_packet_between_every_two_types(void **state)
{
    struct stream_setup certificates = stream_setup(*state, 0);
    setup = &certificates;
    for (size_t i = 0; i < sizeof all_series / sizeof all_series[0]; i++)
        make_series(*state, &all_series[i]);
    datagram_network();
    choose_kinds(*state);
    workers_run(&(struct work){.count = choose_pairs(*state, make_pairs(*state)),
                               .piece = run_chosen,
                               .begin = datagram_network});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(keeps_every_packet_between_every_two_types),
    };
    return cmocka_run_group_tests_name("datagram matrix", tests, NULL, NULL);
}
