/* The grammar of `|`: only what is a layer ends there. */

#define _GNU_SOURCE
#include "core/address/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_layer(const void *context, const char *keyword)
{
    (void)context;
    return strcmp(keyword, "L") == 0 || strcmp(keyword, "M") == 0;
}

static const struct address_layers layers = {.is_layer = is_layer};

static struct address_pair *parse(const char *text)
{
    struct address_error error;
    struct address_pair *pair = address_parse(text, &layers, &error);
    if (pair == NULL)
        fail_msg("%s", error.message);
    return pair;
}

static void check_error(const char *text, const char *message, size_t start, size_t length)
{
    struct address_error error;
    assert_null(address_parse(text, &layers, &error));
    assert_string_equal(error.message, message);
    assert_int_equal(error.place.start, start);
    assert_int_equal(error.place.length, length);
}

static void takes_a_stack_apart(void **state)
{
    (void)state;
    struct address_pair *pair = parse("L:a,x=1|M,y|T:b:c,z=2");
    const struct address *top = pair->first, *middle = top->lower, *lowest = middle->lower;
    assert_string_equal(top->keyword, "L");
    assert_int_equal(top->param_count, 1);
    assert_string_equal(top->params[0], "a");
    assert_string_equal(top->options[0].text, "1");
    assert_string_equal(middle->keyword, "M");
    assert_string_equal(middle->options[0].name, "y");
    assert_string_equal(lowest->keyword, "T");
    assert_string_equal(lowest->params[1], "c");
    assert_string_equal(lowest->options[0].text, "2");
    assert_null(lowest->lower);
    assert_null(top->upper);
    assert_ptr_equal(middle->upper, top);
    assert_ptr_equal(lowest->upper, middle);
    assert_ptr_equal(address_lowest(top), lowest);
    assert_int_equal(lowest->keyword_place.start, strlen("L:a,x=1|M,y|"));
    address_free(pair);
}

static void takes_the_bar_as_it_is_in_other_addresses(void **state)
{
    (void)state;
    struct address_pair *pair = parse("S:ls|wc,a|b=c|d|L");
    assert_null(pair->first->lower);
    assert_string_equal(pair->first->params[0], "ls|wc");
    assert_string_equal(pair->first->options[0].name, "a|b");
    assert_string_equal(pair->first->options[0].text, "c|d|L");
    address_free(pair);
    pair = parse("/tmp/a|b");
    assert_string_equal(pair->first->keyword, "/tmp/a|b");
    address_free(pair);
    pair = parse("L|S:ls|wc");
    assert_string_equal(pair->first->lower->params[0], "ls|wc");
    address_free(pair);
}

static void takes_the_bar_as_it_is_without_layers(void **state)
{
    (void)state;
    struct address_error error;
    struct address_pair *pair = address_parse("L|T", NULL, &error);
    assert_string_equal(pair->first->keyword, "L|T");
    assert_null(pair->first->lower);
    address_free(pair);
}

static void quotes_escapes_and_brackets_protect_a_bar(void **state)
{
    (void)state;
    struct address_pair *pair = parse("L:'a|b':c\\|d:[e|f],x='g|h'|T");
    assert_int_equal(pair->first->param_count, 3);
    assert_string_equal(pair->first->params[0], "a|b");
    assert_string_equal(pair->first->params[1], "c|d");
    assert_string_equal(pair->first->params[2], "[e|f]");
    assert_string_equal(pair->first->options[0].text, "g|h");
    assert_string_equal(pair->first->lower->keyword, "T");
    address_free(pair);
}

static void a_dual_address_may_have_layers_on_each_half(void **state)
{
    (void)state;
    struct address_pair *pair = parse("L|A!!M|B:x");
    assert_string_equal(pair->first->lower->keyword, "A");
    assert_string_equal(pair->second->keyword, "M");
    assert_string_equal(pair->second->lower->params[0], "x");
    address_free(pair);
}

static void refuses_a_layer_on_nothing(void **state)
{
    (void)state;
    check_error("L:a|", "nothing stands below the layer L in address \"L:a|\"", 3, 1);
    check_error("L|M|", "nothing stands below the layer M in address \"L|M|\"", 3, 1);
    check_error("L|!!T", "nothing stands below the layer L in address \"L|!!T\"", 1, 1);
}

static void limits_the_number_of_layers(void **state)
{
    (void)state;
    char text[2 * ADDRESS_LAYERS_MAX + 4] = "";
    for (int i = 0; i < ADDRESS_LAYERS_MAX; i++)
        memcpy(text + 2 * i, "L|", 2);
    memcpy(text + 2 * ADDRESS_LAYERS_MAX, "T", 2);
    address_free(parse(text));
    memcpy(text + 2 * ADDRESS_LAYERS_MAX, "L|T", 4);
    check_error(text,
                "too many layers in address \"L|L|L|L|L|L|L|L|L|L|L|L|L|L|L|L|L|T\" (at most 16)",
                2 * ADDRESS_LAYERS_MAX + 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_stack_apart),
        cmocka_unit_test(takes_the_bar_as_it_is_in_other_addresses),
        cmocka_unit_test(takes_the_bar_as_it_is_without_layers),
        cmocka_unit_test(quotes_escapes_and_brackets_protect_a_bar),
        cmocka_unit_test(a_dual_address_may_have_layers_on_each_half),
        cmocka_unit_test(refuses_a_layer_on_nothing),
        cmocka_unit_test(limits_the_number_of_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
