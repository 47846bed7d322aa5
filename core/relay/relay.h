/* relay.h: moves the bytes of a session in both directions until it ends. */

#ifndef CORE_RELAY_RELAY_H
#define CORE_RELAY_RELAY_H

#include "core/session/session.h"

/* Relays an open session. Returns the exit status that it deserves: 0, or 1 when bytes could not
 * be moved. A signal that ends the program ends this too; signals_ending() tells. */
int relay_run(struct session *session);

/* Logs how much each direction has moved, whatever the log's level. */
void relay_log_statistics(const struct session *session);

#endif
