/* INTERFACE on one end of a pair of Ethernet devices, in a network namespace of the test's own. */

#define _GNU_SOURCE
#include "tests/system/network.h"
#include "tests/system/peers.h"

#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_MAX 2048

/* Frames go into `wire`, through the program, and come out of `packets`; and back. */
struct tap {
    struct program *program;
    int wire;    /* on interface "far", the other end of "near" */
    int packets; /* a UNIX datagram socket, where a frame is a packet */
};

static void make_pair(struct harness *harness, const char *state)
{
    network_new(harness);
    network_ip(harness, "link add near type veth peer name far");
    network_ip(harness, "link set far %s", state);
    network_ip(harness, "link set near %s", state);
}

static int packet_socket(struct harness *harness, const char *own, const char *peer)
{
    struct sockaddr_un from = {.sun_family = AF_UNIX}, to = {.sun_family = AF_UNIX};
    int fd = harness_keep(harness, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    assert_true(strlen(own) < sizeof from.sun_path && strlen(peer) < sizeof to.sun_path);
    memcpy(from.sun_path, own, strlen(own));
    memcpy(to.sun_path, peer, strlen(peer));
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    /* The program binds its own end; until then there is nobody to send to. */
    return fd;
}

static void connect_packets(int fd, const char *peer)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, peer, strlen(peer));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
}

static struct tap tap_open(struct harness *harness, const char *options)
{
    struct tap tap;
    const char *own = path(harness, "own"), *peer = path(harness, "peer");
    make_pair(harness, "up");
    tap.packets = packet_socket(harness, own, peer);
    tap.program = program_start(harness, "-d", "-d", text(harness, "INTERFACE:near%s", options),
                                text(harness, "UNIX-SENDTO:%s,bind=%s", own, peer), NULL);
    program_logs(tap.program, " N starting data transfer loop");
    network_await(harness, "near");
    network_await(harness, "far");
    connect_packets(tap.packets, peer);
    tap.wire = network_frames(harness, "far");
    return tap;
}

/* A frame for everybody, of an Ethernet type that nothing else uses. */
static void frame_make(unsigned char *frame, size_t length, unsigned char mark)
{
    static const unsigned char head[] = {255, 255, 255, 255, 255, 255,  2,
                                         0,   0,   0,   0,   1,   0x88, 0xb5};
    memset(frame, mark, length);
    memcpy(frame, head, sizeof head);
}

static void send_frame(int fd, const unsigned char *frame, size_t length)
{
    assert_int_equal(send(fd, frame, length, 0), length);
}

static void expect_frame(struct harness *harness, int fd, const unsigned char *frame, size_t length)
{
    unsigned char received[FRAME_MAX];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, PATIENCE) != 1)
        harness_fail(harness, "a frame of %zu bytes does not come", length);
    assert_int_equal(recv(fd, received, sizeof received, 0), length);
    assert_memory_equal(received, frame, length);
}

static void relays_frames_both_ways_one_by_one(void **state)
{
    static const size_t lengths[] = {60, 14, 1514, 61, 999};
    struct harness *harness = *state;
    struct tap tap = tap_open(harness, "");
    unsigned char frame[FRAME_MAX];

    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        frame_make(frame, lengths[i], (unsigned char)i);
        send_frame(tap.wire, frame, lengths[i]);
        expect_frame(harness, tap.packets, frame, lengths[i]);
        send_frame(tap.packets, frame, lengths[i]);
        expect_frame(harness, tap.wire, frame, lengths[i]);
    }
}

static void does_not_read_what_it_writes(void **state)
{
    struct harness *harness = *state;
    struct tap tap = tap_open(harness, "");
    unsigned char frame[FRAME_MAX];

    frame_make(frame, 100, 'w');
    send_frame(tap.packets, frame, 100);
    expect_frame(harness, tap.wire, frame, 100);
    frame_make(frame, 101, 'r');
    send_frame(tap.wire, frame, 101);
    expect_frame(harness, tap.packets, frame, 101);
}

static void a_frame_that_is_too_long_is_dropped_alone(void **state)
{
    struct harness *harness = *state;
    struct tap tap = tap_open(harness, "");
    unsigned char frame[FRAME_MAX];

    frame_make(frame, 2000, 'l');
    send_frame(tap.packets, frame, 2000);
    program_logs(tap.program, " E cannot write to *: Message too long: this message of 2000 bytes");
    frame_make(frame, 100, 's');
    send_frame(tap.packets, frame, 100);
    expect_frame(harness, tap.wire, frame, 100);
}

