/* chart.h: an SVG picture of ratios, for people who read the README. */

#ifndef TESTS_BENCH_CHART_H
#define TESTS_BENCH_CHART_H

#include <stddef.h>

/* One bar: how many times better than the other program modcat is. */
struct bar {
    const char *title;
    const char *against;
    double times;
};

/* Writes the picture. Returns 0, or -1 after reporting. */
int chart_write(const char *path, const struct bar *bars, size_t count);

#endif
