/* descriptors.h: the table of -D: what is known about the descriptors of an open session. */

#ifndef CORE_COMMAND_DESCRIPTORS_H
#define CORE_COMMAND_DESCRIPTORS_H

#include "core/session/session.h"
#include <stdio.h>

/* Prints the table on standard error: a header and a row for each descriptor of the left and then
 * of the right side, in the columns of filan(1). */
void descriptors_print(struct session *session);

#endif
