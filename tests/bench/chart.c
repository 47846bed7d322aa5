#define _GNU_SOURCE
#include "tests/bench/chart.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH 860
#define LEFT 270 /* the width of the texts on the left */
#define RIGHT 30 /* that of the margin on the right */
#define TOP 78   /* the height of title and axis */
#define ROW 26   /* that of a row */
#define NOTE 20  /* that of a line below the picture */
#define RADIUS 6

/* What can be told apart without colours, too. */
static const struct mark {
    const char *colour;
    bool hollow;
} marks[CONTENDERS] = {
    [SOCAT] = {"#1f6f8b", false},   [SOCAT_TUNED] = {"#1f6f8b", true}, [NGINX] = {"#3a8f3a", false},
    [HAPROXY] = {"#8a5fb0", false}, [DIRECT] = {"#555555", true},
};

/* Lengths go by the logarithm: twice as good and half as good are as far from even. What lies
 * beyond is put on the border, with its number. */
struct axis {
    double least, most; /* powers of two */
};
#define LEAST (1.0 / 64)
#define MOST 16.0

static double position(const struct axis *axis, double times)
{
    times = fmin(fmax(times, axis->least), axis->most);
    double share = log2(times / axis->least) / log2(axis->most / axis->least);
    return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static struct axis axis_for(const struct chart_row *rows, size_t count)
{
    struct axis axis = {0.5, 2};
    for (size_t i = 0; i < count; i++)
        for (int who = 0; who < CONTENDERS; who++) {
            double times = rows[i].times[who];
            while (times > axis.most && axis.most < MOST)
                axis.most *= 2;
            while (times > 0 && times < axis.least && axis.least > LEAST)
                axis.least /= 2;
        }
    return axis;
}

static void put_tick(FILE *file, const struct axis *axis, double times, double bottom)
{
    double x = position(axis, times);
    char text[16];
    snprintf(text, sizeof text, times < 1 ? "1/%.0f" : "%.0f", times < 1 ? 1 / times : times);
    fprintf(file, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" font-size=\"12\">%s</text>\n",
            x, TOP - 10, text);
    fprintf(file, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.0f\" stroke=\"%s\"/>\n", x,
            TOP - 4, x, bottom, times == 1 ? "#222" : "#ddd");
}

/* What the axis means stands on both sides of even. */
static void put_axis(FILE *file, const struct axis *axis, double bottom)
{
    double even = position(axis, 1);
    for (double times = axis->least; times <= axis->most; times *= 2)
        put_tick(file, axis, times, bottom);
    fprintf(
        file,
        "<text x=\"%.1f\" y=\"%d\" text-anchor=\"end\" font-size=\"12\">modcat is worse</text>\n"
        "<text x=\"%.1f\" y=\"%d\" font-size=\"12\">modcat is so many times as good</text>\n",
        even - 12, TOP - 30, even + 12, TOP - 30);
}

static void put_mark(FILE *file, enum contender who, double x, double y)
{
    const struct mark *mark = &marks[who];
    fprintf(file,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"%s\" stroke=\"%s\" "
            "stroke-width=\"2\"/>\n",
            x, y, RADIUS, mark->hollow ? "#fff" : mark->colour, mark->colour);
}

static void put_row(FILE *file, const struct axis *axis, const struct chart_row *row, double y)
{
    fprintf(file, "<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">%s</text>\n", LEFT - 14, y + 4,
            row->title);
    for (int who = CONTENDERS - 1; who >= 0; who--) {
        double times = row->times[who];
        if (times <= 0)
            continue;
        put_mark(file, (enum contender)who, position(axis, times), y);
        if (times > axis->most || times < axis->least)
            fprintf(file, "<text x=\"%.1f\" y=\"%.0f\" font-size=\"11\">%.2g</text>\n",
                    position(axis, times) + RADIUS + 3, y + 4, times);
    }
}

static void put_notes(FILE *file, const struct chart_notes *notes, double y)
{
    for (int who = 0; who < CONTENDERS; who++) {
        if (notes->contenders[who] == NULL)
            continue;
        put_mark(file, (enum contender)who, 24, y - 4);
        fprintf(file, "<text x=\"40\" y=\"%.0f\" font-size=\"12\">%s</text>\n", y,
                notes->contenders[who]);
        y += NOTE;
    }
    fprintf(file, "<text x=\"18\" y=\"%.0f\" font-size=\"12\" fill=\"#555\">%s</text>\n", y,
            notes->machine);
}

static size_t note_count(const struct chart_notes *notes)
{
    size_t count = 1;
    for (int who = 0; who < CONTENDERS; who++)
        count += notes->contenders[who] != NULL;
    return count;
}

int chart_write(const char *path, const struct chart_row *rows, size_t count,
                const struct chart_notes *notes)
{
    struct axis axis = axis_for(rows, count);
    double bottom = TOP + (double)count * ROW;
    double height = bottom + 20 + (double)note_count(notes) * NOTE;
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return complain("fopen(\"%s\"): %s", path, strerror(errno));
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n"
            "<rect width=\"%d\" height=\"%.0f\" fill=\"#fff\"/>\n"
            "<text x=\"18\" y=\"26\" font-size=\"16\">modcat beside other relays: ratios of the "
            "medians of one run</text>\n",
            WIDTH, height, WIDTH, WIDTH, height);
    put_axis(file, &axis, bottom);
    for (size_t i = 0; i < count; i++)
        put_row(file, &axis, &rows[i], TOP + ((double)i + 0.5) * ROW);
    put_notes(file, notes, bottom + 24);
    fputs("</svg>\n", file);
    return fclose(file) == 0 ? 0 : complain("fclose(\"%s\"): %s", path, strerror(errno));
}
