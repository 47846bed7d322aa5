/* halts.h: places in which the program waits, and how long it still sleeps there after a signal
 * that ends it.
 *
 * Time on a clock says little on a machine that has other things to do. What counts is how long the
 * program was asleep: the time that has passed, without the time in which it ran, or was ready to
 * run and had to wait for a processor (/proc/PID/schedstat). */

#ifndef TESTS_SYSTEM_HALTS_H
#define TESTS_SYSTEM_HALTS_H

#include "tests/system/harness.h"

/* How long the program may sleep after such a signal, in milliseconds. */
#define PROMPTLY 100

/* What stands behind the port "%u" of an address. */
enum halt_peer {
    PEER_NONE,
    PEER_SILENT,  /* a TCP server that takes connections and says nothing */
    PEER_FULL,    /* one whose queue of connections is full */
    PEER_DEAF,    /* a UDP socket that is never read */
    PEER_UNBOUND, /* nothing */
};

/* The program on its way to such a place. */
struct halt_visit {
    struct harness *harness;
    struct program *program;
    const char *file;
    unsigned port;
    int listener; /* of a TCP server */
};

/* A place in which the program waits. In its addresses and flags, "%u" is a port and "%s" a path in
 * the test's folder. */
struct halt {
    const char *name;
    const char *flags[4];
    const char *left, *right;
    enum halt_peer peer;
    void (*prepare)(struct halt_visit *visit); /* before the program is started, or NULL */
    const char *logs;                          /* what it says before it waits, or NULL */
    void (*arrive)(struct halt_visit *visit);  /* what the test does then, or NULL */
    const char *environment;                   /* NAME=VALUE, or NULL */
    bool terminal;                             /* its input and output are a terminal */
    int status;                                /* of its end, where that is not 128 + signal */
};

/* Fails if the program sleeps on in such a place after a signal that ends it. */
void halts_end(struct harness *harness, const struct halt *halt, int signal_number);

/* What the program says before it relays, for `logs`. */
#define HALT_RELAYS " N starting data transfer loop"

/* For `arrive`: sends something; ends the input; sends until nothing more is taken; connects to the
 * port on which the program listens and says nothing; connects twice where there is one place only,
 * so that the second client waits. */
void halt_send(struct halt_visit *visit);
void halt_end_input(struct halt_visit *visit);
void halt_fill(struct halt_visit *visit);
void halt_connect(struct halt_visit *visit);
void halt_connect_two(struct halt_visit *visit);

#endif
