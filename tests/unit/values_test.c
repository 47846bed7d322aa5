#define _GNU_SOURCE
#include "core/values/values.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One parsed value, and what was said about it. */
struct parsed {
    int result;
    struct modcat_value value;
    void *storage;
    char reason[400];
};

static struct parsed parse(enum modcat_value_type type, const char *text)
{
    struct parsed parsed = {0};
    parsed.result = values_parse(type, NULL, "opt", text, &parsed.value, &parsed.storage,
                                 parsed.reason, sizeof parsed.reason);
    return parsed;
}

static long long number(enum modcat_value_type type, const char *text)
{
    struct parsed parsed = parse(type, text);
    assert_int_equal(parsed.result, 0);
    return parsed.value.number;
}

static void refused(enum modcat_value_type type, const char *text, const char *reason)
{
    struct parsed parsed = parse(type, text);
    free(parsed.storage);
    assert_int_equal(parsed.result, -1);
    assert_string_equal(parsed.reason, reason);
}

static void shown(enum modcat_value_type type, const char *text, const char *wanted)
{
    char line[200];
    struct parsed parsed = parse(type, text);
    assert_int_equal(parsed.result, 0);
    assert_true(values_show(type, &parsed.value, line, sizeof line));
    free(parsed.storage);
    assert_string_equal(line, wanted);
}

static void reads_numbers_as_c_writes_them(void **state)
{
    (void)state;
    assert_int_equal(number(MODCAT_INT, "12"), 12);
    assert_int_equal(number(MODCAT_INT, "-12"), -12);
    assert_int_equal(number(MODCAT_INT, "+0x1f"), 31);
    assert_int_equal(number(MODCAT_INT, "017"), 15);
    assert_int_equal(number(MODCAT_BYTE, "255"), 255);
    assert_int_equal(number(MODCAT_UINT, "4294967295"), 4294967295LL);
    assert_true(number(MODCAT_OFFSET, "-9223372036854775808") == LLONG_MIN);
    assert_true(number(MODCAT_SIZE, "9223372036854775807") == LLONG_MAX);
}

static void takes_a_bit_pattern_for_an_int(void **state)
{
    (void)state;
    assert_int_equal(number(MODCAT_INT, "0x80086601"), (int)0x80086601u);
    assert_int_equal(parse(MODCAT_INT, "2147483648").result, -1);
    assert_int_equal(parse(MODCAT_INT, "0x100000000").result, -1);
}

static void a_bare_number_is_one(void **state)
{
    (void)state;
    assert_int_equal(number(MODCAT_BOOL, NULL), 1);
    assert_int_equal(number(MODCAT_INT, NULL), 1);
    assert_int_equal(number(MODCAT_OFFSET, NULL), 1);
    assert_int_equal(number(MODCAT_INT_OR_NONE, NULL), 1);
}

static void a_bool_is_zero_or_one(void **state)
{
    (void)state;
    assert_int_equal(number(MODCAT_BOOL, "0"), 0);
    assert_int_equal(number(MODCAT_BOOL, "2"), 1);
    assert_int_equal(number(MODCAT_BOOL, "-1"), 1);
}

static void refuses_what_is_no_number(void **state)
{
    (void)state;
    refused(MODCAT_BOOL, "abc", "option \"opt=abc\" needs yes or no");
    refused(MODCAT_INT, "", "option \"opt=\" needs a number, as in opt=1");
    refused(MODCAT_INT, "12x",
            "option \"opt=12x\": unexpected \"x\"; it needs a number, as in opt=1");
    refused(MODCAT_LINGER, NULL, "option \"opt\" needs a value");
    refused(MODCAT_CONST, "1", "option \"opt\" takes no value");
    refused(MODCAT_CONST, "", "option \"opt\" takes no value");
}

