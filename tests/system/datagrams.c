#define _GNU_SOURCE
#include "tests/system/datagrams.h"

#include "tests/system/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <linux/ipv6.h>

const struct datagram_side datagram_left = {
    "left", "127.0.0.1", "127.0.0.2", "fd00::1", "fd00::2", 253, 0};
const struct datagram_side datagram_right = {
    "right", "127.0.0.3", "127.0.0.4", "fd00::3", "fd00::4", 254, 1};

static struct place at_loopback4(const struct datagram_end *end)
{
    return place_host(end->harness, LOOPBACK, 0);
}

static struct place at_loopback6(const struct datagram_end *end)
{
    return place_host(end->harness, "::1", 0);
}

static struct place program_loopback4(const struct datagram_end *end, unsigned port)
{
    return place_host(end->harness, LOOPBACK, port);
}

static struct place program_loopback6(const struct datagram_end *end, unsigned port)
{
    return place_host(end->harness, "::1", port);
}

static const char *host_address(const struct datagram_end *end, const char *host)
{
    const char *types = end->kind->types;
    return end->kind->sends ? text(end->harness, "%s:%s:%u,bind=%s:0", types, host,
                                   place_port(&end->place), host)
                            : text(end->harness, "%s:0,bind=%s", types, host);
}

static const char *ip4_address(struct datagram_end *end)
{
    return host_address(end, LOOPBACK);
}

static const char *ip6_address(struct datagram_end *end)
{
    return host_address(end, "[::1]");
}

#define ZEROS "x0000000000000000"

static const char *generic_address(struct datagram_end *end)
{
    return end->kind->sends
               ? text(end->harness, "%s:2:2:17:x%04x7f000001" ZEROS ",bind=x00007f000001" ZEROS,
                      end->kind->types, place_port(&end->place))
               : text(end->harness, "%s:2:2:17:x00007f000001" ZEROS, end->kind->types);
}

static struct place at_own_host4(const struct datagram_end *end)
{
    return place_host(end->harness, end->side->test4, 0);
}

static struct place at_own_host6(const struct datagram_end *end)
{
    return place_host(end->harness, end->side->test6, 0);
}

static struct place program_host4(const struct datagram_end *end, unsigned port)
{
    return place_host(end->harness, end->side->program4, port);
}

static struct place program_host6(const struct datagram_end *end, unsigned port)
{
    return place_host(end->harness, end->side->program6, port);
}

static const char *raw_address(const struct datagram_end *end, const char *test,
                               const char *program)
{
    const char *types = end->kind->types;
    int protocol = end->side->protocol;
    return end->kind->sends ? text(end->harness, "%s:%s:%d,bind=%s", types, test, protocol, program)
                            : text(end->harness, "%s:%d,bind=%s", types, protocol, program);
}

static const char *raw4_address(struct datagram_end *end)
{
    return raw_address(end, end->side->test4, end->side->program4);
}

static const char *raw6_address(struct datagram_end *end)
{
    return raw_address(end, text(end->harness, "[%s]", end->side->test6),
                       text(end->harness, "[%s]", end->side->program6));
}

static const char *test_name(const struct datagram_end *end)
{
    return text(end->harness, "%s.test", path(end->harness, end->side->name));
}

static const char *program_name(const struct datagram_end *end)
{
    return text(end->harness, "%s.modcat", path(end->harness, end->side->name));
}

static struct place at_path(const struct datagram_end *end)
{
    return place_path(end->harness, test_name(end));
}

static struct place at_name(const struct datagram_end *end)
{
    return place_abstract(end->harness, test_name(end));
}

static struct place program_path(const struct datagram_end *end, unsigned port)
{
    (void)port;
    return place_path(end->harness, program_name(end));
}

static struct place program_abstract(const struct datagram_end *end, unsigned port)
{
    (void)port;
    return place_abstract(end->harness, program_name(end));
}

