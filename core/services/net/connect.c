/* Connecting stream and datagram sockets. */

#define _GNU_SOURCE
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/sockaddr.h"
#include "core/opening/opening.h"
#include "core/services/net/local.h"
#include "core/services/net/peer.h"
#include "core/services/net/socket.h"
#include "core/services/net/transport.h"
#include "core/services/net/unix.h"

#include <errno.h>
#include <modcat/layer.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

/* How long to wait before another try at a UNIX listener whose queue is full. */
#define QUEUE_PAUSE (MODCAT_SECOND / 50)

/* One try to connect. */
struct attempt {
    struct modcat_transport transport;
    struct modcat_sockaddr peer;
    struct modcat_sockaddr local;
    const char *target; /* host and port as the user wrote them, or NULL */
    bool low_port;      /* the port of `local` is any of 640 to 1023 */
};

int socket_connect_failed(struct modcat_opening *opening, int fd,
                          const struct modcat_sockaddr *peer, const char *target)
{
    char text[MODCAT_SOCKADDR_TEXT], plain[SOCKADDR_PLAIN_TEXT];
    enum modcat_level level = opening->failure;
    opening->tried = opening->trying;
    if (opening->trying && level < MODCAT_INFO)
        opening->failure = MODCAT_INFO;
    modcat_fail_call(opening, "connect to",
                     target != NULL ? target : sockaddr_plain_text(peer, plain), NULL,
                     "connect(%d, %s, %u)", fd,
                     modcat_sockaddr_text(&peer->u.any, peer->length, text), peer->length);
    opening->failure = level;
    return -1;
}

static int fail_timeout(struct modcat_opening *opening, const struct attempt *attempt)
{
    const struct modcat_sockaddr *peer = &attempt->peer;
    char text[MODCAT_SOCKADDR_TEXT], plain[SOCKADDR_PLAIN_TEXT];
    errno = ETIMEDOUT;
    return modcat_fail_call(
        opening, "connect to",
        attempt->target != NULL ? attempt->target : sockaddr_plain_text(peer, plain), NULL,
        "connecting to %s", modcat_sockaddr_text(&peer->u.any, peer->length, text));
}

/* A UNIX listener with a full queue says EAGAIN at once, and poll(2) does not tell when that
 * changes. */
static int start_connect(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *peer,
                         long long deadline, bool *expired)
{
    while (connect(fd, &peer->u.any, peer->length) < 0) {
        if (errno != EAGAIN || peer->u.any.sa_family != AF_UNIX)
            return -1;
        *expired = deadline != MODCAT_FOREVER && modcat_deadline(0) >= deadline;
        if (*expired || modcat_wait(opening, -1, 0, modcat_deadline(QUEUE_PAUSE)) < 0)
            return -1;
    }
    return 0;
}

