#define _GNU_SOURCE
#include "core/relay/over.h"

#include "core/base/log.h"
#include "core/base/wait.h"
#include "core/registry/registry.h"
#include "core/relay/lines.h"
#include "core/relay/moving.h"
#include "core/relay/overflow.h"
#include "core/relay/unwanted.h"
#include "core/services/process/programs.h"
#include "core/session/endpoint.h"
#include "core/session/parting.h"
#include "core/session/taking.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Below all layers. */
static const struct opened *lowest(const struct opened *opened)
{
    while (opened->lower != NULL)
        opened = opened->lower;
    return opened;
}

bool over_is_opened_again(const struct opened *opened)
{
    for (; opened != NULL; opened = opened->lower)
        if ((opened->opening->address->type->type.flags & MODCAT_TYPE_REOPENS) != 0)
            return true;
    return false;
}

/* The end of one that a layer may start again is that layer's affair. */
bool over_program_ended(const struct opened *opened)
{
    return opened != NULL && programs_ended(lowest(opened)->opening) &&
           !over_is_opened_again(opened);
}

/* Where there is no half-close, the end is told when the session is over. */
static bool is_told_at_last(const struct opened *sink)
{
    return (sink->endpoint->flags & MODCAT_END_WHOLE) != 0;
}

/* True for a sink that is told of the end, so that a program will end by itself. */
static bool knows_its_end(const struct opened *sink)
{
    if (is_told_at_last(sink))
        return false;
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
           other->source_end == SOURCE_IS_READ_NO_MORE && !over_program_ended(flow->sink) &&
           knows_its_end(flow->sink) &&
           (lowest(flow->sink)->endpoint->flags & MODCAT_END_PROGRAM) != 0;
}

/* How long a program may read nothing before it is asked to end. One that is slow to read is told
 * from one that never does by having read something since the session began to close. */
static bool may_go_on_reading(const struct relay *relay)
{
    long long closing_time = relay->session->settings->closing;
    long long patience = relay->is_read ? TAKING_PATIENCE : closing_time;
    return closing_time == MODCAT_FOREVER || wait_now() - relay->last_activity < patience;
}

/* A program that is not told of the end is asked to end by a signal, but not before it has taken
 * its input. What lies in a terminal is out of sight now and then: it is looked at twice. */
static bool still_takes(struct relay *relay, const struct flow *flow)
{
    if (flow->source == NULL || flow->sink == NULL || flow_sink_failed(flow) ||
        knows_its_end(flow->sink) ||
        (lowest(flow->sink)->endpoint->flags & MODCAT_END_PROGRAM) == 0 ||
        over_program_ended(flow->sink))
        return false;
    if (taking_left(flow->sink) == 0)
        return relay->empty_looks++ == 0;
    relay->empty_looks = 0;
    return may_go_on_reading(relay);
}

static bool both_ended(const struct relay *relay)
{
    return flow_is_over(&relay->flows[0]) && flow_is_over(&relay->flows[1]);
}

bool over_at_end(struct relay *relay)
{
    const struct flow *flows = relay->flows;
    return both_ended(relay) && !still_works(&flows[0], &flows[1]) &&
           !still_works(&flows[1], &flows[0]) && !still_takes(relay, &flows[0]) &&
           !still_takes(relay, &flows[1]);
}

/* One direction has ended and the other is still open; or a program has ended, whose connection
 * somebody else may hold open, or does not say so: messages have no end. */
bool over_is_closing(const struct relay *relay)
{
    const struct flow *flows = relay->flows;
    return relay->program_ended || flows[0].state == FLOW_CLOSING ||
           flows[1].state == FLOW_CLOSING ||
           (relay->two_way && (flow_is_over(&flows[0]) || flow_is_over(&flows[1])));
}

/* Unlike a pipe or a socket, a terminal line does not fail when its last reader has gone. */
static bool is_dead_line(const struct opened *sink)
{
    return isatty(sink->endpoint->write_fd) &&
           (over_program_ended(sink) || endpoint_abandoned(sink->endpoint));
}

