/* Sessions between sockets that carry packets, which come out as they went in, one by one; and
 * between those and streams, where their bytes do. */

#define _GNU_SOURCE
#include "tests/random/couple.h"
#include "tests/system/datagrams.h"
#include "tests/system/types.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* The size of a block, in which a packet must fit. */
#define PACKET_MOST ((size_t)8192)

/* The shortest queue on the way holds so many packets. */
#define BURST_MOST 8

/* Those whose names do not stand in the way of other sessions', and which take no rights. */
static bool is_usual(const struct datagram_kind *kind)
{
    static const char *const families[] = {"UDP", "UNIX-", "ABSTRACT-", "SOCKET-"};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (strncmp(kind->types, families[i], strlen(families[i])) == 0)
            return true;
    return false;
}

static const struct datagram_kind *draw_kind(struct trial *trial, bool answers)
{
    const struct datagram_kind *kind;
    do
        kind = &datagram_kinds[draw_below(trial, datagram_kind_count)];
    while (!is_usual(kind) || (answers && (kind->reads_only || kind->once)));
    return kind;
}

static struct datagram_end draw_end(struct trial *trial, bool right, bool answers)
{
    struct datagram_end end = {
        .harness = trial->harness,
        .setup = trial->setup,
        .kind = draw_kind(trial, answers),
        .side = right ? &datagram_right : &datagram_left,
    };
    if (!datagram_open(&end))
        harness_fail(trial->harness, "no sockets for %s", end.kind->types);
    return end;
}

static void attach(struct datagram_end *end, struct program *program, const char *hello)
{
    datagram_attach(end, program);
    if (end->kind->waits)
        packet_send(end->harness, end->fd, hello, strlen(hello));
}

/* Where an empty packet is the end, none is sent. Elsewhere none comes out. */
static size_t draw_packet_size(struct trial *trial, const struct datagram_end *from)
{
    size_t size = draw_size(trial, PACKET_MOST);
    return size == 0 && from->kind->ends_empty ? 1 : size;
}

static void expect_packet(const struct datagram_end *to, const unsigned char *data, size_t size)
{
    unsigned char buffer[PACKET_MOST + 1];
    size_t length = packet_receive(to->harness, to->fd, buffer, sizeof buffer, NULL);
    if (length != size)
        harness_fail(to->harness, "a packet of %zu bytes comes out, and %zu were sent", length,
                     size);
    if (memcmp(buffer, data, size) != 0)
        harness_fail(to->harness, "a packet of %zu bytes is not what was sent", size);
}

static void send_burst(struct trial *trial, const struct datagram_end *from,
                       const struct datagram_end *to)
{
    unsigned char *data[BURST_MOST];
    size_t sizes[BURST_MOST], count = draw_between(trial, 1, BURST_MOST);
    for (size_t i = 0; i < count; i++) {
        sizes[i] = draw_packet_size(trial, from);
        data[i] = draw_bytes(trial, sizes[i]);
        packet_send(trial->harness, from->fd, data[i], sizes[i]);
        trial->bytes += sizes[i];
        trial->writes++;
    }
    for (size_t i = 0; i < count; i++)
        if (sizes[i] > 0)
            expect_packet(to, data[i], sizes[i]);
}

static void end_by_signal(struct trial *trial, struct program *program)
{
    judge_log(trial, program);
    program_signal(program, SIGTERM);
    judge_status(trial, program, 143);
}

static void between_packets(struct trial *trial)
{
    struct datagram_end left = draw_end(trial, false, false), right = draw_end(trial, true, true);
    bool one_way = left.kind->reads_only;
    const char *left_address = left.kind->family->address(&left);
    const char *right_address = right.kind->family->address(&right);
    struct program *program = program_start(trial->harness, "-d", "-d", one_way ? "-u" : "-t60",
                                            left_address, right_address, NULL);
    attach(&left, program, "from left");
    attach(&right, program, "from right");
    if (left.kind->waits)
        expect_packet(&right, (const unsigned char *)"from left", 9);
    if (right.kind->waits && !one_way)
        expect_packet(&left, (const unsigned char *)"from right", 10);
    for (size_t rounds = draw_between(trial, 1, 20); rounds > 0; rounds--) {
        bool from_left = one_way || draw_chance(trial, 50);
        if (from_left ? !left.kind->once : !right.kind->once)
            send_burst(trial, from_left ? &left : &right, from_left ? &right : &left);
    }
    end_by_signal(trial, program);
}

static const struct stream_kind *draw_stream(struct trial *trial)
{
    const unsigned never =
        COUPLE_WHOLE | COUPLE_BACK | COUPLE_HELPER | STREAM_MESSAGES | STREAM_ENDLESS | STREAM_DUAL;
    const struct stream_kind *kind;
    do
        kind = trial->kinds[draw_below(trial, trial->kind_count)];
    while ((couple_traits(kind) & never) != 0 || kind->streams != 0);
    return kind;
}

/* So many bytes come out in packets, one after the other. */
static void expect_in_packets(const struct datagram_end *to, const unsigned char *data,
                              size_t length)
{
    unsigned char buffer[PACKET_MOST + 1];
    while (length > 0) {
        size_t count = packet_receive(to->harness, to->fd, buffer, sizeof buffer, NULL);
        if (count == 0 || count > length || memcmp(buffer, data, count) != 0)
            harness_fail(to->harness, "a packet of %zu bytes is not what was sent", count);
        data += count;
        length -= count;
    }
}

static void stream_bytes(struct trial *trial, int write_fd, int read_fd, const unsigned char *data,
                         size_t length)
{
    struct traffic traffic = {.trial = trial};
    struct lane *lane = traffic_lane(&traffic, "stream", write_fd, read_fd, data, length);
    lane->received = read_fd < 0 ? length : 0;
    lane->write_over = write_fd < 0;
    traffic_run(&traffic, traffic_has_arrived);
}

/* What a stream sends comes out in packets, and packets come out in it. */
static void between_stream_and_packets(struct trial *trial)
{
    struct stream_end stream = stream_end(trial->harness, trial->setup, draw_stream(trial), true);
    struct datagram_end packets = draw_end(trial, false, true);
    const char *left = packets.kind->family->address(&packets);
    const char *right = stream.kind->prepare(&stream);
    const char *arguments[] = {"-d", "-d", "-t60", left, right, NULL};
    struct launch launch = {.arguments = arguments, .out = STREAM_NULL, .further = {stream.given}};
    struct program *program = program_launch(trial->harness, &launch);
    attach(&packets, program, "hello");
    if (stream.kind->attach != NULL)
        stream.kind->attach(&stream, program);
    if (packets.kind->waits)
        stream_bytes(trial, -1, stream.read_fd, (const unsigned char *)"hello", 5);
    for (size_t rounds = draw_between(trial, 1, 20); rounds > 0; rounds--) {
        bool to_packets = draw_chance(trial, 50);
        size_t length = to_packets ? draw_size(trial, BURST_MOST * PACKET_MOST / 2)
                                   : draw_packet_size(trial, &packets);
        unsigned char *data = draw_bytes(trial, length);
        if (length == 0)
            continue;
        if (to_packets) {
            stream_bytes(trial, stream.write_fd, -1, data, length);
            expect_in_packets(&packets, data, length);
        } else {
            packet_send(trial->harness, packets.fd, data, length);
            stream_bytes(trial, -1, stream.read_fd, data, length);
        }
    }
    end_by_signal(trial, program);
}

const struct trial_way packet_ways[] = {
    {"packets go between two sockets", 10, between_packets},
    {"packets go to a stream and back", 6, between_stream_and_packets},
    {.name = NULL},
};