/* Returns 0 when connected, -1 with errno, or with *expired when the deadline has passed. */
static int finish_connect(struct modcat_opening *opening, int fd, long long deadline, bool *expired)
{
    int error = 0;
    socklen_t size = sizeof error;
    int ready = modcat_wait(opening, fd, POLLOUT, deadline);
    if (ready < 0)
        return -1;
    *expired = ready == 0;
    if (*expired || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

static int connect_socket(struct modcat_opening *opening, int fd, const struct attempt *attempt)
{
    const struct modcat_sockaddr *peer = &attempt->peer;
    long long timeout = opening->set.connect_timeout;
    long long deadline = timeout > 0 ? modcat_deadline(timeout) : MODCAT_FOREVER;
    bool expired = false;
    int result = start_connect(opening, fd, peer, deadline, &expired);
    if (result < 0 && !expired && (errno == EINPROGRESS || errno == EINTR))
        result = finish_connect(opening, fd, deadline, &expired);
    if (result == 0 || (!expired && errno == ECANCELED))
        return result;
    return expired ? fail_timeout(opening, attempt)
                   : socket_connect_failed(opening, fd, peer, attempt->target);
}

static int connect_with_options(struct modcat_opening *opening, int fd,
                                const struct attempt *attempt)
{
    int bound = attempt->low_port ? socket_bind_low(opening, fd, &attempt->local)
                                  : modcat_bind(opening, fd, &attempt->local);
    if (bound == 0 && connect_socket(opening, fd, attempt) == 0)
        return 0;
    unix_unbind(opening);
    return -1;
}

static void take_note(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *peer)
{
    struct modcat_sockaddr local;
    char text[MODCAT_SOCKADDR_TEXT];
    socket_own_address(fd, &local);
    peer_note(opening, peer, &local);
    if (!log_shows(MODCAT_NOTICE))
        return;
    log_notice("successfully connected from local address %s",
               modcat_sockaddr_text(&local.u.any, local.length, text));
}

/* What the socket was made of tells what it is. */
static void make_endpoint(struct modcat_opening *opening, int fd,
                          const struct modcat_transport *transport,
                          struct modcat_endpoint *endpoint)
{
    struct modcat_transport actual;
    if (modcat_transport_chosen(opening, transport, &actual) < 0 ||
        actual.socktype != SOCK_STREAM || actual.protocol == IPPROTO_SCTP) {
        modcat_socket_endpoint(fd, endpoint);
        return;
    }
    socket_fill_endpoint(fd, (struct socket_kind){.is_stream = true}, endpoint);
    socket_mark_own(opening, endpoint);
}

/* Tries once. Options of phase FD come before connecting, so that they act on the handshake. */
static int try_once(struct modcat_opening *opening, const struct attempt *attempt,
                    struct modcat_endpoint *endpoint)
{
    const struct modcat_sockaddr *peer = &attempt->peer;
    char text[MODCAT_SOCKADDR_TEXT];
    if (log_shows(MODCAT_NOTICE))
        log_notice("opening connection to %s",
                   modcat_sockaddr_text(&peer->u.any, peer->length, text));
    int fd = modcat_socket(opening, &attempt->transport);
    if (fd < 0)
        return -1;
    if (modcat_apply(opening, MODCAT_PHASE_FD, fd) < 0 ||
        connect_with_options(opening, fd, attempt) < 0) {
        memory_close_local(&fd);
        return -1;
    }
    take_note(opening, fd, peer);
    make_endpoint(opening, fd, &attempt->transport, endpoint);
    return 0;
}

/* A failure is a warning, or what is less, while more addresses follow. */
static int try_quietly(struct modcat_opening *opening, const struct attempt *attempt, bool more,
                       struct modcat_endpoint *endpoint)
{
    enum modcat_level level = opening->failure;
    if (more && level < MODCAT_WARNING)
        opening->failure = MODCAT_WARNING;
    int result = try_once(opening, attempt, endpoint);
    opening->failure = level;
    return result;
}

static struct attempt attempt_for(const struct modcat_transport *transport, int family)
{
    struct attempt attempt = {.transport = transport_copy(transport)};
    attempt.transport.family = family;
    return attempt;
}

int modcat_connect_to(struct modcat_opening *opening, const struct modcat_transport *transport,
                      const struct modcat_sockaddr *peer, const struct modcat_sockaddr *local,
                      bool more, struct modcat_endpoint *endpoint)
{
    int family = transport->family != AF_UNSPEC ? transport->family : peer->u.any.sa_family;
    struct attempt attempt = attempt_for(transport, family);
    attempt.peer = *peer;
    if (local != NULL)
        attempt.local = *local;
    return try_quietly(opening, &attempt, more, endpoint);
}

/* What was resolved, and where from to connect. */
struct candidates {
    const char *target; /* host and port as the user wrote them */
    struct addrinfo *list;
    struct local_choice choice;
};

/* Tries an address that was resolved. */
static int try_candidate(struct modcat_opening *opening, const struct modcat_transport *transport,
                         const struct candidates *candidates, const struct addrinfo *item,
                         bool more, struct modcat_endpoint *endpoint)
{
    struct attempt attempt = attempt_for(transport, item->ai_family);
    attempt.peer.length = item->ai_addrlen;
    memcpy(&attempt.peer.u.storage, item->ai_addr, item->ai_addrlen);
    attempt.target = candidates->target;
    attempt.low_port = candidates->choice.low;
    local_for_family(&candidates->choice, item->ai_family, &attempt.local);
    return try_quietly(opening, &attempt, more, endpoint);
}

/* The first address that can be reached from what option bind asks for, or NULL. */
static const struct addrinfo *first_usable(const struct local_choice *choice,
                                           const struct addrinfo *item)
{
    struct modcat_sockaddr local;
    while (item != NULL && local_for_family(choice, item->ai_family, &local) < 0)
        item = item->ai_next;
    return item;
}

/* Each address is tried with all options: those that the last one used are given back. */
static int try_candidates(struct modcat_opening *opening, const struct modcat_transport *transport,
                          const struct candidates *candidates, struct modcat_endpoint *endpoint)
{
    const struct local_choice *choice = &candidates->choice;
    size_t size = opening->address->option_count * sizeof *opening->used;
    AUTO_FREE bool *used = memory_alloc(size);
    const struct addrinfo *item = first_usable(choice, candidates->list);
    if (item == NULL)
        return modcat_fail(opening, "bind=%s: none of its addresses can reach one of the peer's",
                           choice->text != NULL ? choice->text : "");
    memcpy(used, opening->used, size);
    while (item != NULL) {
        const struct addrinfo *next = first_usable(choice, item->ai_next);
        memcpy(opening->used, used, size);
        if (try_candidate(opening, transport, candidates, item, next != NULL, endpoint) == 0)
            return 0;
        if (errno == ECANCELED)
            return -1;
        item = next;
    }
    return -1;
}

int modcat_connect_host(struct modcat_opening *opening, const struct modcat_transport *transport,
                        const char *host, const char *service, struct modcat_endpoint *endpoint)
{
    AUTO_FREE char *target = host != NULL && host[0] != '\0' && service != NULL
                                 ? memory_format("%s:%s", host, service)
                                 : NULL;
    struct candidates candidates = {.target = target};
    if (host != NULL && host[0] != '\0')
        modcat_set_peer_name(opening, host);
    if (modcat_resolve(opening, transport, host, service, 0, &candidates.list) < 0)
        return -1;
    int result = socket_apply_early(opening);
    if (result == 0)
        result = local_choose(opening, transport, &candidates.choice);
    if (result == 0) {
        log_switch("starting connect loop");
        result = try_candidates(opening, transport, &candidates, endpoint);
        local_free(&candidates.choice);
    }
    freeaddrinfo(candidates.list);
    return result;
}
