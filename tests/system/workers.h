/* workers.h: a test's pieces of work, done by several processes at a time. */

#ifndef TESTS_SYSTEM_WORKERS_H
#define TESTS_SYSTEM_WORKERS_H

#include "tests/system/harness.h"

struct work {
    size_t count;
    /* Does one piece of work, with a harness of its own. */
    void (*piece)(struct harness *harness, size_t number);
    void (*begin)(void); /* what each process does first, or NULL */
    size_t workers;      /* how many processes; 0: what suits pieces that seldom wait */
};

/* Does all pieces of work. Fails the test when one of them failed, after what that said. */
void workers_run(const struct work *work);

#endif
