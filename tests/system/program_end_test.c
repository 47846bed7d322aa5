/* What becomes of programs, and of what they have started, when their session ends: EXEC asks its
 * own program to end, and all else is left to itself. Whatever goes on here waits for a FIFO, so
 * that it ends with its test. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES 50000
#define PRINT_LINES "seq 1 50000\n"
#define ON_ITS_OWN " </dev/null >/dev/null 2>&1 &\n"

/* How EXEC and the like connect a program. */
static const char *const transports[] = {"", ",pipes", ",pty,rawer", ",pty,setsid,ctty,rawer"};
#define EACH_TRANSPORT(name)                                                                       \
    for (const char *const *name = transports;                                                     \
         name < transports + sizeof(transports) / sizeof(transports[0]); name++)

/* A script, with a FIFO as its first argument, from which a line comes when it may go on, and the
 * name of a file as its second. */
struct scene {
    struct harness *harness;
    const char *script;
    const char *done;
    struct gate gate;
};

static struct scene scene(struct harness *harness, const char *content)
{
    struct scene scene = {
        .harness = harness,
        .script = path(harness, "script"),
        .done = path(harness, "done"),
        .gate = gate_make(harness),
    };
    file_write(harness, scene.script, content);
    unlink(scene.done);
    return scene;
}

static const char *command(const struct scene *scene)
{
    return text(scene->harness, "sh %s %s %s", scene->script, scene->gate.fifo, scene->done);
}

static void comes_to_its_end(const struct scene *scene)
{
    long long deadline = milliseconds() + PATIENCE;
    while (!file_exists(scene->done)) {
        if (milliseconds() > deadline)
            harness_fail(scene->harness, "it has not come to its end: %s", command(scene));
        poll(NULL, 0, 5);
    }
}

/* It is allowed to go on, and does what it has to. */
static void finishes(const struct scene *scene)
{
    gate_open(&scene->gate);
    comes_to_its_end(scene);
    harness_close(scene->harness, scene->gate.fd);
}

static const char *all_lines(struct harness *harness)
{
    const size_t room = (size_t)LINES * 6 + 1;
    char *lines = memory(harness, room), *end = lines;
    for (int i = 1; i <= LINES; i++)
        end += snprintf(end, room - (size_t)(end - lines), "%d\n", i);
    return lines;
}

struct behaviour {
    const char *name;
    const char *script;
    const char *closing;
    int status;
};

static void behaves(struct harness *harness, const struct behaviour *behaviour, const char *options)
{
    struct scene scenery = scene(harness, behaviour->script);
    struct program *program =
        program_start(harness, "-t", behaviour->closing, "-",
                      text(harness, "EXEC:%s%s", command(&scenery), options), NULL);
    const char *lines = all_lines(harness);
    program_outputs(program, lines);
    gate_open(&scenery.gate);
    program_end_input(program);
    if (program_end(program) != behaviour->status)
        harness_fail(harness, "a program that %s%s: the status is not %d", behaviour->name, options,
                     behaviour->status);
    assert_string_equal(program_output(program, NULL), lines);
    harness_close(harness, scenery.gate.fd);
}

static void every_byte_arrives_and_the_status_is_right(void **state)
{
    static const struct behaviour behaviours[] = {
        {"exits with data on the way", PRINT_LINES "exit 3\n", "20", 1},
        {"leaves a process behind", "cat $1" ON_ITS_OWN PRINT_LINES, "20", 0},
        {"closes its output only", PRINT_LINES "exec >&-\nread go <$1\nexit 4\n", "20", 1},
        {"ignores the end of input", PRINT_LINES "exec sleep 600\n", "0.1", 0},
        {"is killed", PRINT_LINES "kill -9 $$\n", "20", 1},
    };
    for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++)
        EACH_TRANSPORT(options)
    behaves(*state, &behaviours[i], *options);
}

/* It has a trap for SIGTERM, and says when it is ready. */
static const char trap[] = "trap 'echo asked >$2; exit' TERM\ntrap '' HUP\necho ready\n"
                           "while :; do read go <$1; done\n";

static void exec_asks_its_program_to_end(void **state)
{
    EACH_TRANSPORT(options)
    {
        struct scene scenery = scene(*state, trap);
        struct program *program = program_start(
            *state, "-t", "0.1", "-", text(*state, "EXEC:%s%s", command(&scenery), *options), NULL);
        program_outputs(program, "ready\n");
        program_end_input(program);
        program_ends(program, 0);
        finishes(&scenery);
    }
}

