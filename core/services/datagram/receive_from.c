/* Addresses whose peers are packets: the RECVFROM types. The first packet off the socket comes with
 * the endpoint, which answers its sender.
 *
 * A packet is taken only when a descriptor for its endpoint is there, so that a shortage leaves it
 * in the socket's queue. With option fork each packet is a peer; without it, of some families, the
 * endpoint goes on with packets of the same sender. An error that an earlier answer has caused
 * (ECONNREFUSED) is a warning and ends nothing; only a broken socket does. */

#define _GNU_SOURCE
#include "core/base/failure.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/shortage.h"
#include "core/opening/opening.h"
#include "core/services/datagram/admission.h"
#include "core/services/datagram/ancillary.h"
#include "core/services/datagram/operations.h"
#include "core/services/net/local.h"
#include "core/services/net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* A listener's own. */
struct receiving {
    enum datagram_senders senders; /* whose packets an endpoint gets after the first one */
    long long quiet_until;         /* when a shortage of descriptors may be reported again */
};

static void announce(const struct packet_facts *facts)
{
    char text[MODCAT_SOCKADDR_TEXT];
    log_notice("receiving packet from %s",
               modcat_sockaddr_text(&facts->from.u.any, facts->from.length, text));
}

/* The endpoint gets a descriptor of its own: what it does at its end is not done to the socket. */
static void make_endpoint(const struct modcat_listener *listener, struct modcat_opening *opening,
                          int fd, struct packet *packet, struct modcat_endpoint *endpoint)
{
    const struct receiving *receiving = listener->state;
    struct packet_queue pending;
    const struct datagram_start start = {
        .opening = opening,
        .fd = fd,
        .target = packet->facts.from,
        .senders = receiving->senders,
        .pending = &pending,
    };
    packet_queue_start(&pending);
    packet_queue_add(&pending, packet);
    datagram_endpoint(&start, endpoint);
}

static int no_descriptor(const struct modcat_listener *listener)
{
    struct receiving *receiving = listener->state;
    int error = errno;
    if (shortage_may_warn(&receiving->quiet_until))
        log_warning("fcntl(%d, F_DUPFD_CLOEXEC, 0): %s", listener->fd, strerror(error));
    errno = error;
    return 1;
}

static int receive_failed(const struct modcat_listener *listener, struct modcat_opening *opening)
{
    if (errno == EAGAIN || errno == EINTR) {
        errno = 0;
        return 1;
    }
    /* An error that an earlier answer has caused: it is told once, and concerns nobody else. */
    log_failure(MODCAT_WARNING, "receive packets", NULL, NULL, "recvmsg(%d, ...)", listener->fd);
    if (!datagram_is_broken(errno)) {
        errno = 0;
        return 1;
    }
    return modcat_fail_call(opening, "receive packets", NULL, NULL, "recvmsg(%d, ...)",
                            listener->fd);
}

/* The packet is taken when nothing can fail any more. */
static int receiving_accept(struct modcat_listener *listener, struct modcat_opening *opening,
                            struct modcat_endpoint *endpoint)
{
    int fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return no_descriptor(listener);
    struct packet *packet = packet_take(listener->fd);
    if (ancillary_collects_errors(listener->fd))
        ancillary_tell_errors(listener->fd);
    if (packet == NULL) {
        memory_close_local(&fd);
        return receive_failed(listener, opening);
    }
    const struct packet_facts *facts = &packet->facts;
    announce(facts);
    modcat_set_peer(opening, &facts->from.u.any, facts->from.length, NULL, 0);
    if (!admission_granted(opening, listener->fd, packet)) {
        memory_close_local(&fd);
        memory_free_local(&packet);
        errno = 0;
        return 1;
    }
    ancillary_tell(facts, opening);
    make_endpoint(listener, opening, fd, packet, endpoint);
    return 0;
}

static void receiving_close(struct modcat_listener *listener)
{
    free(listener->state);
    listener->state = NULL;
}

/* A socket that processes share gives each of them its first packet only. */
static void fill_in(const struct modcat_opening *opening, int fd, enum modcat_span span,
                    struct modcat_listener *listener)
{
    struct receiving *receiving = memory_zeroed(1, sizeof *receiving);
    bool more = span == MODCAT_ONE_SENDER && !opening->set.fork;
    receiving->senders = more ? DATAGRAM_TARGET : DATAGRAM_NOBODY;
    listener->fd = fd;
    listener->accept = receiving_accept;
    listener->close = receiving_close;
    listener->state = receiving;
    listener->waiting = "receiving on";
}

int modcat_receive_from(struct modcat_opening *opening, const struct modcat_transport *transport,
                        const struct modcat_sockaddr *local, enum modcat_span span,
                        struct modcat_listener *listener)
{
    log_info("starting recvfrom loop");
    int fd = modcat_socket(opening, transport);
    if (fd < 0)
        return -1;
    if (modcat_bind(opening, fd, local) < 0) {
        memory_close_local(&fd);
        return -1;
    }
    socket_log_chosen_port(fd, local, "_xioopen_dgram_recvfrom()");
    fill_in(opening, fd, span, listener);
    return 0;
}

int modcat_receive_from_service(struct modcat_opening *opening,
                                const struct modcat_transport *transport, const char *service,
                                struct modcat_listener *listener)
{
    struct modcat_transport actual;
    struct modcat_sockaddr local;
    if (local_for_service(opening, transport, service, &actual, &local) < 0)
        return -1;
    return modcat_receive_from(opening, &actual, &local, MODCAT_ONE_PACKET, listener);
}
