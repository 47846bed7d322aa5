/* Multicast, broadcast, and what the kernel tells about packets, in a network of the test's own. */

#define _GNU_SOURCE
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Two hosts' worth of addresses, and an interface that carries multicasts of both versions. */
#define SET_UP                                                                                     \
    "ip link add name va type veth peer name vb && ip link set va up && ip link set vb up && "     \
    "ip addr add 10.9.0.1/24 dev va && ip addr add 10.9.0.2/24 dev va && "                         \
    "ip addr add 2001:db8::1/64 dev va nodad && ip addr add 2001:db8::2/64 dev va nodad"

static bool has_network;

static void need_network(void)
{
    if (!has_network)
        skip_because("a network namespace takes root");
}

static struct program *receiver(struct harness *harness, const char *address)
{
    struct program *program = program_start(harness, "-d", "-d", "-d", "-u", address, "-", NULL);
    program_logs(program, " N receiving on ");
    return program;
}

static unsigned port_of(struct program *program)
{
    const char *line = strstr(program_log(program), " N receiving on ");
    const char *end = strchr(line, '\n');
    while (*end != ':')
        end--;
    return (unsigned)strtoul(end + 1, NULL, 10);
}

/* Sends one packet by the program itself, with options of its own. */
static void send_with(struct harness *harness, const char *address, const char *data)
{
    struct program *program = program_start(harness, "-u", "-", address, NULL);
    program_send(program, data);
    program_end_input(program);
    program_ends(program, 0);
}

static void a_group_is_joined_over_ip4(void **state)
{
    static const char *const ways[] = {"239.1.2.3:va", "239.1.2.3:10.9.0.1",
                                       "239.1.2.3:10.9.0.1:va"};
    struct harness *harness = *state;
    need_network();

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct program *program =
            receiver(harness, text(harness, "UDP4-RECV:0,ip-add-membership=%s", ways[i]));
        send_with(
            harness,
            text(harness, "UDP4-DATAGRAM:239.1.2.3:%u,ip-multicast-if=10.9.0.1", port_of(program)),
            "to the group");
        program_outputs(program, "to the group");
    }
}

static void a_multicast_has_the_ttl_of_its_option_and_comes_back_or_not(void **state)
{
    struct harness *harness = *state;
    need_network();
    struct program *program =
        receiver(harness, "UDP4-RECV:0,ip-add-membership=239.1.2.3:va,ip-recvttl");
    const char *group =
        text(harness, "UDP4-DATAGRAM:239.1.2.3:%u,ip-multicast-if=10.9.0.1", port_of(program));

    send_with(harness, text(harness, "%s,ip-multicast-loop=0", group), "not for this host");
    send_with(harness, text(harness, "%s,ip-multicast-ttl=5", group), "for this host");
    program_outputs(program, "for this host");
    program_logs(program, " N Ancillary message: ttl=5");
}

static void a_group_is_joined_for_one_source_over_ip4(void **state)
{
    static const char *const ways[] = {"239.1.2.4:va:10.9.0.2", "239.1.2.4:10.9.0.1:10.9.0.2"};
    struct harness *harness = *state;
    need_network();

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct program *program =
            receiver(harness, text(harness, "UDP4-RECV:0,ip-add-source-membership=%s", ways[i]));
        const char *group =
            text(harness, "UDP4-DATAGRAM:239.1.2.4:%u,ip-multicast-if=10.9.0.1", port_of(program));
        send_with(harness, text(harness, "%s,bind=10.9.0.1", group), "from another");
        send_with(harness, text(harness, "%s,bind=10.9.0.2", group), "from the source");
        program_outputs(program, "from the source");
    }
}

static void a_group_is_joined_over_ip6(void **state)
{
    struct harness *harness = *state;
    need_network();
    struct program *program = receiver(
        harness, "UDP6-RECV:0,ipv6-join-group=[ff02::1234]:va,ipv6-recvpktinfo,ipv6-recvhoplimit");

    send_with(harness, text(harness, "UDP6-DATAGRAM:[ff02::1234%%va]:%u", port_of(program)),
              "to the group");
    program_outputs(program, "to the group");
    program_logs(program, " N Ancillary message: interface \"va\", dstaddr=[ff02:*:1234]");
    program_logs(program, " N Ancillary message: hoplimit=1");
}

static void a_group_is_joined_for_one_source_over_ip6(void **state)
{
    struct harness *harness = *state;
    need_network();
    struct program *program =
        receiver(harness, "UDP6-RECV:0,ipv6-join-source-group=[ff02::4321]:va:[2001:db8::2]");
    const char *group = text(harness, "UDP6-DATAGRAM:[ff02::4321%%va]:%u", port_of(program));

    send_with(harness, text(harness, "%s,bind=[2001:db8::1]", group), "from another");
    assert_true(
        program_has_logged(program, " W option \"ipv6-join-source-group\" is experimental"));
    send_with(harness, text(harness, "%s,bind=[2001:db8::2]", group), "from the source");
    program_outputs(program, "from the source");
}

static void two_members_talk_through_one_address_each(void **state)
{
    struct harness *harness = *state;
    need_network();
    struct program *members[2];

    for (int i = 0; i < 2; i++) {
        members[i] = program_start(harness, "-d", "-d", "-",
                                   text(harness,
                                        "UDP4-DATAGRAM:239.1.2.5:7777,bind=:7777,reuseaddr,"
                                        "ip-add-membership=239.1.2.5:va,ip-multicast-if=10.9.0.%d",
                                        i + 1),
                                   NULL);
        program_logs(members[i], " N starting data transfer loop");
    }
    program_send(members[0], "from one");
    program_outputs(members[1], "from one");
    program_send(members[1], "from the other");
    program_outputs(members[0], "from onefrom the other");
}

