/* progress.h: a line on the terminal that says how far a session is (--progress): bytes, rate and
 * time, and where the size of the source is known the share that is done and the time that is
 * left. It is redrawn in place. */

#ifndef CORE_RELAY_PROGRESS_H
#define CORE_RELAY_PROGRESS_H

#include "core/relay/flow.h"
#include "core/session/session.h"

struct progress {
    const struct flow *flows; /* NULL: nothing is shown */
    long long started;
    long long next; /* when it is drawn again; MODCAT_FOREVER: never */
    long long drawn;
    unsigned long long bytes[2]; /* when it was drawn last */
    unsigned long long total;    /* that the flow to the right, or else the other, will move */
    bool total_known;
    int measured; /* the flow that the total is for */
};

/* Starts to show the progress of two flows, where it is asked for and where it can't get in the
 * way of anything else: on a terminal that no data goes to or comes from, for a session that has it
 * alone. */
void progress_start(struct progress *progress, const struct session *session,
                    const struct flow flows[2]);

/* Draws the line when it is time to. */
void progress_update(struct progress *progress);

/* Draws it a last time, and leaves it. */
void progress_end(struct progress *progress);

/* The line for these counts; `rates` are bytes per second, `elapsed` nanoseconds. */
int progress_format(char *line, size_t size, const struct progress *progress,
                    const unsigned long long bytes[2], const double rates[2], long long elapsed);

#endif
