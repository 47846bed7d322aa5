/* One direction of a session, and the relay's steps, over endpoints that do as each test says, with
 * a clock of the test's own. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/address/address.h"
#include "core/base/wait.h"
#include "core/relay/flow.h"
#include "core/relay/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What one call gives: a text, nothing more ("" when reading), or an error. */
struct step {
    const char *text;
    int error;
    size_t most; /* of a write: so much is taken; 0: all */
};

/* An end of a session: what its calls give, in order, and what has been written to it. */
struct end {
    struct address address;
    struct address_pair pair;
    struct modcat_opening opening;
    struct modcat_endpoint endpoint;
    const struct step *reads, *writes, *shutdowns;
    char written[200];
    int times_shut;
    bool pending;
};

static struct end ends[2];
static struct side sides[2];
static struct session session;
static struct settings settings;
static struct flow flow;
static long long now;

/* In place of the system's clock. */
long long __wrap_wait_now(void);
long long __wrap_wait_now(void)
{
    return now;
}

/* What the programs at either end have not read yet. */
static size_t unread;
size_t __wrap_taking_left(const struct opened *sink);
size_t __wrap_taking_left(const struct opened *sink)
{
    (void)sink;
    return unread;
}

/* Those that a script doesn't have are EAGAIN. */
static const struct step *next(const struct step **script)
{
    static const struct step blocked = {.error = EAGAIN};
    if (*script == NULL || ((*script)->text == NULL && (*script)->error == 0))
        return &blocked;
    return (*script)++;
}

static ssize_t end_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct end *end = endpoint->state;
    const struct step *step = next(&end->reads);
    errno = step->error;
    if (step->error != 0)
        return -1;
    assert_true(strlen(step->text) <= length);
    memcpy(buffer, step->text, strlen(step->text));
    return (ssize_t)strlen(step->text);
}

static ssize_t end_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct end *end = endpoint->state;
    static const struct step all = {.text = ""};
    const struct step *step = end->writes == NULL ? &all : next(&end->writes);
    errno = step->error;
    if (step->error != 0)
        return -1;
    if (step->most > 0 && step->most < length)
        length = step->most;
    strncat(end->written, buffer, length);
    return (ssize_t)length;
}

static int end_shutdown(struct modcat_endpoint *endpoint)
{
    struct end *end = endpoint->state;
    end->times_shut++;
    if (end->shutdowns == NULL)
        return 0;
    errno = next(&end->shutdowns)->error;
    return errno != 0 ? -1 : 0;
}

static bool end_pending(struct modcat_endpoint *endpoint)
{
    return ((struct end *)endpoint->state)->pending;
}

static const struct modcat_endpoint_ops ops = {
    .size = sizeof ops,
    .read = end_read,
    .write = end_write,
    .shutdown = end_shutdown,
    .pending = end_pending,
};

static void log_nothing(const struct session *of)
{
    (void)of;
}

