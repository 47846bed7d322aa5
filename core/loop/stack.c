#define _GNU_SOURCE
#include "core/loop/stack.h"

#include "core/base/memory.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* So many are kept: as many sessions may be opened at the same time without a system call. */
#define KEPT_MAX 256

struct stack {
    struct stack *next; /* of those that are kept */
    struct stack *next_of_all;
    struct stack *previous_of_all;
    char *mapping; /* begins with the page that nobody may touch */
};

static struct {
    struct stack *first;
    size_t count;
} kept;

static struct stack *all;

static size_t guard_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static struct stack *make(void)
{
    size_t guard = guard_size();
    char *mapping = mmap(NULL, guard + STACK_SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED)
        return NULL;
    if (mprotect(mapping, guard, PROT_NONE) < 0) {
        int error = errno;
        munmap(mapping, guard + STACK_SIZE);
        errno = error;
        return NULL;
    }
    struct stack *stack = memory_alloc(sizeof *stack);
    *stack = (struct stack){.mapping = mapping, .next_of_all = all};
    if (all != NULL)
        all->previous_of_all = stack;
    all = stack;
    return stack;
}

bool stack_guards(const void *address)
{
    const char *where = address;
    const struct stack *stack = all;
    while (stack != NULL && !(where >= stack->mapping && where < stack->mapping + guard_size()))
        stack = stack->next_of_all;
    return stack != NULL;
}

static void release(struct stack *stack)
{
    *(stack->previous_of_all != NULL ? &stack->previous_of_all->next_of_all : &all) =
        stack->next_of_all;
    if (stack->next_of_all != NULL)
        stack->next_of_all->previous_of_all = stack->previous_of_all;
    munmap(stack->mapping, guard_size() + STACK_SIZE);
    free(stack);
}

struct stack *stack_take(void)
{
    struct stack *stack = kept.first;
    if (stack == NULL)
        return make();
    kept.first = stack->next;
    kept.count--;
    return stack;
}

void stack_give_back(struct stack *stack)
{
    if (kept.count >= KEPT_MAX) {
        release(stack);
        return;
    }
    stack->next = kept.first;
    kept.first = stack;
    kept.count++;
}

void *stack_memory(struct stack *stack)
{
    return stack->mapping + guard_size();
}

/* They begin with zeros, and what was used once is anything. */
static size_t used_of(const struct stack *stack)
{
    const char *lowest = stack->mapping + guard_size(), *end = lowest + STACK_SIZE;
    while (lowest < end && *lowest == 0)
        lowest++;
    return (size_t)(end - lowest);
}

size_t stack_high_water(void)
{
    size_t most = 0;
    for (const struct stack *stack = kept.first; stack != NULL; stack = stack->next)
        most = used_of(stack) > most ? used_of(stack) : most;
    return most;
}

void stack_free_all(void)
{
    while (kept.first != NULL)
        release(stack_take());
}
