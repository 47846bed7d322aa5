/* types.h: which address types the program under test has. */

#ifndef TESTS_SYSTEM_TYPES_H
#define TESTS_SYSTEM_TYPES_H

#include "tests/system/harness.h"

/* All that its help shows, NULL-terminated. */
const char *const *types_of_program(struct harness *harness);

/* Takes the next type out of what a table of tests names, one or several as in "A!!B" or "A|B", and
 * moves on; NULL behind the last. */
const char *types_next(struct harness *harness, const char **names);

/* True when all types in `names` are in the list. */
bool types_have(struct harness *harness, const char *const *types, const char *names);

/* Where every two rows of a table of types are tested together: whether these, by their numbers,
 * are to be in this order. It is so for each two rows in one of their orders: about as many in
 * either, and with sanitizers in the other one than without. With the environment variable
 * MODCAT_TEST_ALL both orders are tested. */
bool types_in_order(size_t one, size_t other);

#endif
