/* dump.h: shows the bytes of a flow on standard error (-v, -x), and copies them to a file (-r, -R).
 */

#ifndef CORE_RELAY_DUMP_H
#define CORE_RELAY_DUMP_H

#include "core/relay/flow.h"
#include "core/relay/screen.h"
#include "core/session/session.h"

/* Of one direction. */
struct dump {
    struct flow_observer observer;
    char mark; /* '>' or '<' */
    bool text;
    bool hex;
    struct screen screen;
    unsigned long long offset; /* of the next byte */
    const char *option;        /* that names the file */
    char *path;
    struct screen file; /* descriptor -1: none */
};

/* Prepares what the session's settings ask for, for the flow to the right and for the one to the
 * left; opens the files. Returns 0, or -1 after reporting. dumps_close() is due either way. */
int dumps_open(struct session *session, struct dump dumps[2]);
void dumps_close(struct dump dumps[2]);

/* Who looks at the bytes of the flow; NULL where nothing is asked for. */
struct flow_observer *dump_observer(struct dump *dump);

#endif
