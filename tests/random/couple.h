/* couple.h: two ends that are drawn, with the program and its options between them. */

#ifndef TESTS_RANDOM_COUPLE_H
#define TESTS_RANDOM_COUPLE_H

#include "tests/random/traffic.h"

/* Of a kind, besides its STREAM_...: one direction does not end without the other; the test has no
 * end of its own; and a helper stands between the program and the test. */
#define COUPLE_WHOLE (1U << 28)
#define COUPLE_BACK (1U << 29)
#define COUPLE_HELPER (1U << 30)

struct couple {
    struct trial *trial;
    struct stream_end ends[2];
    int first; /* the end that acts first */
    const char *flags[10];
    size_t flag_count;
    const char *options[2];
    bool exact;          /* no option changes what goes through */
    bool plain;          /* and none shall */
    bool tells;          /* none keeps an end from being told of the other one's */
    size_t message;      /* the most that may be sent in one piece; 0: all */
    const char *dump[2]; /* files that the data is copied to, or NULL */
    struct program *program;
    struct traffic traffic;
    struct lane *lanes[2]; /* from each end; NULL: none */
};

unsigned couple_traits(const struct stream_kind *kind);
bool couple_end_has(const struct stream_end *end, unsigned trait);
bool couple_has(const struct couple *couple, unsigned trait);
struct stream_end *couple_first(struct couple *couple);
struct stream_end *couple_second(struct couple *couple);

/* Draws two kinds and which of them is the first. That one has all traits that it needs, and none
 * has a trait of its mask. */
struct couple couple_draw(struct trial *trial, unsigned first_needs, unsigned first_excludes,
                          unsigned second_excludes);
void couple_flag(struct couple *couple, const char *flag, const char *value);
void couple_option(struct couple *couple, int end, const char *option);
/* Draws options with which all must arrive as it does without: of the ends, and the program's. */
void couple_draw_options(struct couple *couple);
/* Draws how much each end sends, up to `most`, opens the session, and adds the lanes. */
void couple_open(struct couple *couple, size_t most);
/* Draws speeds, and says what all lanes have in common. */
void couple_lanes(struct couple *couple, bool end, bool may_break);

/* The files hold what has gone through, if some were drawn. */
void couple_judge_dumps(struct couple *couple);
/* A session that ended well, and so did the helpers. */
void couple_judge(struct couple *couple);
/* What the end is told: no more bytes, and the end, or that it broke. */
void couple_await_end(struct couple *couple, struct stream_end *end);

#endif
