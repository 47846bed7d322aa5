#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "core/base/log.h"
#include "core/opening/opening.h"
#include "core/services/net/local.h"
#include "core/services/net/resolve.h"
#include "core/services/net/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char failure[500]; /* what modcat_fail() said last */
static int blocking_calls;
static const char *option_bind;
static long long option_sourceport;
static bool option_lowport;

int modcat_fail(const struct modcat_opening *opening, const char *format, ...)
{
    va_list arguments;
    (void)opening;
    va_start(arguments, format);
    vsnprintf(failure, sizeof failure, format, arguments);
    va_end(arguments);
    return -1;
}

int modcat_call_blocking(struct modcat_opening *opening, void (*work)(void *),
                         void (*discard)(void *), void *argument)
{
    (void)opening;
    (void)discard;
    blocking_calls++;
    work(argument);
    return 0;
}

int modcat_apply(struct modcat_opening *opening, enum modcat_phase phase, int fd)
{
    (void)opening;
    (void)phase;
    (void)fd;
    return 0;
}

const struct modcat_value *modcat_option_value(struct modcat_opening *opening, const char *name)
{
    static struct modcat_value value;
    (void)opening;
    value = (struct modcat_value){.string = option_bind};
    if (strcmp(name, "bind") == 0)
        return option_bind != NULL ? &value : NULL;
    bool is_port = strcmp(name, "sourceport") == 0;
    value.number = is_port ? option_sourceport : option_lowport;
    return value.number > 0 ? &value : NULL;
}

int modcat_transport_chosen(struct modcat_opening *opening,
                            const struct modcat_transport *transport,
                            struct modcat_transport *actual)
{
    (void)opening;
    *actual = *transport;
    return 0;
}

struct fixture {
    struct settings settings;
    struct modcat_opening opening;
    struct modcat_transport transport;
    struct addrinfo *list;
};

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof fixture);
    fixture.settings.listen_version = fixture.settings.resolve_version = '4';
    fixture.opening.settings = &fixture.settings;
    fixture.transport = (struct modcat_transport){
        .size = sizeof fixture.transport, .socktype = SOCK_STREAM, .protocol = IPPROTO_TCP};
    failure[0] = '\0';
    blocking_calls = 0;
    option_bind = NULL;
    option_sourceport = 0;
    option_lowport = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (fixture.list != NULL)
        freeaddrinfo(fixture.list);
    return 0;
}

static int resolve(const char *host, const char *service, int flags)
{
    return modcat_resolve(&fixture.opening, &fixture.transport, host, service, flags,
                          &fixture.list);
}

static const char *text(const struct addrinfo *item)
{
    static char result[MODCAT_SOCKADDR_TEXT];
    return modcat_sockaddr_text(item->ai_addr, item->ai_addrlen, result);
}

static void expect(const char *host, const char *service, int flags, const char *wanted)
{
    if (fixture.list != NULL)
        freeaddrinfo(fixture.list);
    int result = resolve(host, service, flags);
    assert_string_equal(failure, "");
    assert_int_equal(result, 0);
    assert_string_equal(text(fixture.list), wanted);
    assert_null(fixture.list->ai_next);
}

#define IP6_LOOPBACK "AF=10 [0000:0000:0000:0000:0000:0000:0000:0001]"
#define IP6_WILDCARD "AF=10 [0000:0000:0000:0000:0000:0000:0000:0000]"

static void numbers_need_no_look_up(void **state)
{
    (void)state;
    expect("127.0.0.1", "80", 0, "AF=2 127.0.0.1:80");
    expect("[::1]", "80", 0, IP6_LOOPBACK ":80");
    expect("::1", "80", 0, IP6_LOOPBACK ":80");
    assert_int_equal(blocking_calls, 0);
}

static void a_port_may_have_any_base(void **state)
{
    (void)state;
    expect("127.0.0.1", "0x50", 0, "AF=2 127.0.0.1:80");
    expect("127.0.0.1", "0120", 0, "AF=2 127.0.0.1:80");
}

