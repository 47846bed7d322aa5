/* contenders.h: starts relays, modcat's and those of others, with the same work to do. */

#ifndef TESTS_BENCH_CONTENDERS_H
#define TESTS_BENCH_CONTENDERS_H

#include "tests/bench/bench.h"
#include <sys/types.h>

/* What a relay is to connect. Ports and paths are those of the ends that have them. */
struct plumbing {
    const char *left;   /* address texts for modcat and socat */
    const char *right;  /* ... */
    unsigned from_port; /* the same for nginx and haproxy, which know TCP only */
    unsigned to_port;
    unsigned workers; /* of nginx and haproxy; 0: one */
    bool one_way;
    int in; /* standard input and output; -1: nothing */
    int out;
};

/* A running one. */
struct relay {
    enum contender who;
    pid_t pid; /* 0: none */
    char log[PATH_SIZE];
};

/* Finds out which of them are installed. */
void contenders_find(struct bench *bench);

/* Starts one. Returns 0, or -1 after reporting. Nothing happens for DIRECT. */
int relay_start(const struct bench *bench, enum contender who, const struct plumbing *plumbing,
                struct relay *relay);

/* True while it runs; otherwise what it logged is reported. */
bool relay_alive(struct relay *relay);

/* Waits for its end where it ends by itself, else ends it. Returns the CPU seconds it took, its
 * children's included, or -1 after reporting that it failed. */
double relay_wait(struct relay *relay);
double relay_end(struct relay *relay);

/* Options for a listening address that serves many clients at once. */
const char *contender_listen_options(enum contender who, unsigned workers);

#endif
