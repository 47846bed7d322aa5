#define _GNU_SOURCE
#include "core/address/lexer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT 100

/* A text, what its first token unquotes to, and what is left behind it. */
struct vector {
    const char *text;
    const char *token;
    const char *rest;
};

static void check_vectors(const struct lexer_rules *rules, const struct vector *vectors,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t position = 0;
        char *token = NULL;
        assert_int_equal(lexer_token(rules, vectors[i].text, &position, LIMIT, &token), LEXER_OK);
        assert_string_equal(token, vectors[i].token);
        assert_string_equal(vectors[i].text + position, vectors[i].rest);
        free(token);
    }
}

#define CHECK(rules, vectors) check_vectors(rules, vectors, sizeof vectors / sizeof vectors[0])

static void check_fault(const char *text, enum lexer_result fault, size_t place)
{
    size_t position = 0;
    char *token = NULL;
    assert_int_equal(lexer_token(&lexer_parameter, text, &position, LIMIT, &token), fault);
    assert_int_equal(position, place);
    assert_null(token);
}

static void ends_a_parameter_at_its_terminators(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"", "", ""},         {"a:b", "a", ":b"},     {"a,b", "a", ",b"}, {"a!!b", "a", "!!b"},
        {"a!b!", "a!b!", ""}, {"a=b c", "a=b c", ""}, {":a", "", ":a"},   {"a!!!b", "a", "!!!b"},
    };
    CHECK(&lexer_parameter, vectors);
}

static void ends_option_parts_at_their_terminators(void **state)
{
    (void)state;
    static const struct vector names[] = {{"a:b=c", "a:b", "=c"}, {"a,b", "a", ",b"}};
    static const struct vector values[] = {{"a:b=c,d", "a:b=c", ",d"}, {"a!!b", "a", "!!b"}};
    CHECK(&lexer_option_name, names);
    CHECK(&lexer_option_value, values);
}

static void undoes_quotes(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"'a:b':c", "a:b", ":c"}, {"\"a:b\":c", "a:b", ":c"}, {"a\"b\"c", "abc", ""},
        {"x'a:b'y", "xa:by", ""}, {"\"\"", "", ""},           {"''", "", ""},
        {"x'(:'y", "x(:y", ""},   {"'a\"b'", "a\"b", ""},
    };
    CHECK(&lexer_parameter, vectors);
}

static void keeps_quotes_and_brackets_within_soft_quotes(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"\"a'b:c'd\"", "a'b:c'd", ""},   {"\"a'('b\"", "a'('b", ""},
        {"\"a'b\"c'd\"", "a'b\"c'd", ""}, {"\"[']:']x\":y", "[']:']x", ":y"},
        {"\"a)b\"", "a)b", ""},
    };
    CHECK(&lexer_parameter, vectors);
}

static void protects_and_keeps_what_is_in_brackets(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"[a:b]:c", "[a:b]", ":c"},
        {"{a,b!!c}", "{a,b!!c}", ""},
        {"(a[b)c]:d):e", "(a[b)c]:d)", ":e"},
        {"[a\"b:c\"d]", "[a\"b:c\"d]", ""},
        {"('a)b'):c", "('a)b')", ":c"},
        {"(\"a(b)\")x:c", "(\"a(b)\")x", ":c"},
        {"a]:b", "a]", ":b"},
    };
    CHECK(&lexer_parameter, vectors);
}

static void lets_an_unmatched_bracket_protect_all_that_follows(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"(a:b,c!!d", "(a:b,c!!d", ""},
        {"((a):b", "((a):b", ""},
        {"[a\"b]:c", "[a\"b]:c", ""},
        {"[a'b]:c", "[a'b]:c", ""},
    };
    CHECK(&lexer_parameter, vectors);
}

static void undoes_escapes_everywhere(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"a\\:b", "a:b", ""},
        {"a\\!!b", "a!!b", ""},
        {"\\a\\b\\f\\n\\r\\t\\v", "\a\b\f\n\r\t\v", ""},
        {"\\\\\\\"\\'\\q", "\\\"'q", ""},
        {"a\\x41", "ax41", ""},
        {"'a\\tb\\'c'", "a\tb'c", ""},
        {"\"a\\\"b\"", "a\"b", ""},
        {"(a\\)b:c)", "(a)b:c)", ""},
        {"('a\\tb')", "('a\tb')", ""},
        {"(\\\"a):b", "(\"a)", ":b"},
    };
    CHECK(&lexer_parameter, vectors);
}

