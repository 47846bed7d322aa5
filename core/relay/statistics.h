/* statistics.h: tells how much a session has moved (--statistics, signal USR1). */

#ifndef CORE_RELAY_STATISTICS_H
#define CORE_RELAY_STATISTICS_H

#include "core/relay/flow.h"
#include <stdbool.h>

/* Logs the counts of both flows, whatever the log's level. `flows` is NULL before there are any;
 * `seconds`: since they were started. `json`: as one JSON object. */
void statistics_log(const struct flow *flows, double seconds, bool json);

/* What all sessions of a process have moved. */
struct statistics_sum {
    unsigned sessions;
    double seconds; /* of the longest */
    unsigned long long blocks[2];
    unsigned long long bytes[2];
};

void statistics_add(struct statistics_sum *sum, const struct flow *flows);
void statistics_log_sum(const struct statistics_sum *sum, bool json);

#endif
