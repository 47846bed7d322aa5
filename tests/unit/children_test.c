/* The table of children: each is found whatever stands around it, until it is removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/services/process/children.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>

#define CHILDREN 1000

/* Doubles: a child is dead when the test says so, and buried when it has been waited for. */
static pid_t pids[CHILDREN];
static bool dead[CHILDREN];
static size_t waits;

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    (void)type, (void)id, (void)options;
    waits++;
    for (size_t i = 0; i < CHILDREN; i++)
        if (dead[i]) {
            info->si_pid = pids[i];
            break;
        }
    return 0;
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    (void)options;
    waits++;
    *status = 0;
    for (size_t i = 0; i < CHILDREN; i++)
        if (pids[i] == pid && dead[i]) {
            dead[i] = false;
            return pid;
        }
    return 0;
}

/* With a `step` that is a power of two, many have the same place at first. */
static void add_all(struct children *children, pid_t step)
{
    for (size_t i = 0; i < CHILDREN; i++) {
        pids[i] = (pid_t)(i + 1) * step;
        dead[i] = false;
        children_add(children, pids[i], NULL, 0);
    }
}

/* Lets every third one end, then every second one of the rest, then all. */
static void removes_them_in_any_order(pid_t step)
{
    struct children *children = children_new();
    bool gone[CHILDREN] = {false};
    size_t left = CHILDREN;
    add_all(children, step);
    for (size_t stride = 3; stride > 0; stride--) {
        size_t ended = 0;
        for (size_t i = 0; i < CHILDREN; i += stride)
            if (!gone[i]) {
                gone[i] = dead[i] = true;
                ended++;
            }
        waits = 0;
        children_reap(children);
        assert_true(waits <= 2 * ended + 1);
        left -= ended;
        assert_int_equal(children_count(children), left);
        for (size_t i = 0; i < CHILDREN; i++)
            assert_int_equal(children_have(children, pids[i]), !gone[i]);
    }
    children_forget(children);
    assert_false(children_have(children, pids[0]));
    children_free(children);
}

static void each_child_is_found_until_it_is_removed(void **state)
{
    (void)state;
    removes_them_in_any_order(1);
}

static void children_with_the_same_place_are_told_apart(void **state)
{
    (void)state;
    removes_them_in_any_order(1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_child_is_found_until_it_is_removed),
        cmocka_unit_test(children_with_the_same_place_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
