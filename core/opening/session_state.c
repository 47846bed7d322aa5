#define _GNU_SOURCE
#include "core/opening/session_state.h"

#include "core/base/signals.h"
#include "core/loop/loop.h"
#include "core/registry/registry.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

static bool has_passed(long long deadline)
{
    return deadline != MODCAT_FOREVER && wait_now() >= deadline;
}

void session_for_all(struct session *session, void (*act)(struct session *session))
{
    struct session *server = session->server != NULL ? session->server : session;
    act(server);
    for (struct session *hosted = server->hosted; hosted != NULL; hosted = hosted->next_hosted)
        act(hosted);
}

bool session_must_end(const struct session *session)
{
    return signals_ending() != 0 || session->canceled ||
           (session->serves && signals_draining() != 0);
}

static bool is_late(const struct session *session)
{
    return session->limit != 0 && has_passed(session->limit);
}

static long long limited(const struct session *session, long long deadline)
{
    return session->limit != 0 ? wait_earlier(deadline, session->limit) : deadline;
}

/* However fast signals come, they keep it from neither descriptors nor deadlines. */
int session_wait(struct session *session, struct wait_entry *entries, size_t count,
                 long long deadline)
{
    for (;;) {
        if (session_must_end(session)) {
            errno = ECANCELED;
            return -1;
        }
        if (is_late(session)) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (signals_take_statistics())
            session->log_statistics(session);
        if (signals_take_resized())
            session->events->resized(session);
        session->events->pass_signals(session);
        if (signals_take_child()) {
            session->events->child_ended(session);
            session->child_ended = true;
        }
        if (session->child_ended) {
            session->child_ended = false;
            errno = EINTR;
            return -1;
        }
        long long until = wait_earlier(limited(session, deadline), signals_drain_deadline());
        int ready = wait_ready(entries, count, until);
        bool came = ready < 0 && errno == EINTR;
        if (came && has_passed(deadline))
            ready = 0;
        if (ready == 0 && !has_passed(deadline))
            continue;
        if ((ready >= 0 || !came) && !session_must_end(session))
            return ready;
    }
}

void session_child_ended(struct session *session)
{
    session->child_ended = true;
    if (loop_runs())
        loop_interrupt(session->task);
}

void session_cancel(struct session *session)
{
    session->canceled = true;
    loop_interrupt(session->task);
}

/* Children that end do not matter to somebody who waits for a descriptor. */
static int wait_through(struct session *session, struct wait_entry *entry, size_t count,
                        long long deadline)
{
    int ready;
    do
        ready = session_wait(session, entry, count, deadline);
    while (ready < 0 && errno == EINTR && !has_passed(deadline));
    return ready < 0 && errno == EINTR ? 0 : ready;
}

int session_pause(struct session *session, long long delay)
{
    return wait_through(session, NULL, 0, modcat_deadline(delay));
}

/* What options so-rcvtimeo and so-sndtimeo say about a call that blocks holds for waiting
 * instead. */
long long session_socket_bound(int fd, short events)
{
    struct timeval timeout = {0};
    socklen_t size = sizeof timeout;
    int name = (events & POLLIN) != 0 ? SO_RCVTIMEO : SO_SNDTIMEO;
    if (fd < 0 || getsockopt(fd, SOL_SOCKET, name, &timeout, &size) < 0 ||
        (timeout.tv_sec == 0 && timeout.tv_usec == 0))
        return MODCAT_FOREVER;
    return timeout.tv_sec * MODCAT_SECOND + timeout.tv_usec * 1000LL;
}

/* A socket that is to be connected is one of ours, on which only options have set something. */
static bool may_be_bounded(const struct modcat_opening *opening, short events)
{
    const struct address *address = opening->address;
    for (size_t i = 0; i < address->option_count; i++) {
        const struct modcat_option *option = &address->options[i].entry->option;
        if ((option->effect == MODCAT_SOCKOPT && option->code == SOL_SOCKET) ||
            strncmp(option->name, "setsockopt", strlen("setsockopt")) == 0)
            return true;
    }
    return (events & POLLIN) != 0;
}

int session_wait_for(struct session *session, int fd, short events, long long deadline)
{
    struct wait_entry entry = {.fd = fd, .events = events};
    return wait_through(session, &entry, 1, deadline);
}

int modcat_wait(struct modcat_opening *opening, int fd, short events, long long deadline)
{
    if (fd >= 0 && may_be_bounded(opening, events))
        deadline = wait_earlier(deadline, modcat_deadline(session_socket_bound(fd, events)));
    return session_wait_for(opening->session, fd, events, deadline);
}

long long modcat_deadline(long long delay)
{
    return delay == MODCAT_FOREVER ? MODCAT_FOREVER : wait_now() + delay;
}

/* Several descriptors, for drivers. */
int modcat_wait_for(struct modcat_opening *opening, struct modcat_watched *watched, size_t count,
                    long long deadline)
{
    struct wait_entry entries[MODCAT_WATCHED_MAX];
    if (count > MODCAT_WATCHED_MAX) {
        errno = EINVAL;
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct wait_entry){.fd = watched[i].fd, .events = watched[i].events};
    int ready = wait_through(opening->session, entries, count, deadline);
    for (size_t i = 0; i < count; i++)
        watched[i].ready = ready > 0 ? entries[i].ready : 0;
    return ready;
}

static bool is_in(const struct address *stack, const struct address *address)
{
    return stack != NULL && stack == address_outermost(address);
}

int session_side(const struct modcat_opening *opening)
{
    const struct address_pair *pair = opening->session->sides[0].address;
    bool is_left = pair != NULL &&
                   (is_in(pair->first, opening->address) || is_in(pair->second, opening->address));
    return is_left ? 1 : 2;
}

const struct opened *session_other(const struct modcat_opening *opening)
{
    struct side *other = &opening->session->sides[2 - session_side(opening)];
    if (other->address == NULL)
        return NULL;
    const struct opened *reader = side_reader(other);
    return reader != NULL ? reader : side_writer(other);
}

struct opened *side_reader(struct side *side)
{
    const struct modcat_endpoint *endpoint = side->first.endpoint;
    bool open =
        (side->directions & MODCAT_DIR_READ) != 0 && endpoint != NULL && endpoint->read_fd >= 0;
    return open ? &side->first : NULL;
}

struct opened *side_writer(struct side *side)
{
    struct opened *writer = side->address->second != NULL ? &side->second : &side->first;
    bool open = (side->directions & MODCAT_DIR_WRITE) != 0 && writer->endpoint != NULL &&
                writer->endpoint->write_fd >= 0;
    return open ? writer : NULL;
}
