/* chart.h: an SVG picture of ratios, for people who read the README. */

#ifndef TESTS_BENCH_CHART_H
#define TESTS_BENCH_CHART_H

#include "tests/bench/bench.h"

/* One row: how many times as good as each contender modcat is; 0: not measured. */
struct chart_row {
    const char *title;
    double times[CONTENDERS];
};

/* What stands below the picture. */
struct chart_notes {
    const char *contenders[CONTENDERS]; /* what each one is; NULL: it took no part */
    const char *machine;                /* machine, versions, date */
};

/* Writes the picture. Returns 0, or -1 after reporting. */
int chart_write(const char *path, const struct chart_row *rows, size_t count,
                const struct chart_notes *notes);

#endif
