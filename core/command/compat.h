/* compat.h: what --compat prints: the names and behaviours of socat 1.8.1, and for each whether
 * modcat has the same, differs on purpose, or lacks it; and what modcat has beyond them. */

#ifndef CORE_COMMAND_COMPAT_H
#define CORE_COMMAND_COMPAT_H

#include <stdbool.h>
#include <stdio.h>

/* Prints the table, for people or as JSON. Returns 0, or -1 after reporting that it could not be
 * written. */
int compat_print(FILE *out, bool json);

#endif
