#define _GNU_SOURCE
#include "tests/system/probe.h"
#include "tests/system/packets.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ARGUMENT "--probe"
#define HOLDS "holds"
#define LETS_GO "lets-go"

static const int watched[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTTIN, SIGTTOU};

/* The program's part. */

struct self {
    int control;
    int signals; /* they come out of here, so that none is missed */
    struct probe_report report;
};

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++)
        sigaddset(&set, watched[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        _exit(1);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int connect_to_test(const char *name)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    strncpy(place.sun_path, name, sizeof place.sun_path - 1);
    if (connect(fd, (const struct sockaddr *)&place, sizeof place) < 0)
        _exit(1);
    return fd;
}

static void tell_test(const struct self *self)
{
    if (send(self->control, &self->report, sizeof self->report, MSG_NOSIGNAL) < 0)
        _exit(1);
}

static bool take_signal(struct self *self)
{
    struct signalfd_siginfo info;
    if (read(self->signals, &info, sizeof info) != sizeof info)
        return false;
    self->report.signals |= 1U << info.ssi_signo;
    return true;
}

static bool takes_input(const struct self *self)
{
    return !self->report.is_child && !self->report.input_ended;
}

static bool take_input(struct self *self)
{
    char data[4096];
    struct pollfd ready = {STDIN_FILENO, POLLIN, 0};
    if (!takes_input(self) || poll(&ready, 1, 0) <= 0)
        return false;
    ssize_t count = read(STDIN_FILENO, data, sizeof data);
    self->report.input_ended = count <= 0;
    self->report.received += count > 0 ? (size_t)count : 0;
    return true;
}

static bool take_all(struct self *self)
{
    bool taken = false;
    while (take_signal(self) || take_input(self))
        taken = true;
    return taken;
}

static void carry_out(struct self *self, enum probe_order order)
{
    switch (order) {
    case PROBE_REPORT:
        (void)take_all(self);
        self->report.is_answer = true;
        tell_test(self);
        self->report.is_answer = false;
        break;
    case PROBE_WRITE:
        (void)!write(STDOUT_FILENO, PROBE_LINE, strlen(PROBE_LINE));
        break;
    case PROBE_CLOSE_OUTPUT:
        close(STDOUT_FILENO);
        break;
    case PROBE_EXIT:
        _exit(0);
    case PROBE_FAIL:
        _exit(PROBE_FAILURE);
    case PROBE_DIE:
        kill(getpid(), SIGKILL);
    }
}

/* The connection's end is that of the test. */
static void take_order(struct self *self)
{
    enum probe_order order;
    if (recv(self->control, &order, sizeof order, 0) != sizeof order)
        _exit(0);
    carry_out(self, order);
}

_Noreturn static void serve_test(struct self *self)
{
    tell_test(self);
    for (;;) {
        struct pollfd ready[] = {{self->control, POLLIN, 0},
                                 {self->signals, POLLIN, 0},
                                 {takes_input(self) ? STDIN_FILENO : -1, POLLIN, 0}};
        poll(ready, 3, -1);
        if (take_all(self))
            tell_test(self);
        if (ready[0].revents != 0)
            take_order(self);
    }
}

_Noreturn static void be_child(const char *name, bool holds)
{
    if (!holds) {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
    }
    struct self self = {.signals = open_signals(), .report.is_child = true};
    self.control = connect_to_test(name);
    serve_test(&self);
}

void probe_main(int argc, char **argv)
{
    if (argc != 4 || strcmp(argv[1], ARGUMENT) != 0)
        return;
    struct self self = {.control = connect_to_test(argv[2])};
    if (fork() == 0) {
        close(self.control);
        be_child(argv[2], strcmp(argv[3], HOLDS) == 0);
    }
    self.signals = open_signals();
    serve_test(&self);
}

/* The test's part. */

static const char *place_of_test(struct harness *harness)
{
    return path(harness, "probes");
}

int probe_listen(struct harness *harness)
{
    struct place place = place_path(harness, place_of_test(harness));
    int fd = packet_socket(harness, SOCK_SEQPACKET, 0, &place);
    assert_int_equal(listen(fd, 2), 0);
    return fd;
}

const char *probe_command(struct harness *harness, bool child_holds)
{
    char file[4096];
    ssize_t length = readlink("/proc/self/exe", file, sizeof file - 1);
    if (length < 0)
        harness_fail(harness, "readlink(\"/proc/self/exe\"): %s", strerror(errno));
    file[length] = '\0';
    const char *link = path(harness, "probe");
    if (symlink(file, link) < 0 && errno != EEXIST)
        harness_fail(harness, "symlink(\"%s\"): %s", link, strerror(errno));
    return text(harness, "%s " ARGUMENT " %s %s", link, place_of_test(harness),
                child_holds ? HOLDS : LETS_GO);
}

/* Waits for the next report, or the end. */
static void take_report(struct probe *probe)
{
    struct pollfd ready = {probe->control, POLLIN, 0};
    if (poll(&ready, 1, PATIENCE) <= 0)
        harness_fail(probe->harness, "%s says nothing: its input has%s ended, signals 0x%x",
                     probe->report.is_child ? "the child" : "the program",
                     probe->report.input_ended ? "" : " not", probe->report.signals);
    if (recv(probe->control, &probe->report, sizeof probe->report, 0) <= 0)
        probe->has_ended = true;
}

static struct probe accept_one(struct harness *harness, int listener)
{
    struct pollfd ready = {listener, POLLIN, 0};
    struct probe probe = {.harness = harness};
    if (poll(&ready, 1, PATIENCE) <= 0)
        harness_fail(harness, "the program has not been started");
    probe.control = harness_keep(harness, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    take_report(&probe);
    return probe;
}

void probes_accept(struct harness *harness, int listener, struct probe *program,
                   struct probe *child)
{
    *program = accept_one(harness, listener);
    *child = accept_one(harness, listener);
    if (!program->report.is_child)
        return;
    struct probe other = *program;
    *program = *child;
    *child = other;
}

void probe_tell(const struct probe *probe, enum probe_order order)
{
    assert_int_equal(send(probe->control, &order, sizeof order, MSG_NOSIGNAL), sizeof order);
}

/* What it said by itself comes before. */
void probe_ask(struct probe *probe)
{
    const enum probe_order order = PROBE_REPORT;
    if (!probe->has_ended && send(probe->control, &order, sizeof order, MSG_NOSIGNAL) < 0)
        probe->has_ended = true;
    probe->report.is_answer = false;
    while (!probe->has_ended && !probe->report.is_answer)
        take_report(probe);
}

void probe_gets_input(struct probe *probe)
{
    while (!probe->has_ended && probe->report.received == 0)
        take_report(probe);
}

void probe_gets_end_of_input(struct probe *probe)
{
    while (!probe->has_ended && !probe->report.input_ended)
        take_report(probe);
}

void probe_gets_signal(struct probe *probe, int number)
{
    while (!probe->has_ended && (probe->report.signals >> number & 1) == 0)
        take_report(probe);
}

void probe_ends(struct probe *probe)
{
    while (!probe->has_ended)
        take_report(probe);
}
