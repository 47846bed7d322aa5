#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "core/base/sockaddr.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static void expect(const void *address, size_t length, const char *whole, const char *host)
{
    char text[MODCAT_SOCKADDR_TEXT], host_text[SOCKADDR_HOST_TEXT];
    assert_string_equal(modcat_sockaddr_text(address, (socklen_t)length, text), whole);
    assert_string_equal(sockaddr_host_text(address, (socklen_t)length, host_text), host);
}

static struct sockaddr_un unix_address(const void *path, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, length);
    return address;
}

#define PATH_AT offsetof(struct sockaddr_un, sun_path)

static void shows_ip4_with_its_port(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    expect(&address, sizeof address, "AF=2 127.0.0.1:80", "127.0.0.1");
}

static void shows_all_groups_of_ip6(void **state)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(65535)};
    (void)state;
    inet_pton(AF_INET6, "fe80::ab:1", &address.sin6_addr);
    expect(&address, sizeof address, "AF=10 [fe80:0000:0000:0000:0000:0000:00ab:0001]:65535",
           "[fe80:0000:0000:0000:0000:0000:00ab:0001]");
}

static void shows_paths_of_unix_sockets(void **state)
{
    struct sockaddr_un address = unix_address("/tmp/a b\n\x80", 11);
    (void)state;
    expect(&address, PATH_AT + 11, "AF=1 \"/tmp/a b\\n\\x80\"", "/tmp/a b\\n\\x80");
    expect(&address, sizeof address, "AF=1 \"/tmp/a b\\n\\x80\"", "/tmp/a b\\n\\x80");
}

static void shows_abstract_names_to_their_last_byte(void **state)
{
    struct sockaddr_un address = unix_address("\0name\0x", 7);
    (void)state;
    expect(&address, PATH_AT + 5, "AF=1 \"\\0name\"", "\\0name");
    expect(&address, PATH_AT + 7, "AF=1 \"\\0name\\0x\"", "\\0name\\0x");
}

static void shows_a_path_without_final_nul(void **state)
{
    struct sockaddr_un address;
    char whole[MODCAT_SOCKADDR_TEXT];
    (void)state;
    memset(&address, 'p', sizeof address);
    address.sun_family = AF_UNIX;
    modcat_sockaddr_text((const struct sockaddr *)&address, sizeof address, whole);
    assert_int_equal(strlen(whole), strlen("AF=1 \"\"") + sizeof address.sun_path);
}

static void cuts_a_text_that_is_too_long(void **state)
{
    struct sockaddr_un address;
    char whole[MODCAT_SOCKADDR_TEXT], host[SOCKADDR_HOST_TEXT];
    (void)state;
    memset(&address, 1, sizeof address);
    address.sun_family = AF_UNIX;
    modcat_sockaddr_text((const struct sockaddr *)&address, sizeof address, whole);
    assert_int_equal(strlen(whole), MODCAT_SOCKADDR_TEXT - 1);
    sockaddr_host_text((const struct sockaddr *)&address, sizeof address, host);
    assert_int_equal(strlen(host), 4 * sizeof address.sun_path);
}

static void shows_an_unnamed_unix_socket(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;
    expect(&address, sizeof(sa_family_t), "AF=1 \"<anon>\"", "<anon>");
    expect(&address, 0, "AF=0 <anon>", "<anon>");
    expect(NULL, 0, "AF=0 <anon>", "<anon>");
}

static void shows_vsock_by_context_and_port(void **state)
{
    struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = 3, .svm_port = 1024};
    (void)state;
    expect(&address, sizeof address, "AF=40 cid:3 port:1024", "cid:3");
}

static void shows_other_families_in_hexadecimal(void **state)
{
    struct sockaddr address = {.sa_family = AF_PACKET, .sa_data = "\x01\x02\xff"};
    (void)state;
    expect(&address, sizeof address, "AF=17 AF=17 0x0102ff0000000000000000000000",
           "AF=17 0x0102ff0000000000000000000000");
    expect(&address, 5, "AF=17 AF=17 0x0102ff", "AF=17 0x0102ff");
}

static void shows_a_truncated_ip_address_as_bytes(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    (void)state;
    expect(&address, 4, "AF=2 AF=2 0x0050", "AF=2 0x0050");
}

static void makes_wildcards_of_ip_only(void **state)
{
    struct modcat_sockaddr address;
    (void)state;
    assert_true(sockaddr_wildcard(AF_INET6, &address));
    sockaddr_set_port(&address, 25);
    expect(&address.u.any, address.length, "AF=10 [0000:0000:0000:0000:0000:0000:0000:0000]:25",
           "[0000:0000:0000:0000:0000:0000:0000:0000]");
    assert_false(sockaddr_wildcard(AF_UNIX, &address));
}

static struct modcat_sockaddr ip6_place(uint16_t port, uint32_t scope)
{
    struct modcat_sockaddr place = {.length = sizeof(struct sockaddr_in6)};
    *(struct sockaddr_in6 *)&place.u.storage =
        (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port, .sin6_scope_id = scope};
    return place;
}

static void compares_host_port_and_known_scope_of_ip(void **state)
{
    const struct modcat_sockaddr place = ip6_place(7, 0), scoped = ip6_place(7, 3),
                                 elsewhere = ip6_place(7, 4), port = ip6_place(8, 0);
    (void)state;
    assert_true(sockaddr_same(&place, &scoped));
    assert_false(sockaddr_same(&scoped, &elsewhere));
    assert_false(sockaddr_same(&place, &port));
}

static struct modcat_sockaddr unix_place(const char *name, size_t length)
{
    struct modcat_sockaddr place = {.length = (socklen_t)(sizeof(sa_family_t) + length)};
    struct sockaddr_un *address = (struct sockaddr_un *)&place.u.storage;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, length);
    return place;
}

static void compares_the_names_of_unix_sockets(void **state)
{
    const struct modcat_sockaddr path = unix_place("path", 4), longer = unix_place("path\0junk", 9),
                                 other = unix_place("pat", 3), abstract = unix_place("\0name", 5),
                                 filled = unix_place("\0name\0", 6), nobody = unix_place("", 0);
    (void)state;
    assert_true(sockaddr_same(&path, &longer));
    assert_false(sockaddr_same(&path, &other));
    assert_true(sockaddr_same(&abstract, &abstract));
    assert_false(sockaddr_same(&abstract, &filled));
    assert_false(sockaddr_same(&path, &nobody));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_ip4_with_its_port),
        cmocka_unit_test(shows_all_groups_of_ip6),
        cmocka_unit_test(shows_paths_of_unix_sockets),
        cmocka_unit_test(shows_abstract_names_to_their_last_byte),
        cmocka_unit_test(shows_a_path_without_final_nul),
        cmocka_unit_test(cuts_a_text_that_is_too_long),
        cmocka_unit_test(shows_an_unnamed_unix_socket),
        cmocka_unit_test(shows_vsock_by_context_and_port),
        cmocka_unit_test(shows_other_families_in_hexadecimal),
        cmocka_unit_test(shows_a_truncated_ip_address_as_bytes),
        cmocka_unit_test(makes_wildcards_of_ip_only),
        cmocka_unit_test(compares_host_port_and_known_scope_of_ip),
        cmocka_unit_test(compares_the_names_of_unix_sockets),
    };
    return cmocka_run_group_tests_name("sockaddr", tests, NULL, NULL);
}
