/* Sessions between two ends at which the test is, and all the ways in which they come to an end. */

#define _GNU_SOURCE
#include "tests/random/couple.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>

/* What is allowed for something that happens at a given time, in milliseconds: the machine may be
 * loaded. */
#define SLACK 15000

/* Such ends have no end of one direction, or none that the test can make. */
#define NO_HALVES (COUPLE_WHOLE | COUPLE_BACK | STREAM_ENDLESS)

static const char *seconds(struct trial *trial, size_t milliseconds)
{
    return text(trial->harness, "%zu.%03zu", milliseconds / 1000, milliseconds % 1000);
}

/* The clocks differ by less than that. */
static long long nearly(size_t milliseconds)
{
    return (long long)milliseconds - 2;
}

/* A UNIX socket that is closed with something unread tells of a reset, behind all that was sent. */
static bool is_tcp(const struct stream_end *end)
{
    return strncmp(end->kind->types, "TCP", 3) == 0;
}

/* Both directions end on their own, whenever that is. */
static void ends_by_halves(struct trial *trial)
{
    struct couple couple = couple_draw(trial, 0, COUPLE_WHOLE, COUPLE_WHOLE);
    couple_flag(&couple, "-t", LONG_TIME);
    couple_draw_options(&couple);
    couple_open(&couple, MOST_BYTES);
    couple_lanes(&couple, true, false);
    traffic_run(&couple.traffic, traffic_has_ended);
    couple_judge(&couple);
}

/* One end leaves when all has arrived; the other one does when it is told, if that is possible. */
static void one_leaves(struct trial *trial)
{
    struct couple couple = couple_draw(trial, 0, COUPLE_BACK | STREAM_ENDLESS, STREAM_ENDLESS);
    struct stream_end *second = couple_second(&couple);
    couple.tells = true;
    couple_flag(&couple, "-t", LONG_TIME);
    couple_draw_options(&couple);
    couple_open(&couple, MOST_BYTES / 2);
    couple_lanes(&couple, false, false);
    traffic_run(&couple.traffic, traffic_has_arrived);
    stream_end_leave(couple_first(&couple));
    if (!couple_end_has(second, COUPLE_WHOLE | COUPLE_BACK))
        couple_await_end(&couple, second);
    stream_end_leave(second);
    couple_judge(&couple);
}

static void end_direction(struct trial *trial, struct lane *lane)
{
    if (lane->closes)
        harness_close(trial->harness, lane->write_fd);
    else
        shutdown(lane->write_fd, SHUT_WR);
}

/* One end has ended and nothing comes from the other one for so long: that is the end, and nothing
 * has been lost. */
static void closing_time_passes(struct trial *trial)
{
    struct couple couple = couple_draw(trial, 0, NO_HALVES, NO_HALVES | COUPLE_HELPER);
    size_t time = draw_chance(trial, 20) ? 0 : draw_between(trial, 50, 700);
    couple_flag(&couple, "-t", seconds(trial, time));
    couple_draw_options(&couple);
    couple_open(&couple, MOST_BYTES / 4);
    couple_lanes(&couple, false, false);
    traffic_run(&couple.traffic, traffic_has_arrived);
    long long began = milliseconds();
    end_direction(trial, couple.lanes[couple.first]);
    couple_await_end(&couple, couple_second(&couple));
    program_ends(couple.program, 0);
    judge_time(trial, began, nearly(time), (long long)time + SLACK);
    judge_silent(trial, couple.program);
    couple_judge_dumps(&couple);
}

static void all_has_come(struct couple *couple)
{
    for (int end = 0; end < 2; end++) {
        const struct lane *lane = couple->lanes[end];
        if (lane != NULL && lane->received < lane->expected_length)
            harness_fail(couple->trial->harness, "%s: it ends after %zu of %zu bytes", lane->name,
                         lane->received, lane->expected_length);
    }
}

/* Nothing moves for so long. On a busy machine, not everything may have been sent by then. */
static void nothing_moves(struct trial *trial)
{
    const unsigned never = COUPLE_HELPER | STREAM_ENDLESS;
    struct couple couple = couple_draw(trial, 0, never, never);
    size_t time = draw_between(trial, 1500, 2000);
    couple_flag(&couple, "-T", seconds(trial, time));
    couple_draw_options(&couple);
    couple_open(&couple, 60000);
    couple_lanes(&couple, false, true);
    traffic_run(&couple.traffic, traffic_has_arrived);
    if (milliseconds() - trial->began < nearly(time))
        all_has_come(&couple);
    for (int end = 0; end < 2; end++)
        couple_await_end(&couple, &couple.ends[end]);
    program_ends(couple.program, 0);
    judge_time(trial, trial->began, nearly(time), (long long)time + SLACK);
    if (!program_has_logged(couple.program, " N inactivity timeout triggered"))
        harness_fail(trial->harness, "it does not say why it ended");
    judge_silent(trial, couple.program);
}

