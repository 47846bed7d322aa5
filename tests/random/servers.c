/* A server that forks: many clients, some of which leave as they like. Afterwards it is what it was
 * before: it has no more descriptors, and no children. */

#define _GNU_SOURCE
#include "tests/random/couple.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define CLIENTS_MOST 6

struct server {
    struct trial *trial;
    struct program *program;
    struct stream_end end; /* by which clients connect: its place is known after the first */
    size_t clients_most;   /* at once */
    size_t descriptors;
};

static const char *const echoes[] = {"PIPE",
                                     "EXEC:cat",
                                     "SYSTEM:cat,pipes",
                                     "EXEC:cat,pipes",
                                     "SOCKETPAIR,socktype=1",
                                     "EXEC:cat,socktype=1"};

/* How many are served at once; 0: any number. Of those who wait, a queue may hold one only. */
static const size_t limits[] = {0, 0, 1, 3, 10};

/* The test connects with these as often as it likes. */
static const struct stream_kind *draw_listener(struct trial *trial)
{
    const struct stream_kind *kind;
    do
        kind = trial->kinds[draw_below(trial, trial->kind_count)];
    while ((kind->traits & (STREAM_FORKS | STREAM_MESSAGES)) != STREAM_FORKS ||
           (couple_traits(kind) & COUPLE_HELPER) != 0);
    return kind;
}

static int connect_again(struct server *server)
{
    struct stream_end *end = &server->end;
    int fd = socket(end->place.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    harness_keep(server->trial->harness, fd);
    packet_connect(server->trial->harness, fd, &end->place);
    return fd;
}

/* What it had for clients is given back, a little later than their children end. */
static void is_as_before(struct server *server)
{
    struct harness *harness = server->trial->harness;
    pid_t pid = program_pid(server->program);
    process_awaits_children(harness, pid, 0);
    process_awaits_descriptors(harness, pid, server->descriptors);
}

/* The first client only finds out where the server is. */
static struct server start(struct trial *trial)
{
    struct server server = {.trial = trial};
    struct stream_end *end = &server.end;
    *end = stream_end(trial->harness, trial->setup, draw_listener(trial), false);
    size_t limit = limits[draw_below(trial, sizeof limits / sizeof limits[0])];
    const char *address = text(trial->harness, "%s,fork%s", end->kind->prepare(end),
                               limit == 0 ? "" : text(trial->harness, ",max-children=%zu", limit));
    server.clients_most = limit > 0 && limit < CLIENTS_MOST ? limit + 1 : CLIENTS_MOST;
    const char *arguments[] = {"-d", "-d", "-t", LONG_TIME, address, DRAW_TEXT(trial, echoes),
                               NULL};
    struct launch launch = {.arguments = arguments, .out = STREAM_NULL, .extra = end->given};
    server.program = program_launch(trial->harness, &launch);
    await_log(trial, server.program, " N listening on ");
    server.descriptors = process_descriptors(program_pid(server.program));
    end->kind->attach(end, server.program);
    stream_end_leave(end);
    return server;
}

/* Some clients leave or break their connection early, perhaps before they have sent anything. */
static void draw_manner(struct trial *trial, struct lane *lane)
{
    lane->ends = draw_chance(trial, 60);
    if (lane->ends)
        return;
    lane->leaves = draw_chance(trial, 60);
    lane->resets = !lane->leaves;
    lane->takes = draw_chance(trial, 30) ? 0 : draw_below(trial, lane->length + 1);
    lane->write_may_break = lane->read_may_break = true;
    trial_note(trial, "%s: %s after %zu bytes", lane->name, lane->leaves ? "leaves" : "breaks",
               lane->takes);
}

/* Clients that are there at once; those that end well get everything. */
static void serve_round(struct server *server, size_t clients)
{
    struct trial *trial = server->trial;
    struct traffic traffic = {.trial = trial};
    traffic_watch(&traffic, server->program);
    for (size_t i = 0; i < clients; i++) {
        size_t length = draw_size(trial, 200000);
        int fd = connect_again(server);
        const char *name = text(trial->harness, "client %zu", i);
        struct lane *lane = traffic_lane(&traffic, name, fd, fd, draw_bytes(trial, length), length);
        trial_note(trial, "%s: sends %zu bytes", name, length);
        draw_paces(trial, lane);
        draw_manner(trial, lane);
    }
    traffic_run(&traffic, traffic_has_ended);
    for (size_t i = 0; i < clients; i++)
        harness_close(trial->harness, traffic.lanes[i].read_fd);
}

static void serves_many(struct trial *trial)
{
    struct server server = start(trial);
    size_t rounds = draw_between(trial, 1, 3);
    for (size_t round = 0; round < rounds; round++)
        serve_round(&server, draw_between(trial, 1, server.clients_most));
    is_as_before(&server);
    program_signal(server.program, SIGTERM);
    judge_status(trial, server.program, 143);
}

const struct trial_way server_ways[] = {
    {"a server forks for its clients", 10, serves_many},
    {.name = NULL},
};
