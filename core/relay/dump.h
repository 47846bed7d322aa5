/* dump.h: shows the bytes of a flow on standard error (-v, -x), and copies them to a file (-r, -R).
 */

#ifndef CORE_RELAY_DUMP_H
#define CORE_RELAY_DUMP_H

#include "core/relay/flow.h"
#include "core/session/session.h"

/* Of one direction. */
struct dump {
    struct flow_observer observer;
    struct session *session;
    char mark; /* '>' or '<' */
    bool text;
    bool hex;
    int screen;                /* standard error, or a descriptor of our own for its terminal */
    bool screen_blocks;        /* writing there when it is not ready would block the program */
    unsigned long long offset; /* of the next byte */
    const char *option;        /* that names the file */
    char *path;
    int fd; /* of the file, -1: none */
};

/* Prepares what the session's settings ask for, for the flow to the right and for the one to the
 * left; opens the files. Returns 0, or -1 after reporting. dumps_close() is due either way. */
int dumps_open(struct session *session, struct dump dumps[2]);
void dumps_close(struct dump dumps[2]);

/* Who looks at the bytes of the flow; NULL where nothing is asked for. */
struct flow_observer *dump_observer(struct dump *dump);

#endif
