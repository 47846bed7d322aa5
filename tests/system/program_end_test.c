/* What becomes of programs, and of all that they have started, when their session ends. This
 * process adopts what modcat leaves behind, dead or alive, so that it can be counted. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINES 50000
#define PRINT_LINES "seq 1 50000\n"
#define ON_ITS_OWN " </dev/null >/dev/null 2>&1"

static const char *const transports[] = {"", ",pipes", ",pty,rawer", ",pty,setsid,ctty,rawer"};

struct behaviour {
    const char *name;
    const char *script; /* its first argument is a FIFO that says when to go on */
    const char *closing;
    int status;
};
static const struct behaviour behaviours[] = {
    {"exits with data on the way", PRINT_LINES "exit 3\n", "20", 1},
    {"leaves a process behind", "sleep 600" ON_ITS_OWN " &\n" PRINT_LINES, "20", 0},
    {"closes its output only", PRINT_LINES "exec >&-\nread go <$1\nexit 4\n", "20", 1},
    {"ignores the end of input", PRINT_LINES "sleep 600 &\nwait\n", "0.1", 0},
    {"ignores SIGTERM, too", "trap '' TERM HUP\n" PRINT_LINES "sleep 600 &\nexec sleep 600\n",
     "0.1", 0},
    {"is killed", "sleep 600" ON_ITS_OWN " &\n" PRINT_LINES "kill -9 $$\n", "20", 1},
};

/* It says when it is ready, and ends by nothing but SIGKILL. */
static const char stubborn[] = "trap '' TERM HUP INT\nsleep 600 &\necho ready\nread go\n"
                               "echo more\nexec sleep 600\n";

static const char *script(struct harness *harness, const char *content)
{
    const char *name = path(harness, "script");
    file_write(harness, name, content);
    return name;
}

static void is_left_behind(struct harness *harness, size_t count, const char *what)
{
    size_t children = process_children(getpid());
    if (children != count)
        harness_fail(harness, "%s: %zu processes and not %zu", what, children, count);
}

/* Waits until a program has printed this many lines. */
static const char *prints_lines(struct harness *harness, struct program *program, int count)
{
    long long deadline = milliseconds() + PATIENCE;
    for (;;) {
        const char *output = program_output(program, NULL), *end = output;
        for (int i = 0; i < count && end != NULL; i++)
            end = (end = strchr(end, '\n')) != NULL ? end + 1 : NULL;
        if (end != NULL)
            return output;
        if (milliseconds() > deadline)
            harness_fail(harness, "output is \"%s\" and not %d lines", output, count);
        poll(NULL, 0, 5);
    }
}

static const char *all_lines(struct harness *harness)
{
    char *lines = memory(harness, (size_t)LINES * 6 + 1);
    char *end = lines;
    for (int i = 1; i <= LINES; i++)
        end += sprintf(end, "%d\n", i);
    return lines;
}

static void behaves(struct harness *harness, const struct behaviour *behaviour, const char *options)
{
    const char *lines = all_lines(harness);
    const char *what = text(harness, "a program that %s%s", behaviour->name, options);
    const char *fifo = path(harness, "fifo");
    size_t before = process_children(getpid());
    unlink(fifo);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int go = harness_keep(harness, open(fifo, O_RDWR | O_CLOEXEC));

    struct program *program = program_start(
        harness, "-t", behaviour->closing, "-",
        text(harness, "EXEC:sh %s %s%s", script(harness, behaviour->script), fifo, options), NULL);
    program_outputs(program, lines);
    assert_int_equal(write(go, "go\n", 3), 3);
    program_end_input(program);
    program_ends(program, behaviour->status);
    is_left_behind(harness, before + 1, what);
    assert_string_equal(program_output(program, NULL), lines);
    harness_close(harness, go);
}

static void every_byte_arrives_the_status_is_right_and_nothing_stays_behind(void **state)
{
    for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++)
        for (size_t j = 0; j < sizeof(transports) / sizeof(transports[0]); j++)
            behaves(*state, &behaviours[i], transports[j]);
}

struct ending {
    const char *timeout; /* of option -T */
    int signal;          /* for modcat, or 0 */
    bool output_fails;
    int status;
};

