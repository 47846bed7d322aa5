#define _GNU_SOURCE
#include "core/process/programs.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/signals.h"
#include "core/relay/wait.h"
#include "core/session/children.h"
#include "core/session/session.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a program has to end after SIGTERM before it is killed; and its orphans before they get
 * SIGTERM. */
#define BURY_PATIENCE (MODCAT_SECOND / 2)

/* How long one that was killed has to be gone: the system may have to finish something first. */
#define KILL_PATIENCE (5 * MODCAT_SECOND)

/* How often orphans are looked at: no signal tells that one has made a session of its own. */
#define BURY_TICK (MODCAT_SECOND / 50)

struct program {
    struct program *next;
    const struct modcat_opening *opening; /* NULL: closed */
    int side;                             /* 0 or 1, as messages call it */
    pid_t pid;
    pid_t sid; /* its session, as in getsid(2), unless it makes one of its own */
    char *failure;
    unsigned long signals;
    bool terminated; /* it was sent SIGTERM */
    bool ended;
    bool failed;
};

static const int passable[] = {SIGHUP, SIGINT, SIGQUIT};

/* A signal is diverted as long as a living program wants it. */
static void divert_signals(const struct session *session)
{
    unsigned long wanted = 0;
    for (const struct program *program = session->programs.first; program; program = program->next)
        if (!program->ended && program->opening != NULL)
            wanted |= program->signals;
    for (size_t i = 0; i < MODCAT_COUNT(passable); i++)
        signals_divert(passable[i], (wanted >> passable[i] & 1) != 0);
}

static int side_of(const struct modcat_opening *opening)
{
    const struct address_pair *right = opening->session->sides[1].address;
    return opening->address == address_lowest(right->first) ||
           (right->second != NULL && opening->address == address_lowest(right->second));
}

void programs_add(struct modcat_opening *opening, pid_t pid, const char *failure,
                  unsigned long signals)
{
    struct session *session = opening->session;
    struct program *added = memory_alloc(sizeof *added);
    *added = (struct program){
        .next = session->programs.first,
        .opening = opening,
        .side = side_of(opening),
        .pid = pid,
        .sid = getsid(pid),
        .failure = failure != NULL ? memory_copy_text(failure) : NULL,
        .signals = signals,
    };
    session->programs.first = added;
    divert_signals(session);
}

/* One that was closed before it ended is not judged. */
static void judge(struct program *program, int status)
{
    program->ended = true;
    program->failed = program->opening != NULL && status != 0;
    log_info("exec'd process %d on socket %d terminated", (int)program->pid, program->side);
    if (program->failed && program->failure != NULL)
        log_warning("%s returned with status %d", program->failure, status);
    children_log_end(program->failed ? MODCAT_WARNING : MODCAT_INFO, program->pid, status);
}

static const struct program *with_pid(const struct session *session, pid_t pid)
{
    const struct program *program = session->programs.first;
    while (program != NULL && (program->ended || program->pid != pid))
        program = program->next;
    return program;
}

/* A child that we have not made. */
static bool is_orphan(const struct session *session, pid_t pid)
{
    return pid != session->programs.newborn && with_pid(session, pid) == NULL &&
           !children_have(&session->children, pid);
}

/* Returns the number of a child that has ended, 0 when there is none, -1 with errno. */
static pid_t find_dead_child(void)
{
    siginfo_t info = {.si_pid = 0};
    int result = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
    return result < 0 ? -1 : info.si_pid;
}

/* One of ours that shows up here makes another signal, and is buried then. */
static void reap_orphans(const struct session *session)
{
    pid_t pid;
    if (session->programs.orphans == ORPHANS_ADOPTED)
        while ((pid = find_dead_child()) > 0 && is_orphan(session, pid) &&
               waitpid(pid, NULL, WNOHANG) == pid)
            log_debug("orphan %d of a program has ended", (int)pid);
}

void programs_reap(struct session *session)
{
    for (struct program *program = session->programs.first; program; program = program->next) {
        int status = 0;
        pid_t pid = program->ended ? 0 : waitpid(program->pid, &status, WNOHANG);
        if (pid > 0)
            judge(program, status);
        else if (pid < 0 && errno == ECHILD)
            program->ended = true;
    }
    reap_orphans(session);
    divert_signals(session);
}

static struct program *program_of(const struct modcat_opening *opening)
{
    struct program *program = opening->session->programs.first;
    while (program != NULL && program->opening != opening)
        program = program->next;
    return program;
}

bool programs_ended(const struct modcat_opening *opening)
{
    const struct program *program = program_of(opening);
    return program != NULL && program->ended;
}

bool programs_failed(const struct session *session)
{
    const struct program *program = session->programs.first;
    while (program != NULL && !program->failed)
        program = program->next;
    return program != NULL;
}

void programs_wait(const struct modcat_opening *opening, long long deadline)
{
    const struct program *program = program_of(opening);
    if (program == NULL || program->ended)
        return;
    log_info("waiting for process %d to end", (int)program->pid);
    while (!program->ended)
        if (session_wait(opening->session, NULL, 0, deadline) >= 0 || errno != EINTR)
            return;
}

static void pass_signal(const struct session *session, int number)
{
    int count = 0;
    log_notice("socatsignalpass(sig=%d)", number);
    for (const struct program *program = session->programs.first; program; program = program->next)
        if (!program->ended && (program->signals >> number & 1) != 0 &&
            kill(program->pid, number) == 0)
            count++;
    log_info("socatsignalpass(): propagated signal to %d sub processes", count);
}

void programs_pass_signals(struct session *session)
{
    for (size_t i = 0; i < MODCAT_COUNT(passable); i++)
        if (signals_take_diverted(passable[i]))
            pass_signal(session, passable[i]);
}

