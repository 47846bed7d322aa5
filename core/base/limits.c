#define _GNU_SOURCE
#include "core/base/limits.h"

#include <stdbool.h>
#include <sys/resource.h>

/* A process has one limit, so that this is one of the places with a state. */
static struct rlimit before;
static bool raised;

unsigned long limits_raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    if (!raised)
        before = limit;
    limit.rlim_cur = limit.rlim_max;
    raised = setrlimit(RLIMIT_NOFILE, &limit) == 0 || raised;
    return (unsigned long)(raised ? limit.rlim_max : before.rlim_cur);
}

void limits_restore(void)
{
    if (raised)
        setrlimit(RLIMIT_NOFILE, &before);
}