static void ends(struct harness *harness, const struct ending *ending, const char *options)
{
    size_t before = process_children(getpid());
    struct program *program =
        program_start(harness, "-T", ending->timeout, "-",
                      text(harness, "EXEC:sh %s%s", script(harness, stubborn), options), NULL);
    if (ending->status != 0)
        program_outputs(program, "ready\n");
    if (ending->signal != 0)
        program_signal(program, ending->signal);
    if (ending->output_fails) {
        harness_close(harness, program_take_output(program));
        program_send(program, "go\n");
    }
    program_ends(program, ending->status);
    is_left_behind(harness, before + 1, options);
}

static void nothing_stays_behind_however_the_session_ends(void **state)
{
    static const struct ending endings[] = {
        {.timeout = "600", .signal = SIGTERM, .status = 143},
        {.timeout = "600", .signal = SIGINT, .status = 130},
        {.timeout = "600", .output_fails = true, .status = 1},
        {.timeout = "0.2", .status = 0},
    };
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        for (size_t j = 0; j < sizeof(transports) / sizeof(transports[0]); j++)
            ends(*state, &endings[i], transports[j]);
}

static void nothing_stays_behind_when_the_other_address_can_not_be_opened(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, text(harness, "EXEC:sh %s", script(harness, stubborn)),
                      text(harness, "OPEN:%s", path(harness, "missing")), NULL);
    program_ends(program, 1);
    is_left_behind(harness, 1, "after a failure");
}

static void all_that_has_come_from_a_program_gets_sigterm_first(void **state)
{
    struct harness *harness = *state;
    const char *content = "sh -c 'sleep 600 & echo $!; echo $$; wait' &\necho $$\nwait\n";
    struct program *program =
        program_start(harness, "-d", "-d", "-d", "-t", "0.1", "-",
                      text(harness, "EXEC:sh %s", script(harness, content)), NULL);
    char *end = (char *)(uintptr_t)prints_lines(harness, program, 3);
    long pids[3];
    for (size_t i = 0; i < 3; i++)
        pids[i] = strtol(end, &end, 10);
    program_end_input(program);
    program_ends(program, 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(program_has_logged(program, text(harness, " I kill(%ld, SIGTERM)", pids[i])));
    is_left_behind(harness, 1, "after SIGTERM");
}

static void what_programs_abandon_is_buried_while_the_session_goes_on(void **state)
{
    struct harness *harness = *state;
    const char *content = "for i in 1 2 3 4 5 6 7 8 9; do (true &); done\nexec cat\n";
    struct program *program =
        program_start(harness, "-", text(harness, "EXEC:sh %s", script(harness, content)), NULL);
    program_send(program, "there\n");
    program_outputs(program, "there\n");
    process_awaits_children(harness, program_pid(program), 1);
    program_end_input(program);
    program_ends(program, 0);
}

#define SESSIONS 30

static void three_hundred_stubborn_programs_of_a_server_leave_nothing_behind(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(
        harness, "-d", "-d", "-t", "0.1", "TCP4-LISTEN:0,fork,backlog=100,bind=" LOOPBACK,
        text(harness, "EXEC:sh %s", script(harness, stubborn)), NULL);
    unsigned port = program_port(program);
    size_t descriptors = process_descriptors(program_pid(program));

    for (int round = 0; round < 10; round++) {
        int clients[SESSIONS];
        for (int i = 0; i < SESSIONS; i++)
            clients[i] = peer_connect(harness, LOOPBACK, port);
        for (int i = 0; i < SESSIONS; i++) {
            peer_receives(harness, clients[i], "ready\n");
            harness_close(harness, clients[i]);
        }
        process_awaits_children(harness, program_pid(program), 0);
    }
    is_left_behind(harness, 1, "beside the server");
    assert_int_equal(process_descriptors(program_pid(program)), descriptors);
    assert_false(program_has_logged(program, " E "));
}

/* Waits for the end of a process that has come to us, and returns its status of waitpid(2). */
static int end_of(struct harness *harness, pid_t pid)
{
    long long deadline = milliseconds() + PATIENCE;
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) != pid) {
        if (milliseconds() > deadline)
            harness_fail(harness, "process %d does not end", (int)pid);
        poll(NULL, 0, 5);
    }
    return status;
}

