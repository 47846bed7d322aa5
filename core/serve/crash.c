/* Reporting crashes.
 *
 * The signals of a crash are never handled so that the process goes on: the handler logs one line,
 * on a stack of its own because the other may be used up, and the signal kills the process as it
 * would have. What runs when a driver crashes is often the C library; so the driver is looked for
 * among the addresses that functions return to, at the end of the stack. dladdr(3) and the log are
 * no functions for signal handlers; should they crash, too, the process dies without the line. */

#define _GNU_SOURCE
#include "core/serve/crash.h"

#include "core/base/log.h"
#include "core/base/sanitizers.h"
#include "core/loop/stack.h"
#include <dlfcn.h>
#include <modcat/driver.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define CRASH_STACK (64 * 1024)

/* How much of a stack is looked through. */
#define WORDS_MAX 1024

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static uintptr_t place_of(const ucontext_t *context, uintptr_t *stack)
{
#if defined(__x86_64__)
    *stack = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    *stack = (uintptr_t)context->uc_mcontext.sp;
    return (uintptr_t)context->uc_mcontext.pc;
#else
    (void)context;
    *stack = 0;
    return 0;
#endif
}

/* The name of the driver that an address lies in, or NULL. Only drivers export a description. */
static const char *driver_at(uintptr_t address)
{
    Dl_info info;
    if (address == 0 || dladdr((void *)address, &info) == 0 || info.dli_fname == NULL)
        return NULL;
    void *object = dlopen(info.dli_fname, RTLD_NOLOAD | RTLD_LAZY);
    const struct modcat_driver *driver = object != NULL ? dlsym(object, "modcat_driver") : NULL;
    return driver != NULL ? driver->name : NULL;
}

/* Up to where the stack may end. */
static const char *driver_on_stack(uintptr_t stack)
{
    const uintptr_t page = 4096;
    const uintptr_t *word = (const uintptr_t *)(stack & ~(uintptr_t)(sizeof stack - 1));
    for (size_t i = 0; stack != 0 && i < WORDS_MAX; i++, word++) {
        if (i > 64 && ((uintptr_t)word & (page - 1)) == 0)
            break;
        const char *driver = driver_at(*word);
        if (driver != NULL)
            return driver;
    }
    return NULL;
}

static void crashed(int number, siginfo_t *info, void *context)
{
    uintptr_t stack, place = place_of(context, &stack);
    bool used_up = number == SIGSEGV && stack_guards(info->si_addr);
    const char *driver = driver_at(place);
    if (driver == NULL && !used_up)
        driver = driver_on_stack(stack);
    log_error("%s by signal %d%s%s", used_up ? "the stack is used up: ended" : "ended", number,
              driver != NULL ? " in driver " : "", driver != NULL ? driver : "");
    raise(number);
}

void crash_report(void)
{
    static char own_stack[CRASH_STACK];
    const stack_t stack = {.ss_sp = own_stack, .ss_size = sizeof own_stack};
    struct sigaction action = {.sa_sigaction = crashed};
    sigset_t all;
    /* Sanitizers report crashes themselves. */
    if (SANITIZED || sigaltstack(&stack, NULL) < 0)
        return;
    sigemptyset(&all);
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
    for (size_t i = 0; i < MODCAT_COUNT(crashes); i++) {
        sigaddset(&all, crashes[i]);
        sigaction(crashes[i], &action, NULL);
    }
    sigprocmask(SIG_UNBLOCK, &all, NULL);
}
