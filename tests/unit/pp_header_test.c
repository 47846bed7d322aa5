#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "drivers/pp/header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Bytes with their length, from a text that may hold zeros. */
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define IP4 "\xc0\0\2\1\xcb\0\x71\2\x04\xd2\0\x50" /* 192.0.2.1:1234 to 203.0.113.2:80 */

static const char *address_text(const struct pp_address *address, char text[80])
{
    char host[INET6_ADDRSTRLEN];
    const struct sockaddr_in *ip4 = (const void *)&address->u.storage;
    const struct sockaddr_in6 *ip6 = (const void *)&address->u.storage;
    if (address->length == 0)
        return "";
    bool is_ip4 = address->u.any.sa_family == AF_INET;
    inet_ntop(address->u.any.sa_family,
              is_ip4 ? (const void *)&ip4->sin_addr : (const void *)&ip6->sin6_addr, host,
              sizeof host);
    snprintf(text, 80, "%s %u", host, ntohs(ip4->sin_port));
    return text;
}

static struct pp_header taken(const uint8_t *data, size_t length, size_t header_length)
{
    struct pp_header header;
    const char *why = "more is missing";
    if (pp_read(data, length, &header, &why) != PP_TAKEN)
        fail_msg("%s", why);
    assert_int_equal(header.length, header_length);
    return header;
}

static void says(const struct pp_header *header, const char *source, const char *destination)
{
    char text[80];
    assert_string_equal(address_text(&header->source, text), source);
    assert_string_equal(address_text(&header->destination, text), destination);
}