static void a_port_beyond_the_last_is_refused(void **state)
{
    (void)state;
    assert_int_equal(resolve("127.0.0.1", "65536", 0), -1);
    assert_string_equal(failure,
                        "cannot look up port 65536: neither a number from 0 to 65535 nor a "
                        "service known here "
                        "[getaddrinfo(\"127.0.0.1\", \"65536\", {0x20,0,1,6}, {})]");
    assert_null(fixture.list);
}

static void results_have_the_type_and_protocol_of_the_transport(void **state)
{
    (void)state;
    fixture.transport.protocol = IPPROTO_DCCP;
    fixture.transport.socktype = SOCK_DCCP;
    expect("127.0.0.1", "80", 0, "AF=2 127.0.0.1:80");
    assert_int_equal(fixture.list->ai_socktype, SOCK_DCCP);
    assert_int_equal(fixture.list->ai_protocol, IPPROTO_DCCP);
}

static void a_number_of_the_wrong_version_is_refused(void **state)
{
    (void)state;
    fixture.transport.family = AF_INET;
    assert_int_equal(resolve("[::1]", "80", 0), -1);
    assert_string_equal(failure,
                        "cannot look up host ::1: an IPv6 address, where only IPv4 is used "
                        "[getaddrinfo(\"::1\", \"80\", {0x04,2,1,6}, {})]");
    fixture.transport.family = AF_INET6;
    assert_int_equal(resolve("127.0.0.1", "80", 0), -1);
    assert_int_equal(blocking_calls, 0);
}

static void brackets_hold_no_name(void **state)
{
    (void)state;
    assert_int_equal(resolve("[localhost]", "80", 0), -1);
    assert_int_equal(blocking_calls, 0);
}

static void names_are_looked_up_aside(void **state)
{
    (void)state;
    fixture.transport.family = AF_INET;
    expect("localhost", "80", 0, "AF=2 127.0.0.1:80");
    assert_int_equal(blocking_calls, 1);
}

static void neither_host_nor_service_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(resolve("", "", AI_PASSIVE), -1);
    assert_string_equal(failure, "neither a host nor a port is given");
}

static void listening_prefers_a_version(void **state)
{
    (void)state;
    expect(NULL, "80", AI_PASSIVE, "AF=2 0.0.0.0:80");
    fixture.settings.listen_version = '6';
    expect(NULL, "80", AI_PASSIVE, IP6_WILDCARD ":80");
}

static void listening_without_preference_serves_both_versions(void **state)
{
    (void)state;
    fixture.settings.listen_version = '0';
    expect(NULL, "80", AI_PASSIVE, IP6_WILDCARD ":80");
}

static void an_address_to_listen_on_decides_the_version(void **state)
{
    (void)state;
    expect("[::1]", "80", AI_PASSIVE, IP6_LOOPBACK ":80");
    fixture.settings.listen_version = '6';
    expect("127.0.0.1", "80", AI_PASSIVE, "AF=2 127.0.0.1:80");
}

static void link_local_addresses_keep_their_scope(void **state)
{
    (void)state;
    expect("[fe80::1%lo]", "80", 0, "AF=10 [fe80:0000:0000:0000:0000:0000:0000:0001]:80");
    assert_int_not_equal(((struct sockaddr_in6 *)(void *)fixture.list->ai_addr)->sin6_scope_id, 0);
}

static void resolves_one_address(void **state)
{
    uint8_t address[4];
    const uint8_t wanted[4] = {224, 0, 0, 251};
    (void)state;
    assert_int_equal(resolve_address(&fixture.opening, AF_INET, "224.0.0.251", address), 0);
    assert_memory_equal(address, wanted, 4);
}

