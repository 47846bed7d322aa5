/* Listening for the first packets of senders, each of whom gets a connected socket of the same
 * port: UDP-LISTEN, UDPLITE-LISTEN and DTLS servers.
 *
 *     packet of a stranger -> screened by a layer (DTLS: cookie, RFC 9147 section 5.1), filtered
 *         -> a second socket is bound to the port, then connected to the sender
 *         -> what waits in both sockets is put together in order, see collect()
 *
 * No packet is lost or delivered twice by that, though until connect(2) the kernel gives packets of
 * all senders to either socket: those of others wait in memory, up to STRANGERS_MAX. A failure
 * concerns its sender only. Answers leave by the address that the first packet was sent to, which
 * IP_PKTINFO tells. */

#define _GNU_SOURCE
#include "core/base/failure.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/shortage.h"
#include "core/base/sockaddr.h"
#include "core/opening/opening.h"
#include "core/options/process_state.h"
#include "core/registry/registry.h"
#include "core/services/datagram/admission.h"
#include "core/services/datagram/ancillary.h"
#include "core/services/datagram/operations.h"
#include "core/services/net/local.h"
#include "core/services/net/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* How many packets of others may wait in memory. What comes then is dropped, as the kernel does
 * with what comes to a full queue. */
#define STRANGERS_MAX 4096

/* How many packets of senders who are not let in are looked at before signals are. */
#define IN_A_ROW_MAX 32

/* A listener's own. */
struct reception {
    struct modcat_transport transport;
    struct packet_queue strangers; /* packets of senders who have no socket yet */
    long long quiet_until;         /* when dropped packets may be reported again ... */
    long long short_until;         /* ... and a shortage of descriptors */
    bool is_short;                 /* the latest packet found such a shortage */
};

static void drop_stranger(struct reception *reception, struct packet *packet)
{
    if (shortage_may_warn(&reception->quiet_until))
        log_warning("queue of new peers is full (%d packets), dropping", STRANGERS_MAX);
    memory_free_local(&packet);
}

static void keep_strangers(struct reception *reception, struct packet_queue *queue)
{
    struct packet *packet;
    while ((packet = packet_queue_next(queue)) != NULL) {
        if (reception->strangers.count < STRANGERS_MAX)
            packet_queue_add(&reception->strangers, packet);
        else
            drop_stranger(reception, packet);
    }
}

/* As much as a socket's queue may hold; what comes on and on must not keep us here. */
static void empty_socket(int fd, struct packet_queue *queue)
{
    struct packet *packet;
    packet_queue_start(queue);
    while (queue->count < STRANGERS_MAX && (packet = packet_take(fd)) != NULL)
        packet_queue_add(queue, packet);
}

static struct packet *next_packet(const struct modcat_listener *listener)
{
    struct reception *reception = listener->state;
    struct packet *packet = packet_queue_next(&reception->strangers);
    return packet != NULL ? packet : packet_take(listener->fd);
}

/* Options that act on a new socket act on each of them. */
static void want_socket_options_again(struct modcat_opening *opening)
{
    for (size_t i = 0; i < opening->address->option_count; i++) {
        const struct modcat_option *option = &opening->address->options[i].entry->option;
        bool acts = option->effect == MODCAT_SOCKOPT || option->effect == MODCAT_IOCTL ||
                    option->effect == MODCAT_CALL;
        if (acts && option->phase >= MODCAT_PHASE_PASTSOCKET && option->phase <= MODCAT_PHASE_BIND)
            opening->used[i] = false;
    }
}

/* The address that the packet was sent to, so that the answers come from there. */
static void answer_from(const struct modcat_listener *listener, const struct packet_facts *facts,
                        struct modcat_sockaddr *local)
{
    struct modcat_sockaddr destination;
    socket_own_address(listener->fd, local);
    long long port = sockaddr_port(&local->u.any, local->length);
    if (!ancillary_destination(facts, &destination) ||
        destination.u.any.sa_family != local->u.any.sa_family || port < 0)
        return;
    sockaddr_set_port(&destination, (uint16_t)port);
    *local = destination;
}

static int set_reuse(int fd, int on)
{
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

static int get_reuse(int fd)
{
    int on = 0;
    socklen_t size = sizeof on;
    return getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, &size) == 0 ? on : 0;
}

/* Two sockets share the port, which both have to allow; nobody else may for longer than that. */
static int bind_beside(const struct modcat_listener *listener, struct modcat_opening *opening,
                       int fd, const struct modcat_sockaddr *local)
{
    int reuse = get_reuse(listener->fd);
    if (set_reuse(listener->fd, 1) < 0 || set_reuse(fd, 1) < 0)
        return modcat_fail_call(opening, "share the port with peers", NULL, NULL,
                                "setsockopt(%d, SOL_SOCKET, SO_REUSEADDR, {1}, 4)", fd);
    int result = modcat_bind(opening, fd, local);
    if (!reuse) {
        set_reuse(listener->fd, 0);
        set_reuse(fd, 0);
    }
    return result;
}

