/* The loop: tasks that give way, deadlines by a clock of the test's own, what the kernel is told.
 * Each test is a process of its own, because there is one loop in a process. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/signals.h"
#include "core/base/wait.h"
#include "core/loop/deadlines.h"
#include "core/loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <modcat/driver.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Time passes when there is nothing else to do. */
static long long now = MODCAT_SECOND;
static int turns, told;

long long __wrap_wait_now(void);
long long __wrap_wait_now(void)
{
    return now;
}

int __real_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    turns++;
    int count = __real_epoll_wait(epoll, events, most, timeout < 0 ? -1 : 0);
    if (count == 0)
        now += timeout * (MODCAT_SECOND / 1000);
    return count;
}

int __real_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    told++;
    return __real_epoll_ctl(epoll, operation, fd, event);
}

/* What a test's process does; it returns 0 when all is as it should be, or the failing line. */
typedef int part(void);

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__;                                                                       \
    } while (0)

static void run(part *work)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(signals_start(0) < 0 || loop_start() < 0 ? 255 : work());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        fail_msg("line %d (status %#x)", WEXITSTATUS(status), (unsigned)status);
}

#define LOOP_TEST(name)                                                                            \
    static int name##_part(void);                                                                  \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        run(name##_part);                                                                          \
    }                                                                                              \
    static int name##_part(void)

/* The time that the process lets pass, in milliseconds. */
static void let_pass(int milliseconds)
{
    long long until = now + milliseconds * (MODCAT_SECOND / 1000);
    while (now < until && wait_ready(NULL, 0, until) <= 0)
        continue;
}

static char notes[1000];

static void note(const char *text)
{
    strncat(notes, text, sizeof notes - strlen(notes) - 1);
}

static bool begin_only(void *subject)
{
    note(subject);
    return false;
}

static bool no_step(void *subject, struct loop_waiting *waiting)
{
    (void)subject, (void)waiting;
    return false;
}

static void end_noted(void *subject)
{
    (void)subject;
    note(".");
}

static const struct task_work simple = {begin_only, no_step, end_noted};

LOOP_TEST(tasks_run_while_the_process_waits)
{
    loop_add(&simple, "a", 1);
    loop_add(&simple, "b", 2);
    EXPECT(strcmp(notes, "") == 0 && loop_tasks() == 2);
    let_pass(1);
    EXPECT(strcmp(notes, "a.b.") == 0 && loop_tasks() == 0);
    return 0;
}

struct sleeper {
    int milliseconds;
    const char *name;
    long long woken;
};

static bool sleep_for(void *subject)
{
    struct sleeper *sleeper = subject;
    wait_ready(NULL, 0, now + sleeper->milliseconds * (MODCAT_SECOND / 1000));
    sleeper->woken = now;
    note(sleeper->name);
    return false;
}

static const struct task_work sleeping = {sleep_for, no_step, end_noted};

LOOP_TEST(deadlines_come_in_their_order)
{
    struct sleeper sleepers[] = {{30, "c", 0}, {10, "a", 0}, {20, "b", 0}, {MODCAT_SECOND, "d", 0}};
    long long start = now;
    for (size_t i = 0; i < 3; i++)
        loop_add(&sleeping, &sleepers[i], 1);
    let_pass(40);
    EXPECT(strcmp(notes, "a.b.c.") == 0);
    EXPECT(sleepers[1].woken - start == 10 * (MODCAT_SECOND / 1000));
    EXPECT(sleepers[0].woken - start == 30 * (MODCAT_SECOND / 1000));
    return 0;
}

/* A heap of many, in and out in any order. */
static void the_earliest_of_many_deadlines_is_first(void **state)
{
    static struct deadline list[500];
    struct deadlines deadlines = {0};
    (void)state;
    srand(7);
    for (size_t i = 0; i < 500; i++)
        deadlines_set(&deadlines, &list[i], rand() % 1000);
    for (size_t i = 0; i < 500; i += 3)
        deadlines_set(&deadlines, &list[i], i % 2 == 0 ? MODCAT_FOREVER : rand() % 1000);
    long long last = 0;
    size_t count = 0;
    for (struct deadline *first; (first = deadlines_first(&deadlines)) != NULL; count++) {
        assert_true(first->at >= last);
        last = first->at;
        deadlines_set(&deadlines, first, MODCAT_FOREVER);
    }
    assert_int_equal(count, 500 - 84);
    deadlines_free(&deadlines);
}

