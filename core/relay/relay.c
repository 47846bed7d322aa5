#define _GNU_SOURCE
#include "core/relay/relay.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/signals.h"
#include "core/base/wait.h"
#include "core/loop/loop.h"
#include "core/registry/registry.h"
#include "core/relay/moving.h"
#include "core/relay/over.h"
#include "core/relay/relay_state.h"
#include "core/relay/statistics.h"
#include "core/relay/unwanted.h"
#include "core/session/endpoint.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct wait_entry *add_entry(struct relay_waiting *waiting, const struct opened *opened,
                                    unsigned direction)
{
    struct wait_entry *entry = &waiting->entries[waiting->count++];
    short events = endpoint_wants(opened->endpoint, direction);
    *entry = (struct wait_entry){.fd = endpoint_fd(opened->endpoint, events), .events = events};
    return entry;
}

/* In a session of one direction a sink that has gone is all that can happen while its source says
 * nothing. A terminal line may get another user, unless it was a program's that has ended; and a
 * layer may open again what has gone. */
static bool can_be_gone(const struct relay *relay, const struct flow *flow)
{
    return !relay->two_way && flow_wants_source(flow) && !flow_has_messages(flow->sink) &&
           !over_is_opened_again(flow->sink) &&
           (over_program_ended(flow->sink) || !isatty(flow->sink->endpoint->write_fd));
}

static bool rests(const struct relay *relay, const struct flow *flow)
{
    return wait_now() < relay->sinks_rest[flow - relay->flows];
}

static struct wait_entry *add_entry_of_sink(const struct relay *relay,
                                            struct relay_waiting *waiting, const struct flow *flow)
{
    if (flow_wants_sink(flow) && rests(relay, flow))
        return NULL;
    if (flow_wants_sink(flow))
        return add_entry(waiting, flow->sink, MODCAT_DIR_WRITE);
    if (!can_be_gone(relay, flow))
        return NULL;
    struct wait_entry *entry = &waiting->entries[waiting->count++];
    *entry = (struct wait_entry){.fd = flow->sink->endpoint->write_fd, .events = POLLERR};
    return entry;
}

static long long next_deadline(const struct relay *relay)
{
    long long deadline = wait_earlier(over_next_look(relay), relay->progress.next);
    for (int i = 0; i < 2; i++) {
        const struct flow *flow = &relay->flows[i];
        if (flow_has_pending(flow) ||
            (unwanted_comes(flow, &relay->flows[1 - i]) && endpoint_pending(flow->sink->endpoint)))
            return wait_now();
        if (flow->state == FLOW_RESTING)
            deadline = wait_earlier(deadline, flow->retry_at);
        if (relay->sinks_rest[i] != 0)
            deadline = wait_earlier(deadline, relay->sinks_rest[i]);
    }
    return deadline;
}

static void collect(const struct relay *relay, struct relay_waiting *waiting)
{
    *waiting = (struct relay_waiting){.deadline = next_deadline(relay)};
    waiting->entries = relay->entries != NULL ? relay->entries : waiting->own;
    for (int i = 0; i < 2; i++) {
        const struct flow *flow = &relay->flows[i];
        if (flow_wants_source(flow))
            waiting->sources[i] = add_entry(waiting, flow->source, MODCAT_DIR_READ);
        waiting->sinks[i] = add_entry_of_sink(relay, waiting, flow);
        if (unwanted_comes(flow, &relay->flows[1 - i]))
            waiting->unwanted[i] = add_entry(waiting, flow->sink, MODCAT_DIR_READ);
    }
    waiting->count +=
        attention_collect(relay->attention, &waiting->entries[waiting->count], &waiting->deadline);
}

static bool is_ready(const struct wait_entry *entry)
{
    return entry != NULL && entry->ready != 0;
}

static bool is_gone(const struct wait_entry *sink)
{
    return is_ready(sink) && sink->events == POLLERR;
}

static bool move_flow(struct flow *flow, const struct wait_entry *source,
                      const struct wait_entry *sink, bool closing)
{
    bool source_ready = is_ready(source) || flow_has_pending(flow);
    if (!source_ready && is_gone(sink)) {
        flow_sink_gone(flow);
        return true;
    }
    return flow_move(flow, source_ready, is_ready(sink) && !is_gone(sink), closing);
}

static void drop_unwanted(struct flow *flow, const struct wait_entry *entry)
{
    if (entry == NULL || (!is_ready(entry) && !endpoint_pending(flow->sink->endpoint)))
        return;
    if (unwanted_drop(flow->sink) < 0 && !flow_is_over(flow))
        flow_write_failed(flow, flow_undelivered(flow));
}

/* What is dropped is no sign of life: a peer that says what nobody wants does not hold up the
 * end. */
static bool move(struct relay *relay, const struct relay_waiting *waiting)
{
    bool moved = false;
    for (int i = 0; i < 2; i++) {
        struct flow *flow = &relay->flows[i];
        drop_unwanted(flow, waiting->unwanted[i]);
        moved |= move_flow(flow, waiting->sources[i], waiting->sinks[i], over_is_closing(relay));
    }
    return moved;
}

