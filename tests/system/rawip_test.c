/* Raw IP, in a network of the test's own: protocols, headers, and whose packets are taken. */

#define _GNU_SOURCE
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROTOCOL 254
#define IP_HEADER 20

static bool own_network;

/* A test's raw socket at a host of its own. */
static int raw_socket(struct harness *harness, const char *host)
{
    struct place place = place_host(harness, host, 0);
    if (!own_network)
        skip_because("a network namespace takes root");
    return packet_socket(harness, SOCK_RAW, PROTOCOL, &place);
}

static void send_to(struct harness *harness, int fd, const char *host, const char *data)
{
    struct place place = place_host(harness, host, 0);
    packet_send_to(harness, fd, &place, data);
}

/* The packet comes with its IPv4 header. */
static void arrives(struct harness *harness, int fd, const char *wanted)
{
    char buffer[2048] = "";
    size_t length = packet_receive(harness, fd, buffer, sizeof(buffer) - 1, NULL);
    assert_int_equal(length, IP_HEADER + strlen(wanted));
    assert_string_equal(buffer + IP_HEADER, wanted);
}

static void sendto_takes_data_without_header_of_its_target_only(void **state)
{
    struct harness *harness = *state;
    int target = raw_socket(harness, "127.0.0.2"), other = raw_socket(harness, "127.0.0.3");
    struct program *program =
        program_start(harness, "-d", "-d", "-", "IP4-SENDTO:127.0.0.2:254,bind=127.0.0.1", NULL);

    program_logs(program, " N successfully prepared local socket AF=2 127.0.0.1:");
    send_to(harness, other, "127.0.0.1", "from another");
    send_to(harness, target, "127.0.0.1", "from the target");
    program_outputs(program, "from the target");
    program_logs(program, " N received packet with 35 bytes from AF=2 127.0.0.2:0");
    program_send(program, "to the target");
    arrives(harness, target, "to the target");
}

static void ip_options_of_a_packet_are_part_of_its_header(void **state)
{
    struct harness *harness = *state;
    int sender = raw_socket(harness, "127.0.0.2");
    struct program *program =
        program_start(harness, "-d", "-d", "-u", "IP4-RECV:254,bind=127.0.0.1", "-", NULL);
    const unsigned char options[4] = {1, 1, 1, 1};

    program_logs(program, " N receiving on ");
    assert_int_equal(setsockopt(sender, IPPROTO_IP, IP_OPTIONS, options, sizeof(options)), 0);
    send_to(harness, sender, "127.0.0.1", "data");
    program_outputs(program, "data");
}

static void datagram_takes_packets_of_the_range(void **state)
{
    struct harness *harness = *state;
    int one = raw_socket(harness, "127.0.0.2"), other = raw_socket(harness, "127.0.0.3");
    struct program *program =
        program_start(harness, "-d", "-d", "-",
                      "IP4-DATAGRAM:127.0.0.2:254,bind=127.0.0.1,range=127.0.0.2/31", NULL);

    program_logs(program, " N successfully prepared local socket ");
    send_to(harness, raw_socket(harness, "127.0.0.4"), "127.0.0.1", "from a stranger");
    send_to(harness, other, "127.0.0.1", "from another");
    send_to(harness, one, "127.0.0.1", "from one");
    program_outputs(program, "from anotherfrom one");
    program_logs(program, " W refusing connection from AF=2 127.0.0.4:0 due to range option");
}

static void recvfrom_answers_each_sender(void **state)
{
    struct harness *harness = *state;
    int one = raw_socket(harness, "127.0.0.2"), other = raw_socket(harness, "127.0.0.3");
    struct program *program = program_start(harness, "-d", "-d", "-t", "5",
                                            "IP4-RECVFROM:254,fork,bind=127.0.0.1", "PIPE", NULL);

    program_logs(program, " N receiving IP protocol 254");
    program_logs(program, " N receiving on ");
    send_to(harness, one, "127.0.0.1", "one");
    send_to(harness, other, "127.0.0.1", "the other");
    arrives(harness, other, "the other");
    arrives(harness, one, "one");
    process_awaits_children(harness, program_pid(program), 0);
}