static void refuses_numbers_beyond_the_type(void **state)
{
    (void)state;
    refused(MODCAT_BYTE, "256", "option \"opt=256\": out of range (0 to 255)");
    refused(MODCAT_USHORT, "70000", "option \"opt=70000\": out of range (0 to 65535)");
    refused(MODCAT_UINT, "-1", "option \"opt=-1\": out of range (0 to 4294967295)");
    refused(MODCAT_SIZE, "18446744073709551616",
            "option \"opt=18446744073709551616\": out of range (0 to "
            "9223372036854775807)");
    refused(MODCAT_BYTE, "-1", "option \"opt=-1\": out of range (0 to 255)");
}

static void an_empty_nullable_number_is_absent(void **state)
{
    (void)state;
    assert_true(parse(MODCAT_INT_OR_NONE, "").value.absent);
    assert_false(parse(MODCAT_INT_OR_NONE, "0").value.absent);
    shown(MODCAT_INT_OR_NONE, "", "NULL");
}

static void reads_modes_in_octal_only(void **state)
{
    (void)state;
    assert_int_equal(number(MODCAT_MODE, "644"), 0644);
    assert_int_equal(number(MODCAT_MODE, "07777"), 07777);
    refused(MODCAT_MODE, "9", "option \"opt=9\" needs octal permissions, as in opt=0644");
    refused(
        MODCAT_MODE, "0x1ff",
        "option \"opt=0x1ff\": unexpected \"x1ff\"; it needs octal permissions, as in opt=0644");
    refused(MODCAT_MODE, "10000", "option \"opt=10000\": out of range (0 to 07777)");
    refused(MODCAT_MODE, NULL, "option \"opt\" needs a value");
    shown(MODCAT_MODE, "644", "420");
}

static void finds_users_and_groups(void **state)
{
    (void)state;
    assert_int_equal(number(MODCAT_UID, "root"), 0);
    assert_int_equal(number(MODCAT_GID, "root"), 0);
    assert_int_equal(number(MODCAT_UID, "0x10"), 16);
    refused(MODCAT_UID, "no-such-one", "option \"opt=no-such-one\": no such user");
    refused(MODCAT_GID, "", "option \"opt=\": no such group");
    refused(MODCAT_UID, "4294967295", "option \"opt=4294967295\": out of range (0 to 4294967294)");
}

static void reads_texts_as_they_are(void **state)
{
    (void)state;
    struct parsed parsed = parse(MODCAT_STRING, "a b");
    assert_string_equal(parsed.value.string, "a b");
    assert_int_equal(parsed.value.length, 3);
    assert_int_equal(parse(MODCAT_STRING, "").result, 0);
    refused(MODCAT_STRING, NULL, "option \"opt\" needs a value");
    assert_true(parse(MODCAT_STRING_OR_NONE, NULL).value.absent);
    assert_false(parse(MODCAT_STRING_OR_NONE, "").value.absent);
    shown(MODCAT_STRING, "a", "\"a\"");
    shown(MODCAT_STRING_OR_NONE, NULL, "NULL");
}

static void reads_times_to_the_nanosecond(void **state)
{
    (void)state;
    assert_int_equal(parse(MODCAT_TIMEVAL, "1.5").value.time, 1500000000LL);
    assert_int_equal(parse(MODCAT_TIMESPEC, "0.3").value.time, 300000000LL);
    assert_int_equal(parse(MODCAT_TIMESPEC, "1e-9").value.time, 1);
    assert_int_equal(parse(MODCAT_TIMESPEC, "0").value.time, 0);
    assert_int_equal(parse(MODCAT_TIMESPEC, "9223372036").value.time, 9223372036000000000LL);
}

static void refuses_times_that_never_come(void **state)
{
    (void)state;
    refused(MODCAT_TIMEVAL, "inf", "option \"opt=inf\": out of range (0 to 9223372036)");
    refused(MODCAT_TIMEVAL, "nan", "option \"opt=nan\": out of range (0 to 9223372036)");
    refused(MODCAT_TIMEVAL, "-1", "option \"opt=-1\": out of range (0 to 9223372036)");
    refused(MODCAT_TIMEVAL, "1e30", "option \"opt=1e30\": out of range (0 to 9223372036)");
    refused(MODCAT_TIMEVAL, "1e999", "option \"opt=1e999\": out of range (0 to 9223372036)");
    refused(MODCAT_TIMEVAL, "1s",
            "option \"opt=1s\": unexpected \"s\"; it needs a time in seconds, as in opt=1.5");
    refused(MODCAT_TIMEVAL, NULL, "option \"opt\" needs a value");
}

