/* Switching between stacks: by assembler on x86-64 and aarch64 (switch_stack.S), by ucontext
 * elsewhere, and where the processor checks returns by a shadow stack: the C library knows how to
 * change that along. The sanitizers are told of each switch, see
 * <sanitizer/common_interface_defs.h>. */

#define _GNU_SOURCE
#include "core/loop/switch.h"

#include "core/base/sanitizers.h"
#include <stdint.h>
#include <string.h>

/* A test sets it to 0. */
#ifndef BY_ASSEMBLER
#if defined(__x86_64__) || defined(__aarch64__)
#define BY_ASSEMBLER 1
#else
#define BY_ASSEMBLER 0
#endif
#endif

#ifdef HAVE_MAKECONTEXT
#include <ucontext.h>
#endif

#if SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

#if BY_ASSEMBLER
void context_swap(void **from, void *to);
void context_first(void);
#endif

/* With a shadow stack an address that is returned to must have been called from. */
static bool has_shadow_stack(void)
{
#if defined(__x86_64__) && defined(__CET__)
    uint64_t pointer = 0;
    __asm__ volatile("rdsspq %0" : "+r"(pointer));
    return pointer != 0;
#else
    return false;
#endif
}

static bool by_assembler(void)
{
    return BY_ASSEMBLER && !has_shadow_stack();
}

bool context_possible(void)
{
    bool possible = by_assembler();
#ifdef HAVE_MAKECONTEXT
    possible = true;
#endif
    return possible;
}

#if BY_ASSEMBLER && defined(__x86_64__)
/* As context_swap() leaves it: control words, r15 to rbx, rbp, return address. */
static void *first_frame(char *top, void (*entry)(void *), void *argument)
{
    uint64_t *frame = (uint64_t *)(void *)top - 10;
    memset(frame, 0, 10 * sizeof *frame);
    uint32_t mxcsr;
    uint16_t control;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(control));
    frame[0] = mxcsr | (uint64_t)control << 32;
    frame[3] = (uintptr_t)argument; /* r13 */
    frame[4] = (uintptr_t)entry;    /* r12 */
    frame[7] = (uintptr_t)context_first;
    return frame;
}
#elif BY_ASSEMBLER && defined(__aarch64__)
/* x19 to x30, d8 to d15. */
static void *first_frame(char *top, void (*entry)(void *), void *argument)
{
    uint64_t *frame = (uint64_t *)(void *)top - 20;
    memset(frame, 0, 20 * sizeof *frame);
    frame[0] = (uintptr_t)entry;
    frame[1] = (uintptr_t)argument;
    frame[11] = (uintptr_t)context_first;
    return frame;
}
#endif

#ifdef HAVE_MAKECONTEXT
struct by_ucontext {
    ucontext_t saved;
    void (*entry)(void *argument);
    void *argument;
};

/* makecontext(3) passes ints only. */
static void first_of_ucontext(unsigned high, unsigned low)
{
    struct by_ucontext *own = (void *)((uintptr_t)high << 16 << 16 | low);
    own->entry(own->argument);
}

/* On the stack itself, so that it goes with it. */
static void make_ucontext(struct context *context, char *stack, size_t size,
                          void (*entry)(void *argument), void *argument)
{
    struct by_ucontext *own = (void *)stack;
    size_t used = (sizeof *own + 63) & ~(size_t)63;
    getcontext(&own->saved);
    own->saved.uc_stack.ss_sp = stack + used;
    own->saved.uc_stack.ss_size = size - used;
    own->saved.uc_link = NULL;
    own->entry = entry;
    own->argument = argument;
    makecontext(&own->saved, (void (*)(void))first_of_ucontext, 2,
                (unsigned)((uintptr_t)own >> 16 >> 16), (unsigned)(uintptr_t)own);
    context->place = own;
}

/* The context of the process itself has no room of its own. */
static void swap_ucontexts(struct context *from, const struct context *to)
{
    static struct by_ucontext process;
    if (from->place == NULL)
        from->place = &process;
    struct by_ucontext *own = from->place;
    const struct by_ucontext *other = to->place;
    swapcontext(&own->saved, &other->saved);
}
#endif

void context_make(struct context *context, void *stack, size_t size, void (*entry)(void *argument),
                  void *argument)
{
    *context = (struct context){.bottom = stack, .size = size};
#if BY_ASSEMBLER
    if (by_assembler()) {
        context->place = first_frame((char *)stack + size, entry, argument);
        return;
    }
#endif
#ifdef HAVE_MAKECONTEXT
    make_ucontext(context, stack, size, entry, argument);
#endif
}

static void swap(struct context *from, struct context *to)
{
#if BY_ASSEMBLER
    if (by_assembler()) {
        context_swap(&from->place, to->place);
        return;
    }
#endif
#ifdef HAVE_MAKECONTEXT
    swap_ucontexts(from, to);
#else
    (void)from, (void)to;
#endif
}

#if SANITIZED
/* Where the process's own stack lies is known to the sanitizer only. */
static struct context *came_from;

static void arrive(void *fake)
{
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(fake, &bottom, &size);
    if (came_from->bottom == NULL) {
        came_from->bottom = bottom;
        came_from->size = size;
    }
}

void context_switch(struct context *from, struct context *to, bool last)
{
    __sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->bottom, to->size);
    came_from = from;
    swap(from, to);
    arrive(from->fake);
}

void context_arrived(void)
{
    arrive(NULL);
}
#else
void context_switch(struct context *from, struct context *to, bool last)
{
    (void)last;
    swap(from, to);
}

void context_arrived(void)
{
}
#endif
