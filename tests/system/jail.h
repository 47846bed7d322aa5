/* jail.h: a root folder for the program under test, with something outside of it to be found. It
 * takes root. */

#ifndef TESTS_SYSTEM_JAIL_H
#define TESTS_SYSTEM_JAIL_H

#include "tests/system/harness.h"

#define JAIL_TEST(function) cmocka_unit_test_setup_teardown(function, harness_begin, jail_end)

/* Skips the test where it is not run by root. */
void jail_needs_root(void);

/* Makes the folders "jail", with a file "secret" that holds "inside", a "folder" and, where that
 * can be mounted, /proc, which the search for leaks needs; and "out", whose "secret" holds
 * "outside". */
void jail_make(struct harness *harness);

/* Makes the folders above a path inside of the jail. */
const char *jail_path(struct harness *harness, const char *name);

/* Teardown of a test with a jail. */
int jail_end(void **state);

#endif