/* Both ends are there, and give and take what the test says before it begins. */
static int set_up(void **state)
{
    (void)state;
    now = 1000 * MODCAT_SECOND;
    unread = 0;
    settings = (struct settings){.closing = MODCAT_SECOND / 2, .inactivity = MODCAT_FOREVER};
    session = (struct session){.settings = &settings, .log_statistics = log_nothing};
    for (int i = 0; i < 2; i++) {
        struct end *end = &ends[i];
        *end = (struct end){.address = {.text = "END", .keyword = "END", .keyword_place = {0, 3}}};
        end->pair.first = &end->address;
        end->opening = (struct modcat_opening){
            .session = &session,
            .settings = &settings,
            .address = &end->address,
            .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
            .set = {.escape = -1},
            .failure = MODCAT_ERROR,
        };
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        end->endpoint = (struct modcat_endpoint){
            .size = sizeof end->endpoint,
            .read_fd = fd,
            .write_fd = fd,
            .ops = &ops,
            .state = end,
        };
        session.sides[i] = sides[i] = (struct side){
            .address = &end->pair,
            .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
            .number = i + 1,
            .first = {.opening = &end->opening, .endpoint = &end->endpoint},
        };
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    flow_free(&flow);
    flow = (struct flow){0};
    for (int i = 0; i < 2; i++)
        close(ends[i].endpoint.read_fd);
    return 0;
}

static void start(void)
{
    flow_start(&flow, &sides[0], &sides[1], 0, NULL, &(struct natures){.count = 0});
    assert_int_equal(flow.state, FLOW_OPEN);
}

static bool move(void)
{
    return flow_move(&flow, true, true, false);
}

static void carries_all_and_tells_the_sink_of_the_end(void **state)
{
    static const struct step reads[] = {{.text = "one"}, {.text = "two"}, {.text = ""}, {0}};
    (void)state;
    ends[0].reads = reads;
    start();
    while (!flow_is_over(&flow))
        assert_true(move());
    assert_string_equal(ends[1].written, "onetwo");
    assert_int_equal(ends[1].times_shut, 1);
    assert_int_equal(flow.source_end, SOURCE_AT_END);
    assert_int_equal(flow.bytes, 6);
    assert_false(flow.failed);
}

/* While it holds something, nothing more is read. */
static void a_sink_that_takes_little_slows_the_source_down(void **state)
{
    static const struct step reads[] = {{.text = "abcdef"}, {.text = "ghi"}, {.text = ""}, {0}};
    static const struct step writes[] = {{.text = "", .most = 2},
                                         {.error = EAGAIN},
                                         {.text = "", .most = 3},
                                         {.error = EAGAIN},
                                         {.text = ""},
                                         {.text = ""},
                                         {0}};
    (void)state;
    ends[0].reads = reads;
    ends[1].writes = writes;
    start();
    move();
    assert_string_equal(ends[1].written, "ab");
    assert_int_equal(flow_undelivered(&flow), 4);
    assert_false(flow_wants_source(&flow));
    assert_true(flow_wants_sink(&flow));
    flow_move(&flow, false, true, false);
    assert_string_equal(ends[1].written, "abcde");
    assert_ptr_equal(ends[0].reads, reads + 1);
    flow_move(&flow, false, true, false);
    assert_string_equal(ends[1].written, "abcdef");
    assert_true(flow_wants_source(&flow));
    while (!flow_is_over(&flow))
        move();
    assert_string_equal(ends[1].written, "abcdefghi");
}

static void nothing_to_read_is_no_progress(void **state)
{
    (void)state;
    start();
    assert_false(move());
    assert_int_equal(flow.state, FLOW_OPEN);
    assert_true(flow_wants_source(&flow));
}

static void with_ignoreeof_it_rests_at_the_end_and_reads_again(void **state)
{
    static const struct step reads[] = {{.text = ""}, {.text = "more"}, {.text = ""}, {0}};
    (void)state;
    ends[0].opening.set.ignoreeof = true;
    ends[0].reads = reads;
    start();
    assert_false(move());
    assert_int_equal(flow.state, FLOW_RESTING);
    assert_false(flow_wants_source(&flow));
    assert_false(move());
    assert_string_equal(ends[1].written, "");
    now = flow.retry_at;
    assert_true(move());
    assert_string_equal(ends[1].written, "more");
    /* Once the other direction has ended, so has this one. */
    move();
    assert_int_equal(flow.state, FLOW_RESTING);
    ends[0].reads = reads + 2;
    assert_true(flow_move(&flow, false, false, true));
    assert_int_equal(flow.state, FLOW_ENDED);
    assert_int_equal(ends[1].times_shut, 1);
}

/* Not told in one call; and a call that says it has to be repeated is no progress. */
static void the_sink_may_take_several_calls_to_be_told(void **state)
{
    static const struct step reads[] = {{.text = ""}, {0}};
    static const struct step shutdowns[] = {
        {.error = EAGAIN}, {.error = EAGAIN}, {.text = ""}, {0}};
    (void)state;
    ends[0].reads = reads;
    ends[1].shutdowns = shutdowns;
    start();
    move();
    assert_int_equal(flow.state, FLOW_CLOSING);
    assert_true(flow_wants_sink(&flow));
    assert_false(flow_move(&flow, false, true, false));
    assert_true(flow_move(&flow, false, true, false));
    assert_int_equal(flow.state, FLOW_ENDED);
    assert_false(flow_wants_sink(&flow));
    assert_int_equal(ends[1].times_shut, 3);
}

static void readbytes_ends_it_though_there_is_more(void **state)
{
    static const struct step reads[] = {{.text = "abc"}, {.text = "de"}, {.text = "never"}, {0}};
    (void)state;
    ends[0].opening.set.readbytes = 5;
    ends[0].reads = reads;
    start();
    while (!flow_is_over(&flow))
        assert_true(move());
    assert_string_equal(ends[1].written, "abcde");
    assert_ptr_equal(ends[0].reads, reads + 2);
    assert_int_equal(flow.source_end, SOURCE_IS_READ_NO_MORE);
    assert_int_equal(ends[1].times_shut, 1);
}

static void a_source_that_fails_ends_it_after_what_was_read(void **state)
{
    static const struct step reads[] = {{.text = "abc"}, {.error = ETIMEDOUT}, {0}};
    (void)state;
    ends[0].reads = reads;
    start();
    while (!flow_is_over(&flow))
        move();
    assert_string_equal(ends[1].written, "abc");
    assert_true(flow.failed);
    assert_false(flow_sink_failed(&flow));
    assert_int_equal(flow.source_end, SOURCE_FAILED);
    assert_true(sides[0].first.ended);
}

static void a_sink_that_fails_ends_it_at_once(void **state)
{
    static const struct step reads[] = {{.text = "abc"}, {.text = "never"}, {0}};
    static const struct step writes[] = {{.error = ENOSPC}, {0}};
    (void)state;
    ends[0].reads = reads;
    ends[1].writes = writes;
    start();
    assert_true(move());
    assert_int_equal(flow.state, FLOW_ENDED);
    assert_true(flow_sink_failed(&flow));
    assert_int_equal(flow_undelivered(&flow), 0);
    assert_int_equal(ends[1].times_shut, 0);
    assert_ptr_equal(ends[0].reads, reads + 1);
}

static void interrupted_calls_are_repeated(void **state)
{
    static const struct step reads[] = {
        {.error = EINTR}, {.text = "abc"}, {.error = EINTR}, {.text = ""}, {0}};
    static const struct step writes[] = {{.error = EINTR}, {.text = ""}, {0}};
    (void)state;
    ends[0].reads = reads;
    ends[1].writes = writes;
    start();
    while (!flow_is_over(&flow))
        assert_true(move());
    assert_string_equal(ends[1].written, "abc");
}

static void a_side_that_is_not_open_has_no_flow(void **state)
{
    (void)state;
    sides[0].directions = MODCAT_DIR_WRITE;
    flow_start(&flow, &sides[0], &sides[1], 0, NULL, &(struct natures){.count = 0});
    assert_int_equal(flow.state, FLOW_UNUSED);
    assert_true(flow_is_over(&flow));
    assert_false(move());
    assert_false(flow_wants_source(&flow) || flow_wants_sink(&flow));
}

/* One round of the relay, in which these ends are ready. */
static bool step(struct relay *relay, bool readable, bool writable)
{
    struct relay_waiting waiting;
    if (!relay_prepare(relay, &waiting))
        return false;
    for (size_t i = 0; i < waiting.count; i++) {
        struct wait_entry *entry = &waiting.entries[i];
        entry->ready = (short)((readable ? entry->events & POLLIN : 0) |
                               (writable ? entry->events & POLLOUT : 0));
    }
    if (waiting.deadline != MODCAT_FOREVER && !readable && !writable && waiting.deadline > now)
        now = waiting.deadline;
    return relay_step(relay, &waiting);
}

static void a_relay_ends_when_both_directions_have(void **state)
{
    static const struct step asked[] = {{.text = "question"}, {.text = ""}, {0}};
    static const struct step answered[] = {{.text = "answer"}, {.text = ""}, {0}};
    (void)state;
    ends[0].reads = asked;
    ends[1].reads = answered;
    struct relay *relay = relay_start(&session);
    int rounds = 0;
    while (step(relay, true, true))
        assert_true(++rounds < 100);
    assert_int_equal(relay_end(relay), 0);
    assert_string_equal(ends[1].written, "question");
    assert_string_equal(ends[0].written, "answer");
    assert_int_equal(ends[0].times_shut, 1);
    assert_int_equal(ends[1].times_shut, 1);
}

/* By -t, counted from the last byte. */
static void a_relay_whose_one_direction_has_ended_gives_the_other_its_time(void **state)
{
    static const struct step asked[] = {{.text = "question"}, {.text = ""}, {0}};
    (void)state;
    ends[0].reads = asked;
    struct relay *relay = relay_start(&session);
    long long began = now;
    assert_true(step(relay, true, true));
    assert_true(step(relay, true, true));
    int rounds = 0;
    while (step(relay, false, false))
        assert_true(++rounds < 100);
    assert_int_equal(now - began, settings.closing);
    assert_int_equal(relay_end(relay), 0);
}

/* It is one that does not read, and has no more than -t. */
static void a_program_that_reads_nothing_at_the_end_does_not_hold_it_up(void **state)
{
    static const struct step asked[] = {{.text = "question"}, {.text = ""}, {0}};
    (void)state;
    ends[0].reads = asked;
    struct relay *relay = relay_start(&session);
    long long began = now;
    unread = 8;
    assert_true(step(relay, true, true));
    assert_true(step(relay, true, true));
    while (step(relay, false, false))
        assert_true(now - began < MODCAT_SECOND);
    assert_true(now - began >= settings.closing);
    assert_int_equal(relay_end(relay), 0);
}

static void a_program_that_reads_slowly_gets_more_time_with_each_piece(void **state)
{
    static const struct step asked[] = {{.text = "question"}, {.text = ""}, {0}};
    (void)state;
    ends[0].reads = asked;
    struct relay *relay = relay_start(&session);
    unread = 8;
    for (int round = 0; round < 3; round++)
        assert_true(step(relay, true, true));
    for (unread = 7; unread > 4; unread--) {
        long long began = now;
        while (now - began < 4 * MODCAT_SECOND)
            assert_true(step(relay, false, false));
    }
    long long began = now;
    while (step(relay, false, false))
        assert_true(now - began < 10 * MODCAT_SECOND);
    assert_true(now - began >= MODCAT_SECOND / 2);
    assert_int_equal(relay_end(relay), 0);
}

static void a_relay_without_data_ends_by_the_time_of_inactivity(void **state)
{
    (void)state;
    settings.inactivity = 7 * MODCAT_SECOND;
    struct relay *relay = relay_start(&session);
    long long began = now;
    int rounds = 0;
    while (step(relay, false, false))
        assert_true(++rounds < 100);
    assert_int_equal(now - began, settings.inactivity);
    assert_int_equal(relay_end(relay), 0);
}

/* What can be read without a descriptor that shows it is not waited for. */
static void pending_data_is_read_at_once(void **state)
{
    static const struct step reads[] = {{.text = "kept"}, {0}};
    struct relay_waiting waiting;
    (void)state;
    ends[0].reads = reads;
    ends[0].pending = true;
    struct relay *relay = relay_start(&session);
    assert_true(relay_prepare(relay, &waiting));
    assert_int_equal(waiting.deadline, now);
    assert_true(relay_step(relay, &waiting));
    assert_string_equal(ends[1].written, "kept");
    ends[0].pending = false;
    assert_true(relay_prepare(relay, &waiting));
    assert_int_equal(waiting.deadline, MODCAT_FOREVER);
    assert_int_equal(relay_end(relay), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(carries_all_and_tells_the_sink_of_the_end),
        TEST(a_sink_that_takes_little_slows_the_source_down),
        TEST(nothing_to_read_is_no_progress),
        TEST(with_ignoreeof_it_rests_at_the_end_and_reads_again),
        TEST(the_sink_may_take_several_calls_to_be_told),
        TEST(readbytes_ends_it_though_there_is_more),
        TEST(a_source_that_fails_ends_it_after_what_was_read),
        TEST(a_sink_that_fails_ends_it_at_once),
        TEST(interrupted_calls_are_repeated),
        TEST(a_side_that_is_not_open_has_no_flow),
        TEST(a_relay_ends_when_both_directions_have),
        TEST(a_relay_whose_one_direction_has_ended_gives_the_other_its_time),
        TEST(a_program_that_reads_nothing_at_the_end_does_not_hold_it_up),
        TEST(a_program_that_reads_slowly_gets_more_time_with_each_piece),
        TEST(a_relay_without_data_ends_by_the_time_of_inactivity),
        TEST(pending_data_is_read_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
