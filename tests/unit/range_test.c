#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "core/values/range.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* Knows one name, and reports the failure itself for all others. */
static int look_up(void *context, int family, const char *host, void *address)
{
    int *asked = context;
    ++*asked;
    if (strcmp(host, "gateway") != 0)
        return -1;
    return inet_pton(family, family == AF_INET ? "10.1.0.1" : "2001:db8::1", address) == 1 ? 0 : -1;
}

static struct range accepted(int family, const char *text)
{
    struct range range;
    char reason[200];
    int asked = 0;
    int result = range_parse(family, text, look_up, &asked, &range, reason, sizeof reason);
    assert_string_equal(reason, "");
    assert_int_equal(result, 0);
    return range;
}

static void refused(int family, const char *text, const char *why)
{
    struct range range;
    char reason[200];
    int asked = 0;
    assert_int_equal(range_parse(family, text, look_up, &asked, &range, reason, sizeof reason), -1);
    assert_string_equal(reason, why);
}

static bool holds_ip4(const struct range *range, const char *host)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(4711)};
    inet_pton(AF_INET, host, &address.sin_addr);
    return range_holds(range, (const struct sockaddr *)&address, sizeof address);
}

static bool holds_ip6(const struct range *range, const char *host)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    inet_pton(AF_INET6, host, &address.sin6_addr);
    return range_holds(range, (const struct sockaddr *)&address, sizeof address);
}

static void bits_count_from_the_left(void **state)
{
    struct range range = accepted(AF_INET, "192.168.4.0/22");
    (void)state;
    assert_true(holds_ip4(&range, "192.168.4.0"));
    assert_true(holds_ip4(&range, "192.168.7.255"));
    assert_false(holds_ip4(&range, "192.168.8.0"));
    assert_false(holds_ip4(&range, "192.168.3.255"));
}

static void zero_bits_hold_everybody(void **state)
{
    struct range range = accepted(AF_INET, "1.2.3.4/0");
    (void)state;
    assert_true(holds_ip4(&range, "255.255.255.255"));
}

static void all_bits_hold_one_host(void **state)
{
    struct range range = accepted(AF_INET, "127.0.0.1/32");
    (void)state;
    assert_true(holds_ip4(&range, "127.0.0.1"));
    assert_false(holds_ip4(&range, "127.0.0.2"));
}

static void host_bits_of_the_range_do_not_count(void **state)
{
    struct range range = accepted(AF_INET, "127.9.9.9/8");
    (void)state;
    assert_true(holds_ip4(&range, "127.0.0.1"));
}

static void a_mask_may_have_holes(void **state)
{
    struct range range = accepted(AF_INET, "10.0.0.1:255.0.0.255");
    (void)state;
    assert_true(holds_ip4(&range, "10.77.88.1"));
    assert_false(holds_ip4(&range, "10.77.88.2"));
}

static void names_are_looked_up(void **state)
{
    struct range ip4 = accepted(AF_INET, "gateway:255.255.0.0");
    struct range ip6 = accepted(AF_INET6, "[gateway]/32");
    (void)state;
    assert_true(holds_ip4(&ip4, "10.1.200.1"));
    assert_true(holds_ip6(&ip6, "2001:db8:1::"));
    refused(AF_INET, "nobody/8", "");
}

static void ip6_ranges_have_brackets_and_bits(void **state)
{
    struct range range = accepted(AF_INET6, "[2001:db8::]/33");
    (void)state;
    assert_true(holds_ip6(&range, "2001:db8:7fff::1"));
    assert_false(holds_ip6(&range, "2001:db8:8000::1"));
}

static void mapped_addresses_need_a_range_of_ip6(void **state)
{
    struct range range = accepted(AF_INET6, "[::ffff:127.0.0.0]/104");
    (void)state;
    assert_true(holds_ip6(&range, "::ffff:127.0.0.1"));
    assert_false(holds_ip6(&range, "::1"));
}

