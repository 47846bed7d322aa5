/* What is known of the programs that addresses run: real processes, which end when the test says
 * so, with a clock of the test's own. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/signals.h"
#include "core/base/wait.h"
#include "core/opening/session_state.h"
#include "core/services/process/children.h"
#include "core/services/process/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct address addresses[2];
static struct address_pair pairs[2];
static struct modcat_opening openings[2];
static struct session session;
static struct settings settings;
static long long now;

/* In place of the system's clock: it stands, unless there is nothing else to wait for. */
long long __wrap_wait_now(void);
long long __wrap_wait_now(void)
{
    return now;
}

static void nothing(struct session *of)
{
    (void)of;
}

static const struct session_events events = {
    .resized = nothing,
    .pass_signals = programs_pass_signals,
    .child_ended = programs_reap,
};

/* Starts a process that ends with this status when it gets SIGUSR1, or dies of SIGTERM. */
static pid_t start_child(int status)
{
    int number;
    sigset_t go;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    /* It was blocked before, by signals_start(). */
    sigemptyset(&go);
    sigaddset(&go, SIGUSR1);
    sigprocmask(SIG_SETMASK, &go, NULL);
    sigwait(&go, &number);
    _exit(status);
}

static void let_end(pid_t child)
{
    kill(child, SIGUSR1);
}

/* Its end has been seen, and noted. */
static void end_child(pid_t child, const struct modcat_opening *opening)
{
    let_end(child);
    while (!programs_ended(opening))
        session_wait(&session, NULL, 0, MODCAT_FOREVER);
}

static void add(struct modcat_opening *opening, pid_t child, bool terminate)
{
    const struct modcat_program known = {.size = sizeof known, .terminate = terminate};
    programs_add(opening, child, &known, 0);
}

static int set_up(void **state)
{
    (void)state;
    now = MODCAT_SECOND;
    session = (struct session){.settings = &settings, .events = &events};
    session.children = children_new();
    for (int i = 0; i < 2; i++) {
        pairs[i] = (struct address_pair){.first = &addresses[i]};
        session.sides[i].address = &pairs[i];
        openings[i] = (struct modcat_opening){.session = &session, .address = &addresses[i]};
    }
    return signals_start(0);
}

static int tear_down(void **state)
{
    (void)state;
    programs_forget(&session);
    children_free(session.children);
    signals_restore();
    return 0;
}

static void each_opening_knows_of_its_own_program_only(void **state)
{
    pid_t first = start_child(0), second = start_child(0);
    (void)state;
    add(&openings[0], first, true);
    add(&openings[1], second, true);
    assert_false(programs_ended(&openings[0]) || programs_ended(&openings[1]));
    end_child(second, &openings[1]);
    assert_false(programs_ended(&openings[0]));
    end_child(first, &openings[0]);
    assert_false(programs_failed(&session));
}

static void a_program_that_fails_makes_the_session_fail(void **state)
{
    pid_t child = start_child(3);
    (void)state;
    add(&openings[0], child, true);
    end_child(child, &openings[0]);
    assert_true(programs_failed(&session));
}

/* One that goes on after its address is closed is not judged by how it ends. */
static void what_comes_after_the_end_is_not_judged(void **state)
{
    pid_t child = start_child(3), other = start_child(0);
    (void)state;
    add(&openings[0], child, false);
    add(&openings[1], other, false);
    programs_release(&openings[0], false, false);
    let_end(child);
    assert_int_equal(waitid(P_PID, (id_t)child, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
    end_child(other, &openings[1]);
    assert_int_equal(waitpid(child, NULL, 0), -1);
    assert_false(programs_failed(&session));
}

static void a_program_is_asked_to_end_if_it_wants_that(void **state)
{
    pid_t child = start_child(0);
    int status;
    (void)state;
    add(&openings[0], child, true);
    programs_release(&openings[0], false, false);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

/* It has closed its output, or the option end-close lets it live. */
static void a_program_that_may_go_on_is_left_alone(void **state)
{
    pid_t ended = start_child(0), kept = start_child(0);
    int status;
    (void)state;
    openings[1].set.end_close = true;
    add(&openings[0], ended, true);
    add(&openings[1], kept, true);
    programs_release(&openings[0], true, false);
    programs_release(&openings[1], false, false);
    let_end(ended);
    let_end(kept);
    assert_int_equal(waitpid(ended, &status, 0), ended);
    assert_true(WIFEXITED(status));
    assert_int_equal(waitpid(kept, &status, 0), kept);
    assert_true(WIFEXITED(status));
}

static void a_deadline_bounds_the_waiting_for_a_program(void **state)
{
    pid_t child = start_child(0);
    (void)state;
    add(&openings[0], child, true);
    programs_wait(&openings[0], now - 1);
    assert_false(programs_ended(&openings[0]));
    let_end(child);
    programs_wait(&openings[0], MODCAT_FOREVER);
    assert_true(programs_ended(&openings[0]));
    programs_wait(&openings[1], MODCAT_FOREVER);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_opening_knows_of_its_own_program_only),
        TEST(a_program_that_fails_makes_the_session_fail),
        TEST(what_comes_after_the_end_is_not_judged),
        TEST(a_program_is_asked_to_end_if_it_wants_that),
        TEST(a_program_that_may_go_on_is_left_alone),
        TEST(a_deadline_bounds_the_waiting_for_a_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