/* The process may have children from before it was modcat. Their orphans could not be told from
 * those of programs, so that then all are left alone. */
void programs_prepare(const struct modcat_opening *opening)
{
    struct session *session = opening->session;
    if (opening->set.end_close)
        programs_leave_orphans(session);
    if (session->programs.orphans != ORPHANS_UNDECIDED)
        return;
    bool alone = find_dead_child() < 0 && errno == ECHILD;
    bool adopted = alone && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
    session->programs.orphans = adopted ? ORPHANS_ADOPTED : ORPHANS_LEFT;
}

void programs_leave_orphans(struct session *session)
{
    if (session->programs.orphans == ORPHANS_ADOPTED)
        prctl(PR_SET_CHILD_SUBREAPER, 0);
    session->programs.orphans = ORPHANS_LEFT;
}

/* A process that has made a session of its own lives for itself: a daemon. */
static bool is_of_programs(pid_t pid, const void *context)
{
    const struct session *session = context;
    const struct program *program = session->programs.first;
    pid_t sid = getsid(pid);
    while (program != NULL && sid != program->sid && sid != program->pid)
        program = program->next;
    return program != NULL && kill(pid, 0) == 0;
}

static bool is_orphan_of_programs(pid_t pid, const void *context)
{
    return is_orphan(context, pid) && is_of_programs(pid, context);
}

/* Where there are no children at all, nothing has to be looked up. */
static void add_orphans(const struct session *session, struct family *family)
{
    if (session->programs.orphans == ORPHANS_ADOPTED && find_dead_child() >= 0)
        family_add_children(family, getpid(), is_orphan_of_programs, session);
}

/* Programs that have to end, and orphans. */
static void add_left(const struct session *session, struct family *family)
{
    const struct program *program = session->programs.first;
    for (; program != NULL; program = program->next)
        if (program->terminated && !program->ended)
            family_add(family, program->pid);
    add_orphans(session, family);
}

static void signal_all(const struct family *family, int number, const char *name)
{
    for (size_t i = 0; i < family->count; i++)
        if (kill(family->pids[i], number) == 0)
            log_info("kill(%d, %s)", (int)family->pids[i], name);
}

/* Everyone gets it once only: a second SIGTERM may mean something else. */
static void terminate(struct session *session, struct family *family)
{
    struct family *terminated = &session->programs.terminated;
    struct family first = {0};
    family_add_descendants(family, is_of_programs, session);
    for (size_t i = 0; i < family->count; i++)
        if (!family_has(terminated, family->pids[i]))
            family_add(&first, family->pids[i]);
    signal_all(&first, SIGTERM, "SIGTERM");
    for (size_t i = 0; i < first.count; i++)
        family_add(terminated, first.pids[i]);
    family_free(&first);
}

static void terminate_program(struct session *session, struct program *program)
{
    struct family family = {0};
    program->terminated = kill(program->pid, 0) == 0;
    if (!program->terminated)
        return;
    family_add(&family, program->pid);
    terminate(session, &family);
    family_free(&family);
}

void programs_release(const struct modcat_opening *opening)
{
    struct session *session = opening->session;
    struct program *program;
    while ((program = program_of(opening)) != NULL) {
        program->opening = NULL;
        if (opening->set.end_close)
            programs_leave_orphans(session);
        else if (!program->ended)
            terminate_program(session, program);
    }
    divert_signals(session);
}

static bool is_anything_left(struct session *session)
{
    struct family left = {0};
    programs_reap(session);
    add_left(session, &left);
    bool any = left.count > 0;
    family_free(&left);
    return any;
}

/* Returns false when something is left after that time. A signal that ends us does not cut this
 * short: it is short. */
static bool all_end(struct session *session, long long patience, long long tick)
{
    long long deadline = modcat_deadline(patience);
    while (is_anything_left(session)) {
        long long now = wait_now();
        if (now >= deadline)
            return false;
        wait_ready(NULL, 0, now + tick < deadline ? now + tick : deadline);
        (void)signals_take_child();
    }
    return true;
}

static void terminate_orphans(struct session *session)
{
    struct family orphans = {0};
    add_orphans(session, &orphans);
    terminate(session, &orphans);
    family_free(&orphans);
}

/* Where one forks meanwhile, what it leaves is found the next time. */
static void kill_left(struct session *session)
{
    struct family left = {0};
    add_left(session, &left);
    family_add_descendants(&left, is_of_programs, session);
    signal_all(&left, SIGKILL, "SIGKILL");
    family_free(&left);
}

/* Orphans of programs that have ended by themselves may be about to end, too, or on their way to
 * be daemons. */
void programs_bury(struct session *session)
{
    bool by_themselves = session->programs.terminated.count == 0;
    if (by_themselves && all_end(session, BURY_PATIENCE, BURY_TICK))
        return;
    terminate_orphans(session);
    if (all_end(session, BURY_PATIENCE, BURY_PATIENCE))
        return;
    log_notice("programs have not ended on SIGTERM, killing them");
    long long deadline = modcat_deadline(KILL_PATIENCE);
    do
        kill_left(session);
    while (!all_end(session, BURY_TICK, BURY_TICK) && wait_now() < deadline);
    if (is_anything_left(session))
        log_warning("programs do not even end on SIGKILL, leaving them to themselves");
}

void programs_forget(struct session *session)
{
    while (session->programs.first != NULL) {
        struct program *first = session->programs.first;
        session->programs.first = first->next;
        free(first->failure);
        free(first);
    }
    family_free(&session->programs.terminated);
    session->programs = (struct programs){.first = NULL};
    divert_signals(session);
}
