#define _GNU_SOURCE
#include "core/services/process/programs.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/signals.h"
#include "core/opening/session_state.h"
#include "core/services/process/children.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct program {
    struct program *next;
    struct session *session;
    const struct modcat_opening *opening; /* NULL: closed */
    int side;                             /* 0 or 1, as messages call it */
    pid_t pid;
    char *failure;
    unsigned long signals;
    bool terminate; /* it is sent SIGTERM when its session ends */
    bool ended;
    bool failed;
};

static const int passable[] = {SIGHUP, SIGINT, SIGQUIT};

/* A signal is diverted as long as a living program wants it. */
static void divert_signals(const struct session *session)
{
    unsigned long wanted = 0;
    for (const struct program *program = session->programs; program; program = program->next)
        if (!program->ended && program->opening != NULL)
            wanted |= program->signals;
    for (size_t i = 0; i < MODCAT_COUNT(passable); i++)
        signals_divert(passable[i], (wanted >> passable[i] & 1) != 0);
}

static int side_of(const struct modcat_opening *opening)
{
    const struct address_pair *right = opening->session->sides[1].address;
    const struct address *half = address_outermost(opening->address);
    return half == right->first || half == right->second;
}

/* One that was closed before it ended is not judged. */
static void judge(struct program *program, int status)
{
    program->failed = program->opening != NULL && status != 0;
    log_info("exec'd process %d on socket %d terminated", (int)program->pid, program->side);
    if (program->failed && program->failure != NULL)
        log_warning("%s returned with status %d", program->failure, status);
    children_log_end(program->failed ? MODCAT_WARNING : MODCAT_INFO, program->pid, status);
}

static void end(void *owner, const int *status)
{
    struct program *program = owner;
    program->ended = true;
    if (status != NULL)
        judge(program, *status);
    session_child_ended(program->session);
    divert_signals(program->session);
}

void programs_add(struct modcat_opening *opening, pid_t pid, const struct modcat_program *known,
                  unsigned long signals)
{
    struct session *session = opening->session;
    struct program *added = memory_alloc(sizeof *added);
    *added = (struct program){
        .next = session->programs,
        .session = session,
        .opening = opening,
        .side = side_of(opening),
        .pid = pid,
        .failure = known->failure != NULL ? memory_copy_text(known->failure) : NULL,
        .signals = signals,
        .terminate = known->terminate,
    };
    session->programs = added;
    children_add_program(session->children, pid, end, added);
    divert_signals(session);
}

void programs_reap(struct session *session)
{
    for (struct program *program = session->programs; program; program = program->next)
        if (!program->ended)
            (void)children_bury(session->children, program->pid);
}

static struct program *program_of(const struct modcat_opening *opening)
{
    struct program *program = opening->session->programs;
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
    const struct program *program = session->programs;
    while (program != NULL && !program->failed)
        program = program->next;
    return program != NULL;
}

bool programs_will_be_asked(const struct modcat_opening *opening)
{
    const struct program *program = program_of(opening);
    return program != NULL && program->terminate && !opening->set.end_close;
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
    for (const struct program *program = session->programs; program; program = program->next)
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

static void terminate(const struct program *program, bool input_left)
{
    if (input_left && signals_ending() == 0)
        log_warning("process %d is asked to end before it has taken all of its input; "
                    "option -t gives it more time",
                    (int)program->pid);
    if (kill(program->pid, SIGTERM) == 0)
        log_info("kill(%d, SIGTERM)", (int)program->pid);
}

/* A program that has closed its output may still work on what it has got: that is its own
 * affair. */
void programs_release(const struct modcat_opening *opening, bool output_ended, bool input_left)
{
    struct program *program;
    while ((program = program_of(opening)) != NULL) {
        program->opening = NULL;
        if (program->terminate && !program->ended && !output_ended && !opening->set.end_close)
            terminate(program, input_left);
    }
    divert_signals(opening->session);
}

static void forget_at(struct program **place)
{
    struct program *program = *place;
    *place = program->next;
    free(program->failure);
    free(program);
}

void programs_forget_closed(struct session *session)
{
    struct program **place = &session->programs;
    while (*place != NULL) {
        if ((*place)->ended && (*place)->opening == NULL)
            forget_at(place);
        else
            place = &(*place)->next;
    }
}

void programs_forget(struct session *session)
{
    while (session->programs != NULL) {
        if (!session->programs->ended)
            children_disown(session->children, session->programs->pid);
        forget_at(&session->programs);
    }
    divert_signals(session);
}
