#define _GNU_SOURCE
#include "core/session/session.h"

#include "core/base/lockfile.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/shortage.h"
#include "core/base/signals.h"
#include "core/command/features.h"
#include "core/services/net/socket.h"
#include "core/options/account.h"
#include "core/options/namespaces.h"
#include "core/services/process/programs.h"
#include "core/session/endpoint.h"
#include "core/relay/relay.h"
#include "core/opening/environment.h"
#include "core/opening/leftovers.h"
#include "core/session/parting.h"
#include "core/serve/side.h"
#include "core/services/tty/terminals.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void tell_process_id(const struct session *session, const char *name)
{
    AUTO_FREE char *id = memory_format("%d", (int)getpid());
    environment_set_prefixed(session->environment, name, id);
}

void session_start(struct session *session, const struct settings *settings,
                   struct address_pair *addresses[2])
{
    *session = (struct session){.settings = settings};
    session->environment = environment_new();
    environment_set_prefixed(session->environment, "VERSION", features_version(log_program()));
    tell_process_id(session, "PID");
    tell_process_id(session, "PPID");
    for (int i = 0; i < 2; i++)
        session->sides[i] = (struct side){
            .address = addresses[i],
            .directions = settings->directions[i],
            .number = i + 1,
        };
}

enum session_result session_open(struct session *session)
{
    if (accounts_look_up(session) < 0)
        return SESSION_FAILED;
    namespaces_open(session);
    enum session_result result = side_open(session, &session->sides[0]);
    if (result == SESSION_OPEN)
        result = side_open(session, &session->sides[1]);
    if (result != SESSION_OPEN)
        return result;
    terminals_pass_size(session);
    return side_give_up_privileges(session) < 0 ? SESSION_FAILED : SESSION_OPEN;
}

static void close_slowly(void *fd)
{
    close(*(int *)fd);
    free(fd);
}

/* With so-linger close(2) waits for the peer, whether the socket blocks or not. */
static void close_lingering(struct modcat_opening *opening, int fd)
{
    int *closing = memory_alloc(sizeof *closing);
    *closing = fd;
    (void)modcat_call_blocking(opening, close_slowly, closing);
}

static bool lingers(const struct opened *opened)
{
    for (; opened != NULL; opened = opened->lower)
        if (socket_option_given(opened->opening, "so-linger"))
            return true;
    return false;
}

static void close_descriptor(const struct opened *opened, int fd)
{
    if (fd < 0)
        return;
    if (lingers(opened))
        close_lingering(opened->opening, fd);
    else if (close(fd) < 0)
        return;
    log_info("close(%d)", fd);
}

int session_end_writing(int fd)
{
    int result = shutdown(fd, SHUT_WR);
    if (result == 0)
        log_info("shutdown(%d, %d)", fd, SHUT_WR);
    return result;
}

static void shut_socket(const struct opened *opened, int fd)
{
    if (fd < 0 || (opened->endpoint->flags & MODCAT_SOCKET) == 0 || opened->opening->set.end_close)
        return;
    if (shutdown(fd, SHUT_RDWR) == 0)
        log_info("shutdown(%d, %d)", fd, SHUT_RDWR);
}

/* Input that a program has not taken. Of a pipe nothing is known once its end is closed. */
static bool has_input_left(const struct opened *opened)
{
    const struct modcat_endpoint *endpoint = opened->endpoint;
    const unsigned both = MODCAT_PROGRAM | MODCAT_SOCKET;
    return (endpoint->flags & both) == both && endpoint->write_fd >= 0 &&
           endpoint_untaken(endpoint->write_fd) > 0;
}

static void close_endpoint(struct opened *opened)
{
    struct modcat_endpoint *endpoint = opened->endpoint;
    parting_from(opened);
    programs_release(opened->opening, opened->ended, has_input_left(opened));
    if (endpoint->ops != NULL && endpoint->ops->close != NULL)
        endpoint->ops->close(endpoint);
    if (opened->lower != NULL || (endpoint->flags & MODCAT_INHERITED) != 0)
        return;
    shut_socket(opened, endpoint->write_fd);
    if (endpoint->read_fd != endpoint->write_fd) {
        shut_socket(opened, endpoint->read_fd);
        close_descriptor(opened, endpoint->read_fd);
    }
    close_descriptor(opened, endpoint->write_fd);
}

/* The descriptors belong to the lowest level. */
static void close_endpoints(struct opened *opened)
{
    for (; opened != NULL; opened = opened->lower) {
        if (opened->endpoint != NULL)
            close_endpoint(opened);
        free(opened->endpoint);
        opened->endpoint = NULL;
    }
}

static void free_opened(struct opened *opened)
{
    if (opened->lower != NULL)
        free_opened(opened->lower);
    free(opened->lower);
    if (!opened->shares_opening)
        opening_free(opened->opening);
    *opened = (struct opened){0};
}

void session_close_opened(struct opened *opened)
{
    close_endpoints(opened);
    free_opened(opened);
}

void session_leave_to_child(struct opened *opened)
{
    for (struct opened *level = opened; level != NULL; level = level->lower)
        level->opening->set.end_close = true;
    session_close_opened(opened);
}

/* One session's end is no end for the others. */
static void keep_open(const struct opened *opened)
{
    for (; opened != NULL && opened->opening != NULL; opened = opened->lower) {
        opened->opening->set.end_close = true;
        if (opened->opening->set.shut == SHUT_DEFAULT)
            opened->opening->set.shut = SHUT_NONE;
    }
}

