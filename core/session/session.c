#define _GNU_SOURCE
#include "core/session/session.h"

#include "core/base/lockfile.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/shortage.h"
#include "core/base/version.h"
#include "core/opening/environment.h"
#include "core/opening/leftovers.h"
#include "core/options/account.h"
#include "core/services/net/socket.h"
#include "core/services/process/children.h"
#include "core/services/process/programs.h"
#include "core/services/tty/terminals.h"
#include "core/session/endpoint.h"
#include "core/session/news.h"
#include "core/session/parting.h"
#include "core/session/taking.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

void session_tell_process(const struct session *session, const char *name)
{
    AUTO_FREE char *id = memory_format("%d", (int)getpid());
    environment_set_prefixed(session->environment, name, id);
}

static void bury_children(struct session *session)
{
    children_reap(session->children);
}

static void tell_size(struct session *session)
{
    session_for_all(session, terminals_resized);
    session_for_all(session, news_of_size);
}

static const struct session_events events = {
    .resized = tell_size,
    .pass_signals = programs_pass_signals,
    .child_ended = bury_children,
};

void session_start(struct session *session, const struct settings *settings,
                   struct address_pair *addresses[2], void (*statistics)(const struct session *))
{
    *session = (struct session){.settings = settings, .events = &events};
    session->log_statistics = statistics;
    session->children = children_new();
    session->environment = environment_new();
    environment_set_prefixed(session->environment, "VERSION", version_claimed(log_program()));
    session_tell_process(session, "PID");
    session_tell_process(session, "PPID");
    for (int i = 0; i < 2; i++)
        session->sides[i] = (struct side){
            .address = addresses[i],
            .directions = settings->directions[i],
            .number = i + 1,
        };
}

/* Its sides are those of the server; what the server has opened already is not shared. */
void session_start_hosted(struct session *session, struct session *server, unsigned number,
                          struct environment *environment)
{
    *session = (struct session){
        .settings = server->settings,
        .events = server->events,
        .log_statistics = server->log_statistics,
        .children = server->children,
        .accounts = server->accounts,
        .environment = environment,
        .server = server,
        .next_hosted = server->hosted,
        .number = number,
    };
    for (int i = 0; i < 2; i++)
        session->sides[i] = (struct side){
            .address = server->sides[i].address,
            .directions = server->sides[i].directions,
            .number = i + 1,
        };
    if (server->hosted != NULL)
        server->hosted->previous_hosted = session;
    server->hosted = session;
}

static void leave_server(struct session *session)
{
    if (session->previous_hosted != NULL)
        session->previous_hosted->next_hosted = session->next_hosted;
    else
        session->server->hosted = session->next_hosted;
    if (session->next_hosted != NULL)
        session->next_hosted->previous_hosted = session->previous_hosted;
}

static void close_slowly(void *fd)
{
    close(*(int *)fd);
}

/* With so-linger close(2) waits for the peer, whether the socket blocks or not. */
static void close_lingering(struct modcat_opening *opening, int fd)
{
    int *closing = memory_alloc(sizeof *closing);
    *closing = fd;
    if (modcat_call_blocking(opening, close_slowly, NULL, closing) == 0)
        free(closing);
}

static bool lingers(const struct opened *opened)
{
    for (; opened != NULL; opened = opened->lower)
        if (address_find_option(opened->opening->address, "so-linger") != NULL)
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
    bool both_ended = opened->half_closed && opened->ended;
    if (fd < 0 || both_ended || (opened->endpoint->flags & MODCAT_END_SOCKET) == 0 ||
        opened->opening->set.end_close)
        return;
    if (shutdown(fd, SHUT_RDWR) == 0)
        log_info("shutdown(%d, %d)", fd, SHUT_RDWR);
}

static void close_endpoint(struct opened *opened)
{
    struct modcat_endpoint *endpoint = opened->endpoint;
    parting_from(opened);
    programs_release(opened->opening, opened->ended, taking_left(opened) > 0);
    taking_forget(opened);
    if (endpoint->ops != NULL && endpoint->ops->close != NULL)
        endpoint->ops->close(endpoint);
    if (opened->lower != NULL || (endpoint->flags & MODCAT_END_INHERITED) != 0)
        return;
    shut_socket(opened, endpoint->write_fd);
    if (endpoint->read_fd != endpoint->write_fd) {
        shut_socket(opened, endpoint->read_fd);
        close_descriptor(opened, endpoint->read_fd);
    }
    close_descriptor(opened, endpoint->write_fd);
}

/* What its driver has opened itself, and not closed. */
static void close_ends(struct modcat_opening *opening)
{
    while (opening->ends != NULL) {
        struct lower_end *end = opening->ends;
        opening->ends = end->next;
        session_close_opened(end->opened);
        free(end->opened);
        free(end);
    }
}

/* The descriptors belong to the lowest level. */
static void close_endpoints(struct opened *opened)
{
    for (; opened != NULL; opened = opened->lower) {
        if (opened->endpoint != NULL)
            close_endpoint(opened);
        free(opened->endpoint);
        opened->endpoint = NULL;
        if (opened->opening != NULL && !opened->shares_opening)
            close_ends(opened->opening);
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

/* All levels, with those of the ends that their drivers have opened. */
static void for_all_levels(const struct opened *opened, void (*act)(struct opening_settings *set))
{
    for (; opened != NULL && opened->opening != NULL; opened = opened->lower) {
        act(&opened->opening->set);
        for (const struct lower_end *end = opened->opening->ends; end != NULL; end = end->next)
            for_all_levels(end->opened, act);
    }
}

static void close_only(struct opening_settings *set)
{
    set->end_close = true;
}

static void neither_shut_nor_tell(struct opening_settings *set)
{
    set->end_close = true;
    if (set->shut == SHUT_DEFAULT)
        set->shut = SHUT_NONE;
}

void session_leave_to_child(struct opened *opened)
{
    for_all_levels(opened, close_only);
    session_close_opened(opened);
}

/* One session's end is no end for the others. */
void session_keep_open(const struct opened *opened)
{
    for_all_levels(opened, neither_shut_nor_tell);
}

void session_finish(struct session *session)
{
    /* Those who serve peers go on with what was open before they were made. */
    if (children_count(session->children) > 0) {
        session_keep_open(&session->sides[0].first);
        session_keep_open(&session->sides[0].second);
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
    }
    programs_forget(session);
    environment_free(session->environment);
    if (session->server != NULL) {
        leave_server(session);
        return;
    }
    for (int i = 0; i < 2; i++)
        address_free(session->sides[i].address);
    children_free(session->children);
    accounts_free(session);
}

void session_close(struct session *session)
{
    session_finish(session);
    session_free(session);
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
        lockfile_report(path);
        return -1;
    }
    return lockfile_wait(path, pause_for_lock, session);
}

int session_lock(struct session *session, const struct address *of, const char *path, bool wait)
{
    if (take_lock(session, path, wait) < 0)
        return -1;
    leftovers_add(session, of, path, "released lock");
    return 0;
}
