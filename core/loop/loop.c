#define _GNU_SOURCE
#include "core/loop/loop.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/shortage.h"
#include "core/base/signals.h"
#include "core/loop/deadlines.h"
#include "core/loop/interest.h"
#include "core/loop/stack.h"
#include "core/loop/switch.h"
#include <errno.h>
#include <modcat/driver.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* How long a task waits for memory, for its stack or in the kernel, before it tries again. */
#define SHORT_OF_MEMORY (MODCAT_SECOND / 10)

enum phase { PHASE_BEGINNING, PHASE_STEPPING, PHASE_ENDING, PHASE_OVER };

/* An interest of a task; some places are free. */
struct place {
    struct interest interest;
    bool used;
};

struct task {
    const struct task_work *work; /* NULL: the process itself */
    void *subject;
    unsigned number;
    const char *layer; /* that speaks on its stack, or NULL */
    enum phase phase;
    struct task *next; /* of all */
    struct task *previous;
    struct task *next_ready;
    bool is_ready; /* it runs next */
    bool waits;
    bool interrupted;
    struct stack *stack; /* NULL: it holds none */
    struct context context;
    struct deadline deadline;
    struct loop_waiting waiting;
    struct place places[LOOP_ENTRIES_MAX];
};

static struct {
    bool runs;
    struct task process;
    struct task *first; /* of the others */
    size_t tasks;
    struct task *current;
    struct task *ready; /* a queue of those that run next ... */
    struct task **ready_end;
    struct deadlines deadlines;
    struct interest signals; /* the descriptor by which they come */
    struct wait_entry signals_entry;
    volatile unsigned turn; /* see loop_turn() */
    volatile bool waits;
    long long quiet_until; /* when a shortage of memory may be reported again */
} state;

static void make_ready(struct task *task)
{
    if (task->is_ready || !task->waits)
        return;
    task->is_ready = true;
    task->next_ready = NULL;
    *state.ready_end = task;
    state.ready_end = &task->next_ready;
}

static void ready_by_descriptor(void *owner)
{
    if (owner != NULL)
        make_ready(owner);
}

static struct task *task_of(struct deadline *deadline)
{
    return (struct task *)(void *)((char *)deadline - offsetof(struct task, deadline));
}

static void take_deadlines(void)
{
    struct deadline *first = deadlines_first(&state.deadlines);
    long long now = first != NULL ? wait_now() : 0;
    while (first != NULL && first->at <= now) {
        deadlines_set(&state.deadlines, first, MODCAT_FOREVER);
        make_ready(task_of(first));
        first = deadlines_first(&state.deadlines);
    }
}

void loop_interrupt(struct task *task)
{
    if (task == NULL)
        task = &state.process;
    task->interrupted = true;
    make_ready(task);
}

void loop_interrupt_all(void)
{
    for (struct task *task = state.first; task != NULL; task = task->next)
        loop_interrupt(task);
    loop_interrupt(NULL);
}

static void take_signals(void)
{
    if (state.signals_entry.ready == 0)
        return;
    state.signals_entry.ready = 0;
    signals_collect();
    if (signals_ending() != 0)
        loop_interrupt_all();
    else
        loop_interrupt(NULL);
}

static bool is_waited_for(const struct wait_entry *entry)
{
    return entry->fd >= 0 && entry->events != 0;
}

static bool is_same(const struct interest *interest, const struct wait_entry *entry)
{
    return is_waited_for(entry) && entry->fd == interest->fd && entry->events == interest->events;
}

/* Keeps the interest for one of the entries, if one is the same and has none yet. */
static bool keep(struct interest *interest, struct wait_entry *entries, size_t count, bool *served)
{
    for (size_t i = 0; i < count; i++)
        if (!served[i] && is_same(interest, &entries[i])) {
            interest->entry = &entries[i];
            served[i] = true;
            return true;
        }
    return false;
}

/* Returns 0, or -1 when it can't be waited for now. */
static int add(struct task *task, struct wait_entry *entry)
{
    struct place *place = task->places;
    while (place->used)
        place++;
    int result = interest_add(&place->interest, entry, task);
    place->used = result == 0;
    /* What is always ready, or will fail at once. No error ever comes from what is always ready. */
    bool closed = result < 0 && errno == EBADF;
    if (result > 0 || closed)
        entry->ready = closed ? entry->events : entry->events & (POLLIN | POLLOUT);
    if (entry->ready != 0)
        make_ready(task);
    return result > 0 || closed ? 0 : result;
}

/* Between two steps nobody else has run: the number of a descriptor means the same one still, or a
 * closed one. */
