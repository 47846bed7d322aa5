/* features.h: what -V prints: version, system and the features that scripts ask for. */

#ifndef CORE_COMMAND_FEATURES_H
#define CORE_COMMAND_FEATURES_H

#include "core/registry/registry.h"
#include <stdio.h>

/* The version that a program called `program` claims: as "socat" it stands in for that program. */
const char *features_version(const char *program);

/* Prints version and features for a program called `program`. Returns 0, or -1 after reporting that
 * they could not be written. */
int features_print(FILE *out, const struct registry *registry, const char *program);

#endif
