/* halfclose.h: tells a sink that no more will be written. */

#ifndef CORE_SESSION_HALFCLOSE_H
#define CORE_SESSION_HALFCLOSE_H

#include "core/session/session.h"

/* Does what the sink's type, or its options shut-*, say. Where that closes the descriptor that the
 * endpoint is read from too, both become -1. Returns 0, 1 when it has to be called again as soon as
 * the sink can be written, or -1 after reporting an error that ends the session with a failure. */
int halfclose_sink(struct opened *sink);

/* The same by what the type alone says, for what a layer stands on. Returns 0, or -1 with errno;
 * after EAGAIN it has to be called again. */
int halfclose_by_type(struct opened *sink);

#endif
