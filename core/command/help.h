/* help.h: what -h, -hh and -hhh print: options, address types and address options, all out of the
 * tables that they are parsed with. */

#ifndef CORE_COMMAND_HELP_H
#define CORE_COMMAND_HELP_H

#include "core/command/commandline.h"
#include "core/registry/registry.h"
#include <stdio.h>

/* Prints the help that `action` (ACTION_HELP1 to ACTION_HELP3) asks for, for a program called
 * `program`. Returns 0, or -1 after reporting that it could not be written. */
int help_print(FILE *out, const struct registry *registry, const char *program,
               enum commandline_action action);

/* Flushes what was printed. Returns 0, or -1 after reporting that it could not be written. */
int help_flush(FILE *out);

#endif