static void takes_lines_of_version_1(void **state)
{
    static const struct {
        const char *line, *source, *destination;
    } rows[] = {
        {"PROXY TCP4 192.0.2.1 203.0.113.2 1234 80\r\n", "192.0.2.1 1234", "203.0.113.2 80"},
        {"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0 0", "255.255.255.255 65535"},
        {"PROXY TCP6 2001:db8::1 ::1 5 6\r\n", "2001:db8::1 5", "::1 6"},
        {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535 65535\r\n",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535"},
        {"PROXY UNKNOWN\r\n", "", ""},
        {"PROXY UNKNOWN ffff:f 1 anything 65535\r\n", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[200];
        size_t length = strlen(rows[i].line);
        snprintf(text, sizeof text, "%sGET /\r\n", rows[i].line);
        struct pp_header header = taken((const uint8_t *)text, strlen(text), length);
        assert_int_equal(header.version, 1);
        says(&header, rows[i].source, rows[i].destination);
    }
}

static void refused(const uint8_t *data, size_t length, const char *expected)
{
    struct pp_header header;
    const char *why = "nothing is wrong";
    enum pp_verdict verdict = pp_read(data, length, &header, &why);
    assert_string_equal(why, expected);
    assert_int_equal(verdict, PP_WRONG);
}

static void refuses_lines_that_are_wrong(void **state)
{
    static const char no_address[] = "its line has no address of the family that it names";
    static const char no_port[] = "its line has no port from 0 to 65535";
    static const struct {
        const char *line, *why;
    } rows[] = {
        {"G", "there is none"},
        {"PROXX", "there is none"},
        {"proxy TCP4 ", "there is none"},
        {"PROXY\tTCP4 ", "there is none"},
        {"PROXY TCP5 192.0.2.1 203.0.113.2 1234 80\r\n",
         "its line names neither TCP4, TCP6 nor UNKNOWN"},
        {"PROXY TCP4 192.0.2.1 203.0.113.2 1234 80\n", "its line does not end with CR and LF"},
        {"PROXY \n", "its line does not end with CR and LF"},
        {"PROXY TCP4 2001:db8::1 ::1 5 6\r\n", no_address},
        {"PROXY TCP6 192.0.2.1 203.0.113.2 1234 80\r\n", no_address},
        {"PROXY TCP4 192.0.2.256 203.0.113.2 1234 80\r\n", no_address},
        {"PROXY TCP4  192.0.2.1 203.0.113.2 1234 80\r\n", no_address},
        {"PROXY TCP4\r\n", no_address},
        {"PROXY TCP4 192.0.2.1\r\n", no_address},
        {"PROXY TCP4 192.0.2.1 203.0.113.2 65536 80\r\n", no_port},
        {"PROXY TCP4 192.0.2.1 203.0.113.2 0123 80\r\n", no_port},
        {"PROXY TCP4 192.0.2.1 203.0.113.2 +1 80\r\n", no_port},
        {"PROXY TCP4 192.0.2.1 203.0.113.2 -1 80\r\n", no_port},
        {"PROXY TCP4 192.0.2.1 203.0.113.2 1234 \r\n", no_port},
        {"PROXY TCP4 192.0.2.1 203.0.113.2 1234\r\n", no_port},
        {"PROXY TCP4 192.0.2.1 203.0.113.2 123456 80\r\n", no_port},
        {"PROXY TCP4 192.0.2.1 203.0.113.2 1234 80 \r\n", "its line has words behind the ports"},
    };
    char endless[200];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        refused((const uint8_t *)rows[i].line, strlen(rows[i].line), rows[i].why);
    refused(BYTES("PROXY TCP4 192.0.2.1\0 203.0.113.2 1 1\r\n"), "its line has a zero byte");
    memset(endless, 'x', sizeof endless);
    memcpy(endless, "PROXY UNKNOWN ", 14);
    refused((const uint8_t *)endless, 107, "its line does not end within 107 bytes");
}

static void takes_addresses_of_version_2(void **state)
{
    (void)state;
    struct pp_header header = taken(BYTES(SIGNATURE "\x21\x11\0\x0c" IP4 "data"), 28);
    assert_int_equal(header.version, 2);
    assert_false(header.is_packets);
    says(&header, "192.0.2.1 1234", "203.0.113.2 80");
    header = taken(BYTES(SIGNATURE "\x21\x12\0\x0c" IP4), 28);
    assert_true(header.is_packets);
    header = taken(BYTES(SIGNATURE "\x21\x21\0\x24"
                                   "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                                   "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\5\0\6"),
                   52);
    says(&header, "2001:db8::1 5", "2001:db8::2 6");
    header = taken(BYTES(SIGNATURE "\x21\0\0\0"), 16);
    says(&header, "", "");
    header = taken(BYTES(SIGNATURE "\x20\x11\0\x0c" IP4), 28);
    assert_true(header.is_local);
    says(&header, "", "");
    header = taken(BYTES(SIGNATURE "\x20\xff\0\3abc"), 19);
    assert_true(header.is_local);
}

static void takes_paths_of_version_2(void **state)
{
    uint8_t data[16 + 216] = SIGNATURE "\x21\x31\0\xd8/tmp/one";
    const struct sockaddr_un *path;
    (void)state;
    memcpy(data + 16 + 108, "\0two", 4);
    struct pp_header header = taken(data, sizeof data, sizeof data);
    path = (const void *)&header.source.u.storage;
    assert_int_equal(path->sun_family, AF_UNIX);
    assert_string_equal(path->sun_path, "/tmp/one");
    assert_int_equal(header.source.length, offsetof(struct sockaddr_un, sun_path) + 8);
    assert_int_equal(header.destination.length, offsetof(struct sockaddr_un, sun_path) + 4);
}

static void refuses_what_version_2_does_not_know(void **state)
{
    static const char family[] = "it names a family of addresses that nobody knows";
    (void)state;
    refused(BYTES(SIGNATURE "\x11\x11\0\x0c" IP4), "it is of a version that nobody knows");
    refused(BYTES(SIGNATURE "\x31\x11\0\x0c" IP4), "it is of a version that nobody knows");
    refused(BYTES(SIGNATURE "\x22\x11\0\x0c" IP4), "its command is neither LOCAL nor PROXY");
    refused(BYTES(SIGNATURE "\x21\x13\0\x0c" IP4), family);
    refused(BYTES(SIGNATURE "\x21\x10\0\x0c" IP4), family);
    refused(BYTES(SIGNATURE "\x21\x01\0\x0c" IP4), family);
    refused(BYTES(SIGNATURE "\x21\x41\0\x0c" IP4), family);
    refused(BYTES(SIGNATURE "\x21\x11\xff\xff"), "it is longer than 4096 bytes");
    refused(BYTES(SIGNATURE "\x21\x11\0\x0b" IP4), "it is too short for its addresses");
    refused(BYTES(SIGNATURE "\x21\x11\0\x0d" IP4 "\1"), "it has an extra that is cut off");
    refused(BYTES(SIGNATURE "\x21\x11\0\x0f" IP4 "\1\0\1"), "it has an extra that is cut off");
    refused(BYTES("\r\n\r\n\0\r\nQUIX"), "there is none");
}

/* No bit of a header with a checksum can change unseen, but those that say that it is LOCAL, or
 * that the checksum is something else. */
static void checks_the_checksum(void **state)
{
    struct pp_made made;
    struct pp_header header = taken(BYTES("PROXY TCP4 192.0.2.1 203.0.113.2 1234 80\r\n"), 42);
    const char *why;
    (void)state;
    pp_begin(&header, &made);
    assert_true(pp_add(&made, PP_AUTHORITY, "name", 4));
    assert_true(pp_finish(&made, true));
    header = taken(made.data, made.length, made.length);
    assert_true(header.has_checksum);
    for (size_t i = 0; i < made.length * 8; i++) {
        made.data[i / 8] ^= (uint8_t)(1u << i % 8);
        enum pp_verdict verdict = pp_read(made.data, made.length, &header, &why);
        assert_true(verdict != PP_TAKEN || header.is_local || !header.has_checksum);
        made.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    refused(BYTES(SIGNATURE "\x21\0\0\6\3\0\3abc"), "its checksum is wrong");
}

static void gives_the_extras_in_their_order(void **state)
{
    struct pp_header header = taken(BYTES(SIGNATURE "\x21\0\0\x0d\2\0\4name\4\0\0\xe0\0\0"), 29);
    const uint8_t *at = header.extras;
    size_t left = header.extras_length;
    struct pp_extra extra;
    (void)state;
    assert_true(pp_next_extra(&at, &left, &extra));
    assert_int_equal(extra.type, PP_AUTHORITY);
    assert_int_equal(extra.length, 4);
    assert_memory_equal(extra.data, "name", 4);
    assert_true(pp_next_extra(&at, &left, &extra));
    assert_int_equal(extra.type, PP_NOOP);
    assert_true(pp_next_extra(&at, &left, &extra));
    assert_int_equal(extra.type, 0xe0);
    assert_false(pp_next_extra(&at, &left, &extra));
}

/* Read as the driver reads, byte by byte and all at once: what is asked for never reaches into what
 * stands behind the header, and the verdict is the same. */
static void asks_for_no_more_than_the_header(void **state)
{
    static const struct {
        const uint8_t *data;
        size_t length;
    } rows[] = {
        {BYTES("PROXY TCP4 192.0.2.1 203.0.113.2 1234 80\r\n")},
        {BYTES("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n")},
        {BYTES("PROXY TCP6 2001:db8::1 ::1 5 6\r\n")},
        {BYTES("PROXY TCP6 :: :: 0 0\r\n")},
        {BYTES("PROXY UNKNOWN\r\n")},
        {BYTES("PROXY UNKNOWN a b c d e f\r\n")},
        {BYTES(SIGNATURE "\x21\x11\0\x0c" IP4)},
        {BYTES(SIGNATURE "\x21\0\0\x0d\2\0\4name\4\0\0\xe0\0\0")},
        {BYTES(SIGNATURE "\x20\0\0\0")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pp_header header;
        const char *why = "";
        for (size_t length = 0; length < rows[i].length; length++) {
            assert_int_equal(pp_read(rows[i].data, length, &header, &why), PP_MORE);
            assert_in_range(header.missing, 1, rows[i].length - length);
        }
        taken(rows[i].data, rows[i].length, rows[i].length);
    }
}

static void makes_lines(void **state)
{
    static const char *const lines[] = {
        "PROXY TCP4 192.0.2.1 203.0.113.2 1234 80\r\n",
        "PROXY TCP6 2001:db8::1 ::1 5 6\r\n",
        "PROXY UNKNOWN\r\n",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct pp_made made;
        struct pp_header header =
            taken((const uint8_t *)lines[i], strlen(lines[i]), strlen(lines[i]));
        pp_make_line(&header, &made);
        assert_int_equal(made.length, strlen(lines[i]));
        assert_memory_equal(made.data, lines[i], made.length);
    }
}

static void makes_headers(void **state)
{
    static const struct {
        const uint8_t *data;
        size_t length;
    } rows[] = {
        {BYTES(SIGNATURE "\x21\x11\0\x0c" IP4)},
        {BYTES(SIGNATURE "\x21\x12\0\x0c" IP4)},
        {BYTES(SIGNATURE "\x21\0\0\0")},
        {BYTES(SIGNATURE "\x20\0\0\0")},
        {BYTES(SIGNATURE "\x21\x21\0\x24"
                         "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                         "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\5\0\6")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pp_made made;
        struct pp_header header = taken(rows[i].data, rows[i].length, rows[i].length);
        pp_begin(&header, &made);
        assert_true(pp_finish(&made, false));
        assert_int_equal(made.length, rows[i].length);
        assert_memory_equal(made.data, rows[i].data, made.length);
    }
}

static void makes_no_header_that_is_too_long(void **state)
{
    static const uint8_t zeros[PP_HEADER_MAX];
    struct pp_made made;
    (void)state;
    pp_begin(&(struct pp_header){.is_local = true}, &made);
    assert_false(pp_add(&made, 0xe0, zeros, PP_HEADER_MAX - 16 - 2));
    assert_true(pp_add(&made, 0xe0, zeros, PP_HEADER_MAX - 16 - 3 - 6));
    assert_false(pp_finish(&made, true));
    assert_true(pp_finish(&made, false));
    taken(made.data, made.length, PP_HEADER_MAX - 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_lines_of_version_1),
        cmocka_unit_test(refuses_lines_that_are_wrong),
        cmocka_unit_test(takes_addresses_of_version_2),
        cmocka_unit_test(takes_paths_of_version_2),
        cmocka_unit_test(refuses_what_version_2_does_not_know),
        cmocka_unit_test(checks_the_checksum),
        cmocka_unit_test(gives_the_extras_in_their_order),
        cmocka_unit_test(asks_for_no_more_than_the_header),
        cmocka_unit_test(makes_lines),
        cmocka_unit_test(makes_headers),
        cmocka_unit_test(makes_no_header_that_is_too_long),
    };
    return cmocka_run_group_tests_name("pp_header", tests, NULL, NULL);
}