static const char *unix_address(struct datagram_end *end)
{
    const char *types = end->kind->types;
    return end->kind->sends
               ? text(end->harness, "%s:%s,bind=%s", types, test_name(end), program_name(end))
               : text(end->harness, "%s:%s", types, program_name(end));
}

static const char *sequence_address(struct datagram_end *end)
{
    return text(end->harness, "%s,socktype=%d", unix_address(end), SOCK_SEQPACKET);
}

static bool open_socket(struct datagram_end *end)
{
    const struct datagram_family *family = end->kind->family;
    struct place place = family->place(end);
    int protocol = family->protocol < 0 ? end->side->protocol : family->protocol;
    end->fd = packet_try_socket(end->harness, family->socktype, protocol, &place);
    if (end->fd < 0)
        return false;
    end->place = packet_place(end->harness, end->fd);
    return true;
}

static bool open_sequence(struct datagram_end *end)
{
    return open_socket(end) && (!end->kind->sends || listen(end->fd, 1) == 0);
}

static void attach_socket(struct datagram_end *end, struct program *program)
{
    const struct datagram_family *family = end->kind->family;
    unsigned port = 0;
    if (family->has_port)
        port = program_logs_port(program, end->kind->ready);
    else
        program_logs(program, end->kind->ready);
    struct place peer = family->program_place(end, port);
    packet_connect(end->harness, end->fd, &peer);
}

static void attach_sequence(struct datagram_end *end, struct program *program)
{
    if (end->kind->sends) {
        program_logs(program, end->kind->ready);
        end->fd = peer_accept(end->harness, end->fd);
    } else {
        attach_socket(end, program);
    }
}

static struct program *start_helper(struct datagram_end *end, const char *near)
{
    return program_start_helper(
        end->harness, "-d", "-d", "-t", "20", near,
        text(end->harness, "UNIX-CONNECT:%s,socktype=%d", test_name(end), SOCK_SEQPACKET), NULL);
}

static bool open_dtls(struct datagram_end *end)
{
    return open_socket(end) && listen(end->fd, 1) == 0;
}

static const char *dtls_server(const struct datagram_end *end)
{
    return text(end->harness, "OPENSSL-DTLS-SERVER:0,bind=" LOOPBACK ",verify=0,cert=%s",
                end->setup->certificate);
}

static const char *dtls_client(const struct datagram_end *end, struct program *server)
{
    return text(end->harness, "OPENSSL-DTLS-CLIENT:" LOOPBACK ":%u,cafile=%s", program_port(server),
                end->setup->authority);
}

static const char *dtls_address(struct datagram_end *end)
{
    return end->kind->sends ? dtls_client(end, start_helper(end, dtls_server(end)))
                            : dtls_server(end);
}

static void await_dtls(struct datagram_end *end, struct program *program)
{
    program_logs(program, "SSL connection using ");
    end->fd = peer_accept(end->harness, end->fd);
}

static void attach_dtls(struct datagram_end *end, struct program *program)
{
    if (!end->kind->sends)
        start_helper(end, dtls_client(end, program));
    await_dtls(end, program);
}

/* On top of a socket of sequenced packets. */
static const char *dtls_layer(const struct datagram_end *end, bool client)
{
    const char *wire = program_name(end);
    return client ? text(end->harness,
                         "OPENSSL-DTLS-CLIENT,cn=localhost,cafile=%s|UNIX-CONNECT:%s,socktype=%d",
                         end->setup->authority, wire, SOCK_SEQPACKET)
                  : text(end->harness,
                         "OPENSSL-DTLS-SERVER,verify=0,cert=%s|UNIX-LISTEN:%s,socktype=%d",
                         end->setup->certificate, wire, SOCK_SEQPACKET);
}

static const char *dtls_layer_address(struct datagram_end *end)
{
    if (end->kind->sends)
        program_logs(start_helper(end, dtls_layer(end, false)), " N listening on ");
    return dtls_layer(end, end->kind->sends);
}

static void attach_dtls_layer(struct datagram_end *end, struct program *program)
{
    if (!end->kind->sends) {
        program_logs(program, " N listening on ");
        start_helper(end, dtls_layer(end, true));
    }
    await_dtls(end, program);
}

