#define _GNU_SOURCE
#include "core/relay/relay.h"

#include "core/base/log.h"
#include "core/base/signals.h"
#include "core/base/wait.h"
#include "core/relay/dump.h"
#include "core/relay/flow.h"
#include "core/relay/moving.h"
#include "core/relay/progress.h"
#include "core/relay/statistics.h"
#include "core/relay/unwanted.h"
#include "core/services/process/programs.h"
#include "core/session/endpoint.h"
#include "core/session/parting.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A session's two flows, left to right and right to left, and when something last happened. */
struct relay {
    struct session *session;
    struct flow flows[2];
    struct dump dumps[2];
    struct progress progress;
    bool two_way;
    bool program_ended; /* of either end, though its connection may be open elsewhere */
    size_t untaken;     /* while the session closes: what its ends have not taken yet */
    long long started;
    long long last_activity;
    long long sinks_rest[2]; /* until when a flow's sink is left alone, or 0 */
};

/* How often is looked at what the ends have taken, and whether somebody is left to take it: nothing
 * tells. */
#define TAKING_TICK (MODCAT_SECOND / 20)
#define ABANDONED_TICK MODCAT_SECOND

/* What is waited for: for each flow its source and its sink, or its sink's going away, and input
 * that nobody wants. */
struct waiting {
    struct wait_entry entries[6];
    size_t count;
    struct wait_entry *sources[2]; /* in `entries`; NULL: not waited for */
    struct wait_entry *sinks[2];
    struct wait_entry *unwanted[2]; /* comes from this flow's sink */
};

/* Below all layers. */
static const struct opened *lowest(const struct opened *opened)
{
    while (opened->lower != NULL)
        opened = opened->lower;
    return opened;
}

static bool program_ended(const struct opened *opened)
{
    return opened != NULL && programs_ended(lowest(opened)->opening);
}

/* True for a sink that is told of the end, so that a program will end by itself. */
static bool knows_its_end(const struct opened *sink)
{
    if (sink->opening->set.shut != SHUT_DEFAULT)
        return sink->opening->set.shut != SHUT_NONE;
    return lowest(sink)->endpoint->half_close != MODCAT_HALF_NONE;
}

/* A program that has all of its input, and whose output is read no more, though it has not ended
 * it: by options readbytes and escape, or because the other end has gone. It has the time
 * for closing, as if it could still answer. */
static bool still_works(const struct flow *flow, const struct flow *other)
{
    return flow->source != NULL && other->source != NULL && !flow_sink_failed(flow) &&
           !other->source_failed && !other->source_at_end && !program_ended(flow->sink) &&
           knows_its_end(flow->sink) && (lowest(flow->sink)->endpoint->flags & MODCAT_PROGRAM) != 0;
}

static bool ended(const struct relay *relay)
{
    const struct flow *flows = relay->flows;
    return flows[0].state == FLOW_ENDED && flows[1].state == FLOW_ENDED &&
           !still_works(&flows[0], &flows[1]) && !still_works(&flows[1], &flows[0]);
}

/* One direction has ended and the other is still open; or a program has ended, whose connection
 * somebody else may hold open, or does not say so: messages have no end. */
static bool closing(const struct relay *relay)
{
    const struct flow *flows = relay->flows;
    return relay->program_ended ||
           (relay->two_way && (flows[0].state == FLOW_ENDED || flows[1].state == FLOW_ENDED));
}

static bool same_endpoint(const struct opened *one, const struct opened *other)
{
    return one != NULL && other != NULL && one->endpoint == other->endpoint;
}

/* What is written there comes out in the other direction. */
static bool is_given_back(const struct flow *flow, const struct flow *other)
{
    return same_endpoint(flow->sink, other->source) &&
           (flow->sink->endpoint->flags & MODCAT_GIVES_BACK) != 0;
}