static int open_inside(const struct modcat_listener *listener, struct modcat_opening *opening,
                       const struct packet_facts *facts)
{
    const struct reception *reception = listener->state;
    struct modcat_sockaddr local;
    answer_from(listener, facts, &local);
    want_socket_options_again(opening);
    int fd = modcat_socket(opening, &reception->transport);
    if (fd >= 0 && bind_beside(listener, opening, fd, &local) < 0) {
        memory_close_local(&fd);
        return -1;
    }
    return fd;
}

/* In the network namespace of the listener. */
static int open_beside(const struct modcat_listener *listener, struct modcat_opening *opening,
                       const struct packet_facts *facts)
{
    struct process_state outside;
    if (process_enter(&opening->set, &outside) < 0)
        return -1;
    int fd = open_inside(listener, opening, facts);
    process_leave(&outside);
    return fd;
}

static int connect_sender(struct modcat_opening *opening, int fd, const struct packet_facts *facts)
{
    char text[MODCAT_SOCKADDR_TEXT], plain[SOCKADDR_PLAIN_TEXT];
    if (connect(fd, &facts->from.u.any, facts->from.length) == 0)
        return 0;
    return modcat_fail_call(opening, "connect to", sockaddr_plain_text(&facts->from, plain), NULL,
                            "connect(%d, %s, %u)", fd,
                            modcat_sockaddr_text(&facts->from.u.any, facts->from.length, text),
                            facts->from.length);
}

/* Connects the sender's socket, and brings together what the sender has sent until now.
 *
 * Until the new socket was bound, packets for all came to the listening one. From then on they come
 * to one of the two, the new one as a rule, and after connect(2) those of the sender to the new
 * one and those of others to the listening one. The queues are put together in that order. */
static int collect(const struct modcat_listener *listener, struct modcat_opening *opening, int fd,
                   const struct packet_facts *facts, struct packet_queue *own)
{
    struct reception *reception = listener->state;
    struct packet_queue before, meanwhile, since;
    empty_socket(listener->fd, &before);
    int result = connect_sender(opening, fd, facts);
    empty_socket(listener->fd, &since);
    empty_socket(fd, &meanwhile);
    packet_queue_sort_out(&reception->strangers, &facts->from, own);
    packet_queue_sort_out(&before, &facts->from, own);
    packet_queue_sort_out(&since, &facts->from, own);
    packet_queue_sort_out(&meanwhile, &facts->from, own);
    keep_strangers(reception, &before);
    keep_strangers(reception, &meanwhile);
    keep_strangers(reception, &since);
    return result;
}

static void log_sender(const char *what, enum modcat_level level, const struct packet_facts *facts)
{
    char text[MODCAT_SOCKADDR_TEXT];
    modcat_log(level, "%s UDP connection from %s", what,
               modcat_sockaddr_text(&facts->from.u.any, facts->from.length, text));
}

static void introduce(const struct modcat_listener *listener, struct modcat_opening *opening,
                      const struct packet_facts *facts)
{
    struct modcat_sockaddr local;
    answer_from(listener, facts, &local);
    modcat_set_peer(opening, &facts->from.u.any, facts->from.length, &local.u.any, local.length);
}

/* A sender that is screened is logged only after it has shown that it is not forged. */
static bool may_come_in(const struct modcat_listener *listener, struct modcat_opening *opening,
                        const struct packet *packet)
{
    const struct packet_facts *facts = &packet->facts;
    bool screened = admission_wanted(opening);
    if (!screened)
        log_sender("accepting", MODCAT_NOTICE, facts);
    introduce(listener, opening, facts);
    if (!modcat_permit_peer(opening, &facts->from.u.any, facts->from.length)) {
        log_sender("forbidding", MODCAT_NOTICE, facts);
        return false;
    }
    if (!admission_granted(opening, listener->fd, packet))
        return false;
    if (screened)
        log_sender("accepting", MODCAT_NOTICE, facts);
    log_sender("permitting", MODCAT_INFO, facts);
    return true;
}

/* A sender that can't be served must not end the service of others. With a shortage it waits; the
 * first failure of one has been a warning already. */
