/* Workers: processes that share a listening socket.
 *
 * The first process makes them, and waits: one that ends is made anew, after a pause if it has not
 * lived for a second. It passes SIGUSR1 on to them, and the signal that asks it to end; then it
 * waits for them, which have the time of --drain. A worker whose first process is gone is asked to
 * end by the kernel, prctl(2). */

#define _GNU_SOURCE
#include "core/serve/workers.h"

#include "core/base/log.h"
#include "core/base/signals.h"
#include "core/serve/fork.h"
#include "core/services/process/children.h"
#include "core/session/session.h"
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Those that live less long are made anew after a pause. */
#define SHORT_LIFE MODCAT_SECOND

/* How often is looked whether all have ended, once they are asked to. */
#define ENDING_TICK (MODCAT_SECOND / 50)

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
    int pid = (int)(intptr_t)owner;
    if (signals_draining() != 0 || signals_ending() != 0)
        return;
    if (status != NULL && WIFSIGNALED(*status))
        log_warning("worker %d has been ended by signal %d, and its sessions with it", pid,
                    WTERMSIG(*status));
    else
        log_warning("worker %d has ended, and its sessions with it", pid);
}

/* Returns true in the worker. */
static bool make_worker(struct session *session)
{
    void (*statistics)(const struct session *) = session->log_statistics;
    pid_t parent = getpid();
    pid_t pid = fork_patiently(session);
    if (pid == 0) {
        fork_become_child(session);
        tie_to_parent(parent);
        session->log_statistics = statistics;
        return true;
    }
    if (pid > 0)
        children_add_worker(session->children, pid, worker_ended);
    return false;
}

/* Returns true in a new worker. */
static bool make_missing(struct session *session, unsigned count)
{
    while (children_count(session->children) < count && !session_must_end(session))
        if (make_worker(session))
            return true;
    return false;
}

/* Returns true in a new worker. */
static bool look_after(struct session *session, unsigned count)
{
    long long made = 0;
    while (!session_must_end(session)) {
        if (made != 0 && wait_now() - made < SHORT_LIFE && session_pause(session, SHORT_LIFE) < 0)
            break;
        made = wait_now();
        if (make_missing(session, count))
            return true;
        while (children_count(session->children) == count)
            if (session_wait(session, NULL, 0, MODCAT_FOREVER) < 0 && errno != EINTR)
                break;
    }
    return false;
}

enum workers_role workers_run(struct session *session, unsigned count)
{
    void (*statistics)(const struct session *) = session->log_statistics;
    session->serves = true;
    session->log_statistics = pass_on_statistics;
    bool is_worker = look_after(session, count);
    session->serves = false;
    session->log_statistics = statistics;
    if (is_worker)
        return WORKERS_WORKER;
    int number = signals_draining() != 0 ? signals_draining() : signals_ending();
    pass_on(session, number);
    return WORKERS_DONE;
}

void workers_wait(struct session *session)
{
    bool drains = signals_ending() == 0;
    while (children_count(session->children) > 0) {
        (void)wait_ready(NULL, 0, modcat_deadline(ENDING_TICK));
        if (signals_take_child())
            children_reap(session->children);
        if (drains && signals_ending() != 0) {
            drains = false;
            pass_on(session, signals_ending());
        }
    }
    signals_end_drain();
}
