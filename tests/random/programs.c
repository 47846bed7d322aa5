/* Sessions with a program at one end, which takes its input or not, ends when it likes, and may
 * leave something behind; the test is at the other end. */

#define _GNU_SOURCE
#include "tests/random/couple.h"
#include "tests/random/processes.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* How a program is connected, where one direction can end without the other. */
static const char *const connections[] = {"", ",pipes", ",socktype=1"};

/* A program, how it is connected and run, and the end at which the test is. */
struct run {
    struct trial *trial;
    struct stream_end end;
    const char *connection;
    const char *program_options;
    const char *time; /* for -t */
    bool one_way;
    struct program *program;
    struct traffic traffic;
};

/* A kind of end that can be told of an end, and tell of one. */
static const struct stream_kind *draw_kind(struct trial *trial)
{
    const struct stream_kind *kind;
    do
        kind = trial->kinds[draw_below(trial, trial->kind_count)];
    while ((couple_traits(kind) &
            (COUPLE_WHOLE | COUPLE_BACK | COUPLE_HELPER | STREAM_MESSAGES | STREAM_ENDLESS)) != 0 ||
           kind->streams != 0);
    return kind;
}

static struct run draw_run(struct trial *trial)
{
    struct run run = {
        .trial = trial,
        .connection = DRAW_TEXT(trial, connections),
        .program_options = "",
        .time = LONG_TIME,
        .traffic = {.trial = trial},
    };
    run.end = stream_end(trial->harness, trial->setup, draw_kind(trial), false);
    return run;
}

/* A shell's script, run by one of the three types. */
static const char *program_address(struct run *run, const char *script)
{
    struct trial *trial = run->trial;
    const char *name = path(trial->harness, "script");
    file_write(trial->harness, name, script);
    trial_note(trial, "the program's script: %s", script);
    switch (draw_below(trial, 3)) {
    case 0:
        return text(trial->harness, "SYSTEM:\"exec sh %s\"%s%s", name, run->connection,
                    run->program_options);
    case 1:
        return text(trial->harness, "SHELL:\"exec sh %s\"%s%s", name, run->connection,
                    run->program_options);
    default:
        return text(trial->harness, "EXEC:\"sh %s\"%s%s", name, run->connection,
                    run->program_options);
    }
}

/* The program is the second address, so that it is there when the test is connected. */
static void start(struct run *run, const char *script)
{
    struct trial *trial = run->trial;
    struct stream_end *end = &run->end;
    const char *address = end->kind->prepare(end);
    const char *arguments[8] = {"-d", "-d", "-t", run->time};
    size_t count = 4;
    if (run->one_way)
        arguments[count++] = "-u";
    arguments[count++] = address;
    arguments[count] = program_address(run, script);
    struct launch launch = {.arguments = arguments, .out = STREAM_NULL, .extra = end->given};
    run->program = program_launch(trial->harness, &launch);
    traffic_watch(&run->traffic, run->program);
    if (end->kind->attach != NULL)
        end->kind->attach(end, run->program);
    program_logs(run->program, " N starting data transfer loop");
}

static struct lane *to_program(struct run *run, size_t length)
{
    struct trial *trial = run->trial;
    struct lane *lane = traffic_lane(&run->traffic, "to the program", run->end.write_fd, -1,
                                     draw_bytes(trial, length), length);
    lane->ends = true;
    lane->closes = run->end.write_fd != run->end.read_fd;
    draw_paces(trial, lane);
    trial_note(trial, "the program is sent %zu bytes", length);
    return lane;
}

static struct lane *from_program(struct run *run, const void *expected, size_t length)
{
    struct lane *lane = traffic_lane(&run->traffic, "from the program", -1, run->end.read_fd,
                                     (const unsigned char *)expected, length);
    draw_paces(run->trial, lane);
    return lane;
}

static void finish(struct run *run)
{
    traffic_run(&run->traffic, traffic_has_ended);
    stream_end_leave(&run->end);
}

