/* bench.h: what the parts of the benchmark share: who is measured, and what for. */

#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define PATH_SIZE 128

enum contender {
    MODCAT,
    SOCAT,       /* as installed, with its defaults */
    SOCAT_TUNED, /* with its best -b, and room for waiting clients */
    NGINX,
    HAPROXY,
    DIRECT, /* no relay at all */
    CONTENDERS
};

#define BIT(contender) (1u << (contender))

/* What a relay is measured at. Most works give one number, some two from the same run. */
#define METRICS 2

struct metric {
    const char *title; /* NULL: the work has no such metric */
    const char *unit;
    bool less_is_better;
};

/* How a run as a whole is set up. */
struct bench {
    const char *modcat;       /* the program under test */
    const char *socat;        /* its older relative */
    char scratch[PATH_SIZE];  /* a folder for sockets, files and logs, gone at the end */
    size_t size;              /* bytes of one bulk transfer */
    unsigned rounds;          /* how often each is measured */
    unsigned tuned_block;     /* socat's best -b */
    bool present[CONTENDERS]; /* installed here */
};

/* What one end of a relay is. */
enum end { END_TCP, END_UNIX, END_PIPE, END_FILE };

struct work {
    const char *name;  /* for the command line */
    const char *title; /* for people */
    struct metric metrics[METRICS];
    unsigned contenders; /* bits */

    /* Measures a contender once. Returns 0 with a number for each metric, or -1 after reporting. */
    int (*measure)(const struct bench *bench, const struct work *work, enum contender who,
                   double *values);
    enum end from; /* of bulk transfers */
    enum end to;
    unsigned count;   /* sessions at once */
    unsigned workers; /* processes that share all sessions; 0: modcat forks one for each */
};

/* Says on standard error why something can't be measured. Returns -1. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Seconds of CLOCK_MONOTONIC. */
double now(void);

/* The name of a contender in tables and charts. */
const char *contender_name(enum contender who);

/* The value below which `share` (0 to 1) of the values are; sorts them. */
double quantile(double *values, size_t count, double share);

#endif
