/* endpoint.h: what an endpoint says about waiting for it, with what holds where it says nothing. */

#ifndef CORE_RELAY_ENDPOINT_H
#define CORE_RELAY_ENDPOINT_H

#include <modcat/driver.h>

/* True when it can be read though its descriptor is not readable. */
bool endpoint_pending(const struct modcat_endpoint *endpoint);

/* What to wait for before the next read (MODCAT_READ) or write (MODCAT_WRITE), and on which of its
 * descriptors. */
short endpoint_wants(const struct modcat_endpoint *endpoint, unsigned direction);
int endpoint_fd(const struct modcat_endpoint *endpoint, short events);

#endif
