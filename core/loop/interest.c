#define _GNU_SOURCE
#include "core/loop/interest.h"

#include "core/base/memory.h"
#include <errno.h>
#include <limits.h>
#include <modcat/driver.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* How many events are taken from the kernel at a time. */
#define EVENTS_MAX 256

/* A descriptor. */
struct watch {
    struct interest *first;
    uint32_t told;    /* the events that the kernel was told; 0: it does not know it */
    uint32_t version; /* how often it was told anew: older events are another description's */
};

static struct {
    int fd;
    struct watch *watches; /* by descriptor */
    size_t room;
    interest_ready_fn *ready;
} state = {.fd = -1};

int interest_start(interest_ready_fn *ready)
{
    state.ready = ready;
    state.fd = epoll_create1(EPOLL_CLOEXEC);
    return state.fd < 0 ? -1 : 0;
}

void interest_stop(void)
{
    if (state.fd >= 0)
        close(state.fd);
    state.fd = -1;
    free(state.watches);
    state.watches = NULL;
    state.room = 0;
}

static struct watch *watch_of(int fd)
{
    size_t wanted = (size_t)fd + 1;
    if (wanted > state.room) {
        size_t room = state.room > 0 ? state.room : 64;
        while (room < wanted)
            room *= 2;
        state.watches = memory_resize(state.watches, room, sizeof *state.watches);
        memset(state.watches + state.room, 0, (room - state.room) * sizeof *state.watches);
        state.room = room;
    }
    return &state.watches[fd];
}

/* The numbers are the same: poll(2), epoll(7). */
static uint32_t all_events(const struct watch *watch)
{
    uint32_t events = 0;
    for (const struct interest *interest = watch->first; interest; interest = interest->next)
        events |= (uint32_t)(unsigned short)interest->events;
    return events;
}

static int control(int operation, int fd, const struct watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events};
    event.data.u64 = (uint64_t)watch->version << 32 | (uint32_t)fd;
    return epoll_ctl(state.fd, operation, fd, &event);
}

/* A number that the kernel knows may be another description's by now, which it does not know. */
static int tell(int fd, struct watch *watch, uint32_t events)
{
    if (watch->told != 0 && control(EPOLL_CTL_MOD, fd, watch, events) == 0) {
        watch->told = events;
        return 0;
    }
    watch->version++;
    watch->told = 0;
    if (control(EPOLL_CTL_ADD, fd, watch, events) < 0 &&
        (errno != EEXIST || control(EPOLL_CTL_MOD, fd, watch, events) < 0))
        return -1;
    watch->told = events;
    return 0;
}

int interest_add(struct interest *interest, struct wait_entry *entry, void *owner)
{
    struct watch *watch = watch_of(entry->fd);
    *interest = (struct interest){.next = watch->first,
                                  .entry = entry,
                                  .owner = owner,
                                  .fd = entry->fd,
                                  .events = entry->events};
    watch->first = interest;
    if (tell(interest->fd, watch, all_events(watch)) == 0)
        return 0;
    watch->first = interest->next;
    return errno == EPERM ? 1 : -1;
}

void interest_remove(struct interest *interest)
{
    struct interest **place = &watch_of(interest->fd)->first;
    while (*place != interest)
        place = &(*place)->next;
    *place = interest->next;
}

void interest_leave(struct interest *interest)
{
    interest_remove(interest);
    struct watch *watch = watch_of(interest->fd);
    if (watch->first == NULL)
        watch->told = 0;
}

void interest_settle(int fd)
{
    struct watch *watch = watch_of(fd);
    uint32_t events = all_events(watch);
    if (events == watch->told)
        return;
    if (events != 0) {
        (void)tell(fd, watch, events);
        return;
    }
    (void)control(EPOLL_CTL_DEL, fd, watch, 0);
    watch->told = 0;
}

static void tell_all_anew(void)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        return;
    close(state.fd);
    state.fd = fd;
    for (size_t i = 0; i < state.room; i++) {
        struct watch *watch = &state.watches[i];
        watch->told = 0;
        if (watch->first != NULL)
            (void)tell((int)i, watch, all_events(watch));
    }
}

/* Errors and hang-ups make a descriptor ready for whatever was asked, as wait_ready() has it. */
static short ready_of(uint32_t events, short asked)
{
    return (events & (EPOLLERR | EPOLLHUP)) != 0 ? asked : (short)(events & (unsigned short)asked);
}

static void mark(struct interest *interest, uint32_t events)
{
    short ready = ready_of(events, interest->events);
    if (ready == 0)
        return;
    interest->entry->ready |= ready;
    interest->entry->hung_up = (events & EPOLLHUP) != 0;
    state.ready(interest->owner);
}

/* Returns false for a description that is open elsewhere only. */
static bool take(const struct epoll_event *event)
{
    int fd = (int)(uint32_t)event->data.u64;
    struct watch *watch = &state.watches[fd];
    if (event->data.u64 >> 32 != watch->version)
        return false;
    for (struct interest *interest = watch->first, *next; interest != NULL; interest = next) {
        next = interest->next;
        mark(interest, event->events);
    }
    uint32_t events = all_events(watch);
    if (events != 0 && (event->events & watch->told & ~events) == 0)
        return true;
    if (events != 0)
        return tell(fd, watch, events) == 0;
    watch->told = 0;
    return control(EPOLL_CTL_DEL, fd, watch, 0) == 0;
}

static int milliseconds(long long timeout)
{
    const long long one = MODCAT_SECOND / 1000;
    if (timeout == MODCAT_FOREVER)
        return -1;
    long long rounded = (timeout + one - 1) / one;
    return rounded > INT_MAX ? INT_MAX : (int)rounded;
}

int interest_wait(long long timeout)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(state.fd, events, EVENTS_MAX, milliseconds(timeout));
    if (count < 0)
        return errno == EINTR ? 0 : -1;
    bool known = true;
    for (int i = 0; i < count; i++)
        known &= take(&events[i]);
    if (!known)
        tell_all_anew();
    return 0;
}
