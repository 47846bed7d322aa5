/* Workers: processes that share a listening socket.
 *
 * The first process makes them, and waits: one that ends is made anew, after a pause if it has not
 * lived for a second. It passes SIGUSR1 on to them, and the signal that asks it to end; then it
 * waits for them, which have the time of --drain, and kills those that a session holds up: they
 * would never see the signal. A worker whose first process is gone is asked to end by the kernel,
 * prctl(2). */

#define _GNU_SOURCE
#include "core/serve/workers.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/signals.h"
#include "core/serve/fork.h"
#include "core/serve/hangs.h"
#include "core/services/process/children.h"
#include "core/session/session.h"
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Those that live less long are made anew after a pause. */
#define SHORT_LIFE MODCAT_SECOND

/* How often is looked whether all have ended, once they are asked to. */
#define ENDING_TICK (MODCAT_SECOND / 50)

struct worker {
    pid_t pid; /* 0: there is none */
    struct hang *hang;
};

/* As many as are wanted. A process has them once. */
static struct {
    struct worker *all;
    unsigned count;
} workers;

static void pass_on(const struct session *session, int number)
{
    children_signal(session->children, number);
}

static void pass_on_statistics(const struct session *session)
{
    pass_on(session, SIGUSR1);
}

/* A signal that came before the kernel was told has been missed. */
static void tie_to_parent(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() == parent)
        return;
    raise(SIGTERM);
}

/* One that ends because it was asked to says so itself. */
static void worker_ended(void *owner, const int *status)
{
    struct worker *worker = owner;
    int pid = (int)worker->pid;
    hangs_free(worker->hang);
    *worker = (struct worker){0};
    if (signals_draining() != 0 || signals_ending() != 0)
        return;
    if (status != NULL && WIFSIGNALED(*status))
        log_warning("worker %d has been ended by signal %d, and its sessions with it", pid,
                    WTERMSIG(*status));
    else
        log_warning("worker %d has ended, and its sessions with it", pid);
}

/* Returns true in the worker. */
static bool make_worker(struct session *session, struct worker *worker)
{
    void (*statistics)(const struct session *) = session->log_statistics;
    pid_t parent = getpid();
    worker->hang = hangs_new();
    worker->pid = fork_patiently(session);
    if (worker->pid == 0) {
        fork_become_child(session);
        tie_to_parent(parent);
        session->log_statistics = statistics;
        hangs_watch(worker->hang);
        return true;
    }
    if (worker->pid > 0) {
        children_add_worker(session->children, worker->pid, worker_ended, worker);
        return false;
    }
    hangs_free(worker->hang);
    *worker = (struct worker){0};
    return false;
}

/* Returns true in a new worker. */
static bool make_missing(struct session *session)
{
    for (struct worker *worker = workers.all; worker < workers.all + workers.count;)
        if (session_must_end(session))
            return false;
        else if (worker->pid != 0)
            worker++;
        else if (make_worker(session, worker))
            return true;
    return false;
}

static void tell_hangs(void)
{
    for (unsigned i = 0; i < workers.count; i++)
        hangs_tell(workers.all[i].hang, workers.all[i].pid);
}

/* Returns true in a new worker. */
static bool look_after(struct session *session)
{
    long long made = 0;
    while (!session_must_end(session)) {
        if (made != 0 && wait_now() - made < SHORT_LIFE && session_pause(session, SHORT_LIFE) < 0)
            break;
        made = wait_now();
        if (make_missing(session))
            return true;
        while (children_count(session->children) == workers.count) {
            if (session_wait(session, NULL, 0, MODCAT_FOREVER) < 0 && errno != EINTR)
                break;
            tell_hangs();
        }
    }
    return false;
}

enum workers_role workers_run(struct session *session, unsigned count)
{
    void (*statistics)(const struct session *) = session->log_statistics;
    session->serves = true;
    session->log_statistics = pass_on_statistics;
    workers.all = memory_zeroed(count, sizeof *workers.all);
    workers.count = count;
    bool is_worker = look_after(session);
    session->serves = false;
    session->log_statistics = statistics;
    if (is_worker)
        return WORKERS_WORKER;
    int number = signals_draining() != 0 ? signals_draining() : signals_ending();
    pass_on(session, number);
    return WORKERS_DONE;
}

static void kill_held_up(void)
{
    for (struct worker *worker = workers.all; worker < workers.all + workers.count; worker++)
        if (hangs_tell(worker->hang, worker->pid)) {
            log_warning("worker %d is held up still: killing it", (int)worker->pid);
            kill(worker->pid, SIGKILL);
            hangs_free(worker->hang);
            worker->hang = NULL;
        }
}

void workers_wait(struct session *session)
{
    bool drains = signals_ending() == 0;
    while (children_count(session->children) > 0) {
        (void)wait_ready(NULL, 0, modcat_deadline(ENDING_TICK));
        if (signals_take_child())
            children_reap(session->children);
        if (signals_ending() != 0)
            kill_held_up();
        if (drains && signals_ending() != 0) {
            drains = false;
            pass_on(session, signals_ending());
        }
    }
    signals_end_drain();
}
