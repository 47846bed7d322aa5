/* traffic.h: what the peers at both ends of a session send and take, at which speed; and that what
 * comes out is what must come out. */

#ifndef TESTS_RANDOM_TRAFFIC_H
#define TESTS_RANDOM_TRAFFIC_H

#include "tests/random/trial.h"

/* So many bytes at a time, and a pause in milliseconds after each `burst` of them. */
struct pace {
    size_t chunk;
    size_t burst; /* 0: no pauses */
    int pause;
};

struct pace draw_pace(struct trial *trial, size_t length);

/* One direction: what goes into write_fd must come out of read_fd as `expected`. */
struct lane {
    const char *name;
    int write_fd, read_fd; /* -1: not the test's */
    const unsigned char *data;
    size_t length;
    const unsigned char *expected;
    size_t expected_length;
    struct pace write_pace, read_pace;
    bool ends;            /* the sender ends this direction behind its last byte */
    bool closes;          /* by closing its descriptor, which is not a socket */
    bool write_may_break; /* not all has to be taken */
    bool read_may_break;  /* what comes out may be the beginning only */
    bool read_may_reset;  /* behind all of it, a reset is as good as the end */
    size_t takes;         /* the receiver takes nothing more behind so many bytes */
    bool leaves;          /* and closes its socket then, which is the sender's */
    bool resets;          /* or resets its connection */

    size_t sent, received;
    long long write_at, read_at; /* not before that */
    bool write_over;             /* all is sent, or it broke */
    bool read_over;              /* the end has come, or it broke */
};

struct traffic {
    struct trial *trial;
    struct lane lanes[8];
    size_t count;
    struct program *programs[10]; /* whose messages are taken meanwhile */
    size_t program_count;
};

/* Adds a lane, which sends bytes that are drawn. */
struct lane *traffic_lane(struct traffic *traffic, const char *name, int write_fd, int read_fd,
                          const unsigned char *data, size_t length);
/* Draws at which speeds the lane is used. */
void draw_paces(struct trial *trial, struct lane *lane);
void traffic_watch(struct traffic *traffic, struct program *program);

/* Moves bytes until the condition is met, and fails where nothing comes of it. */
void traffic_run(struct traffic *traffic, bool (*until)(const struct traffic *traffic));
bool traffic_has_ended(const struct traffic *traffic);   /* both ends of each lane */
bool traffic_has_arrived(const struct traffic *traffic); /* all bytes, and no end is awaited */
bool traffic_is_over(const struct traffic *traffic);     /* where it comes out */
bool traffic_is_received(const struct traffic *traffic); /* all that can be */
/* The same until so many bytes have come out in all, or nothing more can come. */
void traffic_run_to(struct traffic *traffic, size_t bytes);

#endif
