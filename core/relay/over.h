/* over.h: when a relay is over, and what that costs.
 *
 * It is over when both directions have ended and no program still takes its input, or works on it;
 * when the time of -t has passed since one direction ended, or a program did (`closing`), and
 * nothing is on its way to an end that still takes it; when the time of -T has passed without a
 * byte; or when whoever was to take what is held has gone. Bytes that are lost are always told.
 */

#ifndef CORE_RELAY_OVER_H
#define CORE_RELAY_OVER_H

#include "core/relay/relay_state.h"

/* Both directions have ended, and no program still works on its input. */
bool over_at_end(struct relay *relay);

/* One direction has ended, or a program: the time of -t counts. */
bool over_is_closing(const struct relay *relay);

/* Notes programs that have ended, data that the ends have taken, and ends that have lost their last
 * reader. To be called in each round; the last one after bytes were
 * moved. */
void over_consider_programs(struct relay *relay);
void over_consider_what_is_taken(struct relay *relay);
void over_consider_abandoned(struct relay *relay);

/* True when the session's time is over; says so, and what is lost by it. */
bool over_by_time(const struct relay *relay);

/* When to look again, at the latest. */
long long over_next_look(const struct relay *relay);

/* After the last round: waits for programs to end, as long as they have time. Returns the exit
 * status that the session deserves, 0 or 1. */
int over_status(struct relay *relay);

/* True when the program at an end, below all layers, has ended. `opened` may be NULL. */
bool over_program_ended(const struct opened *opened);

/* True when a layer may open again what has gone. `opened` may be NULL. */
bool over_is_opened_again(const struct opened *opened);

#endif