static const char *queue_name(const struct datagram_end *end, const char *direction)
{
    return text(end->harness, "/modcat-test-%d-%s-%s", (int)getpid(), end->side->name, direction);
}

/* The memory of queues counts against a limit of the user, so that they are short. */
static int make_queue(struct datagram_end *end, const char *direction)
{
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8192};
    const char *name = queue_name(end, direction);
    mq_unlink(name);
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
    return queue < 0 ? -1 : harness_keep(end->harness, queue);
}

static void remove_queues(const struct datagram_end *end)
{
    mq_unlink(queue_name(end, "in"));
    mq_unlink(queue_name(end, "out"));
}

static bool open_queues(struct datagram_end *end)
{
    end->fd = make_queue(end, "in");
    end->back = make_queue(end, "out");
    if (end->fd < 0 || end->back < 0)
        remove_queues(end);
    return end->fd >= 0 && end->back >= 0;
}

static const char *queue_address(struct datagram_end *end)
{
    const char *types = end->kind->types, *second = strstr(types, "!!");
    return text(end->harness, "%.*s:%s%s:%s", (int)(second - types), types, queue_name(end, "in"),
                second, queue_name(end, "out"));
}

/* Nobody needs the names any longer. */
static void attach_queues(struct datagram_end *end, struct program *program)
{
    (void)program;
    remove_queues(end);
}

static void send_to_queue(const struct datagram_end *end, const void *data, size_t size)
{
    if (mq_send(end->fd, data, size, 0) < 0)
        harness_fail(end->harness, "mq_send() of %zu bytes: %s", size, strerror(errno));
}

static size_t receive_from_queue(const struct datagram_end *end, void *data, size_t size)
{
    struct pollfd ready = {end->back, POLLIN, 0};
    if (poll(&ready, 1, PATIENCE) <= 0)
        harness_fail(end->harness, "no message comes in");
    ssize_t length = mq_receive(end->back, data, size, NULL);
    if (length < 0)
        harness_fail(end->harness, "mq_receive(): %s", strerror(errno));
    return (size_t)length;
}

static const char *interface_name(const struct datagram_end *end)
{
    return text(end->harness, "%s.%s", end->side->name, end->kind->family->interface);
}

static bool open_interface(struct datagram_end *end)
{
    const char *name = interface_name(end);
    if (if_nametoindex(name) == 0)
        return false;
    end->fd = network_frames(end->harness, name);
    return true;
}

static const char *interface_address(struct datagram_end *end)
{
    return text(end->harness, "INTERFACE:%s.modcat", end->side->name);
}

/* Packet information is no part of what comes out of the interface. */
static const char *tun_address(struct datagram_end *end)
{
    return text(end->harness, "TUN,tun-type=%s,iff-no-pi,tun-name=%s", end->kind->family->interface,
                interface_name(end));
}

static void attach_interface(struct datagram_end *end, struct program *program)
{
    (void)program;
    network_await(end->harness, interface_name(end));
}

static bool open_nothing(struct datagram_end *end)
{
    end->fd = -1;
    return true;
}

static const char *type_alone(struct datagram_end *end)
{
    return end->kind->types;
}

static void attach_nothing(struct datagram_end *end, struct program *program)
{
    (void)end, (void)program;
}

#define IP4 .place = at_loopback4, .program_place = program_loopback4, .has_port = true
#define IP6 .place = at_loopback6, .program_place = program_loopback6, .has_port = true
#define SEQUENCE .socktype = SOCK_SEQPACKET, .place = at_path, .program_place = program_path

static const struct datagram_family udp4 = {SOCK_DGRAM, 0, .address = ip4_address, IP4},
                                    udp6 = {SOCK_DGRAM, 0, .address = ip6_address, IP6},
                                    generic = {SOCK_DGRAM, 0, .address = generic_address, IP4};