static void splits_tuples_at_the_first_colons(void **state)
{
    (void)state;
    struct parsed parsed = parse(MODCAT_INT_STRING, "3:a:b");
    assert_int_equal(parsed.value.number, 3);
    assert_string_equal(parsed.value.string, "a:b");
    parsed = parse(MODCAT_INT_INT_INT, "1:0x10:-3");
    assert_int_equal(parsed.value.number, 1);
    assert_int_equal(parsed.value.second, 16);
    assert_int_equal(parsed.value.third, -3);
    parsed = parse(MODCAT_INT_INT_DATA, "1:2:x0102");
    assert_int_equal(parsed.value.length, 2);
    assert_memory_equal(parsed.value.data, "\1\2", 2);
    free(parsed.storage);
}

static void refuses_incomplete_tuples(void **state)
{
    (void)state;
    refused(MODCAT_INT_INT, NULL, "option \"opt\" needs values");
    refused(MODCAT_INT_INT, "", "option \"opt=\" needs INT:INT");
    refused(MODCAT_INT_INT, "1", "option \"opt=1\" needs 2 values, separated by colons");
    refused(MODCAT_INT_INT_DATA, "1:2", "option \"opt=1:2\" needs 3 values, separated by colons");
    refused(MODCAT_INT_INT_INT, "1z:2:3",
            "option \"opt=1z:2:3\": unexpected \"z:2:3\" behind the 1st number");
    refused(MODCAT_INT_INT_INT, "1:2z:3",
            "option \"opt=1:2z:3\": unexpected \"z:3\" behind the 2nd number");
    refused(MODCAT_INT_INT_DATA, "1:2:x0", "invalid data \"x0\": odd number of hexadecimal digits");
}

static void shows_tuples(void **state)
{
    (void)state;
    shown(MODCAT_INT_INT, "1:2", "1:2");
    shown(MODCAT_INT_DATA, "1:x00", "1:...");
    shown(MODCAT_INT_STRING, "1:abc", "1:\"abc\"");
    shown(MODCAT_INT_INT_INT, "1:2:3", "1:2:3");
    shown(MODCAT_LINGER, "3", "{1,3}");
}

static void says_nothing_of_times_and_data(void **state)
{
    (void)state;
    char text[100];
    struct parsed parsed = parse(MODCAT_DATA, "x00");
    assert_false(values_show(MODCAT_DATA, &parsed.value, text, sizeof text));
    free(parsed.storage);
    assert_false(values_show(MODCAT_TIMEVAL, &parsed.value, text, sizeof text));
    assert_false(values_show(MODCAT_CONST, &parsed.value, text, sizeof text));
}

static void hosts_and_memberships_need_a_value(void **state)
{
    (void)state;
    refused(MODCAT_IP4_HOST, NULL, "option \"opt\" needs a value");
    refused(MODCAT_IP4_SOCKET, "", "option \"opt=\" needs a value");
    refused(MODCAT_MEMBERSHIP, "224.1.1.1",
            "option \"opt=224.1.1.1\": missing ':' between group and interface");
    refused(MODCAT_MEMBERSHIP, "[ff02::1]",
            "option \"opt=[ff02::1]\": missing ':' between group and interface");
    assert_int_equal(parse(MODCAT_MEMBERSHIP, "[ff02::1]:lo").result, 0);
}

/* Users take a size or a switch for the number that it is. */
static bool is_kind_of_int(int type)
{
    return type == MODCAT_INT_SIZE || type == MODCAT_INT_BOOL;
}

static void every_type_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int type = 0; type < MODCAT_VALUE_TYPES; type++)
        for (int other = 0; other < type && !is_kind_of_int(type); other++)
            assert_string_not_equal(values_type_name((enum modcat_value_type)type),
                                    values_type_name((enum modcat_value_type)other));
}

