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

/* What holds for a kind, besides. */
#define STREAM_RESETS 1U   /* the test can break its connection */
#define STREAM_PROGRAM 2U  /* a child of the program carries it, and can be killed */
#define STREAM_FORKS 4U    /* it takes option `fork`, and what serves a peer can be killed */
#define STREAM_MESSAGES 8U /* what the test does not read at once of one write is lost */
#define STREAM_DUAL 16U    /* of two parts: further options are those of the one that is read */
#define STREAM_ENDLESS 32U /* it ends after the setup's length, and not before */
#define STREAM_ALIKE 64U   /* another kind stands for it where not every pair is tested */

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
    unsigned traits;  /* STREAM_... */
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
    int messages; /* where programs log, as one of their descriptors; 0: as usual */
    struct place place;
    struct program *helper; /* another one, between the program and the test */
};

extern const struct stream_kind stream_kinds[];
extern const size_t stream_kind_count;

/* Those that the program has and that take no special kernel. */
const struct stream_kind **stream_kinds_usual(struct harness *harness, size_t *count);

/* False where two kinds need the same standard stream, or none of them is the test's. */
bool stream_pair_is_possible(const struct stream_kind *one, const struct stream_kind *other);

/* Makes an end of a kind: the left or the right one. */
struct stream_end stream_end(struct harness *harness, const struct stream_setup *setup,
                             const struct stream_kind *kind, bool right);

/* Starts the program with flags (up to NULL), and both addresses with further options ("" or
 * ",NAME..."); and connects the test with it. */
struct program *stream_pair_open(struct stream_end *left, struct stream_end *right,
                                 const char *const *flags, const char *left_options,
                                 const char *right_options);

/* False where the test is at the other end only. */
bool stream_end_is_tests(const struct stream_end *end);

/* Closes all that the test has of it. */
void stream_end_leave(struct stream_end *end);

/* Runs the program with both addresses, moves bytes both ways, and waits for a good end. */
void stream_pair_run(struct harness *harness, const struct stream_setup *setup,
                     const struct stream_kind *one, const struct stream_kind *other);

#endif
