#define _GNU_SOURCE
#include "core/session/parting.h"

#include "core/base/log.h"
#include "core/services/net/socket.h"
#include "core/services/process/programs.h"
#include "core/session/endpoint.h"
#include "core/session/halfclose.h"
#include <errno.h>
#include <modcat/layer.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* How long a peer has with -t inf, which is about the data that it may still send. */
#define PATIENCE_OF_THE_PATIENT MODCAT_SECOND

/* How often is looked at what a peer has not taken yet: nothing tells that it has. */
#define TAKING_TICK (MODCAT_SECOND / 50)

/* So often a goodbye is repeated at once. */
#define BUSY_ROUNDS 100

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
    if ((opened->opening->directions & MODCAT_DIR_WRITE) == 0 && endpoint->ops != NULL &&
        endpoint->ops->shutdown != NULL)
        opened->half_closed = endpoint->ops->shutdown(endpoint) == 0;
}

/* What a goodbye waits for: reading, writing, or either. Returns as modcat_wait(). */
static int wait_for_goodbye(const struct opened *opened, short wants, long long deadline)
{
    const struct modcat_endpoint *endpoint = opened->endpoint;
    struct modcat_watched watched[2];
    size_t count = 0;
    if ((wants & POLLIN) != 0)
        watched[count++] = (struct modcat_watched){.fd = endpoint->read_fd, .events = POLLIN};
    if ((wants & POLLOUT) != 0)
        watched[count++] = (struct modcat_watched){.fd = endpoint->write_fd, .events = POLLOUT};
    return modcat_wait_for(opened->opening, watched, count, deadline);
}

/* A peer that could not be told before has the whole time from now on. */
static long long goodbye_deadline(const struct opened *opened)
{
    struct session *session = opened->opening->session;
    if ((opened->endpoint->flags & MODCAT_END_WHOLE) != 0)
        return modcat_deadline(patience(session));
    return deadline_of(session);
}

/* By the operation of a level, once. One that is ready again and again, and never done, does not
 * keep the processor busy. */
static void say_goodbye(struct opened *opened)
{
    struct modcat_endpoint *endpoint = opened->endpoint;
    long long deadline = MODCAT_FOREVER;
    if (opened->said_goodbye || !ENDPOINT_DOES(endpoint, goodbye))
        return;
    opened->said_goodbye = true;
    for (unsigned round = 0;; round++) {
        short wants = 0;
        if (endpoint->ops->goodbye(endpoint, !opened->incomplete, &wants) == 0)
            return;
        if (errno != EAGAIN && errno != EINTR) {
            log_info("goodbye of fd %d: %s", endpoint->write_fd, strerror(errno));
            return;
        }
        if (deadline == MODCAT_FOREVER)
            deadline = goodbye_deadline(opened);
        if (wait_for_goodbye(opened, wants, deadline) <= 0 ||
            (round > BUSY_ROUNDS && session_pause(opened->opening->session, TAKING_TICK) < 0) ||
            modcat_deadline(0) >= deadline)
            return;
    }
}

/* Tells all that stands below a layer that no more is written, too. */
static void half_close_below(const struct opened *opened, long long deadline)
{
    for (struct opened *level = opened->lower; level != NULL; level = level->lower) {
        say_goodbye(level);
        while (halfclose_by_type(level) < 0 && errno == EAGAIN)
            if (modcat_lower_wait(opened->opening, level->endpoint, MODCAT_DIR_WRITE, deadline) <=
                0)
                return;
    }
}

/* A peer from whom one is about to part. */
struct parting {
    struct modcat_opening *opening;
    int fd;
    enum socket_parting kind;
    bool is_association;
    bool is_stream;     /* an empty read is its end, and no empty message */
    bool told;          /* it knows that no more comes ... */
    size_t end;         /* ... which counts as so many bytes on their way */
    size_t untaken;     /* what it had not taken when it was looked at last ... */
    long long taken_at; /* ... and since when that is so */
};

/* Drops what has come. Returns 1 when more may come, 0 at the peer's end, -1 with errno. */
static int drop_input(const struct parting *parting)
{
    char dropped[16384];
    for (int i = 0; i < 64; i++) {
        ssize_t count = recv(parting->fd, dropped, sizeof dropped, MSG_DONTWAIT);
        if (count == 0 && (parting->is_stream || endpoint_is_over(parting->fd)))
            return 0;
        if (count < 0)
            return errno == EAGAIN || errno == EINTR ? 1 : -1;
    }
    return 1;
}

/* Returns false when the connection has ended without an event. What a peer has received already
 * gives it no time beyond that of -t. */
