/* trial.h: one session of the random test: the generator that it is drawn from, and what it is
 * measured by. All of it follows from the seed and the session's number, on every machine. */

#ifndef TESTS_RANDOM_TRIAL_H
#define TESTS_RANDOM_TRIAL_H

#include "tests/system/streams.h"

/* How long a session may last that its peers do not keep waiting, in seconds: for -t. It is
 * longer than PATIENCE, so that a session which wrongly waits until then fails. */
#define LONG_TIME "60"

/* Sizes are drawn around those of pipes, pages and buffers, and up to this. */
#define MOST_BYTES ((size_t)4 << 20)

struct trial {
    struct harness *harness;
    const struct stream_setup *setup;
    const struct stream_kind *const *kinds; /* that this modcat has */
    size_t kind_count;
    uint64_t random;
    long long began;            /* milliseconds */
    size_t bytes, writes;       /* what the peers send at most, for the bound of processor time */
    bool dumped;                /* it writes the data in hexadecimal */
    struct program *helpers[2]; /* at the test's side; their end is not awaited */
    bool leaves_jobs;           /* processes may be left, as the user has asked for them */
};

/* What the whole run has in common. */
void trials_begin(void);
void trials_end(void);
/* Runs a session in this process. Does not return where it fails: what is wrong is on standard
 * error, and the process ends with a status other than 0. */
void trial_run(uint64_t seed, unsigned long number);

/* A number below `count`; one of a range, both included; true so many times of a hundred. */
size_t draw_below(struct trial *trial, size_t count);
size_t draw_between(struct trial *trial, size_t least, size_t most);
bool draw_chance(struct trial *trial, unsigned percent);
/* One of some texts. */
const char *draw_text(struct trial *trial, const char *const *texts, size_t count);
#define DRAW_TEXT(trial, texts) draw_text(trial, texts, sizeof texts / sizeof texts[0])
/* How many bytes are sent, up to `most`. */
size_t draw_size(struct trial *trial, size_t most);
unsigned char *draw_bytes(struct trial *trial, size_t length);

/* Says what was drawn, for the report of a failure. */
void trial_note(struct trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits for a line that holds the pattern, wherever it stands in the log. */
void await_log(struct trial *trial, struct program *program, const char *pattern);

/* The ways in which sessions go, in the order in which they are drawn. */
struct trial_way {
    const char *name;
    unsigned weight;
    void (*run)(struct trial *trial);
};
extern const struct trial_way stream_ways[], program_ways[], file_ways[], server_ways[],
    packet_ways[];

/* What holds at the end of a session. In each case, the program has not kept the processor busy and
 * has left no process behind.
 *
 * Silent: the status is 0, and nothing is said of warning level or above. Either: the status is 0,
 * and there is no error; or it is 1, and the log says why. Status: it is this one; the log says why
 * if that is 1. */
void judge_silent(struct trial *trial, struct program *program);
void judge_either(struct trial *trial, struct program *program);
void judge_status(struct trial *trial, struct program *program, int status);
/* The session has lasted between two times, in milliseconds, since a moment. */
void judge_time(struct trial *trial, long long since, long long least, long long most);
/* Nothing that the program said is of warning level or above. */
void judge_log(struct trial *trial, struct program *program);
/* The content of a file, whole. */
void judge_file(struct trial *trial, const char *name, const unsigned char *data, size_t length);

#endif
