/* Sessions from and to files. */

#define _GNU_SOURCE
#include "tests/random/couple.h"

#include <stdio.h>
#include <string.h>

/* A file with bytes that are drawn; makes its name. */
static unsigned char *draw_file(struct trial *trial, const char *name, size_t length)
{
    unsigned char *data = draw_bytes(trial, length);
    FILE *file = fopen(name, "we");
    if (file == NULL || fwrite(data, 1, length, file) != length || fclose(file) != 0)
        harness_fail(trial->harness, "can't write %s", name);
    trial->bytes += length;
    trial_note(trial, "%s holds %zu bytes", name, length);
    return data;
}

/* An address of one that is read or written. */
static const char *draw_source(struct trial *trial, const char *name)
{
    static const char *const patterns[] = {"OPEN:%s,rdonly", "GOPEN:%s,rdonly", "%s,rdonly",
                                           "OPEN:%s"};
    return with_path(trial->harness, DRAW_TEXT(trial, patterns), name);
}

static const char *draw_sink(struct trial *trial, const char *name)
{
    static const char *const patterns[] = {"CREATE:%s", "OPEN:%s,creat,append", "OPEN:%s,creat",
                                           "GOPEN:%s,creat", "OPEN:%s,creat,trunc,wronly"};
    return with_path(trial->harness, DRAW_TEXT(trial, patterns), name);
}

static const char *draw_block(struct trial *trial)
{
    return text(trial->harness, "%zu",
                draw_chance(trial, 70) ? 8192 : draw_between(trial, 1000, 300000));
}

static void copy(struct trial *trial)
{
    const char *from = path(trial->harness, "from"), *to = path(trial->harness, "to");
    size_t length = draw_size(trial, 2 * MOST_BYTES);
    unsigned char *data = draw_file(trial, from, length);
    const char *source = draw_source(trial, from), *sink = draw_sink(trial, to);
    bool right = draw_chance(trial, 50);
    struct program *program =
        program_start(trial->harness, "-d", "-d", "-t", LONG_TIME, right ? "-u" : "-U", "-b",
                      draw_block(trial), right ? source : sink, right ? sink : source, NULL);
    judge_silent(trial, program);
    judge_file(trial, to, data, length);
}

static const struct stream_kind *draw_kind(struct trial *trial, unsigned excludes)
{
    const struct stream_kind *kind;
    do
        kind = trial->kinds[draw_below(trial, trial->kind_count)];
    while ((couple_traits(kind) & (excludes | COUPLE_WHOLE | COUPLE_BACK | STREAM_ENDLESS)) != 0 ||
           kind->streams != 0);
    return kind;
}

/* One end is the test's; the other is read from one file and written to another. */
static void exchange(struct trial *trial)
{
    struct traffic traffic = {.trial = trial};
    const char *from = path(trial->harness, "from"), *to = path(trial->harness, "to");
    struct stream_end end =
        stream_end(trial->harness, trial->setup, draw_kind(trial, STREAM_MESSAGES), false);
    size_t length = draw_size(trial, MOST_BYTES), answer_length = draw_size(trial, MOST_BYTES);
    unsigned char *data = draw_bytes(trial, length);
    unsigned char *answer = draw_file(trial, from, answer_length);
    const char *files = text(trial->harness, "OPEN:%s,rdonly!!%s", from, draw_sink(trial, to));
    const char *arguments[] = {
        "-d", "-d", "-t", LONG_TIME, "-b", draw_block(trial), end.kind->prepare(&end), files, NULL};
    struct launch launch = {.arguments = arguments, .out = STREAM_NULL, .extra = end.given};
    struct program *program = program_launch(trial->harness, &launch);
    traffic_watch(&traffic, program);
    if (end.kind->attach != NULL)
        end.kind->attach(&end, program);
    trial->helpers[0] = end.helper;
    traffic_watch(&traffic, end.helper);
    program_logs(program, " N starting data transfer loop");
    struct lane *there = traffic_lane(&traffic, "to the file", end.write_fd, -1, data, length);
    there->ends = true;
    there->closes = end.write_fd != end.read_fd;
    struct lane *back =
        traffic_lane(&traffic, "from the file", -1, end.read_fd, answer, answer_length);
    draw_paces(trial, there);
    draw_paces(trial, back);
    traffic_run(&traffic, traffic_has_ended);
    stream_end_leave(&end);
    judge_silent(trial, program);
    judge_file(trial, to, data, length);
}

const struct trial_way file_ways[] = {
    {"a file is copied", 6, copy},
    {"files stand at one end", 8, exchange},
    {.name = NULL},
};
