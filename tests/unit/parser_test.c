#define _GNU_SOURCE
#include "core/address/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct address_pair *parse(const char *text)
{
    struct address_error error;
    struct address_pair *pair = address_parse(text, NULL, &error);
    if (pair == NULL)
        fail_msg("%s", error.message);
    return pair;
}

/* Checks that the place in the argument covers just this text. */
static void check_place(const struct address *address, struct place place, const char *covered)
{
    assert_int_equal(place.length, strlen(covered));
    assert_memory_equal(address->text + place.start, covered, place.length);
}

static void check_error(const char *text, const char *message, size_t start, size_t length)
{
    struct address_error error;
    struct address_pair *pair = address_parse(text, NULL, &error);
    assert_null(pair);
    assert_string_equal(error.message, message);
    assert_int_equal(error.place.start, start);
    assert_int_equal(error.place.length, length);
}

/* `head`, then `count` times `item`; to be freed. */
static char *repeat(const char *head, const char *item, size_t count)
{
    size_t head_length = strlen(head), item_length = strlen(item);
    char *text = malloc(head_length + count * item_length + 1);
    memcpy(text, head, head_length);
    for (size_t i = 0; i < count; i++)
        memcpy(text + head_length + i * item_length, item, item_length);
    text[head_length + count * item_length] = '\0';
    return text;
}

/* Checks how the error for head, item, item, ... begins, and where it is. Frees nothing else. */
static void check_long(const char *head, const char *item, size_t count, const char *beginning,
                       size_t start)
{
    struct address_error error;
    char *text = repeat(head, item, count);
    assert_null(address_parse(text, NULL, &error));
    assert_memory_equal(error.message, beginning, strlen(beginning));
    assert_int_equal(error.place.start, start);
    assert_true(error.place.start + error.place.length <= strlen(text));
    free(text);
}

static void takes_an_address_apart(void **state)
{
    (void)state;
    struct address_pair *pair = parse("TCP:'host':80,reuseaddr,bind=[::1]:5");
    const struct address *address = pair->first;
    assert_null(pair->second);
    assert_ptr_equal(address->text, pair->text);
    check_place(address, address->place, pair->text);
    assert_string_equal(address->keyword, "TCP");
    check_place(address, address->keyword_place, "TCP");
    assert_int_equal(address->param_count, 2);
    assert_string_equal(address->params[0], "host");
    check_place(address, address->param_places[0], "'host'");
    assert_string_equal(address->params[1], "80");
    assert_int_equal(address->option_count, 2);
    assert_string_equal(address->options[0].name, "reuseaddr");
    assert_null(address->options[0].text);
    assert_int_equal(address->options[0].value_place.length, 0);
    check_place(address, address->options[0].place, "reuseaddr");
    assert_string_equal(address->options[1].name, "bind");
    assert_string_equal(address->options[1].text, "[::1]:5");
    check_place(address, address->options[1].place, "bind=[::1]:5");
    check_place(address, address->options[1].value_place, "[::1]:5");
    address_free(pair);
}

static void parses_the_empty_argument_to_an_empty_keyword(void **state)
{
    (void)state;
    struct address_pair *pair = parse("");
    assert_string_equal(pair->first->keyword, "");
    assert_int_equal(pair->first->param_count, 0);
    assert_int_equal(pair->first->option_count, 0);
    address_free(pair);
}

static void counts_an_empty_parameter(void **state)
{
    (void)state;
    struct address_pair *pair = parse("OPEN:");
    assert_int_equal(pair->first->param_count, 1);
    assert_string_equal(pair->first->params[0], "");
    address_free(pair);
}

