/* tally.h: tells when a session that was counted ends. */

#ifndef FAILOVER_TALLY_H
#define FAILOVER_TALLY_H

#include "common.h"

struct modcat_endpoint;

/* Puts itself between the host and an endpoint that is complete. Returns 0, or -1 after reporting,
 * when the session is not counted any more. */
int tally_put_on(struct modcat_opening *opening, struct modcat_endpoint *endpoint,
                 struct common *common, size_t end);

#endif
