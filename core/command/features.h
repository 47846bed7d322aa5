/* features.h: what -V prints: version, system and the features that scripts ask for. */

#ifndef CORE_COMMAND_FEATURES_H
#define CORE_COMMAND_FEATURES_H

#include "core/registry/registry.h"
#include <stdio.h>

/* Prints version and features for a program called `program`. Returns 0, or -1 after reporting that
 * they could not be written. */
int features_print(FILE *out, const struct registry *registry, const char *program);

#endif
