/* Binding: what an address's words mean, and what is said, with the place, about those that mean
 * nothing. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/address/bind.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/registry/registry.h"
#include "tests/unit/scratch.h"

#include <stdlib.h>
#include <string.h>

#define OPEN                                                                                       \
    "static int toy_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)\n"      \
    "{ (void)opening, (void)endpoint; return -1; }\n"

/* What the shorthand forms stand for. Their drivers have the names of the real ones, so that these
 * are hidden where they are installed. */
#define SHORTHAND(name, type)                                                                      \
    OPEN "static const struct modcat_address_type types[] = {\n"                                   \
         "    {.name = \"" type "\", .syntax = \":<it>\", .groups = \"FD\", .min_params = 1,\n"    \
         "     .max_params = 1, .open = toy_open}};\n"                                             \
         "MODCAT_DRIVER(.name = \"" name "\", .version = \"1\", MODCAT_TYPES(types));\n"

static const char toy_source[] =
    OPEN "static int toy_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,\n"
         "                    struct modcat_endpoint *endpoint)\n"
         "{ (void)opening, (void)lower, (void)endpoint; return -1; }\n"
         "static const struct modcat_address_type types[] = {\n"
         "    {.name = \"TOY-CONNECT\", .aliases = \"TOY\", .syntax = \":<host>[:<port>]\",\n"
         "     .groups = \"FD,TOY\", .min_params = 1, .max_params = 2, .open = toy_open},\n"
         "    {.name = \"BARE\", .open = toy_open},\n"
         "    {.name = \"12/34\", .open = toy_open},\n"
         "    {.name = \"WRAP\", .syntax = \":<host>\", .groups = \"TOY\", .min_params = 1,\n"
         "     .max_params = 1, .open = toy_open, .wrap = toy_wrap,\n"
         "     .layer_syntax = \"[:<name>]\", .layer_groups = \"LAYER\", .layer_max_params = 1},\n"
         "    {.name = \"COAT\", .wrap = toy_wrap},\n"
         "};\n"
         "static const char *check_even(const struct modcat_value *value)\n"
         "{ return value->number % 2 == 0 ? 0 : \"it must be even\"; }\n"
         "static const struct modcat_option options[] = {\n"
         "    {.name = \"toy-size\", .aliases = \"tsz\", .type = MODCAT_INT},\n"
         "    {.name = \"toy-name\", .type = MODCAT_STRING},\n"
         "    {.name = \"toy-data\", .type = MODCAT_DATA},\n"
         "    {.name = \"toy-flag\", .type = MODCAT_CONST, .needs = \"toy-size\"},\n"
         "    {.name = \"toy-even\", .type = MODCAT_INT, .check = check_even},\n"
         "};\n"
         "static const struct modcat_option layered[] = {\n"
         "    {.name = \"layer-size\", .type = MODCAT_INT},\n"
         "};\n"
         "static const struct modcat_option_group groups[] = {\n"
         "    {.name = \"TOY\", .help = \"toys\", MODCAT_OPTIONS(options)},\n"
         "    {.name = \"LAYER\", .help = \"layers\", MODCAT_OPTIONS(layered)},\n"
         "};\n"
         "MODCAT_DRIVER(.name = \"toy\", .version = \"1\", MODCAT_TYPES(types),\n"
         "              MODCAT_GROUPS(groups));\n";

static struct registry *registry;
static struct settings settings;

static void reopen(void)
{
    const char *const paths[] = {scratch_path("drivers")};
    registry_close(registry);
    registry = registry_open(paths, 1);
    assert_non_null(registry);
}

static int start(void **state)
{
    unsetenv("MODCAT_DRIVER_PATH");
    settings = (struct settings){0};
    registry = NULL;
    if (scratch_start(state) < 0)
        return -1;
    scratch_install(scratch_folder("drivers"), "toy", toy_source);
    reopen();
    return 0;
}

static int end(void **state)
{
    registry_close(registry);
    return scratch_end(state);
}