static void a_frame_without_a_whole_header_is_dropped_alone(void **state)
{
    struct harness *harness = *state;
    struct tap tap = tap_open(harness, "");
    unsigned char frame[FRAME_MAX];

    frame_make(frame, 14, 's');
    send_frame(tap.packets, frame, 5);
    program_logs(tap.program, " E cannot write to *: Invalid argument: this message of 5 bytes is "
                              "dropped");
    frame_make(frame, 100, 'g');
    send_frame(tap.packets, frame, 100);
    expect_frame(harness, tap.wire, frame, 100);
}

static void an_interface_that_goes_down_and_up_again_ends_nothing(void **state)
{
    struct harness *harness = *state;
    struct tap tap = tap_open(harness, "");
    unsigned char frame[FRAME_MAX];

    frame_make(frame, 100, 'd');
    for (int i = 0; i < 2; i++) {
        network_ip(harness, "link set near down");
        program_logs(tap.program, " W interface \"near\" is down");
        if (i == 0) {
            send_frame(tap.packets, frame, 100);
            program_logs(tap.program, " E cannot write to *: Network is down: this message of 100 "
                                      "bytes is dropped");
        }
        network_ip(harness, "link set near up");
        network_await(harness, "near");
        network_await(harness, "far");
        send_frame(tap.packets, frame, 100);
        expect_frame(harness, tap.wire, frame, 100);
        send_frame(tap.wire, frame, 100);
        expect_frame(harness, tap.packets, frame, 100);
    }
    program_signal(tap.program, SIGTERM);
    program_ends(tap.program, 143);
}

static void an_interface_that_is_removed_is_an_error(void **state)
{
    struct harness *harness = *state;
    struct tap tap = tap_open(harness, "");
    network_ip(harness, "link del near");
    program_ends_logging(tap.program, 1, " E cannot read from *: Network is down [read(");
}

/* The kernel keeps tags beside the frames that it hands out. */
static void frame_tag(unsigned char *frame, size_t length)
{
    static const unsigned char tag[] = {0x81, 0, 0x20, 5};
    memmove(frame + 16, frame + 12, length - 12);
    memcpy(frame + 12, tag, sizeof tag);
}

static void puts_vlan_tags_back(void **state)
{
    struct harness *harness = *state;
    struct tap tap = tap_open(harness, ",retrieve-vlan");
    unsigned char frame[FRAME_MAX];

    assert_true(program_has_logged(tap.program, " W option \"retrieve-vlan\" is experimental"));
    frame_make(frame, 200, 'v');
    frame_tag(frame, 200);
    send_frame(tap.wire, frame, 204);
    expect_frame(harness, tap.packets, frame, 204);
    frame_make(frame, 200, 'p');
    send_frame(tap.wire, frame, 200);
    expect_frame(harness, tap.packets, frame, 200);
}

static void leaves_vlan_tags_off_otherwise(void **state)
{
    struct harness *harness = *state;
    struct tap tap = tap_open(harness, "");
    unsigned char frame[FRAME_MAX];

    frame_make(frame, 200, 'v');
    frame_tag(frame, 200);
    send_frame(tap.wire, frame, 204);
    frame_make(frame, 200, 'v');
    expect_frame(harness, tap.packets, frame, 200);
}

static void sets_flags_and_restores_them(void **state)
{
    const unsigned wanted = IFF_UP | IFF_PROMISC | IFF_NOARP;
    struct harness *harness = *state;
    make_pair(harness, "down");
    unsigned before = network_flags("near");
    assert_int_equal(before & (wanted | IFF_MULTICAST), IFF_MULTICAST);
    struct program *program = program_start(
        harness, "-d", "-d", "IF:near,up,iff-promisc=1,noarp,iff-multicast=0", "PIPE", NULL);

    program_logs(program, " N starting data transfer loop");
    assert_int_equal(network_flags("near") & (wanted | IFF_MULTICAST), wanted);
    network_ip(harness, "link set near allmulticast on");
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    assert_int_equal(network_flags("near"), before | IFF_ALLMULTI);
}

/* Binding to an interface that is down leaves an error that must not be taken for one of now. */
static void brings_the_interface_up_and_uses_it(void **state)
{
    struct harness *harness = *state;
    unsigned char frame[FRAME_MAX];
    const char *own = path(harness, "own"), *peer = path(harness, "peer");
    make_pair(harness, "down");
    network_ip(harness, "link set far up");
    int packets = packet_socket(harness, own, peer);
    struct program *program =
        program_start(harness, "-d", "-d", "INTERFACE:near,iff-up",
                      text(harness, "UNIX-SENDTO:%s,bind=%s", own, peer), NULL);

    program_logs(program, " N starting data transfer loop");
    network_await(harness, "near");
    network_await(harness, "far");
    frame_make(frame, 80, 'u');
    send_frame(network_frames(harness, "far"), frame, 80);
    expect_frame(harness, packets, frame, 80);
}

