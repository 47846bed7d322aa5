/* Packets that wait in numbers: the program is stopped while they come, and finds them all at once.
 */

#define _GNU_SOURCE
#include "tests/system/packets.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define LOCAL "127.0.0.1"
#define PACKETS 150 /* several batches, and as many as a socket's buffer takes */

/* The program between a sender and a receiver. */
struct line {
    struct harness *harness;
    struct program *program;
    int sender;
    int receiver;
    struct place entry; /* where the program receives */
};

static struct line start(struct harness *harness, const char *source, const char *source_host,
                         const char *sink)
{
    struct line line = {.harness = harness};
    unsigned port;
    line.receiver = packet_udp(harness, LOCAL, &port);
    line.sender = packet_udp(harness, source_host, &(unsigned){0});
    line.program = program_start(harness, "-d", "-d", "-d", "-d", "-u", source,
                                 text(harness, "%s" LOCAL ":%u", sink, port), NULL);
    port = program_logs_port(line.program, " N receiving on ");
    line.entry = place_host(harness, source_host, port);
    program_logs(line.program, " N starting data transfer loop ");
    return line;
}

/* Until it is let go on, packets only pile up. */
static void stop(const struct line *line)
{
    int status;
    program_signal(line->program, SIGSTOP);
    if (waitpid(program_pid(line->program), &status, WUNTRACED) < 0 || !WIFSTOPPED(status))
        harness_fail(line->harness, "the program does not stop");
}

static void go_on(const struct line *line)
{
    program_signal(line->program, SIGCONT);
}

static void send_bytes(const struct line *line, const void *data, size_t length)
{
    ssize_t count = sendto(line->sender, data, length, 0,
                           (const struct sockaddr *)&line->entry.address, line->entry.length);
    assert_int_equal(count, length);
}

static void send_numbers(const struct line *line, int from, int to)
{
    for (int i = from; i < to; i++) {
        const char *number = text(line->harness, "packet %d", i);
        send_bytes(line, number, strlen(number));
    }
}

static void numbers_arrive(const struct line *line, int from, int to)
{
    for (int i = from; i < to; i++)
        packet_arrives(line->harness, line->receiver, text(line->harness, "packet %d", i));
}

static void moves_many_at_a_time(struct harness *harness, const char *sink)
{
    struct line line = start(harness, "UDP4-RECV:0", LOCAL, sink);
    stop(&line);
    send_numbers(&line, 0, PACKETS);
    go_on(&line);
    numbers_arrive(&line, 0, PACKETS);
    program_logs(line.program, " D moving packets from * to * many at a time");
}

static void packets_that_wait_are_moved_many_at_a_time(void **state)
{
    moves_many_at_a_time(*state, "UDP4-SENDTO:");
    moves_many_at_a_time(*state, "UDP4:");
}

static void empty_packets_are_passed_over(void **state)
{
    struct line line = start(*state, "UDP4-RECV:0", LOCAL, "UDP4-SENDTO:");
    stop(&line);
    for (int i = 0; i < PACKETS; i++) {
        send_numbers(&line, i, i + 1);
        if (i % 7 == 0)
            send_bytes(&line, "", 0);
    }
    go_on(&line);
    numbers_arrive(&line, 0, PACKETS);
}

static void an_empty_packet_that_means_the_end_ends_what_came_before_it(void **state)
{
    struct line line = start(*state, "UDP4-RECV:0,null-eof", LOCAL, "UDP4-SENDTO:");
    char byte;
    stop(&line);
    send_numbers(&line, 0, PACKETS / 2);
    send_bytes(&line, "", 0);
    send_numbers(&line, PACKETS / 2, PACKETS);
    go_on(&line);
    numbers_arrive(&line, 0, PACKETS / 2);
    program_ends(line.program, 0);
    assert_true(recv(line.receiver, &byte, 1, MSG_DONTWAIT) < 0);
}

/* IPv6 carries a little more than IPv4. */
static void a_packet_that_is_too_long_takes_no_other_with_it(void **state)
{
    struct line line = start(*state, "UDP6-RECV:0,null-eof", "::1", "UDP4-SENDTO:");
    char *data = memory(line.harness, 65520);
    stop(&line);
    send_numbers(&line, 0, 40);
    send_bytes(&line, data, 65520);
    send_numbers(&line, 40, 80);
    send_bytes(&line, "", 0);
    go_on(&line);
    numbers_arrive(&line, 0, 80);
    program_ends_logging(line.program, 1, "this message of 65520 bytes is dropped");
}

static void packets_that_a_filter_refuses_leave_the_others_in_order(void **state)
{
    struct line line = start(*state, "UDP4-RECV:0,range=" LOCAL "/32", LOCAL, "UDP4-SENDTO:");
    int stranger = packet_udp(line.harness, "127.0.0.2", &(unsigned){0});
    stop(&line);
    for (int i = 0; i < PACKETS; i++) {
        send_numbers(&line, i, i + 1);
        if (i % 3 == 0)
            packet_send_to(line.harness, stranger, &line.entry, "stranger");
    }
    go_on(&line);
    numbers_arrive(&line, 0, PACKETS);
}

/* Returns false when all queues on the way are full. */
static bool try_to_send(int fd, const struct place *to, const char *data)
{
    ssize_t count = sendto(fd, data, strlen(data), MSG_DONTWAIT,
                           (const struct sockaddr *)&to->address, to->length);
    assert_true(count >= 0 || errno == EAGAIN);
    return count >= 0;
}

/* The receiver's queue is full long before all have come. */
static void packets_that_find_a_full_receiver_wait_for_it(void **state)
{
    struct harness *harness = *state;
    struct place from = place_path(harness, path(harness, "from")),
                 to = place_path(harness, path(harness, "to"));
    struct place own = place_path(harness, path(harness, "own"));
    int receiver = packet_socket(harness, SOCK_DGRAM, 0, &to);
    struct program *program =
        program_start(harness, "-d", "-d", "-d", "-d", "-u",
                      with_path(harness, "UNIX-RECV:%s", path(harness, "from")),
                      with_path(harness, "UNIX-SENDTO:%s", path(harness, "to")), NULL);
    int sender = packet_socket(harness, SOCK_DGRAM, 0, &own);
    program_logs(program, " N starting data transfer loop ");
    int arrived = 0;
    for (int i = 0; i < PACKETS; i++)
        while (!try_to_send(sender, &from, text(harness, "packet %d", i)))
            packet_arrives(harness, receiver, text(harness, "packet %d", arrived++));
    assert_true(arrived > 0);
    while (arrived < PACKETS)
        packet_arrives(harness, receiver, text(harness, "packet %d", arrived++));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SYSTEM_TEST(packets_that_wait_are_moved_many_at_a_time),
        SYSTEM_TEST(empty_packets_are_passed_over),
        SYSTEM_TEST(an_empty_packet_that_means_the_end_ends_what_came_before_it),
        SYSTEM_TEST(a_packet_that_is_too_long_takes_no_other_with_it),
        SYSTEM_TEST(packets_that_a_filter_refuses_leave_the_others_in_order),
        SYSTEM_TEST(packets_that_find_a_full_receiver_wait_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
