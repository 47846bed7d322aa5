/* JSON strings: what becomes of each kind of byte. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/json.h"

#include <string.h>

static void check(const char *text, const char *expected)
{
    char quoted[JSON_QUOTED_MAX(100)];
    assert_ptr_equal(json_quote(quoted, sizeof quoted, text), quoted);
    assert_string_equal(quoted, expected);
}

static void plain_text_gets_quotes(void **state)
{
    (void)state;
    check("", "\"\"");
    check("plain /text/ ~", "\"plain /text/ ~\"");
}

static void quotes_backslashes_and_controls_are_escaped(void **state)
{
    (void)state;
    check("a\"b\\c", "\"a\\\"b\\\\c\"");
    check("\n\t\033\177", "\"\\u000a\\u0009\\u001b\\u007f\"");
}

static void characters_of_any_length_stay(void **state)
{
    (void)state;
    check("\u00fc \u20ac \U0001f600 \uffff \U0010ffff",
          "\"\u00fc \u20ac \U0001f600 \uffff \U0010ffff\"");
}

/* Overlong forms, surrogates, what is beyond Unicode, and what breaks off are no characters. */
static void bytes_that_are_no_text_are_replaced(void **state)
{
    (void)state;
    check("a\200b", "\"a\\ufffdb\"");
    check("\300\257", "\"\\ufffd\\ufffd\"");
    check("\355\240\200", "\"\\ufffd\\ufffd\\ufffd\"");
    check("\364\220\200\200", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    check("\342\202", "\"\\ufffd\\ufffd\"");
    check("\342\202x", "\"\\ufffd\\ufffdx\"");
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    char quoted[8];
    assert_string_equal(json_quote(quoted, sizeof quoted, "12345678"), "\"12345\"");
    assert_string_equal(json_quote(quoted, sizeof quoted, "1234\n"), "\"1234\"");
    assert_string_equal(json_quote(quoted, 3, "x"), "\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_gets_quotes),
        cmocka_unit_test(quotes_backslashes_and_controls_are_escaped),
        cmocka_unit_test(characters_of_any_length_stay),
        cmocka_unit_test(bytes_that_are_no_text_are_replaced),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