static void exec_asks_its_program_to_end_however_the_session_ends(void **state)
{
    static const struct {
        const char *inactivity;
        int signal, status;
    } endings[] = {{"600", SIGTERM, 143}, {"600", SIGINT, 130}, {"0.2", 0, 0}};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        struct scene scenery = scene(*state, trap);
        struct program *program = program_start(*state, "-T", endings[i].inactivity, "-",
                                                text(*state, "EXEC:%s", command(&scenery)), NULL);
        program_outputs(program, "ready\n");
        if (endings[i].signal != 0)
            program_signal(program, endings[i].signal);
        program_ends(program, endings[i].status);
        finishes(&scenery);
    }
}

/* The second address opens a FIFO before the one that fails: it waits there for the program. */
static void a_program_is_asked_to_end_when_the_other_address_can_not_be_opened(void **state)
{
    struct scene scenery = scene(*state, "trap 'echo asked >$2; exit' TERM\n: >$1.ready\n"
                                         "while :; do read go <$1; done\n");
    const char *ready = text(*state, "%s.ready", scenery.gate.fifo);
    assert_int_equal(mkfifo(ready, 0600), 0);
    struct program *program =
        program_start(*state, text(*state, "EXEC:%s", command(&scenery)),
                      text(*state, "OPEN:%s!!OPEN:%s", ready, path(*state, "missing")), NULL);
    program_ends(program, 1);
    finishes(&scenery);
}

/* The session ends, and then the script is allowed to go on. */
static void survives(struct harness *harness, const char *type, const char *content)
{
    struct scene scenery = scene(harness, content);
    struct program *program = program_start(harness, "-d", "-d", "-d", "-",
                                            text(harness, "%s:%s", type, command(&scenery)), NULL);
    program_send(program, "request\n");
    program_outputs(program, "answer\n");
    program_end_input(program);
    program_ends(program, 0);
    assert_false(program_has_logged(program, " W "));
    finishes(&scenery);
}

static void a_handler_goes_on_when_its_client_has_left(void **state)
{
    static const char work[] = "read request\necho answer\nread go <$1\necho >$2\n";
    survives(*state, "SYSTEM", work);
    survives(*state, "SHELL", work);
}

static void what_a_program_has_started_goes_on(void **state)
{
    static const char *const types[] = {"EXEC", "SYSTEM", "SHELL"};
    static const char *const ways[] = {"", "nohup", "setsid"};
    static const char *const ends[] = {"exit 0", "exec sleep 1"};
    for (size_t type = 0; type < 3; type++)
        for (size_t way = 0; way < 3; way++)
            for (size_t end = 0; end < 2; end++)
                survives(*state, types[type],
                         text(*state,
                              "%s sh -c 'read go <'$1'; echo >'$2" ON_ITS_OWN
                              "read request\necho answer\n%s\n",
                              ways[way], ends[end]));
}

/* It would stop at its output, and then not take what is on its way to it. */
static void a_program_that_is_not_listened_to_takes_its_input(void **state)
{
    EACH_TRANSPORT(options)
    {
        struct program *program =
            program_start(*state, "-d", "-d", "-t", "20", "-",
                          text(*state, "EXEC:cat,readbytes=10%s", *options), NULL);
        program_send(program, all_lines(*state));
        program_end_input(program);
        program_ends(program, 0);
        assert_int_equal(strlen(program_output(program, NULL)), 10);
        assert_false(program_has_logged(program, " W "));
    }
}

/* It works through its input after its output has been cut off, and says more than a connection
 * holds meanwhile. A raw terminal has no end of input. */
static void a_program_whose_output_is_read_no_more_works_through_its_input(void **state)
{
    static const char *const told[] = {"", ",pipes"};
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        struct scene scenery = scene(*state, "echo answer\nread go <$1\n"
                                             "while read line; do seq 1 3000; last=$line; done\n"
                                             "echo $last >$2\n");
        struct program *program =
            program_start(*state, "-d", "-d", "-t", "20", "-",
                          text(*state, "EXEC:%s,readbytes=6%s", command(&scenery), told[i]), NULL);
        program_outputs(program, "answer");
        program_send(program, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n");
        program_end_input(program);
        program_logs(program, " N socket 1 (fd 0) is at EOF");
        gate_open(&scenery.gate);
        program_ends(program, 0);
        comes_to_its_end(&scenery);
        assert_false(program_has_logged(program, " W "));
        harness_close(*state, scenery.gate.fd);
    }
}