/* Echoes what comes, on a stack of its own. */
static bool echo_once(void *subject)
{
    const int *fd = subject;
    char byte;
    struct wait_entry entry = {.fd = *fd, .events = POLLIN};
    int ready = wait_ready(&entry, 1, MODCAT_FOREVER);
    note(ready == 1 && entry.ready == POLLIN && loop_has_stack() ? "+" : "-");
    if (read(*fd, &byte, 1) == 1 && write(*fd, &byte, 1) == 1)
        note("=");
    return false;
}

static const struct task_work echoing = {echo_once, no_step, end_noted};

static int make_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
}

LOOP_TEST(many_tasks_wait_at_once)
{
    static int ends[200][2];
    char byte = 'x';
    for (int i = 0; i < 200; i++) {
        EXPECT(make_pair(ends[i]) == 0);
        loop_add(&echoing, &ends[i][1], (unsigned)i);
    }
    let_pass(1);
    EXPECT(loop_tasks() == 200);
    for (int i = 199; i >= 0; i--)
        EXPECT(write(ends[i][0], &byte, 1) == 1);
    let_pass(1);
    EXPECT(loop_tasks() == 0 && strchr(notes, '-') == NULL);
    for (int i = 0; i < 200; i++)
        EXPECT(read(ends[i][0], &byte, 1) == 1);
    return 0;
}

/* Drops what comes, step by step, until it has seen three bytes. */
struct dropper {
    struct wait_entry entry;
    int steps;
    int bytes;
    bool had_stack;
};

static bool begin_dropping(void *subject)
{
    const struct dropper *dropper = subject;
    return dropper->steps == 0 && loop_has_stack();
}

static bool drop(void *subject, struct loop_waiting *waiting)
{
    struct dropper *dropper = subject;
    char byte;
    dropper->steps++;
    dropper->had_stack |= loop_has_stack();
    if (dropper->entry.ready != 0 && read(dropper->entry.fd, &byte, 1) == 1)
        dropper->bytes++;
    *waiting = (struct loop_waiting){&dropper->entry, 1, MODCAT_FOREVER};
    return dropper->bytes < 3;
}

static void end_dropping(void *subject)
{
    (void)subject;
    note(loop_has_stack() ? "stack" : "no stack");
}

static const struct task_work dropping = {begin_dropping, drop, end_dropping};

LOOP_TEST(steps_hold_no_stack_and_the_kernel_is_told_once)
{
    int ends[2];
    EXPECT(make_pair(ends) == 0);
    struct dropper dropper = {.entry = {.fd = ends[1], .events = POLLIN}};
    told = 0;
    loop_add(&dropping, &dropper, 1);
    for (int i = 0; i < 3; i++) {
        let_pass(1);
        EXPECT(loop_tasks() == 1 && dropper.bytes == i && write(ends[0], "x", 1) == 1);
    }
    let_pass(1);
    EXPECT(loop_tasks() == 0 && dropper.bytes == 3 && dropper.steps == 4 && !dropper.had_stack);
    EXPECT(strcmp(notes, "stack") == 0);
    EXPECT(told == 1);
    return 0;
}

static bool be_interrupted(void *subject)
{
    struct wait_entry entry = {.fd = *(const int *)subject, .events = POLLIN};
    note(wait_ready(&entry, 1, MODCAT_FOREVER) < 0 && errno == EINTR ? "interrupted" : "not");
    return false;
}

static const struct task_work interrupted = {be_interrupted, no_step, end_noted};

LOOP_TEST(waiting_can_be_interrupted)
{
    int ends[2];
    EXPECT(make_pair(ends) == 0);
    struct task *task = loop_add(&interrupted, &ends[0], 1);
    let_pass(1);
    loop_interrupt(task);
    let_pass(1);
    EXPECT(strcmp(notes, "interrupted.") == 0);
    return 0;
}

/* A number that was waited for means another description now. */
static bool reopen_and_wait(void *subject)
{
    int ends[2], *where = subject;
    for (int i = 0; i < 3; i++) {
        if (make_pair(ends) < 0)
            return false;
        *where = ends[0];
        struct wait_entry entry = {.fd = ends[1], .events = POLLIN};
        note(wait_ready(&entry, 1, MODCAT_FOREVER) == 1 ? "r" : "-");
        close(ends[0]);
        close(ends[1]);
    }
    return false;
}

static const struct task_work reopening = {reopen_and_wait, no_step, end_noted};