static void exchange(struct task *task)
{
    struct wait_entry *entries = task->waiting.entries;
    bool served[LOOP_ENTRIES_MAX] = {false};
    int left[LOOP_ENTRIES_MAX];
    size_t count = task->waiting.count, left_count = 0;
    for (struct place *place = task->places; place < task->places + LOOP_ENTRIES_MAX; place++)
        if (place->used && !keep(&place->interest, entries, count, served)) {
            interest_remove(&place->interest);
            left[left_count++] = place->interest.fd;
            place->used = false;
        }
    for (size_t i = 0; i < count; i++)
        if (!served[i] && is_waited_for(&entries[i]) && add(task, &entries[i]) < 0)
            task->waiting.deadline =
                wait_earlier(task->waiting.deadline, wait_now() + SHORT_OF_MEMORY);
    for (size_t i = 0; i < left_count; i++)
        interest_settle(left[i]);
}

static void start_waiting(struct task *task)
{
    task->waits = true;
    for (size_t i = 0; i < task->waiting.count; i++) {
        task->waiting.entries[i].ready = 0;
        task->waiting.entries[i].hung_up = false;
    }
    exchange(task);
    deadlines_set(&state.deadlines, &task->deadline, task->waiting.deadline);
    if (task->interrupted)
        make_ready(task);
}

static void forget_interests(struct task *task, void (*forget)(struct interest *interest))
{
    for (size_t i = 0; i < LOOP_ENTRIES_MAX; i++)
        if (task->places[i].used)
            forget(&task->places[i].interest);
    for (size_t i = 0; i < LOOP_ENTRIES_MAX; i++)
        task->places[i].used = false;
}

/* It runs now, and not because of something that may be left in the queue. */
static void stop_waiting(struct task *task)
{
    task->waits = task->is_ready = false;
    deadlines_set(&state.deadlines, &task->deadline, MODCAT_FOREVER);
}

static int result_of_waiting(struct task *task)
{
    int ready = 0;
    for (size_t i = 0; i < task->waiting.count; i++)
        ready += task->waiting.entries[i].ready != 0;
    bool interrupted = task->interrupted;
    task->interrupted = false;
    if (ready > 0 || !interrupted)
        return ready;
    errno = EINTR;
    return -1;
}

static void free_task(struct task *task)
{
    *(task->previous != NULL ? &task->previous->next : &state.first) = task->next;
    if (task->next != NULL)
        task->next->previous = task->previous;
    free(task);
    state.tasks--;
}

/* What a task does on a stack. */
static void on_stack(void *argument)
{
    struct task *task = argument;
    context_arrived();
    if (task->phase == PHASE_BEGINNING)
        task->phase = task->work->begin(task->subject) ? PHASE_STEPPING : PHASE_ENDING;
    if (task->phase == PHASE_ENDING) {
        task->work->end(task->subject);
        task->phase = PHASE_OVER;
    }
    context_switch(&task->context, &state.process.context, true);
}

static void wait_for_memory(struct task *task)
{
    if (shortage_may_warn(&state.quiet_until))
        log_warning("no memory for the stack of a session: %s; trying again", strerror(errno));
    task->waiting = (struct loop_waiting){.deadline = wait_now() + SHORT_OF_MEMORY};
    start_waiting(task);
}

/* Runs it on its stack until it gives way, or has no more to do there. */
static void run_on_stack(struct task *task)
{
    if (task->stack == NULL) {
        task->stack = stack_take();
        if (task->stack == NULL) {
            wait_for_memory(task);
            return;
        }
        context_make(&task->context, stack_memory(task->stack), STACK_SIZE, on_stack, task);
    }
    context_switch(&state.process.context, &task->context, false);
    if (task->phase != PHASE_STEPPING && task->phase != PHASE_OVER)
        return;
    stack_give_back(task->stack);
    task->stack = NULL;
}

static void take_step(struct task *task)
{
    task->interrupted = false;
    if (task->work->step(task->subject, &task->waiting)) {
        start_waiting(task);
        return;
    }
    forget_interests(task, interest_leave);
    task->phase = PHASE_ENDING;
    run_on_stack(task);
}

static void run(struct task *task)
{
    state.current = task;
    state.turn++;
    log_set_session(task->number);
    log_set_layer(task->layer);
    if (task->phase != PHASE_STEPPING)
        run_on_stack(task);
    if (task->phase == PHASE_STEPPING && !task->waits)
        take_step(task);
    task->layer = log_set_layer(NULL);
    log_set_session(0);
    state.current = &state.process;
    state.turn++;
    if (task->phase == PHASE_OVER)
        free_task(task);
}

/* Those that become ready meanwhile come in the next turn. */
static void run_ready(void)
{
    struct task *task = state.ready, *next;
    state.ready = NULL;
    state.ready_end = &state.ready;
    for (; task != NULL; task = next) {
        next = task->next_ready;
        stop_waiting(task);
        if (task != &state.process)
            run(task);
    }
}