static const char *output(struct run *run)
{
    return path(run->trial->harness, "output");
}

/* What it is sent is what it answers. */
static void gives_back(struct trial *trial)
{
    static const char *const scripts[] = {"exec cat",        "cat",
                                          "cat | cat",       "sleep 0.1; exec cat",
                                          "cat; sleep 0.05", "cat; exec >&- <&-; sleep 0.05"};
    struct run run = draw_run(trial);
    start(&run, DRAW_TEXT(trial, scripts));
    struct lane *sent = to_program(&run, draw_size(trial, MOST_BYTES));
    from_program(&run, sent->data, sent->length);
    finish(&run);
    judge_silent(trial, run.program);
}

/* It takes all and answers nothing; nothing is lost though its output may have ended long ago. */
static void takes_all(struct trial *trial)
{
    static const char *const scripts[] = {"exec cat >%s",
                                          "cat >%s",
                                          "sleep 0.1; cat >%s",
                                          "exec 3>%s; cat >&3; sleep 0.1",
                                          "exec >%s; sleep 0.1; cat",
                                          "exec cat >%s"};
    struct run run = draw_run(trial);
    run.one_way = (run.end.kind->traits & STREAM_DUAL) == 0 && draw_chance(trial, 40);
    start(&run, with_path(trial->harness, DRAW_TEXT(trial, scripts), output(&run)));
    struct lane *sent = to_program(&run, draw_size(trial, MOST_BYTES));
    if (!run.one_way)
        from_program(&run, NULL, 0);
    finish(&run);
    judge_silent(trial, run.program);
    judge_file(trial, output(&run), sent->data, sent->length);
}

/* It answers without having been asked, and ends. */
static void only_answers(struct trial *trial)
{
    static const char *const scripts[] = {"exec cat %s", "cat %s", "cat %s; sleep 0.05",
                                          "sleep 0.1; cat %s", "exec <&-; cat %s"};
    struct run run = draw_run(trial);
    size_t length = draw_size(trial, MOST_BYTES);
    unsigned char *data = draw_bytes(trial, length);
    const char *input = path(trial->harness, "input");
    FILE *file = fopen(input, "we");
    if (file == NULL || fwrite(data, 1, length, file) != length || fclose(file) != 0)
        harness_fail(trial->harness, "can't write %s", input);
    start(&run, with_path(trial->harness, DRAW_TEXT(trial, scripts), input));
    from_program(&run, data, length);
    trial_note(trial, "it answers %zu bytes", length);
    traffic_run(&run.traffic, traffic_is_over);
    stream_end_leave(&run.end);
    judge_silent(trial, run.program);
}

/* It takes the beginning of its input only. Of the rest, not all can be delivered. */
static void takes_some(struct trial *trial)
{
    struct run run = draw_run(trial);
    size_t limit = draw_size(trial, 300000);
    start(&run, text(trial->harness, "exec head -c %zu", limit));
    struct lane *sent = to_program(&run, draw_size(trial, 600000));
    sent->write_may_break = true;
    bool rest = sent->length >= limit;
    struct lane *answer = from_program(&run, sent->data, rest ? limit : sent->length);
    answer->read_may_reset = rest;
    finish(&run);
    if (rest)
        judge_either(trial, run.program);
    else
        judge_silent(trial, run.program);
}

/* It ends with a status of its own. */
static void ends_with_status(struct trial *trial)
{
    static const char *const scripts[] = {"cat >/dev/null; exit %s", "cat >%s; exit 3",
                                          "cat; exit 77", "cat; kill -KILL $$", "cat; kill $$"};
    struct run run = draw_run(trial);
    size_t script = draw_below(trial, sizeof scripts / sizeof scripts[0]);
    const char *what =
        script == 0 ? text(trial->harness, "%zu", draw_between(trial, 1, 255)) : output(&run);
    const char *words = strstr(scripts[script], "%s") != NULL
                            ? with_path(trial->harness, scripts[script], what)
                            : scripts[script];
    start(&run, words);
    struct lane *sent = to_program(&run, draw_size(trial, 500000));
    from_program(&run, sent->data, script >= 2 ? sent->length : 0);
    finish(&run);
    if (script == 4) /* as socat: one that is asked to end is not a failure */
        judge_either(trial, run.program);
    else
        judge_status(trial, run.program, 1);
}

