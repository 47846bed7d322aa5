#define _GNU_SOURCE
#include "core/base/signals.h"

#include "core/base/log.h"
#include "core/base/wait.h"
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* There is one set of signals in a process, so that this is one of the places with a state. */
static struct {
    int fd;
    int ending;           /* the first signal that asked the program to end at once */
    long long drain;      /* what --drain says, or 0 */
    int draining;         /* the first signal that asked it to end within that time ... */
    long long drained_at; /* ... and when that is over */
    bool draining_logged;
    bool ending_logged;
    bool child_ended;
    bool statistics_wanted;
    bool resized;
    unsigned long ending_mask; /* bit N: signal N ends the program with a message */
    unsigned long quiet_mask;  /* bit N: it does so without one, and the program dies of it */
    unsigned long diverting;   /* bit N: signal N does not end the program */
    unsigned long diverted;    /* bit N: such a signal has come */
    sigset_t mask_at_start;
    struct sigaction pipe_at_start;
    struct sigaction size_at_start;
    struct sigaction child_at_start;
} state = {.fd = -1};

/* Signals that have a meaning of their own, whatever option -S says; and what can't be blocked. */
static bool fixed_by_program(int number)
{
    return number == SIGPIPE || number == SIGXFSZ || number == SIGCHLD || number == SIGUSR1 ||
           number == SIGWINCH || number == SIGCONT || number == SIGKILL || number == SIGSTOP;
}

/* Those that stop a process, or do nothing, unless somebody cares for them. */
static bool ends_a_process(int number)
{
    return number != SIGTSTP && number != SIGTTIN && number != SIGTTOU && number != SIGURG;
}

/* Signals that would end the program at once, without the work of its end: terminals would stay as
 * they are, and what it has made would stay behind. */
static unsigned long all_that_end(void)
{
    unsigned long mask = 0;
    struct sigaction action;
    for (int number = 1; number < 32; number++)
        if (ends_a_process(number) && sigaction(number, NULL, &action) == 0 &&
            action.sa_handler == SIG_DFL)
            mask |= 1UL << number;
    return mask;
}

static void choose(unsigned long mask, sigset_t *handled)
{
    sigemptyset(handled);
    sigaddset(handled, SIGCHLD);
    sigaddset(handled, SIGUSR1);
    sigaddset(handled, SIGWINCH);
    sigaddset(handled, SIGCONT);
    for (int number = 1; number < 32; number++)
        if ((mask >> number & 1) != 0 && !fixed_by_program(number))
            sigaddset(handled, number);
}

int signals_start(unsigned long mask)
{
    sigset_t handled;
    const struct sigaction ignore = {.sa_handler = SIG_IGN}, standard = {.sa_handler = SIG_DFL};
    state.ending_mask = mask;
    state.quiet_mask = all_that_end() & ~mask;
    choose(mask | state.quiet_mask, &handled);
    sigaction(SIGPIPE, &ignore, &state.pipe_at_start);
    sigaction(SIGXFSZ, &ignore, &state.size_at_start);
    sigaction(SIGCHLD, &standard, &state.child_at_start);
    sigprocmask(SIG_BLOCK, &handled, &state.mask_at_start);
    state.fd = signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC);
    if (state.fd < 0)
        log_error("signalfd(-1, ..., SFD_NONBLOCK | SFD_CLOEXEC): %s", strerror(errno));
    return state.fd < 0 ? -1 : 0;
}

void signals_restore(void)
{
    if (state.fd < 0)
        return;
    sigaction(SIGPIPE, &state.pipe_at_start, NULL);
    sigaction(SIGXFSZ, &state.size_at_start, NULL);
    sigaction(SIGCHLD, &state.child_at_start, NULL);
    sigprocmask(SIG_SETMASK, &state.mask_at_start, NULL);
}

int signals_fd(void)
{
    return state.fd;
}

/* Those that are read from fd, whether they are diverted or not. */
static unsigned long reading_mask(void)
{
    return state.ending_mask | state.quiet_mask;
}

static void start_draining(int number)
{
    state.draining = number;
    state.drained_at = wait_now() + state.drain;
}

