/* Reporting crashes.
 *
 * The signals of a crash are never handled so that the process goes on: the handler logs one line,
 * on a stack of its own because the other may be used up, and the signal kills the process as it
 * would have. The log is no function for signal handlers; should it crash, too, the process dies
 * without the line. */

#define _GNU_SOURCE
#include "core/serve/crash.h"

#include "core/base/log.h"
#include "core/base/sanitizers.h"
#include "core/loop/stack.h"
#include "core/serve/culprit.h"
#include <modcat/driver.h>
#include <signal.h>
#include <stdbool.h>

#define CRASH_STACK (64 * 1024)

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static void crashed(int number, siginfo_t *info, void *context)
{
    bool used_up = number == SIGSEGV && stack_guards(info->si_addr);
    const char *driver = culprit_find(context, !used_up);
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
    culprit_prepare();
    sigemptyset(&all);
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
    for (size_t i = 0; i < MODCAT_COUNT(crashes); i++) {
        sigaddset(&all, crashes[i]);
        sigaction(crashes[i], &action, NULL);
    }
    sigprocmask(SIG_UNBLOCK, &all, NULL);
}