static void unquotes_keywords(void **state)
{
    (void)state;
    static const struct {
        const char *text, *keyword;
    } table[] = {{"'OPEN':f", "OPEN"}, {"op\\en:f", "open"}, {"\"./f\"", "./f"}, {"-,cr", "-"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct address_pair *pair = parse(table[i].text);
        assert_string_equal(pair->first->keyword, table[i].keyword);
        address_free(pair);
    }
}

static void tells_an_empty_value_from_none(void **state)
{
    (void)state;
    struct address_pair *pair = parse("-,a=,b");
    assert_string_equal(pair->first->options[0].text, "");
    check_place(pair->first, pair->first->options[0].place, "a=");
    assert_null(pair->first->options[1].text);
    address_free(pair);
}

static void keeps_colons_and_equal_signs_in_option_values(void **state)
{
    (void)state;
    struct address_pair *pair = parse("-,setsockopt=1:2:x0a=b,'a,b'='c,d'");
    assert_int_equal(pair->first->option_count, 2);
    assert_string_equal(pair->first->options[0].text, "1:2:x0a=b");
    assert_string_equal(pair->first->options[1].name, "a,b");
    assert_string_equal(pair->first->options[1].text, "c,d");
    address_free(pair);
}

static void skips_empty_options(void **state)
{
    (void)state;
    struct address_pair *pair = parse("-,,cr,,,!!-,");
    assert_int_equal(pair->first->option_count, 1);
    assert_string_equal(pair->first->options[0].name, "cr");
    assert_int_equal(pair->second->option_count, 0);
    address_free(pair);
}

static void keeps_blanks(void **state)
{
    (void)state;
    struct address_pair *pair = parse("- , cr");
    assert_string_equal(pair->first->keyword, "- ");
    assert_string_equal(pair->first->options[0].name, " cr");
    address_free(pair);
}

static void takes_a_dual_address_apart(void **state)
{
    (void)state;
    struct address_pair *pair = parse("OPEN:a,b=c!!-,cr");
    check_place(pair->first, pair->first->place, "OPEN:a,b=c");
    assert_string_equal(pair->first->options[0].text, "c");
    check_place(pair->second, pair->second->place, "-,cr");
    assert_string_equal(pair->second->keyword, "-");
    check_place(pair->second, pair->second->options[0].place, "cr");
    address_free(pair);
}

static void takes_a_lone_exclamation_mark_as_it_is(void **state)
{
    (void)state;
    struct address_pair *pair = parse("OPEN:a!b!");
    assert_string_equal(pair->first->params[0], "a!b!");
    assert_null(pair->second);
    address_free(pair);
}

static void refuses_empty_halves(void **state)
{
    (void)state;
    check_error("!!x", "nothing stands before \"!!\" in address \"!!x\"", 0, 0);
    check_error("x!!", "nothing stands behind \"!!\" in address \"x!!\"", 3, 0);
    check_error("!!", "nothing stands before \"!!\" in address \"!!\"", 0, 0);
}

static void refuses_a_third_part(void **state)
{
    (void)state;
    check_error("a!!b!!c", "more than one \"!!\" in address \"a!!b!!c\"", 4, 3);
}

static void refuses_what_is_not_closed(void **state)
{
    (void)state;
    check_error("OPEN:\"a", "unexpected end of address \"OPEN:\"a\": a quote is not closed", 5, 2);
    check_error("OPEN:'a", "unexpected end of address \"OPEN:'a\": a quote is not closed", 5, 2);
    check_error("-,a='b", "unexpected end of address \"-,a='b\": a quote is not closed", 4, 2);
    check_error("-,a='b,c'd'", "unexpected end of address \"-,a='b,c'd'\": a quote is not closed",
                10, 1);
}

static void refuses_bad_escapes(void **state)
{
    (void)state;
    check_error("OPEN:a\\", "unexpected end of address \"OPEN:a\\\": nothing follows the backslash",
                6, 1);
    check_error("-!!OPEN:a\\0b", "NUL byte in address \"-!!OPEN:a\\0b\"", 9, 2);
}

static void refuses_options_without_a_name(void **state)
{
    (void)state;
    check_error("-,=x", "option name missing in address \"-,=x\"", 2, 1);
    check_error("-,''=x", "option name missing in address \"-,''=x\"", 2, 2);
    check_error("-,'',cr", "option name missing in address \"-,'',cr\"", 2, 2);
}

static void refuses_tokens_that_are_too_long(void **state)
{
    (void)state;
    check_long("", "k", ADDRESS_KEYWORD_MAX + 1, "keyword too long, in address \"kkkk", 0);
    check_long("OPEN:", "f", ADDRESS_TOKEN_MAX + 1, "address \"OPEN:ffff", 5);
    check_long("-,", "n", ADDRESS_TOKEN_MAX + 1, "option too long: \"nnnn", 2);
    check_long("-,cr,a=", "v", ADDRESS_TOKEN_MAX + 1, "option too long: \"a=vvvv", 7);
    check_long("", "k", ADDRESS_TEXT_MAX + 1, "address \"kkkk", ADDRESS_TEXT_MAX);
}

static void takes_tokens_up_to_their_limits(void **state)
{
    (void)state;
    char *text = repeat("", "k", ADDRESS_KEYWORD_MAX);
    struct address_pair *pair = parse(text);
    assert_string_equal(pair->first->keyword, text);
    address_free(pair);
    free(text);
    text = repeat("OPEN:", "f", ADDRESS_TOKEN_MAX);
    pair = parse(text);
    assert_string_equal(pair->first->params[0], text + 5);
    address_free(pair);
    free(text);
}

static void limits_the_number_of_parameters_and_options(void **state)
{
    (void)state;
    char *text = repeat("X", ":p", ADDRESS_PARAMS_MAX);
    struct address_pair *pair = parse(text);
    assert_int_equal(pair->first->param_count, ADDRESS_PARAMS_MAX);
    address_free(pair);
    free(text);
    check_error(
        "X:1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:ggg",
        "too many parameters in address \"X:1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:ggg\" (at most 15)", 32,
        3);
    text = repeat("-", ",o", ADDRESS_OPTIONS_MAX);
    pair = parse(text);
    assert_int_equal(pair->first->option_count, ADDRESS_OPTIONS_MAX);
    address_free(pair);
    free(text);
    check_long("-", ",o", ADDRESS_OPTIONS_MAX + 1, "too many options in address \"-,o,o",
               2 + 2 * ADDRESS_OPTIONS_MAX);
}

static void shortens_and_cleans_what_it_quotes(void **state)
{
    (void)state;
    check_error("0123456789012345678901234567890123456789012345678901234567890123456789!!",
                "nothing stands behind \"!!\" in address "
                "\"012345678901234567890123456789012345678901234567890123456789...\"",
                72, 0);
    /* The sixtieth and sixty-first byte are one character, which is not cut. */
    check_error("01234567890123456789012345678901234567890123456789012345678\303\266ff!!",
                "nothing stands behind \"!!\" in address "
                "\"01234567890123456789012345678901234567890123456789012345678...\"",
                65, 0);
    check_error("\303\266\t\033\177!!",
                "nothing stands behind \"!!\" in address \"\303\266??"
                "?!!\"",
                7, 0);
}

static void takes_the_longest_address_of_brackets_and_quotes(void **state)
{
    (void)state;
    static const char *const items[] = {"(", "()", "''", "\"\"", "[\"", ",", "!"};
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        struct address_error error;
        char *text = repeat("-,a=", items[i], (ADDRESS_TEXT_MAX - 4) / strlen(items[i]));
        address_free(address_parse(text, NULL, &error));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_an_address_apart),
        cmocka_unit_test(parses_the_empty_argument_to_an_empty_keyword),
        cmocka_unit_test(counts_an_empty_parameter),
        cmocka_unit_test(unquotes_keywords),
        cmocka_unit_test(tells_an_empty_value_from_none),
        cmocka_unit_test(keeps_colons_and_equal_signs_in_option_values),
        cmocka_unit_test(skips_empty_options),
        cmocka_unit_test(keeps_blanks),
        cmocka_unit_test(takes_a_dual_address_apart),
        cmocka_unit_test(takes_a_lone_exclamation_mark_as_it_is),
        cmocka_unit_test(refuses_empty_halves),
        cmocka_unit_test(refuses_a_third_part),
        cmocka_unit_test(refuses_what_is_not_closed),
        cmocka_unit_test(refuses_bad_escapes),
        cmocka_unit_test(refuses_options_without_a_name),
        cmocka_unit_test(refuses_tokens_that_are_too_long),
        cmocka_unit_test(takes_tokens_up_to_their_limits),
        cmocka_unit_test(limits_the_number_of_parameters_and_options),
        cmocka_unit_test(shortens_and_cleans_what_it_quotes),
        cmocka_unit_test(takes_the_longest_address_of_brackets_and_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
