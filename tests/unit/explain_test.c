#define _GNU_SOURCE
#include "core/address/address.h"

#include "core/base/log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What has been logged, each line with its newline. */
static char logged[2000];

void modcat_log(enum modcat_level level, const char *format, ...)
{
    (void)level;
    size_t length = strlen(logged);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(logged + length, sizeof logged - length, format, arguments);
    va_end(arguments);
    length = strlen(logged);
    snprintf(logged + length, sizeof logged - length, "\n");
}

static void check(const char *text, size_t start, size_t length, const char *expected)
{
    struct address_error error = {.place = {start, length}, .message = "message"};
    logged[0] = '\0';
    address_explain(MODCAT_ERROR, text, &error);
    assert_string_equal(logged, expected);
}

static void puts_a_caret_under_the_place(void **state)
{
    (void)state;
    check("TCP:host:80,frok", 12, 4,
          "message\n"
          "  TCP:host:80,frok\n"
          "              ^~~~\n");
    check("TCP", 0, 3, "message\n  TCP\n  ^~~\n");
    check("TCP", 1, 1, "message\n  TCP\n   ^\n");
}

static void points_at_the_end_with_a_caret_alone(void **state)
{
    (void)state;
    check("x!!", 3, 0, "message\n  x!!\n     ^\n");
    check("", 0, 0, "message\n  \n  ^\n");
}

static void keeps_a_place_beyond_the_end_within_the_text(void **state)
{
    (void)state;
    check("abc", 9, 9, "message\n  abc\n     ^\n");
    check("abc", 1, 9, "message\n  abc\n   ^~\n");
}

static void shows_other_than_printable_ascii_as_question_marks(void **state)
{
    (void)state;
    check("a\tb\303\266\033%s,c", 9, 1, "message\n  a?b???%s,c\n           ^\n");
}

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

static void shows_an_address_that_just_fits(void **state)
{
    (void)state;
    check(FIFTY TEN TEN "ab", 71, 1,
          "message\n  " FIFTY TEN TEN "ab\n"
          "                                                                         ^\n");
}

static void cuts_a_long_address_on_both_sides(void **state)
{
    (void)state;
    check(FIFTY FIFTY "wrong" FIFTY FIFTY, 100, 5,
          "message\n"
          "  ...6789" TEN TEN TEN "wrong" TEN TEN TEN "012...\n"
          "                                       ^~~~~\n");
}

static void cuts_a_long_address_at_its_end(void **state)
{
    (void)state;
    check("wrong:" FIFTY FIFTY, 0, 5,
          "message\n"
          "  wrong:" FIFTY TEN "012345...\n"
          "  ^~~~~\n");
}

static void cuts_a_long_address_at_its_start(void **state)
{
    (void)state;
    check(FIFTY FIFTY "!!", 102, 0,
          "message\n"
          "  ..." FIFTY TEN TEN "!!\n"
          "                                                                             ^\n");
}

static void cuts_a_long_place_to_what_is_shown(void **state)
{
    (void)state;
    check(FIFTY FIFTY FIFTY, 50, 100,
          "message\n"
          "  ...89" FIFTY TEN TEN "...\n"
          "                 ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_a_caret_under_the_place),
        cmocka_unit_test(points_at_the_end_with_a_caret_alone),
        cmocka_unit_test(keeps_a_place_beyond_the_end_within_the_text),
        cmocka_unit_test(shows_other_than_printable_ascii_as_question_marks),
        cmocka_unit_test(shows_an_address_that_just_fits),
        cmocka_unit_test(cuts_a_long_address_on_both_sides),
        cmocka_unit_test(cuts_a_long_address_at_its_end),
        cmocka_unit_test(cuts_a_long_address_at_its_start),
        cmocka_unit_test(cuts_a_long_place_to_what_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
