/* What a session leaves in the file system, and who removes it when. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/opening/leftovers.h"
#include "core/session/session.h"
#include "tests/unit/scratch.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static const char *make(const char *name)
{
    const char *path = scratch_path("%s", name);
    scratch_write(path, "");
    return path;
}

static void removes_entries_last_first(void **state)
{
    (void)state;
    struct session session = {0};
    const char *one = make("one"), *two = make("two"), *other = make("other");
    log_set_level(MODCAT_INFO);
    leftovers_add(&session, NULL, one, "released one");
    leftovers_add(&session, NULL, two, "released two");
    leftovers_remove(&session);
    assert_false(exists(one));
    assert_false(exists(two));
    assert_true(exists(other));
    const char *logged = scratch_logged();
    const char *first = strstr(logged, " I released two \""),
               *last = strstr(logged, " I released one");
    assert_non_null(first);
    assert_non_null(last);
    assert_true(first < last);
}

static void removes_what_one_address_and_those_below_have_left(void **state)
{
    (void)state;
    struct session session = {0};
    struct address below = {0}, layer = {.lower = &below}, other = {0};
    const char *one = make("one"), *two = make("two"), *three = make("three"), *four = make("four");
    leftovers_add(&session, &below, one, NULL);
    leftovers_add(&session, &other, two, NULL);
    leftovers_add(&session, &layer, three, NULL);
    leftovers_add(&session, NULL, four, NULL);
    leftovers_remove_of(&session, &layer);
    assert_false(exists(one));
    assert_true(exists(two));
    assert_false(exists(three));
    assert_true(exists(four));
    leftovers_remove(&session);
    assert_false(exists(two));
    assert_false(exists(four));
}

static void removes_each_entry_once(void **state)
{
    (void)state;
    struct session session = {0};
    const char *path = make("entry");
    leftovers_add(&session, NULL, path, NULL);
    leftovers_remove(&session);
    make("entry");
    leftovers_remove(&session);
    assert_true(exists(path));
    assert_string_equal(scratch_logged(), "");
}

static void an_entry_that_has_gone_is_worth_a_warning(void **state)
{
    (void)state;
    struct session session = {0};
    leftovers_add(&session, NULL, scratch_path("gone"), "released");
    leftovers_remove(&session);
    const char *logged = scratch_logged();
    assert_non_null(strstr(logged, " W unlink(\""));
    assert_non_null(strstr(logged, "/gone\"): No such file or directory\n"));
}

static void a_relative_path_is_meant_from_where_it_was_said(void **state)
{
    (void)state;
    struct session session = {0};
    const char *here = scratch_folder("here"), *there = scratch_folder("there");
    const char *mine = make("here/entry"), *other = make("there/entry");
    char path[] = "entry";
    assert_int_equal(chdir(here), 0);
    leftovers_add(&session, NULL, path, NULL);
    path[0] = '?';
    assert_int_equal(chdir(there), 0);
    leftovers_remove(&session);
    assert_int_equal(chdir("/"), 0);
    assert_false(exists(mine));
    assert_true(exists(other));
}

static void a_child_removes_nothing_of_its_parent(void **state)
{
    (void)state;
    struct session session = {0};
    int status;
    const char *parents = make("parents"), *childs = make("childs");
    leftovers_add(&session, NULL, parents, NULL);
    pid_t child = fork();
    if (child == 0) {
        leftovers_add(&session, NULL, childs, NULL);
        leftovers_remove(&session);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(exists(parents));
    assert_false(exists(childs));
    leftovers_remove(&session);
    assert_false(exists(parents));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_start, scratch_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(removes_entries_last_first),
        TEST(removes_what_one_address_and_those_below_have_left),
        TEST(removes_each_entry_once),
        TEST(an_entry_that_has_gone_is_worth_a_warning),
        TEST(a_relative_path_is_meant_from_where_it_was_said),
        TEST(a_child_removes_nothing_of_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
