#define _GNU_SOURCE
#include "core/services/datagram/operations.h"

#include "core/base/failure.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/sockaddr.h"
#include "core/opening/opening.h"
#include "core/services/datagram/ancillary.h"
#include "core/services/net/socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REASON_TEXT 160

/* An endpoint of a datagram socket. */
struct datagram {
    struct modcat_opening *opening;
    int fd;
    struct modcat_sockaddr target;
    enum datagram_senders senders;
    struct packet_queue pending;
    bool ends;            /* the end comes after what is pending */
    bool has_header;      /* packets come with their IP header */
    bool collects_errors; /* as ancillary.h says */
};

void datagram_log_received(const struct packet_facts *facts)
{
    char text[MODCAT_SOCKADDR_TEXT];
    if (log_shows(MODCAT_NOTICE))
        log_notice("received packet with %zu bytes from %s", facts->size,
                   modcat_sockaddr_text(&facts->from.u.any, facts->from.length, text));
}

/* While a socket was bound and not connected yet, the kernel has given it packets of anybody. One
 * that it was still delivering then, on another processor, comes to light only now. It must not be
 * taken for the peer's; its own sender has lost it. */
static bool is_strange(const struct datagram *datagram, const struct modcat_sockaddr *from)
{
    const struct modcat_sockaddr *peer = &datagram->opening->peer;
    char text[MODCAT_SOCKADDR_TEXT];
    if (datagram->senders != DATAGRAM_CONNECTED || peer->length == 0 || from->length == 0 ||
        sockaddr_same(from, peer))
        return false;
    log_warning("a packet of %s came to another peer's socket and is dropped",
                modcat_sockaddr_text(&from->u.any, from->length, text));
    return true;
}

static bool is_wanted(struct datagram *datagram, const struct modcat_sockaddr *from)
{
    if (is_strange(datagram, from))
        return false;
    if (datagram->senders == DATAGRAM_FILTERED)
        return modcat_permit_peer(datagram->opening, &from->u.any, from->length);
    if (datagram->senders != DATAGRAM_TARGET || sockaddr_same(from, &datagram->target))
        return true;
    log_info("recvfrom(): wrong peer address, ignoring packet");
    return false;
}

static size_t without_header(const struct datagram *datagram, void *buffer, size_t length)
{
    return datagram->has_header ? packet_strip_header(buffer, length) : length;
}

static ssize_t read_pending(struct datagram *datagram, void *buffer, size_t length)
{
    AUTO_FREE struct packet *packet = packet_queue_next(&datagram->pending);
    packet->length = without_header(datagram, packet->data, packet->length);
    datagram->ends = datagram->senders == DATAGRAM_NOBODY;
    datagram_log_received(&packet->facts);
    return (ssize_t)packet_copy(packet, buffer, length);
}

static const struct modcat_endpoint_ops datagram_ops;
static const char datagram_collects = 0; /* its address is a sign */

bool datagram_is_plain(const struct modcat_endpoint *endpoint)
{
    const unsigned wanted = MODCAT_END_SOCKET | MODCAT_END_MESSAGES;
    bool own = endpoint->ops == &datagram_ops || endpoint->ops == &datagram_connected_ops;
    return own && (endpoint->flags & wanted) == wanted;
}

static struct datagram *state_of(const struct modcat_endpoint *endpoint)
{
    return endpoint->ops == &datagram_ops ? endpoint->state : NULL;
}

int datagram_fd(const struct modcat_endpoint *endpoint)
{
    const struct datagram *datagram = state_of(endpoint);
    return datagram != NULL ? datagram->fd : endpoint->write_fd;
}

ssize_t datagram_take(struct modcat_endpoint *endpoint, const struct packet_facts *facts,
                      void *data, size_t room)
{
    struct datagram *datagram = state_of(endpoint);
    size_t length = facts->size < room ? facts->size : room;
    if (datagram != NULL && !is_wanted(datagram, &facts->from)) {
        errno = EAGAIN;
        return -1;
    }
    if (datagram != NULL) {
        datagram_log_received(facts);
        ancillary_tell(facts, NULL);
    }
    packet_warn_cut(facts->size, room);
    return (ssize_t)(datagram != NULL ? without_header(datagram, data, length) : length);
}

/* A connected endpoint has no state: it only has to know this. */
static bool collects_errors(const struct modcat_endpoint *endpoint)
{
    const struct datagram *datagram = state_of(endpoint);
    return datagram != NULL ? datagram->collects_errors : endpoint->state == &datagram_collects;
}

/* With ip-recverr the errors of packets that were sent are told, and are the end of nothing: who
 * asks for them wants to live with them, and anybody can forge them. They are taken off the socket
 * in any case, for until then it polls as ready. */
int datagram_read_failed(struct modcat_endpoint *endpoint)
{
    if (collects_errors(endpoint) && ancillary_tell_errors(endpoint->read_fd) > 0)
        errno = EAGAIN;
    return -1;
}

