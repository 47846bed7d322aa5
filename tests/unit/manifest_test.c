/* Manifests: what is written about a driver's tables can be read again; what is malformed is
 * refused with its line. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/registry/manifest.h"
#include "core/values/groups.h"
#include "core/values/values.h"

#include <stdio.h>
#include <string.h>

static int open_nothing(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    (void)opening, (void)endpoint;
    return -1;
}

static int wrap_nothing(struct modcat_opening *opening, struct modcat_endpoint *lower,
                        struct modcat_endpoint *endpoint)
{
    (void)opening, (void)lower, (void)endpoint;
    return -1;
}

static const struct modcat_address_type types[] = {
    {
        .name = "TOY-CONNECT",
        .aliases = "TOY,TOY-C",
        .syntax = ":<host>[:<port>]",
        .groups = "FD,TOY",
        .help = "plays with a host",
        .example = "modcat - TOY:host",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .min_params = 1,
        .max_params = 2,
        .open = open_nothing,
    },
    {.name = "TOY-SINK", .directions = MODCAT_DIR_WRITE, .open = open_nothing},
    {.name = "TOY-SOURCE",
     .directions = MODCAT_DIR_READ,
     .open = open_nothing,
     .wrap = wrap_nothing,
     .layer_min_params = 1,
     .layer_max_params = 3},
};

static const struct modcat_option options[] = {
    {"toy-size", "size,toysize", "FD", "how large", .type = MODCAT_INT_INT_DATA,
     .phase = MODCAT_PHASE_PASTSOCKET},
    {"toy-on", NULL, NULL, NULL, .type = MODCAT_CONST, .phase = MODCAT_PHASE_SPEC},
};

static const struct modcat_option_group groups[] = {
    {.name = "TOY", .help = "what toys can do", MODCAT_OPTIONS(options)},
    {.name = "SOCKET", MODCAT_OPTIONS(options)},
    {.name = "EMPTY", .help = "nothing"},
};

static const struct modcat_driver driver = {
    .size = sizeof driver,
    .abi_major = 1,
    .abi_minor = 7,
    .name = "toy",
    .version = "2.5-rc1",
    .summary = "a driver to play with",
    .needs = "tcp,udp",
    MODCAT_TYPES(types),
    MODCAT_GROUPS(groups),
};

static void parse(const char *text, struct manifest *manifest)
{
    char reason[80] = "";
    if (manifest_parse(memory_copy_text(text), manifest, reason, sizeof reason) < 0)
        fail_msg("%s in:\n%s", reason, text);
}

static void check_types(const struct manifest *manifest)
{
    assert_int_equal(manifest->type_count, 3);
    const struct manifest_type *type = manifest->types;
    assert_string_equal(type->name, "TOY-CONNECT");
    assert_string_equal(type->aliases, "TOY,TOY-C");
    assert_string_equal(type->syntax, ":<host>[:<port>]");
    assert_string_equal(type->groups, "FD,TOY");
    assert_string_equal(type->help, "plays with a host");
    assert_string_equal(type->example, "modcat - TOY:host");
    assert_int_equal(type->directions, MODCAT_DIR_READ | MODCAT_DIR_WRITE);
    assert_int_equal(type->min_params, 1);
    assert_int_equal(type->max_params, 2);
    assert_string_equal(type[1].name, "TOY-SINK");
    assert_null(type[1].aliases);
    assert_null(type[1].example);
    assert_int_equal(type[1].directions, MODCAT_DIR_WRITE);
    assert_false(type[1].is_layer);
    assert_int_equal(type[2].directions, MODCAT_DIR_READ);
    assert_true(type[2].is_layer);
    assert_int_equal(type[2].layer_min_params, 1);
    assert_int_equal(type[2].layer_max_params, 3);
}

static void check_options(const struct manifest *manifest)
{
    assert_int_equal(manifest->option_count, 4);
    const struct manifest_option *option = manifest->options;
    assert_string_equal(option->name, "toy-size");
    assert_string_equal(option->aliases, "size,toysize");
    assert_string_equal(option->groups, "TOY,FD");
    assert_string_equal(option->help, "how large");
    assert_string_equal(option->type, "INT:INT:BIN");
    assert_string_equal(option->phase, "PASTSOCKET");
    assert_string_equal(option[1].groups, "TOY");
    assert_null(option[1].help);
    assert_string_equal(option[2].groups, "SOCKET,FD");
}

static void what_is_described_can_be_parsed(void **state)
{
    (void)state;
    struct manifest manifest;
    AUTO_FREE char *text = manifest_describe(&driver);
    parse(text, &manifest);
    assert_int_equal(manifest.abi_major, 1);
    assert_int_equal(manifest.abi_minor, 7);
    assert_string_equal(manifest.name, "toy");
    assert_string_equal(manifest.version, "2.5-rc1");
    assert_string_equal(manifest.summary, "a driver to play with");
    assert_string_equal(manifest.needs, "tcp,udp");
    check_types(&manifest);
    assert_int_equal(manifest.group_count, 2);
    assert_string_equal(manifest.groups[0].name, "TOY");
    assert_string_equal(manifest.groups[0].help, "what toys can do");
    assert_string_equal(manifest.groups[1].name, "EMPTY");
    check_options(&manifest);
    manifest_free(&manifest);
}

static void every_type_and_phase_survives(void **state)
{
    (void)state;
    struct modcat_option option = {.name = "x"};
    struct modcat_option_group group = {
        .name = "X", .options = &option, .option_size = sizeof option, .option_count = 1};
    const struct modcat_driver changed = {.abi_major = 1,
                                          .name = "x",
                                          .version = "1",
                                          .groups = &group,
                                          .group_size = sizeof group,
                                          .group_count = 1};
    enum modcat_phase phase = PHASE_NONE;
    for (int i = 0; i < MODCAT_VALUE_TYPES; i++) {
        struct manifest manifest;
        option.type = (enum modcat_value_type)(i % MODCAT_VALUE_TYPES);
        if (!groups_next_phase(&phase, MODCAT_PHASE_SPEC))
            phase = MODCAT_PHASE_OFFSET;
        option.phase = phase;
        AUTO_FREE char *text = manifest_describe(&changed);
        parse(text, &manifest);
        assert_string_equal(manifest.options[0].type, values_type_name(option.type));
        assert_string_equal(manifest.options[0].phase, groups_phase_name(option.phase));
        manifest_free(&manifest);
    }
}

static void manifests_are_equal_when_they_say_the_same(void **state)
{
    (void)state;
    struct manifest one, other;
    AUTO_FREE char *text = manifest_describe(&driver);
    parse(text, &one);
    parse(text, &other);
    assert_true(manifest_equal(&one, &other));
    manifest_free(&other);
    char *version = strstr(text, "2.5-rc1");
    version[0] = '3';
    parse(text, &other);
    assert_false(manifest_equal(&one, &other));
    manifest_free(&other);
    *strrchr(strstr(text, "group\tEMPTY"), 'n') = 'N';
    version[0] = '2';
    parse(text, &other);
    assert_false(manifest_equal(&one, &other));
    manifest_free(&other);
    manifest_free(&one);
}

#define HEAD "modcat-driver\t1.0\ndriver\ttoy\t1.0\ta toy\n"
#define ADDRESS "address\tTOY\t\t\tFD\trw\t0\t1\thelp\t"
#define OPTION "option\tx\t\tTOY\tINT\tFD\thelp"

static void unknown_and_empty_lines_are_passed_over(void **state)
{
    (void)state;
    struct manifest manifest;
    parse("\n" HEAD "future\tTLS\tand\tmore\nunknown\n\n" ADDRESS "\naddresses\tX\n", &manifest);
    assert_int_equal(manifest.type_count, 1);
    assert_string_equal(manifest.types[0].name, "TOY");
    assert_null(manifest.types[0].example);
    assert_null(manifest.needs);
    manifest_free(&manifest);
}

static void the_last_line_needs_no_newline(void **state)
{
    (void)state;
    struct manifest manifest;
    parse(HEAD OPTION, &manifest);
    assert_int_equal(manifest.option_count, 1);
    assert_string_equal(manifest.options[0].help, "help");
    manifest_free(&manifest);
}

static void check_refused(const char *text, const char *expected)
{
    struct manifest manifest;
    char reason[80] = "";
    int result = manifest_parse(memory_copy_text(text), &manifest, reason, sizeof reason);
    manifest_free(&manifest);
    if (result == 0 || strcmp(reason, expected) != 0)
        fail_msg("\"%s\": %d, \"%s\" instead of \"%s\"", text, result, reason, expected);
}

static void too_few_fields_are_refused(void **state)
{
    (void)state;
    check_refused("modcat-driver\n", "line 1 is malformed");
    check_refused("driver\ttoy\t1.0\n", "line 1 is malformed");
    check_refused(HEAD "needs\n", "line 3 is malformed");
    check_refused(HEAD "address\tTOY\t\t\tFD\trw\t0\t1\thelp\n", "line 3 is malformed");
    check_refused(HEAD ADDRESS "\nlayer\tTOY\t0\n", "line 4 is malformed");
    check_refused(HEAD "group\tTOY\n", "line 3 is malformed");
    check_refused(HEAD "option\tx\t\tTOY\tINT\tFD\n", "line 3 is malformed");
}

static void fields_of_a_newer_manifest_are_passed_over(void **state)
{
    (void)state;
    struct manifest manifest;
    parse("modcat-driver\t1.7\tnew\ndriver\ttoy\t1.0\ta toy\tnew\nneeds\ttcp\tnew\n" ADDRESS
          "example\tone\ttwo\nlayer\tTOY\t0\t1\t:<x>\tFD\tnew\ngroup\tTOY\thelp\tnew\n" OPTION
          "\t7\tnew\n",
          &manifest);
    assert_string_equal(manifest.summary, "a toy");
    assert_string_equal(manifest.needs, "tcp");
    assert_string_equal(manifest.types[0].example, "example");
    assert_string_equal(manifest.types[0].layer_syntax, ":<x>");
    assert_string_equal(manifest.types[0].layer_groups, "FD");
    assert_string_equal(manifest.groups[0].help, "help");
    assert_string_equal(manifest.options[0].preset, "7");
    manifest_free(&manifest);
}

static void a_manifest_from_before_a_field_lacks_it(void **state)
{
    (void)state;
    struct manifest old, now;
    parse(HEAD ADDRESS "\nlayer\tTOY\t0\t1\n" OPTION "\n", &old);
    assert_null(old.types[0].layer_syntax);
    assert_null(old.options[0].preset);
    parse(HEAD ADDRESS "\nlayer\tTOY\t0\t1\t\t\n" OPTION "\t\n", &now);
    assert_true(manifest_equal(&old, &now));
    manifest_free(&now);
    parse(HEAD ADDRESS "\nlayer\tTOY\t0\t1\t\t\n" OPTION "\t7\n", &now);
    assert_false(manifest_equal(&old, &now));
    manifest_free(&now);
    manifest_free(&old);
}

static void senseless_fields_are_refused(void **state)
{
    (void)state;
    check_refused("modcat-driver\tone\n", "line 1 is malformed");
    check_refused("modcat-driver\t1\n", "line 1 is malformed");
    check_refused("modcat-driver\t1.0x\n", "line 1 is malformed");
    check_refused(HEAD "\naddress\tTOY\t\t\tFD\trw\tx\t1\thelp\t\n", "line 4 is malformed");
    check_refused(HEAD "address\tTOY\t\t\tFD\trw\t0\t\thelp\t\n", "line 3 is malformed");
    check_refused(HEAD "address\tTOY\t\t\tFD\trw\t0\t-1\thelp\t\n", "line 3 is malformed");
    check_refused(HEAD "address\tTOY\t\t\tFD\trw\t0\t4294967297\thelp\t\n", "line 3 is malformed");
}

static void a_layer_belongs_to_an_address_before_it(void **state)
{
    (void)state;
    check_refused(HEAD "layer\tTOY\t0\t1\n" ADDRESS "\n", "line 3 is malformed");
    check_refused(HEAD ADDRESS "\nlayer\tTOYS\t0\t1\n", "line 4 is malformed");
    check_refused(HEAD ADDRESS "\nlayer\tTOY\t0\tx\n", "line 4 is malformed");
}

static void names_are_needed(void **state)
{
    (void)state;
    check_refused("modcat-driver\t1.0\ndriver\t\t1.0\ta toy\n", "line 2 is malformed");
    check_refused(HEAD "address\t\t\t\tFD\trw\t0\t1\thelp\t\n", "line 3 is malformed");
    check_refused(HEAD "group\t\thelp\n", "line 3 is malformed");
    check_refused(HEAD "option\t\t\tTOY\tINT\tFD\thelp\n", "line 3 is malformed");
}

static void driver_and_abi_are_needed(void **state)
{
    (void)state;
    check_refused("", "it names no driver");
    check_refused("modcat-driver\t1.0\n", "it names no driver");
    check_refused("driver\ttoy\t1.0\ta toy\n", "it names no driver");
    check_refused("some text\nthat is no manifest\n", "it names no driver");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_described_can_be_parsed),
        cmocka_unit_test(every_type_and_phase_survives),
        cmocka_unit_test(manifests_are_equal_when_they_say_the_same),
        cmocka_unit_test(unknown_and_empty_lines_are_passed_over),
        cmocka_unit_test(the_last_line_needs_no_newline),
        cmocka_unit_test(too_few_fields_are_refused),
        cmocka_unit_test(fields_of_a_newer_manifest_are_passed_over),
        cmocka_unit_test(a_manifest_from_before_a_field_lacks_it),
        cmocka_unit_test(senseless_fields_are_refused),
        cmocka_unit_test(a_layer_belongs_to_an_address_before_it),
        cmocka_unit_test(names_are_needed),
        cmocka_unit_test(driver_and_abi_are_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
