/* Options that pass any setsockopt(2) and ioctl(2) on, by what they do to sockets. The numbers are
 * Linux's. */

#define _GNU_SOURCE
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Runs as many tests, each with a harness of its own. */
static void each(size_t count, void (*test)(struct harness *harness, size_t number))
{
    for (size_t i = 0; i < count; i++) {
        void *harness;
        assert_int_equal(harness_begin(&harness), 0);
        test(harness, i);
        assert_int_equal(harness_end(&harness), 0);
    }
}

/* Ways to write the same setting. */
static const struct {
    const char *option;
    const char *type; /* of the value */
} forms[] = {
    {"setsockopt-int", ""}, {"sockopt-int", ""}, {"setsockopt-bin", "i"},
    {"setsockopt", "i"},    {"sockopt", "i"},    {"setsockopt-listen", "i"},
};

static const char *option_text(struct harness *harness, size_t form, int level, int option,
                               int value)
{
    return text(harness, "%s=%d:%d:%s%d", forms[form].option, level, option, forms[form].type,
                value);
}

/* An address with the test's port, for which it has a "#"; a "$" for four hexadecimal digits. */
static const char *with_port(struct harness *harness, const char *address, unsigned port)
{
    size_t before = strcspn(address, "#$");
    if (address[before] == '\0')
        return address;
    const char *rest = address + before + 1;
    return address[before] == '#' ? text(harness, "%.*s%u%s", (int)before, address, port, rest)
                                  : text(harness, "%.*s%04x%s", (int)before, address, port, rest);
}

static const struct packet_type {
    const char *address;
    const char *ready; /* of what waits for a packet; ends with the port */
    bool ip6;
    int protocol;
} packet_types[] = {
    {"UDP4-SENDTO:127.0.0.1:#", NULL, false, 0},
    {"UDP4-DATAGRAM:127.0.0.1:#", NULL, false, 0},
    {"UDP4-CONNECT:127.0.0.1:#", NULL, false, 0},
    {"UDP4-RECVFROM:0,bind=127.0.0.1", " N receiving on ", false, 0},
    {"UDP4-LISTEN:0,bind=127.0.0.1", " N listening on ", false, 0},
    {"UDP6-SENDTO:[::1]:#", NULL, true, 0},
    {"UDP6-RECVFROM:0,bind=[::1]", " N receiving on ", true, 0},
    {"UDPLITE4-SENDTO:127.0.0.1:#", NULL, false, IPPROTO_UDPLITE},
    {"SOCKET-SENDTO:2:2:17:x$7f000001x0000000000000000", NULL, false, 0},
};

/* The test's socket, which is told with how many hops left a packet came. */
static int watching_socket(struct harness *harness, const struct packet_type *type, unsigned *port)
{
    const int on = 1;
    struct place place = place_host(harness, type->ip6 ? "::1" : LOOPBACK, 0);
    int fd = packet_try_socket(harness, SOCK_DGRAM, type->protocol, &place);
    if (fd < 0)
        return -1;
    place = packet_place(harness, fd);
    *port = place_port(&place);
    setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
    return fd;
}

/* The hops that the next packet had left, or -1. */
static int hops_of_next(struct harness *harness, int fd)
{
    char data[16], control[256];
    struct iovec part = {data, sizeof data};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct pollfd ready = {fd, POLLIN, 0};
    int hops = -1;
    if (poll(&ready, 1, PATIENCE) <= 0 || recvmsg(fd, &message, 0) < 0)
        harness_fail(harness, "no packet comes in");
    for (struct cmsghdr *part_of = CMSG_FIRSTHDR(&message); part_of != NULL;
         part_of = CMSG_NXTHDR(&message, part_of))
        if (part_of->cmsg_type == IP_TTL || part_of->cmsg_type == IPV6_HOPLIMIT)
            memcpy(&hops, CMSG_DATA(part_of), sizeof hops);
    return hops;
}

static void greet(struct harness *harness, const struct packet_type *type, int fd,
                  struct program *program)
{
    if (type->ready != NULL) {
        unsigned port = program_logs_port(program, type->ready);
        struct place place = place_host(harness, type->ip6 ? "::1" : LOOPBACK, port);
        packet_send_to(harness, fd, &place, "hello");
        program_outputs(program, "hello");
    }
}

static void sets_hops(struct harness *harness, size_t number)
{
    const struct packet_type *type = &packet_types[number / COUNT(forms)];
    size_t form = number % COUNT(forms);
    unsigned port;
    int fd = watching_socket(harness, type, &port);
    if (fd < 0) {
        print_message("%s is left out: %s\n", type->address, strerror(errno));
        return;
    }
    const char *option = type->ip6 ? option_text(harness, form, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 77)
                                   : option_text(harness, form, IPPROTO_IP, IP_TTL, 77);
    const char *address = with_port(harness, type->address, port);
    struct program *program = program_start(harness, "-d", "-d", "-t", "20", "-",
                                            text(harness, "%s,%s", address, option), NULL);
    greet(harness, type, fd, program);
    program_send(program, "answer");
    int hops = hops_of_next(harness, fd);
    if (hops != 77)
        harness_fail(harness, "%d hops with %s,%s", hops, address, option);
}