static struct address_pair *bind_to(const char *text)
{
    struct address_pair *pair = bind_argument(registry, &settings, text);
    if (pair == NULL)
        fail_msg("%s", scratch_logged());
    return pair;
}

/* Binding fails with this message, then the address, then a caret under the first `place` in it. */
static void check_refused(const char *text, const char *place, const char *message)
{
    if (bind_argument(registry, &settings, text) != NULL)
        fail_msg("%s is accepted", text);
    const char *logged = scratch_logged();
    int column = (int)(strstr(text, place) - text), length = (int)strlen(place);
    static const char marks[] =
        "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~";
    AUTO_FREE char *first = memory_format(" E %s\n", message);
    AUTO_FREE char *second = memory_format(" E   %s\n", text);
    AUTO_FREE char *third = memory_format(" E   %*s%.*s\n", column, "", length, marks);
    if (strstr(logged, first) == NULL || strstr(logged, second) == NULL ||
        strstr(logged, third) == NULL)
        fail_msg("expected:\n%s%s%slogged:\n%s", first, second, third, logged);
}

static void finds_the_type_by_any_of_its_names(void **state)
{
    (void)state;
    static const char *const texts[] = {"TOY-CONNECT:host", "toy-connect:host", "TOY:host",
                                        "Toy:host"};
    for (size_t i = 0; i < MODCAT_COUNT(texts); i++) {
        struct address_pair *pair = bind_to(texts[i]);
        assert_string_equal(pair->first->type->type.name, "TOY-CONNECT");
        assert_string_equal(pair->first->params[0], "host");
        assert_null(pair->second);
        address_free(pair);
    }
}

static void binds_both_halves_of_a_dual_address(void **state)
{
    (void)state;
    struct address_pair *pair = bind_to("BARE!!TOY:host,tsz=7");
    assert_string_equal(pair->first->type->type.name, "BARE");
    assert_string_equal(pair->second->type->type.name, "TOY-CONNECT");
    assert_int_equal(pair->second->options[0].value.number, 7);
    address_free(pair);
    check_refused("BARE!!NO-SUCH-THING", "NO-SUCH-THING",
                  "unknown device/address \"NO-SUCH-THING\"");
    check_refused("NO-SUCH-THING!!BARE", "NO-SUCH-THING",
                  "unknown device/address \"NO-SUCH-THING\"");
}

static void digits_stand_for_a_descriptor(void **state)
{
    (void)state;
    scratch_install(scratch_path("drivers"), "fd", SHORTHAND("fd", "FD"));
    reopen();
    log_set_level(MODCAT_INFO);
    struct address_pair *pair = bind_to("12,cd=/");
    assert_string_equal(pair->first->type->type.name, "FD");
    assert_int_equal(pair->first->param_count, 1);
    assert_string_equal(pair->first->params[0], "12");
    assert_int_equal(pair->first->option_count, 1);
    scratch_expect_log(" I interpreting address \"12\" as file descriptor\n");
    address_free(pair);
    check_refused("12:13", "13", "FD: wrong number of parameters (2 instead of 1): usage: FD:<it>");
}

static void a_slash_makes_a_path(void **state)
{
    (void)state;
    scratch_install(scratch_path("drivers"), "file", SHORTHAND("file", "GOPEN"));
    reopen();
    log_set_level(MODCAT_INFO);
    struct address_pair *pair = bind_to("some/file");
    assert_string_equal(pair->first->type->type.name, "GOPEN");
    assert_string_equal(pair->first->params[0], "some/file");
    scratch_expect_log(" I interpreting address \"some/file\" as file name\n");
    address_free(pair);
    pair = bind_to("/");
    assert_string_equal(pair->first->params[0], "/");
    address_free(pair);
}

static void a_known_word_is_no_shorthand(void **state)
{
    (void)state;
    struct address_pair *pair = bind_to("12/34");
    assert_string_equal(pair->first->type->type.name, "12/34");
    assert_int_equal(pair->first->param_count, 0);
    address_free(pair);
}

