#define _GNU_SOURCE
#include "core/session/parting.h"

#include "core/base/log.h"
#include "core/net/socket.h"
#include "core/relay/endpoint.h"
#include "core/relay/halfclose.h"
#include <errno.h>
#include <modcat/layer.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* How long a peer has with -t inf, which is about the data that it may still send. */
#define PATIENCE_OF_THE_PATIENT MODCAT_SECOND

/* How often is looked at what a peer has not taken yet: nothing tells that it has. */
#define TAKING_TICK (MODCAT_SECOND / 50)

static long long patience(const struct session *session)
{
    long long closing = session->settings->closing;
    return closing == MODCAT_FOREVER ? PATIENCE_OF_THE_PATIENT : closing;
}

static long long deadline_of(struct session *session)
{
    if (session->parting == 0)
        session->parting = modcat_deadline(patience(session));
    return session->parting;
}

void parting_is_late(struct session *session)
{
    session->parting = modcat_deadline(0);
}

/* A layer that was only read from has not said goodbye yet. */
static void end_layer(struct opened *opened)
{
    struct modcat_endpoint *endpoint = opened->endpoint;
    if ((opened->opening->directions & MODCAT_WRITE) == 0 && endpoint->ops != NULL &&
        endpoint->ops->shutdown != NULL)
        opened->half_closed = endpoint->ops->shutdown(endpoint) == 0;
}

/* Tells all that stands below a layer that no more is written, too. */
static void half_close_below(const struct opened *opened, long long deadline)
{
    for (struct opened *level = opened->lower; level != NULL; level = level->lower)
        while (halfclose_by_type(level) < 0 && errno == EAGAIN)
            if (modcat_lower_wait(opened->opening, level->endpoint, MODCAT_WRITE, deadline) <= 0)
                return;
}

/* A peer from whom one is about to part. */
struct parting {
    struct modcat_opening *opening;
    int fd;
    bool told;          /* it knows that no more comes, which counts as one byte on its way */
    size_t untaken;     /* what it had not taken when it was looked at last ... */
    long long taken_at; /* ... and since when that is so */
};

/* Drops what has come. Returns 1 when more may come, 0 at the peer's end, -1 with errno. */
static int drop_input(const struct parting *parting)
{
    char dropped[16384];
    for (int i = 0; i < 64; i++) {
        ssize_t count = recv(parting->fd, dropped, sizeof dropped, MSG_DONTWAIT);
        if (count == 0)
            return 0;
        if (count < 0)
            return errno == EAGAIN || errno == EINTR ? 1 : -1;
    }
    return 1;
}

static void look_at_what_is_taken(struct parting *parting)
{
    size_t untaken = endpoint_untaken(parting->fd);
    if (untaken != parting->untaken)
        parting->taken_at = modcat_deadline(0);
    parting->untaken = untaken;
}

/* What is on its way gets the time anew whenever the peer has taken some of it. A peer that was not
 * told has no reason to end. */
static long long give_up_at(const struct parting *parting)
{
    struct session *session = parting->opening->session;
    long long deadline = parting->told ? deadline_of(session) : modcat_deadline(0);
    long long taking = parting->taken_at + patience(session);
    return parting->untaken > 0 && taking > deadline ? taking : deadline;
}

static void report_loss(const struct parting *parting, const char *reason)
{
    if (parting->untaken <= parting->told)
        return;
    log_error("%s before the peer had taken the last %zu bytes (fd %d)", reason,
              parting->untaken - parting->told, parting->fd);
    parting->opening->session->lost = true;
}

/* Returns true until the peer has ended or its time is over. */
static bool is_to_be_waited_for(struct parting *parting)
{
    int more = drop_input(parting), error = errno;
    look_at_what_is_taken(parting);
    if (more < 0)
        report_loss(parting, strerror(error));
    if (more <= 0)
        return false;
    /* In this order, for a time that is over at once is the present one. */
    long long until = give_up_at(parting), now = modcat_deadline(0);
    if (now >= until)
        return false;
    if (parting->untaken > 0 && now + TAKING_TICK < until)
        until = now + TAKING_TICK;
    return modcat_wait(parting->opening, parting->fd, POLLIN, until) >= 0;
}

static void await_end(const struct opened *opened, int fd, bool told)
{
    struct parting parting = {.opening = opened->opening, .fd = fd, .told = told};
    if (!socket_is_tcp(fd))
        return;
    while (is_to_be_waited_for(&parting))
        continue;
}

static const struct opened *lowest_of(const struct opened *opened)
{
    while (opened->lower != NULL)
        opened = opened->lower;
    return opened;
}

/* An option may say that the peer is not told. */
static bool tell_end(const struct opened *opened)
{
    int choice = opened->opening->set.shut;
    if (opened->half_closed || choice != SHUT_DEFAULT)
        return opened->half_closed || choice == SHUT_DOWN;
    return opened->endpoint->half_close == MODCAT_HALF_SHUTDOWN &&
           session_end_writing(opened->endpoint->write_fd) == 0;
}

/* A peer that has ended can't be cut off. */
static void part_plainly(struct opened *opened)
{
    int fd = opened->endpoint->write_fd;
    if (opened->written && !opened->ended && fd >= 0)
        await_end(opened, fd, tell_end(opened));
}

/* Protocols send more than their users see: tickets, goodbyes. */
static void part_through_layers(struct opened *opened)
{
    end_layer(opened);
    if (!opened->half_closed)
        return;
    half_close_below(opened, deadline_of(opened->opening->session));
    await_end(opened, lowest_of(opened)->endpoint->read_fd, true);
}

void parting_from(struct opened *opened)
{
    const struct modcat_endpoint *lowest = lowest_of(opened)->endpoint;
    if (opened->opening->set.end_close || (lowest->flags & MODCAT_INHERITED) != 0)
        return;
    if (opened->lower != NULL)
        part_through_layers(opened);
    else
        part_plainly(opened);
}
