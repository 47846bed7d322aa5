/* keep.h: a layer whose lower end may go and come back.
 *
 *     PRESENT   data passes; first goes what is held
 *     BROKEN    nothing can be written any more, and what the peer has sent before is read to its
 *               end
 *     AWAY      the lower end is closed, and opened again when its time has come
 *
 * What the upper side writes while it is broken or away is held, discarded, or ends the session.
 * The end of the upper side waits until all that is held has been delivered. After it, the lower
 * end's end is the end of the session. */

#ifndef KEEP_KEEP_H
#define KEEP_KEEP_H

#include "held.h"
#include <modcat/driver.h>
#include <modcat/layer.h>

enum keep_mode { KEEP_HOLD, KEEP_DISCARD, KEEP_CLOSE }; /* the words of keep-while-away */
enum keep_state { KEEP_PRESENT, KEEP_BROKEN, KEEP_AWAY };

struct keep {
    struct modcat_opening *opening;
    struct modcat_endpoint *endpoint;
    struct modcat_endpoint *lower;
    enum keep_mode mode;
    enum keep_state state;
    long long interval;     /* from one try to the next, ... */
    long long max_interval; /* ... which doubles up to this */
    long long delay;        /* before the next try */
    long long timeout;      /* of one try, or MODCAT_FOREVER */
    unsigned most_tries;    /* in a row; 0: any number */
    unsigned tries;         /* since it was lost */
    long long next;         /* AWAY: the next try; BROKEN: the next look at what is left to read */
    long long opened_at;
    long long lost_at;
    struct held held;
    bool is_full; /* what comes next does not fit into what is held */
    bool is_last; /* the upper side has ended ... */
    bool is_shut; /* ... and the lower end has been told */
    unsigned long long discarded;
    int reason; /* errno of the write that failed; BROKEN */
};

extern const struct modcat_endpoint_ops keep_ops;

/* Nothing can be written to it any more, for `errno`. */
void keep_break(struct keep *keep);

/* Closes the lower end, which was lost by an error, or by its end (0). Returns 0, or -1 with errno
 * where it can't be opened again now. */
int keep_go_away(struct keep *keep, int error);

/* Tries to open it again, when it is time for it. Returns 0, or -1 with errno after the last
 * try. */
int keep_come_back(struct keep *keep);

/* Writes what is held. Returns 0 when nothing is held any more, or -1 with errno. */
int keep_flush(struct keep *keep);

#endif
