/* wrap.h: text that fits a terminal of 80 columns. */

#ifndef CORE_COMMAND_WRAP_H
#define CORE_COMMAND_WRAP_H

#include <stddef.h>
#include <stdio.h>

#define WRAP_COLUMNS 80

/* Prints text, broken at blanks and behind commas, and a newline. The cursor is at `column`;
 * further lines begin at `indent`. A word that is too long for a line has one of its own. */
void wrap_put(FILE *out, size_t column, size_t indent, const char *text);

#endif
