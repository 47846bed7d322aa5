/* A system that is short of processes or descriptors: servers and clients with fork say so, wait
 * without spinning, and serve the same peer as soon as there is enough again. */
#define _GNU_SOURCE
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A lasting shortage is logged this often at most. */
#define MILLISECONDS_PER_WARNING 1000

/* To look for leaks, a program built with sanitizers needs a process more. */
#define WITHOUT_LEAKS "ASAN_OPTIONS=detect_leaks=0"

/* One way of serving, and how its peer comes. */
struct service {
    const char *address;
    const char *ready; /* what is logged in front of the port */
    int type;          /* of the peer's socket; 0: the program connects to the test */
};

static const struct service services[] = {
    {"TCP4-LISTEN:0,fork,bind=" LOOPBACK, " N listening on AF=2 " LOOPBACK ":", SOCK_STREAM},
    {"UDP4-LISTEN:0,fork,bind=" LOOPBACK, " N listening on UDP AF=2 " LOOPBACK ":", SOCK_DGRAM},
    {"UDP4-RECVFROM:0,fork,bind=" LOOPBACK, " N receiving on AF=2 " LOOPBACK ":", SOCK_DGRAM},
    {"TCP4:" LOOPBACK, NULL, 0},
};

static const char *address_of(struct harness *harness, const struct service *service, unsigned port)
{
    return service->type != 0 ? service->address
                              : text(harness, "%s:%u,fork,interval=0.02", service->address, port);
}

/* A user of this test's own, because the limit counts all processes of one. */
static const char *new_user(struct harness *harness)
{
    static unsigned users;
    return text(harness, "--reuid=%u", 1000000 + 16 * (unsigned)getpid() + users++);
}

/* The program as a user who may have two processes, and one that is the second of them. A dead one
 * counts until its parent, a shell, has waited for it. */
static struct program *start_limited(struct harness *harness, const char *address,
                                     struct program **holder)
{
    const char *user = new_user(harness);
    const char *const holding[] = {"-c", "setpriv $0 --clear-groups cat; :", user, NULL};
    const char *const arguments[] = {
        user, "--clear-groups", "prlimit", "--nproc=2:2", program_file(), "-d",
        "-d", address,          "PIPE",    NULL};
    struct launch launch = {
        .program = "sh", .arguments = holding, .in = STREAM_PIPE, .out = STREAM_PIPE};
    *holder = program_launch(harness, &launch);
    program_send(*holder, "here");
    program_outputs(*holder, "here");
    launch.program = "setpriv";
    launch.environment = WITHOUT_LEAKS;
    launch.arguments = arguments;
    return program_launch(harness, &launch);
}

static unsigned port_of(const struct service *service, struct program *program)
{
    return service->type == 0 ? 0 : program_logs_port(program, service->ready);
}

static int come(struct harness *harness, const struct service *service, unsigned port, int listener)
{
    unsigned own;
    if (service->type == 0)
        return peer_accept(harness, listener);
    if (service->type == SOCK_STREAM)
        return peer_connect(harness, LOOPBACK, port);
    int peer = packet_udp(harness, LOOPBACK, &own);
    struct place to = place_host(harness, LOOPBACK, port);
    packet_connect(harness, peer, &to);
    return peer;
}

/* The soft one: an ordinary user may raise it again. */
static void set_limit(const struct program *program, int resource, rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(prlimit(program_pid(program), resource, NULL, &limit), 0);
    limit.rlim_cur = most;
    if (limit.rlim_max < most)
        limit.rlim_max = most;
    assert_int_equal(prlimit(program_pid(program), resource, &limit, NULL), 0);
}

static void a_process_that_ends_lets_the_same_peer_in(void **state)
{
    struct harness *harness = *state;

    if (geteuid() != 0)
        skip_because("it takes root");
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        unsigned port;
        struct program *holder;
        int listener = peer_listen(harness, LOOPBACK, &port);
        struct program *program =
            start_limited(harness, address_of(harness, &services[i], port), &holder);
        int peer = come(harness, &services[i], port_of(&services[i], program), listener);
        peer_send(harness, peer, "x");
        program_logs(program, " W fork(): Resource temporarily unavailable; trying again");
        program_logs(program, " W fork(): Resource temporarily unavailable; trying again");
        program_end_input(holder);
        program_ends(holder, 0);
        program_logs(program, " N forked off child process ");
        peer_receives(harness, peer, "x");
        program_signal(program, SIGTERM);
        program_ends(program, 143);
    }
}

/* Starts the program with too little memory for its buffers, and three arguments of the log. */
static struct program *start_without_memory(struct harness *harness, const char *const log[3])
{
    const char *const arguments[] = {"--as=20000000", program_file(), "-b",    "64M",  log[0],
                                     log[1],          log[2],         "STALL", "PIPE", NULL};
    return program_launch(harness, &(struct launch){.program = "prlimit", .arguments = arguments});
}

