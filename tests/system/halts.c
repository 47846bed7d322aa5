#define _GNU_SOURCE
#include "tests/system/halts.h"

#include "tests/system/packets.h"
#include "tests/system/peers.h"
#include "tests/system/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A program that sleeps for another reason, such as a disk, is tried again. */
#define TRIES 4

#define ARGUMENTS_MAX 16

/* A moment, and for how long two processes had been running or ready to run until then, in
 * nanoseconds. */
struct reading {
    long long clock, busy, own_wait;
};

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Linux, Documentation/scheduler/sched-stats.rst: time on the processor, time waiting for one. */
static bool read_schedule(pid_t pid, long long *ran, long long *waited)
{
    char name[64], line[128] = "";
    snprintf(name, sizeof name, "/proc/%d/schedstat", (int)pid);
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return false;
    bool is_read =
        fgets(line, sizeof line, file) != NULL && sscanf(line, "%lld %lld", ran, waited) == 2;
    fclose(file);
    return is_read;
}

static struct reading take_reading(pid_t pid)
{
    struct reading reading = {.clock = now()};
    long long ran = 0, waited = 0, own = 0;
    if (!read_schedule(pid, &ran, &waited) || !read_schedule(getpid(), &own, &reading.own_wait))
        skip_because("this kernel does not tell how long a process has slept (CONFIG_SCHED_INFO)");
    reading.busy = ran + waited;
    return reading;
}

/* For how many milliseconds the program slept in between. The test, too, may have had to wait until
 * it could look at the clock. */
static long long slept(const struct reading *from, const struct reading *to)
{
    return (to->clock - from->clock - (to->busy - from->busy) - (to->own_wait - from->own_wait)) /
           1000000;
}

void halt_send(struct halt_visit *visit)
{
    program_send(visit->program, "something\n");
}

void halt_end_input(struct halt_visit *visit)
{
    halt_send(visit);
    program_end_input(visit->program);
}

void halt_fill(struct halt_visit *visit)
{
    static const char block[65536];
    int fd = program_take_input(visit->program);
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    while (poll(&ready, 1, 200) > 0)
        if (write(fd, block, sizeof block) < 0 && errno != EAGAIN)
            harness_fail(visit->harness, "write(): %s", strerror(errno));
}

void halt_connect(struct halt_visit *visit)
{
    peer_connect(visit->harness, LOOPBACK, program_port(visit->program));
}

void halt_connect_two(struct halt_visit *visit)
{
    unsigned port = program_port(visit->program);
    peer_connect(visit->harness, LOOPBACK, port);
    program_logs(visit->program, " N maxchildren are active, waiting");
    peer_connect(visit->harness, LOOPBACK, port);
}

static void prepare_peer(struct halt_visit *visit, enum halt_peer peer)
{
    struct harness *harness = visit->harness;
    if (peer == PEER_SILENT)
        visit->listener = peer_listen(harness, LOOPBACK, &visit->port);
    else if (peer == PEER_FULL)
        peer_listen_unresponsive(harness, LOOPBACK, &visit->port);
    else if (peer == PEER_DEAF)
        packet_udp(harness, LOOPBACK, &visit->port);
    else if (peer == PEER_UNBOUND)
        peer_bind(harness, LOOPBACK, &visit->port);
}

/* A word of the command line, with port and path in their places. */
static const char *complete(const struct halt_visit *visit, const char *pattern)
{
    struct harness *harness = visit->harness;
    const char *at = strstr(pattern, "%u");
    if (at != NULL)
        pattern =
            text(harness, "%.*s%u%s", (int)(at - pattern), pattern, visit->port, at + strlen("%u"));
    at = strstr(pattern, "%s");
    if (at == NULL)
        return pattern;
    return text(harness, "%.*s%s%s", (int)(at - pattern), pattern, visit->file, at + strlen("%s"));
}

static void start(struct halt_visit *visit, const struct halt *halt)
{
    const char *arguments[ARGUMENTS_MAX] = {"-d", "-d", "-t", "600", "-T", "600"};
    size_t count = 6;
    for (size_t i = 0; i < 4 && halt->flags[i] != NULL; i++)
        arguments[count++] = complete(visit, halt->flags[i]);
    arguments[count++] = complete(visit, halt->left);
    arguments[count++] = complete(visit, halt->right);
    struct launch launch = {
        .arguments = arguments,
        .in = STREAM_PIPE,
        .out = STREAM_PIPE,
        .environment = halt->environment,
    };
    if (halt->terminal)
        launch.in = launch.out = terminal_open(visit->harness)->line;
    visit->program = program_launch(visit->harness, &launch);
}

static void go_there(struct halt_visit *visit, const struct halt *halt)
{
    prepare_peer(visit, halt->peer);
    if (halt->prepare != NULL)
        halt->prepare(visit);
    start(visit, halt);
    if (halt->logs != NULL)
        program_logs(visit->program, halt->logs);
    if (halt->arrive != NULL)
        halt->arrive(visit);
    process_rests(visit->harness, program_pid(visit->program));
}

/* How long the program slept after the signal, in milliseconds. */
static long long end_once(struct harness *harness, const struct halt *halt, int number, int try)
{
    struct halt_visit visit = {
        .harness = harness,
        .file = path(harness, text(harness, "halt-%s-%d-%d", halt->name, number, try)),
    };
    go_there(&visit, halt);
    struct reading before = take_reading(program_pid(visit.program));
    program_signal(visit.program, number);
    int status = program_end(visit.program);
    struct reading after = take_reading(program_pid(visit.program));
    int wanted = halt->status != 0 ? halt->status : 128 + number;
    if (status != wanted)
        harness_fail(harness, "signal %d in \"%s\": status %d and not %d", number, halt->name,
                     status, wanted);
    return slept(&before, &after);
}

void halts_end(struct harness *harness, const struct halt *halt, int signal_number)
{
    long long sleep = end_once(harness, halt, signal_number, 0);
    for (int try = 1; sleep > PROMPTLY && try < TRIES; try++)
        sleep = end_once(harness, halt, signal_number, try);
    printf("%s: slept for %lld ms after signal %d\n", halt->name, sleep, signal_number);
    if (sleep > PROMPTLY)
        harness_fail(harness, "it slept for %lld ms after signal %d in \"%s\"", sleep,
                     signal_number, halt->name);
}
