/* A server that forks: many clients, some of which leave as they like. Afterwards it is what it was
 * before: it has no more descriptors, and no children. */

#define _GNU_SOURCE
#include "tests/random/couple.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS_MOST 6

/* How a client goes. */
enum manner { ENDS, LEAVES_AT_ONCE, LEAVES_WITH_REST, BREAKS };

struct server {
    struct trial *trial;
    struct program *program;
    struct stream_end end; /* by which clients connect: its place is known after the first */
    size_t descriptors;
    size_t base_children;
};

static const char *const echoes[] = {"PIPE",
                                     "EXEC:cat",
                                     "SYSTEM:cat,pipes",
                                     "EXEC:cat,pipes",
                                     "SOCKETPAIR,socktype=1",
                                     "EXEC:cat,socktype=1"};

static const char *const forks[] = {",fork", ",fork,max-children=1", ",fork,max-children=3",
                                    ",fork,backlog=1", ",fork,max-children=10"};

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

/* The first client only finds out where the server is. */
static struct server start(struct trial *trial)
{
    struct server server = {.trial = trial};
    struct stream_end *end = &server.end;
    *end = stream_end(trial->harness, trial->setup, draw_listener(trial), false);
    const char *address =
        text(trial->harness, "%s%s", end->kind->prepare(end), DRAW_TEXT(trial, forks));
    const char *arguments[] = {"-d", "-d", "-t", LONG_TIME, address, DRAW_TEXT(trial, echoes),
                               NULL};
    struct launch launch = {.arguments = arguments, .out = STREAM_NULL, .extra = end->given};
    server.program = program_launch(trial->harness, &launch);
    end->kind->attach(end, server.program);
    stream_end_leave(end);
    process_awaits_children(trial->harness, program_pid(server.program), 0);
    server.descriptors = process_descriptors(program_pid(server.program));
    return server;
}

/* Clients that are there at once, as many as are served; those that end well get everything. */
static void serve_round(struct server *server, size_t clients)
{
    struct trial *trial = server->trial;
    struct traffic traffic = {.trial = trial};
    enum manner manners[CLIENTS_MOST];
    int fds[CLIENTS_MOST];
    traffic_watch(&traffic, server->program);
    for (size_t i = 0; i < clients; i++) {
        size_t length = draw_size(trial, 200000);
        manners[i] = draw_chance(trial, 60) ? ENDS : (enum manner)draw_between(trial, 1, 3);
        fds[i] = connect_again(server);
        trial_note(trial, "client %zu, manner %d, sends %zu bytes", i, manners[i], length);
        struct lane *lane = traffic_lane(&traffic, text(trial->harness, "client %zu", i), fds[i],
                                         fds[i], draw_bytes(trial, length), length);
        draw_paces(trial, lane);
        lane->ends = manners[i] == ENDS;
        lane->takes = manners[i] == ENDS               ? SIZE_MAX
                      : manners[i] == LEAVES_WITH_REST ? length / 2
                                                       : 0;
        lane->write_over = manners[i] == LEAVES_AT_ONCE;
        if (manners[i] != ENDS) {
            lane->read_over = manners[i] != LEAVES_WITH_REST || lane->takes == 0;
            lane->write_over |= lane->read_over;
        }
    }
    for (size_t i = 0; i < clients; i++) {
        struct lane *lane = &traffic.lanes[i];
        if (manners[i] == ENDS || lane->read_over)
            continue;
        struct traffic alone = {.trial = trial, .lanes = {*lane}, .count = 1};
        traffic_watch(&alone, server->program);
        traffic_run(&alone, traffic_is_received);
        lane->read_over = lane->write_over = true;
    }
    for (size_t i = 0; i < clients; i++) {
        if (manners[i] == LEAVES_AT_ONCE || manners[i] == LEAVES_WITH_REST)
            harness_close(trial->harness, fds[i]);
        else if (manners[i] == BREAKS)
            peer_reset(trial->harness, fds[i]);
    }
    traffic_run(&traffic, traffic_has_ended);
    for (size_t i = 0; i < clients; i++)
        if (manners[i] == ENDS)
            harness_close(trial->harness, fds[i]);
}

static void serves_many(struct trial *trial)
{
    struct server server = start(trial);
    size_t rounds = draw_between(trial, 1, 3);
    for (size_t round = 0; round < rounds; round++)
        serve_round(&server, draw_between(trial, 1, CLIENTS_MOST));
    pid_t pid = program_pid(server.program);
    process_awaits_children(trial->harness, pid, 0);
    size_t descriptors = process_descriptors(pid);
    if (descriptors != server.descriptors)
        harness_fail(trial->harness, "it has %zu descriptors, and had %zu", descriptors,
                     server.descriptors);
    program_signal(server.program, SIGTERM);
    judge_status(trial, server.program, 143);
}

const struct trial_way server_ways[] = {
    {"a server forks for its clients", 10, serves_many},
    {.name = NULL},
};
