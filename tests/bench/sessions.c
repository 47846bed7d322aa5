/* Sessions: how long a small message takes there and back, how many connections a relay serves in
 * a second, what memory an open one takes, and how long a run takes that does nothing. */

#define _GNU_SOURCE
#include "tests/bench/ends.h"
#include "tests/bench/works.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PING_SIZE 64
#define PINGS 5000
#define AT_ONCE_MAX 256
#define CONNECTIONS 1500        /* each a process ... */
#define HOSTED_CONNECTIONS 6000 /* ... or not */
#define SESSIONS_MAX 20000
#define STARTS 20

/* A relay from one TCP port to another that the benchmark listens on. */
struct bridge {
    struct relay relay;
    int listener;
    unsigned port; /* where clients connect */
    char left[128];
    char right[64];
};

static int bridge_start(const struct bench *bench, enum contender who, const struct work *work,
                        struct bridge *bridge)
{
    const char *options = work->count > 0 ? contender_listen_options(who, work->workers) : "";
    struct plumbing plumbing = {.left = bridge->left,
                                .right = bridge->right,
                                .workers = work->workers,
                                .in = -1,
                                .out = -1};
    bridge->listener = end_listen(&plumbing.to_port);
    plumbing.from_port = end_free_port();
    bridge->port = who == DIRECT ? plumbing.to_port : plumbing.from_port;
    snprintf(bridge->left, sizeof bridge->left, "TCP4-LISTEN:%u,bind=" LOOPBACK ",reuseaddr%s",
             plumbing.from_port, options);
    snprintf(bridge->right, sizeof bridge->right, "TCP4:" LOOPBACK ":%u", plumbing.to_port);
    if (bridge->listener < 0 || relay_start(bench, who, &plumbing, &bridge->relay) < 0)
        return -1;
    return 0;
}

static void bridge_end(struct bridge *bridge)
{
    relay_end(&bridge->relay);
    if (bridge->listener >= 0)
        close(bridge->listener);
}

static int exchange_pings(int fd, double *times)
{
    char data[PING_SIZE] = {0};
    for (int i = 0; i < PINGS; i++) {
        double start = now();
        if (end_write(fd, data, sizeof data) < 0 || end_read(fd, data, sizeof data) < 0)
            return complain("the connection has broken: %s", strerror(errno));
        times[i] = (now() - start) * 1e6;
    }
    return 0;
}

int measure_ping_pong(const struct bench *bench, const struct work *work, enum contender who,
                      double *values)
{
    static double times[PINGS];
    struct bridge bridge = {.listener = -1};
    int client = -1, server = -1, result = -1;
    if (bridge_start(bench, who, work, &bridge) == 0 &&
        (work->count == 0 || end_await_port(&bridge.relay, "/proc/net/tcp", bridge.port) == 0) &&
        (client = end_connect(&bridge.relay, bridge.port)) >= 0 &&
        (server = end_accept(&bridge.relay, bridge.listener)) >= 0) {
        pid_t echo = end_echo(server);
        result = exchange_pings(client, times);
        shutdown(client, SHUT_WR);
        close(client);
        end_join(echo);
    }
    bridge_end(&bridge);
    values[0] = quantile(times, PINGS, 0.5);
    values[1] = quantile(times, PINGS, 0.99);
    return result;
}

/* Many connections, a few at a time: each client sends a byte, gets one back, and sees the end. */
struct crowd {
    int epoll;
    int listener;
    struct sockaddr_in address;
    unsigned wanted;
    unsigned started;
    unsigned finished;
};

/* What an event belongs to: the listener, or a connection of a client or of the server. */
enum role { LISTENER, CONNECTING, CLIENT, SERVER };

static void watch(const struct crowd *crowd, int operation, int fd, enum role role, unsigned events)
{
    struct epoll_event event = {.events = events};
    event.data.u64 = (uint64_t)role << 32 | (unsigned)fd;
    epoll_ctl(crowd->epoll, operation, fd, &event);
}

/* Where too many wait at the relay's door, this takes a second or more. */
static int start_client(struct crowd *crowd)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || (connect(fd, (struct sockaddr *)&crowd->address, sizeof crowd->address) < 0 &&
                   errno != EINPROGRESS))
        return complain("connecting: %s", strerror(errno));
    watch(crowd, EPOLL_CTL_ADD, fd, CONNECTING, EPOLLOUT);
    crowd->started++;
    return 0;
}

static int ask(const struct crowd *crowd, int fd)
{
    if (end_write(fd, "?", 1) < 0)
        return complain("asking: %s", strerror(errno));
    watch(crowd, EPOLL_CTL_MOD, fd, CLIENT, EPOLLIN);
    return 0;
}

static int serve_client(int fd)
{
    char byte;
    ssize_t count = read(fd, &byte, 1);
    if (count == 1 && end_write(fd, "!", 1) < 0)
        return complain("answering: %s", strerror(errno));
    close(fd);
    return 0;
}

/* An answer, and then the end. */
static int hear_answer(struct crowd *crowd, int fd)
{
    char data[2];
    ssize_t count = read(fd, data, sizeof data);
    if (count < 0)
        return complain("an answer: %s", strerror(errno));
    if (count > 0)
        return 0;
    close(fd);
    crowd->finished++;
    return crowd->started < crowd->wanted ? start_client(crowd) : 0;
}