static void every_form_of_setsockopt_works_for_every_type_of_packets(void **state)
{
    (void)state;
    each(COUNT(packet_types) * COUNT(forms), sets_hops);
}

/* From now on the kernel drops what comes with fewer hops left than there are at most. */
static void take_near_peers_only(int fd)
{
    const int hops = 255;
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MINTTL, &hops, sizeof hops), 0);
}

static void relays_with_all_hops(struct harness *harness, int fd, struct program *program)
{
    take_near_peers_only(fd);
    program_send(program, "there");
    peer_receives(harness, fd, "there");
    peer_send(harness, fd, "back");
    program_outputs(program, "back");
}

static const char *const connecting[] = {"TCP4-CONNECT:127.0.0.1:#",
                                         "SOCKET-CONNECT:2:6:x$7f000001x0000000000000000"};
static const char *const listening[] = {"TCP4-LISTEN:0,bind=127.0.0.1",
                                        "SOCKET-LISTEN:2:6:x00007f000001x0000000000000000"};

static void every_form_of_setsockopt_works_for_who_connects(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(connecting) * COUNT(forms); i++) {
        unsigned port;
        int listener = peer_listen(harness, LOOPBACK, &port);
        const char *option = option_text(harness, i % COUNT(forms), IPPROTO_IP, IP_TTL, 255);
        const char *address = with_port(harness, connecting[i / COUNT(forms)], port);
        struct program *program =
            program_start(harness, "-d", "-d", "-", text(harness, "%s,%s", address, option), NULL);
        int fd = peer_accept(harness, listener);
        program_logs(program, " N starting data transfer loop");
        relays_with_all_hops(harness, fd, program);
    }
}

static void every_form_of_setsockopt_works_for_who_listens(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(listening) * COUNT(forms); i++) {
        const char *option = option_text(harness, i % COUNT(forms), IPPROTO_IP, IP_TTL, 255);
        struct program *program =
            program_start(harness, "-d", "-d", "-",
                          text(harness, "%s,%s", listening[i / COUNT(forms)], option), NULL);
        int fd = peer_connect(harness, LOOPBACK, program_port(program));
        program_logs(program, " N starting data transfer loop");
        relays_with_all_hops(harness, fd, program);
    }
}

/* The largest segment that a connection to a listening address may have. */
static int segment_of(struct harness *harness, const char *option)
{
    int size = -1;
    socklen_t length = sizeof size;
    struct program *program =
        program_start(harness, "-d", "-d", "-",
                      text(harness, "TCP4-LISTEN:0,bind=" LOOPBACK ",%s=6:2:i600", option), NULL);
    int fd = peer_connect(harness, LOOPBACK, program_port(program));
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &size, &length), 0);
    return size;
}

static void setsockopt_listen_comes_before_anybody_connects(void **state)
{
    assert_true(segment_of(*state, "setsockopt-listen") <= 600);
    assert_true(segment_of(*state, "setsockopt") > 600);
}

/* A descriptor that the test shares with the program shows what that has set. */
static struct program *share(struct harness *harness, int fd, const char *options)
{
    const char *const arguments[] = {"-d", "-d", text(harness, "FD:3,%s", options), "STDIO", NULL};
    return program_launch(harness, &(struct launch){.arguments = arguments, .extra = fd});
}

static void setsockopt_string_passes_a_text(void **state)
{
    struct harness *harness = *state;
    char name[32] = "";
    socklen_t length = sizeof name;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    int fd = peer_connect(harness, LOOPBACK, port);
    peer_accept(harness, listener);
    program_logs(share(harness, fd, "setsockopt-string=6:13:reno"),
                 " N starting data transfer loop");
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length), 0);
    assert_string_equal(name, "reno");
    program_ends_logging(share(harness, fd, "sockopt-string=6:13:nothing"), 1,
                         " E cannot set option sockopt-string=6:13:nothing: *[setsockopt(");
}

static void a_socket_option_that_is_refused_is_named(void **state)
{
    struct harness *harness = *state;
    static const char *const addresses[] = {"UDP4-SENDTO:" LOOPBACK ":9", "UDP4-RECV:0",
                                            "SOCKETPAIR", "TCP4-LISTEN:0"};
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct program *program = program_start(
            harness, "-u", text(harness, "%s,setsockopt-listen=99:9:i1", addresses[i]), "-", NULL);
        program_ends_logging(program, 1, " E cannot set option *[setsockopt(*, 99, 9, {*");
    }
}