static bool look_at_what_is_taken(struct parting *parting)
{
    size_t untaken = 0;
    if (parting->is_association && !socket_association(parting->fd, &untaken))
        return false;
    if (!parting->is_association && parting->kind != SOCKET_PARTS_RECEIVED)
        untaken = endpoint_untaken(parting->fd);
    if (untaken != parting->untaken)
        parting->taken_at = modcat_deadline(0);
    parting->untaken = untaken;
    return true;
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

/* A reset by a peer on this host says that it has left something unread: unix(7). */
static void report_loss(const struct parting *parting, const char *reason)
{
    bool in_bytes = parting->kind != SOCKET_PARTS_RECEIVED && !parting->is_association;
    if (parting->kind != SOCKET_PARTS_RECEIVED && parting->untaken <= parting->end)
        return;
    if (in_bytes)
        log_error("%s before the peer had taken the last %zu bytes (fd %d)", reason,
                  parting->untaken - parting->end, parting->fd);
    else
        log_error("%s before the peer had taken all (fd %d)", reason, parting->fd);
    parting->opening->session->lost = true;
}

/* Returns true until the peer has ended or its time is over. */
static bool is_to_be_waited_for(struct parting *parting)
{
    int more = drop_input(parting), error = errno;
    bool connected = look_at_what_is_taken(parting);
    if (more < 0)
        report_loss(parting, strerror(error));
    if (more <= 0 || !connected)
        return false;
    /* In this order, for a time that is over at once is the present one. */
    long long until = give_up_at(parting), now = modcat_deadline(0);
    if (now >= until)
        return false;
    if ((parting->untaken > 0 || parting->is_association) && now + TAKING_TICK < until)
        until = now + TAKING_TICK;
    return modcat_wait(parting->opening, parting->fd, POLLIN, until) >= 0;
}

static const struct opened *lowest_of(const struct opened *opened)
{
    while (opened->lower != NULL)
        opened = opened->lower;
    return opened;
}

/* Programs are waited for in their own way, and what gives back all that it gets has no peer. */
static bool is_peer(const struct opened *opened)
{
    return (lowest_of(opened)->endpoint->flags & (MODCAT_END_PROGRAM | MODCAT_END_GIVES_BACK)) == 0;
}

static void await_end(const struct opened *opened, int fd, bool told)
{
    struct parting parting = {
        .opening = opened->opening,
        .fd = fd,
        .kind = socket_parting_of(fd),
        .is_association = socket_closes_whole(fd),
        .is_stream = socket_is_stream(fd),
        .end = told && socket_is_tcp(fd),
    };
    if (parting.kind == SOCKET_NO_CONNECTION)
        return;
    parting.told = told && parting.kind != SOCKET_PARTS_UNTOLD;
    while (is_to_be_waited_for(&parting))
        continue;
}

/* An option may say that the peer is not told. Where shutdown(2) refuses what the peer has yet to
 * say it was put off until now. */
static bool tell_end(const struct opened *opened)
{
    int choice = opened->opening->set.shut, fd = opened->endpoint->write_fd;
    bool whole = choice == SHUT_DEFAULT && socket_closes_whole(fd);
    if (!whole && (opened->half_closed || choice != SHUT_DEFAULT))
        return opened->half_closed || choice == SHUT_DOWN;
    return (whole || opened->endpoint->half_close == MODCAT_HALF_SHUTDOWN) &&
           session_end_writing(fd) == 0;
}

/* A peer that has ended can't be cut off. */
static void part_plainly(struct opened *opened)
{
    int fd = opened->endpoint->write_fd;
    if (opened->written && !opened->ended && fd >= 0 && is_peer(opened))
        await_end(opened, fd, tell_end(opened));
}

/* Protocols send more than their users see: tickets, goodbyes. */
static void part_through_layers(struct opened *opened)
{
    end_layer(opened);
    if (!opened->half_closed && !opened->said_goodbye)
        return;
    half_close_below(opened, deadline_of(opened->opening->session));
    const struct opened *lowest = lowest_of(opened);
    if (is_peer(opened))
        await_end(opened, lowest->endpoint->read_fd, true);
    else if (opened->said_goodbye)
        programs_wait(lowest->opening, deadline_of(opened->opening->session));
}

void parting_from(struct opened *opened)
{
    const struct modcat_endpoint *lowest = lowest_of(opened)->endpoint;
    if (opened->opening->set.end_close)
        return;
    say_goodbye(opened);
    if ((lowest->flags & MODCAT_END_INHERITED) != 0)
        return;
    if (opened->lower != NULL)
        part_through_layers(opened);
    else
        part_plainly(opened);
}