/* Those of a program that was built with sanitizers come from elsewhere. */
static void a_lack_of_memory_is_logged_like_any_error(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "log");
    if (SANITIZED)
        skip_because("sanitizers need more address space");
    struct program *program =
        start_without_memory(harness, (const char *const[]){"-d", "-d", "-lu"});
    program_ends_logging(program, 1, "20*/*:* E out of memory");
    program = start_without_memory(harness, (const char *const[]){"-d", "--log-format", "json"});
    program_ends_logging(program, 1, "{\"time\":*\"level\":\"error\",*\"out of memory\"*}");
    program = start_without_memory(harness, (const char *const[]){"-d", "-lf", file});
    program_ends(program, 1);
    assert_non_null(strstr(file_read(harness, file), "] E out of memory\n"));
}

static void sigterm_ends_it_while_it_waits_for_a_process(void **state)
{
    struct harness *harness = *state;
    struct program *program, *holder;

    if (geteuid() != 0)
        skip_because("it takes root");
    program = start_limited(harness, services[0].address, &holder);
    peer_connect(harness, LOOPBACK, program_port(program));
    program_logs(program, " W fork(): ");
    program_signal(program, SIGTERM);
    program_ends(program, 143);
}

static size_t count(const char *log, const char *part)
{
    size_t found = 0;
    for (; (log = strstr(log, part)) != NULL; log++)
        found++;
    return found;
}

/* All descriptors below the limit are in use when it is lowered. */
static void one_more_descriptor_lets_the_same_peer_in(void **state)
{
    struct harness *harness = *state;

    for (size_t i = 0; services[i].type != 0; i++) {
        struct program *program =
            program_start(harness, "-d", "-d", services[i].address, "PIPE", NULL);
        unsigned port = port_of(&services[i], program);
        long long began = milliseconds(), ticks = process_ticks(program_pid(program));
        set_limit(program, RLIMIT_NOFILE, 3);
        int peer = come(harness, &services[i], port, -1);
        peer_send(harness, peer, "x");
        program_logs(program, " W *: Too many open files");
        program_logs(program, " W *: Too many open files");
        program_logs(program, " W *: Too many open files");
        size_t warnings = count(program_log(program), ": Too many open files");
        long long passed = milliseconds() - began;
        if ((long long)warnings > passed / MILLISECONDS_PER_WARNING + 1)
            harness_fail(harness, "%zu warnings in %lld ms", warnings, passed);
        ticks = process_ticks(program_pid(program)) - ticks;
        assert_true(ticks * 1000 / sysconf(_SC_CLK_TCK) <= passed / 2);
        set_limit(program, RLIMIT_NOFILE, 256);
        peer_receives(harness, peer, "x");
        program_signal(program, SIGTERM);
        program_ends(program, 143);
    }
}

#define GUESTS 30

/* Those for whom there are not enough descriptors wait in the queue, and lose nothing. */
static void hosts_accept_only_those_whom_they_can_serve(void **state)
{
    struct harness *harness = *state;
    int guests[GUESTS];
    unsigned target;
    int listener = peer_listen(harness, LOOPBACK, &target);
    const char *const arguments[] = {"--nofile=40:40",
                                     program_file(),
                                     "-d",
                                     "-d",
                                     "TCP4-LISTEN:0,fork=session,bind=" LOOPBACK,
                                     text(harness, "TCP4:" LOOPBACK ":%u", target),
                                     NULL};
    struct program *program =
        program_launch(harness, &(struct launch){.program = "prlimit", .arguments = arguments});
    unsigned port = program_logs_port(program, services[0].ready);
    for (int i = 0; i < GUESTS; i++) {
        guests[i] = peer_connect(harness, LOOPBACK, port);
        peer_send(harness, guests[i], text(harness, "guest %02d", i));
    }
    program_logs(program, " W no peer is accepted for now");
    for (int i = 0; i < GUESTS; i++) {
        int server = peer_accept(harness, listener);
        peer_receives(harness, server, text(harness, "guest %02d", i));
        peer_send(harness, server, "welcome");
        peer_receives(harness, guests[i], "welcome");
        harness_close(harness, server);
        harness_close(harness, guests[i]);
    }
    assert_null(strstr(program_log(program), "Too many open files"));
    program_signal(program, SIGTERM);
    program_ends(program, 143);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(hosts_accept_only_those_whom_they_can_serve),
        SYSTEM_TEST(a_process_that_ends_lets_the_same_peer_in),
        SYSTEM_TEST(a_lack_of_memory_is_logged_like_any_error),
        SYSTEM_TEST(sigterm_ends_it_while_it_waits_for_a_process),
        SYSTEM_TEST(one_more_descriptor_lets_the_same_peer_in),
    };

    return cmocka_run_group_tests_name("shortage", tests, NULL, NULL);
}
