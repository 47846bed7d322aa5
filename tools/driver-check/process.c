/* The process: what it has in common for all sessions must be the same after an address was used,
 * and no operation may sleep. */

#define _GNU_SOURCE
#include "tools/driver-check/process.h"

#include "core/base/memory.h"
#include "tools/driver-check/check.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SLEEP_MAX (MODCAT_SECOND / 10) /* that an operation may take without using the processor */

static char *join_environment(void)
{
    char *text = memory_copy_text("");
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
        char *longer = memory_format("%s%s\n", text, *variable);
        free(text);
        text = longer;
    }
    return text;
}

void process_take(struct process_state *state)
{
    *state = (struct process_state){.folder = getcwd(NULL, 0), .environment = join_environment()};
    state->mask = umask(0);
    umask(state->mask);
    sigprocmask(SIG_BLOCK, NULL, &state->blocked);
    for (int number = 1; number < NSIG; number++)
        sigaction(number, NULL, &state->actions[number]);
}

void process_free(struct process_state *state)
{
    free(state->folder);
    free(state->environment);
}

static void compare_signals(const struct process_state *before, const struct process_state *now)
{
    for (int number = 1; number < NSIG; number++) {
        if (before->actions[number].sa_handler != now->actions[number].sa_handler)
            fault("it has changed what signal %d does: leave signals to the program", number);
        if (sigismember(&before->blocked, number) != sigismember(&now->blocked, number))
            fault("it has changed whether signal %d is blocked: restore the mask", number);
    }
}

void process_compare(const struct process_state *before)
{
    struct process_state now;
    process_take(&now);
    if (before->folder == NULL || now.folder == NULL || strcmp(before->folder, now.folder) != 0)
        fault("it has changed the working directory: use openat(2) or absolute paths");
    if (before->mask != now.mask)
        fault("it has changed the umask: set permissions with fchmod(2)");
    if (strcmp(before->environment, now.environment) != 0)
        fault("it has changed the environment: use modcat_setenv()");
    compare_signals(before, &now);
    process_free(&now);
}

/* Time that has passed while this process neither ran nor waited for a processor. */
static long long time_asleep(void)
{
    struct timespec time;
    unsigned long long ran = 0, waited = 0;
    FILE *file = fopen("/proc/self/schedstat", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu %llu", &ran, &waited) != 2)
        ran = waited = 0;
    fclose(file);
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * MODCAT_SECOND + time.tv_nsec - (long long)(ran + waited);
}

long long process_call_begins(void)
{
    return time_asleep();
}

void process_call_ends(const char *operation, long long began)
{
    int error = errno;
    long long slept = time_asleep() - began;
    if (slept > SLEEP_MAX)
        fault("`%s` slept for %lld ms: return -1 with EAGAIN, or wait with modcat_wait() where the "
              "type has MODCAT_TYPE_WAITS",
              operation, slept / (MODCAT_SECOND / 1000));
    errno = error;
}
