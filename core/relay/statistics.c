#include "core/relay/statistics.h"

#include "core/base/json.h"
#include "core/base/log.h"
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* The numbers of both lines are as wide as the larger one. */
static int width_of(unsigned long long one, unsigned long long other)
{
    return snprintf(NULL, 0, "%llu", one > other ? one : other);
}

static bool was_started(const struct flow *flow)
{
    return flow->state != FLOW_UNUSED;
}

static void log_flow(const char *name, const struct flow *flow, const struct flow *other)
{
    if (was_started(flow))
        log_always(MODCAT_INFO, "STATISTICS: %s: %*llu packets(s), %*llu byte(s)", name,
                   width_of(flow->blocks, other->blocks), flow->blocks,
                   width_of(flow->bytes, other->bytes), flow->bytes);
}

static void log_text(const struct flow *flows)
{
    if (flows == NULL) {
        log_always(MODCAT_WARNING, "transfer engine not yet started, statistics not available");
        return;
    }
    if (log_session() == 0)
        log_always(MODCAT_WARNING, "statistics are experimental");
    log_flow("left to right", &flows[0], &flows[1]);
    log_flow("right to left", &flows[1], &flows[0]);
}

#define COUNTS_TEXT 80

static void format_counts(char text[COUNTS_TEXT], unsigned long long blocks,
                          unsigned long long bytes)
{
    snprintf(text, COUNTS_TEXT, "{\"blocks\":%llu,\"bytes\":%llu}", blocks, bytes);
}

/* A direction that is not served, or not yet, is null. */
static void format_flow(char text[COUNTS_TEXT], const struct flow *flow)
{
    if (flow != NULL && was_started(flow))
        format_counts(text, flow->blocks, flow->bytes);
    else
        snprintf(text, COUNTS_TEXT, "null");
}

/* `whose` is the key of the session, or of how many there are, with a comma; or nothing. */
static void log_object(const char *whose, double seconds, const char *right, const char *left)
{
    char time[LOG_JSON_TIME], program[JSON_QUOTED_MAX(30)], line[LOG_LINE_MAX + 1];
    log_json_time(time);
    snprintf(line, sizeof line,
             "{\"time\":\"%s\",\"program\":%s,\"pid\":%d,%s\"event\":\"statistics\","
             "\"seconds\":%.6f,\"left_to_right\":%s,\"right_to_left\":%s}",
             time, json_quote(program, sizeof program, log_program()), (int)getpid(), whose,
             seconds, right, left);
    log_line(line);
}

static void log_json(const struct flow *flows, double seconds)
{
    char right[COUNTS_TEXT], left[COUNTS_TEXT], whose[40] = "";
    if (log_session() != 0)
        snprintf(whose, sizeof whose, "\"session\":%u,", log_session());
    format_flow(right, flows);
    format_flow(left, flows != NULL ? flows + 1 : NULL);
    log_object(whose, seconds, right, left);
}

void statistics_log(const struct flow *flows, double seconds, bool json)
{
    if (json)
        log_json(flows, seconds);
    else
        log_text(flows);
}

void statistics_add(struct statistics_sum *sum, const struct flow *flows)
{
    sum->sessions++;
    for (int i = 0; i < 2; i++) {
        sum->blocks[i] += flows[i].blocks;
        sum->bytes[i] += flows[i].bytes;
    }
}

void statistics_log_sum(const struct statistics_sum *sum, bool json)
{
    static const char *const names[] = {"left to right", "right to left"};
    char right[COUNTS_TEXT], left[COUNTS_TEXT], whose[40];
    if (json) {
        snprintf(whose, sizeof whose, "\"sessions\":%u,", sum->sessions);
        format_counts(right, sum->blocks[0], sum->bytes[0]);
        format_counts(left, sum->blocks[1], sum->bytes[1]);
        log_object(whose, sum->seconds, right, left);
        return;
    }
    for (int i = 0; i < 2; i++)
        log_always(MODCAT_INFO, "STATISTICS: %u sessions, %s: %llu packets(s), %llu byte(s)",
                   sum->sessions, names[i], sum->blocks[i], sum->bytes[i]);
}
