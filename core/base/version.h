/* version.h: which program, and which version of it, this one claims to be. */

#ifndef CORE_BASE_VERSION_H
#define CORE_BASE_VERSION_H

#include <stdbool.h>

/* The program that modcat stands in for when it is called so, and the version of it that it is
 * compatible with. */
#define VERSION_STANDS_IN_FOR "socat"
#define VERSION_STANDS_IN "1.8.1.1"

/* True when it is called so. */
bool version_stands_in(const char *program);

/* The version that a program called `program` claims. */
const char *version_claimed(const char *program);

#endif