static void says_that_the_interface_is_down(void **state)
{
    struct harness *harness = *state;
    make_pair(harness, "down");
    struct program *program = program_start(harness, "INTERFACE:near", "PIPE", NULL);

    program_logs(program, " W interface \"near\" is down; see option iff-up");
    program_ends_logging(program, 1, " E cannot read from *: Network is down [read(");
}

/* One row for each family that a kernel may be without. */
static void names_the_module_that_the_kernel_lacks(void **state)
{
    static const struct {
        int family, type, protocol;
        const char *address;
        const char *message;
    } rows[] = {
        {AF_INET, SOCK_STREAM, IPPROTO_SCTP, "SCTP4:127.0.0.1:9", "SCTP, or its module sctp "},
        {AF_INET, SOCK_DCCP, IPPROTO_DCCP, "DCCP4:127.0.0.1:9", "DCCP, or its module dccp_ipv4 "},
        {AF_VSOCK, SOCK_STREAM, 0, "VSOCK:1:9", "VSOCK, or its module vsock "},
    };
    size_t tried = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = socket(rows[i].family, rows[i].type | SOCK_CLOEXEC, rows[i].protocol);
        if (fd >= 0) {
            close(fd);
            continue;
        }
        struct program *program = program_start(*state, "-", rows[i].address, NULL);
        program_ends_logging(program, 1,
                             text(*state,
                                  " E cannot make a socket for *(this kernel does not support %s",
                                  rows[i].message));
        tried++;
    }
    if (tried == 0)
        skip_because("this kernel lacks none of them");
}

static void names_the_interface_that_is_not_there(void **state)
{
    struct program *program = program_start(*state, "-", "INTERFACE:nope0", NULL);
    program_ends_logging(program, 1, " E unknown interface \"nope0\"");
}

static void changes_the_longest_packet_and_puts_it_back(void **state)
{
    struct harness *harness = *state;
    make_pair(harness, "up");
    int before = network_mtu("near");
    struct program *program =
        program_start(harness, "-d", "-d", "INTERFACE:near,if-mtu=1k", "PIPE", NULL);
    program_logs(program, " N starting data transfer loop");
    assert_int_equal(network_mtu("near"), 1024);
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    assert_int_equal(network_mtu("near"), before);
    program = program_start(harness, "-", "INTERFACE:near,interface-mtu=67", NULL);
    program_ends_logging(program, 1, " E option interface-mtu: invalid value \"67\": it must be");
}

/* The last one, for the test's own process loses the capabilities, too. */
static void names_the_capability_that_is_missing(void **state)
{
    struct harness *harness = *state;
    make_pair(harness, "up");
    if (prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN) < 0)
        harness_fail(harness, "prctl(PR_CAPBSET_DROP): %s", strerror(errno));
    struct program *program = program_start(harness, "-", "INTERFACE:near,promisc", NULL);
    program_ends_logging(program, 1,
                         " E cannot set option iff-promisc: Operation not permitted (needs "
                         "the capability CAP_NET_ADMIN)");
    prctl(PR_CAPBSET_DROP, CAP_NET_RAW);
    program = program_start(harness, "-", "INTERFACE:near", NULL);
    program_ends_logging(program, 1,
                         " E cannot make a socket for *: Operation not permitted (needs the "
                         "capability CAP_NET_RAW)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(relays_frames_both_ways_one_by_one),
        SYSTEM_TEST(does_not_read_what_it_writes),
        SYSTEM_TEST(a_frame_that_is_too_long_is_dropped_alone),
        SYSTEM_TEST(a_frame_without_a_whole_header_is_dropped_alone),
        SYSTEM_TEST(an_interface_that_goes_down_and_up_again_ends_nothing),
        SYSTEM_TEST(an_interface_that_is_removed_is_an_error),
        SYSTEM_TEST(puts_vlan_tags_back),
        SYSTEM_TEST(leaves_vlan_tags_off_otherwise),
        SYSTEM_TEST(sets_flags_and_restores_them),
        SYSTEM_TEST(brings_the_interface_up_and_uses_it),
        SYSTEM_TEST(says_that_the_interface_is_down),
        SYSTEM_TEST(names_the_module_that_the_kernel_lacks),
        SYSTEM_TEST(names_the_interface_that_is_not_there),
        SYSTEM_TEST(changes_the_longest_packet_and_puts_it_back),
        SYSTEM_TEST(names_the_capability_that_is_missing),
    };
    return cmocka_run_group_tests_name("interface", tests, NULL, NULL);
}