static void counts_parameters(void **state)
{
    (void)state;
    address_free(bind_to("TOY:host"));
    address_free(bind_to("TOY:host:80"));
    check_refused("TOY", "TOY",
                  "TOY: wrong number of parameters (0 instead of 1 to 2): usage: "
                  "TOY:<host>[:<port>]");
    check_refused("TOY,tsz=1", "TOY",
                  "TOY: wrong number of parameters (0 instead of 1 to 2): usage: "
                  "TOY:<host>[:<port>]");
    check_refused("TOY:host:80:more:still", "more",
                  "TOY: wrong number of parameters (4 instead of 1 to 2): usage: "
                  "TOY:<host>[:<port>]");
    check_refused("BARE:x", "x", "BARE: wrong number of parameters (1 instead of 0): usage: BARE");
}

static void suggests_the_nearest_type(void **state)
{
    (void)state;
    check_refused("TOY-CONECT:host", "TOY-CONECT",
                  "unknown device/address \"TOY-CONECT\"; did you mean \"TOY-CONNECT\"?");
    check_refused("WHATEVER-THIS-IS:host", "WHATEVER-THIS-IS",
                  "unknown device/address \"WHATEVER-THIS-IS\"");
}

static void names_the_package_of_a_driver_that_is_missing(void **state)
{
    (void)state;
    check_refused("READLINE,tsz=1", "READLINE",
                  "unknown device/address \"READLINE\": it is offered by the driver \"readline\", "
                  "which is not installed; install the package modcat-driver-readline");
    check_refused("TOY:host,prompt=x", "prompt",
                  "unknown option \"prompt\": it is offered by the driver "
                  "\"readline\", which is not installed; install the package "
                  "modcat-driver-readline");
}

static void a_layer_stands_on_another_address(void **state)
{
    (void)state;
    struct address_pair *pair = bind_to("WRAP:name,layer-size=3|COAT|TOY:host:80,tsz=5");
    const struct address *wrap = pair->first, *coat = wrap->lower, *toy = coat->lower;
    assert_string_equal(wrap->type->type.name, "WRAP");
    assert_string_equal(wrap->params[0], "name");
    assert_int_equal(wrap->options[0].value.number, 3);
    assert_string_equal(coat->type->type.name, "COAT");
    assert_string_equal(toy->type->type.name, "TOY-CONNECT");
    assert_int_equal(toy->param_count, 2);
    assert_int_equal(toy->options[0].value.number, 5);
    assert_ptr_equal(toy->upper, coat);
    assert_null(toy->lower);
    address_free(pair);
    pair = bind_to("WRAP:host,tsz=3");
    assert_null(pair->first->lower);
    address_free(pair);
}

static void a_layer_has_parameters_and_options_of_its_own(void **state)
{
    (void)state;
    check_refused("WRAP:name:more|TOY:host", "more",
                  "WRAP: wrong number of parameters (2 instead of 0 to 1): usage: "
                  "WRAP[:<name>]|<address>");
    check_refused("WRAP", "WRAP",
                  "WRAP: wrong number of parameters (0 instead of 1): usage: WRAP:<host>");
    check_refused("WRAP,tsz=3|TOY:host", "tsz",
                  "option \"tsz\" not supported with this address type WRAP; TOY-CONNECT has it");
    check_refused("WRAP:host,layer-size=3", "layer-size",
                  "option \"layer-size\" not supported with this address type "
                  "WRAP");
    check_refused("WRAP|TOY:host,layer-size=3", "layer-size",
                  "option \"layer-size\" not supported with this address type "
                  "TOY-CONNECT");
}

static void only_layers_stand_on_something_and_some_must(void **state)
{
    (void)state;
    check_refused("COAT", "COAT",
                  "COAT is a layer and stands on top of an address: usage: COAT|<address>");
    check_refused("TOY|BARE", "TOY", "\"TOY\" is no layer: nothing can stand below it with \"|\"");
    check_refused("WRAP|COAT|NO-SUCH-THING", "NO-SUCH-THING",
                  "unknown device/address \"NO-SUCH-THING\"");
}

