/* Serving the peers of a listener.
 *
 *     waiting -> taken -> permitted -> SESSION_OPEN, without option fork
 *        ^         |          |
 *        |         |          +-> forked: the child settles its peer, SESSION_OPEN there;
 *        |         |              the parent closes it and waits again
 *        +---------+ gone already, or refused by a filter
 *
 * A peer is taken off the queue by the driver's `accept`, and judged by the filters before anything
 * is done for it. Dialogues that a peer can hold up (handshakes of layers) take place in its own
 * process. No failure of one peer ends the waiting; a shortage of descriptors or processes makes
 * peers wait in the system's queue. The waiting ends by accept-timeout, by an error of the listener
 * itself, or when the program is asked to end. */

#define _GNU_SOURCE
#include "core/serve/serve.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/shortage.h"
#include "core/base/signals.h"
#include "core/opening/environment.h"
#include "core/options/process_state.h"
#include "core/serve/fork.h"
#include "core/serve/hosting.h"
#include "core/serve/workers.h"
#include "core/services/process/children.h"
#include "core/services/process/stage.h"
#include "core/session/forget.h"
#include "core/session/layer.h"
#include "core/session/session.h"
#include <errno.h>
#include <modcat/net.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many peers are taken before the sessions of others go on. */
#define PEERS_AT_ONCE 16

/* A listening address and who is let in. */
struct server {
    struct session *session;
    struct modcat_opening *listening;
    struct modcat_listener *listener;
    struct environment *environment; /* as it was before the first peer */
    struct hosting *hosting;         /* of sessions in this process, or NULL */
    long long bound;                 /* the listening socket's own, or MODCAT_FOREVER */
    unsigned failures;               /* peers with whom no session came about */
};

static void close_listener(struct server *server)
{
    if (server->listener == NULL)
        return;
    if (server->listener->close != NULL)
        server->listener->close(server->listener);
    if (server->listener->fd >= 0)
        close(server->listener->fd);
    free(server->listener);
    server->listener = NULL;
    opening_free(server->listening);
}

static void log_listening(const struct server *server)
{
    char text[MODCAT_SOCKADDR_TEXT];
    struct modcat_sockaddr local = {.length = sizeof local.u};
    if (!log_shows(MODCAT_NOTICE) ||
        getsockname(server->listener->fd, &local.u.any, &local.length) < 0)
        return;
    const char *what = server->listener->waiting;
    log_notice("%s %s", what != NULL ? what : "listening on",
               modcat_sockaddr_text(&local.u.any, local.length, text));
}

static bool has_pending(const struct server *server)
{
    return server->listener->pending != NULL && server->listener->pending(server->listener);
}

/* Returns 1 when a peer waits, 0 at the end of accept-timeout, -1 with errno. */
static int wait_for_peer(const struct server *server)
{
    long long timeout = server->listening->set.accept_timeout;
    if (has_pending(server))
        return 1;
    long long deadline = modcat_deadline(timeout > 0 ? timeout : MODCAT_FOREVER);
    deadline = wait_earlier(deadline, modcat_deadline(server->bound));
    return session_wait_for(server->session, server->listener->fd, POLLIN, deadline);
}

/* accept-timeout has passed: what is under way comes to its own end. */
static enum session_result stop_waiting(struct server *server)
{
    log_warning("accept: Connection timed out");
    server->session->done_status = server->listening->set.accept_status;
    int result = 0;
    if (server->hosting != NULL) {
        log_notice("Waiting for sessions to terminate");
        result = hosting_wait_for_all(server->hosting);
    } else if (server->listening->set.fork != FORK_NOT) {
        log_notice("Waiting for child processes to terminate");
        result = children_wait_below(server->session, 1);
    }
    return result < 0 ? SESSION_FAILED : SESSION_DONE;
}

static void log_permitted(const struct sockaddr *peer, socklen_t length)
{
    char text[MODCAT_SOCKADDR_TEXT];
    if (peer != NULL && log_shows(MODCAT_INFO))
        log_info("permitting connection from %s", modcat_sockaddr_text(peer, length, text));
}

/* Returns 0 with the next peer that may come in, 1 when there is none, -1 on failure. What an
 * earlier peer has left in the environment must not be taken for this one's. */
static int accept_peer(const struct server *server, struct session *session, struct opened *opened)
{
    opened->opening = opening_for_peer(server->listening, session);
    opened->endpoint = layer_new_endpoint(server->listening->address);
    errno = 0;
    int result = server->listener->accept(server->listener, opened->opening, opened->endpoint);
    if (result > 0 && shortage_is_meant(errno) &&
        session_pause(server->session, SHORTAGE_PAUSE) < 0)
        result = -1;
    if (result == 0) {
        socklen_t length = 0;
        const struct sockaddr *peer = modcat_peer(opened->opening, &length);
        if (layer_names_peer(opened->opening) ||
            modcat_permit_peer(opened->opening, peer, length)) {
            log_permitted(peer, length);
            return 0;
        }
        result = 1;
    }
    session_close_opened(opened);
    return result;
}

static int take_peer(const struct server *server, struct opened *opened)
{
    if (server->hosting == NULL) {
        environment_restore(server->session->environment, server->environment);
        return accept_peer(server, server->session, opened);
    }
    int result = accept_peer(server, hosting_next(server->hosting), opened);
    if (result != 0)
        hosting_without_peer(server->hosting);
    return result;
}

/* Carries out what the options want of this peer's descriptors, and puts the layers on. */
static int settle_peer(struct opened *opened)
{
    struct process_state outside;
    if (process_enter(&opened->opening->set, &outside) < 0)
        return -1;
    int result = layer_complete(opened);
    if (process_leave(&outside) < 0)
        result = -1;
    return result;
}

