#define _GNU_SOURCE
#include "tests/system/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than processors, since each waits for its programs now and then. */
#define WORKERS_MAX 64
#define WORKERS_USUAL 8
#define WORKERS_FURTHER 1

/* Looking for leaks takes a program that the sanitizers watch longer than all it does before. What
 * leaks in one piece leaks in those that are alike: one in so many is looked at. */
#define LEAKS_LOOKED_FOR 8

/* What a worker does, which is a test without parameters to cmocka. */
static const struct work *current;

/* The first piece that nobody has taken. The workers share it. */
static atomic_size_t *next;

static void take_pieces(void **state)
{
    (void)state;
    if (current->begin != NULL)
        current->begin();
    for (size_t number; (number = atomic_fetch_add(next, 1)) < current->count;) {
        void *harness;
        setenv("LSAN_OPTIONS", number % LEAKS_LOOKED_FOR == 0 ? "" : "detect_leaks=0", 1);
        assert_int_equal(harness_begin(&harness), 0);
        current->piece(harness, number);
        assert_int_equal(harness_end(&harness), 0);
    }
}

/* After a failure, no worker takes more. What cmocka says of good tests is the parent's to say. */
static void be_worker(pid_t parent)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(take_pieces)};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || freopen("/dev/null", "w", stdout) == NULL)
        _exit(1);
    int failed = cmocka_run_group_tests_name("worker", tests, NULL, NULL);
    if (failed != 0)
        atomic_store(next, current->count);
    _exit(failed != 0);
}

static size_t lesser(size_t one, size_t other)
{
    return one < other ? one : other;
}

static size_t worker_count(const struct work *work)
{
    size_t processors = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    size_t usual = lesser(processors + WORKERS_FURTHER, WORKERS_USUAL);
    return work->workers == 0 ? usual : lesser(work->workers, WORKERS_MAX);
}

static bool ended_well(pid_t pid)
{
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status == 0;
}

void workers_run(const struct work *work)
{
    pid_t workers[WORKERS_MAX], parent = getpid();
    size_t count = worker_count(work);
    bool good = true;
    next = mmap(NULL, sizeof *next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(next, MAP_FAILED);
    atomic_init(next, 0);
    current = work;
    fflush(NULL);
    for (size_t i = 0; i < count; i++) {
        workers[i] = fork();
        if (workers[i] == 0)
            be_worker(parent);
    }
    for (size_t i = 0; i < count; i++)
        good &= workers[i] > 0 && ended_well(workers[i]);
    munmap(next, sizeof *next);
    assert_true(good);
}