static void what_can_not_be_parsed_is_shown_too(void **state)
{
    (void)state;
    assert_null(bind_argument(registry, &settings, "TOY:\"host"));
    scratch_expect_log(" E   TOY:\"host\n");
    assert_null(bind_argument(registry, &settings, ""));
    assert_string_not_equal(scratch_logged(), "");
}

static void a_driver_that_fails_to_load_is_reported_once(void **state)
{
    (void)state;
    scratch_write(scratch_path("drivers/gone.driver"),
                  "modcat-driver\t1.0\ndriver\tgone\t1\t\naddress\tGONE\t\t\t\tr\t0\t0\t\t\n"
                  "option\tgone-now\t\tTOY\tINT\tFD\t\n");
    reopen();
    assert_null(bind_argument(registry, &settings, "GONE"));
    const char *logged = scratch_logged();
    assert_non_null(strstr(logged, "/gone.so\" cannot be loaded: No such file or directory\n"));
    assert_null(strstr(logged, "unknown"));
    assert_null(bind_argument(registry, &settings, "TOY:host,gone-now"));
    logged = scratch_logged();
    assert_non_null(strstr(logged, "/gone.so\" cannot be loaded: No such file or directory\n"));
    assert_null(strstr(logged, "unknown"));
}

static void options_get_their_values(void **state)
{
    (void)state;
    struct address_pair *pair =
        bind_to("TOY:host,tsz=0x10,toy-name=\"a,b\",toy-data=x0102,toy-flag,cd=/tmp");
    const struct address_option *options = pair->first->options;
    assert_int_equal(pair->first->option_count, 5);
    assert_string_equal(options[0].entry->option.name, "toy-size");
    assert_int_equal(options[0].value.number, 16);
    assert_string_equal(options[1].value.string, "a,b");
    assert_int_equal(options[2].value.length, 2);
    assert_memory_equal(options[2].value.data, "\1\2", 2);
    assert_string_equal(options[3].entry->option.name, "toy-flag");
    assert_string_equal(options[4].entry->option.name, "chdir");
    address_free(pair);
}

static void accepted_options_are_logged_by_their_own_names(void **state)
{
    (void)state;
    log_set_level(MODCAT_INFO);
    address_free(bind_to("TOY:host,tsz=16,toy-name=x,toy-flag,toy-data=x00"));
    const char *logged = scratch_logged();
    assert_non_null(strstr(logged, " I setting option \"toy-size\" to 16\n"));
    assert_non_null(strstr(logged, " I setting option \"toy-name\" to \"x\"\n"));
    assert_non_null(strstr(logged, " I setting option \"toy-flag\"\n"));
    assert_null(strstr(logged, "toy-data"));
}

static void unknown_options_get_the_nearest_of_those_that_fit(void **state)
{
    (void)state;
    check_refused("TOY:host,cd=/,toy-sise=3", "toy-sise",
                  "unknown option \"toy-sise\"; did you mean \"toy-size\"?");
    check_refused("TOY:host,complete-nonsense,tsz", "complete-nonsense",
                  "unknown option \"complete-nonsense\"");
    check_refused("BARE,toy-sise=3", "toy-sise", "unknown option \"toy-sise\"");
}

static void options_of_other_groups_are_refused(void **state)
{
    (void)state;
    check_refused("BARE,tsz=3", "tsz",
                  "option \"tsz\" not supported with this address type BARE; "
                  "TOY-CONNECT and WRAP have it");
    check_refused("TOY:host,TSZ=3,backlog=5", "backlog",
                  "option \"backlog\" not supported with this address type "
                  "TOY-CONNECT");
    address_free(bind_to("BARE,chdir=/,umask=077,cr"));
}

static void without_group_check_any_option_is_taken(void **state)
{
    (void)state;
    settings.no_group_check = true;
    struct address_pair *pair = bind_to("BARE,tsz=3,backlog=5");
    assert_string_equal(pair->first->options[0].entry->option.name, "toy-size");
    assert_int_equal(pair->first->options[1].value.number, 5);
    address_free(pair);
    check_refused("BARE,complete-nonsense", "complete-nonsense",
                  "unknown option \"complete-nonsense\"");
}

