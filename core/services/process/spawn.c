/* Starting a program: by a child process, or in place of this one (option nofork).
 *
 * The child gets its descriptors, options of the phases LATE and LATE2, and environment, and
 * tells through a pipe that is closed by execve(2) whether it has become the program: a program
 * that cannot be started is an error of the opening, with the reason. The parent's ends are
 * close-on-exec, so no other program inherits them. Between fork(2) and execve(2) nothing of the
 * session is removed or restored by the child, whatever happens. */

#define _GNU_SOURCE
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/signals.h"
#include "core/loop/loop.h"
#include "core/opening/session_state.h"
#include "core/registry/tables.h"
#include "core/services/process/channel.h"
#include "core/services/process/children.h"
#include "core/services/process/exec.h"
#include "core/services/process/programs.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <modcat/process.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a shell, too, adds to the number of the signal that has ended a program. */
#define SIGNAL_STATUS 128

/* A descriptor's number in the program; of use only in a direction that is wanted. */
static int read_number(struct modcat_opening *opening, const char *name, int otherwise,
                       unsigned direction, const char *other_mode)
{
    const struct modcat_value *value = modcat_option_value(opening, name);
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
    if (value == NULL)
        return otherwise;
    if ((modcat_directions(opening) & direction) == 0)
        return modcat_fail(opening, "option %s is useless in %s mode", name, other_mode);
    getrlimit(RLIMIT_NOFILE, &limit);
    if ((rlim_t)value->number + 1 >= limit.rlim_cur)
        return modcat_fail(opening, "option %s: %lld is beyond the limit of %llu descriptors", name,
                           value->number, (unsigned long long)limit.rlim_cur);
    return (int)value->number;
}

static int read_descriptor_options(struct modcat_opening *opening, struct child *child)
{
    child->fdin = read_number(opening, "fdin", STDIN_FILENO, MODCAT_DIR_WRITE, "read-only");
    child->fdout = child->fdin < 0 ? -1
                                   : read_number(opening, "fdout", STDOUT_FILENO, MODCAT_DIR_READ,
                                                 "write-only");
    child->to_stderr = modcat_option_bool(opening, "stderr", false);
    return child->fdout < 0 ? -1 : 0;
}

static unsigned long passed_signals(struct modcat_opening *opening)
{
    static const struct {
        const char *option;
        int number;
    } signals[] = {{"sighup", SIGHUP}, {"sigint", SIGINT}, {"sigquit", SIGQUIT}};
    unsigned long passed = 0;
    for (size_t i = 0; i < MODCAT_COUNT(signals); i++)
        if (modcat_option_value(opening, signals[i].option) != NULL)
            passed |= 1UL << signals[i].number;
    return passed;
}

/* As long as the variable FORK_WAIT says, on both sides of a fork: for debuggers. */
static void pause_after_fork(struct session *session)
{
    if (session->settings->fork_wait > 0)
        session_pause(session, session->settings->fork_wait * MODCAT_SECOND);
}

/* Tells the parent by one byte that there will be no program; exec(3) closes the descriptor. */
_Noreturn static void run_child(const struct child *child, int ready_fd)
{
    loop_leave();
    log_info("just born: child process %d", (int)getpid());
    pause_after_fork(child->opening->session);
    int high = fcntl(ready_fd, F_DUPFD_CLOEXEC, child_first_free(child));
    ready_fd = high >= 0 ? high : ready_fd;
    child_become_program(child);
    (void)!write(ready_fd, "", 1);
    _exit(1);
}

/* Returns 0 when the program runs, -1 when it does not, or when we are asked to end. */
static int wait_until_ready(struct modcat_opening *opening, int ready_fd)
{
    char byte;
    if (modcat_wait(opening, ready_fd, POLLIN, MODCAT_FOREVER) < 0)
        return -1;
    if (read(ready_fd, &byte, 1) != 0) {
        errno = ECHILD;
        return -1;
    }
    log_info("child process notified parent that it is ready");
    return 0;
}

/* A child that did not make it has said why. */
static void give_up(pid_t pid)
{
    int error = errno;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    errno = error;
}

/* Returns the program's process, or -1 after reporting. */
static pid_t start(const struct child *child)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return modcat_fail_call(child->opening, "make a pipe", NULL, NULL,
                                "pipe2(ends, O_CLOEXEC)");
    AUTO_CLOSE int ready_fd = ends[0];
    pid_t pid = fork();
    if (pid == 0)
        run_child(child, ends[1]);
    int error = errno;
    close(ends[1]);
    if (pid < 0)
        return modcat_fail_call(child->opening, "start a process", NULL, strerror(error), "fork()");
    log_notice("forked off child process %d", (int)pid);
    pause_after_fork(child->opening->session);
    if (wait_until_ready(child->opening, ready_fd) == 0)
        return pid;
    give_up(pid);
    return -1;
}

/* A program that has ended already is noticed at once: its signal may have been taken before. */
static int start_and_remember(struct child *child, struct channel *channel)
{
    struct modcat_opening *opening = child->opening;
    unsigned long passed = passed_signals(opening);
    child->in = channel->in;
    child->out = channel->out;
    pid_t pid = start(child);
    channel_close_theirs(channel);
    if (pid < 0)
        return -1;
    child_take_options(opening);
    programs_add(opening, pid, child->program, passed);
    programs_reap(opening->session);
    return 0;
}