static bool may_try_again(const struct server *server)
{
    const struct opening_settings *set = &server->listening->set;
    return set->forever || server->failures < set->retry;
}

/* Without `fork` options retry and forever wait for another peer after one that fails. */
static enum session_result settle_only_peer(struct server *server, struct opened *opened)
{
    bool again = may_try_again(server);
    for (struct modcat_opening *level = opened->opening; again && level != NULL;
         level = level->above)
        level->failure = MODCAT_NOTICE;
    int result = settle_peer(opened);
    if (result == 0)
        return SESSION_OPEN;
    if (result > 0) {
        session_close_opened(opened);
        return SESSION_DONE;
    }
    if (!again)
        return SESSION_FAILED;
    server->failures++;
    session_close_opened(opened);
    return session_pause(server->session, server->listening->set.interval) < 0 ? SESSION_FAILED
                                                                               : SESSION_DONE;
}

/* Returns SESSION_DONE in the process that goes on to wait. */
static enum session_result hand_over(struct server *server, struct opened *opened)
{
    if (server->listening->set.fork == FORK_NOT)
        return settle_only_peer(server, opened);
    int pid = fork_for_peer(server->session, &server->listening->set);
    if (pid < 0)
        return SESSION_FAILED;
    if (pid > 0) {
        session_leave_to_child(opened);
        log_info("still listening");
        return SESSION_DONE;
    }
    int result = settle_peer(opened);
    server->session->done = result > 0; /* a peer that is refused is no failure */
    return result == 0 && stage_begin_serving(server->session->stage) ? SESSION_OPEN
                                                                      : SESSION_FAILED;
}

/* With max-children. */
static int wait_for_room(const struct server *server)
{
    const struct queue_of_peers queue = {
        .fd = server->listener->fd,
        .known = has_pending(server),
    };
    int most = server->listening->set.max_children;
    return server->hosting != NULL ? hosting_wait_for_room(server->hosting, most, queue)
                                   : children_wait_for_room(server->session, most, queue);
}

/* Takes those who wait, as many as may come before others get their turn. Returns as
 * take_peer(). */
static int take_peers(struct server *server, struct opened *opened)
{
    const struct opening_settings *set = &server->listening->set;
    int count = server->listener->accept == modcat_listen_accept && set->max_children == 0
                    ? PEERS_AT_ONCE
                    : 1;
    int taken = 0;
    while (taken == 0 && count-- > 0) {
        if (!hosting_has_room(server->hosting, server->listener->fd))
            return session_pause(server->session, SHORTAGE_PAUSE) < 0 ? -1 : 1;
        if ((taken = take_peer(server, opened)) == 0)
            hosting_take(server->hosting, opened);
    }
    return taken < 0 ? -1 : 1;
}

static enum session_result serve(struct server *server, struct opened *opened)
{
    for (;;) {
        log_listening(server);
        if (wait_for_room(server) < 0)
            return SESSION_FAILED;
        int waiting = wait_for_peer(server);
        if (waiting == 0)
            return stop_waiting(server);
        int taken = waiting < 0               ? -1
                    : server->hosting != NULL ? take_peers(server, opened)
                                              : take_peer(server, opened);
        if (taken < 0)
            return SESSION_FAILED;
        if (taken > 0)
            continue;
        enum session_result result = hand_over(server, opened);
        if (result != SESSION_DONE)
            return result;
    }
}

/* Whoever comes now has to go elsewhere; those who are here may come to their end. */
static void drain(struct server *server)
{
    close_listener(server);
    server->session->serves = false;
    if (server->hosting != NULL)
        (void)hosting_wait_for_all(server->hosting);
    else
        (void)children_wait_below(server->session, 1);
    signals_end_drain();
}

static enum session_result serve_and_drain(struct server *server, struct opened *opened)
{
    server->session->serves = server->listening->set.fork != FORK_NOT;
    enum session_result result = serve(server, opened);
    if (server->session->serves && signals_draining() != 0)
        drain(server);
    server->session->serves = false;
    return result;
}

static enum session_result host(struct server *server, struct opened *opened)
{
    struct hosting hosting;
    if (hosting_start(&hosting, server->session, server->listening->set.max_children) < 0)
        return SESSION_FAILED;
    server->hosting = &hosting;
    log_lower_sessions(server->listening->set.children_shutup);
    enum session_result result = serve_and_drain(server, opened);
    close_listener(server);
    hosting_finish(&hosting);
    return result;
}

/* With workers the one that was asked only looks after them. */
static enum session_result host_in_workers(struct server *server, struct opened *opened)
{
    unsigned count = server->listening->set.workers;
    if (count > 0 && workers_run(server->session, count) == WORKERS_DONE) {
        close_listener(server);
        workers_wait(server->session);
        return SESSION_FAILED;
    }
    return host(server, opened);
}

enum session_result serve_peers(struct session *session, struct modcat_opening *listening,
                                struct modcat_listener *listener, struct opened *opened)
{
    struct server server = {.session = session, .listening = listening, .listener = listener};
    log_switch("starting accept loop");
    session_forget_prepared(listening);
    server.environment = environment_copy(session->environment);
    server.bound = session_socket_bound(listener->fd, POLLIN);
    enum session_result result = listening->set.fork == FORK_SESSION
                                     ? host_in_workers(&server, opened)
                                     : serve_and_drain(&server, opened);
    environment_free(server.environment);
    close_listener(&server);
    return result;
}