static void preference_keeps_the_order_within_a_version(void **state)
{
    struct addrinfo items[5];
    const int families[] = {AF_INET6, AF_INET, AF_INET6, AF_INET};
    const int wanted[] = {1, 3, 0, 2};
    (void)state;
    memset(items, 0, sizeof items);
    for (int i = 0; i < 4; i++) {
        items[i].ai_family = families[i];
        items[i].ai_next = i < 3 ? &items[i + 1] : NULL;
    }
    struct addrinfo *list = resolve_prefer(items, AF_INET);
    for (int i = 0; i < 4; i++, list = list->ai_next)
        assert_ptr_equal(list, &items[wanted[i]]);
    assert_null(list);
}

static void expect_split(const char *both, const char *host, const char *port)
{
    char *got_host, *got_port;
    local_split(both, &got_host, &got_port);
    assert_string_equal(got_host != NULL ? got_host : "(none)", host);
    assert_string_equal(got_port != NULL ? got_port : "(none)", port);
    free(got_host);
    free(got_port);
}

static void bind_may_have_host_and_port(void **state)
{
    (void)state;
    expect_split("10.0.0.1:80", "10.0.0.1", "80");
    expect_split("10.0.0.1", "10.0.0.1", "(none)");
    expect_split(":80", "(none)", "80");
    expect_split("[::1]:80", "[::1]", "80");
    expect_split("[::1]", "[::1]", "(none)");
    expect_split("::1", "::1", "(none)");
    expect_split("", "(none)", "(none)");
    expect_split(":", "(none)", "(none)");
}

static void expect_own(int family, const char *wanted)
{
    struct local_choice choice;
    struct modcat_sockaddr address;
    char result[MODCAT_SOCKADDR_TEXT];
    assert_int_equal(local_choose(&fixture.opening, &fixture.transport, &choice), 0);
    int found = local_for_family(&choice, family, &address);
    local_free(&choice);
    assert_string_equal(
        found < 0 ? "none" : modcat_sockaddr_text(&address.u.any, address.length, result), wanted);
}

static void sourceport_joins_the_host_of_bind(void **state)
{
    (void)state;
    expect_own(AF_INET, "AF=0 <anon>");
    option_sourceport = 4711;
    expect_own(AF_INET, "AF=2 0.0.0.0:4711");
    option_bind = "127.0.0.2";
    expect_own(AF_INET, "AF=2 127.0.0.2:4711");
    option_bind = "127.0.0.2:12";
    expect_own(AF_INET, "AF=2 127.0.0.2:4711");
}

static void bind_of_one_version_is_none_of_the_other(void **state)
{
    (void)state;
    option_bind = "[::1]:99";
    expect_own(AF_INET6, IP6_LOOPBACK ":99");
    expect_own(AF_INET, "none");
    option_bind = ":99";
    expect_own(AF_INET6, IP6_WILDCARD ":99");
    expect_own(AF_INET, "AF=2 0.0.0.0:99");
}

static void an_empty_bind_is_an_error(void **state)
{
    struct local_choice choice;
    (void)state;
    option_bind = "";
    assert_int_equal(local_choose(&fixture.opening, &fixture.transport, &choice), -1);
    assert_string_equal(failure, "option \"bind=\": address required");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_need_no_look_up),
        TEST(a_port_may_have_any_base),
        TEST(a_port_beyond_the_last_is_refused),
        TEST(results_have_the_type_and_protocol_of_the_transport),
        TEST(a_number_of_the_wrong_version_is_refused),
        TEST(brackets_hold_no_name),
        TEST(names_are_looked_up_aside),
        TEST(neither_host_nor_service_is_an_error),
        TEST(listening_prefers_a_version),
        TEST(listening_without_preference_serves_both_versions),
        TEST(an_address_to_listen_on_decides_the_version),
        TEST(link_local_addresses_keep_their_scope),
        TEST(resolves_one_address),
        TEST(preference_keeps_the_order_within_a_version),
        TEST(bind_may_have_host_and_port),
        TEST(sourceport_joins_the_host_of_bind),
        TEST(bind_of_one_version_is_none_of_the_other),
        TEST(an_empty_bind_is_an_error),
    };
    return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
