#define _GNU_SOURCE
#include "core/relay/wait.h"

#include "core/base/signals.h"
#include <errno.h>
#include <modcat/driver.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

long long wait_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * MODCAT_SECOND + now.tv_nsec;
}

/* The time that is left, or NULL when there is no deadline. */
static const struct timespec *time_left(long long deadline, struct timespec *left)
{
    if (deadline == MODCAT_FOREVER)
        return NULL;
    long long nanoseconds = deadline - wait_now();
    if (nanoseconds < 0)
        nanoseconds = 0;
    left->tv_sec = (time_t)(nanoseconds / MODCAT_SECOND);
    left->tv_nsec = (long)(nanoseconds % MODCAT_SECOND);
    return left;
}

static int highest_fd(const struct wait_entry *entries, size_t count)
{
    int highest = signals_fd();
    for (size_t i = 0; i < count; i++)
        if (entries[i].fd > highest)
            highest = entries[i].fd;
    return highest;
}

static bool take_signals(bool came)
{
    if (came)
        signals_collect();
    return came;
}

static int interrupted(void)
{
    errno = EINTR;
    return -1;
}

static void fill_sets(const struct wait_entry *entries, size_t count, fd_set *readable,
                      fd_set *writable)
{
    FD_ZERO(readable);
    FD_ZERO(writable);
    if (signals_fd() >= 0)
        FD_SET(signals_fd(), readable);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].fd >= 0 && (entries[i].events & POLLIN) != 0)
            FD_SET(entries[i].fd, readable);
        if (entries[i].fd >= 0 && (entries[i].events & POLLOUT) != 0)
            FD_SET(entries[i].fd, writable);
    }
}

static int count_ready(const struct wait_entry *entries, size_t count)
{
    int ready = 0;
    for (size_t i = 0; i < count; i++)
        ready += entries[i].ready != 0;
    return ready;
}

static int wait_select(struct wait_entry *entries, size_t count, int highest,
                       const struct timespec *timeout)
{
    fd_set readable, writable;
    fill_sets(entries, count, &readable, &writable);
    int ready = pselect(highest + 1, &readable, &writable, NULL, timeout, NULL);
    if (ready <= 0)
        return ready;
    if (take_signals(signals_fd() >= 0 && FD_ISSET(signals_fd(), &readable)))
        return interrupted();
    for (size_t i = 0; i < count; i++) {
        if (entries[i].fd < 0)
            continue;
        if ((entries[i].events & POLLIN) != 0 && FD_ISSET(entries[i].fd, &readable))
            entries[i].ready |= POLLIN;
        if ((entries[i].events & POLLOUT) != 0 && FD_ISSET(entries[i].fd, &writable))
            entries[i].ready |= POLLOUT;
    }
    return count_ready(entries, count);
}

/* Errors and hang-ups make a descriptor ready for whatever was asked, as with select(2). */
static short ready_of(const struct pollfd *poll)
{
    if ((poll->revents & (POLLERR | POLLHUP)) != 0)
        return poll->events;
    return poll->revents & poll->events;
}

static int wait_poll(struct wait_entry *entries, size_t count, const struct timespec *timeout)
{
    struct pollfd polls[count + 1];
    for (size_t i = 0; i < count; i++) {
        /* poll(2) tells of a hang-up that nobody asked for, again and again. */
        int fd = entries[i].events != 0 ? entries[i].fd : -1;
        polls[i] = (struct pollfd){.fd = fd, .events = entries[i].events};
    }
    polls[count] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
    int ready = ppoll(polls, count + 1, timeout, NULL);
    if (ready <= 0)
        return ready;
    if (take_signals((polls[count].revents & POLLIN) != 0))
        return interrupted();
    for (size_t i = 0; i < count; i++) {
        if ((polls[i].revents & POLLNVAL) != 0) {
            errno = EBADF;
            return -1;
        }
        entries[i].ready = ready_of(&polls[i]);
    }
    return count_ready(entries, count);
}

int wait_ready(struct wait_entry *entries, size_t count, long long deadline)
{
    struct timespec left;
    const struct timespec *timeout = time_left(deadline, &left);
    for (size_t i = 0; i < count; i++)
        entries[i].ready = 0;
    int highest = highest_fd(entries, count);
    if (highest < FD_SETSIZE)
        return wait_select(entries, count, highest, timeout);
    return wait_poll(entries, count, timeout);
}
