/* The variables for child programs: collected first, set in the child only. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/opening/environment.h"

#include <errno.h>
#include <stdlib.h>

static int make(void **state)
{
    *state = environment_new();
    log_set_program("modcat");
    return 0;
}

static int drop(void **state)
{
    environment_free(*state);
    return 0;
}

static void a_variable_is_unknown_until_it_is_set(void **state)
{
    struct environment *environment = *state;
    assert_null(environment_get(environment, "PEER"));
    environment_set(environment, "PEER", "10.0.0.1");
    assert_string_equal(environment_get(environment, "PEER"), "10.0.0.1");
    assert_null(environment_get(environment, "PEE"));
    assert_null(environment_get(environment, "peer"));
}

static void a_later_value_replaces_an_earlier_one(void **state)
{
    struct environment *environment = *state;
    environment_set(environment, "PEER", "one");
    environment_set(environment, "OTHER", "kept");
    environment_set(environment, "PEER", "");
    assert_string_equal(environment_get(environment, "PEER"), "");
    assert_string_equal(environment_get(environment, "OTHER"), "kept");
}

static void texts_are_copied(void **state)
{
    struct environment *environment = *state;
    char name[] = "NAME", value[] = "value";
    environment_set(environment, name, value);
    name[0] = value[0] = '?';
    assert_string_equal(environment_get(environment, "NAME"), "value");
    assert_null(environment_get(environment, "?AME"));
}

static void a_value_can_be_replaced_by_itself(void **state)
{
    struct environment *environment = *state;
    environment_set(environment, "NAME", "value");
    environment_set(environment, "NAME", environment_get(environment, "NAME"));
    assert_string_equal(environment_get(environment, "NAME"), "value");
}

static void a_prefixed_variable_has_the_names_of_both_programs(void **state)
{
    struct environment *environment = *state;
    environment_set_prefixed(environment, "PEERPORT", "80");
    assert_string_equal(environment_get(environment, "SOCAT_PEERPORT"), "80");
    assert_string_equal(environment_get(environment, "MODCAT_PEERPORT"), "80");
    assert_null(environment_get(environment, "PEERPORT"));
}

static void the_name_that_the_program_is_called_by_is_a_prefix_too(void **state)
{
    struct environment *environment = *state;
    log_set_program("myRelay");
    environment_set_prefixed(environment, "PID", "7");
    assert_string_equal(environment_get(environment, "MYRELAY_PID"), "7");
    assert_string_equal(environment_get(environment, "SOCAT_PID"), "7");
    assert_string_equal(environment_get(environment, "MODCAT_PID"), "7");
}

static void nothing_reaches_the_process_before_it_is_applied(void **state)
{
    struct environment *environment = *state;
    unsetenv("ENVIRONMENT_TEST");
    environment_set(environment, "ENVIRONMENT_TEST", "value");
    assert_null(getenv("ENVIRONMENT_TEST"));
    assert_int_equal(environment_apply(environment), 0);
    assert_string_equal(getenv("ENVIRONMENT_TEST"), "value");
    environment_set(environment, "ENVIRONMENT_TEST", "another");
    assert_int_equal(environment_apply(environment), 0);
    assert_string_equal(getenv("ENVIRONMENT_TEST"), "another");
    unsetenv("ENVIRONMENT_TEST");
}

static void a_name_that_no_variable_can_have_is_an_error(void **state)
{
    struct environment *environment = *state;
    environment_set(environment, "A=B", "value");
    assert_int_equal(environment_apply(environment), -1);
    assert_int_equal(errno, EINVAL);
}

static void inherited_words_about_another_peer_are_removed(void **state)
{
    struct environment *environment = *state;
    setenv("SOCAT_TESTTLS_NAME", "a liar", 1);
    setenv("SOCAT_TESTTLS_ISSUER", "a liar's friend", 1);
    setenv("SOCAT_TESTOTHER_NAME", "kept", 1);
    setenv("SOCAT_TESTTLSX", "kept", 1);
    environment_set_prefixed(environment, "TESTTLS_NAME", "a friend");
    environment_set_prefixed(environment, "TESTTLS_KEY", "new");
    assert_int_equal(environment_apply(environment), 0);
    assert_string_equal(getenv("SOCAT_TESTTLS_NAME"), "a friend");
    assert_string_equal(getenv("SOCAT_TESTTLS_KEY"), "new");
    assert_null(getenv("SOCAT_TESTTLS_ISSUER"));
    assert_string_equal(getenv("SOCAT_TESTOTHER_NAME"), "kept");
    assert_string_equal(getenv("SOCAT_TESTTLSX"), "kept");
}

static void what_an_outer_session_says_of_its_peer_is_removed(void **state)
{
    static const char *const gone[] = {
        "MODCAT_PEERADDR", "SOCAT_PEERPORT",     "MODCAT_SOCKADDR",     "SOCAT_SOCKPORT",
        "SOCAT_TIMESTAMP", "MODCAT_IP_TTL",      "SOCAT_IPV6_DSTADDR",  "SOCAT_OPENSSL_X509_ISSUER",
        "RELAY_PEERADDR",  "MODCAT_IPV6_TCLASS", "MODCAT_POSIXMQ_PRIO",
    };
    static const char *const kept[] = {
        "MODCAT_DEFAULT_LISTEN_IP",
        "MODCAT_DRIVER_PATH",
        "SOCAT_FORK_WAIT",
        "MODCAT_PEERADDRESS",
        "PEERADDR",
        "OTHER_PEERADDR",
        "SOCAT_PEER",
        "MODCAT_OPENSSL",
    };
    log_set_program("relay");
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        setenv(gone[i], "another's", 1);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        setenv(kept[i], "kept", 1);
    environment_set_prefixed(*state, "PID", "7");
    assert_int_equal(environment_apply(*state), 0);
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        assert_null(getenv(gone[i]));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        assert_string_equal(getenv(kept[i]), "kept");
        unsetenv(kept[i]);
    }
}

static void no_value_takes_a_variable_away(void **state)
{
    struct environment *environment = *state;
    environment_set_prefixed(environment, "ONE", "1");
    environment_set_prefixed(environment, "TWO", "2");
    environment_set_prefixed(environment, "ONE", NULL);
    environment_set_prefixed(environment, "THREE", NULL);
    assert_null(environment_get(environment, "SOCAT_ONE"));
    assert_null(environment_get(environment, "MODCAT_ONE"));
    assert_string_equal(environment_get(environment, "SOCAT_TWO"), "2");
}

static void what_came_since_is_forgotten_on_the_way_back(void **state)
{
    struct environment *environment = *state;
    environment_set(environment, "KEPT", "first");
    struct environment *earlier = environment_copy(environment);
    environment_set(environment, "KEPT", "second");
    environment_set(environment, "PEER", "mallory");
    environment_restore(environment, earlier);
    environment_free(earlier);
    assert_string_equal(environment_get(environment, "KEPT"), "first");
    assert_null(environment_get(environment, "PEER"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_value_takes_a_variable_away),
        TEST(what_came_since_is_forgotten_on_the_way_back),
        TEST(a_variable_is_unknown_until_it_is_set),
        TEST(a_later_value_replaces_an_earlier_one),
        TEST(texts_are_copied),
        TEST(a_value_can_be_replaced_by_itself),
        TEST(a_prefixed_variable_has_the_names_of_both_programs),
        TEST(the_name_that_the_program_is_called_by_is_a_prefix_too),
        TEST(nothing_reaches_the_process_before_it_is_applied),
        TEST(a_name_that_no_variable_can_have_is_an_error),
        TEST(inherited_words_about_another_peer_are_removed),
        TEST(what_an_outer_session_says_of_its_peer_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