static int handle(struct crowd *crowd, const struct epoll_event *event)
{
    int fd = (int)(unsigned)event->data.u64;
    switch ((enum role)(event->data.u64 >> 32)) {
    case CONNECTING:
        return ask(crowd, fd);
    case CLIENT:
        return hear_answer(crowd, fd);
    case SERVER:
        return serve_client(fd);
    default:
        watch(crowd, EPOLL_CTL_ADD, accept4(fd, NULL, NULL, SOCK_CLOEXEC), SERVER, EPOLLIN);
        return 0;
    }
}

static int serve_crowd(struct crowd *crowd, struct relay *relay, unsigned at_once)
{
    struct epoll_event events[AT_ONCE_MAX];
    watch(crowd, EPOLL_CTL_ADD, crowd->listener, LISTENER, EPOLLIN);
    for (unsigned i = 0; i < at_once; i++)
        if (start_client(crowd) < 0)
            return -1;
    while (crowd->finished < crowd->wanted) {
        int count = epoll_wait(crowd->epoll, events, AT_ONCE_MAX, 10000);
        if (count <= 0 || !relay_alive(relay))
            return complain("%s: only %u of %u connections were served", contender_name(relay->who),
                            crowd->finished, crowd->wanted);
        for (int i = 0; i < count; i++)
            if (handle(crowd, &events[i]) < 0)
                return -1;
    }
    return 0;
}

int measure_connections(const struct bench *bench, const struct work *work, enum contender who,
                        double *values)
{
    struct bridge bridge = {.listener = -1};
    int result = -1;
    if (bridge_start(bench, who, work, &bridge) == 0 &&
        end_await_port(&bridge.relay, "/proc/net/tcp", bridge.port) == 0) {
        struct crowd crowd = {.listener = bridge.listener,
                              .wanted = work->workers > 0 ? HOSTED_CONNECTIONS : CONNECTIONS};
        crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
        crowd.address = (struct sockaddr_in){.sin_family = AF_INET};
        crowd.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        crowd.address.sin_port = htons((in_port_t)bridge.port);
        double start = now();
        result = serve_crowd(&crowd, &bridge.relay, work->count);
        values[0] = crowd.wanted / (now() - start);
        close(crowd.epoll);
    }
    bridge_end(&bridge);
    return result;
}

static long proportional_set(const char *pid)
{
    char path[300], line[128];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%s/smaps_rollup", pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Pss: %ld", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib;
}

static long parent_of(const char *pid)
{
    char path[300];
    long parent = 0;
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "r");
    if (file != NULL && fscanf(file, "%*d (%*[^)]) %*c %ld", &parent) != 1)
        parent = 0;
    if (file != NULL)
        fclose(file);
    return parent;
}

/* Of a process and its children, in KiB. */
static long memory_of(pid_t pid)
{
    long total = 0;
    DIR *processes = opendir("/proc");
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;)
        if (strtol(entry->d_name, NULL, 10) == pid || parent_of(entry->d_name) == pid)
            total += proportional_set(entry->d_name);
    if (processes != NULL)
        closedir(processes);
    return total;
}

/* Two descriptors here and two in the relay for each. */
static unsigned sessions_possible(unsigned wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return wanted;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    unsigned most =
        limit.rlim_cur > 2 * SESSIONS_MAX ? SESSIONS_MAX : (unsigned)(limit.rlim_cur - 300) / 2;
    return wanted < most ? wanted : most;
}

/* Opens sessions and says a byte in each, so that all of the relay's code has run. */
static int open_sessions(struct bridge *bridge, int (*fds)[2], unsigned count)
{
    char byte = 0;
    for (unsigned i = 0; i < count; i++) {
        fds[i][0] = end_connect(&bridge->relay, bridge->port);
        fds[i][1] = fds[i][0] < 0 ? -1 : end_accept(&bridge->relay, bridge->listener);
        if (fds[i][1] < 0 || end_write(fds[i][0], &byte, 1) < 0 ||
            end_read(fds[i][1], &byte, 1) < 0)
            return -1;
    }
    return 0;
}

static void close_sessions(int (*fds)[2], unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (int side = 0; side < 2; side++)
            if (fds[i][side] >= 0)
                close(fds[i][side]);
}

int measure_memory(const struct bench *bench, const struct work *work, enum contender who,
                   double *values)
{
    static int fds[SESSIONS_MAX][2];
    struct bridge bridge = {.listener = -1};
    unsigned count = sessions_possible(work->count);
    memset(fds, -1, sizeof fds);
    int result = bridge_start(bench, who, work, &bridge) < 0
                     ? -1
                     : end_await_port(&bridge.relay, "/proc/net/tcp", bridge.port);
    if (result == 0) {
        long before = memory_of(bridge.relay.pid);
        result = open_sessions(&bridge, fds, count);
        values[0] = (double)(memory_of(bridge.relay.pid) - before) / count;
    }
    close_sessions(fds, count);
    bridge_end(&bridge);
    return result;
}

int measure_startup(const struct bench *bench, const struct work *work, enum contender who,
                    double *values)
{
    const struct plumbing plumbing = {
        .left = "/dev/null", .right = "/dev/null", .one_way = true, .in = -1, .out = -1};
    double times[STARTS];
    (void)work;
    for (int i = 0; i < STARTS; i++) {
        double start = now();
        struct relay relay;
        if (relay_start(bench, who, &plumbing, &relay) < 0 || relay_wait(&relay) < 0)
            return -1;
        times[i] = (now() - start) * 1e6;
    }
    values[0] = quantile(times, STARTS, 0.5);
    return 0;
}
