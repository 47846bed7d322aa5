#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "drivers/socks/message.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Bytes with their length, from a text that may hold zeros. */
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static struct socks_host host(const char *text, uint16_t port)
{
    struct socks_host result;
    memset(&result, 0, sizeof result);
    assert_null(socks_host_parse(text, &result));
    result.port = port;
    return result;
}

static void shown(const char *text, const char *expected)
{
    char shown_text[SOCKS_HOST_TEXT];
    struct socks_host parsed = host(text, 80);
    assert_string_equal(socks_host_text(&parsed, shown_text), expected);
}

static void takes_addresses_and_names(void **state)
{
    (void)state;
    shown("192.0.2.1", "192.0.2.1:80");
    shown("[2001:db8::1]", "[2001:db8::1]:80");
    shown("2001:db8::1", "[2001:db8::1]:80");
    shown("[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]:80");
    shown("www.example.org", "www.example.org:80");
    shown("192.0.2", "192.0.2:80");
    assert_int_equal(host("192.0.2.1", 0).kind, SOCKS_IP4);
    assert_int_equal(host("[::1]", 0).kind, SOCKS_IP6);
    assert_int_equal(host("::1", 0).kind, SOCKS_IP6);
    assert_int_equal(host("192.0.2", 0).kind, SOCKS_NAME);
}

static void refuses_what_is_no_host(void **state)
{
    static const char *const wrong[] = {
        "",
        "[",
        "[]",
        "[::1",
        "[::1]x",
        "::1]",
        "[192.0.2.1]",
        "[name]",
        "a:b",
        ":::",
        "[1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111:2222]",
    };
    struct socks_host parsed;
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (socks_host_parse(wrong[i], &parsed) == NULL)
            fail_msg("\"%s\" is taken for a host", wrong[i]);
}

static void takes_names_of_up_to_255_bytes(void **state)
{
    char name[257];
    struct socks_host parsed;
    (void)state;
    memset(name, 'a', sizeof name);
    name[256] = '\0';
    assert_string_equal(socks_host_parse(name, &parsed), "is longer than 255 bytes");
    name[255] = '\0';
    assert_null(socks_host_parse(name, &parsed));
    assert_int_equal(parsed.length, 255);
}

static void asks_in_the_words_of_socks_4(void **state)
{
    uint8_t request[SOCKS_REQUEST_MAX];
    struct socks_host target = host("192.0.2.1", 0x1234);
    (void)state;
    assert_int_equal(socks4_request(&target, "me", request), 11);
    assert_memory_equal(request, "\4\1\x12\x34\xc0\0\2\1me\0", 11);
}

static void asks_for_a_name_in_the_words_of_socks_4a(void **state)
{
    uint8_t request[SOCKS_REQUEST_MAX];
    struct socks_host target = host("name", 80);
    (void)state;
    assert_int_equal(socks4_request(&target, "", request), 14);
    assert_memory_equal(request, "\4\1\0\x50\0\0\0\1\0name\0", 14);
}

static void asks_in_the_words_of_socks_5(void **state)
{
    uint8_t request[SOCKS_REQUEST_MAX];
    struct socks_host ip4 = host("192.0.2.1", 0x1234), ip6 = host("[2001:db8::1]", 80);
    struct socks_host name = host("name", 65535);
    (void)state;
    assert_int_equal(socks5_hello(0, request), 3);
    assert_memory_equal(request, "\5\1\0", 3);
    assert_int_equal(socks5_hello(1, request), 4);
    assert_memory_equal(request, "\5\2\0\2", 4);
    assert_int_equal(socks5_login("me", "secret", request), 11);
    assert_memory_equal(request, "\1\2me\6secret", 11);
    assert_int_equal(socks5_request(SOCKS_CONNECT, &ip4, request), 10);
    assert_memory_equal(request, "\5\1\0\1\xc0\0\2\1\x12\x34", 10);
    assert_int_equal(socks5_request(SOCKS_BIND, &ip6, request), 22);
    assert_memory_equal(request, "\5\2\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x50", 22);
    assert_int_equal(socks5_request(SOCKS_CONNECT, &name, request), 11);
    assert_memory_equal(request, "\5\1\0\3\4name\xff\xff", 11);
}

static void the_longest_requests_have_room(void **state)
{
    char name[256];
    uint8_t request[SOCKS_REQUEST_MAX];
    (void)state;
    memset(name, 'a', 255);
    name[255] = '\0';
    struct socks_host target = host(name, 80);
    assert_int_equal(socks4_request(&target, name, request), 8 + 256 + 256);
    assert_int_equal(socks5_login(name, name, request), 3 + 255 + 255);
    assert_int_equal(socks5_request(SOCKS_CONNECT, &target, request), 7 + 255);
}

/* A whole reply: cut anywhere, more is asked for, and never more than there will be. */
static void check_cuts(socks_read_fn *read, const uint8_t *data, size_t length,
                       struct socks_reply *reply)
{
    for (size_t cut = 0; cut < length; cut++) {
        uint8_t *exact = test_malloc(cut + 1);
        memcpy(exact, data, cut);
        assert_int_equal(read(exact, cut, reply), SOCKS_MORE);
        assert_in_range(reply->missing, 1, length - cut);
        test_free(exact);
    }
    assert_int_equal(read(data, length, reply), SOCKS_GRANTED);
}

