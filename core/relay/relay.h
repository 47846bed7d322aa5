/* relay.h: moves the bytes of a session in both directions until it ends.
 *
 *     relay = relay_start(session)
 *     while (relay_prepare(relay, &waiting))   false: both directions have ended
 *         wait for waiting.entries until waiting.deadline
 *         if (!relay_step(relay, &waiting))    false: its time is over
 *             break
 *     status = relay_end(relay)
 *
 * No step waits; relay_end() does, for programs to end. relay_run() is all of it, with the waiting
 * of a process that serves one session. */

#ifndef CORE_RELAY_RELAY_H
#define CORE_RELAY_RELAY_H

#include "core/session/session.h"

/* What is waited for: for each flow its source and its sink, or its sink's going away, and input
 * that nobody wants. */
#define RELAY_ENTRIES 6
struct relay_waiting {
    struct wait_entry own[RELAY_ENTRIES];
    struct wait_entry *entries; /* those, or more where endpoints wait for something else */
    size_t count;
    long long deadline;
    struct wait_entry *sources[2]; /* in `entries`; NULL: not waited for */
    struct wait_entry *sinks[2];
    struct wait_entry *unwanted[2]; /* comes from this flow's sink */
};

/* Starts the flows of an open session. Returns NULL after reporting that a file for the copies of
 * -r and -R can't be opened. */
struct relay *relay_start(struct session *session);

/* What has to be waited for. Returns false at the end. */
bool relay_prepare(struct relay *relay, struct relay_waiting *waiting);

/* Moves what can be moved, after waiting. Returns false when the session's time is over. */
bool relay_step(struct relay *relay, const struct relay_waiting *waiting);

/* Ends it, and frees it: waits for programs, reports what is lost. Returns the exit status that it
 * deserves: 0, or 1 when bytes could not be moved. */
int relay_end(struct relay *relay);

/* Says that a session is open, and starts its relay when the time of TRANSFER_WAIT has passed.
 * Returns NULL as relay_start() does, or when the program is asked to end. */
struct relay *relay_begin(struct session *session);

/* True when steps may have to wait: for whoever takes the copies that are made of the data, or in
 * operations of an endpoint; and when there is more to wait for than a task without a stack can. */
bool relay_needs_stack(const struct session *session);

/* Relays an open session. Returns the exit status that it deserves: 0, or 1 when bytes could not
 * be moved. A signal that ends the program ends this too; signals_ending() tells. */
int relay_run(struct session *session);

/* Logs how much each direction has moved, whatever the log's level. */
void relay_log_statistics(const struct session *session);

#endif
