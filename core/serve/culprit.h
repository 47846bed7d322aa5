/* culprit.h: in which driver a process was when a signal came. */

#ifndef CORE_SERVE_CULPRIT_H
#define CORE_SERVE_CULPRIT_H

#include <stdbool.h>

/* Notes where the drivers are that have been loaded until now. */
void culprit_prepare(void);

/* The name of the driver that ran, or else, where `on_stack` allows to look there, of the one that
 * called what ran; NULL: none. `context` is the third argument of a signal handler, which may call
 * this. */
const char *culprit_find(const void *context, bool on_stack);

#endif