static int no_socket(struct reception *reception, struct packet *packet)
{
    bool was_short = reception->is_short;
    reception->is_short = shortage_is_meant(errno);
    if (reception->is_short && !was_short)
        (void)shortage_may_warn(&reception->short_until);
    if (reception->is_short)
        packet_queue_put_back(&reception->strangers, packet);
    else
        memory_free_local(&packet);
    return errno == ECANCELED ? -1 : 1;
}

static int no_connection(int fd, struct packet_queue *own)
{
    memory_close_local(&fd);
    packet_queue_free(own);
    errno = 0;
    return 1;
}

/* What fails here concerns one sender, and is a warning; of a shortage that lasts once a second. */
static enum modcat_level failure_level(struct reception *reception)
{
    bool told = reception->is_short && !shortage_may_warn(&reception->short_until);
    return told ? MODCAT_INFO : MODCAT_WARNING;
}

static int serve_sender(struct modcat_listener *listener, struct modcat_opening *opening,
                        struct packet *packet, struct modcat_endpoint *endpoint)
{
    struct packet_queue own;
    const struct packet_facts *facts = &packet->facts;
    struct datagram_start start = {
        .opening = opening, .senders = DATAGRAM_CONNECTED, .pending = &own};
    enum modcat_level level = opening->failure;
    opening->failure = failure_level(listener->state);
    start.fd = open_beside(listener, opening, facts);
    if (start.fd < 0)
        return no_socket(listener->state, packet);
    packet_queue_start(&own);
    packet_queue_add(&own, packet);
    if (collect(listener, opening, start.fd, facts, &own) < 0)
        return no_connection(start.fd, &own);
    opening->failure = level;
    datagram_endpoint(&start, endpoint);
    return 0;
}

static int no_packet(const struct modcat_listener *listener)
{
    if (ancillary_collects_errors(listener->fd))
        ancillary_tell_errors(listener->fd);
    if (errno != EAGAIN && errno != EINTR)
        log_failure(MODCAT_WARNING, "receive packets", NULL, NULL, "recvmsg(%d, ...)",
                    listener->fd);
    errno = 0;
    return 1;
}

static int packets_accept(struct modcat_listener *listener, struct modcat_opening *opening,
                          struct modcat_endpoint *endpoint)
{
    for (int i = 0; i < IN_A_ROW_MAX; i++) {
        struct packet *packet = next_packet(listener);
        if (packet == NULL)
            return no_packet(listener);
        if (may_come_in(listener, opening, packet))
            return serve_sender(listener, opening, packet, endpoint);
        memory_free_local(&packet);
    }
    errno = 0;
    return 1;
}

static bool packets_pending(struct modcat_listener *listener)
{
    const struct reception *reception = listener->state;
    return reception->strangers.first != NULL;
}

static void packets_close(struct modcat_listener *listener)
{
    struct reception *reception = listener->state;
    packet_queue_free(&reception->strangers);
    free(reception);
    listener->state = NULL;
}

static void fill_in(int fd, const struct modcat_transport *transport,
                    struct modcat_listener *listener)
{
    struct reception *reception = memory_zeroed(1, sizeof *reception);
    reception->transport = *transport;
    packet_queue_start(&reception->strangers);
    listener->fd = fd;
    listener->accept = packets_accept;
    listener->close = packets_close;
    listener->state = reception;
    listener->pending = packets_pending;
    listener->waiting =
        transport->protocol == IPPROTO_UDPLITE ? "listening on PROTO136" : "listening on UDP";
}

/* Not every family can tell; then answers leave by the address that the routes suggest. */
static void ask_for_destinations(int fd, int family)
{
    const int on = 1;
    if (family == AF_INET)
        (void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    if (family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

/* With fork, sockets of earlier senders may still have the port when the program starts again. */
static int prepare(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local)
{
    if (opening->set.fork && address_find_option(opening->address, "so-reuseaddr") == NULL &&
        set_reuse(fd, 1) < 0)
        return modcat_fail_call(opening, "share the port with peers", NULL, NULL,
                                "setsockopt(%d, SOL_SOCKET, SO_REUSEADDR, {1}, 4)", fd);
    if (modcat_bind(opening, fd, local) < 0)
        return -1;
    ask_for_destinations(fd, local->u.any.sa_family);
    return 0;
}

int modcat_listen_packets(struct modcat_opening *opening, const struct modcat_transport *transport,
                          const char *service, struct modcat_listener *listener)
{
    struct modcat_transport actual;
    struct modcat_sockaddr local;
    if (local_for_service(opening, transport, service, &actual, &local) < 0)
        return -1;
    int fd = modcat_socket(opening, &actual);
    if (fd < 0)
        return -1;
    if (prepare(opening, fd, &local) < 0) {
        memory_close_local(&fd);
        return -1;
    }
    fill_in(fd, &actual, listener);
    return 0;
}