static int spawn(struct child *child, struct modcat_endpoint *endpoint)
{
    struct modcat_opening *opening = child->opening;
    const struct transport *transport = channel_transport(opening);
    struct channel channel;
    log_notice("forking off child, using %s for %s", channel_name(transport),
               modcat_directions_name(opening));
    if (channel_open(opening, transport, &channel) < 0)
        return -1;
    if (start_and_remember(child, &channel) < 0) {
        channel_close_ours(&channel);
        return -1;
    }
    endpoint->read_fd = channel.read_fd;
    endpoint->write_fd = channel.write_fd;
    endpoint->half_close = channel_half_close(transport);
    endpoint->flags = channel.flags | MODCAT_END_PROGRAM;
    endpoint->ops = channel.ops;
    endpoint->state = opening;
    return 0;
}

static bool does_work_itself(const struct opened *opened)
{
    const struct modcat_endpoint_ops *ops =
        opened != NULL && opened->endpoint != NULL ? opened->endpoint->ops : NULL;
    return ops != NULL && (ops->read != NULL || ops->write != NULL);
}

static bool changes_data(const struct opened *opened)
{
    const struct opening_settings *set = opened != NULL ? &opened->opening->set : NULL;
    return set != NULL && (set->line_end != LINE_END_RAW || set->ignoreeof || set->readbytes > 0 ||
                           set->escape >= 0);
}

/* The program gets a descriptor that blocks, as programs expect. */
static int hand_over(const struct modcat_endpoint *endpoint, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0 && (endpoint->flags & MODCAT_END_INHERITED) == 0)
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return fd;
}

static int check_replacement(const struct child *child)
{
    const struct session *session = child->opening->session;
    const struct address_pair *right = session->sides[1].address;
    if (child->opening->address != right->first || right->second != NULL ||
        child->opening->address->upper != NULL)
        return modcat_fail(
            child->opening,
            "option nofork is for a program that stands alone as the second address");
    return 0;
}

/* What is typed at the terminal is for the program, as with system(3). */
static int wait_for_end(struct session *session, pid_t pid, int *status)
{
    pid_t ended;
    signals_divert(SIGINT, true);
    signals_divert(SIGQUIT, true);
    while ((ended = waitpid(pid, status, WNOHANG)) == 0)
        if (session_wait(session, NULL, 0, MODCAT_FOREVER) < 0 && errno != EINTR)
            break;
    signals_divert(SIGINT, false);
    signals_divert(SIGQUIT, false);
    return ended > 0 ? 0 : -1;
}

/* The program is all that is left of the session. Returns -1 when it has ended, or when we are
 * asked to end, which leaves it alone. */
static int run_and_wait(const struct child *child)
{
    struct session *session = child->opening->session;
    int status;
    pid_t pid = fork();
    if (pid < 0)
        return modcat_fail_call(child->opening, "start a process", NULL, NULL, "fork()");
    if (pid == 0) {
        pause_after_fork(session);
        child_become_program(child);
        _exit(1);
    }
    log_notice("forked off child process %d", (int)pid);
    pause_after_fork(session);
    if (wait_for_end(session, pid, &status) < 0)
        return -1;
    session->done = true;
    session->done_status =
        WIFEXITED(status) ? WEXITSTATUS(status) : SIGNAL_STATUS + WTERMSIG(status);
    children_log_end(session->done_status != 0 ? MODCAT_WARNING : MODCAT_INFO, pid, status);
    return -1;
}

static int replace(struct child *child)
{
    struct modcat_opening *opening = child->opening;
    struct side *left = &opening->session->sides[0];
    unsigned directions = modcat_directions(opening);
    if (check_replacement(child) < 0)
        return -1;
    struct opened *source = (directions & MODCAT_DIR_WRITE) != 0 ? side_reader(left) : NULL;
    struct opened *sink = (directions & MODCAT_DIR_READ) != 0 ? side_writer(left) : NULL;
    if (does_work_itself(source) || does_work_itself(sink))
        return modcat_fail(opening,
                           "with option nofork, openssl and readline in address1 do not work");
    if (changes_data(source) || changes_data(sink))
        log_warning("with option nofork, options cr, crnl, escape, ignoreeof and readbytes of "
                    "address1 do not work");
    if (source != NULL)
        child->in = hand_over(source->endpoint, source->endpoint->read_fd);
    if (sink != NULL)
        child->out = hand_over(sink->endpoint, sink->endpoint->write_fd);
    return child->program->stays_child ? run_and_wait(child) : child_become_program(child);
}

int modcat_spawn(struct modcat_opening *opening, const struct modcat_program *program,
                 struct modcat_endpoint *endpoint)
{
    struct modcat_program known;
    struct child child = {.opening = opening, .program = &known, .in = -1, .out = -1};
    tables_copy(&known, sizeof known, program, program->size);
    bool in_place = modcat_option_bool(opening, "nofork", false);
    if (read_descriptor_options(opening, &child) < 0)
        return -1;
    return in_place ? replace(&child) : spawn(&child, endpoint);
}