void session_finish(struct session *session)
{
    /* Those who serve peers go on with what was open before they were made. */
    if (session->children.count > 0) {
        keep_open(&session->sides[0].first);
        keep_open(&session->sides[0].second);
    }
    for (int i = 0; i < 2; i++) {
        close_endpoints(&session->sides[i].first);
        close_endpoints(&session->sides[i].second);
    }
    terminals_restore(session);
    leftovers_remove(session);
}

void session_free(struct session *session)
{
    for (int i = 0; i < 2; i++) {
        free_opened(&session->sides[i].first);
        free_opened(&session->sides[i].second);
        address_free(session->sides[i].address);
    }
    programs_forget(session);
    children_forget(&session->children);
    environment_free(session->environment);
    accounts_free(session);
}

void session_close(struct session *session)
{
    session_finish(session);
    session_free(session);
}

int session_wait(struct session *session, struct wait_entry *entries, size_t count,
                 long long deadline)
{
    for (;;) {
        if (signals_ending() != 0) {
            errno = ECANCELED;
            return -1;
        }
        if (signals_take_statistics())
            relay_log_statistics(session);
        if (signals_take_resized())
            terminals_resized(session);
        programs_pass_signals(session);
        if (signals_take_child()) {
            children_reap(&session->children);
            programs_reap(session);
            errno = EINTR;
            return -1;
        }
        int ready = wait_ready(entries, count, deadline);
        if (ready >= 0 || errno != EINTR)
            return ready;
    }
}

/* Children that end do not matter to somebody who waits for a descriptor. */
static int wait_through(struct session *session, struct wait_entry *entry, size_t count,
                        long long deadline)
{
    int ready;
    do
        ready = session_wait(session, entry, count, deadline);
    while (ready < 0 && errno == EINTR);
    return ready;
}

int session_pause(struct session *session, long long delay)
{
    return wait_through(session, NULL, 0, modcat_deadline(delay));
}

/* What options so-rcvtimeo and so-sndtimeo say about a call that blocks holds for waiting instead.
 * Returns the earlier one of two deadlines. */
static long long bound_by_socket(int fd, short events, long long deadline)
{
    struct timeval timeout = {0};
    socklen_t size = sizeof timeout;
    int name = (events & POLLIN) != 0 ? SO_RCVTIMEO : SO_SNDTIMEO;
    if (fd < 0 || getsockopt(fd, SOL_SOCKET, name, &timeout, &size) < 0 ||
        (timeout.tv_sec == 0 && timeout.tv_usec == 0))
        return deadline;
    long long bound = modcat_deadline(timeout.tv_sec * MODCAT_SECOND + timeout.tv_usec * 1000LL);
    return deadline == MODCAT_FOREVER || bound < deadline ? bound : deadline;
}

int modcat_wait(struct modcat_opening *opening, int fd, short events, long long deadline)
{
    struct wait_entry entry = {.fd = fd, .events = events};
    deadline = bound_by_socket(fd, events, deadline);
    return wait_through(opening->session, &entry, 1, deadline);
}

long long modcat_deadline(long long delay)
{
    return delay == MODCAT_FOREVER ? MODCAT_FOREVER : wait_now() + delay;
}

static int pause_for_lock(void *session)
{
    return session_pause(session, MODCAT_SECOND);
}

static int take_lock(struct session *session, const char *path, bool wait)
{
    int result = lockfile_take(path);
    if (result <= 0)
        return result;
    if (!wait) {
        log_error("could not obtain lock \"%s\"", path);
        return -1;
    }
    return lockfile_wait(path, pause_for_lock, session);
}

int session_lock(struct session *session, const char *path, bool wait)
{
    if (take_lock(session, path, wait) < 0)
        return -1;
    leftovers_add(session, path, "released lock");
    return 0;
}

/* What the first address had opened before the second one made this process is the parent's too. */
static void share_first_side(struct session *session)
{
    if (session->sides[1].first.endpoint == NULL && session->sides[1].second.endpoint == NULL)
        return;
    keep_open(&session->sides[0].first);
    keep_open(&session->sides[0].second);
}

static void become_child(struct session *session, const struct opening_settings *set)
{
    session->forked = true;
    children_forget(&session->children);
    programs_forget(session);
    share_first_side(session);
    tell_process_id(session, "PID");
    if (set->children_shutup > 0)
        log_lower(set->children_shutup);
    log_info("just born: child process %d", (int)getpid());
}

/* A limit of processes or memory does not end a server: the peer waits, and with it the queue. */
static pid_t fork_patiently(struct session *session)
{
    pid_t pid;
    while ((pid = fork()) < 0) {
        if (shortage_may_warn(&session->fork_quiet_until))
            log_warning("fork(): %s; trying again until it works", strerror(errno));
        if (session_pause(session, SHORTAGE_PAUSE) < 0)
            return -1;
    }
    return pid;
}

int session_fork(struct session *session, const struct opening_settings *set)
{
    struct children *children = &session->children;
    long long pause = session->settings->fork_wait * MODCAT_SECOND;
    struct stage *stage =
        set->max_children > 0 ? stage_new(&children->stages, (size_t)set->max_children) : NULL;
    pid_t pid = fork_patiently(session);
    if (pid < 0) {
        stage_free(stage);
        return -1;
    }
    if (pid == 0) {
        become_child(session, set);
        session->stage = stage;
    } else {
        log_notice("forked off child process %d", (int)pid);
        children_add(children, pid, stage, modcat_deadline(pause));
    }
    if (pause > 0)
        session_pause(session, pause);
    return pid;
}
