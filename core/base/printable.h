/* printable.h: texts of others, made fit for a terminal. */

#ifndef CORE_BASE_PRINTABLE_H
#define CORE_BASE_PRINTABLE_H

/* Replaces in place all that could steer a terminal or end a line, by a question mark for each
 * byte: control characters, C1 (U+0080 to U+009F) and bytes that are no UTF-8 among them, and the
 * marks that turn the direction of writing; a tab becomes a blank. Other characters in UTF-8
 * stay. */
void printable_make(char *text);

#endif
