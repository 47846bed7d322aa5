/* Listening sockets, and the peers that come to them. */

#define _GNU_SOURCE
#include "core/base/failure.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/patient.h"
#include "core/base/shortage.h"
#include "core/base/sockaddr.h"
#include "core/opening/opening.h"
#include "core/services/net/filter.h"
#include "core/services/net/local.h"
#include "core/services/net/peer.h"
#include "core/services/net/socket.h"
#include "core/services/net/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A listener of ours. */
struct listening {
    bool blocks;             /* its descriptor is shared with others, and was not switched */
    struct socket_kind kind; /* which its peers' sockets are of, too */
    long long quiet_until;   /* when a shortage may be reported again */
};

/* What errors of accept(2) mean that leave the listener as it is. Those of the network belong to
 * the one connection: see accept(2). */
enum meaning { MEANING_NOBODY, MEANING_GONE, MEANING_SHORTAGE, MEANING_FAILURE };
static const struct {
    int error;
    enum meaning meaning;
} meanings[] = {
    {EAGAIN, MEANING_NOBODY},    {EINTR, MEANING_NOBODY},     {ECONNABORTED, MEANING_GONE},
    {EPROTO, MEANING_GONE},      {EPERM, MEANING_GONE},       {ENETDOWN, MEANING_GONE},
    {ENETUNREACH, MEANING_GONE}, {EHOSTDOWN, MEANING_GONE},   {EHOSTUNREACH, MEANING_GONE},
    {ENONET, MEANING_GONE},      {ENOPROTOOPT, MEANING_GONE},
};

static enum meaning meaning_of(int error)
{
    for (size_t i = 0; i < MODCAT_COUNT(meanings); i++)
        if (meanings[i].error == error)
            return meanings[i].meaning;
    return shortage_is_meant(error) ? MEANING_SHORTAGE : MEANING_FAILURE;
}

/* A shortage lasts, and the peers wait in the queue meanwhile: it is reported once a second. */
static void report_shortage(struct listening *listening, int fd)
{
    int saved = errno;
    if (shortage_may_warn(&listening->quiet_until))
        log_failure(MODCAT_WARNING, "accept a connection", NULL, NULL, "accept(%d, ...)", fd);
    errno = saved;
}

static int accept_failed(struct modcat_listener *listener, struct modcat_opening *opening)
{
    switch (meaning_of(errno)) {
    case MEANING_NOBODY:
        return 1;
    case MEANING_GONE:
        log_failure(MODCAT_NOTICE, "accept a connection", NULL, NULL, "accept(%d, ...)",
                    listener->fd);
        return 1;
    case MEANING_SHORTAGE:
        report_shortage(listener->state, listener->fd);
        return 1;
    case MEANING_FAILURE:
        break;
    }
    return modcat_fail_call(opening, "accept a connection", NULL, NULL, "accept(%d, ...)",
                            listener->fd);
}

static int accept_peer(const struct modcat_listener *listener, struct modcat_sockaddr *peer)
{
    const struct listening *listening = listener->state;
    const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    peer->length = sizeof peer->u.storage;
    if (listening->blocks)
        return patient_accept(listener->fd, &peer->u.any, &peer->length, flags);
    return accept4(listener->fd, &peer->u.any, &peer->length, flags);
}

static void introduce(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *peer)
{
    char peer_text[MODCAT_SOCKADDR_TEXT], local_text[MODCAT_SOCKADDR_TEXT];
    struct modcat_sockaddr local;
    socket_own_address(fd, &local);
    if (log_shows(MODCAT_NOTICE))
        log_notice("accepting connection from %s on %s",
                   modcat_sockaddr_text(&peer->u.any, peer->length, peer_text),
                   modcat_sockaddr_text(&local.u.any, local.length, local_text));
    peer_note(opening, peer, &local);
    modcat_set_peer(opening, &peer->u.any, peer->length, &local.u.any, local.length);
}

int modcat_listen_accept(struct modcat_listener *listener, struct modcat_opening *opening,
                         struct modcat_endpoint *endpoint)
{
    const struct listening *listening = listener->state;
    struct modcat_sockaddr peer;
    int fd = accept_peer(listener, &peer);
    if (fd < 0)
        return accept_failed(listener, opening);
    introduce(opening, fd, &peer);
    if (listening->kind.is_stream) {
        socket_fill_endpoint(fd, listening->kind, endpoint);
        socket_mark_own(opening, endpoint);
    } else {
        modcat_socket_endpoint(fd, endpoint);
    }
    return 0;
}

static void listen_close(struct modcat_listener *listener)
{
    free(listener->state);
    listener->state = NULL;
}

static void fill_in(struct modcat_listener *listener, int fd)
{
    struct listening *listening = memory_zeroed(1, sizeof *listening);
    listening->kind = socket_kind_of(fd);
    listening->blocks = (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
    listener->fd = fd;
    listener->accept = modcat_listen_accept;
    listener->close = listen_close;
    listener->state = listening;
}

static int fail_listen(const struct modcat_opening *opening, int fd, int backlog)
{
    struct modcat_sockaddr local;
    char text[SOCKADDR_PLAIN_TEXT];
    int error = errno;
    socket_own_address(fd, &local);
    errno = error;
    return modcat_fail_call(opening, "listen on", sockaddr_plain_text(&local, text), NULL,
                            "listen(%d, %d)", fd, backlog);
}

static int start_listening(struct modcat_opening *opening, int fd)
{
    int backlog = opening->set.backlog >= 0 ? opening->set.backlog : SOMAXCONN;
    if (modcat_apply(opening, MODCAT_PHASE_LISTEN, fd) < 0)
        return -1;
    return listen(fd, backlog) < 0 ? fail_listen(opening, fd, backlog) : 0;
}

int modcat_listen_on(struct modcat_opening *opening, const struct modcat_transport *transport,
                     const struct modcat_sockaddr *local, struct modcat_listener *listener)
{
    int fd = modcat_socket(opening, transport);
    if (fd < 0)
        return -1;
    if (socket_bind_listening(opening, fd, local) < 0 || start_listening(opening, fd) < 0) {
        unix_unbind(opening);
        memory_close_local(&fd);
        return -1;
    }
    fill_in(listener, fd);
    return 0;
}

static int check_listening(struct modcat_opening *opening, int fd)
{
    struct modcat_sockaddr local;
    int listens = 0;
    socklen_t size = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0)
        return modcat_fail_call(opening, "use the file descriptor to listen", NULL, NULL,
                                "getsockopt(%d, SOL_SOCKET, SO_ACCEPTCONN, ...)", fd);
    if (!listens) {
        errno = EINVAL;
        return modcat_fail(opening, "file descriptor %d is not a listening socket", fd);
    }
    socket_own_address(fd, &local);
    return filter_prepare(opening, local.u.any.sa_family);
}

int modcat_listen_fd(struct modcat_opening *opening, int fd, struct modcat_listener *listener)
{
    if (check_listening(opening, fd) < 0 || modcat_apply(opening, MODCAT_PHASE_LISTEN, fd) < 0)
        return -1;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return modcat_fail_call(opening, "use the file descriptor to listen", NULL, NULL,
                                "fcntl(%d, F_SETFD, FD_CLOEXEC)", fd);
    fill_in(listener, fd);
    return 0;
}

int modcat_listen_service(struct modcat_opening *opening, const struct modcat_transport *transport,
                          const char *service, struct modcat_listener *listener)
{
    struct modcat_transport actual;
    struct modcat_sockaddr local;
    if (local_for_service(opening, transport, service, &actual, &local) < 0)
        return -1;
    return modcat_listen_on(opening, &actual, &local, listener);
}