/* A terminal line that nobody reads any more does not fail as a pipe or a socket does. */
static bool is_dead_line(const struct opened *sink)
{
    return isatty(sink->endpoint->write_fd) &&
           (program_ended(sink) || endpoint_abandoned(sink->endpoint));
}

/* What is on its way may never be taken: the terminal line has no user, or the output of the
 * program is dropped, and it may be one that does not read. */
static bool is_stuck(const struct flow *flow, const struct flow *other)
{
    bool unheard = flow->sink != NULL && unwanted_comes(flow, other) &&
                   (lowest(flow->sink)->endpoint->flags & MODCAT_PROGRAM) != 0;
    return flow_undelivered(flow) > 0 && (unheard || is_dead_line(flow->sink));
}

/* What is in a buffer is delivered before the session closes, however long that takes. */
static bool is_being_delivered(const struct relay *relay)
{
    for (int i = 0; i < 2; i++) {
        const struct flow *flow = &relay->flows[i], *other = &relay->flows[1 - i];
        if (flow_undelivered(flow) > 0 && !is_stuck(flow, other) &&
            !(is_given_back(flow, other) && is_stuck(other, flow)))
            return true;
    }
    return false;
}

static struct wait_entry *add_entry(struct waiting *waiting, const struct opened *opened,
                                    unsigned direction)
{
    struct wait_entry *entry = &waiting->entries[waiting->count++];
    short events = endpoint_wants(opened->endpoint, direction);
    *entry = (struct wait_entry){.fd = endpoint_fd(opened->endpoint, events), .events = events};
    return entry;
}

/* In a session of one direction a sink that has gone is all that can happen while its source says
 * nothing. A terminal line may get another user, unless it was a program's that has ended. */
static bool can_be_gone(const struct relay *relay, const struct flow *flow)
{
    return !relay->two_way && flow_wants_source(flow) && !flow_has_messages(flow->sink) &&
           (program_ended(flow->sink) || !isatty(flow->sink->endpoint->write_fd));
}

static bool rests(const struct relay *relay, const struct flow *flow)
{
    return wait_now() < relay->sinks_rest[flow - relay->flows];
}

static struct wait_entry *add_entry_of_sink(const struct relay *relay, struct waiting *waiting,
                                            const struct flow *flow)
{
    if (flow_wants_sink(flow) && rests(relay, flow))
        return NULL;
    if (flow_wants_sink(flow))
        return add_entry(waiting, flow->sink, MODCAT_WRITE);
    if (!can_be_gone(relay, flow))
        return NULL;
    struct wait_entry *entry = &waiting->entries[waiting->count++];
    *entry = (struct wait_entry){.fd = flow->sink->endpoint->write_fd, .events = POLLERR};
    return entry;
}

static void prepare(const struct relay *relay, struct waiting *waiting)
{
    *waiting = (struct waiting){.count = 0};
    for (int i = 0; i < 2; i++) {
        const struct flow *flow = &relay->flows[i];
        if (flow_wants_source(flow))
            waiting->sources[i] = add_entry(waiting, flow->source, MODCAT_READ);
        waiting->sinks[i] = add_entry_of_sink(relay, waiting, flow);
        if (unwanted_comes(flow, &relay->flows[1 - i]))
            waiting->unwanted[i] = add_entry(waiting, flow->sink, MODCAT_READ);
    }
}

static long long earlier(long long one, long long other)
{
    if (one == MODCAT_FOREVER || other == MODCAT_FOREVER)
        return one == MODCAT_FOREVER ? other : one;
    return one < other ? one : other;
}

static long long after_activity(const struct relay *relay, long long delay)
{
    return delay == MODCAT_FOREVER ? MODCAT_FOREVER : relay->last_activity + delay;
}

static long long closing_deadline(const struct relay *relay)
{
    return closing(relay) ? after_activity(relay, relay->session->settings->closing)
                          : MODCAT_FOREVER;
}

static long long inactivity_deadline(const struct relay *relay)
{
    return after_activity(relay, relay->session->settings->inactivity);
}