static void take_note(int number)
{
    if (number == SIGCHLD)
        state.child_ended = true;
    else if (number == SIGUSR1)
        state.statistics_wanted = true;
    else if (number == SIGWINCH || number == SIGCONT)
        state.resized = true;
    else if ((state.diverting >> number & 1) != 0)
        state.diverted |= 1UL << number;
    else if (state.drain > 0 && state.draining == 0)
        start_draining(number);
    else if (state.ending == 0)
        state.ending = number;
}

void signals_collect(void)
{
    struct signalfd_siginfo info;
    while (read(state.fd, &info, sizeof info) == (ssize_t)sizeof info)
        take_note((int)info.ssi_signo);
}

static enum modcat_level ending_level(int number)
{
    switch (number) {
    case SIGHUP:
    case SIGINT:
        return MODCAT_NOTICE;
    case SIGTERM:
        return MODCAT_WARNING;
    default:
        return MODCAT_ERROR;
    }
}

static bool is_quiet(int number)
{
    return (state.quiet_mask >> number & 1) != 0;
}

void signals_set_drain(long long time)
{
    state.drain = time;
}

int signals_draining(void)
{
    if (state.draining != 0 && !state.draining_logged) {
        state.draining_logged = true;
        log_notice(
            "signal %d: no new sessions; those that are open have %lld.%03lld seconds to end",
            state.draining, state.drain / MODCAT_SECOND, state.drain % MODCAT_SECOND / 1000000);
    }
    return state.draining;
}

long long signals_drain_deadline(void)
{
    return state.draining != 0 ? state.drained_at : MODCAT_FOREVER;
}

void signals_end_drain(void)
{
    if (state.draining != 0)
        state.drained_at = wait_now();
}

int signals_ending(void)
{
    if (state.ending == 0 && state.draining != 0 && wait_now() >= state.drained_at)
        state.ending = state.draining;
    if (state.ending != 0 && !state.ending_logged && !is_quiet(state.ending)) {
        state.ending_logged = true;
        log_notice("socat_signal(): handling signal %d", state.ending);
        modcat_log(ending_level(state.ending), "exiting on signal %d", state.ending);
        log_notice("socat_signal(): finishing signal %d", state.ending);
    }
    return state.ending;
}

void signals_end_by(void)
{
    sigset_t one;
    if (state.ending == 0 || !is_quiet(state.ending))
        return;
    sigemptyset(&one);
    sigaddset(&one, state.ending);
    raise(state.ending);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
}

bool signals_end_pending(void)
{
    sigset_t pending;
    if (state.ending != 0 || state.fd < 0 || sigpending(&pending) < 0)
        return state.ending != 0;
    for (int number = 1; number < 32; number++)
        if ((reading_mask() & ~state.diverting) >> number & 1 && !fixed_by_program(number) &&
            sigismember(&pending, number) == 1)
            return true;
    return false;
}

static bool take(bool *flag)
{
    bool was_set = *flag;
    *flag = false;
    return was_set;
}

bool signals_take_child(void)
{
    return take(&state.child_ended);
}

bool signals_take_statistics(void)
{
    return take(&state.statistics_wanted);
}

bool signals_take_resized(void)
{
    return take(&state.resized);
}

/* A signal outside of the masks of signals_start() is read from the descriptor, and blocked for
 * that, only while it is diverted. */
static void read_signal(int number, bool on)
{
    sigset_t one, all;
    sigemptyset(&one);
    sigaddset(&one, number);
    choose(reading_mask() | state.diverting, &all);
    if (on)
        sigprocmask(SIG_BLOCK, &one, NULL);
    signalfd(state.fd, &all, SFD_NONBLOCK | SFD_CLOEXEC);
    if (!on && !sigismember(&state.mask_at_start, number))
        sigprocmask(SIG_UNBLOCK, &one, NULL);
}

void signals_divert(int number, bool on)
{
    unsigned long bit = 1UL << number;
    if (((state.diverting & bit) != 0) == on)
        return;
    state.diverting = on ? state.diverting | bit : state.diverting & ~bit;
    if ((reading_mask() & bit) == 0)
        read_signal(number, on);
}

bool signals_take_diverted(int number)
{
    bool came = (state.diverted >> number & 1) != 0;
    state.diverted &= ~(1UL << number);
    return came;
}
