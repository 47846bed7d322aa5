/* The form of messages about calls that failed. */

#define _GNU_SOURCE
#include "core/base/failure.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char logged[1000];

int modcat_fail(const struct modcat_opening *opening, const char *format, ...)
{
    va_list arguments;
    (void)opening;
    va_start(arguments, format);
    vsnprintf(logged, sizeof logged, format, arguments);
    va_end(arguments);
    return -1;
}

static int fail_connect(const char *target, const char *reason)
{
    errno = ECONNREFUSED;
    return modcat_fail_call(NULL, "connect to", target, reason, "connect(%d, %s, %u)", 4,
                            "AF=2 127.0.0.1:80", 16);
}

static int reset(void **state)
{
    (void)state;
    failure_put_calls_first(false);
    return 0;
}

static void what_failed_and_why_comes_before_the_call(void **state)
{
    (void)state;
    assert_int_equal(fail_connect("localhost:http", NULL), -1);
    assert_string_equal(logged, "cannot connect to localhost:http: Connection refused "
                                "[connect(4, AF=2 127.0.0.1:80, 16)]");
    assert_int_equal(errno, ECONNREFUSED);
}

static void a_reason_may_be_more_than_the_error(void **state)
{
    (void)state;
    fail_connect("localhost:http", "Connection refused (it is night there)");
    assert_string_equal(logged, "cannot connect to localhost:http: Connection refused (it is night "
                                "there) [connect(4, AF=2 127.0.0.1:80, 16)]");
}

/* As long as the caller has given no reason of its own. */
static void some_errors_come_with_advice(void **state)
{
    (void)state;
    errno = EISDIR;
    modcat_fail_call(NULL, "open", "/tmp", NULL, "open(\"/tmp\")");
    assert_string_equal(logged, "cannot open /tmp: Is a directory (name a file in it) "
                                "[open(\"/tmp\")]");
    errno = EACCES;
    modcat_fail_call(NULL, "open", "/dev/net/tun", NULL, "open()");
    assert_string_equal(logged, "cannot open /dev/net/tun: Permission denied (needs the capability "
                                "CAP_NET_ADMIN) [open()]");
    errno = EISDIR;
    modcat_fail_call(NULL, "open", "/tmp", "no", "open()");
    assert_string_equal(logged, "cannot open /tmp: no [open()]");
}

static void an_object_is_not_needed(void **state)
{
    (void)state;
    errno = ENFILE;
    modcat_fail_call(NULL, "make a pipe", NULL, NULL, "pipe()");
    assert_string_equal(logged, "cannot make a pipe: Too many open files in system [pipe()]");
}

static void a_long_object_leaves_room_for_the_reason(void **state)
{
    char path[2000];
    (void)state;
    memset(path, 'a', sizeof path);
    path[sizeof path - 1] = '\0';
    errno = ENOENT;
    modcat_fail_call(NULL, "open", path, NULL, "open(\"%s\")", path);
    const char *reason = strstr(logged, "...: No such file or directory [open(");
    assert_non_null(reason);
    assert_true(reason - logged < 400);
}

static void scripts_of_socat_find_the_form_that_they_know(void **state)
{
    (void)state;
    failure_put_calls_first(true);
    fail_connect("localhost:http", NULL);
    assert_string_equal(logged, "connect(4, AF=2 127.0.0.1:80, 16): Connection refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_failed_and_why_comes_before_the_call, reset),
        cmocka_unit_test_setup(a_reason_may_be_more_than_the_error, reset),
        cmocka_unit_test_setup(some_errors_come_with_advice, reset),
        cmocka_unit_test_setup(an_object_is_not_needed, reset),
        cmocka_unit_test_setup(a_long_object_leaves_room_for_the_reason, reset),
        cmocka_unit_test_setup(scripts_of_socat_find_the_form_that_they_know, reset),
    };
    return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