static void broadcasts_need_their_option(void **state)
{
    struct harness *harness = *state;
    need_network();
    struct program *program = receiver(harness, "UDP4-RECV:0");
    unsigned port = port_of(program);
    struct program *refused;

    send_with(harness, text(harness, "UDP4-DATAGRAM:127.255.255.255:%u,broadcast", port),
              "to everybody");
    program_outputs(program, "to everybody");
    refused = program_start(harness, "-u", "-",
                            text(harness, "UDP4-DATAGRAM:127.255.255.255:%u", port), NULL);
    program_send(refused, "x");
    program_ends_logging(refused, 1, "Permission denied (broadcasts need option broadcast)");
}

static void all_that_is_known_about_a_packet_is_told(void **state)
{
    struct harness *harness = *state;
    need_network();
    struct program *program = receiver(harness, "UDP4-RECV:0,bind=127.0.0.1,ip-pktinfo,ip-recvttl,"
                                                "ip-recvtos,ip-recvopts,so-timestamp");
    send_with(harness,
              text(harness, "UDP4-SENDTO:127.0.0.1:%u,ip-ttl=9,ip-tos=8,ip-options=x01010101",
                   port_of(program)),
              "data");
    program_outputs(program, "data");
    program_logs(program, " I ancillary message: SCM_TIMESTAMP: timestamp=*, * usecs");
    program_logs(program, " N Ancillary message: interface \"lo\", locaddr=127.0.0.1, "
                          "dstaddr=127.0.0.1");
    program_logs(program, " N Ancillary message: ttl=9");
    program_logs(program, " N Ancillary message: tos=8");
    program_logs(program, " I ancillary message: IP_OPTIONS: options=x01010101");
}

static bool is_known(struct harness *harness, const char *address)
{
    struct program *program = program_start(harness, "-u", "-", address, NULL);
    program_end_input(program);
    program_end(program);
    return !program_has_logged(program, "unknown device/address");
}

static void programs_get_what_is_known_about_a_packet(void **state)
{
    struct harness *harness = *state;
    unsigned own;
    int sender = packet_udp(harness, "127.0.0.1", &own);
    if (!is_known(harness, "SYSTEM:true"))
        skip_because("SYSTEM is not built");
    struct program *program = program_start(
        harness, "-d", "-d", "-t", "5", "UDP4-RECVFROM:0,bind=127.0.0.1,ip-pktinfo,ip-recvttl",
        "SYSTEM:echo $SOCAT_PEERADDR $SOCAT_PEERPORT $SOCAT_IP_DSTADDR $SOCAT_IP_IF "
        "$SOCAT_IP_TTL",
        NULL);
    unsigned port = program_logs_port(program, " N receiving on AF=2 127.0.0.1:");
    struct place place = place_host(harness, "127.0.0.1", port);

    packet_send_to(harness, sender, &place, "x");
    packet_arrives(harness, sender, text(harness, "127.0.0.1 %u 127.0.0.1 lo 64\n", own));
}

static void errors_that_packets_met_are_told(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int gone = packet_udp(harness, "127.0.0.1", &port);
    struct program *program = program_start(
        harness, "-d", "-d", "-", text(harness, "UDP4-SENDTO:127.0.0.1:%u,ip-recverr", port), NULL);

    harness_close(harness, gone);
    program_send(program, "anybody?");
    program_logs(program, " N Ancillary message: error=Connection refused, origin=2, type=3");
    program_end_input(program);
    program_ends(program, 0);
}

static void wrong_groups_and_interfaces_are_named(void **state)
{
    static const struct {
        const char *address;
        const char *message;
    } rows[] = {
        {"UDP4-RECV:0,ip-add-membership=239.1.2.3", "missing ':'"},
        {"UDP4-RECV:0,ip-add-membership=10.1.2.3:lo", " E 10.1.2.3 is not a multicast address"},
        {"UDP4-RECV:0,ip-add-membership=239.1.2.3:10.0.0.1:nosuch",
         " E interface \"nosuch\" not found"},
        {"UDP6-RECV:0,ipv6-join-group=[ff02::1]:nosuch", " E interface \"nosuch\" not found"},
        {"UDP6-RECV:0,ipv6-join-group=[::1]:lo", " E [::1] is not a multicast address"},
        {"UDP6-RECV:0,ipv6-join-source-group=[ff02::1]:lo", "needs 3 parts, separated by colons"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        program_ends_logging(program_start(harness, "-u", rows[i].address, "-", NULL), 1,
                             rows[i].message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_group_is_joined_over_ip4),
        SYSTEM_TEST(a_multicast_has_the_ttl_of_its_option_and_comes_back_or_not),
        SYSTEM_TEST(a_group_is_joined_for_one_source_over_ip4),
        SYSTEM_TEST(a_group_is_joined_over_ip6),
        SYSTEM_TEST(a_group_is_joined_for_one_source_over_ip6),
        SYSTEM_TEST(two_members_talk_through_one_address_each),
        SYSTEM_TEST(broadcasts_need_their_option),
        SYSTEM_TEST(all_that_is_known_about_a_packet_is_told),
        SYSTEM_TEST(programs_get_what_is_known_about_a_packet),
        SYSTEM_TEST(errors_that_packets_met_are_told),
        SYSTEM_TEST(wrong_groups_and_interfaces_are_named),
    };
    has_network = packet_own_network() && system(SET_UP) == 0;
    if (!has_network)
        print_message("multicast is skipped: it needs a network namespace with an interface\n");
    return cmocka_run_group_tests_name("multicast", tests, NULL, NULL);
}