/* True when a packet could not be sent because an earlier one has failed, and can be now. */
static bool failed_for_earlier(const struct modcat_endpoint *endpoint)
{
    return errno != EAGAIN && errno != EINTR && errno != EMSGSIZE && collects_errors(endpoint) &&
           ancillary_tell_errors(endpoint->read_fd) > 0;
}

static ssize_t datagram_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct datagram *datagram = endpoint->state;
    endpoint->flags &= ~MODCAT_END_REPORTED;
    if (datagram->pending.first != NULL)
        return read_pending(datagram, buffer, length);
    if (datagram->ends)
        return 0;
    struct packet_facts facts;
    if (packet_read(datagram->fd, buffer, length, &facts) < 0)
        return datagram_read_failed(endpoint);
    return datagram_take(endpoint, &facts, buffer, length);
}

static bool datagram_pending(struct modcat_endpoint *endpoint)
{
    const struct datagram *datagram = endpoint->state;
    return datagram->ends || datagram->pending.first != NULL;
}

/* A receiver on a UNIX socket whose queue is full: poll(2) tells when that changes for connected
 * sockets only, so that one is made to wait with. The packets themselves leave by the other one,
 * whose address the receiver answers to. */
static int wait_for_receiver(struct modcat_endpoint *endpoint)
{
    const struct datagram *datagram = endpoint->state;
    if (endpoint->write_fd == datagram->fd) {
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
            return -1;
        endpoint->write_fd = fd;
    }
    if (connect(endpoint->write_fd, &datagram->target.u.any, datagram->target.length) < 0)
        return -1;
    errno = EAGAIN;
    return -1;
}

/* Whether a broadcast was refused for want of option broadcast, or the way there is closed: with
 * the option, only the latter fails. */
static bool lacks_broadcast(const struct modcat_sockaddr *target)
{
    const int on = 1;
    int saved = errno;
    if (target->u.any.sa_family != AF_INET)
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool lacks = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0 &&
                 connect(fd, &target->u.any, target->length) == 0;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return lacks;
}

bool datagram_outlives(const struct modcat_endpoint *endpoint, int error)
{
    const struct datagram *datagram = state_of(endpoint);
    if (datagram == NULL || datagram->target.length <= sizeof(sa_family_t) ||
        (datagram->senders != DATAGRAM_FILTERED && datagram->senders != DATAGRAM_NOBODY))
        return false;
    return error != EAGAIN && error != EINTR && error != EDESTADDRREQ && error != EAFNOSUPPORT &&
           !datagram_is_broken(error) && (error != EACCES || !lacks_broadcast(&datagram->target));
}

static const char *reason_for(int error, bool broadcast, char text[REASON_TEXT])
{
    snprintf(text, REASON_TEXT, "%s%s", strerror(error),
             broadcast ? " (broadcasts need option broadcast)" : "");
    return text;
}

/* Says whom the error is about, which the relay does not know. One packet that is lost is the
 * relay's to report. */
static ssize_t fail_write(struct modcat_endpoint *endpoint)
{
    const struct datagram *datagram = endpoint->state;
    const struct modcat_sockaddr *target = &datagram->target;
    bool broadcast = errno == EACCES && target->u.any.sa_family == AF_INET;
    char text[MODCAT_SOCKADDR_TEXT], plain[SOCKADDR_PLAIN_TEXT], reason[REASON_TEXT];
    if (target->length == 0 || errno == EAGAIN || errno == EINTR || errno == EMSGSIZE ||
        errno == ENOBUFS || datagram_outlives(endpoint, errno))
        return -1;
    if (errno == EDESTADDRREQ)
        log_error("cannot reply: the sender's socket has no address");
    else
        log_failure(MODCAT_ERROR, "send to", sockaddr_plain_text(target, plain),
                    reason_for(errno, broadcast, reason), "sendto(%d, ..., %s)", datagram->fd,
                    modcat_sockaddr_text(&target->u.any, target->length, text));
    endpoint->flags |= MODCAT_END_REPORTED;
    return -1;
}

const struct modcat_sockaddr *datagram_target(const struct modcat_endpoint *endpoint)
{
    const struct datagram *datagram = state_of(endpoint);
    return datagram == NULL || datagram->senders == DATAGRAM_CONNECTED ? NULL : &datagram->target;
}

int datagram_write_failed(struct modcat_endpoint *endpoint)
{
    const struct modcat_sockaddr *target = datagram_target(endpoint);
    if (failed_for_earlier(endpoint)) {
        errno = EINTR;
        return -1;
    }
    if (target == NULL)
        return -1;
    if (errno == EAGAIN && target->u.any.sa_family == AF_UNIX && target->length > 0)
        return wait_for_receiver(endpoint);
    return fail_write(endpoint);
}

