/* Packets off real sockets, and the queues in which they wait. */

#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/hint.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/services/datagram/packet.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];

static int make_pair(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends);
}

static int drop_pair(void **state)
{
    (void)state;
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void send_size(size_t size)
{
    char data[100];
    memset(data, 'x', sizeof data);
    assert_int_equal(send(ends[0], data, size, 0), size);
}

static void tells_the_size_of_a_packet_that_does_not_fit(void **state)
{
    struct packet_facts facts;
    char buffer[10];
    (void)state;
    send_size(50);
    send_size(3);
    assert_int_equal(packet_read(ends[1], buffer, sizeof buffer, &facts), 10);
    assert_int_equal(facts.size, 50);
    assert_int_equal(packet_read(ends[1], buffer, sizeof buffer, &facts), 3);
    assert_int_equal(facts.size, 3);
    assert_int_equal(packet_read(ends[1], buffer, sizeof buffer, &facts), -1);
    assert_int_equal(errno, EAGAIN);
}

static void takes_whole_packets_empty_ones_too(void **state)
{
    static const size_t sizes[] = {0, 1, 100};
    (void)state;
    for (size_t i = 0; i < MODCAT_COUNT(sizes); i++) {
        send_size(sizes[i]);
        AUTO_FREE struct packet *packet = packet_take(ends[1]);
        assert_non_null(packet);
        assert_int_equal(packet->length, sizes[i]);
    }
    assert_null(packet_take(ends[1]));
    assert_int_equal(errno, EAGAIN);
}

static void a_sender_without_a_name_is_of_the_family(void **state)
{
    (void)state;
    send_size(1);
    AUTO_FREE struct packet *packet = packet_take(ends[1]);
    assert_int_equal(packet->facts.from.length, sizeof(sa_family_t));
    assert_int_equal(packet->facts.from.u.any.sa_family, AF_UNIX);
}

/* Packets that only have a number and a sender. */
static struct packet *numbered(uint16_t port, size_t number)
{
    struct packet *packet = memory_zeroed(1, sizeof *packet);
    struct sockaddr_in *from = (struct sockaddr_in *)&packet->facts.from.u.storage;
    from->sin_family = AF_INET;
    from->sin_port = htons(port);
    packet->facts.from.length = sizeof *from;
    packet->length = number;
    return packet;
}

static void comes_next(struct packet_queue *queue, size_t number)
{
    AUTO_FREE struct packet *packet = packet_queue_next(queue);
    assert_non_null(packet);
    assert_int_equal(packet->length, number);
}

static void a_queue_keeps_the_order(void **state)
{
    struct packet_queue queue;
    (void)state;
    packet_queue_start(&queue);
    assert_null(packet_queue_next(&queue));
    packet_queue_put_back(&queue, numbered(1, 2));
    packet_queue_add(&queue, numbered(1, 3));
    packet_queue_put_back(&queue, numbered(1, 1));
    assert_int_equal(queue.count, 3);
    for (size_t i = 1; i <= 3; i++)
        comes_next(&queue, i);
    assert_null(packet_queue_next(&queue));
    packet_queue_add(&queue, numbered(1, 4));
    comes_next(&queue, 4);
}

static void packets_are_sorted_by_sender_in_their_order(void **state)
{
    struct packet_queue queue, own;
    (void)state;
    packet_queue_start(&queue);
    packet_queue_start(&own);
    for (size_t i = 0; i < 6; i++)
        packet_queue_add(&queue, numbered(i % 2 == 0 ? 7 : 8, i));
    packet_queue_sort_out(&queue, &queue.first->facts.from, &own);
    comes_next(&own, 0);
    comes_next(&own, 2);
    comes_next(&own, 4);
    comes_next(&queue, 1);
    packet_queue_free(&queue);
    packet_queue_free(&own);
    assert_int_equal(queue.count, 0);
}

static void the_header_of_a_raw_packet_is_as_long_as_it_says(void **state)
{
    unsigned char data[64] = {0x46};
    (void)state;
    data[24] = 'a';
    data[25] = 'b';
    assert_int_equal(packet_strip_header(data, 26), 2);
    assert_memory_equal(data, "ab", 2);
    data[0] = 0x4f;
    assert_int_equal(packet_strip_header(data, 30), 0);
    assert_int_equal(packet_strip_header(data, 0), 0);
}

static void names_what_the_kernel_lacks(void **state)
{
    static const struct {
        int error, family, protocol;
        const char *hint;
    } rows[] = {
        {EPERM, AF_INET, 1, " (needs the capability CAP_NET_RAW)"},
        {EPROTONOSUPPORT, AF_INET6, IPPROTO_SCTP,
         " (this kernel does not support SCTP, or its module sctp is not loaded)"},
        {ESOCKTNOSUPPORT, AF_INET, IPPROTO_DCCP,
         " (this kernel does not support DCCP, or its module dccp_ipv4 is not loaded)"},
        {EAFNOSUPPORT, AF_VSOCK, 0,
         " (this kernel does not support VSOCK, or its module vsock is not loaded)"},
        {EAFNOSUPPORT, 77, 0,
         " (this kernel does not support protocol family 77, or its module net-pf-77 is not "
         "loaded)"},
        {EPROTONOSUPPORT, AF_INET, 17, ""},
        {EMFILE, AF_INET, IPPROTO_SCTP, ""},
    };
    char text[HINT_TEXT], reason[HINT_TEXT];
    (void)state;
    for (size_t i = 0; i < MODCAT_COUNT(rows); i++) {
        const struct modcat_transport transport = {.family = rows[i].family,
                                                   .protocol = rows[i].protocol};
        snprintf(reason, sizeof reason, "%s%s", strerror(rows[i].error), rows[i].hint);
        errno = rows[i].error;
        assert_string_equal(hint_socket(&transport, text), reason);
        assert_int_equal(errno, rows[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_the_size_of_a_packet_that_does_not_fit, make_pair,
                                        drop_pair),
        cmocka_unit_test_setup_teardown(takes_whole_packets_empty_ones_too, make_pair, drop_pair),
        cmocka_unit_test_setup_teardown(a_sender_without_a_name_is_of_the_family, make_pair,
                                        drop_pair),
        cmocka_unit_test(a_queue_keeps_the_order),
        cmocka_unit_test(packets_are_sorted_by_sender_in_their_order),
        cmocka_unit_test(the_header_of_a_raw_packet_is_as_long_as_it_says),
        cmocka_unit_test(names_what_the_kernel_lacks),
    };
    log_set_level(MODCAT_ERROR);
    return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
