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
    log_always(MODCAT_WARNING, "statistics are experimental");
    log_flow("left to right", &flows[0], &flows[1]);
    log_flow("right to left", &flows[1], &flows[0]);
}

/* A direction that is not served, or not yet, is null. */
static void format_flow(char *text, size_t size, const struct flow *flow)
{
    if (flow != NULL && was_started(flow))
        snprintf(text, size, "{\"blocks\":%llu,\"bytes\":%llu}", flow->blocks, flow->bytes);
    else
        snprintf(text, size, "null");
}

static void log_json(const struct flow *flows, double seconds)
{
    char time[LOG_JSON_TIME], program[JSON_QUOTED_MAX(30)], right[80], left[80];
    char line[LOG_LINE_MAX + 1];
    log_json_time(time);
    format_flow(right, sizeof right, flows);
    format_flow(left, sizeof left, flows != NULL ? flows + 1 : NULL);
    snprintf(line, sizeof line,
             "{\"time\":\"%s\",\"program\":%s,\"pid\":%d,\"event\":\"statistics\","
             "\"seconds\":%.6f,\"left_to_right\":%s,\"right_to_left\":%s}",
             time, json_quote(program, sizeof program, log_program()), (int)getpid(), seconds,
             right, left);
    log_line(line);
}

void statistics_log(const struct flow *flows, double seconds, bool json)
{
    if (json)
        log_json(flows, seconds);
    else
        log_text(flows);
}
