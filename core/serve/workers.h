/* workers.h: several processes that share a listening socket, each with sessions of its own. */

#ifndef CORE_SERVE_WORKERS_H
#define CORE_SERVE_WORKERS_H

#include "core/opening/session_state.h"

enum workers_role {
    WORKERS_DONE,  /* this process has looked after them, and is asked to end */
    WORKERS_WORKER /* it is one of them */
};

/* Makes `count` workers, and as many again as end before the program is asked to end. Returns in
 * each worker at once, and in the process that was asked when they are asked to end, too. */
enum workers_role workers_run(struct session *session, unsigned count);

/* Waits for them to end, which may take the time of --drain. */
void workers_wait(struct session *session);

#endif