/* A peer that still sends, to a sink that takes nothing. Of an empty message queue FIONREAD says
 * something else. */
static bool is_cut_off(const struct flow *flow)
{
    int queued = 0;
    if (!flow_is_open(flow))
        return false;
    struct pollfd entry = {.fd = flow->source->endpoint->read_fd, .events = POLLIN};
    return !isatty(entry.fd) && poll(&entry, 1, 0) > 0 && (entry.revents & POLLIN) != 0 &&
           ioctl(entry.fd, FIONREAD, &queued) == 0 && queued > 0;
}

/* In a buffer, or still with the source where the kernel moves it straight to a full sink. */
static bool is_undelivered(const struct flow *flow)
{
    return flow_undelivered(flow) > 0 || (flow->splice.sink_full && is_cut_off(flow));
}

/* What is on its way may never be taken: the terminal line has no user, or the output of the
 * program is dropped, and it may be one that does not read. */
static bool is_stuck(const struct flow *flow, const struct flow *other)
{
    bool unheard = flow->sink != NULL && unwanted_comes(flow, other) &&
                   (lowest(flow->sink)->endpoint->flags & MODCAT_END_PROGRAM) != 0;
    return is_undelivered(flow) && (unheard || is_dead_line(flow->sink));
}

/* What is on its way is delivered before the session closes, however long that takes. */
static bool is_being_delivered(const struct relay *relay)
{
    for (int i = 0; i < 2; i++) {
        const struct flow *flow = &relay->flows[i], *other = &relay->flows[1 - i];
        if (is_undelivered(flow) && !is_stuck(flow, other) &&
            !(relay_is_given_back(flow, other) && is_stuck(other, flow)))
            return true;
    }
    return false;
}

static long long after_activity(const struct relay *relay, long long delay)
{
    return delay == MODCAT_FOREVER ? MODCAT_FOREVER : relay->last_activity + delay;
}

static long long closing_deadline(const struct relay *relay)
{
    return over_is_closing(relay) ? after_activity(relay, relay->session->settings->closing)
                                  : MODCAT_FOREVER;
}

static long long inactivity_deadline(const struct relay *relay)
{
    return after_activity(relay, relay->session->settings->inactivity);
}

/* The time for closing may have passed while something is still being delivered, or taken. */
static long long next_look_at_closing(const struct relay *relay)
{
    long long deadline = closing_deadline(relay), now = wait_now();
    return deadline != MODCAT_FOREVER && deadline <= now ? now + TAKING_TICK : deadline;
}

static bool may_be_abandoned(const struct flow *flow)
{
    return flow_undelivered(flow) > 0 && endpoint_can_be_abandoned(flow->sink->endpoint);
}

long long over_next_look(const struct relay *relay)
{
    long long deadline = wait_earlier(next_look_at_closing(relay), inactivity_deadline(relay));
    deadline = wait_earlier(deadline, lines_next_look(relay));
    if (relay->untaken > 0)
        deadline = wait_earlier(deadline, wait_now() + TAKING_TICK);
    if (relay->empty_looks > 0)
        deadline = wait_earlier(deadline, wait_now() + EMPTY_TICK);
    for (int i = 0; i < 2; i++) {
        deadline = wait_earlier(deadline, overflow_next_look(&relay->flows[i]));
        if (may_be_abandoned(&relay->flows[i]))
            deadline = wait_earlier(deadline, wait_now() + ABANDONED_TICK);
    }
    return deadline;
}

/* The time for closing begins when a program ends. */
void over_consider_programs(struct relay *relay)
{
    for (int i = 0; i < 2 && !relay->program_ended; i++) {
        const struct flow *flow = &relay->flows[i];
        if (!over_program_ended(flow->source) && !over_program_ended(flow->sink))
            continue;
        relay->program_ended = true;
        relay->last_activity = wait_now();
    }
}

