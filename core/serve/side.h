/* side.h: opens one side of a session: its address, or both of a dual one, with retries, and in a
 * process of its own for each peer where the address says `fork`. */

#ifndef CORE_SERVE_SIDE_H
#define CORE_SERVE_SIDE_H

#include "core/session/session.h"

/* Opens what the side's directions need. */
enum session_result side_open(struct session *session, struct side *side);

/* Where a side's bytes come from and go to; NULL: that direction is not open. */
struct opened *side_reader(struct side *side);
struct opened *side_writer(struct side *side);

/* Becomes the user of option su-d, once everything is open. Returns 0, or -1 after reporting. */
int side_give_up_privileges(struct session *session);

#endif