/* The time for closing may have passed while something is still being delivered. */
static long long next_look_at_closing(const struct relay *relay)
{
    long long deadline = closing_deadline(relay), tick = wait_now() + TAKING_TICK;
    bool delivering = flow_undelivered(&relay->flows[0]) + flow_undelivered(&relay->flows[1]) > 0;
    return delivering && deadline != MODCAT_FOREVER && deadline < tick ? tick : deadline;
}

static bool may_be_abandoned(const struct flow *flow)
{
    return flow_undelivered(flow) > 0 && endpoint_can_be_abandoned(flow->sink->endpoint);
}

static long long next_deadline(const struct relay *relay)
{
    long long deadline = earlier(next_look_at_closing(relay), inactivity_deadline(relay));
    deadline = earlier(deadline, relay->progress.next);
    if (relay->untaken > 0)
        deadline = earlier(deadline, wait_now() + TAKING_TICK);
    for (int i = 0; i < 2; i++) {
        const struct flow *flow = &relay->flows[i];
        if (flow_has_pending(flow) ||
            (unwanted_comes(flow, &relay->flows[1 - i]) && endpoint_pending(flow->sink->endpoint)))
            return wait_now();
        if (flow->retry_at != 0)
            deadline = earlier(deadline, flow->retry_at);
        if (relay->sinks_rest[i] != 0)
            deadline = earlier(deadline, relay->sinks_rest[i]);
        if (may_be_abandoned(flow))
            deadline = earlier(deadline, wait_now() + ABANDONED_TICK);
    }
    return deadline;
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
    if (unwanted_drop(flow->sink) < 0 && flow->state != FLOW_ENDED)
        flow_write_failed(flow, flow_undelivered(flow));
}

/* What is dropped is no sign of life: a peer that says what nobody wants does not hold up the
 * end. */
static bool move(struct relay *relay, const struct waiting *waiting)
{
    bool moved = false;
    for (int i = 0; i < 2; i++) {
        struct flow *flow = &relay->flows[i];
        drop_unwanted(flow, waiting->unwanted[i]);
        moved |= move_flow(flow, waiting->sources[i], waiting->sinks[i], closing(relay));
    }
    return moved;
}

/* A terminal line whose user has gone is always said to be ready, and takes nothing. */
static void let_sinks_rest(struct relay *relay, const struct waiting *waiting, bool moved)
{
    for (int i = 0; i < 2; i++) {
        const struct wait_entry *sink = waiting->sinks[i];
        bool pointless = sink != NULL && sink->hung_up && flow_wants_sink(&relay->flows[i]);
        if (moved || wait_now() >= relay->sinks_rest[i])
            relay->sinks_rest[i] = 0;
        if (!moved && pointless)
            relay->sinks_rest[i] = wait_now() + TAKING_TICK;
    }
}

static bool is_read_no_more(const struct flow *flow, const struct flow *other)
{
    return other->state == FLOW_ENDED && is_given_back(flow, other);
}

/* A half-close may have closed what the other direction reads; and when an endpoint fails in one
 * direction, nothing can be delivered to it in the other. */
static void consider_other_direction(struct relay *relay)
{
    for (int i = 0; i < 2; i++) {
        struct flow *flow = &relay->flows[i];
        const struct flow *other = &relay->flows[1 - i];
        if (flow->state == FLOW_OPEN && flow->source->endpoint->read_fd < 0)
            flow_source_closed(flow);
        if (flow->state != FLOW_ENDED && other->source_failed &&
            same_endpoint(flow->sink, other->source))
            flow_abandon(flow);
        if (flow->state != FLOW_ENDED && is_read_no_more(flow, other)) {
            /* A program whose input broke ends, and is waited for. */
            flow->source_at_end = true;
            flow_abandon(flow);
        }
    }
}

