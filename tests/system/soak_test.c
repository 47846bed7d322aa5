/* A listener that has served many: nothing of them is left in it. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections with one message and its echo. A process with sanitizers takes twenty times as long
 * to come and go, and memory is not compared then. */
#define SHORT (SANITIZED ? 1000 : 10000)
#define LONG 300 /* connections that stay */
#define AT_ONCE 32
#define WARM_UP (10 * AT_ONCE)

/* How much the listener's memory may grow, in KiB: a page or two that were not touched yet. */
#define GROWTH_MAX 64

/* What a listening process has. */
struct holdings {
    size_t descriptors;
    size_t children;
    long memory; /* resident, in KiB */
    long data;   /* allocated, in KiB */
};

static long status_number(struct harness *harness, pid_t pid, const char *name)
{
    const char *status = file_read(harness, text(harness, "/proc/%d/status", (int)pid));
    const char *line = strstr(status, name);
    long number = -1;
    if (line == NULL || sscanf(line + strlen(name), ": %ld kB", &number) != 1)
        harness_fail(harness, "process %d has no %s", (int)pid, name);
    return number;
}

static struct holdings holdings_of(struct harness *harness, const struct program *program)
{
    pid_t pid = program_pid(program);
    return (struct holdings){
        .descriptors = process_descriptors(pid),
        .children = process_children(pid),
        .memory = status_number(harness, pid, "VmRSS"),
        .data = status_number(harness, pid, "VmData"),
    };
}

/* A sanitizer keeps freed memory for a while, and looks for leaks in its own way. */
static void has_not_grown(const struct holdings *before, const struct holdings *after)
{
    assert_int_equal(after->descriptors, before->descriptors);
    assert_int_equal(after->children, before->children);
    if (SANITIZED)
        return;
    assert_true(after->memory <= before->memory + GROWTH_MAX);
    assert_true(after->data <= before->data + GROWTH_MAX);
}

/* Some at once: each sends its number and ends, and gets it back and the end. The program's log is
 * read meanwhile, so that it never waits for that. */
static void connect_shortly(struct harness *harness, struct program *program, unsigned port,
                            int number)
{
    int clients[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++) {
        clients[i] = peer_connect(harness, LOOPBACK, port);
        peer_send(harness, clients[i], text(harness, "short %d", number + i));
        peer_end(clients[i]);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        peer_receives(harness, clients[i], text(harness, "short %d", number + i));
        peer_receives_end(harness, clients[i]);
        harness_close(harness, clients[i]);
    }
    program_log(program);
}

static void all_echo(struct harness *harness, const int *clients, const char *when)
{
    for (int i = 0; i < LONG; i++)
        peer_send(harness, clients[i], text(harness, "long %d, %s", i, when));
    for (int i = 0; i < LONG; i++)
        peer_receives(harness, clients[i], text(harness, "long %d, %s", i, when));
}

static void connect_all(struct harness *harness, int *clients, unsigned port)
{
    for (int i = 0; i < LONG; i++)
        clients[i] = peer_connect(harness, LOOPBACK, port);
}

static void close_all(struct harness *harness, const int *clients)
{
    for (int i = 0; i < LONG; i++) {
        peer_end(clients[i]);
        peer_receives_end(harness, clients[i]);
        harness_close(harness, clients[i]);
    }
}

/* As many at once as there will ever be: the heap has its size then. */
static void warm_up(struct harness *harness, struct program *program, unsigned port)
{
    int clients[LONG];
    connect_all(harness, clients, port);
    for (int i = 0; i < WARM_UP; i += AT_ONCE)
        connect_shortly(harness, program, port, i);
    all_echo(harness, clients, "before all else");
    close_all(harness, clients);
    program_awaits_peers(program, 0);
}

static void keeps_nothing_of_short_and_long_connections(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(
        harness, "-d", "-d", "-t", "20",
        "TCP4-LISTEN:0,fork,children-shutup=2,backlog=1000,bind=" LOOPBACK, "PIPE", NULL);
    unsigned port = program_port(program);
    struct holdings empty, before, after;
    int clients[LONG];

    warm_up(harness, program, port);
    empty = holdings_of(harness, program);
    connect_all(harness, clients, port);
    all_echo(harness, clients, "in the beginning");
    program_awaits_peers(program, LONG);
    before = holdings_of(harness, program);
    assert_int_equal(before.descriptors, empty.descriptors);
    for (int i = 0; i < SHORT; i += AT_ONCE) {
        connect_shortly(harness, program, port, i);
        if (i == SHORT / 2 / AT_ONCE * AT_ONCE)
            all_echo(harness, clients, "in between");
    }
    program_awaits_peers(program, LONG);
    after = holdings_of(harness, program);
    has_not_grown(&before, &after);
    all_echo(harness, clients, "at the end");
    close_all(harness, clients);
    program_awaits_peers(program, 0);
    after = holdings_of(harness, program);
    has_not_grown(&empty, &after);
    assert_false(program_has_logged(program, " E "));
    assert_false(program_has_logged(program, " W "));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        SYSTEM_TEST(keeps_nothing_of_short_and_long_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
