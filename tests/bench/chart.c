#define _GNU_SOURCE
#include "tests/bench/chart.h"
#include "tests/bench/bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH 760
#define LABELS 330 /* the width of the texts on the left */
#define NUMBERS 60 /* that of the numbers on the right */
#define ROW 24
#define TOP 44

/* Lengths go by the logarithm: twice as good and half as good are as far from even. */
static double position(double times, double most)
{
    double half = (WIDTH - LABELS - NUMBERS) / 2.0;
    double share = log(times) / log(most);
    return LABELS + half + half * (share > 1 ? 1 : share < -1 ? -1 : share);
}

static double widest(const struct bar *bars, size_t count)
{
    double most = 2;
    for (size_t i = 0; i < count; i++) {
        double times = bars[i].times < 1 ? 1 / bars[i].times : bars[i].times;
        if (times > most)
            most = times;
    }
    return most;
}

static void put_bar(FILE *file, const struct bar *bar, double y, double most)
{
    double even = position(1, most), end = position(bar->times, most);
    fprintf(file, "<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">%s : %s</text>\n", LABELS - 10,
            y + 15, bar->title, bar->against);
    fprintf(file,
            "<rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"16\" rx=\"2\" fill=\"%s\"/>\n",
            end < even ? end : even, y + 3, fabs(end - even), end < even ? "#c8553d" : "#2f7f79");
    fprintf(file, "<text x=\"%.1f\" y=\"%.0f\">%.2f</text>\n", (end < even ? even : end) + 6,
            y + 15, bar->times);
}

int chart_write(const char *path, const struct bar *bars, size_t count)
{
    double most = widest(bars, count), even = position(1, most);
    size_t height = TOP + count * ROW + 12;
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return complain("fopen(\"%s\"): %s", path, strerror(errno));
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %zu\" width=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n"
            "<rect width=\"%d\" height=\"%zu\" fill=\"#fff\"/>\n"
            "<text x=\"%d\" y=\"24\" font-size=\"15\">modcat: how many times as good, by the "
            "medians of one run</text>\n",
            WIDTH, height, WIDTH, WIDTH, height, 12);
    for (size_t i = 0; i < count; i++)
        put_bar(file, &bars[i], (double)(TOP + i * ROW), most);
    fprintf(file, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%zu\" stroke=\"#222\"/>\n</svg>\n",
            even, TOP - 4, even, height - 8);
    return fclose(file) == 0 ? 0 : complain("fclose(\"%s\"): %s", path, strerror(errno));
}
