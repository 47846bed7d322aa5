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
    struct stack *next;
    char *mapping; /* begins with the page that nobody may touch */
};

static struct {
    struct stack *first;
    size_t count;
} kept;

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
    *stack = (struct stack){.mapping = mapping};
    return stack;
}

static void release(struct stack *stack)
{
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

void stack_free_all(void)
{
    while (kept.first != NULL)
        release(stack_take());
}