static size_t expected_bytes(const struct couple *couple)
{
    size_t sum = 0;
    for (int end = 0; end < 2; end++)
        if (couple->lanes[end] != NULL)
            sum += couple->lanes[end]->expected_length;
    return sum;
}

/* From now on, lanes may break off, and those of an end that has gone are over. */
static void break_off(struct couple *couple, const struct stream_end *gone)
{
    for (size_t i = 0; i < couple->traffic.count; i++) {
        struct lane *lane = &couple->traffic.lanes[i];
        lane->write_may_break = lane->read_may_break = true;
        lane->takes = SIZE_MAX;
        lane->read_at = 0;
        lane->write_over |= gone != NULL && lane->write_fd == gone->write_fd;
        lane->read_over |= gone != NULL && lane->read_fd == gone->read_fd;
    }
}

/* The program is told to end. At least one direction goes on until then. */
/* A shell's command is left to itself, whatever ends the session. */
static bool has_shell(const struct couple *couple)
{
    for (int i = 0; i < 2; i++) {
        const char *types = couple->ends[i].kind->types;
        if (strstr(types, "SYSTEM") != NULL || strstr(types, "SHELL") != NULL)
            return true;
    }
    return false;
}

static void program_gets_signal(struct trial *trial)
{
    static const int signals[] = {SIGTERM, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    struct couple couple = couple_draw(trial, 0, STREAM_ENDLESS, STREAM_ENDLESS);
    int signal = signals[draw_below(trial, sizeof signals / sizeof signals[0])];
    couple_flag(&couple, "-t", LONG_TIME);
    couple_draw_options(&couple);
    couple_open(&couple, MOST_BYTES);
    couple_lanes(&couple, !couple_has(&couple, COUPLE_WHOLE) && draw_chance(trial, 30), true);
    couple.lanes[couple.lanes[0] == NULL]->ends = false;
    size_t when = draw_below(trial, expected_bytes(&couple) + 1);
    trial_note(trial, "signal %d after %zu bytes", signal, when);
    traffic_run_to(&couple.traffic, when);
    /* Where no peer connects, the program may just have been started. */
    await_log(trial, couple.program, " N starting data transfer loop");
    program_signal(couple.program, signal);
    long long began = milliseconds();
    program_end(couple.program);
    /* A program that has closed its output is not asked to end. */
    trial->leaves_jobs = has_shell(&couple) || program_has_logged(couple.program, " is at EOF");
    judge_time(trial, began, 0, SLACK);
    judge_status(trial, couple.program, 128 + signal);
    break_off(&couple, NULL);
    traffic_run(&couple.traffic, traffic_is_over);
}

/* The first end breaks the connection. A reset is an error, unless both directions had ended. */
static void connection_breaks(struct trial *trial)
{
    struct couple couple =
        couple_draw(trial, STREAM_RESETS, COUPLE_HELPER, COUPLE_WHOLE | STREAM_ENDLESS);
    struct stream_end *first = couple_first(&couple), *second = couple_second(&couple);
    couple.tells = true;
    couple_flag(&couple, "-t", LONG_TIME);
    couple_draw_options(&couple);
    couple_open(&couple, MOST_BYTES);
    couple_lanes(&couple, false, true);
    size_t when = draw_below(trial, expected_bytes(&couple) + 1);
    trial_note(trial, "it breaks after %zu bytes", when);
    traffic_run_to(&couple.traffic, when);
    peer_reset(trial->harness, first->read_fd);
    break_off(&couple, first);
    traffic_run(&couple.traffic, traffic_is_over);
    stream_end_leave(second);
    if (is_tcp(first))
        judge_status(trial, couple.program, 1);
    else
        judge_either(trial, couple.program);
}

/* The first end leaves without reading all. What the other one sends is lost in part, and it may
 * be told so; nothing comes out wrong, and all is over soon. A terminal may find another user
 * during the closing time. */
static void one_leaves_early(struct trial *trial)
{
    struct couple couple = couple_draw(trial, 0, COUPLE_BACK | STREAM_ENDLESS, NO_HALVES);
    struct stream_end *first = couple_first(&couple);
    couple.tells = true;
    couple_flag(&couple, "-t", couple_end_has(first, COUPLE_WHOLE) ? "1" : LONG_TIME);
    couple_draw_options(&couple);
    couple_open(&couple, MOST_BYTES);
    couple_lanes(&couple, false, true);
    size_t when = draw_below(trial, expected_bytes(&couple) + 1);
    struct lane *lane = couple.lanes[1 - couple.first];
    lane->takes = draw_chance(trial, 30) ? 0 : draw_below(trial, lane->expected_length + 1);
    trial_note(trial, "it leaves after %zu bytes, and takes %zu", when, lane->takes);
    traffic_run_to(&couple.traffic, when);
    stream_end_leave(first);
    break_off(&couple, first);
    traffic_run(&couple.traffic, traffic_is_over);
    stream_end_leave(couple_second(&couple));
    judge_either(trial, couple.program);
}

/* Data goes one way only. The one that takes it may send something that nobody wants, due to which
 * no byte of the rest is lost. */
static void one_way(struct trial *trial)
{
    const unsigned never = COUPLE_BACK | STREAM_DUAL;
    struct couple couple = couple_draw(trial, 0, never | STREAM_PROGRAM, never | COUPLE_WHOLE);
    struct stream_end *first = couple_first(&couple), *second = couple_second(&couple);
    bool whole = couple_end_has(first, COUPLE_WHOLE);
    bool may_speak = couple_end_has(second, STREAM_RESETS) &&
                     !couple_end_has(second, STREAM_MESSAGES | COUPLE_HELPER);
    bool speaks = may_speak && draw_chance(trial, 50);
    couple_flag(&couple, couple.first == 0 ? "-u" : "-U", NULL);
    couple_flag(&couple, "-t", LONG_TIME);
    couple_draw_options(&couple);
    couple_open(&couple, MOST_BYTES);
    couple_lanes(&couple, !whole, false);
    struct lane *unwanted = couple.lanes[1 - couple.first];
    unwanted->write_over = !speaks;
    unwanted->write_may_break = true;
    unwanted->ends = false;
    unwanted->read_over = true;
    couple.lanes[couple.first]->read_may_reset = speaks && !is_tcp(second);
    trial_note(trial, speaks ? "nobody wants what %s sends" : "%s sends nothing", second->side);
    if (whole) {
        traffic_run(&couple.traffic, traffic_is_received);
        stream_end_leave(first);
    }
    traffic_run(&couple.traffic, traffic_is_over);
    if (!whole)
        stream_end_leave(first);
    stream_end_leave(second);
    judge_silent(trial, couple.program);
}

/* The input ends before the byte at that place. */
static void put_escape(struct trial *trial, struct lane *lane, size_t place)
{
    unsigned char *data = memory(trial->harness, lane->length + 1);
    for (size_t i = 0; i < lane->length; i++)
        data[i] = lane->data[i] == 0x1d ? 0x1e : lane->data[i];
    if (place < lane->length)
        data[place] = 0x1d;
    lane->data = lane->expected = data;
}

/* One end is read in part. The rest is dropped, and the other direction goes on. */
static void input_is_limited(struct trial *trial)
{
    const unsigned never = NO_HALVES | STREAM_MESSAGES | COUPLE_HELPER;
    struct couple couple = couple_draw(trial, 0, never | STREAM_DUAL, never);
    struct stream_end *first = couple_first(&couple), *second = couple_second(&couple);
    size_t limit = draw_size(trial, 300000) + 1;
    bool escape = draw_chance(trial, 40);
    couple.plain = true;
    couple_flag(&couple, "-t", LONG_TIME);
    couple_draw_options(&couple);
    couple_option(&couple, couple.first,
                  escape ? "escape=0x1d" : text(trial->harness, "readbytes=%zu", limit));
    couple_open(&couple, MOST_BYTES / 4);
    couple_lanes(&couple, true, false);
    struct lane *lane = couple.lanes[couple.first], *other = couple.lanes[1 - couple.first];
    if (escape)
        put_escape(trial, lane, limit);
    if (lane->length > limit) {
        trial_note(trial, "of its %zu bytes, %zu are read", lane->length, limit);
        lane->expected_length = limit;
        lane->write_may_break = true;
        other->read_may_reset = !is_tcp(first);
    }
    traffic_run(&couple.traffic, traffic_is_over);
    stream_end_leave(first);
    stream_end_leave(second);
    judge_silent(trial, couple.program);
    couple_judge_dumps(&couple);
}

const struct trial_way stream_ways[] = {
    {"both directions end on their own", 30, ends_by_halves},
    {"one end leaves when all has arrived", 15, one_leaves},
    {"the closing time passes", 6, closing_time_passes},
    {"nothing moves for too long", 2, nothing_moves},
    {"the program gets a signal", 8, program_gets_signal},
    {"a connection breaks", 10, connection_breaks},
    {"one end leaves early", 10, one_leaves_early},
    {"data goes one way", 12, one_way},
    {"an end is read in part", 6, input_is_limited},
    {.name = NULL},
};
