/* Sockets that send to one address without being connected to it, and those that only receive. */

#define _GNU_SOURCE
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/sockaddr.h"
#include "core/services/datagram/operations.h"
#include "core/services/net/filter.h"
#include "core/services/net/local.h"
#include "core/services/net/socket.h"
#include "core/services/net/unix.h"

#include <errno.h>

/* What the services have in common: a socket that is made and bound as the options want it. */
struct plan {
    const struct modcat_transport *transport;
    struct modcat_sockaddr target;
    struct modcat_sockaddr local;
    bool low_port;
    enum datagram_senders senders;
};

static int bind_planned(struct modcat_opening *opening, int fd, const struct plan *plan)
{
    return plan->low_port ? socket_bind_low(opening, fd, &plan->local)
                          : modcat_bind(opening, fd, &plan->local);
}

static int make(struct modcat_opening *opening, const struct plan *plan,
                struct modcat_endpoint *endpoint)
{
    struct datagram_start start = {
        .opening = opening, .target = plan->target, .senders = plan->senders};
    int fd = modcat_socket(opening, plan->transport);
    if (fd < 0)
        return -1;
    if (modcat_apply(opening, MODCAT_PHASE_FD, fd) < 0 || bind_planned(opening, fd, plan) < 0) {
        memory_close_local(&fd);
        return -1;
    }
    if (plan->senders == DATAGRAM_FILTERED)
        filter_keep(opening);
    start.fd = fd;
    datagram_endpoint(&start, endpoint);
    return 0;
}

static void log_own_address(const char *what, int fd)
{
    struct modcat_sockaddr local;
    char text[MODCAT_SOCKADDR_TEXT];
    socket_own_address(fd, &local);
    log_notice("%s %s", what, modcat_sockaddr_text(&local.u.any, local.length, text));
}

static int send_planned(struct modcat_opening *opening, const struct plan *plan,
                        struct modcat_endpoint *endpoint)
{
    if (make(opening, plan, endpoint) < 0)
        return -1;
    log_own_address("successfully prepared local socket", endpoint->read_fd);
    return 0;
}

static enum datagram_senders senders_of(enum modcat_senders senders)
{
    return senders == MODCAT_ANYBODY ? DATAGRAM_FILTERED : DATAGRAM_TARGET;
}

int modcat_sendto(struct modcat_opening *opening, const struct modcat_transport *transport,
                  const struct modcat_sockaddr *target, const struct modcat_sockaddr *local,
                  enum modcat_senders senders, struct modcat_endpoint *endpoint)
{
    struct plan plan = {.transport = transport, .target = *target, .senders = senders_of(senders)};
    if (local != NULL)
        plan.local = *local;
    return send_planned(opening, &plan, endpoint);
}

/* Where everybody's packets are taken, sourceport and lowport are about the senders' ports. */
static int choose_local(struct modcat_opening *opening, const struct modcat_transport *transport,
                        enum modcat_senders senders, struct local_choice *choice)
{
    if (local_choose(opening, transport, choice) < 0)
        return -1;
    if (senders == MODCAT_ANYBODY) {
        choice->port = -1;
        choice->low = false;
    }
    return 0;
}

static int send_to_item(struct modcat_opening *opening, const struct modcat_transport *transport,
                        const struct addrinfo *item, enum modcat_senders senders,
                        struct modcat_endpoint *endpoint)
{
    struct local_choice choice;
    struct modcat_transport actual = *transport;
    struct plan plan = {.transport = &actual, .senders = senders_of(senders)};
    actual.family = item->ai_family;
    sockaddr_copy(&plan.target, item->ai_addr, item->ai_addrlen);
    if (choose_local(opening, transport, senders, &choice) < 0)
        return -1;
    plan.low_port = choice.low;
    int result = local_for_family(&choice, item->ai_family, &plan.local);
    if (result < 0)
        modcat_fail(opening, "bind=%s: it is of another address family than the peer", choice.text);
    local_free(&choice);
    return result < 0 ? -1 : send_planned(opening, &plan, endpoint);
}

int modcat_sendto_host(struct modcat_opening *opening, const struct modcat_transport *transport,
                       const char *host, const char *service, enum modcat_senders senders,
                       struct modcat_endpoint *endpoint)
{
    struct addrinfo *list;
    if (modcat_resolve(opening, transport, host, service, 0, &list) < 0)
        return -1;
    int result = send_to_item(opening, transport, list, senders, endpoint);
    freeaddrinfo(list);
    return result;
}

int modcat_receive_on(struct modcat_opening *opening, const struct modcat_transport *transport,
                      const struct modcat_sockaddr *local, struct modcat_endpoint *endpoint)
{
    const struct plan plan = {
        .transport = transport, .local = *local, .senders = DATAGRAM_FILTERED};
    log_info("starting recv loop");
    if (make(opening, &plan, endpoint) < 0)
        return -1;
    socket_log_chosen_port(endpoint->read_fd, local, "_xioopen_dgram_recv()");
    log_own_address("receiving on", endpoint->read_fd);
    return 0;
}

int modcat_receive_service(struct modcat_opening *opening, const struct modcat_transport *transport,
                           const char *service, struct modcat_endpoint *endpoint)
{
    struct modcat_transport actual;
    struct modcat_sockaddr local;
    if (local_for_service(opening, transport, service, &actual, &local) < 0)
        return -1;
    return modcat_receive_on(opening, &actual, &local, endpoint);
}
