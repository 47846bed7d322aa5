#define _GNU_SOURCE
#include "core/values/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void gives(const char *text, const void *wanted, size_t length)
{
    unsigned char data[VALUES_DATA_MAX];
    const char *reason = NULL;
    assert_int_equal(modcat_parse_data(text, data, sizeof data, &reason), length);
    assert_memory_equal(data, wanted, length);
}

static void refused(const char *text, const char *wanted)
{
    unsigned char data[VALUES_DATA_MAX];
    const char *reason = NULL;
    assert_int_equal(modcat_parse_data(text, data, sizeof data, &reason), -1);
    assert_string_equal(reason, wanted);
}

static void nothing_is_no_data(void **state)
{
    (void)state;
    gives("", "", 0);
    gives(" \t", "", 0);
}

static void numbers_are_ints_unless_said_otherwise(void **state)
{
    (void)state;
    const int numbers[] = {1, 2, -3};
    gives("1 2 -3", numbers, sizeof numbers);
    gives("i1 2 -3", numbers, sizeof numbers);
}

static void a_letter_sets_the_type_until_the_next(void **state)
{
    (void)state;
    struct __attribute__((packed)) {
        int16_t first, second;
        int32_t third;
    } wanted = {1, 2, 3};
    gives("s1 2i3", &wanted, sizeof wanted);
    const long longs[] = {-1, 5};
    gives("l-1 L5", longs, sizeof longs);
}

static void a_byte_is_one_byte(void **state)
{
    (void)state;
    gives("b5", "\5", 1);
    gives("b5 6", "\5\6", 2);
    gives("B255", "\377", 1);
    gives("b-1", "\377", 1);
}

static void reads_hexadecimal_pairs(void **state)
{
    (void)state;
    gives("x7f000001", "\x7f\0\0\1", 4);
    gives("x0102 03", "\1\2\3", 3);
    gives("xAbcD", "\xab\xcd", 2);
    gives("x01i2", (const unsigned char[]){1, 2, 0, 0, 0}, 5);
}

static void numbers_are_decimal_only(void **state)
{
    (void)state;
    gives("0x10", "\0\0\0\0\x10", 5);
    gives("i010", &(int){10}, sizeof(int));
}

static void reads_strings_and_characters(void **state)
{
    (void)state;
    gives("\"a b\"", "a b", 3);
    gives("\"a\"B1", "a\1", 2);
    gives("\"\\n\\r\\t\\f\\b\\a\\e\\0\\\\\\\"\"", "\n\r\t\f\b\a\033\0\\\"", 10);
    gives("'c''\\n'", "c\n", 2);
}

static void refuses_what_is_incomplete(void **state)
{
    (void)state;
    refused("x1", "odd number of hexadecimal digits");
    refused("x123", "odd number of hexadecimal digits");
    refused("x", "missing hexadecimal digits");
    refused("\"abc", "unterminated string");
    refused("'", "unterminated character");
    refused("''", "error in character");
    refused("'ab'", "error in character termination");
    refused("i", "missing number");
    refused("I-1", "missing number");
    refused("1,2", "unexpected character");
}

static void refuses_numbers_beyond_the_type(void **state)
{
    (void)state;
    refused("b256", "number out of range");
    refused("b-129", "number out of range");
    refused("B256", "number out of range");
    refused("s65536", "number out of range");
    refused("i4294967296", "number out of range");
    refused("l9223372036854775808", "number out of range");
    refused("L18446744073709551616", "number out of range");
    gives("i4294967295", "\377\377\377\377", 4);
    gives("L18446744073709551615", "\377\377\377\377\377\377\377\377", 8);
}

static void refuses_more_than_there_is_room_for(void **state)
{
    (void)state;
    unsigned char data[4];
    const char *reason = NULL;
    assert_int_equal(modcat_parse_data("x01020304", data, sizeof data, &reason), 4);
    assert_int_equal(modcat_parse_data("x0102030405", data, sizeof data, &reason), -1);
    assert_string_equal(reason, "data too long");
    assert_int_equal(modcat_parse_data("b1 i1", data, sizeof data, &reason), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_no_data),
        cmocka_unit_test(numbers_are_ints_unless_said_otherwise),
        cmocka_unit_test(a_letter_sets_the_type_until_the_next),
        cmocka_unit_test(a_byte_is_one_byte),
        cmocka_unit_test(reads_hexadecimal_pairs),
        cmocka_unit_test(numbers_are_decimal_only),
        cmocka_unit_test(reads_strings_and_characters),
        cmocka_unit_test(refuses_what_is_incomplete),
        cmocka_unit_test(refuses_numbers_beyond_the_type),
        cmocka_unit_test(refuses_more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