/* A terminal line whose user has gone is always said to be ready, and takes nothing; and an end may
 * be ready to be written to while it can't be told yet that this is all. */
static void let_sinks_rest(struct relay *relay, const struct relay_waiting *waiting, bool moved)
{
    for (int i = 0; i < 2; i++) {
        const struct wait_entry *sink = waiting->sinks[i];
        bool pointless = is_ready(sink) && flow_wants_sink(&relay->flows[i]) &&
                         (sink->hung_up || relay->flows[i].state == FLOW_CLOSING);
        if (moved || wait_now() >= relay->sinks_rest[i])
            relay->sinks_rest[i] = 0;
        if (!moved && pointless)
            relay->sinks_rest[i] = wait_now() + TAKING_TICK;
    }
}

static bool is_read_no_more(const struct flow *flow, const struct flow *other)
{
    return flow_is_over(other) && relay_is_given_back(flow, other);
}

/* Where there is no half-close, the peer's end is the end of what is written to it, too. */
static bool has_gone_whole(const struct flow *flow)
{
    return !flow_is_over(flow) && flow->sink->ended &&
           (flow->sink->endpoint->flags & MODCAT_END_WHOLE) != 0;
}

static void sink_has_ended(struct flow *flow)
{
    if (flow_undelivered(flow) == 0) {
        flow_sink_gone(flow);
        return;
    }
    errno = EPIPE;
    flow_write_failed(flow, flow_undelivered(flow));
}

/* A half-close may have closed what the other direction reads; and when an endpoint fails in one
 * direction, nothing can be delivered to it in the other. */
static void consider_other_direction(struct relay *relay)
{
    for (int i = 0; i < 2; i++) {
        struct flow *flow = &relay->flows[i];
        const struct flow *other = &relay->flows[1 - i];
        if (flow_is_open(flow) && flow->source->endpoint->read_fd < 0)
            flow_source_closed(flow);
        if (has_gone_whole(flow))
            sink_has_ended(flow);
        if (!flow_is_over(flow) && other->source_end == SOURCE_FAILED &&
            relay_same_endpoint(flow->sink, other->source))
            flow_abandon(flow);
        if (!flow_is_over(flow) && is_read_no_more(flow, other)) {
            /* A program whose input broke ends, and is waited for. */
            flow->source_end = SOURCE_AT_END;
            flow_abandon(flow);
        }
    }
}

/* What endpoints wait for besides, as the levels are now. */
static void attend(struct relay *relay)
{
    relay->rebuilt = relay->session->rebuilt;
    attention_free(relay->attention);
    free(relay->entries);
    relay->entries = NULL;
    relay->attention = attention_new(relay->session);
    if (relay->attention != NULL)
        relay->entries =
            memory_zeroed(RELAY_ENTRIES + attention_room(relay->attention), sizeof *relay->entries);
}

bool relay_prepare(struct relay *relay, struct relay_waiting *waiting)
{
    if (over_at_end(relay))
        return false;
    over_consider_programs(relay);
    over_consider_what_is_taken(relay);
    progress_update(&relay->progress);
    if (relay->rebuilt != relay->session->rebuilt)
        attend(relay);
    collect(relay, waiting);
    return true;
}

static bool stands_on(const struct opened *opened, const struct opened *level)
{
    for (; opened != NULL; opened = opened->lower)
        if (opened == level)
            return true;
    return false;
}

/* An endpoint has failed by itself, which concerns both directions. */
static void endpoint_failed(void *context, const struct opened *level)
{
    struct relay *relay = context;
    int error = errno;
    for (int i = 0; i < 2; i++) {
        struct flow *flow = &relay->flows[i];
        errno = error;
        if (flow_is_open(flow) && stands_on(flow->source, level))
            flow_read_failed(flow, 0);
        else if (!flow_is_over(flow) && stands_on(flow->sink, level))
            flow_write_failed(flow, flow_undelivered(flow));
    }
}

bool relay_step(struct relay *relay, const struct relay_waiting *waiting)
{
    attention_serve(relay->attention, relay->session, relay, endpoint_failed);
    bool moved = move(relay, waiting);
    let_sinks_rest(relay, waiting, moved);
    if (moved)
        relay->last_activity = wait_now();
    else if (over_by_time(relay))
        return false;
    over_consider_abandoned(relay);
    consider_other_direction(relay);
    return true;
}

static int fd_of(const struct opened *opened, bool for_reading)
{
    if (opened == NULL)
        return -1;
    return for_reading ? opened->endpoint->read_fd : opened->endpoint->write_fd;
}

static void log_start(struct session *session)
{
    struct side *left = &session->sides[0], *right = &session->sides[1];
    log_switch("resolved and opened all sock addresses");
    log_notice("starting data transfer loop with FDs [%d,%d] and [%d,%d]",
               fd_of(side_reader(left), true), fd_of(side_writer(left), false),
               fd_of(side_reader(right), true), fd_of(side_writer(right), false));
}

