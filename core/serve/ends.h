/* ends.h: ends that drivers open themselves: addresses in their parameters, and what stands below a
 * layer, anew. They are used by <modcat/layer.h>, and belong to the opening of their driver. */

#ifndef CORE_SERVE_ENDS_H
#define CORE_SERVE_ENDS_H

#include "core/opening/session_state.h"

/* An endpoint whose descriptors are those of an end stands on that end from now on. Returns 0. */
int ends_stand_on(struct opened *opened);

#endif
