/* unwanted.h: input that nobody wants, of an end that is written to: in a session of one direction,
 * or after options readbytes and escape or a failure have ended the other one. It is read and
 * dropped. Left where it is it would stop a peer that writes before it reads, and make the system
 * reset the connection when that is closed. */

#ifndef CORE_RELAY_UNWANTED_H
#define CORE_RELAY_UNWANTED_H

#include "core/relay/flow.h"

/* True when what comes from the sink of `flow` has to be dropped, as soon as it can be read.
 * `other` is the flow of the other direction. */
bool unwanted_comes(const struct flow *flow, const struct flow *other);

/* Drops what has come, and takes note of the end. Returns 0, or -1 with errno when the connection
 * has failed, which concerns what is written to it, too. */
int unwanted_drop(struct opened *from);

#endif