static void raw_ranges_are_bytes_behind_the_family(void **state)
{
    struct range range = accepted(AF_INET, "x0000x7f000001:x0000xffffffff");
    assert_true(holds_ip4(&range, "127.0.0.1"));
    assert_false(holds_ip4(&range, "127.0.0.2"));
    range = accepted(AF_INET, "x00007f000000:xffffff000000");
    struct sockaddr_in address = {.sin_family = AF_INET};
    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(range_holds(&range, (const struct sockaddr *)&address, sizeof address));
    address.sin_port = htons(256);
    assert_false(range_holds(&range, (const struct sockaddr *)&address, sizeof address));
}

static void an_address_that_is_too_short_is_not_held(void **state)
{
    struct range range = accepted(AF_PACKET, "x0102:x0000");
    struct sockaddr address = {.sa_family = AF_PACKET};
    (void)state;
    assert_true(range_holds(&range, &address, 4));
    assert_false(range_holds(&range, &address, 3));
}

static void says_what_is_wrong_with_ip4(void **state)
{
    (void)state;
    refused(AF_INET, "", "no netmask in \"\": use ADDRESS/BITS, as in 10.0.0.0/8");
    refused(AF_INET, "10.0.0.1", "no netmask in \"10.0.0.1\": use ADDRESS/BITS, as in 10.0.0.0/8");
    refused(AF_INET, "10.0.0.1/33", "IPv4 netmask \"33\" is too large");
    refused(AF_INET, "10.0.0.1/99999999999999999999",
            "IPv4 netmask \"99999999999999999999\" is too large");
    refused(AF_INET, "10.0.0.1/x", "\"x\" is not a valid IPv4 netmask in \"10.0.0.1/x\"");
    refused(AF_INET, "10.0.0.1/", "\"\" is not a valid IPv4 netmask in \"10.0.0.1/\"");
    refused(AF_INET, "10.0.0.1/-1", "\"-1\" is not a valid IPv4 netmask in \"10.0.0.1/-1\"");
    refused(AF_INET, "10.0.0.1:255.x",
            "\"255.x\" is not a valid IPv4 netmask in \"10.0.0.1:255.x\"");
}

static void says_what_is_wrong_with_ip6(void **state)
{
    (void)state;
    refused(AF_INET6, "::1/128", "missing brackets for IPv6 range definition \"::1/128\"");
    refused(AF_INET6, "[::1/128]", "missing mask bits delimiter '/' in range \"[::1/128]\"");
    refused(AF_INET6, "[::1]/129", "netmask \"129\" is too large");
    refused(AF_INET6, "[::1]/a", "\"a\" is not a valid IPv6 netmask in \"[::1]/a\"");
}

static void says_what_is_wrong_with_other_families(void **state)
{
    (void)state;
    refused(AF_UNIX, "x00:x00", "range option not supported with address family 1");
    refused(AF_PACKET, "x00",
            "syntax error in range \"x00\" of unspecified address family: "
            "use <addr>:<mask>");
    refused(AF_PACKET, "x0000:x00", "network address is 2 bytes long, mask is 1 bytes long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_count_from_the_left),
        cmocka_unit_test(zero_bits_hold_everybody),
        cmocka_unit_test(all_bits_hold_one_host),
        cmocka_unit_test(host_bits_of_the_range_do_not_count),
        cmocka_unit_test(a_mask_may_have_holes),
        cmocka_unit_test(names_are_looked_up),
        cmocka_unit_test(ip6_ranges_have_brackets_and_bits),
        cmocka_unit_test(mapped_addresses_need_a_range_of_ip6),
        cmocka_unit_test(raw_ranges_are_bytes_behind_the_family),
        cmocka_unit_test(an_address_that_is_too_short_is_not_held),
        cmocka_unit_test(says_what_is_wrong_with_ip4),
        cmocka_unit_test(says_what_is_wrong_with_ip6),
        cmocka_unit_test(says_what_is_wrong_with_other_families),
    };
    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