/* What it answers can't be delivered, because the other end has gone. */
static void a_program_whose_output_nobody_takes_works_through_its_input(void **state)
{
    static const char *const told[] = {"", ",pipes"};
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        struct scene scenery = scene(*state, "read go <$1\necho answer\n"
                                             "while read line; do seq 1 3000; last=$line; done\n"
                                             "echo $last >$2\n");
        struct program *program =
            program_start(*state, "-d", "-d", "-t", "20", "SYSTEM:seq 1 15",
                          text(*state, "EXEC:%s%s", command(&scenery), told[i]), NULL);
        program_logs(program, " N socket 1 (fd *) is at EOF");
        gate_open(&scenery.gate);
        program_ends_logging(program, 0, " W cannot write to *Broken pipe");
        comes_to_its_end(&scenery);
        harness_close(*state, scenery.gate.fd);
    }
}

static void input_that_a_program_has_not_taken_when_it_is_asked_to_end_is_a_warning(void **state)
{
    static const char *const options[] = {"", ",readbytes=7"};
    for (size_t i = 0; i < 2; i++) {
        struct scene scenery = scene(*state, "echo answer\nread go <$1\n");
        struct program *program =
            program_start(*state, "-t", "0.1", "-",
                          text(*state, "EXEC:%s%s", command(&scenery), options[i]), NULL);
        program_outputs(program, "answer\n");
        program_send(program, "unread\n");
        program_end_input(program);
        program_ends_logging(program, 0,
                             " W process * is asked to end before it has taken all of its input");
        harness_close(*state, scenery.gate.fd);
    }
}

static void a_program_that_only_writes_does_not_hold_up_the_end(void **state)
{
    EACH_TRANSPORT(options)
    {
        struct program *program =
            program_start(*state, "-d", "-d", "-t", "0.5", "/dev/zero!!STDOUT",
                          text(*state, "EXEC:yes,readbytes=4%s", *options), NULL);
        program_ends_logging(program, 0, " W * bytes for socket 2 are not delivered");
    }
}

/* Where one socket is all that connects it, it can't close its output alone. */
static void a_program_that_has_closed_its_output_finishes_its_work(void **state)
{
    struct scene scenery = scene(
        *state, "echo answer\nexec >&-\nwhile read request; do :; done\nread go <$1\necho >$2\n");
    struct program *program = program_start(*state, "-d", "-d", "-",
                                            text(*state, "EXEC:%s,pipes", command(&scenery)), NULL);
    program_outputs(program, "answer\n");
    program_end_input(program);
    program_ends(program, 0);
    finishes(&scenery);
}

/* What is on its way is more than the connection holds, and there is no answer. All of it takes
 * longer than -t allows, and each piece less. */
static void a_program_that_takes_its_input_slowly_gets_all_of_it(void **state)
{
    struct scene scenery = scene(*state, "while head -c 8000 | grep -q .\ndo sleep 0.1\ndone\n"
                                         "echo >$2\n");
    struct program *program =
        program_start(*state, "-t", "2", "-", text(*state, "EXEC:%s", command(&scenery)), NULL);
    program_send(program, all_lines(*state));
    program_end_input(program);
    program_ends(program, 0);
    comes_to_its_end(&scenery);
}

/* The second piece takes longer than -t allows. When it is asked to end it says what is left. Both
 * ways through a terminal, what the program reads at once is not seen. */
static void a_program_may_take_longer_for_each_piece_than_the_closing_timeout(void **state)
{
    EACH_TRANSPORT(options)
    {
        const char *flag = strstr(*options, "pty") != NULL ? "-u" : "-d";
        struct scene scenery =
            scene(*state, "trap 'cat >$1.left 2>/dev/null; mv $1.left $2; exit' TERM\n"
                          "trap '' HUP\npause=1\nwhile sleep $pause\n"
                          "do read line || break\npause=0.1\n[ $line != one ] || pause=3.7\ndone\n"
                          "cat >$2; exit\n");
        struct program *program =
            program_start(*state, "-t", "3", flag, "-",
                          text(*state, "EXEC:%s%s", command(&scenery), *options), NULL);
        program_send(program, "one\ntwo\nthree\n");
        program_end_input(program);
        program_ends(program, 0);
        assert_false(program_has_logged(program, " W "));
        comes_to_its_end(&scenery);
        assert_string_equal(file_read(*state, scenery.done), "");
        harness_close(*state, scenery.gate.fd);
    }
}