/* What it starts and leaves holds its connection. The session ends all the same, soon after it, and
 * what it left goes on. */
static void leaves_job(struct trial *trial)
{
    struct run run = draw_run(trial);
    run.time = "2";
    trial->leaves_jobs = true;
    start(&run, "(exec sleep 60) & cat");
    struct lane *sent = to_program(&run, draw_size(trial, 100000));
    struct lane *answer = from_program(&run, sent->data, sent->length);
    answer->read_may_reset = true;
    sent->write_pace = answer->read_pace = (struct pace){.chunk = SIZE_MAX};
    long long began = milliseconds();
    finish(&run);
    judge_silent(trial, run.program);
    judge_time(trial, began, 0, PATIENCE);
    if (processes_left(trial->harness) == NULL)
        harness_fail(trial->harness, "what the program had started was ended");
}

/* It ignores what it is sent, which fits into any buffer, and then answers. */
static void ignores_input(struct trial *trial)
{
    struct run run = draw_run(trial);
    start(&run, "sleep 0.1; echo done");
    struct lane *sent = to_program(&run, draw_size(trial, 3000));
    sent->write_may_break = true;
    struct lane *answer = from_program(&run, "done\n", 5);
    answer->read_may_reset = true;
    finish(&run);
    judge_either(trial, run.program);
}

/* It ends its output at once and takes its input to the end. */
static void ends_output_early(struct trial *trial)
{
    struct run run = draw_run(trial);
    run.connection = ",pipes";
    start(&run, with_path(trial->harness, "exec >&-; sleep 0.1; cat >%s; sleep 0.1", output(&run)));
    struct lane *sent = to_program(&run, draw_size(trial, MOST_BYTES));
    from_program(&run, NULL, 0);
    finish(&run);
    judge_silent(trial, run.program);
    judge_file(trial, output(&run), sent->data, sent->length);
}

/* It has its three streams, and that of the folder which it reads, and nothing else. */
static void counts_descriptors(struct trial *trial)
{
    static const char expected[] = "0\n1\n2\n3\n";
    struct run run = draw_run(trial);
    start(&run, "cd /proc/$$/fd && for fd in *; do test $fd -gt 9 || echo $fd; done");
    from_program(&run, expected, strlen(expected));
    traffic_run(&run.traffic, traffic_is_over);
    stream_end_leave(&run.end);
    judge_silent(trial, run.program);
}

/* The program is told to end, and passes that on to what it has started. */
static void ends_with_session(struct trial *trial)
{
    struct run run = draw_run(trial);
    start(&run, "exec cat");
    struct lane *sent = to_program(&run, draw_size(trial, MOST_BYTES));
    struct lane *answer = from_program(&run, sent->data, sent->length);
    sent->ends = false;
    sent->write_may_break = answer->read_may_break = true;
    traffic_run_to(&run.traffic, draw_below(trial, sent->length + 1));
    program_signal(run.program, SIGTERM);
    judge_status(trial, run.program, 143);
    stream_end_leave(&run.end);
}

const struct trial_way program_ways[] = {
    {"a program gives back what it is sent", 10, gives_back},
    {"a program takes all", 10, takes_all},
    {"a program answers only", 8, only_answers},
    {"a program takes the beginning of its input", 6, takes_some},
    {"a program ends with a status", 5, ends_with_status},
    {"a program leaves a job behind", 2, leaves_job},
    {"a program ignores its input", 3, ignores_input},
    {"a program ends its output early", 4, ends_output_early},
    {"a program counts its descriptors", 2, counts_descriptors},
    {"a program ends with the session", 4, ends_with_session},
    {.name = NULL},
};
