/* loop.h: many lines of work in one process, each of which gives way while it waits.
 *
 * A task begins and ends on a small stack of its own: there it may call wait_ready(), as every part
 * of the program does, and other tasks run meanwhile. In between it holds no stack: its step is
 * called whenever something that it waits for is ready, or its deadline has passed.
 *
 *     BEGINNING -> STEPPING -> ENDING -> freed
 *         |                      ^
 *         +----------------------+  nothing to do in steps
 *
 * The loop itself runs on the stack of the process, inside of its wait_ready(): the process is the
 * first task, number 0. Without tasks nothing of this is used; see wait_use(). Signals are taken
 * note of as signals.h says, and end the waiting of the first task, and of all when the program is
 * asked to end. One thread only. */

#ifndef CORE_LOOP_LOOP_H
#define CORE_LOOP_LOOP_H

#include "core/base/wait.h"
#include <stdbool.h>
#include <stddef.h>

struct task;

/* The most that a task waits for without a stack. */
#define LOOP_ENTRIES_MAX 6

/* What a task waits for between two steps. The entries stay where they are until then. */
struct loop_waiting {
    struct wait_entry *entries;
    size_t count;
    long long deadline;
};

/* What a task does. */
struct task_work {
    /* On a stack. Returns true to go on in steps, false to end. */
    bool (*begin)(void *subject);

    /* Without a stack: must not wait. Says in *waiting what it waits for. Returns false at the
     * end. */
    bool (*step)(void *subject, struct loop_waiting *waiting);

    /* On a stack again, which may be another one. The subject belongs to it. */
    void (*end)(void *subject);
};

/* False where this machine has no way to switch stacks. */
bool loop_possible(void);

/* Makes wait_ready() of this process give way to tasks. Returns 0, or -1 with errno. */
int loop_start(void);

/* Lets all tasks come to their end, which somebody has told them, and ends that. */
void loop_finish(void);

/* In a process that was forked: it waits for itself again, and leaves the tasks to its parent. */
void loop_leave(void);

/* True between the two. */
bool loop_runs(void);

/* Adds a task. Its work begins when the process waits next. `number` names it in messages. */
struct task *loop_add(const struct task_work *work, void *subject, unsigned number);

/* How many there are. */
size_t loop_tasks(void);

/* The task that runs; NULL: the process itself. */
struct task *loop_current(void);

/* True on the stack of a task: then waiting gives way to others. */
bool loop_has_stack(void);

/* The number of the task that runs; 0: the process itself. For signal handlers, too. */
unsigned loop_current_number(void);

/* Another number whenever the loop goes on to other work; 0 while it waits. For signal handlers,
 * too. */
unsigned loop_turn(void);

/* Ends the waiting of a task with errno EINTR; NULL: of the process itself. */
void loop_interrupt(struct task *task);

/* The same for all of them. */
void loop_interrupt_all(void);

#endif
