/* Names of the files that data is copied to: what their placeholders become. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/relay/dumpname.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* 2026-11-23 09:21:14.000278812, in UTC. */
static const struct timespec moment = {.tv_sec = 1795425674, .tv_nsec = 278812};

static void check(const char *pattern, const char *expected)
{
    char *name = dumpname_expand(pattern, &moment);
    assert_string_equal(name, expected);
    free(name);
}

static int setup(void **state)
{
    (void)state;
    log_set_program("prog");
    setenv("TZ", "UTC", 1);
    setenv("A_1", "value", 1);
    return unsetenv("NOBODY");
}

static void plain_names_stay(void **state)
{
    (void)state;
    check("", "");
    check("/tmp/a b.c", "/tmp/a b.c");
}

static void the_process_and_the_program_are_named(void **state)
{
    (void)state;
    char expected[64];
    snprintf(expected, sizeof expected, "x%dy-%d", (int)getpid(), (int)getpid());
    check("x$$y-${$}", expected);
    check("$PROGNAME.log", "prog.log");
}

static void the_time_is_local_and_its_fraction_is_not_padded(void **state)
{
    (void)state;
    check("$TIMESTAMP.$MICROS", "20261123T092114.278");
}

static void variables_of_the_environment_are_put_in(void **state)
{
    (void)state;
    check("-$A_1-", "-value-");
    check("-$NOBODY-", "--");
}

static void braces_end_a_name(void **state)
{
    (void)state;
    check("${A_1}x${PROGNAME}x", "valuexprogx");
    check("$A_1x", "");
}

static void what_is_no_name_stays(void **state)
{
    (void)state;
    check("100$", "100$");
    check("$.a", "$.a");
    check("${}", "${}");
    check("${A_1", "${A_1");
    check("${A-1}", "${A-1}");
}

static void a_backslash_keeps_a_dollar_sign_and_only_that(void **state)
{
    (void)state;
    check("\\$A_1", "$A_1");
    check("\\n\\", "\\n\\");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_names_stay),
        cmocka_unit_test(the_process_and_the_program_are_named),
        cmocka_unit_test(the_time_is_local_and_its_fraction_is_not_padded),
        cmocka_unit_test(variables_of_the_environment_are_put_in),
        cmocka_unit_test(braces_end_a_name),
        cmocka_unit_test(what_is_no_name_stays),
        cmocka_unit_test(a_backslash_keeps_a_dollar_sign_and_only_that),
    };
    return cmocka_run_group_tests_name("dumpname", tests, setup, NULL);
}
