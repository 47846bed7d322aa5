#define _GNU_SOURCE
#include "core/base/moment.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/time.h>

#define MOMENT_MICROSECONDS 20000

/* A process has one timer of this kind, and one action of its signal. */
static struct {
    bool prepared;
    struct sigaction before;
    volatile sig_atomic_t strokes;
} state;

static void strike(int number)
{
    (void)number;
    state.strokes++;
}

/* Without SA_RESTART: the call has to be interrupted. */
static void prepare(void)
{
    const struct sigaction action = {.sa_handler = strike};
    sigset_t alarm;
    if (state.prepared)
        return;
    state.prepared = true;
    sigaction(SIGALRM, &action, &state.before);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm, NULL);
}

static void set_timer(long microseconds)
{
    const struct itimerval timer = {.it_interval.tv_usec = microseconds,
                                    .it_value.tv_usec = microseconds};
    setitimer(ITIMER_REAL, &timer, NULL);
}

void moment_start(void)
{
    prepare();
    state.strokes = 0;
    set_timer(MOMENT_MICROSECONDS);
}

int moment_stop(void)
{
    int saved = errno;
    set_timer(0);
    errno = saved;
    return state.strokes;
}

void moment_restore(void)
{
    if (state.prepared)
        sigaction(SIGALRM, &state.before, NULL);
    state.prepared = false;
}
