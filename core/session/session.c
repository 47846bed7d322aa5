#define _GNU_SOURCE
#include "core/session/session.h"

#include "core/base/lockfile.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/signals.h"
#include "core/command/features.h"
#include "core/process/programs.h"
#include "core/relay/halfclose.h"
#include "core/relay/relay.h"
#include "core/session/environment.h"
#include "core/session/leftovers.h"
#include "core/session/side.h"
#include "core/tty/terminals.h"
#include <errno.h>
#include <modcat/layer.h>
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
    enum session_result result = side_open(session, &session->sides[0]);
    if (result == SESSION_OPEN)
        result = side_open(session, &session->sides[1]);
    if (result != SESSION_OPEN)
        return result;
    terminals_pass_size(session);
    return side_give_up_privileges(session) < 0 ? SESSION_FAILED : SESSION_OPEN;
}

static void close_descriptor(int fd)
{
    if (fd >= 0 && close(fd) == 0)
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

/* A layer that was only read from has not said goodbye yet. */
static void take_leave(struct opened *opened)
{
    struct modcat_endpoint *endpoint = opened->endpoint;
    if ((opened->opening->directions & MODCAT_WRITE) == 0 && endpoint->ops != NULL &&
        endpoint->ops->shutdown != NULL)
        opened->half_closed = endpoint->ops->shutdown(endpoint) == 0;
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/* Tells all that stands below a layer that no more is written, too. */
static void half_close_below(const struct opened *opened, long long deadline)
{
    for (struct opened *level = opened->lower; level != NULL; level = level->lower)
        while (halfclose_by_type(level) < 0 && errno == EAGAIN)
            if (modcat_lower_wait(opened->opening, level->endpoint, MODCAT_WRITE, deadline) <= 0)
                return;
}

/* A socket that is closed while something is still to be read resets the connection, and what the
 * peer has not read yet is lost. Protocols send more than their users see: tickets, goodbyes. */
static void await_last_words(const struct opened *opened, long long deadline)
{
    const struct opened *lowest = opened;
    char ignored[4096];
    while (lowest->lower != NULL)
        lowest = lowest->lower;
    int fd = lowest->endpoint->read_fd;
    if (!is_stream(fd))
        return;
    while (modcat_deadline(0) < deadline) {
        ssize_t count = recv(fd, ignored, sizeof ignored, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN) ||
            (count < 0 && modcat_wait(opened->opening, fd, POLLIN, deadline) <= 0))
            return;
    }
}

static void part_from_peer(struct opened *opened)
{
    const struct settings *settings = opened->opening->session->settings;
    long long patience = settings->closing == MODCAT_FOREVER ? MODCAT_SECOND : settings->closing;
    long long deadline = modcat_deadline(patience);
    if (opened->lower == NULL || opened->opening->set.end_close)
        return;
    take_leave(opened);
    if (!opened->half_closed)
        return;
    half_close_below(opened, deadline);
    if (opened->ended || (opened->opening->directions & MODCAT_READ) == 0)
        await_last_words(opened, deadline);
}

static void close_endpoint(struct opened *opened)
{
    struct modcat_endpoint *endpoint = opened->endpoint;
    part_from_peer(opened);
    programs_release(opened->opening);
    if (endpoint->ops != NULL && endpoint->ops->close != NULL)
        endpoint->ops->close(endpoint);
    if (opened->lower != NULL || (endpoint->flags & MODCAT_INHERITED) != 0)
        return;
    shut_socket(opened, endpoint->write_fd);
    if (endpoint->read_fd != endpoint->write_fd) {
        shut_socket(opened, endpoint->read_fd);
        close_descriptor(endpoint->read_fd);
    }
    close_descriptor(endpoint->write_fd);
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

void session_finish(struct session *session)
{
    for (int i = 0; i < 2; i++) {
        close_endpoints(&session->sides[i].first);
        close_endpoints(&session->sides[i].second);
    }
    programs_bury(session);
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

/* One session's end is no end for the others. */
static void keep_open(const struct opened *opened)
{
    for (; opened != NULL && opened->opening != NULL; opened = opened->lower) {
        opened->opening->set.end_close = true;
        if (opened->opening->set.shut == SHUT_DEFAULT)
            opened->opening->set.shut = SHUT_NONE;
    }
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

int session_fork(struct session *session, const struct opening_settings *set)
{
    pid_t pid = fork();
    if (pid < 0) {
        log_error("fork(): %s", strerror(errno));
        return -1;
    }
    if (pid == 0) {
        become_child(session, set);
    } else {
        log_notice("forked off child process %d", (int)pid);
        children_add(&session->children, pid);
    }
    if (session->settings->fork_wait > 0)
        session_pause(session, session->settings->fork_wait * MODCAT_SECOND);
    return pid;
}