static void ip6_packets_come_without_header(void **state)
{
    struct harness *harness = *state;
    int sender = raw_socket(harness, "::1");
    struct program *program =
        program_start(harness, "-d", "-d", "-u", "IP6-RECVFROM:254", "-", NULL);

    program_logs(program, " N receiving on AF=10 ");
    send_to(harness, sender, "::1", "six");
    program_outputs(program, "six");
    program_ends(program, 0);
    program_logs(program, " N received packet with 3 bytes from AF=10 [0000:*:0001]:0");
}

static void sendto_over_ip6_reaches_its_target(void **state)
{
    struct harness *harness = *state;
    int target = raw_socket(harness, "::1");
    struct program *program = program_start(harness, "-u", "-", "IP-SENDTO:[::1]:254", NULL);

    program_send(program, "six");
    packet_arrives(harness, target, "six");
}

static void wrong_protocols_are_named(void **state)
{
    static const struct {
        const char *address;
        const char *message;
    } rows[] = {
        {"IP4-SENDTO:127.0.0.1:300", " E IP4-SENDTO: protocol number exceeds 255 (300)"},
        {"IP4-SENDTO:127.0.0.1:icmp", " E IP4-SENDTO: the protocol must be a number, not \"icmp\""},
        {"IP4-RECV:1x", " E IP4-RECV: the protocol must be a number, not \"1x\""},
        {"IP4-RECVFROM:", "the protocol must be a number"},
        {"IP4-SENDTO:127.0.0.1", "wrong number of parameters"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        program_ends_logging(program_start(harness, "-", rows[i].address, NULL), 1,
                             rows[i].message);
}

/* Run by a child of the test, which has no way back to its privileges. */
static int run_without_privileges(void **state)
{
    if (harness_begin(state) != 0)
        return 2;
    program_for_nobody(*state);
    if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
        return 2;
    return 0;
}

static void the_missing_privilege_is_named(void **state)
{
    struct harness *harness = *state;
    program_ends_logging(program_start(harness, "-", "IP4-SENDTO:127.0.0.1:254", NULL), 1,
                         " E cannot make a socket for *: Operation not permitted (needs the "
                         "capability CAP_NET_RAW) [socket(2, 3, 254)]");
    program_ends_logging(program_start(harness, "-u", "UDP4-RECV:53", "-", NULL), 1,
                         "needs the capability CAP_NET_BIND_SERVICE");
    program_ends_logging(program_start(harness, "-", "UDP4-SENDTO:127.0.0.1:1,priority=7", NULL), 1,
                         " E cannot set option *: Operation not permitted (needs the capability "
                         "CAP_NET_ADMIN) [setsockopt(*{7}, 4)]");
    program_ends_logging(
        program_start(harness, "-", "UDP4-SENDTO:127.0.0.1:1,ip-transparent", NULL), 1,
        "(needs the capability CAP_NET_ADMIN or CAP_NET_RAW)");
}

static void without_privileges_the_missing_one_is_named(void **state)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_missing_privilege_is_named, run_without_privileges,
                                        harness_end),
    };
    int status;
    (void)state;

    if (geteuid() != 0)
        skip_because("it takes root");
    pid_t pid = fork();
    if (pid == 0)
        _exit(cmocka_run_group_tests_name("without privileges", tests, NULL, NULL) != 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(sendto_takes_data_without_header_of_its_target_only),
        SYSTEM_TEST(ip_options_of_a_packet_are_part_of_its_header),
        SYSTEM_TEST(datagram_takes_packets_of_the_range),
        SYSTEM_TEST(recvfrom_answers_each_sender),
        SYSTEM_TEST(ip6_packets_come_without_header),
        SYSTEM_TEST(sendto_over_ip6_reaches_its_target),
        SYSTEM_TEST(wrong_protocols_are_named),
        cmocka_unit_test(without_privileges_the_missing_one_is_named),
    };
    own_network = packet_own_network();
    if (!own_network)
        print_message("raw IP is skipped: no network namespace without privileges\n");
    return cmocka_run_group_tests_name("raw IP", tests, NULL, NULL);
}
