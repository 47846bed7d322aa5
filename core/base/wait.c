#define _GNU_SOURCE
#include "core/base/wait.h"

#include "core/base/signals.h"
#include <errno.h>
#include <modcat/driver.h>
#include <poll.h>
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

static int count_ready(const struct wait_entry *entries, size_t count)
{
    int ready = 0;
    for (size_t i = 0; i < count; i++)
        ready += entries[i].ready != 0;
    return ready;
}

/* Errors and hang-ups make a descriptor ready for whatever was asked. select(2) would not do: it
 * never says of a terminal that its other end is gone to those who wait to write. */
static short ready_of(const struct pollfd *poll)
{
    if ((poll->revents & (POLLERR | POLLHUP)) != 0)
        return poll->events;
    return poll->revents & poll->events;
}

int wait_here(struct wait_entry *entries, size_t count, long long deadline)
{
    struct timespec left;
    struct pollfd polls[count + 1];
    for (size_t i = 0; i < count; i++) {
        entries[i].ready = 0;
        entries[i].hung_up = false;
        /* poll(2) reports a hang-up that nobody asked for, again and again. */
        int fd = entries[i].events != 0 ? entries[i].fd : -1;
        polls[i] = (struct pollfd){.fd = fd, .events = entries[i].events};
    }
    polls[count] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
    int ready = ppoll(polls, count + 1, time_left(deadline, &left), NULL);
    if (ready <= 0)
        return ready;
    bool came = take_signals((polls[count].revents & POLLIN) != 0);
    for (size_t i = 0; i < count; i++) {
        if ((polls[i].revents & POLLNVAL) != 0) {
            errno = EBADF;
            return -1;
        }
        entries[i].ready = ready_of(&polls[i]);
        entries[i].hung_up = (polls[i].revents & POLLHUP) != 0;
    }
    ready = count_ready(entries, count);
    return ready == 0 && came ? interrupted() : ready;
}

/* There is one process to wait in, so that this is one of the places with a state. */
static int (*wait_in_use)(struct wait_entry *entries, size_t count, long long deadline) = wait_here;

void wait_use(int (*way)(struct wait_entry *entries, size_t count, long long deadline))
{
    wait_in_use = way;
}

int wait_ready(struct wait_entry *entries, size_t count, long long deadline)
{
    return wait_in_use(entries, count, deadline);
}

long long wait_earlier(long long one, long long other)
{
    if (one == MODCAT_FOREVER || other == MODCAT_FOREVER)
        return one == MODCAT_FOREVER ? other : one;
    return one < other ? one : other;
}