static void start_flows(struct relay *relay)
{
    struct session *session = relay->session;
    struct natures natures = {.count = 0};
    for (int i = 0; i < 2; i++)
        flow_start(&relay->flows[i], &session->sides[i], &session->sides[1 - i],
                   session->settings->block_size, dump_observer(&relay->dumps[i]), &natures);
    relay->two_way = !flow_is_over(&relay->flows[0]) && !flow_is_over(&relay->flows[1]);
    relay->started = relay->last_activity = wait_now();
}

struct relay *relay_start(struct session *session)
{
    struct relay *relay = memory_zeroed(1, sizeof *relay);
    relay->session = session;
    if (dumps_open(session, relay->dumps) < 0) {
        free(relay);
        return NULL;
    }
    start_flows(relay);
    attend(relay);
    session->relay = relay;
    progress_start(&relay->progress, session, relay->flows);
    return relay;
}

static double seconds_of(const struct relay *relay)
{
    return (double)(wait_now() - relay->started) / (double)MODCAT_SECOND;
}

static void log_statistics_of(const struct session *session)
{
    const struct relay *relay = session->relay;
    bool json = session->settings->statistics_json;
    if (relay == NULL)
        statistics_log(NULL, 0, json);
    else
        statistics_log(relay->flows, seconds_of(relay), json);
}

int relay_end(struct relay *relay)
{
    struct session *session = relay->session;
    lost_report(&relay->flows[0]);
    lost_report(&relay->flows[1]);
    int status = over_status(relay);
    progress_end(&relay->progress);
    if (session->settings->statistics)
        log_statistics_of(session);
    session->relay = NULL;
    flow_free(&relay->flows[0]);
    flow_free(&relay->flows[1]);
    dumps_close(relay->dumps);
    attention_free(relay->attention);
    free(relay->entries);
    free(relay);
    return status;
}

static void count_in(struct statistics_sum *sum, const struct relay *relay)
{
    statistics_add(sum, relay->flows);
    if (seconds_of(relay) > sum->seconds)
        sum->seconds = seconds_of(relay);
}

/* All that are hosted, and their sum. */
static void log_statistics_of_all(const struct session *server)
{
    struct statistics_sum sum = {.seconds = 0};
    unsigned before = log_set_session(0);
    for (const struct session *session = server->hosted; session; session = session->next_hosted) {
        log_set_session(session->number);
        if (session->relay == NULL)
            continue;
        log_statistics_of(session);
        count_in(&sum, session->relay);
    }
    log_set_session(0);
    statistics_log_sum(&sum, server->settings->statistics_json);
    log_set_session(before);
}

void relay_log_statistics(const struct session *session)
{
    const struct session *server = session->server != NULL ? session->server : session;
    if (loop_runs())
        log_statistics_of_all(server);
    else
        log_statistics_of(session);
}

/* Returns 0 at the end of both directions or of the time, 1 when waiting fails. */
static int loop(struct relay *relay)
{
    struct relay_waiting waiting;
    while (relay_prepare(relay, &waiting)) {
        int ready = session_wait(relay->session, waiting.entries, waiting.count, waiting.deadline);
        if (ready < 0 && errno == ECANCELED)
            return 0;
        /* After a signal nothing is ready, but the time may have passed. */
        if (ready < 0 && errno != EINTR) {
            log_error("waiting for data: %s", strerror(errno));
            return 1;
        }
        if (!relay_step(relay, &waiting))
            return 0;
    }
    return 0;
}

struct relay *relay_begin(struct session *session)
{
    const struct settings *settings = session->settings;
    log_start(session);
    if (settings->transfer_wait > 0 &&
        session_pause(session, settings->transfer_wait * MODCAT_SECOND) < 0)
        return NULL;
    return relay_start(session);
}

static bool stack_waits(const struct opened *opened)
{
    for (; opened != NULL && opened->opening != NULL; opened = opened->lower) {
        if ((opened->opening->address->type->type.flags & MODCAT_TYPE_WAITS) != 0)
            return true;
        for (const struct lower_end *end = opened->opening->ends; end != NULL; end = end->next)
            if (stack_waits(end->opened))
                return true;
    }
    return false;
}

static bool waits_in_operations(const struct side *side)
{
    return stack_waits(&side->first) || stack_waits(&side->second);
}

bool relay_needs_stack(const struct session *session)
{
    const struct settings *settings = session->settings;
    return settings->dump_text || settings->dump_hex || settings->dump_left != NULL ||
           settings->dump_right != NULL || settings->progress || attention_needed(session) ||
           waits_in_operations(&session->sides[0]) || waits_in_operations(&session->sides[1]);
}

int relay_run(struct session *session)
{
    struct relay *relay = relay_begin(session);
    if (relay == NULL)
        return session_must_end(session) ? 0 : 1;
    int failed = loop(relay);
    int status = relay_end(relay);
    return failed != 0 ? failed : status;
}
