/* TUN and TAP: two networks that the program connects, and what the options say of an interface. */

#define _GNU_SOURCE
#include "tests/system/network.h"
#include "tests/system/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NEAR "192.168.77.1"
#define FAR "192.168.77.2"
#define PORT 4000

static void require_tun(void)
{
    if (access("/dev/net/tun", R_OK | W_OK) == 0)
        return;
    skip_because("/dev/net/tun: %s", strerror(errno));
}

static struct sockaddr_in ip_address(const char *host)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    inet_pton(AF_INET, host, &address.sin_addr);
    return address;
}

static int udp_socket(struct harness *harness, const char *host, const char *peer)
{
    struct sockaddr_in local = ip_address(host), remote = ip_address(peer);
    int fd = harness_keep(harness, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (bind(fd, (struct sockaddr *)&local, sizeof local) < 0 ||
        connect(fd, (struct sockaddr *)&remote, sizeof remote) < 0)
        harness_fail(harness, "a socket on %s: %s", host, strerror(errno));
    return fd;
}

static size_t receive(struct harness *harness, int fd, void *buffer, size_t size)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, PATIENCE) != 1)
        harness_fail(harness, "a packet does not come");
    ssize_t count = recv(fd, buffer, size, 0);
    assert_true(count >= 0);
    return (size_t)count;
}

static void sends_packets(struct harness *harness, int from, int to)
{
    unsigned char packet[8000], received[8001];
    for (size_t i = 0; i < 50; i++) {
        size_t length = 1 + i * 1597 % sizeof packet;
        memset(packet, (int)i, length);
        assert_int_equal(send(from, packet, length, 0), length);
        assert_int_equal(receive(harness, to, received, sizeof received), length);
        assert_memory_equal(received, packet, length);
    }
}

static void ping_if_installed(const char *host)
{
    const char *command = "command -v ping >/dev/null || exit 0; exec ping -q -c 3 -i 0.2 -W 10 ";
    char whole[160];
    snprintf(whole, sizeof whole, "%s%s >/dev/null", command, host);
    assert_int_equal(system(whole), 0);
}

/* Two programs, each with an interface in a network of its own, and a socket between them. */
static void connects_two_networks(struct harness *harness, const char *options)
{
    const char *between = path(harness, "between");
    require_tun();
    int near = network_new(harness);
    struct program *program =
        program_start(harness, "-d", "-d", text(harness, "UNIX-LISTEN:%s,so-type=5", between),
                      text(harness, "TUN:" NEAR "/24,up%s", options), NULL);
    program_logs(program, " N listening on ");
    network_new(harness);
    struct program *other =
        program_start(harness, "-d", "-d", text(harness, "UNIX-CONNECT:%s,so-type=5", between),
                      text(harness, "TUN:" FAR "/24,up%s", options), NULL);
    program_logs(other, " N starting data transfer loop");
    program_logs(program, " N starting data transfer loop");
    int far_socket = udp_socket(harness, FAR, NEAR);
    network_enter(harness, near);
    int near_socket = udp_socket(harness, NEAR, FAR);
    sends_packets(harness, near_socket, far_socket);
    sends_packets(harness, far_socket, near_socket);
    ping_if_installed(FAR);
    assert_false(program_has_logged(program, " E "));
    assert_false(program_has_logged(other, " E "));
}

static void connects_two_networks_by_tun(void **state)
{
    connects_two_networks(*state, ",iff-no-pi");
}

static void connects_two_networks_by_tun_with_packet_information(void **state)
{
    connects_two_networks(*state, ",tun-type=tun,iff-no-pi=0");
}

static void connects_two_networks_by_tap(void **state)
{
    connects_two_networks(*state, ",tun-type=tap,no-pi");
}

