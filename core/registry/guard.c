#define _GNU_SOURCE
#include "core/registry/guard.h"

#include "core/base/log.h"
#include <modcat/driver.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP};

static struct {
    const char *path; /* NULL: nothing is guarded */
    bool watches_exit;
    struct sigaction former[MODCAT_COUNT(crashes)];
} guard;

/* A crash in what is done here has no handler any more. */
static void report_crash(int number)
{
    const char *path = guard.path;
    guard_end();
    log_error("driver \"%s\" cannot be loaded: it crashed (%s)", path, strsignal(number));
    _exit(1);
}

static void report_exit(void)
{
    if (guard.path == NULL)
        return;
    log_error("driver \"%s\" cannot be loaded: it ended the program", guard.path);
    _exit(1);
}

void guard_begin(const char *path)
{
    const struct sigaction action = {.sa_handler = report_crash, .sa_flags = (int)SA_NODEFER};
    if (!guard.watches_exit)
        guard.watches_exit = atexit(report_exit) == 0;
    guard.path = path;
    for (size_t i = 0; i < MODCAT_COUNT(crashes); i++)
        sigaction(crashes[i], &action, &guard.former[i]);
}

void guard_end(void)
{
    guard.path = NULL;
    for (size_t i = 0; i < MODCAT_COUNT(crashes); i++)
        sigaction(crashes[i], &guard.former[i], NULL);
}