/* The time for closing begins when a program ends. */
static void consider_programs(struct relay *relay)
{
    for (int i = 0; i < 2 && !relay->program_ended; i++) {
        const struct flow *flow = &relay->flows[i];
        if (!program_ended(flow->source) && !program_ended(flow->sink))
            continue;
        relay->program_ended = true;
        relay->last_activity = wait_now();
    }
}

static size_t untaken(const struct flow *flow)
{
    int fd = flow->sink != NULL && flow->source != NULL ? flow->sink->endpoint->write_fd : -1;
    return fd >= 0 ? endpoint_untaken(fd) : 0;
}

/* While an end goes on to take what is on its way, the session's time for closing is not over. */
static void consider_what_is_taken(struct relay *relay)
{
    if (!closing(relay))
        return;
    size_t left = untaken(&relay->flows[0]) + untaken(&relay->flows[1]);
    if (left < relay->untaken)
        relay->last_activity = wait_now();
    relay->untaken = left;
}

/* A peer that still sends, to a sink that takes nothing. Of an empty message queue FIONREAD says
 * something else. */
static bool is_cut_off(const struct flow *flow)
{
    int queued = 0;
    if (flow->state != FLOW_OPEN)
        return false;
    struct pollfd entry = {.fd = flow->source->endpoint->read_fd, .events = POLLIN};
    return !isatty(entry.fd) && poll(&entry, 1, 0) > 0 && (entry.revents & POLLIN) != 0 &&
           ioctl(entry.fd, FIONREAD, &queued) == 0 && queued > 0;
}

static void warn_of_loss(const struct flow *flow)
{
    if (flow_undelivered(flow) > 0)
        log_warning("%zu bytes for socket %d are not delivered", flow_undelivered(flow),
                    flow->to->number);
    if (is_cut_off(flow))
        log_warning("socket %d (fd %d) is still sending, the rest is lost; see options -t and -T",
                    flow->from->number, flow->source->endpoint->read_fd);
}

/* Both ends have gone, and each leaves something: the sink takes nothing, and so the source is not
 * read to its end. */
static void consider_abandoned(struct relay *relay)
{
    for (int i = 0; i < 2; i++) {
        struct flow *flow = &relay->flows[i];
        if (!may_be_abandoned(flow) || wait_now() - relay->last_activity < ABANDONED_TICK ||
            (flow->state == FLOW_OPEN && !endpoint_hung_up(flow->source->endpoint)) ||
            !endpoint_abandoned(flow->sink->endpoint))
            continue;
        warn_of_loss(flow);
        flow->failed = true;
        flow_abandon(flow);
    }
}

static bool has_passed(long long deadline, long long now)
{
    return deadline != MODCAT_FOREVER && now >= deadline;
}

static void give_up(const struct relay *relay)
{
    warn_of_loss(&relay->flows[0]);
    warn_of_loss(&relay->flows[1]);
    parting_is_late(relay->session);
}

/* Returns true when the session's time is over. */
static bool time_is_over(const struct relay *relay)
{
    const struct settings *settings = relay->session->settings;
    long long now = wait_now();
    if (has_passed(inactivity_deadline(relay), now))
        log_notice("inactivity timeout triggered");
    else if (!has_passed(closing_deadline(relay), now) || is_being_delivered(relay))
        return false;
    else
        log_info("poll timed out (no data within %lld.%06lld seconds)",
                 settings->closing / MODCAT_SECOND, settings->closing % MODCAT_SECOND / 1000);
    give_up(relay);
    return true;
}

/* How long a program may take to end after its output has: so much is left to it by the shortest
 * -t, because its end is said a moment after its output's. */
static long long program_deadline(const struct relay *relay)
{
    const long long least = MODCAT_SECOND / 2;
    long long closing_time = relay->session->settings->closing;
    bool short_time = closing_time != MODCAT_FOREVER && closing_time < least;
    return modcat_deadline(short_time ? least : closing_time);
}

