/* Finding sessions that hold up all others of their worker.
 *
 * A timer counts the processor time of the worker, so it never wakes one that waits. When three
 * ticks in a row find the loop in the same piece of work, the worker notes the session and the
 * driver, and wakes its parent, which logs them: the worker itself can't, as the signal may have
 * interrupted anything. */

#define _GNU_SOURCE
#include "core/serve/hangs.h"

#include "core/base/log.h"
#include "core/loop/loop.h"
#include "core/serve/culprit.h"
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Of processor time, in seconds. */
#define TICK 1

/* So many ticks in the same piece of work are too many. */
#define TICKS_MAX 2

/* Shared by the two processes. */
struct hang {
    pid_t parent;
    atomic_bool is_held_up;
    atomic_bool is_new;
    unsigned session;   /* 0: none, it is the serving itself */
    const char *driver; /* its name, which lies at the same place in both; NULL: none is known */
};

/* The worker's own. */
static struct hang *own;

struct hang *hangs_new(void)
{
    struct hang *hang =
        mmap(NULL, sizeof *hang, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (hang == MAP_FAILED)
        return NULL;
    hang->parent = getpid();
    return hang;
}

void hangs_free(struct hang *hang)
{
    if (hang != NULL)
        munmap(hang, sizeof *hang);
}

static void tell_parent(const void *context)
{
    own->session = loop_current_number();
    own->driver = culprit_find(context, true);
    atomic_store(&own->is_held_up, true);
    atomic_store(&own->is_new, true);
    kill(own->parent, SIGCHLD);
}

static void ticked(int number, siginfo_t *info, void *context)
{
    static unsigned last_turn, ticks;
    unsigned turn = loop_turn();
    (void)number, (void)info;
    if (turn != 0 && turn == last_turn) {
        if (++ticks == TICKS_MAX)
            tell_parent(context);
        return;
    }
    last_turn = turn;
    ticks = 0;
    atomic_store(&own->is_held_up, false);
}

void hangs_watch(struct hang *hang)
{
    struct sigaction action = {.sa_sigaction = ticked,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    const struct itimerspec every = {.it_interval.tv_sec = TICK, .it_value.tv_sec = TICK};
    timer_t timer;
    own = hang;
    if (hang == NULL)
        return;
    culprit_prepare();
    sigfillset(&action.sa_mask);
    if (sigaction(SIGRTMIN, &action, NULL) == 0 &&
        timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) == 0)
        timer_settime(timer, 0, &every, NULL);
}

bool hangs_tell(struct hang *hang, pid_t worker)
{
    char session[32] = "its listener";
    if (hang == NULL)
        return false;
    if (atomic_exchange(&hang->is_new, false)) {
        if (hang->session != 0)
            snprintf(session, sizeof session, "session %u", hang->session);
        log_warning("worker %d is held up by %s%s%s: its other sessions wait", (int)worker, session,
                    hang->driver != NULL ? ", in driver " : "",
                    hang->driver != NULL ? hang->driver : "");
    }
    return atomic_load(&hang->is_held_up);
}