/* The first packet of an interface for which the test sends one. */
static size_t first_packet(struct harness *harness, const char *options, unsigned char *packet,
                           size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *name = path(harness, "packets");
    require_tun();
    network_new(harness);
    int fd = harness_keep(harness, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    assert_true(strlen(name) < sizeof address.sun_path);
    memcpy(address.sun_path, name, strlen(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    struct program *program =
        program_start(harness, "-d", "-d", text(harness, "TUN:" NEAR "/24,up%s", options),
                      text(harness, "UNIX-SENDTO:%s", name), NULL);
    program_logs(program, " N starting data transfer loop");
    assert_int_equal(send(udp_socket(harness, NEAR, FAR), "four", 4, 0), 4);
    return receive(harness, fd, packet, size);
}

#define IP_AND_UDP 28

static void packets_come_with_their_information(void **state)
{
    unsigned char packet[2000];
    assert_int_equal(first_packet(*state, "", packet, sizeof packet), 4 + IP_AND_UDP + 4);
    assert_memory_equal(packet, "\0\0\x08\0\x45", 5);
    assert_memory_equal(packet + 4 + IP_AND_UDP, "four", 4);
}

static void packets_come_alone_with_no_pi(void **state)
{
    unsigned char packet[2000];
    assert_int_equal(first_packet(*state, ",iff-no-pi", packet, sizeof packet), IP_AND_UDP + 4);
    assert_int_equal(packet[0], 0x45);
}

static void frames_come_with_tun_type_tap(void **state)
{
    static const unsigned char question[] = {0x08, 0x06}; /* who has the address? */
    unsigned char packet[2000];
    assert_true(first_packet(*state, ",tun-type=tap,iff-no-pi", packet, sizeof packet) >= 42);
    assert_memory_equal(packet + 12, question, sizeof question);
}

/* An interface of the program's, and a packet socket for what comes out of it and goes in. */
struct tunnel {
    struct program *program;
    int packets;
};

static struct sockaddr_un unix_address(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(name) < sizeof address.sun_path);
    memcpy(address.sun_path, name, strlen(name));
    return address;
}

static struct tunnel tunnel_open(struct harness *harness)
{
    const char *name = path(harness, "packets"), *own = path(harness, "own");
    struct sockaddr_un here = unix_address(name), there = unix_address(own);
    struct tunnel tunnel;
    require_tun();
    network_new(harness);
    tunnel.packets = harness_keep(harness, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    assert_int_equal(bind(tunnel.packets, (struct sockaddr *)&here, sizeof here), 0);
    tunnel.program =
        program_start(harness, "-d", "-d", "TUN:" NEAR "/24,up,iff-no-pi,tun-name=ours",
                      text(harness, "UNIX-SENDTO:%s,bind=%s", name, own), NULL);
    program_logs(tunnel.program, " N starting data transfer loop");
    assert_int_equal(connect(tunnel.packets, (struct sockaddr *)&there, sizeof there), 0);
    return tunnel;
}

static void tunnel_send(const struct tunnel *tunnel, const void *packet, size_t length)
{
    assert_int_equal(send(tunnel->packets, packet, length, 0), length);
}

/* What a socket sends comes out, and goes back in with addresses and ports exchanged, which no
 * checksum notices. */
static void tunnel_works(struct harness *harness, const struct tunnel *tunnel)
{
    unsigned char packet[2000], turned[IP_AND_UDP + 4];
    int socket = udp_socket(harness, NEAR, FAR);
    assert_int_equal(send(socket, "four", 4, 0), 4);
    do
        assert_true(receive(harness, tunnel->packets, packet, sizeof packet) > 0);
    while (packet[0] != 0x45 || packet[9] != IPPROTO_UDP);
    memcpy(turned, packet, sizeof turned);
    memcpy(turned + 12, packet + 16, 4);
    memcpy(turned + 16, packet + 12, 4);
    tunnel_send(tunnel, turned, sizeof turned);
    assert_int_equal(receive(harness, socket, packet, sizeof packet), 4);
    assert_memory_equal(packet, "four", 4);
    harness_close(harness, socket);
}

/* The other end may be anybody's. */
static void what_is_no_packet_is_dropped_alone(void **state)
{
    struct tunnel tunnel = tunnel_open(*state);
    tunnel_send(&tunnel, "x", 1);
    program_logs(tunnel.program, " E cannot write to *: Invalid argument: this message of 1 bytes "
                                 "is dropped");
    tunnel_works(*state, &tunnel);
}

static void an_interface_that_goes_down_and_up_again_ends_nothing(void **state)
{
    struct tunnel tunnel = tunnel_open(*state);
    tunnel_works(*state, &tunnel);
    network_ip(*state, "link set ours down");
    tunnel_send(&tunnel, "\x45 is no packet either", 24);
    program_logs(tunnel.program, " E cannot write to *: Input/output error: this message of 24 "
                                 "bytes is dropped");
    network_ip(*state, "link set ours up");
    tunnel_works(*state, &tunnel);
    program_signal(tunnel.program, SIGTERM);
    program_ends(tunnel.program, 143);
}

static struct program *start_tun(struct harness *harness, const char *address)
{
    require_tun();
    network_new(harness);
    struct program *program = program_start(harness, "-d", "-d", address, "PIPE", NULL);
    program_logs(program, " N starting data transfer loop");
    return program;
}

static void an_option_of_packet_sockets_is_said_to_have_no_effect(void **state)
{
    struct program *program = start_tun(*state, "TUN:10.9.9.1/24,tun-type=tap,up,retrieve-vlan");
    assert_true(program_has_logged(program, " W option \"retrieve-vlan\" has no effect with TUN"));
}

static void makes_the_interface_as_the_options_say(void **state)
{
    struct program *program = start_tun(
        *state,
        "TUN:10.20.30.40/12,tun-name=ours,iff-up,noarp=0,promisc=yes,multicast=0,if-mtu=1400");

    assert_true(program_has_logged(program, " N TUN: new device \"ours\""));
    assert_int_equal(network_address("ours"), 0x0a141e28);
    assert_int_equal(network_mask("ours"), 0xfff00000);
    assert_int_equal(network_flags("ours") & (IFF_UP | IFF_NOARP | IFF_PROMISC | IFF_MULTICAST),
                     IFF_UP | IFF_PROMISC);
    assert_int_equal(network_mtu("ours"), 1400);
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    assert_int_equal(network_flags("ours"), 0);
}

static void the_interface_stays_down_without_up(void **state)
{
    start_tun(*state, "TUN,tun-name=ours");
    assert_int_not_equal(network_flags("ours"), 0);
    assert_int_equal(network_flags("ours") & IFF_UP, 0);
    assert_int_equal(network_address("ours"), 0);
}

static void takes_the_device_that_is_named(void **state)
{
    start_tun(*state, "TUN:10.0.0.1/32,tun-device=/dev/net/tun,tun-name=ours");
    assert_int_equal(network_mask("ours"), 0xffffffff);
}

static void fails(struct harness *harness, const char *address, const char *message)
{
    struct program *program = program_start(harness, "-", address, NULL);
    program_ends_logging(program, 1, message);
}

static void names_what_is_wrong(void **state)
{
    fails(*state, "TUN:10.0.0.1",
          " E no netmask in \"10.0.0.1\": use ADDRESS/BITS, as in 10.0.0.1/24");
    fails(*state, "TUN:10.0.0.1/33", " E netmask \"33\" is too large: IPv4 has 32 bits");
    fails(*state, "TUN:10.0.0.1/eight",
          " E \"eight\" is not a netmask: use a number of bits, as in 10.0.0.1/24");
    fails(*state, "TUN:[::1]/129", " E netmask \"129\" is too large: IPv6 has 128 bits");
    fails(*state, "TUN,tun-type=tin", " E option tun-type: invalid value \"tin\": use tun or tap");
    fails(*state, "TUN,tun-name=sixteen-letters!",
          " E option tun-name: invalid value \"sixteen-letters!\": it has more than");
    fails(*state, "TUN,tun-device=/nowhere/tun", " E cannot open /nowhere/tun: No such file");
    fails(*state, "TUN,tun-device=/dev/null",
          " E cannot make a TUN interface: Inappropriate ioctl for device [ioctl(*TUNSETIFF*)]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(connects_two_networks_by_tun),
        SYSTEM_TEST(connects_two_networks_by_tun_with_packet_information),
        SYSTEM_TEST(connects_two_networks_by_tap),
        SYSTEM_TEST(packets_come_with_their_information),
        SYSTEM_TEST(packets_come_alone_with_no_pi),
        SYSTEM_TEST(frames_come_with_tun_type_tap),
        SYSTEM_TEST(what_is_no_packet_is_dropped_alone),
        SYSTEM_TEST(an_interface_that_goes_down_and_up_again_ends_nothing),
        SYSTEM_TEST(an_option_of_packet_sockets_is_said_to_have_no_effect),
        SYSTEM_TEST(makes_the_interface_as_the_options_say),
        SYSTEM_TEST(the_interface_stays_down_without_up),
        SYSTEM_TEST(takes_the_device_that_is_named),
        SYSTEM_TEST(names_what_is_wrong),
    };
    return cmocka_run_group_tests_name("tun", tests, NULL, NULL);
}
