/* complete.h: what a word that is being typed may become, for the completion of shells. The words
 * come from the manifests and from the table of the command line, as help does. */

#ifndef CORE_COMMAND_COMPLETE_H
#define CORE_COMMAND_COMPLETE_H

#include "core/registry/registry.h"
#include <stdio.h>

/* Prints each whole word that `word` may become, one a line: options of the command line, address
 * types, options of an address. What comes before the part that is completed stays as typed.
 * Nothing is printed where anything may follow: a parameter, a value. Returns 0, or -1 after
 * reporting. */
int complete_word(FILE *out, const struct registry *registry, const char *word);

#endif
