/* Signals: flags that are raised, and what children get back. Each test is a process of its own,
 * because a signal that asks the program to end is never forgotten. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/base/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a test's process does; it returns 0 when all is as it should be, or the failing line. */
typedef int part(void);

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__;                                                                       \
    } while (0)

/* Runs it with the log going to a pipe. Returns what it logged. */
static const char *run(part *work)
{
    static char logged[2000];
    int ends[2], line = 0, status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        line = work();
        dprintf(STDERR_FILENO, "\nline %d\n", line);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t count = 1; count > 0; length += (size_t)count)
        if ((count = read(ends[0], logged + length, sizeof logged - 1 - length)) <= 0)
            break;
    close(ends[0]);
    logged[length] = '\0';
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    const char *last = strstr(logged, "\nline ");
    assert_non_null(last);
    assert_int_equal(sscanf(last, "\nline %d", &line), 1);
    if (line != 0)
        fail_msg("failed in line %d; logged: %s", line, logged);
    return logged;
}

static bool is_blocked(int number)
{
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, number) == 1;
}

static bool has_default_action(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

static int nothing_changed(void)
{
    EXPECT(signals_fd() == -1);
    EXPECT(signals_ending() == 0);
    signals_restore();
    EXPECT(!is_blocked(SIGTERM));
    EXPECT(has_default_action(SIGTERM));
    return 0;
}

static void nothing_is_changed_before_the_start(void **state)
{
    (void)state;
    run(nothing_changed);
}

static int ends_late(void)
{
    log_set_level(MODCAT_NOTICE);
    EXPECT(signals_start(SIGNALS_DEFAULT_MASK) == 0);
    EXPECT(raise(SIGTERM) == 0);
    EXPECT(signals_ending() == 0);
    signals_collect();
    EXPECT(signals_ending() == SIGTERM);
    EXPECT(signals_ending() == SIGTERM);
    return 0;
}

static void a_signal_acts_only_when_it_is_collected(void **state)
{
    (void)state;
    const char *logged = run(ends_late);
    const char *message = strstr(logged, " W exiting on signal 15\n");
    assert_non_null(strstr(logged, " N socat_signal(): handling signal 15\n"));
    assert_non_null(message);
    assert_non_null(strstr(logged, " N socat_signal(): finishing signal 15\n"));
    assert_null(strstr(message + strlen(" W exiting"), "exiting on signal"));
}

static int ends_by(int number)
{
    log_set_level(MODCAT_NOTICE);
    EXPECT(signals_start(SIGNALS_DEFAULT_MASK) == 0);
    EXPECT(raise(number) == 0);
    signals_collect();
    EXPECT(signals_ending() == number);
    return 0;
}

static int ends_by_int(void)
{
    return ends_by(SIGINT);
}

static int ends_by_quit(void)
{
    return ends_by(SIGQUIT);
}

static void the_severity_goes_by_the_signal(void **state)
{
    (void)state;
    assert_non_null(strstr(run(ends_by_int), " N exiting on signal 2\n"));
    assert_non_null(strstr(run(ends_by_quit), " E exiting on signal 3\n"));
}

static int first_counts(void)
{
    EXPECT(signals_start(SIGNALS_DEFAULT_MASK) == 0);
    EXPECT(raise(SIGINT) == 0);
    signals_collect();
    EXPECT(raise(SIGTERM) == 0);
    signals_collect();
    EXPECT(signals_ending() == SIGINT);
    return 0;
}

static void the_first_of_several_signals_counts(void **state)
{
    (void)state;
    run(first_counts);
}

static int flags_once(void)
{
    EXPECT(signals_start(SIGNALS_DEFAULT_MASK) == 0);
    EXPECT(!signals_take_child() && !signals_take_statistics());
    EXPECT(raise(SIGCHLD) == 0 && raise(SIGUSR1) == 0);
    signals_collect();
    EXPECT(signals_take_child() && signals_take_statistics());
    EXPECT(!signals_take_child() && !signals_take_statistics());
    EXPECT(signals_ending() == 0);
    return 0;
}

static void each_delivery_is_told_once(void **state)
{
    (void)state;
    run(flags_once);
}

static int only_masked(void)
{
    EXPECT(signals_start(1UL << SIGTERM) == 0);
    EXPECT(is_blocked(SIGTERM) && is_blocked(SIGINT));
    EXPECT(!is_blocked(SIGTSTP) && has_default_action(SIGTSTP));
    return 0;
}

static void only_signals_that_end_the_program_are_taken(void **state)
{
    (void)state;
    run(only_masked);
}

static int keeps_own(void)
{
    EXPECT(signals_start(~0UL) == 0);
    EXPECT(raise(SIGUSR1) == 0 && raise(SIGCHLD) == 0);
    signals_collect();
    EXPECT(signals_ending() == 0);
    EXPECT(!is_blocked(SIGPIPE) && !is_blocked(SIGXFSZ) && !is_blocked(SIGKILL));
    return 0;
}

static void the_mask_does_not_touch_what_the_program_needs(void **state)
{
    (void)state;
    run(keeps_own);
}

static int write_to_nobody(void)
{
    int ends[2];
    EXPECT(pipe(ends) == 0);
    close(ends[0]);
    EXPECT(write(ends[1], "x", 1) == -1);
    close(ends[1]);
    return 0;
}

static int restores(void)
{
    EXPECT(signals_start(SIGNALS_DEFAULT_MASK) == 0);
    EXPECT(is_blocked(SIGTERM) && is_blocked(SIGCHLD));
    EXPECT(write_to_nobody() == 0);
    signals_restore();
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        EXPECT(!is_blocked(numbers[i]) && has_default_action(numbers[i]));
    return 0;
}

static void restores_actions_and_mask_and_survives_it(void **state)
{
    (void)state;
    run(restores);
}

static int restores_ignored(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigset_t usr2;
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    sigprocmask(SIG_BLOCK, &usr2, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGPROF, &action, NULL);
    EXPECT(signals_start(SIGNALS_DEFAULT_MASK) == 0);
    EXPECT(!is_blocked(SIGPROF) && raise(SIGPROF) == 0);
    signals_restore();
    EXPECT(sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
    EXPECT(sigaction(SIGPROF, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
    EXPECT(is_blocked(SIGUSR2));
    return 0;
}

static void what_the_parent_ignored_or_blocked_stays_so_in_a_child(void **state)
{
    (void)state;
    run(restores_ignored);
}

static int tells_by_descriptor(void)
{
    EXPECT(signals_start(SIGNALS_DEFAULT_MASK) == 0);
    struct pollfd entry = {.fd = signals_fd(), .events = POLLIN};
    EXPECT((fcntl(signals_fd(), F_GETFD) & FD_CLOEXEC) != 0);
    EXPECT(poll(&entry, 1, 0) == 0);
    EXPECT(raise(SIGHUP) == 0 && raise(SIGUSR1) == 0);
    EXPECT(poll(&entry, 1, 0) == 1);
    signals_collect();
    EXPECT(signals_ending() == SIGHUP && signals_take_statistics());
    EXPECT(poll(&entry, 1, 0) == 0);
    return 0;
}

static void the_descriptor_is_readable_while_a_signal_waits(void **state)
{
    (void)state;
    run(tells_by_descriptor);
}

static int child_ignored(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    int status;
    sigaction(SIGCHLD, &action, NULL);
    EXPECT(signals_start(SIGNALS_DEFAULT_MASK) == 0);
    pid_t child = fork();
    if (child == 0)
        _exit(9);
    EXPECT(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 9);
    signals_restore();
    EXPECT(sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
    return 0;
}

static void a_parent_that_ignores_children_does_not_lose_their_status(void **state)
{
    (void)state;
    run(child_ignored);
}

static int unblocks_children(void)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    EXPECT(signals_start(SIGNALS_DEFAULT_MASK) == 0);
    EXPECT(raise(SIGCHLD) == 0);
    signals_collect();
    EXPECT(signals_take_child());
    return 0;
}

static void a_parent_that_blocks_sigchld_does_not_hide_children(void **state)
{
    (void)state;
    run(unblocks_children);
}

/* Whoever runs the tests in the background may ignore some. */
static int restore_signals(void **state)
{
    (void)state;
    signal(SIGHUP, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_changed_before_the_start),
        cmocka_unit_test(a_signal_acts_only_when_it_is_collected),
        cmocka_unit_test(the_severity_goes_by_the_signal),
        cmocka_unit_test(the_first_of_several_signals_counts),
        cmocka_unit_test(each_delivery_is_told_once),
        cmocka_unit_test(only_signals_that_end_the_program_are_taken),
        cmocka_unit_test(the_mask_does_not_touch_what_the_program_needs),
        cmocka_unit_test(restores_actions_and_mask_and_survives_it),
        cmocka_unit_test(what_the_parent_ignored_or_blocked_stays_so_in_a_child),
        cmocka_unit_test(the_descriptor_is_readable_while_a_signal_waits),
        cmocka_unit_test(a_parent_that_ignores_children_does_not_lose_their_status),
        cmocka_unit_test(a_parent_that_blocks_sigchld_does_not_hide_children),
    };
    return cmocka_run_group_tests(tests, restore_signals, NULL);
}
