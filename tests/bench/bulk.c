/* Bulk transfers: how fast a relay moves bytes between two ends, and what CPU time it takes. */

#define _GNU_SOURCE
#include "tests/bench/ends.h"
#include "tests/bench/works.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024.0 * 1024.0)
#define ADDRESS_SIZE (PATH_SIZE + 64)

/* One transfer. Descriptors that there are not are -1. */
struct transfer {
    const struct bench *bench;
    const struct work *work;
    struct relay relay;
    struct plumbing plumbing;
    char left[ADDRESS_SIZE];
    char right[ADDRESS_SIZE];
    char sink_path[PATH_SIZE];
    char source_path[PATH_SIZE];
    int listener; /* of the sink */
    int source;   /* where the sender writes */
    int sink;     /* where the receiver reads */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int works_prepare(const struct bench *bench)
{
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/source", bench->scratch);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, (off_t)bench->size) != 0)
        return complain("%s: can't hold %zu bytes", path, bench->size);
    close(fd);
    return 0;
}

static int prepare_source(struct transfer *t)
{
    int pipes[2];
    switch (t->work->from) {
    case END_TCP:
        t->plumbing.from_port = end_free_port();
        snprintf(t->left, sizeof t->left, "TCP4-LISTEN:%u,bind=" LOOPBACK ",reuseaddr",
                 t->plumbing.from_port);
        return 0;
    case END_UNIX:
        unlink(t->source_path);
        snprintf(t->left, sizeof t->left, "UNIX-LISTEN:%s", t->source_path);
        return 0;
    case END_PIPE:
        if (pipe2(pipes, O_CLOEXEC) < 0)
            return complain("pipe2(): %s", strerror(errno));
        t->plumbing.in = pipes[0];
        t->source = pipes[1];
        snprintf(t->left, sizeof t->left, "-");
        return 0;
    default:
        snprintf(t->left, sizeof t->left, "OPEN:%s/source,rdonly", t->bench->scratch);
        return 0;
    }
}

static int prepare_sink(struct transfer *t)
{
    int pipes[2];
    switch (t->work->to) {
    case END_TCP:
        t->listener = end_listen(&t->plumbing.to_port);
        snprintf(t->right, sizeof t->right, "TCP4:" LOOPBACK ":%u", t->plumbing.to_port);
        return t->listener < 0 ? -1 : 0;
    case END_UNIX:
        t->listener = end_listen_unix(t->sink_path);
        snprintf(t->right, sizeof t->right, "UNIX-CONNECT:%s", t->sink_path);
        return t->listener < 0 ? -1 : 0;
    case END_PIPE:
        if (pipe2(pipes, O_CLOEXEC) < 0)
            return complain("pipe2(): %s", strerror(errno));
        t->plumbing.out = pipes[1];
        t->sink = pipes[0];
        snprintf(t->right, sizeof t->right, "-");
        return 0;
    default:
        snprintf(t->right, sizeof t->right, "OPEN:%s,wronly,creat,trunc", t->sink_path);
        return 0;
    }
}

static int connect_source(struct transfer *t)
{
    bool direct = t->relay.who == DIRECT;
    if (t->work->from == END_TCP)
        t->source = end_connect(&t->relay, direct ? t->plumbing.to_port : t->plumbing.from_port);
    if (t->work->from == END_UNIX)
        t->source = end_connect_unix(&t->relay, direct ? t->sink_path : t->source_path);
    if (direct && t->work->from == END_PIPE) {
        close_fd(&t->source);
        t->source = t->plumbing.out;
        t->plumbing.out = -1;
    }
    close_fd(&t->plumbing.in);
    close_fd(&t->plumbing.out);
    return t->source < 0 && t->work->from != END_FILE ? -1 : 0;
}

static int accept_sink(struct transfer *t)
{
    if (t->listener >= 0)
        t->sink = end_accept(&t->relay, t->listener);
    return t->sink < 0 && t->work->to != END_FILE ? -1 : 0;
}

/* How much has arrived. What goes into a file has arrived when the relay has ended. */
static size_t receive(struct transfer *t, double *cpu)
{
    struct stat status = {0};
    size_t received = t->sink >= 0 ? end_drain(t->sink) : 0;
    if (t->sink >= 0)
        return received;
    *cpu = relay_wait(&t->relay);
    return stat(t->sink_path, &status) == 0 ? (size_t)status.st_size : 0;
}

static bool is_server(enum contender who)
{
    return who == NGINX || who == HAPROXY;
}

static int run(struct transfer *t, double *seconds, double *cpu)
{
    double start = now();
    if (relay_start(t->bench, t->relay.who, &t->plumbing, &t->relay) < 0 || connect_source(t) < 0 ||
        accept_sink(t) < 0)
        return -1;
    if (t->work->from != END_FILE)
        start = now();
    pid_t sender = t->source >= 0 ? end_send(t->source, t->bench->size) : 0;
    t->source = -1;
    size_t received = receive(t, cpu);
    *seconds = now() - start;
    end_join(sender);
    close_fd(&t->sink);
    if (t->relay.pid > 0)
        *cpu = is_server(t->relay.who) ? relay_end(&t->relay) : relay_wait(&t->relay);
    if (received != t->bench->size)
        return complain("%s: %zu of %zu bytes arrived", contender_name(t->relay.who), received,
                        t->bench->size);
    return *cpu < 0 ? -1 : 0;
}

static void finish(struct transfer *t)
{
    relay_end(&t->relay);
    close_fd(&t->plumbing.in);
    close_fd(&t->plumbing.out);
    close_fd(&t->listener);
    close_fd(&t->source);
    close_fd(&t->sink);
    unlink(t->sink_path);
    unlink(t->source_path);
}

int measure_bulk(const struct bench *bench, const struct work *work, enum contender who,
                 double *values)
{
    double elapsed = 0, cpu = 0;
    struct transfer t = {.bench = bench, .work = work, .listener = -1, .source = -1, .sink = -1};
    bool sockets = work->from <= END_UNIX && work->to <= END_UNIX;
    t.relay.who = who;
    t.plumbing = (struct plumbing){
        .left = t.left, .right = t.right, .one_way = !sockets, .in = -1, .out = -1};
    snprintf(t.source_path, sizeof t.source_path, "%.96s/from", bench->scratch);
    snprintf(t.sink_path, sizeof t.sink_path, "%.96s/to", bench->scratch);
    int result = prepare_source(&t) < 0 || prepare_sink(&t) < 0 ? -1 : run(&t, &elapsed, &cpu);
    finish(&t);
    values[0] = (double)bench->size / MIB / elapsed;
    values[1] = cpu * 1024 * MIB / (double)bench->size;
    return result;
}

double works_bulk_speed(const struct bench *bench, enum contender who)
{
    double values[METRICS];
    return measure_bulk(bench, &works[0], who, values) < 0 ? -1 : values[0];
}
