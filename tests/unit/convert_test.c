/* Line ends: what becomes of each byte on the way from one address's form into the other's. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/relay/convert.h"

#include <string.h>

static void check(enum line_end from, enum line_end to, const char *input, const char *expected)
{
    unsigned char output[200];
    size_t length = strlen(input);
    assert_true(2 * length <= sizeof output);
    size_t made = convert_lines(from, to, (const unsigned char *)input, length, output);
    assert_int_equal(made, strlen(expected));
    assert_memory_equal(output, expected, made);
}

/* All that can stand in a line: a lone LF, a lone CR, CR LF and LF CR. */
#define MIXED "a\nb\rc\r\nd\n\re"

static void equal_forms_change_nothing(void **state)
{
    (void)state;
    check(LINE_END_RAW, LINE_END_RAW, MIXED, MIXED);
    check(LINE_END_CR, LINE_END_CR, MIXED, MIXED);
    check(LINE_END_CRNL, LINE_END_CRNL, MIXED, MIXED);
}

static void line_feeds_become_carriage_returns(void **state)
{
    (void)state;
    check(LINE_END_RAW, LINE_END_CR, MIXED, "a\rb\rc\r\rd\r\re");
}

static void carriage_returns_become_line_feeds(void **state)
{
    (void)state;
    check(LINE_END_CR, LINE_END_RAW, MIXED, "a\nb\nc\n\nd\n\ne");
}

static void a_carriage_return_is_put_before_each_line_feed(void **state)
{
    (void)state;
    check(LINE_END_RAW, LINE_END_CRNL, MIXED, "a\r\nb\rc\r\r\nd\r\n\re");
}

static void a_line_feed_is_put_behind_each_carriage_return(void **state)
{
    (void)state;
    check(LINE_END_CR, LINE_END_CRNL, MIXED, "a\nb\r\nc\r\n\nd\n\r\ne");
}

static void all_carriage_returns_are_dropped(void **state)
{
    (void)state;
    check(LINE_END_CRNL, LINE_END_RAW, MIXED, "a\nbc\nd\ne");
}

static void carriage_returns_are_dropped_before_line_feeds_become_some(void **state)
{
    (void)state;
    check(LINE_END_CRNL, LINE_END_CR, MIXED, "a\rbc\rd\re");
}

static void nothing_may_remain(void **state)
{
    (void)state;
    check(LINE_END_CRNL, LINE_END_RAW, "\r\r\r", "");
    check(LINE_END_RAW, LINE_END_CRNL, "", "");
}

static void each_byte_doubles_at_most(void **state)
{
    (void)state;
    check(LINE_END_RAW, LINE_END_CRNL, "\n\n\n", "\r\n\r\n\r\n");
    check(LINE_END_CR, LINE_END_CRNL, "\r\r", "\r\n\r\n");
}

static void other_bytes_pass_whatever_they_are(void **state)
{
    (void)state;
    unsigned char input[256], output[512];
    for (unsigned i = 0; i < sizeof input; i++)
        input[i] = (unsigned char)i;
    assert_int_equal(convert_lines(LINE_END_RAW, LINE_END_CR, input, sizeof input, output), 256);
    assert_int_equal(output['\n'], '\r');
    output['\n'] = '\n';
    assert_memory_equal(output, input, sizeof input);
}

static void chunks_do_not_remember_each_other(void **state)
{
    (void)state;
    check(LINE_END_RAW, LINE_END_CRNL, "a\r", "a\r");
    check(LINE_END_RAW, LINE_END_CRNL, "\nb", "\r\nb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_forms_change_nothing),
        cmocka_unit_test(line_feeds_become_carriage_returns),
        cmocka_unit_test(carriage_returns_become_line_feeds),
        cmocka_unit_test(a_carriage_return_is_put_before_each_line_feed),
        cmocka_unit_test(a_line_feed_is_put_behind_each_carriage_return),
        cmocka_unit_test(all_carriage_returns_are_dropped),
        cmocka_unit_test(carriage_returns_are_dropped_before_line_feeds_become_some),
        cmocka_unit_test(nothing_may_remain),
        cmocka_unit_test(each_byte_doubles_at_most),
        cmocka_unit_test(other_bytes_pass_whatever_they_are),
        cmocka_unit_test(chunks_do_not_remember_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
