/* endings.h: two types with the program between them, and the ways in which such a session can
 * end, tried with every pair that can end so. */

#ifndef TESTS_SYSTEM_ENDINGS_H
#define TESTS_SYSTEM_ENDINGS_H

#include "tests/system/streams.h"

/* What a flow sends at first: more than a buffer of the program holds. */
#define PAIR_BYTES ((size_t)100000)

/* How long a quiet time is at least, in milliseconds. */
#define PAIR_QUIET 200

/* Of a kind, besides its STREAM_...: a program has a terminal there; one direction does not end
 * without the other; and the test has no end of its own. */
#define PAIR_TERMINAL (1U << 29)
#define PAIR_WHOLE (1U << 30)
#define PAIR_BACK (1U << 31)

struct way;

/* Two ends with the program between them. The one that acts is the first, wherever it stands. What
 * is given back comes out of the first end as well. */
struct pair {
    struct harness *harness;
    const struct way *way;
    struct stream_end ends[2];
    struct stream_end *first, *other;
    struct flow flows[2]; /* from the first end, and from the other */
    size_t flow_count;
    struct program *program;
    int quiet; /* how long nothing happens, in milliseconds */
};

/* The left end acts, if it can, or else the right one. */
#define EITHER (-1)

/* A way to end. `run` ends the session and checks what came of it. It returns NULL, or what is
 * wrong unless the machine was too busy just then: it is asked again, with longer times. */
struct way {
    const char *name;
    const char *(*run)(struct pair *pair);
    int first;         /* which end acts: 0, the left one, or 1, or EITHER */
    unsigned needs;    /* of the end that acts */
    unsigned excludes; /* the same */
    unsigned other_excludes;
};

/* Prepares a harness that lasts as long as all tests, and the kinds. For a group of tests. */
int endings_begin(void **state);
int endings_end(void **state);

/* Tests a way with pairs of all kinds, each in one order. Kinds that are like others are not tested
 * with everything in every way: each such pair has its turn in some of the ways, by their number,
 * and each kind in all of them. With sanitizers, a few pairs are tested in each way: each kind as
 * either end, and each pair of those that are not like others in some of the ways. With the
 * environment variable MODCAT_TEST_ALL all is tested. */
void endings_run(const struct way *way, size_t number);
/* Tests a way with pairs of a kind and a file, which is not the first end. */
void endings_run_files(const struct way *way, const struct stream_kind *files, size_t count);

bool stream_end_has(const struct stream_end *end, unsigned trait);
/* True when one end or the other has it. */
bool pair_has(const struct pair *pair, unsigned trait);

/* Before that: an end that is endless otherwise ends after so many bytes. */
void stream_end_sends(struct stream_end *end, size_t length);
/* Opens the session with a flag, its value, and options of the ends ("" or ",NAME..."). */
void pair_open(struct pair *pair, const char *flag, const char *value, const char *first,
               const char *other);

/* Moves both flows to their ends. */
void pair_move(struct pair *pair);
/* Both ends get so much of what the other one sends, and nobody ends anything yet. */
void pair_exchange(struct pair *pair, size_t length);
/* What comes out of the first end. */
struct flow *pair_incoming(struct pair *pair);
/* A flow that has stopped goes on to a length. */
void flow_go_on(struct flow *flow, size_t length, bool open_end);

/* Lets nothing happen for some milliseconds; returns what is wrong with that, as a way does. */
const char *pair_rest(struct pair *pair, int duration);

/* Waits for the end of what comes in, or a reset; nothing else comes. */
void pair_reaches_end(struct pair *pair, const struct stream_end *end);
/* Ends one direction, or both where that is all the same. */
void pair_stops_sending(struct pair *pair, struct stream_end *end);
/* The first end leaves; the other one is told so, if it can be, and leaves too. */
void pair_first_leaves(struct pair *pair);

#endif
