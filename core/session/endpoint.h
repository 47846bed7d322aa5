/* endpoint.h: what an endpoint does and says, with what holds where its driver has no operation. */

#ifndef CORE_SESSION_ENDPOINT_H
#define CORE_SESSION_ENDPOINT_H

#include <modcat/driver.h>

/* Reads once, by its own operation where it has one. `blocks`: as of patient_needed(). Returns as
 * read(2). */
ssize_t endpoint_read(struct modcat_endpoint *endpoint, bool blocks, void *buffer, size_t length);

/* How much of what was written to a socket or a terminal line its other end has not taken yet: the
 * kernel's count, which may hold more than the bytes; 0 where it has none. */
size_t endpoint_untaken(int fd);

/* True when it can be read though its descriptor is not readable. */
bool endpoint_pending(const struct modcat_endpoint *endpoint);

/* True when nobody is left who could take what is written; and whether its driver can say so. */
bool endpoint_abandoned(const struct modcat_endpoint *endpoint);
bool endpoint_can_be_abandoned(const struct modcat_endpoint *endpoint);

/* True when nothing comes any more behind what can be read already. */
bool endpoint_hung_up(const struct modcat_endpoint *endpoint);

/* True when the other end of a connection has gone, and nothing that it has sent is left: an empty
 * read is no empty message then. */
bool endpoint_is_over(int fd);

/* What to wait for before the next read (MODCAT_DIR_READ) or write (MODCAT_DIR_WRITE), and on which
 * of its descriptors. */
short endpoint_wants(const struct modcat_endpoint *endpoint, unsigned direction);
int endpoint_fd(const struct modcat_endpoint *endpoint, short events);

#endif