/* The child holds what would otherwise be at its end. */
static void ends_with_the_program_though_a_child_holds_its_output(void **state)
{
    static const char *const types[] = {"EXEC", "SYSTEM", "SHELL"};
    EACH_TRANSPORT(options)
    for (size_t type = 0; type < 3; type++) {
        struct scene scenery = scene(*state, "trap '' HUP\n(read go <$1; echo >$2) &\n"
                                             "echo started\n");
        struct program *program = program_start(
            *state, "-u", text(*state, "%s:%s%s", types[type], command(&scenery), *options), "-",
            NULL);
        program_outputs(program, "started\n");
        program_ends(program, 0);
        finishes(&scenery);
    }
}

static void end_close_lets_a_program_live_on(void **state)
{
    struct scene scenery = scene(*state, "trap 'exit' TERM\necho answer\nread go <$1\necho >$2\n");
    struct program *program = program_start(
        *state, "-t", "0.1", "-", text(*state, "EXEC:%s,end-close", command(&scenery)), NULL);
    program_outputs(program, "answer\n");
    program_end_input(program);
    program_ends(program, 0);
    finishes(&scenery);
}

#define SESSIONS 30

static void three_hundred_programs_of_a_server_leave_nothing_behind(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", "-t", "0.1",
                                            "TCP4-LISTEN:0,fork,backlog=100,bind=" LOOPBACK,
                                            "EXEC:'sh -c \"echo ready; exec sleep 600\"'", NULL);
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
    process_awaits_descriptors(harness, program_pid(program), descriptors);
    assert_false(program_has_logged(program, " E "));
}

/* The program is theirs as well, until the last of them has gone. */
static void a_server_that_is_terminated_leaves_its_sessions_alone(void **state)
{
    struct harness *harness = *state;
    struct scene scenery = scene(harness, "cat\necho >$2\n");
    struct program *program =
        program_start(harness, "-d", "-d", text(harness, "EXEC:%s", command(&scenery)),
                      "TCP4-LISTEN:0,fork,bind=" LOOPBACK, NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(program));
    program_logs(program, " N forked off child process ");
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    peer_send(harness, client, "still there\n");
    peer_receives(harness, client, "still there\n");
    harness_close(harness, client);
    comes_to_its_end(&scenery);
}

static void a_server_that_is_terminated_without_sessions_ends_its_program(void **state)
{
    struct scene scenery = scene(*state, trap);
    struct program *program =
        program_start(*state, "-d", "-d", text(*state, "EXEC:%s", command(&scenery)),
                      "TCP4-LISTEN:0,fork,bind=" LOOPBACK, NULL);
    int client = peer_connect(*state, LOOPBACK, program_port(program));
    peer_receives(*state, client, "ready\n");
    harness_close(*state, client);
    process_awaits_children(*state, program_pid(program), 1);
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    finishes(&scenery);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(every_byte_arrives_and_the_status_is_right),
        SYSTEM_TEST(exec_asks_its_program_to_end),
        SYSTEM_TEST(exec_asks_its_program_to_end_however_the_session_ends),
        SYSTEM_TEST(a_program_is_asked_to_end_when_the_other_address_can_not_be_opened),
        SYSTEM_TEST(a_handler_goes_on_when_its_client_has_left),
        SYSTEM_TEST(what_a_program_has_started_goes_on),
        SYSTEM_TEST(a_program_that_is_not_listened_to_takes_its_input),
        SYSTEM_TEST(a_program_whose_output_is_read_no_more_works_through_its_input),
        SYSTEM_TEST(a_program_whose_output_nobody_takes_works_through_its_input),
        SYSTEM_TEST(input_that_a_program_has_not_taken_when_it_is_asked_to_end_is_a_warning),
        SYSTEM_TEST(a_program_that_only_writes_does_not_hold_up_the_end),
        SYSTEM_TEST(a_program_that_has_closed_its_output_finishes_its_work),
        SYSTEM_TEST(a_program_that_takes_its_input_slowly_gets_all_of_it),
        SYSTEM_TEST(a_program_may_take_longer_for_each_piece_than_the_closing_timeout),
        SYSTEM_TEST(ends_with_the_program_though_a_child_holds_its_output),
        SYSTEM_TEST(end_close_lets_a_program_live_on),
        SYSTEM_TEST(three_hundred_programs_of_a_server_leave_nothing_behind),
        SYSTEM_TEST(a_server_that_is_terminated_leaves_its_sessions_alone),
        SYSTEM_TEST(a_server_that_is_terminated_without_sessions_ends_its_program),
    };
    return cmocka_run_group_tests_name("program_end", tests, NULL, NULL);
}
