/* streams.h: every address type that carries a stream, with a test at its other end; and pairs of
 * them, between which all bytes must arrive. */

#ifndef TESTS_SYSTEM_STREAMS_H
#define TESTS_SYSTEM_STREAMS_H

#include "tests/system/packets.h"
#include "tests/system/peers.h"

/* What all pairs of a test have in common. */
struct stream_setup {
    size_t length;         /* how many bytes go each way */
    const char *authority; /* certificates, for TLS */
    const char *certificate;
};

/* Makes the setup, whose certificates live as long as the test. */
struct stream_setup stream_setup(struct harness *harness, size_t length);

struct stream_end;

enum stream_closing {
    CLOSES_BY_HALVES, /* each direction ends on its own */
    CLOSES_WHOLE,     /* an end of one direction is the end of both */
    GIVES_BACK,       /* it is not connected with the test: what goes in comes out again */
};

/* A type, and how the test gets in touch with it. */
struct stream_kind {
    const char *types; /* one; or several, between "|" and "!!" as in an address */
    const char *options;
    /* Makes the test's side of it, and returns the address. */
    const char *(*prepare)(struct stream_end *end);
    /* Connects the test's side with the program; NULL: nothing is to be done. */
    void (*attach)(struct stream_end *end, struct program *program);
    enum stream_closing closing;
    unsigned streams; /* which of the program's standard streams it takes, a bit for each */
    bool late;        /* the test may not begin before the program has opened both sides */
    bool rare;        /* only few kernels have such sockets */
    int protocol;     /* 0: the usual one */
};

/* An end of a pair that is tested. */
struct stream_end {
    struct harness *harness;
    const struct stream_setup *setup;
    const struct stream_kind *kind;
    const char *side; /* "left" or "right" */
    int read_fd;      /* the test's; a socket is both, and at first the one that listens */
    int write_fd;
    int standard[3]; /* what the program gets as its standard streams, or 0 */
    int given;       /* and as another descriptor, or 0, with this number */
    int number;
    struct place place;
    struct program *helper; /* another one, between the program and the test */
};

extern const struct stream_kind stream_kinds[];
extern const size_t stream_kind_count;

/* False where two kinds need the same standard stream, or none of them is the test's. */
bool stream_pair_is_possible(const struct stream_kind *one, const struct stream_kind *other);

/* Runs the program with both addresses, moves bytes both ways, and waits for a good end. */
void stream_pair_run(struct harness *harness, const struct stream_setup *setup,
                     const struct stream_kind *one, const struct stream_kind *other);

#endif
