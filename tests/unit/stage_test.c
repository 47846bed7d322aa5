/* Stages of children: who may take one out of its opening, and when it is free again. */

#include "core/services/process/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void only_so_many_stages_are_given_out_and_a_freed_one_comes_again(void **state)
{
    (void)state;
    struct stages stages = {0};
    struct stage *first = stage_new(&stages, 2), *second = stage_new(&stages, 2);
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    assert_null(stage_new(&stages, 2));
    stage_free(first);
    assert_ptr_equal(stage_new(&stages, 2), first);
    stage_free(NULL);
}

static void the_oldest_that_still_opens_is_found(void **state)
{
    (void)state;
    struct stages stages = {0};
    struct stage *younger = stage_new(&stages, 4), *older = stage_new(&stages, 4);
    assert_null(stages_oldest_opening(&stages)); /* neither has a process yet */
    unsigned number = stages_enter(&stages, younger, 11, 200);
    stages_enter(&stages, older, 12, 100);
    assert_ptr_equal(stages_oldest_opening(&stages), older);
    assert_int_equal(stage_process(older), 12);
    assert_int_equal(stage_since(older), 100);
    assert_true(stage_begin_serving(older));
    assert_ptr_equal(stages_oldest_opening(&stages), younger);
    stages_leave(&stages, number);
    assert_null(stages_oldest_opening(&stages));
    stages_leave(&stages, 0);
}

static void one_that_serves_is_never_ended_and_one_that_is_ended_never_serves(void **state)
{
    (void)state;
    struct stages stages = {0};
    struct stage *serving = stage_new(&stages, 2), *ending = stage_new(&stages, 2);
    assert_true(stage_begin_serving(serving));
    assert_false(stage_end_opening(serving));
    assert_true(stage_end_opening(ending));
    assert_false(stage_begin_serving(ending));
    assert_true(stage_begin_serving(NULL));
}

/* Each tries at the same time; the child tells by its status whether it was first. */
static void parent_and_child_agree_about_who_was_first(void **state)
{
    (void)state;
    struct stages stages = {0};
    for (int round = 0; round < 200; round++) {
        struct stage *stage = stage_new(&stages, 1);
        int status;
        assert_non_null(stage);
        pid_t pid = fork();
        if (pid == 0)
            _exit(stage_begin_serving(stage) ? 1 : 0);
        unsigned number = stages_enter(&stages, stage, pid, round);
        bool ended = stage_end_opening(stage);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), ended ? 0 : 1);
        stages_leave(&stages, number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_so_many_stages_are_given_out_and_a_freed_one_comes_again),
        cmocka_unit_test(the_oldest_that_still_opens_is_found),
        cmocka_unit_test(one_that_serves_is_never_ended_and_one_that_is_ended_never_serves),
        cmocka_unit_test(parent_and_child_agree_about_who_was_first),
    };
    return cmocka_run_group_tests_name("stage", tests, NULL, NULL);
}
