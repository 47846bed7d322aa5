#define _GNU_SOURCE
#include "core/base/moment.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

#define MOMENT_MICROSECONDS 20000

/* A process has one timer of this kind, and one action of its signal. */
static struct {
    struct sigaction action_before;
    sigset_t mask_before;
    volatile sig_atomic_t strokes;
    volatile sig_atomic_t asked; /* somebody else has sent the signal */
} state;

static void strike(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    if (info->si_code == SI_KERNEL)
        state.strokes++;
    else
        state.asked = 1;
}

static void set_timer(long microseconds)
{
    const struct itimerval timer = {.it_interval.tv_usec = microseconds,
                                    .it_value.tv_usec = microseconds};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* Without SA_RESTART: the call has to be interrupted. */
void moment_start(void)
{
    const struct sigaction action = {.sa_sigaction = strike, .sa_flags = SA_SIGINFO};
    sigset_t alarm;
    state.strokes = state.asked = 0;
    sigaction(SIGALRM, &action, &state.action_before);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm, &state.mask_before);
    set_timer(MOMENT_MICROSECONDS);
}

int moment_stop(void)
{
    int saved = errno;
    set_timer(0);
    sigprocmask(SIG_SETMASK, &state.mask_before, NULL);
    sigaction(SIGALRM, &state.action_before, NULL);
    if (state.asked != 0)
        raise(SIGALRM);
    errno = saved;
    return state.strokes;
}
