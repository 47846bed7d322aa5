/* describe.h: what is known about drivers and address types, for people and for other programs:
 * --drivers, --describe and --describe-driver, as text or as JSON. All but the last come from the
 * manifests, so that nothing is loaded. */

#ifndef CORE_COMMAND_DESCRIBE_H
#define CORE_COMMAND_DESCRIBE_H

#include "core/registry/registry.h"
#include <stdbool.h>
#include <stdio.h>

/* Prints the manifest of the driver in a file. Returns 0, or -1 after reporting. */
int describe_driver(FILE *out, const char *path, bool json);

/* Prints a table of the drivers that are installed: name, version, file, what it offers. Returns
 * as above. */
int describe_drivers(FILE *out, const struct registry *registry, bool json);

/* Prints all about an address type, by name or alias: syntax, groups, options, an example. Returns
 * as above. */
int describe_type(FILE *out, struct registry *registry, const char *word, bool json);

#endif