static long long time_to_wait(void)
{
    const struct deadline *first = deadlines_first(&state.deadlines);
    if (state.ready != NULL)
        return 0;
    if (first == NULL)
        return MODCAT_FOREVER;
    long long left = first->at - wait_now();
    return left > 0 ? left : 0;
}

static int turn(void)
{
    state.waits = true;
    int result = interest_wait(time_to_wait());
    state.waits = false;
    state.turn++;
    if (result < 0)
        return -1;
    take_signals();
    take_deadlines();
    run_ready();
    return 0;
}

/* The process's own waiting, during which the tasks run. */
static int wait_in_process(void)
{
    int result = 0;
    while (state.process.waits && result == 0)
        result = turn();
    if (result < 0)
        stop_waiting(&state.process);
    return result;
}

/* Several entries may be about one descriptor. Returns 1 where it is always ready. */
static int watch(int set, const struct wait_entry *entries, size_t count,
                 const struct wait_entry *one)
{
    struct epoll_event event = {0};
    for (const struct wait_entry *entry = entries; entry < entries + count; entry++)
        if (entry->fd == one->fd)
            event.events |= (unsigned short)entry->events;
    if (one->events == 0 || epoll_ctl(set, EPOLL_CTL_ADD, one->fd, &event) == 0 || errno == EEXIST)
        return 0;
    return errno == EPERM ? 1 : -1;
}

static int wait_in_loop(struct wait_entry *entries, size_t count, long long deadline);

/* More than a task has places for are one descriptor to it. */
static int wait_for_many(struct wait_entry *entries, size_t count, long long deadline)
{
    int set = epoll_create1(EPOLL_CLOEXEC), result = set < 0 ? -1 : 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = watch(set, entries, count, &entries[i]);
    struct wait_entry all = {.fd = set, .events = POLLIN};
    if (result == 0)
        result = wait_in_loop(&all, 1, deadline);
    int error = errno;
    if (set >= 0)
        close(set);
    errno = error;
    return result < 0 ? -1 : wait_here(entries, count, wait_now());
}

/* A step that waits, against the rule, holds all up. */
static int wait_in_loop(struct wait_entry *entries, size_t count, long long deadline)
{
    struct task *task = state.current;
    if (task != &state.process && task->stack == NULL)
        return wait_here(entries, count, deadline);
    if (count > LOOP_ENTRIES_MAX)
        return wait_for_many(entries, count, deadline);
    task->waiting = (struct loop_waiting){entries, count, deadline};
    start_waiting(task);
    int result = 0;
    if (task == &state.process)
        result = wait_in_process();
    else
        context_switch(&task->context, &state.process.context, false);
    int error = errno;
    forget_interests(task, interest_remove);
    errno = error;
    return result < 0 ? -1 : result_of_waiting(task);
}

unsigned loop_current_number(void)
{
    const struct task *task = state.current;
    return task != NULL ? task->number : 0;
}

unsigned loop_turn(void)
{
    unsigned turn = state.turn;
    return state.waits ? 0 : turn != 0 ? turn : 1;
}

bool loop_possible(void)
{
    return context_possible();
}

int loop_start(void)
{
    if (interest_start(ready_by_descriptor) < 0)
        return -1;
    state.current = &state.process;
    state.process.phase = PHASE_BEGINNING;
    state.ready_end = &state.ready;
    state.signals_entry = (struct wait_entry){.fd = signals_fd(), .events = POLLIN};
    if (interest_add(&state.signals, &state.signals_entry, NULL) < 0) {
        interest_stop();
        return -1;
    }
    state.runs = true;
    wait_use(wait_in_loop);
    return 0;
}

void loop_leave(void)
{
    wait_use(wait_here);
    state.runs = false;
}

void loop_finish(void)
{
    while (state.tasks > 0 && turn() == 0)
        continue;
    if (log_shows(MODCAT_DEBUG))
        log_debug("sessions have used %zu of the %lu bytes of their stacks", stack_high_water(),
                  STACK_SIZE);
    wait_use(wait_here);
    interest_stop();
    deadlines_free(&state.deadlines);
    stack_free_all();
    state.runs = false;
}

bool loop_runs(void)
{
    return state.runs;
}

struct task *loop_add(const struct task_work *work, void *subject, unsigned number)
{
    struct task *task = memory_zeroed(1, sizeof *task);
    task->work = work;
    task->subject = subject;
    task->number = number;
    task->next = state.first;
    if (state.first != NULL)
        state.first->previous = task;
    state.first = task;
    state.tasks++;
    task->waits = true;
    make_ready(task);
    return task;
}

size_t loop_tasks(void)
{
    return state.tasks;
}

struct task *loop_current(void)
{
    return state.runs && state.current != &state.process ? state.current : NULL;
}

bool loop_has_stack(void)
{
    return loop_current() != NULL && state.current->stack != NULL;
}