static void splits_command_words_at_blanks(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"a b", "a", " b"},
        {"\"a b\" c", "a b", " c"},
        {"(a b) [c d]", "(a b)", " [c d]"},
        {"a\\ b", "a b", ""},
        {"a\tb:c,d!!e", "a\tb:c,d!!e", ""},
        {" a", "", " a"},
    };
    CHECK(&lexer_command_word, vectors);
}

static void leaves_quotes_in_host_parts_alone(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"[::1]:80", "[::1]", ":80"},
        {"'a:b'", "'a", ":b'"},
        {"a\\:b", "a\\", ":b"},
        {"(a:b)", "(a", ":b)"},
    };
    CHECK(&lexer_host_part, vectors);
}

static void shows_where_an_unterminated_quote_opens(void **state)
{
    (void)state;
    check_fault("\"a", LEXER_UNTERMINATED, 0);
    check_fault("ab'c", LEXER_UNTERMINATED, 2);
    check_fault("\"a(b\"", LEXER_UNTERMINATED, 0);
    check_fault("x\"a'b\"y", LEXER_UNTERMINATED, 1);
    check_fault("'a''b", LEXER_UNTERMINATED, 3);
    check_fault("\"a(b\"c)d\"e\"", LEXER_UNTERMINATED, 0);
}

static void shows_where_a_bad_escape_stands(void **state)
{
    (void)state;
    check_fault("ab\\", LEXER_TRAILING_ESCAPE, 2);
    check_fault("'ab\\", LEXER_TRAILING_ESCAPE, 3);
    check_fault("(a\\", LEXER_TRAILING_ESCAPE, 2);
    check_fault("a\\0b", LEXER_NUL_BYTE, 1);
}

static void limits_the_unquoted_text(void **state)
{
    (void)state;
    size_t position = 1;
    char *token = NULL;
    assert_int_equal(lexer_token(&lexer_parameter, ":'abc'", &position, 3, &token), LEXER_OK);
    assert_string_equal(token, "abc");
    free(token);
    position = 1;
    assert_int_equal(lexer_token(&lexer_parameter, ":'abcd'", &position, 3, &token),
                     LEXER_TOO_LONG);
    assert_int_equal(position, 1);
    assert_int_equal(lexer_token(&lexer_parameter, ":abc\\n", &position, 3, &token),
                     LEXER_TOO_LONG);
}

static void takes_deep_nesting_in_its_stride(void **state)
{
    (void)state;
    enum { DEPTH = 100000 };
    char *text = malloc(2 * DEPTH + 1);
    memset(text, '(', DEPTH);
    memset(text + DEPTH, ')', DEPTH);
    text[2 * DEPTH] = '\0';
    size_t position = 0;
    char *token = NULL;
    assert_int_equal(lexer_token(&lexer_parameter, text, &position, 2 * DEPTH, &token), LEXER_OK);
    assert_string_equal(token, text);
    free(token);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_a_parameter_at_its_terminators),
        cmocka_unit_test(ends_option_parts_at_their_terminators),
        cmocka_unit_test(undoes_quotes),
        cmocka_unit_test(keeps_quotes_and_brackets_within_soft_quotes),
        cmocka_unit_test(protects_and_keeps_what_is_in_brackets),
        cmocka_unit_test(lets_an_unmatched_bracket_protect_all_that_follows),
        cmocka_unit_test(undoes_escapes_everywhere),
        cmocka_unit_test(splits_command_words_at_blanks),
        cmocka_unit_test(leaves_quotes_in_host_parts_alone),
        cmocka_unit_test(shows_where_an_unterminated_quote_opens),
        cmocka_unit_test(shows_where_a_bad_escape_stands),
        cmocka_unit_test(limits_the_unquoted_text),
        cmocka_unit_test(takes_deep_nesting_in_its_stride),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