/* By the program behind the sink. */
static size_t unread(const struct flow *flow)
{
    return flow->sink != NULL && flow->source != NULL ? taking_left(flow->sink) : 0;
}

static size_t untaken(const struct flow *flow, size_t left)
{
    if (flow->sink == NULL || flow->source == NULL)
        return 0;
    int fd = flow->sink->endpoint->write_fd;
    return left == 0 && fd >= 0 ? endpoint_untaken(fd) : left;
}

/* While an end goes on to take what is on its way, the session's time for closing is not over. */
void over_consider_what_is_taken(struct relay *relay)
{
    overflow_report(&relay->flows[0], false);
    overflow_report(&relay->flows[1], false);
    if (!over_is_closing(relay) && !both_ended(relay))
        return;
    size_t first = unread(&relay->flows[0]), second = unread(&relay->flows[1]);
    size_t left = untaken(&relay->flows[0], first) + untaken(&relay->flows[1], second);
    if (first + second < relay->unread)
        relay->is_read = true;
    if (left < relay->untaken)
        relay->last_activity = wait_now();
    relay->unread = first + second;
    relay->untaken = left;
}

static void warn_of_loss(const struct flow *flow)
{
    if (flow_undelivered(flow) > 0) {
        flow->sink->incomplete = true;
        log_warning("%zu bytes for socket %d are not delivered", flow_undelivered(flow),
                    flow->to->number);
    }
    if (is_cut_off(flow))
        log_warning("socket %d (fd %d) is still sending, the rest is lost; see options -t and -T",
                    flow->from->number, flow->source->endpoint->read_fd);
}

/* Both ends have gone, and each leaves something: the sink takes nothing, and so the source is not
 * read to its end. */
void over_consider_abandoned(struct relay *relay)
{
    lines_consider(relay);
    for (int i = 0; i < 2; i++) {
        struct flow *flow = &relay->flows[i];
        if (!may_be_abandoned(flow) || wait_now() - relay->last_activity < ABANDONED_TICK ||
            (flow_is_open(flow) && !endpoint_hung_up(flow->source->endpoint)) ||
            !endpoint_abandoned(flow->sink->endpoint))
            continue;
        warn_of_loss(flow);
        flow->failed = true;
        flow_abandon(flow);
    }
}

/* Who reads what was written to a terminal, and what the kernel could not keep. */
static void note_losses(struct relay *relay)
{
    for (int i = 0; i < 2; i++) {
        struct flow *flow = &relay->flows[i];
        overflow_report(flow, true);
        if (flow->sink != NULL)
            taking_note_reader(flow->sink, flow->bytes);
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

static bool is_being_read(const struct relay *relay)
{
    return unread(&relay->flows[0]) + unread(&relay->flows[1]) > 0 && may_go_on_reading(relay);
}

bool over_by_time(const struct relay *relay)
{
    const struct settings *settings = relay->session->settings;
    long long now = wait_now();
    if (has_passed(inactivity_deadline(relay), now))
        log_notice("inactivity timeout triggered");
    else if (!has_passed(closing_deadline(relay), now) || is_being_delivered(relay) ||
             is_being_read(relay))
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
    return flow_is_over(flow) && !flow_sink_failed(flow) && !is_told_at_last(flow->sink) &&
           flow->sink->opening->directions == MODCAT_DIR_WRITE;
}

/* How long it may work on that data: to its end, or with -T until the inactivity timeout. */
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
        if (flow->source_end == SOURCE_AT_END)
            programs_wait(lowest(flow->source)->opening, program_deadline(relay));
        if (has_its_data(flow))
            programs_wait(lowest(flow->sink)->opening, work_deadline(relay, flow));
    }
    programs_reap(relay->session);
}

int over_status(struct relay *relay)
{
    note_losses(relay);
    wait_for_programs(relay);
    if (programs_failed(relay->session))
        return 1;
    return (relay->flows[0].failed || relay->flows[1].failed) && !log_sloppy() ? 1 : 0;
}