LOOP_TEST(a_closed_number_that_is_used_again_is_told_anew)
{
    int there = -1;
    loop_add(&reopening, &there, 1);
    for (int i = 0; i < 3; i++) {
        let_pass(1);
        EXPECT(write(there, "x", 1) == 1);
    }
    let_pass(1);
    EXPECT(strcmp(notes, "rrr.") == 0);
    return 0;
}

LOOP_TEST(what_nobody_waits_for_does_not_wake)
{
    int ends[2];
    EXPECT(make_pair(ends) == 0);
    loop_add(&echoing, &ends[1], 1);
    EXPECT(write(ends[0], "xyz", 3) == 3);
    let_pass(1);
    EXPECT(loop_tasks() == 0);
    turns = 0;
    let_pass(1000);
    EXPECT(turns <= 3);
    return 0;
}

LOOP_TEST(what_is_open_elsewhere_only_does_not_wake)
{
    int ends[2];
    EXPECT(make_pair(ends) == 0);
    loop_add(&echoing, &ends[1], 1);
    let_pass(1);
    int elsewhere = dup(ends[1]);
    EXPECT(write(ends[0], "xyz", 3) == 3);
    let_pass(1);
    close(ends[1]);
    turns = 0;
    let_pass(1000);
    EXPECT(turns <= 4 && elsewhere >= 0);
    return 0;
}

static bool wait_for_file(void *subject)
{
    struct wait_entry entry = {.fd = *(const int *)subject, .events = POLLIN};
    note(wait_ready(&entry, 1, MODCAT_FOREVER) == 1 && entry.ready == POLLIN ? "ready" : "not");
    return false;
}

static const struct task_work file_reading = {wait_for_file, no_step, end_noted};

LOOP_TEST(a_regular_file_is_always_ready)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    EXPECT(fd >= 0);
    loop_add(&file_reading, &fd, 1);
    let_pass(1);
    EXPECT(strcmp(notes, "ready.") == 0);
    return 0;
}

/* Who waits for errors alone wants to know that nobody is left to write to. */
static bool wait_for_errors(void *subject)
{
    struct wait_entry entry = {.fd = *(const int *)subject, .events = POLLERR};
    note(wait_ready(&entry, 1, now + MODCAT_SECOND) == 0 && entry.ready == 0 ? "none" : "some");
    return false;
}

static const struct task_work error_waiting = {wait_for_errors, no_step, end_noted};

LOOP_TEST(a_regular_file_never_has_errors)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    EXPECT(fd >= 0);
    loop_add(&error_waiting, &fd, 1);
    let_pass(2000);
    EXPECT(strcmp(notes, "none.") == 0);
    return 0;
}

LOOP_TEST(the_end_of_the_program_interrupts_all)
{
    int ends[2];
    EXPECT(make_pair(ends) == 0);
    loop_add(&interrupted, &ends[0], 1);
    loop_add(&interrupted, &ends[1], 2);
    let_pass(1);
    kill(getpid(), SIGTERM);
    EXPECT(wait_ready(NULL, 0, MODCAT_FOREVER) < 0 && errno == EINTR);
    loop_finish();
    EXPECT(loop_tasks() == 0 && strcmp(notes, "interrupted.interrupted.") == 0);
    return 0;
}

/* Two tasks that wait for the same descriptor are both told. */
LOOP_TEST(several_tasks_wait_for_one_descriptor)
{
    int ends[2];
    EXPECT(make_pair(ends) == 0);
    loop_add(&file_reading, &ends[0], 1);
    loop_add(&file_reading, &ends[0], 2);
    let_pass(1);
    EXPECT(write(ends[1], "x", 1) == 1);
    let_pass(1);
    EXPECT(strcmp(notes, "ready.ready.") == 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_run_while_the_process_waits),
        cmocka_unit_test(deadlines_come_in_their_order),
        cmocka_unit_test(the_earliest_of_many_deadlines_is_first),
        cmocka_unit_test(many_tasks_wait_at_once),
        cmocka_unit_test(steps_hold_no_stack_and_the_kernel_is_told_once),
        cmocka_unit_test(waiting_can_be_interrupted),
        cmocka_unit_test(a_closed_number_that_is_used_again_is_told_anew),
        cmocka_unit_test(what_nobody_waits_for_does_not_wake),
        cmocka_unit_test(what_is_open_elsewhere_only_does_not_wake),
        cmocka_unit_test(a_regular_file_is_always_ready),
        cmocka_unit_test(a_regular_file_never_has_errors),
        cmocka_unit_test(the_end_of_the_program_interrupts_all),
        cmocka_unit_test(several_tasks_wait_for_one_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