static void a_bad_value_is_pointed_at(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *place;
        const char *part;
    } rows[] = {
        {"TOY:host,tsz=1k,cr", "1k", "option \"tsz=1k\": "},
        {"TOY:host,cr,toy-name", "toy-name", "option \"toy-name\" needs a value"},
        {"TOY:host,tsz=,cr", "tsz=", "option \"tsz=\" needs "},
        {"TOY:host,toy-flag=9", "9", "option \"toy-flag\" takes no value"},
        {"TOY:host,toy-data=Q,cr", "Q", "invalid data \"Q\": "},
        {"BARE!!TOY:host,umask=999", "999", "option \"umask"},
    };
    static const char marks[] = "^~~~~~~~~";
    for (size_t i = 0; i < MODCAT_COUNT(rows); i++) {
        const char *text = rows[i].text;
        assert_null(bind_argument(registry, &settings, text));
        AUTO_FREE char *caret =
            memory_format(" E   %*s%.*s\n", (int)(strstr(text, rows[i].place) - text), "",
                          (int)strlen(rows[i].place), marks);
        const char *logged = scratch_logged();
        if (strstr(logged, rows[i].part) == NULL || strstr(logged, caret) == NULL)
            fail_msg("expected: %s and\n%slogged:\n%s", rows[i].part, caret, logged);
    }
}

static void quotes_do_not_move_the_place(void **state)
{
    (void)state;
    check_refused("TOY:host,no-no=", "no-no", "unknown option \"no-no\"");
    check_refused("\"TOY\":host,\"x\"\\y\\z\\z\\y=3", "\"x\"\\y\\z\\z\\y",
                  "unknown option \"xyzzy\"");
}

static void an_option_judges_its_value(void **state)
{
    (void)state;
    struct address_pair *pair = bind_argument(registry, &settings, "TOY:host,toy-even=2");
    assert_non_null(pair);
    address_free(pair);
    assert_null(bind_argument(registry, &settings, "TOY:host,toy-even=3"));
    const char *logged = scratch_logged();
    assert_non_null(strstr(logged, " E option toy-even: invalid value \"3\": it must be even\n"));
    assert_non_null(strstr(logged, " E   TOY:host,toy-even=3\n"));
    assert_non_null(strstr(logged, " E                     ^\n"));
}

static void an_option_may_need_another_one(void **state)
{
    (void)state;
    struct address_pair *pair = bind_argument(registry, &settings, "TOY:host,toy-flag,toy-size=1");
    assert_non_null(pair);
    address_free(pair);
    assert_null(bind_argument(registry, &settings, "TOY:host,toy-flag"));
    const char *logged = scratch_logged();
    assert_non_null(strstr(logged, " E option toy-flag: option toy-size must be given, too\n"));
    assert_non_null(strstr(logged, " E            ^~~~~~~~\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_the_type_by_any_of_its_names),
        TEST(binds_both_halves_of_a_dual_address),
        TEST(digits_stand_for_a_descriptor),
        TEST(a_slash_makes_a_path),
        TEST(a_known_word_is_no_shorthand),
        TEST(counts_parameters),
        TEST(suggests_the_nearest_type),
        TEST(names_the_package_of_a_driver_that_is_missing),
        TEST(a_layer_stands_on_another_address),
        TEST(a_layer_has_parameters_and_options_of_its_own),
        TEST(only_layers_stand_on_something_and_some_must),
        TEST(what_can_not_be_parsed_is_shown_too),
        TEST(a_driver_that_fails_to_load_is_reported_once),
        TEST(options_get_their_values),
        TEST(accepted_options_are_logged_by_their_own_names),
        TEST(unknown_options_get_the_nearest_of_those_that_fit),
        TEST(options_of_other_groups_are_refused),
        TEST(without_group_check_any_option_is_taken),
        TEST(a_bad_value_is_pointed_at),
        TEST(quotes_do_not_move_the_place),
        TEST(an_option_judges_its_value),
        TEST(an_option_may_need_another_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
