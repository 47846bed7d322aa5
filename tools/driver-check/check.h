/* check.h: checks of one driver. Each runs in a process of its own, so that a driver that crashes,
 * hangs or closes what is not its own fails that check and no other. */

#ifndef TOOLS_DRIVER_CHECK_CHECK_H
#define TOOLS_DRIVER_CHECK_CHECK_H

#include "core/base/settings.h"
#include "core/registry/manifest.h"
#include "core/registry/registry.h"
#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>

/* An address to open, and what is opened at its other end, or NULL. */
struct example {
    const char *address;
    const char *peer;
    bool must_fail;
};

/* What is checked. */
struct subject {
    const char *path;               /* of the driver, with a slash */
    char *manifest_path;            /* of the manifest beside it */
    struct modcat_driver driver;    /* its tables, once a check has loaded it */
    const struct example *examples; /* from the command line */
    size_t example_count;
    int timeout; /* seconds that a check may take to end when it is asked to */
    struct registry *registry;
    struct settings settings;
};

/* The exit status of a process in which valgrind found something, as in its --error-exitcode. */
#define VALGRIND_FOUND 99

/* How a check ended. */
enum verdict {
    VERDICT_OK,
    VERDICT_FAILED,
    VERDICT_WAITS,  /* all right, but it waited for a peer until it was told to end */
    VERDICT_CLOSED, /* all right, but it could not be opened, and said why */
    VERDICT_STUCK   /* failed, and had to be killed */
};

/* Says what is wrong, in one line; the check has failed. */
void fault(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One check. `argument` is its caller's. */
typedef void check_fn(struct subject *subject, const void *argument);

/* Runs a check in a process of its own, and prints its name with the verdict and the faults.
 * After a second it is asked to end, after five more it is killed. */
enum verdict run_check(struct subject *subject, const char *name, check_fn *check,
                       const void *argument);

/* True when the check has failed. */
static inline bool has_failed(enum verdict verdict)
{
    return verdict == VERDICT_FAILED || verdict == VERDICT_STUCK;
}

/* In a check: says that it is all right so far, with this verdict. */
void run_note(enum verdict verdict);

/* In a check: all that was logged since it began, to be freed. */
char *run_logged(void);

/* In a check: loads the driver to subject->driver. */
bool subject_load(struct subject *subject);

/* The checks: of the file, of the tables, of what is opened. */
check_fn check_loading, check_symbols, check_variables, check_calls, check_abi, check_manifest;
check_fn check_driver_words, check_types, check_options;
check_fn check_parameters;

/* Opens addresses in every way and order. Returns the number of checks that failed. */
unsigned check_openings(struct subject *subject);

#endif