static void cuts_long_values_in_messages(void **state)
{
    (void)state;
    char text[2000], reason[300];
    struct modcat_value value;
    void *storage;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(
        values_parse(MODCAT_INT, NULL, "opt", text, &value, &storage, reason, sizeof reason), -1);
    assert_string_equal(strchr(reason + 8, '"'), "\" needs a number, as in opt=1");
}

static void sizes_take_units_of_1024(void **state)
{
    (void)state;
    assert_int_equal(number(MODCAT_SIZE, "64k"), 65536);
    assert_int_equal(number(MODCAT_SIZE, "2m"), 2 * 1024 * 1024);
    assert_int_equal(number(MODCAT_SIZE, "1g"), 1024 * 1024 * 1024);
    assert_int_equal(number(MODCAT_SIZE, "0x10K"), 16384);
    assert_int_equal(number(MODCAT_OFFSET, "-1M"), -1048576);
    assert_int_equal(number(MODCAT_INT_SIZE, "1G"), 1073741824);
    assert_int_equal(number(MODCAT_INT_SIZE, "-5"), -5);
    refused(MODCAT_SIZE, "k", "option \"opt=k\" needs a number, as in opt=64k");
    refused(MODCAT_SIZE, "1kB",
            "option \"opt=1kB\": unexpected \"B\"; it needs a number, as in opt=64k");
    refused(MODCAT_INT, "1k",
            "option \"opt=1k\": unexpected \"k\"; it needs a number, as in opt=1");
    refused(MODCAT_INT_SIZE, "2G", "option \"opt=2G\": out of range (-2147483648 to 2147483647)");
    refused(MODCAT_SIZE, "9999999999G",
            "option \"opt=9999999999G\": out of range (0 to "
            "9223372036854775807)");
}

static void switches_take_words(void **state)
{
    static const enum modcat_value_type types[] = {MODCAT_BOOL, MODCAT_INT_BOOL,
                                                   MODCAT_INT_OR_NONE};
    (void)state;
    for (size_t i = 0; i < MODCAT_COUNT(types); i++) {
        assert_int_equal(number(types[i], "yes"), 1);
        assert_int_equal(number(types[i], "True"), 1);
        assert_int_equal(number(types[i], "on"), 1);
        assert_int_equal(number(types[i], "no"), 0);
        assert_int_equal(number(types[i], "FALSE"), 0);
        assert_int_equal(number(types[i], "off"), 0);
        refused(types[i], "maybe",
                types[i] == MODCAT_BOOL ? "option \"opt=maybe\" needs yes or no"
                                        : "option \"opt=maybe\" needs yes, no or a number");
    }
    assert_int_equal(number(MODCAT_INT_BOOL, "7"), 7);
    refused(MODCAT_INT, "yes", "option \"opt=yes\" needs a number, as in opt=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers_as_c_writes_them),
        cmocka_unit_test(takes_a_bit_pattern_for_an_int),
        cmocka_unit_test(a_bare_number_is_one),
        cmocka_unit_test(a_bool_is_zero_or_one),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(refuses_numbers_beyond_the_type),
        cmocka_unit_test(an_empty_nullable_number_is_absent),
        cmocka_unit_test(reads_modes_in_octal_only),
        cmocka_unit_test(finds_users_and_groups),
        cmocka_unit_test(reads_texts_as_they_are),
        cmocka_unit_test(reads_times_to_the_nanosecond),
        cmocka_unit_test(refuses_times_that_never_come),
        cmocka_unit_test(splits_tuples_at_the_first_colons),
        cmocka_unit_test(refuses_incomplete_tuples),
        cmocka_unit_test(shows_tuples),
        cmocka_unit_test(says_nothing_of_times_and_data),
        cmocka_unit_test(hosts_and_memberships_need_a_value),
        cmocka_unit_test(every_type_has_a_name_of_its_own),
        cmocka_unit_test(cuts_long_values_in_messages),
        cmocka_unit_test(sizes_take_units_of_1024),
        cmocka_unit_test(switches_take_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