/* True when a program that only takes data has got all of it. */
static bool has_its_data(const struct flow *flow)
{
    return flow->state == FLOW_ENDED && !flow_sink_failed(flow) &&
           flow->sink->opening->directions == MODCAT_WRITE;
}

/* How long it may work on that data: to its end, or with -T until nobody shows life any more. */
static long long work_deadline(const struct relay *relay, const struct flow *flow)
{
    if (!knows_its_end(flow->sink))
        return program_deadline(relay);
    return modcat_deadline(relay->session->settings->inactivity);
}

/* Programs end their work, so that nothing is lost and their exit status is known. */
static void wait_for_programs(const struct relay *relay)
{
    for (int i = 0; i < 2; i++) {
        const struct flow *flow = &relay->flows[i];
        if (flow->source == NULL || flow->sink == NULL)
            continue;
        if (flow->source_at_end)
            programs_wait(lowest(flow->source)->opening, program_deadline(relay));
        if (has_its_data(flow))
            programs_wait(lowest(flow->sink)->opening, work_deadline(relay, flow));
    }
    programs_reap(relay->session);
}

static int status_of(const struct relay *relay)
{
    wait_for_programs(relay);
    if (programs_failed(relay->session))
        return 1;
    return (relay->flows[0].failed || relay->flows[1].failed) && !log_sloppy() ? 1 : 0;
}

/* Returns 0 at the end of both directions or of the time, 1 when waiting fails. */
static int loop(struct relay *relay)
{
    while (!ended(relay)) {
        struct waiting waiting;
        consider_programs(relay);
        consider_what_is_taken(relay);
        progress_update(&relay->progress);
        prepare(relay, &waiting);
        int ready =
            session_wait(relay->session, waiting.entries, waiting.count, next_deadline(relay));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0 && errno == ECANCELED)
            return 0;
        if (ready < 0) {
            log_error("waiting for data: %s", strerror(errno));
            return 1;
        }
        bool moved = move(relay, &waiting);
        let_sinks_rest(relay, &waiting, moved);
        if (moved)
            relay->last_activity = wait_now();
        else if (time_is_over(relay))
            return 0;
        consider_abandoned(relay);
        consider_other_direction(relay);
    }
    return 0;
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

void relay_log_statistics(const struct session *session)
{
    const struct relay *relay = session->relay;
    bool json = session->settings->statistics_json;
    if (relay == NULL)
        statistics_log(NULL, 0, json);
    else
        statistics_log(relay->flows, (double)(wait_now() - relay->started) / (double)MODCAT_SECOND,
                       json);
}

static void start_flows(struct relay *relay)
{
    struct session *session = relay->session;
    for (int i = 0; i < 2; i++)
        flow_start(&relay->flows[i], &session->sides[i], &session->sides[1 - i],
                   session->settings->block_size, dump_observer(&relay->dumps[i]));
    relay->two_way = relay->flows[0].state != FLOW_ENDED && relay->flows[1].state != FLOW_ENDED;
    relay->started = relay->last_activity = wait_now();
}

static int run(struct relay *relay)
{
    struct session *session = relay->session;
    start_flows(relay);
    session->relay = relay;
    progress_start(&relay->progress, session, relay->flows);
    int status = loop(relay);
    lost_report(&relay->flows[0]);
    lost_report(&relay->flows[1]);
    if (status == 0)
        status = status_of(relay);
    progress_end(&relay->progress);
    if (session->settings->statistics)
        relay_log_statistics(session);
    session->relay = NULL;
    flow_free(&relay->flows[0]);
    flow_free(&relay->flows[1]);
    return status;
}

int relay_run(struct session *session)
{
    const struct settings *settings = session->settings;
    struct relay relay = {.session = session};
    log_start(session);
    if (settings->transfer_wait > 0 &&
        session_pause(session, settings->transfer_wait * MODCAT_SECOND) < 0)
        return 0;
    int status = dumps_open(session, relay.dumps) < 0 ? 1 : run(&relay);
    dumps_close(relay.dumps);
    return status;
}
