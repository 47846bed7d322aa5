/* filter.h: which peers an address talks to. */

#ifndef CORE_SERVICES_NET_FILTER_H
#define CORE_SERVICES_NET_FILTER_H

#include <modcat/driver.h>

/* Parses option range, if it is given, for peers of a family, so that errors show before anybody
 * waits. Returns 0, or -1 after reporting. */
int filter_prepare(struct modcat_opening *opening, int family);

/* Marks all filters as used, for an endpoint that asks them for each packet. */
void filter_keep(struct modcat_opening *opening);

/* Option range. */
modcat_apply_fn filter_apply_range;

#endif