static const struct datagram_family lite4 = {SOCK_DGRAM, IPPROTO_UDPLITE, .address = ip4_address,
                                             IP4},
                                    lite6 = {SOCK_DGRAM, IPPROTO_UDPLITE, .address = ip6_address,
                                             IP6};
static const struct datagram_family raw4 = {SOCK_RAW,      -1,          at_own_host4, raw4_address,
                                            program_host4, .header = 20};
static const struct datagram_family raw6 = {SOCK_RAW, -1, at_own_host6, raw6_address,
                                            .program_place = program_host6};
static const struct datagram_family files = {SOCK_DGRAM, 0, at_path, unix_address,
                                             .program_place = program_path};
static const struct datagram_family names = {SOCK_DGRAM, 0, at_name, unix_address,
                                             .program_place = program_abstract};
static const struct datagram_family sequence = {
    .address = sequence_address, SEQUENCE, .open = open_sequence, .attach = attach_sequence};
static const struct datagram_family dtls = {
    .address = dtls_address, SEQUENCE, .open = open_dtls, .attach = attach_dtls};
static const struct datagram_family dtls_layers = {
    .address = dtls_layer_address, SEQUENCE, .open = open_dtls, .attach = attach_dtls_layer};
static const struct datagram_family queues = {
    .address = queue_address,
    .open = open_queues,
    .attach = attach_queues,
    .send = send_to_queue,
    .receive = receive_from_queue,
    .late = true,
    .single = true,
};
#define INTERFACE .open = open_interface, .attach = attach_interface, .late = true
static const struct datagram_family interfaces = {
    .address = interface_address, .interface = "test", .head = ETH_HLEN, INTERFACE};
static const struct datagram_family taps = {
    .address = tun_address, .interface = "tap", .head = ETH_HLEN, INTERFACE};
static const struct datagram_family tuns = {
    .address = tun_address, .interface = "tun", .head = 1, INTERFACE};
static const struct datagram_family within = {
    .address = type_alone, .open = open_nothing, .attach = attach_nothing, .gives_back = true};

#define CONNECTS .ready = " N successfully connected from ", .sends = true, .ends_empty = true
#define LISTENS .ready = " N listening on ", .waits = true, .ends_empty = true
#define SENDS .ready = " N successfully prepared local socket ", .sends = true
#define RECEIVES_ONCE .ready = " N receiving on ", .waits = true, .once = true
#define RECEIVES .ready = " N receiving on ", .reads_only = true
#define IS_THERE .ends_empty = false

#define UDP(name, family)                                                                          \
    {name "-CONNECT", family, CONNECTS}, {name "-LISTEN", family, LISTENS},                        \
        {name "-SENDTO", family, SENDS}, {name "-DATAGRAM", family, SENDS},                        \
        {name "-RECV", family, RECEIVES},                                                          \
    {                                                                                              \
        name "-RECVFROM", family, RECEIVES_ONCE                                                    \
    }
#define RAW(name, family)                                                                          \
    {name "-SENDTO", family, SENDS}, {name "-DATAGRAM", family, SENDS},                            \
        {name "-RECV", family, RECEIVES},                                                          \
    {                                                                                              \
        name "-RECVFROM", family, RECEIVES_ONCE                                                    \
    }

