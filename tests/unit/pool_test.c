/* Threads for what blocks: results, many at once, jobs that are given up, processes that fork. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/loop/pool.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing should take so long. */
#define PATIENCE 20000

#define MANY 40

static void wait_for(const struct pool_job *job)
{
    struct pollfd entry = {.fd = pool_job_fd(job), .events = POLLIN};
    assert_int_equal(poll(&entry, 1, PATIENCE), 1);
}

static void add_one(void *argument)
{
    ++*(int *)argument;
}

static void what_is_done_can_be_seen(void **state)
{
    int number = 1;
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct pool_job *job = pool_start(add_one, &number);
        assert_non_null(job);
        wait_for(job);
        pool_finish(job);
    }
    assert_int_equal(number, 101);
}

/* A call that ends when the other end of a pipe says so. */
struct blocked {
    int ends[2];
    char byte;
};

static void read_byte(void *argument)
{
    struct blocked *blocked = argument;
    if (read(blocked->ends[0], &blocked->byte, 1) != 1)
        blocked->byte = '?';
}

static void jobs_that_block_do_not_hold_up_others(void **state)
{
    struct blocked blocked[MANY];
    struct pool_job *jobs[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(pipe(blocked[i].ends), 0);
        jobs[i] = pool_start(read_byte, &blocked[i]);
        assert_non_null(jobs[i]);
    }
    what_is_done_can_be_seen(NULL);
    for (int i = MANY - 1; i >= 0; i--) {
        char byte = (char)('a' + i % 26);
        assert_int_equal(write(blocked[i].ends[1], &byte, 1), 1);
        wait_for(jobs[i]);
        pool_finish(jobs[i]);
        assert_int_equal(blocked[i].byte, byte);
        close(blocked[i].ends[0]);
        close(blocked[i].ends[1]);
    }
}

static void close_ends(void *argument)
{
    struct blocked *blocked = argument;
    close(blocked->ends[0]);
    close(blocked->ends[1]);
    free(blocked);
}

/* Reads the end of a pipe, which comes when the last one that writes to it is closed. */
static void is_given_back(int other)
{
    struct pollfd entry = {.fd = other, .events = POLLIN};
    char byte;
    assert_int_equal(poll(&entry, 1, PATIENCE), 1);
    assert_int_equal(read(other, &byte, 1), 0);
}

/* A job that ends with a byte from `go`, and has the end of `answer` that is written to. */
static struct pool_job *start_blocked(int answer[2], int go[2])
{
    assert_int_equal(pipe(answer), 0);
    assert_int_equal(pipe(go), 0);
    struct blocked *blocked = malloc(sizeof *blocked);
    assert_non_null(blocked);
    *blocked = (struct blocked){.ends = {go[0], answer[1]}};
    struct pool_job *job = pool_start(read_byte, blocked);
    assert_non_null(job);
    return job;
}

/* What the work has left is given back once: by the thread, or at once when the work is done. */
static void what_a_given_up_job_has_left_is_given_back(void **state)
{
    (void)state;
    for (int done_before = 0; done_before < 2; done_before++) {
        int answer[2], go[2];
        struct pool_job *job = start_blocked(answer, go);
        if (done_before) {
            assert_int_equal(write(go[1], "x", 1), 1);
            wait_for(job);
        }
        pool_abandon(job, close_ends);
        if (!done_before)
            assert_int_equal(write(go[1], "x", 1), 1);
        is_given_back(answer[0]);
        close(answer[0]);
        close(go[1]);
    }
}

/* It is freed by its thread; the address sanitizer would see it if it were not, or used again. */
static void a_job_that_is_given_up_is_left_to_its_thread(void **state)
{
    int answer[2], go[2];
    char byte;
    (void)state;
    struct pool_job *job = start_blocked(answer, go);
    pool_abandon(job, NULL);
    assert_int_equal(write(go[1], "x", 1), 1);
    close(go[1]);
    /* Whatever comes next in the same thread comes after it. */
    for (int i = 0; i < 10; i++)
        what_is_done_can_be_seen(NULL);
    close(answer[1]);
    assert_int_equal(read(answer[0], &byte, 1), 0);
    close(answer[0]);
    close(go[0]);
}

static void a_forked_process_has_threads_of_its_own(void **state)
{
    int status;
    what_is_done_can_be_seen(state);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        what_is_done_can_be_seen(NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_done_can_be_seen),
        cmocka_unit_test(jobs_that_block_do_not_hold_up_others),
        cmocka_unit_test(what_a_given_up_job_has_left_is_given_back),
        cmocka_unit_test(a_job_that_is_given_up_is_left_to_its_thread),
        cmocka_unit_test(a_forked_process_has_threads_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