static void reads_every_reply_cut_at_each_byte(void **state)
{
    static const struct {
        socks_read_fn *read;
        const uint8_t *data;
        size_t length;
        const char *bound;
    } replies[] = {
        {socks4_read_reply, BYTES("\0\x5a\x12\x34\xc0\0\2\1"), "192.0.2.1:4660"},
        {socks5_read_reply, BYTES("\5\0\0\1\xc0\0\2\1\0\x50"), "192.0.2.1:80"},
        {socks5_read_reply, BYTES("\5\0\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x50"),
         "[2001:db8::1]:80"},
        {socks5_read_reply, BYTES("\5\0\0\3\4name\0\x50"), "name:80"},
        {socks5_read_reply, BYTES("\5\0\0\3\0\0\x50"), ":80"},
    };
    char text[SOCKS_HOST_TEXT];
    struct socks_reply reply;
    (void)state;
    for (size_t i = 0; i < COUNT(replies); i++) {
        check_cuts(replies[i].read, replies[i].data, replies[i].length, &reply);
        assert_string_equal(socks_host_text(&reply.bound, text), replies[i].bound);
    }
    check_cuts(socks5_read_hello, BYTES("\5\2"), &reply);
    assert_int_equal(reply.code, SOCKS_PASSWORD);
    check_cuts(socks5_read_login, BYTES("\1\0"), &reply);
}

static void reads_the_longest_name(void **state)
{
    uint8_t data[SOCKS_REPLY_MAX] = {5, 0, 0, SOCKS_NAME, 255};
    struct socks_reply reply;
    (void)state;
    memset(data + 5, 'a', 255);
    check_cuts(socks5_read_reply, data, sizeof data, &reply);
    assert_int_equal(reply.bound.length, 255);
}

static void tells_every_refusal_in_words(void **state)
{
    static const struct {
        socks_read_fn *read;
        const uint8_t *data;
        size_t length;
        const char *why;
    } refusals[] = {
        {socks4_read_reply, BYTES("\0\x5b"), "socks: connect request rejected or failed"},
        {socks4_read_reply, BYTES("\0\x5c"), "socks: ident refused by client"},
        {socks4_read_reply, BYTES("\0\x5d"), "socks: ident failed"},
        {socks4_read_reply, BYTES("\0\x59"), "socks: undefined status 89"},
        {socks4_read_reply, BYTES("\0\0"), "socks: undefined status 0"},
        {socks5_read_hello, BYTES("\4"),
         "SOCKS5 Server Hello version was 4, not the expected 5, peer might not be a SOCKS5 "
         "server"},
        {socks5_read_login, BYTES("\1\1"),
         "SOCKS5 server does not accept user name and password (status 1)"},
        {socks5_read_reply, BYTES("H"),
         "SOCKS5 reply version was 72, not the expected 5, peer might not be a SOCKS5 server"},
        {socks5_read_reply, BYTES("\5\1"), "SOCKS5 server error 1: general SOCKS server failure"},
        {socks5_read_reply, BYTES("\5\2"),
         "SOCKS5 server error 2: connection not allowed by ruleset"},
        {socks5_read_reply, BYTES("\5\3"), "SOCKS5 server error 3: network unreachable"},
        {socks5_read_reply, BYTES("\5\4"), "SOCKS5 server error 4: host unreachable"},
        {socks5_read_reply, BYTES("\5\5"), "SOCKS5 server error 5: connection refused"},
        {socks5_read_reply, BYTES("\5\6"), "SOCKS5 server error 6: TTL expired"},
        {socks5_read_reply, BYTES("\5\7"), "SOCKS5 server error 7: command not supported"},
        {socks5_read_reply, BYTES("\5\x08"), "SOCKS5 server error 8: address type not supported"},
        {socks5_read_reply, BYTES("\5\x09"), "SOCKS5 server error 9: unknown error"},
        {socks5_read_reply, BYTES("\5\xff"), "SOCKS5 server error 255: unknown error"},
        {socks5_read_reply, BYTES("\5\0\0\2"), "invalid SOCKS5 reply address type (2)"},
    };
    struct socks_reply reply;
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        for (size_t cut = 0; cut < refusals[i].length; cut++)
            assert_int_equal(refusals[i].read(refusals[i].data, cut, &reply), SOCKS_MORE);
        assert_int_equal(refusals[i].read(refusals[i].data, refusals[i].length, &reply),
                         SOCKS_REFUSED);
        assert_string_equal(reply.why, refusals[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_addresses_and_names),
        cmocka_unit_test(refuses_what_is_no_host),
        cmocka_unit_test(takes_names_of_up_to_255_bytes),
        cmocka_unit_test(asks_in_the_words_of_socks_4),
        cmocka_unit_test(asks_for_a_name_in_the_words_of_socks_4a),
        cmocka_unit_test(asks_in_the_words_of_socks_5),
        cmocka_unit_test(the_longest_requests_have_room),
        cmocka_unit_test(reads_every_reply_cut_at_each_byte),
        cmocka_unit_test(reads_the_longest_name),
        cmocka_unit_test(tells_every_refusal_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
