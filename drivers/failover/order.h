/* order.h: which of the ends is tried first, and which next. */

#ifndef FAILOVER_ORDER_H
#define FAILOVER_ORDER_H

#include "common.h"
#include <stddef.h>
#include <sys/socket.h>

/* Those of option balance, in the order of its words, and the order of the address itself. */
enum order_policy { ORDER_TURNS, ORDER_LEAST, ORDER_PEER, ORDER_GIVEN };

/* Puts the ends, of which there are `count`, into the order in which they are tried. Those that are
 * left out come last. `peer`: whose session it is, or NULL. */
void order_make(size_t order[ENDS_MAX], size_t count, enum order_policy policy,
                struct common *common, const struct sockaddr *peer, socklen_t length);

#endif