void datagram_written(const struct modcat_endpoint *endpoint, int count)
{
    struct modcat_sockaddr local;
    char text[MODCAT_SOCKADDR_TEXT];
    if (datagram_target(endpoint) == NULL || !log_shows(MODCAT_NOTICE))
        return;
    socket_own_address(endpoint->read_fd, &local);
    modcat_sockaddr_text(&local.u.any, local.length, text);
    log_hold();
    for (int i = 0; i < count; i++)
        log_notice("local address: %s", text);
    log_release();
}

static ssize_t datagram_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    const struct datagram *datagram = endpoint->state;
    const struct modcat_sockaddr *target = &datagram->target;
    if (datagram->senders != DATAGRAM_CONNECTED && target->length <= sizeof(sa_family_t)) {
        errno = EDESTADDRREQ;
        return fail_write(endpoint);
    }
    ssize_t count = sendto(datagram->fd, buffer, length, MSG_NOSIGNAL,
                           target->length > 0 ? &target->u.any : NULL, target->length);
    if (count < 0)
        return datagram_write_failed(endpoint);
    datagram_written(endpoint, 1);
    return count;
}

static void datagram_close(struct modcat_endpoint *endpoint)
{
    struct datagram *datagram = endpoint->state;
    packet_queue_free(&datagram->pending);
    free(datagram);
    endpoint->state = NULL;
}

static const struct modcat_endpoint_ops datagram_ops = {
    .size = sizeof(struct modcat_endpoint_ops),
    .read = datagram_read,
    .write = datagram_write,
    .close = datagram_close,
    .pending = datagram_pending,
};

static void take_pending(struct datagram *datagram, struct packet_queue *from)
{
    struct packet *packet;
    packet_queue_start(&datagram->pending);
    while (from != NULL && (packet = packet_queue_next(from)) != NULL)
        packet_queue_add(&datagram->pending, packet);
}

/* An empty packet ends a connection; an endpoint that gives one packet ends by the same sign. */
static unsigned flags_for(enum datagram_senders senders)
{
    static const unsigned flags[] = {
        [DATAGRAM_CONNECTED] = MODCAT_END_SOCKET | MODCAT_END_MESSAGES | MODCAT_END_EMPTY_ENDS,
        [DATAGRAM_TARGET] = MODCAT_END_SOCKET | MODCAT_END_MESSAGES,
        [DATAGRAM_FILTERED] = MODCAT_END_SOCKET | MODCAT_END_MESSAGES,
        [DATAGRAM_NOBODY] = MODCAT_END_MESSAGES | MODCAT_END_EMPTY_ENDS,
    };
    return flags[senders];
}

void datagram_endpoint(const struct datagram_start *start, struct modcat_endpoint *endpoint)
{
    struct datagram *datagram = memory_zeroed(1, sizeof *datagram);
    datagram->opening = start->opening;
    datagram->fd = start->fd;
    datagram->target = start->target;
    datagram->senders = start->senders;
    datagram->has_header = packet_has_header(start->fd);
    datagram->collects_errors = ancillary_collects_errors(start->fd);
    take_pending(datagram, start->pending);
    endpoint->read_fd = endpoint->write_fd = start->fd;
    endpoint->flags = flags_for(start->senders);
    endpoint->half_close =
        start->senders == DATAGRAM_NOBODY ? MODCAT_HALF_NONE : MODCAT_HALF_SHUTDOWN;
    endpoint->ops = &datagram_ops;
    endpoint->state = datagram;
}

static ssize_t connected_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    ssize_t size = recv(endpoint->read_fd, buffer, length, MSG_TRUNC | MSG_DONTWAIT);
    if (size < 0)
        return datagram_read_failed(endpoint);
    packet_warn_cut((size_t)size, length);
    return (size_t)size < length ? size : (ssize_t)length;
}

static ssize_t connected_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    ssize_t count = send(endpoint->write_fd, buffer, length, MSG_NOSIGNAL);
    return count < 0 ? datagram_write_failed(endpoint) : count;
}

const struct modcat_endpoint_ops datagram_connected_ops = {
    .size = sizeof(struct modcat_endpoint_ops),
    .read = connected_read,
    .write = connected_write,
};

static void take_operations(struct modcat_endpoint *endpoint)
{
    endpoint->ops = &datagram_connected_ops;
    endpoint->state =
        ancillary_collects_errors(endpoint->read_fd) ? (void *)&datagram_collects : NULL;
}

void modcat_socket_endpoint(int fd, struct modcat_endpoint *endpoint)
{
    const struct socket_kind kind = socket_kind_of(fd);
    socket_fill_endpoint(fd, kind, endpoint);
    if (kind.is_stream)
        return;
    endpoint->flags |= MODCAT_END_MESSAGES | MODCAT_END_EMPTY_ENDS;
    take_operations(endpoint);
}

bool datagram_is_broken(int error)
{
    return error == EBADF || error == ENOTSOCK || error == EINVAL || error == EFAULT ||
           error == EOPNOTSUPP || error == EIO;
}
