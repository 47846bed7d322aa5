/* processes.h: what a session has started, directly or not, and what is left of it. */

#ifndef TESTS_RANDOM_PROCESSES_H
#define TESTS_RANDOM_PROCESSES_H

#include "tests/system/harness.h"

/* Of the processes below this one, which inherits orphans: one that has not ended yet, with its
 * name; or NULL. */
const char *processes_left(struct harness *harness);
/* Ends and reaps them all. */
void processes_kill_all(void);

#endif