/* Ends one that is to be alive, and makes sure that nothing else had ended it. */
static void is_alive(struct harness *harness, pid_t pid)
{
    assert_true(pid > 1);
    assert_int_equal(kill(pid, SIGUSR1), 0);
    int status = end_of(harness, pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
}

static void survives(struct harness *harness, const char *content, const char *options)
{
    struct program *program =
        program_start(harness, "-d", "-d", "-d", "-t", "0.1", "-",
                      text(harness, "EXEC:sh %s%s", script(harness, content), options), NULL);
    pid_t pid = (pid_t)strtol(prints_lines(harness, program, 1), NULL, 10);
    program_end_input(program);
    program_ends(program, 0);
    is_alive(harness, pid);
    assert_false(program_has_logged(program, text(harness, "kill(%d,", (int)pid)));
}

static void a_daemon_with_a_session_of_its_own_lives_on(void **state)
{
    static const char *const ways[] = {
        "mkfifo $0.$$\nsetsid sh -c 'echo $$; exec sleep 600" ON_ITS_OWN "' >$0.$$ &\ncat $0.$$\n",
        "setsid sh -c 'echo $$; exec sleep 600" ON_ITS_OWN "' &\nexec sleep 600\n",
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        for (size_t j = 0; j < sizeof(transports) / sizeof(transports[0]); j++)
            survives(*state, ways[i], transports[j]);
    is_left_behind(*state, 8, "beside the daemons");
}

static void end_close_lets_all_of_the_program_live_on(void **state)
{
    static const char *const ways[] = {
        "echo $$\nexec sleep 600\n",
        "sleep 600 &\necho $!\n",
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        for (size_t j = 0; j < 3; j++)
            survives(*state, ways[i], text(*state, "%s,end-close", transports[j]));
}

/* `exec` gives modcat a child that it has not made. */
static void processes_from_before_live_on(void **state)
{
    struct harness *harness = *state;
    const char *content = text(harness,
                               "sleep 600" ON_ITS_OWN " &\necho $!\n"
                               "exec \"${MODCAT:-./modcat}\" -d -d -d -t 0.1 - 'EXEC:sh %s'\n",
                               path(harness, "stubborn"));
    const char *const arguments[] = {script(harness, content), NULL};
    file_write(harness, path(harness, "stubborn"), "trap '' TERM\necho ready\nexec sleep 600\n");
    struct program *program =
        program_launch(harness, &(struct launch){.arguments = arguments, .program = "sh"});
    pid_t pid = (pid_t)strtol(prints_lines(harness, program, 2), NULL, 10);
    program_end_input(program);
    program_ends(program, 0);
    is_alive(harness, pid);
    is_left_behind(harness, 1, "after a stubborn program");
}

/* Its own program ends, and those that serve peers do not. */
static void a_server_that_is_terminated_leaves_its_sessions_alone(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", "-U",
                                            text(harness, "EXEC:sh %s", script(harness, stubborn)),
                                            "TCP4-LISTEN:0,fork,bind=" LOOPBACK, NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(program));
    const char *line = program_logs(program, " N forked off child process ");
    pid_t session = (pid_t)strtol(strrchr(line, ' '), NULL, 10);

    program_signal(program, SIGTERM);
    program_ends(program, 143);
    assert_true(peer_is_silent(client));
    is_left_behind(harness, 2, "with a session");
    harness_close(harness, client);
    assert_true(WIFEXITED(end_of(harness, session)));
    is_left_behind(harness, 1, "after the session");
}

static int begin(void **state)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    return harness_begin(state);
}

#define END_TEST(function) cmocka_unit_test_setup_teardown(function, begin, harness_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        END_TEST(every_byte_arrives_the_status_is_right_and_nothing_stays_behind),
        END_TEST(nothing_stays_behind_however_the_session_ends),
        END_TEST(nothing_stays_behind_when_the_other_address_can_not_be_opened),
        END_TEST(all_that_has_come_from_a_program_gets_sigterm_first),
        END_TEST(what_programs_abandon_is_buried_while_the_session_goes_on),
        END_TEST(three_hundred_stubborn_programs_of_a_server_leave_nothing_behind),
        END_TEST(a_daemon_with_a_session_of_its_own_lives_on),
        END_TEST(end_close_lets_all_of_the_program_live_on),
        END_TEST(processes_from_before_live_on),
        END_TEST(a_server_that_is_terminated_leaves_its_sessions_alone),
    };
    char children[64];
    snprintf(children, sizeof(children), "/proc/self/task/%d/children", (int)getpid());
    if (access(children, R_OK) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
        print_message("this system does not tell who is whose child: skipped\n");
        return 77;
    }
    return cmocka_run_group_tests_name("program_end", tests, NULL, NULL);
}
