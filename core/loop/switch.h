/* switch.h: going on with another stack, and coming back.
 *
 * A context is a place in a program with a stack of its own. Of all contexts one runs; it gives way
 * to another by context_switch(), which returns when somebody has switched back. */

#ifndef CORE_LOOP_SWITCH_H
#define CORE_LOOP_SWITCH_H

#include <stdbool.h>
#include <stddef.h>

struct context {
    void *place;        /* where it goes on: the top of its stack, or a ucontext_t */
    const void *bottom; /* of its stack, for the sanitizers; NULL: the stack of the process */
    size_t size;
    void *fake; /* the address sanitizer's own stack for it */
};

/* False where this machine has no way to switch. */
bool context_possible(void);

/* Prepares a context on a new stack: the first switch to it calls entry(argument), which must
 * not return but switch away for the last time with `last`. */
void context_make(struct context *context, void *stack, size_t size, void (*entry)(void *argument),
                  void *argument);

/* Gives way. `last`: nobody will switch back, the stack may be freed. */
void context_switch(struct context *from, struct context *to, bool last);

/* Has to be the first call of an entry function. */
void context_arrived(void);

#endif
