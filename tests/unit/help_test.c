/* Help and version: the layouts that people and scripts read, out of a small registry. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/skipping.h"

#include "core/base/log.h"
#include "core/base/version.h"
#include "core/base/words.h"
#include "core/command/features.h"
#include "core/command/help.h"
#include "core/values/groups.h"
#include "core/values/values.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Doubles of the registry and of the names of phases and types. */
static const struct manifest_type types[] = {
    {.name = "TCP-LISTEN", .aliases = "TCP-L", .syntax = ":<port>", .groups = "FD,SOCKET"},
    {.name = "STDIO", .aliases = "-", .groups = "FD"},
    {.name = "A-TYPE-WITH-A-LONG-NAME", .syntax = ":<parameter>:<other>", .groups = "FD"},
};

static const struct manifest_option known_options[] = {
    {.name = "so-reuseaddr",
     .aliases = "reuseaddr",
     .groups = "SOCKET",
     .type = "INT/NULL",
     .phase = "PREBIND"},
    {.name = "cr", .groups = "APPL", .type = "CONST", .phase = "LATE"},
    {.name = "ab",
     .aliases = "abc,abcd",
     .groups = "FD,FIFO,CHR,BLK,REG,SOCKET,TERMIOS",
     .type = "CONST",
     .phase = "LATE"},
};

const struct manifest_type *registry_next_type(const struct registry *registry, size_t *cursor)
{
    (void)registry;
    return *cursor < MODCAT_COUNT(types) ? &types[(*cursor)++] : NULL;
}

const struct manifest_option *registry_next_option(const struct registry *registry, size_t *cursor)
{
    (void)registry;
    return *cursor < MODCAT_COUNT(known_options) ? &known_options[(*cursor)++] : NULL;
}

bool registry_has_driver(const struct registry *registry, const char *name)
{
    (void)registry;
    return words_list_has("posixmq", name);
}

bool registry_has_type(const struct registry *registry, const char *word)
{
    (void)registry;
    return words_list_has("STDIO,TCP-CONNECT", word);
}

bool registry_has_group(const struct registry *registry, const char *name)
{
    (void)registry;
    return words_list_has("IP4,RETRY", name);
}

bool registry_has_option(const struct registry *registry, const char *word)
{
    (void)registry;
    return words_list_has("netns", word);
}

static char *text;

static int teardown(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static const char *help(enum commandline_action action)
{
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    assert_int_equal(help_print(out, NULL, "relay", action), 0);
    fclose(out);
    return text;
}

static const char *features(const char *program)
{
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    assert_int_equal(features_print(out, NULL, program), 0);
    fclose(out);
    return text;
}

static void assert_has(const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void help_begins_with_what_and_how(void **state)
{
    (void)state;
    help(ACTION_HELP1);
    static const char begin[] = "modcat " PACKAGE_VERSION ": a relay between two addresses\n"
                                "Usage:\n"
                                "relay [options] <bi-address> <bi-address>\n"
                                "   options:\n"
                                "      -V|--version ";
    assert_memory_equal(text, begin, sizeof begin - 1);
    assert_has("\n      --statistics[=json] ");
    assert_has("\n      -hhh ");
}

static void addresses_are_sorted_and_lined_up(void **state)
{
    (void)state;
    help(ACTION_HELP1);
    assert_has("\n   single-address:\n      <address-head>[,<opts>]\n   address-head:\n"
               "      A-TYPE-WITH-A-LONG-NAME:<parameter>:<other>\tgroups=FD\n"
               "      STDIO\t\t\t\t\tgroups=FD\n"
               "      TCP-LISTEN:<port>\t\t\t\tgroups=FD,SOCKET\n");
    assert_null(strstr(text, "alias"));
    assert_null(strstr(text, "   opt:"));
}

static void level_two_has_options_by_their_shortest_name(void **state)
{
    (void)state;
    help(ACTION_HELP2);
    assert_has("\n   opts:\n      <opt>{,<opts>}:\n   opt:\n"
               "      ab\t\tgroups=FD,FIFO,CHR,BLK,REG,SOCKET,TERMIOS\tphase=LATE\t\ttype=CONST\n"
               "      cr\t\tgroups=APPL\t\tphase=LATE\t\ttype=CONST\n"
               "      reuseaddr\t\tgroups=SOCKET\t\tphase=PREBIND\t\ttype=INT/NULL\n");
    assert_null(strstr(text, "alias"));
}

static void level_three_has_all_names(void **state)
{
    (void)state;
    help(ACTION_HELP3);
    assert_has("\n   address-head:\n      -\t\t\t\t\t\tis an alias name for STDIO\n      A-TYPE");
    assert_has("      TCP-L\t\t\t\t\tis an alias name for TCP-LISTEN\n      TCP-LISTEN:<port>\t");
    assert_has("\n         <num>\tstands for FD:<num>\n         <filename>\t");
    assert_has("      abc\t\tis an alias for ab\n      abcd\t\tis an alias for ab\n");
    assert_has("      reuseaddr\t\tis an alias for so-reuseaddr\n"
               "      so-reuseaddr\tgroups=SOCKET\t\tphase=PREBIND\t\ttype=INT/NULL\n");
}

static void a_full_output_is_an_error(void **state)
{
    (void)state;
    FILE *out = fopen("/dev/full", "we");
    if (out == NULL)
        skip_because("there is no /dev/full");
    log_set_level(MODCAT_FATAL);
    int help_result = help_print(out, NULL, "relay", ACTION_HELP3);
    int features_result = features_print(out, NULL, "relay");
    log_set_level(MODCAT_WARNING);
    fclose(out);
    assert_int_equal(help_result, -1);
    assert_int_equal(features_result, -1);
}

static void features_are_what_the_registry_knows(void **state)
{
    (void)state;
    features("modcat");
    assert_has("a relay between two addresses\nmodcat version " PACKAGE_VERSION " on ");
    assert_has("\n   running on ");
    assert_has("\nfeatures:\n  #define WITH_HELP 1\n  #define WITH_STATS 1\n"
               "  #define WITH_STDIO 1\n  #undef WITH_FDNUM\n");
    assert_has("\n  #define WITH_IP4 1\n  #undef WITH_IP6\n");
    assert_has("\n  #define WITH_TCP 1\n  #undef WITH_UDP\n");
    assert_has("\n  #define WITH_POSIXMQ 1\n");
    assert_has("\n  #define WITH_NAMESPACES 1\n");
    assert_has("\n  #define WITH_RETRY 1\n  #undef WITH_DEVTESTS\n"
               "  #define WITH_MSGLEVEL 0 /*debug*/\n  #define WITH_DEFAULT_IPV 4\n");
}

static void as_socat_it_claims_that_version(void **state)
{
    (void)state;
    features("socat");
    assert_has("\nsocat version 1.8.1.1 on ");
    assert_has("(modcat " PACKAGE_VERSION ")\n");
    /* Scripts take the first digits for the version. */
    assert_int_equal(strncmp(text + strcspn(text, "0123456789"), "1.8.1.1 ", 8), 0);
    assert_string_equal(version_claimed("socat"), "1.8.1.1");
    assert_string_equal(version_claimed("socat1"), PACKAGE_VERSION);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(help_begins_with_what_and_how),
        TEST(addresses_are_sorted_and_lined_up),
        TEST(level_two_has_options_by_their_shortest_name),
        TEST(level_three_has_all_names),
        TEST(a_full_output_is_an_error),
        TEST(features_are_what_the_registry_knows),
        TEST(as_socat_it_claims_that_version),
    };
    return cmocka_run_group_tests_name("help", tests, NULL, NULL);
}
