/* sides.h: opens the sides of a session: one address each, or both of a dual one, with retries, and
 * in a process of its own for each peer if the address says `fork`. */

#ifndef CORE_SERVE_SIDES_H
#define CORE_SERVE_SIDES_H

#include "core/opening/session_state.h"

/* How opening a session ended. */
enum session_result {
    SESSION_FAILED = -1,
    SESSION_OPEN = 0, /* both sides are open in this process */
    SESSION_DONE = 1  /* this process has served others, and nothing is left to do */
};

/* Opens part of a side, from its lowest address up to `highest`: an end of a driver's own, or what
 * stands below a layer. `failure` is the level of the message if it fails.
 * Returns 0, or -1 after reporting. */
int side_open_stack(struct session *session, const struct address *highest, unsigned directions,
                    enum modcat_level failure, struct opened *opened);

/* Opens what a side's directions need. */
enum session_result side_open(struct session *session, struct side *side);

/* The same for both, the left one first; then becomes the user of option su-d. */
enum session_result sides_open(struct session *session);

/* The same for a session of which a part is open already, and whose server knows the accounts. */
enum session_result sides_open_rest(struct session *session);

/* Becomes the user of option su-d, once everything is open. Returns 0, or -1 after reporting. */
int sides_give_up_privileges(struct session *session);

#endif
