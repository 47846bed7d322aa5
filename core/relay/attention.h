/* attention.h: what endpoints wait for besides their flows: descriptors of their own, and times.
 * An endpoint with the operation `watch` says before each wait what that is, and its `attend` is
 * called when it comes. Most sessions have no such endpoint, and nothing of this. */

#ifndef CORE_RELAY_ATTENTION_H
#define CORE_RELAY_ATTENTION_H

#include "core/base/wait.h"
#include "core/opening/session_state.h"

struct attention;

/* True when a level of the session's addresses waits for something else. */
bool attention_needed(const struct session *session);

/* Returns NULL where that is not needed. */
struct attention *attention_new(const struct session *session);
void attention_free(struct attention *attention);

/* False when levels were opened or closed since it was made: they may be others. */
bool attention_is_current(const struct attention *attention, const struct session *session);

/* How many entries there may be, at most. */
size_t attention_room(const struct attention *attention);

/* Asks all of them. Puts what they wait for into `entries`, which stay where they are until
 * attention_serve(). Returns the number, and moves *deadline to an earlier time, if there is
 * one. */
size_t attention_collect(struct attention *attention, struct wait_entry *entries,
                         long long *deadline);

/* Calls those for whom something is ready, or whose time has come, until one of them opens or
 * closes levels. `failed` is called, with errno, for each that has failed. */
void attention_serve(struct attention *attention, const struct session *session, void *context,
                     void (*failed)(void *context, const struct opened *level));

#endif
