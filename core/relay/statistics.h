/* statistics.h: tells how much a session has moved (--statistics, signal USR1). */

#ifndef CORE_RELAY_STATISTICS_H
#define CORE_RELAY_STATISTICS_H

#include "core/relay/flow.h"
#include <stdbool.h>

/* Logs the counts of both flows, whatever the log's level. `flows` is NULL before there are any;
 * `seconds`: since they were started. `json`: as one JSON object. */
void statistics_log(const struct flow *flows, double seconds, bool json);

#endif