/* Requests and what becomes of the flags of open files: FIOASYNC has O_ASYNC set, FIONCLEX takes
 * O_CLOEXEC away, which all descriptors have otherwise. */
static const struct {
    const char *option;
    unsigned long flags;
} requests[] = {
    {"ioctl-intp=0x5452:1", O_ASYNC | O_CLOEXEC},
    {"ioctl-intp=0x5452:0", O_CLOEXEC},
    {"ioctl-bin=0x5452:i1", O_ASYNC | O_CLOEXEC},
    {"ioctl-void=0x5450", 0},
    {"ioctl=0x5450", 0},
    {"ioctl-string=0x8933:lo", O_CLOEXEC}, /* SIOCGIFINDEX; only finds what is there */
};

/* Sockets that are there at once. */
static const char *const sockets[] = {
    "UDP4-SENDTO:127.0.0.1:9",
    "UDP4-DATAGRAM:127.0.0.1:9",
    "UDP4-CONNECT:127.0.0.1:9",
    "UDP4-RECV:0",
    "UDP6-SENDTO:[::1]:9",
    "TCP4-CONNECT:127.0.0.1:#",
    "SOCKETPAIR",
    "ABSTRACT-RECV:modcat-$",
    "ABSTRACT-SENDTO:modcat-$",
};

/* The flags of the program's first descriptor, as fcntl(2) has them. */
static unsigned long flags_of_first(struct harness *harness, struct program *program)
{
    const char *line = program_logs(program, " N starting data transfer loop with FDs [");
    const char *name = text(harness, "/proc/%d/fdinfo/%lu", (int)program_pid(program),
                            strtoul(strstr(line, "FDs [") + strlen("FDs ["), NULL, 10));
    const char *flags = strstr(file_read(harness, name), "flags:");
    return strtoul(flags + strlen("flags:"), NULL, 8) & (O_ASYNC | O_CLOEXEC);
}

static void shows_flags(struct harness *harness, size_t number)
{
    unsigned port;
    size_t request = number % COUNT(requests);
    peer_listen(harness, LOOPBACK, &port);
    const char *socket = with_port(harness, sockets[number / COUNT(requests)], port);
    const char *address = text(harness, "%s,%s", socket, requests[request].option);
    struct program *program = program_start(harness, "-d", "-d", "-u", address, "-", NULL);
    unsigned long flags = flags_of_first(harness, program);
    if (flags != requests[request].flags)
        harness_fail(harness, "flags 0%lo with %s", flags, address);
}

static void every_form_of_ioctl_works_for_sockets_of_every_sort(void **state)
{
    (void)state;
    each(COUNT(sockets) * COUNT(requests), shows_flags);
}

/* TCFLSH takes its argument by value: 0 drops what has been typed. */
static void ioctl_int_passes_a_number_by_value(void **state)
{
    struct harness *harness = *state;
    int user, line;
    struct termios raw;
    assert_int_equal(openpty(&user, &line, NULL, NULL, NULL), 0);
    harness_keep(harness, user);
    harness_keep(harness, line);
    tcgetattr(line, &raw);
    cfmakeraw(&raw);
    tcsetattr(line, TCSANOW, &raw);
    peer_send(harness, user, "early ");
    assert_int_equal(poll(&(struct pollfd){line, POLLIN, 0}, 1, PATIENCE), 1);
    struct program *program = share(harness, line, "ioctl-int=0x540B:0");
    program_logs(program, " N starting data transfer loop");
    peer_send(harness, user, "late");
    program_outputs(program, "late");
}

static void names_the_request(struct harness *harness, size_t number)
{
    unsigned port;
    peer_listen(harness, LOOPBACK, &port);
    const char *address =
        text(harness, "%s,ioctl-string=0x8933:nowhere", with_port(harness, sockets[number], port));
    struct program *program = program_start(harness, "-u", address, "-", NULL);
    program_ends_logging(program, 1,
                         " E cannot set option *: No such device [ioctl(*, 0x8933, ...)]");
}

static void a_request_that_is_refused_is_named(void **state)
{
    (void)state;
    each(COUNT(sockets), names_the_request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(every_form_of_setsockopt_works_for_every_type_of_packets),
        SYSTEM_TEST(every_form_of_setsockopt_works_for_who_connects),
        SYSTEM_TEST(every_form_of_setsockopt_works_for_who_listens),
        SYSTEM_TEST(setsockopt_listen_comes_before_anybody_connects),
        SYSTEM_TEST(setsockopt_string_passes_a_text),
        SYSTEM_TEST(a_socket_option_that_is_refused_is_named),
        SYSTEM_TEST(every_form_of_ioctl_works_for_sockets_of_every_sort),
        SYSTEM_TEST(ioctl_int_passes_a_number_by_value),
        SYSTEM_TEST(a_request_that_is_refused_is_named),
    };
    return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
