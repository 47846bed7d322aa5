/* covering.h: a few cases that stand for many: of tests that try everything with everything, where
 * the program is built with sanitizers and takes ten times as long. */

#ifndef TESTS_SYSTEM_COVERING_H
#define TESTS_SYSTEM_COVERING_H

#include "tests/system/harness.h"

/* What can be tried. Each case reaches `per_case` goals, which have numbers below `goal_count`;
 * those of case N stand at goals[N * per_case], with COVERING_NONE where there is none. */
#define COVERING_NONE SIZE_MAX
struct covering {
    size_t count;
    size_t per_case;
    size_t goal_count;
    const size_t *goals;
};

/* True with sanitizers, unless the environment variable MODCAT_TEST_ALL is set. */
bool covering_takes_few(void);

/* Puts the numbers of the cases to try into `chosen`, which has room for all, and returns how many
 * they are: all, or a few that reach each goal that can be reached. The test's output tells which;
 * `what` names the cases, and `reached` the goals. */
size_t covering_choose(const struct covering *covering, const char *what, const char *reached,
                       size_t *chosen);

#endif
