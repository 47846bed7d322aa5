/* steps.h: single uses of an open address. */

#ifndef TOOLS_DRIVER_CHECK_STEPS_H
#define TOOLS_DRIVER_CHECK_STEPS_H

#include "core/opening/session_state.h"

/* Does one thing with the left address of a session: reads (r), writes (w), writes until it is full
 * (f), half-closes (s). */
void steps_take(struct session *session, char step);

#endif