const struct datagram_kind datagram_kinds[] = {
    UDP("UDP", &udp4),
    UDP("UDP4", &udp4),
    UDP("UDP6", &udp6),
    UDP("UDPLITE", &lite4),
    UDP("UDPLITE4", &lite4),
    UDP("UDPLITE6", &lite6),
    {"UNIX-SENDTO", &files, SENDS},
    {"UNIX-CLIENT", &files, SENDS},
    {"UNIX-RECV", &files, RECEIVES},
    {"UNIX-RECVFROM", &files, RECEIVES_ONCE},
    {"UNIX-CONNECT", &sequence, CONNECTS},
    {"UNIX-LISTEN", &sequence, LISTENS},
    {"ABSTRACT-SENDTO", &names, SENDS},
    {"ABSTRACT-CLIENT", &names, SENDS},
    {"ABSTRACT-RECV", &names, RECEIVES},
    {"ABSTRACT-RECVFROM", &names, RECEIVES_ONCE},
    RAW("IP", &raw4),
    RAW("IP4", &raw4),
    RAW("IP6", &raw6),
    {"SOCKET-SENDTO", &generic, SENDS},
    {"SOCKET-DATAGRAM", &generic, SENDS},
    {"SOCKET-RECVFROM", &generic, .ready = " N receiving on ", .waits = true},
    {"SOCKET-RECV", &generic, RECEIVES},
    {"OPENSSL-DTLS-CLIENT", &dtls, .sends = true, .ends_empty = true},
    {"OPENSSL-DTLS-SERVER", &dtls, .ends_empty = true},
    {"OPENSSL-DTLS-CLIENT|UNIX-CONNECT", &dtls_layers, .sends = true, .ends_empty = true},
    {"OPENSSL-DTLS-SERVER|UNIX-LISTEN", &dtls_layers, .ends_empty = true},
    {"POSIXMQ-READ!!POSIXMQ-SEND", &queues, IS_THERE},
    {"POSIXMQ-BIDIRECTIONAL!!POSIXMQ-BIDIRECTIONAL", &queues, IS_THERE},
    {"POSIXMQ-RECEIVE!!POSIXMQ-SEND", &queues, .waits = true, .once = true},
    {"INTERFACE", &interfaces, .ready = " N successfully prepared local socket AF=17 "},
    {"TUN", &taps, IS_THERE},
    {"TUN", &tuns, IS_THERE},
    {"SOCKETPAIR", &within, IS_THERE},
};
const size_t datagram_kind_count = sizeof datagram_kinds / sizeof datagram_kinds[0];

bool datagram_open(struct datagram_end *end)
{
    const struct datagram_family *family = end->kind->family;
    return family->open != NULL ? family->open(end) : open_socket(end);
}

bool datagram_is_allowed(struct datagram_end *end)
{
    bool allowed = datagram_open(end);
    if (end->kind->family == &queues)
        remove_queues(end);
    return allowed;
}

void datagram_attach(struct datagram_end *end, struct program *program)
{
    const struct datagram_family *family = end->kind->family;
    if (family->attach != NULL)
        family->attach(end, program);
    else
        attach_socket(end, program);
}

static void add_address6(int fd, const char *host)
{
    struct in6_ifreq request = {.ifr6_prefixlen = 128, .ifr6_ifindex = (int)if_nametoindex("lo")};
    inet_pton(AF_INET6, host, &request.ifr6_addr);
    ioctl(fd, SIOCSIFADDR, &request);
}

static void add_addresses6(const struct datagram_side *side)
{
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    add_address6(fd, side->program6);
    add_address6(fd, side->test6);
    close(fd);
}

/* Where they can't be made, those kinds are skipped. */
static void add_interfaces(const char *side)
{
    static const char script[] =
        "PATH=$PATH:/usr/sbin:/sbin; exec 2>/dev/null\n"
        "ip link add $side.test mtu 9000 type veth peer name $side.modcat mtu 9000\n"
        "ip link set $side.test up && ip link set $side.modcat up\n"
        "test -w /dev/net/tun || exit 0\n"
        "for type in tap tun; do\n"
        "  ip tuntap add $side.$type mode $type && ip link set $side.$type mtu 9000 up\n"
        "done\n";
    setenv("side", side, 1);
    (void)!system(script);
}

/* No neighbour is looked for. */
static void silence_ipv6(void)
{
    int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
    (void)!write(fd, "1", 1);
    close(fd);
}

void datagram_network(void)
{
    const struct rlimit queues_limit = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MSGQUEUE, &queues_limit);
    unshare(CLONE_NEWIPC); /* queues that a failed test leaves are gone with it */
    if (!packet_own_network())
        return;
    add_addresses6(&datagram_left);
    add_addresses6(&datagram_right);
    silence_ipv6();
    add_interfaces(datagram_left.name);
    add_interfaces(datagram_right.name);
}
