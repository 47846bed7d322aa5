/* What the kernel tells about packets, on real sockets: for the environment, and for answers. */

#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/opening/environment.h"
#include "core/services/datagram/ancillary.h"
#include "core/session/session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    struct session session;
    struct modcat_opening opening;
    int family;
    int receiver;
    int sender;
};

static struct fixture fixture;

static struct modcat_sockaddr loopback(int family)
{
    struct modcat_sockaddr address = {.length = 0};
    address.u.any.sa_family = (sa_family_t)family;
    address.length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (family == AF_INET)
        ((struct sockaddr_in *)&address.u.storage)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)&address.u.storage)->sin6_addr = in6addr_loopback;
    return address;
}

static void make(int family)
{
    struct modcat_sockaddr address = loopback(family);
    fixture = (struct fixture){.family = family};
    fixture.session.environment = environment_new();
    fixture.opening.session = &fixture.session;
    fixture.receiver = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    fixture.sender = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fixture.receiver, &address.u.any, address.length), 0);
    assert_int_equal(getsockname(fixture.receiver, &address.u.any, &address.length), 0);
    assert_int_equal(connect(fixture.sender, &address.u.any, address.length), 0);
}

static int make_ip4(void **state)
{
    (void)state;
    make(AF_INET);
    return 0;
}

static int make_ip6(void **state)
{
    (void)state;
    make(AF_INET6);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    environment_free(fixture.session.environment);
    close(fixture.receiver);
    close(fixture.sender);
    return 0;
}

static void ask(int fd, int level, int name, int value)
{
    assert_int_equal(setsockopt(fd, level, name, &value, sizeof value), 0);
}

static struct packet_facts receive(void)
{
    struct packet_facts facts = {0};
    char buffer[8];
    assert_int_equal(send(fixture.sender, "packet", 6, 0), 6);
    assert_int_equal(packet_read(fixture.receiver, buffer, sizeof buffer, &facts), 6);
    return facts;
}

static void tell(void)
{
    struct packet_facts facts = receive();
    ancillary_tell(&facts, &fixture.opening);
}

static const char *variable(const char *name)
{
    return environment_get(fixture.session.environment, name);
}

static void exports_what_is_known_of_an_ip4_packet(void **state)
{
    const unsigned char options[] = {1, 1, 1, 1};
    (void)state;
    ask(fixture.receiver, IPPROTO_IP, IP_PKTINFO, 1);
    ask(fixture.receiver, IPPROTO_IP, IP_RECVTTL, 1);
    ask(fixture.receiver, IPPROTO_IP, IP_RECVTOS, 1);
    ask(fixture.receiver, IPPROTO_IP, IP_RECVOPTS, 1);
    ask(fixture.receiver, SOL_SOCKET, SO_TIMESTAMP, 1);
    ask(fixture.sender, IPPROTO_IP, IP_TTL, 42);
    ask(fixture.sender, IPPROTO_IP, IP_TOS, 0x10);
    assert_int_equal(setsockopt(fixture.sender, IPPROTO_IP, IP_OPTIONS, options, sizeof options),
                     0);
    tell();
    assert_string_equal(variable("SOCAT_IP_IF"), "lo");
    assert_string_equal(variable("SOCAT_IP_LOCADDR"), "127.0.0.1");
    assert_string_equal(variable("SOCAT_IP_DSTADDR"), "127.0.0.1");
    assert_string_equal(variable("SOCAT_IP_TTL"), "42");
    assert_string_equal(variable("MODCAT_IP_TOS"), "16");
    assert_string_equal(variable("SOCAT_IP_OPTIONS"), "x01010101");
    assert_non_null(strstr(variable("SOCAT_TIMESTAMP"), " usecs"));
}

static void exports_what_is_known_of_an_ip6_packet(void **state)
{
    (void)state;
    ask(fixture.receiver, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    ask(fixture.receiver, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    ask(fixture.receiver, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    ask(fixture.sender, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 42);
    ask(fixture.sender, IPPROTO_IPV6, IPV6_TCLASS, 0xab);
    tell();
    assert_string_equal(variable("SOCAT_IPV6_IF"), "lo");
    assert_string_equal(variable("SOCAT_IPV6_DSTADDR"),
                        "[0000:0000:0000:0000:0000:0000:0000:0001]");
    assert_string_equal(variable("SOCAT_IPV6_HOPLIMIT"), "42");
    assert_string_equal(variable("SOCAT_IPV6_TCLASS"), "x000000ab");
}

static void forgets_what_was_known_of_the_packet_before(void **state)
{
    (void)state;
    ask(fixture.receiver, IPPROTO_IP, IP_RECVTTL, 1);
    ask(fixture.receiver, IPPROTO_IP, IP_PKTINFO, 1);
    tell();
    assert_non_null(variable("SOCAT_IP_TTL"));
    ask(fixture.receiver, IPPROTO_IP, IP_RECVTTL, 0);
    ask(fixture.receiver, IPPROTO_IP, IP_PKTINFO, 0);
    tell();
    assert_null(variable("SOCAT_IP_TTL"));
    assert_null(variable("MODCAT_IP_TTL"));
    assert_null(variable("SOCAT_IP_DSTADDR"));
    assert_null(variable("SOCAT_IP_IF"));
}

static void finds_where_a_packet_was_sent_to(void **state)
{
    struct modcat_sockaddr local;
    const struct sockaddr_in *address = (const struct sockaddr_in *)&local.u.storage;
    (void)state;
    struct packet_facts facts = receive();
    assert_false(ancillary_destination(&facts, &local));
    ask(fixture.receiver, IPPROTO_IP, IP_PKTINFO, 1);
    facts = receive();
    assert_true(ancillary_destination(&facts, &local));
    assert_int_equal(local.length, sizeof *address);
    assert_int_equal(address->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(address->sin_port, 0);
}

static void knows_which_sockets_collect_errors(void **state)
{
    (void)state;
    errno = EAGAIN;
    assert_false(ancillary_collects_errors(fixture.sender));
    assert_int_equal(errno, EAGAIN);
    ask(fixture.sender, IPPROTO_IP, IP_RECVERR, 1);
    assert_true(ancillary_collects_errors(fixture.sender));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exports_what_is_known_of_an_ip4_packet, make_ip4, drop),
        cmocka_unit_test_setup_teardown(exports_what_is_known_of_an_ip6_packet, make_ip6, drop),
        cmocka_unit_test_setup_teardown(forgets_what_was_known_of_the_packet_before, make_ip4,
                                        drop),
        cmocka_unit_test_setup_teardown(finds_where_a_packet_was_sent_to, make_ip4, drop),
        cmocka_unit_test_setup_teardown(knows_which_sockets_collect_errors, make_ip4, drop),
    };
    log_set_program("modcat");
    log_set_level(MODCAT_ERROR);
    return cmocka_run_group_tests_name("ancillary", tests, NULL, NULL);
}
