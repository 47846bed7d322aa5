/* stack.h: small stacks for tasks, each with a page below it that nobody may touch. */

#ifndef CORE_LOOP_STACK_H
#define CORE_LOOP_STACK_H

#include <stdbool.h>
#include <stddef.h>

/* What a function of a task may use, all that it calls included. */
#define STACK_SIZE (64UL * 1024)

struct stack;

/* Returns a stack of STACK_SIZE bytes, or NULL with errno. */
struct stack *stack_take(void);

/* Gives it back; a few are kept for the next ones. */
void stack_give_back(struct stack *stack);

/* Its lowest byte. */
void *stack_memory(struct stack *stack);

/* True for an address in the page below a stack: it is used up. */
bool stack_guards(const void *address);

/* How many bytes of the stacks that are kept have been used at most. Slow. */
size_t stack_high_water(void);

/* Unmaps those that are kept. */
void stack_free_all(void);

#endif
