#define _GNU_SOURCE
#include "tests/system/endings.h"
#include "tests/system/covering.h"
#include "tests/system/types.h"
#include "tests/system/workers.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* Until when a quiet time may be doubled, in milliseconds. */
#define QUIET_MOST (1 << 14)

/* How long a session may keep the processor busy, in milliseconds. */
#define BUSY_MOST 1000

/* Most of them wait for a quiet time to pass. */
#define WORKERS 16

/* A pair that is like another one is tested in one of so many ways. */
#define TURNS 16

/* Where few pairs are tested, each kind is in every way, but one that is like another in one of so
 * many; and a pair of those that are not is in one of so many. */
#define TURNS_ALIKE 4
#define TURNS_OTHERS 8

static void *common; /* the harness that lasts as long as all tests */
static struct stream_setup setup;

/* What the workers do. */
static const struct way *way;
static size_t turn;
static const struct stream_kind **kinds;
static size_t kind_count;
static bool test_all;

/* The pairs that a way can be tested with, and the numbers of those that it is tested with. */
struct possible {
    const struct stream_kind *left, *right;
};
static struct possible *possible;
static size_t *chosen;

int endings_begin(void **state)
{
    int result = harness_begin(&common);
    (void)state;
    test_all = getenv("MODCAT_TEST_ALL") != NULL;
    setup = stream_setup(common, SIZE_MAX / 2);
    kinds = stream_kinds_usual(common, &kind_count);
    return result;
}

int endings_end(void **state)
{
    (void)state;
    return harness_end(&common);
}

static unsigned traits(const struct stream_kind *kind)
{
    bool whole = kind->closing == CLOSES_WHOLE, program = (kind->traits & STREAM_PROGRAM) != 0;
    return kind->traits | (whole ? PAIR_WHOLE : 0) | (kind->closing == GIVES_BACK ? PAIR_BACK : 0) |
           (whole && program ? PAIR_TERMINAL : 0);
}

bool stream_end_has(const struct stream_end *end, unsigned trait)
{
    return (traits(end->kind) & trait) != 0;
}

bool pair_has(const struct pair *pair, unsigned trait)
{
    return stream_end_has(pair->first, trait) || stream_end_has(pair->other, trait);
}

static struct flow flow_between(const struct stream_end *from, const struct stream_end *to,
                                uint64_t seed)
{
    return (struct flow){.write_fd = from->write_fd,
                         .read_fd = to->read_fd,
                         .seed = seed,
                         .length = PAIR_BYTES,
                         .write_closes = from->write_fd != from->read_fd};
}

void stream_end_sends(struct stream_end *end, size_t length)
{
    struct stream_setup *own = memory(end->harness, sizeof *own);
    *own = *end->setup;
    own->length = length;
    end->setup = own;
}

void pair_open(struct pair *pair, const char *flag, const char *value, const char *first,
               const char *other)
{
    const char *const flags[] = {"-d", "-d", flag, value, NULL};
    bool left = pair->first == &pair->ends[0];
    bool back = stream_end_has(pair->other, PAIR_BACK);

    pair->program = stream_pair_open(&pair->ends[0], &pair->ends[1], flags, left ? first : other,
                                     left ? other : first);
    pair->flow_count = back ? 1 : 2;
    pair->flows[0] = flow_between(pair->first, back ? pair->first : pair->other, 1);
    if (!back)
        pair->flows[1] = flow_between(pair->other, pair->first, 2);
}

void pair_move(struct pair *pair)
{
    flows_run(pair->harness, pair->flows, pair->flow_count);
}

struct flow *pair_incoming(struct pair *pair)
{
    return &pair->flows[pair->flow_count - 1];
}

void pair_exchange(struct pair *pair, size_t length)
{
    for (size_t i = 0; i < pair->flow_count; i++) {
        pair->flows[i].length = length;
        pair->flows[i].open_end = true;
    }
    pair_move(pair);
}

void flow_go_on(struct flow *flow, size_t length, bool open_end)
{
    flow->length = length;
    flow->open_end = open_end;
    flow->write_ended = flow->read_ended = false;
}

static long long busy(const struct pair *pair)
{
    return process_ticks(program_pid(pair->program)) * 1000 / sysconf(_SC_CLK_TCK);
}

const char *pair_rest(struct pair *pair, int duration)
{
    long long before = busy(pair);

    poll(NULL, 0, duration);
    return busy(pair) - before > duration / 2 ? "it is busy while nothing happens" : NULL;
}

void pair_reaches_end(struct pair *pair, const struct stream_end *end)
{
    struct flow nothing = {.write_fd = -1,
                           .read_fd = end->read_fd,
                           .length = PAIR_BYTES,
                           .write_ended = true,
                           .may_be_cut = true};

    if (stream_end_has(end, PAIR_BACK))
        return;
    flows_run(pair->harness, &nothing, 1);
    if (nothing.received > 0)
        harness_fail(pair->harness, "%zu bytes too many", nothing.received);
}

void pair_stops_sending(struct pair *pair, struct stream_end *end)
{
    if (stream_end_has(end, PAIR_WHOLE))
        stream_end_leave(end);
    else if (end->read_fd != end->write_fd)
        harness_close(pair->harness, end->write_fd);
    else
        peer_end(end->write_fd);
}

void pair_first_leaves(struct pair *pair)
{
    stream_end_leave(pair->first);
    if (!stream_end_has(pair->other, PAIR_WHOLE))
        pair_reaches_end(pair, pair->other);
    stream_end_leave(pair->other);
}

static bool can_be_first(int first, const struct stream_kind *one, const struct stream_kind *other)
{
    unsigned acts = traits(first == 0 ? one : other), others = traits(first == 0 ? other : one);
    return (way->needs & ~acts) == 0 && (way->excludes & acts) == 0 &&
           (way->other_excludes & others) == 0;
}

static int first_of(const struct stream_kind *one, const struct stream_kind *other)
{
    return way->first == EITHER ? !can_be_first(0, one, other) : way->first;
}

static const char *run_once(struct pair *pair)
{
    const char *doubt = pair->way->run(pair);

    if (doubt == NULL && busy(pair) > BUSY_MOST)
        doubt = "it takes too much of the processor's time";
    return doubt;
}

static const char *attempt(struct harness *harness, const struct stream_kind *one,
                           const struct stream_kind *other, int quiet)
{
    struct pair pair = {
        .harness = harness,
        .way = way,
        .ends = {stream_end(harness, &setup, one, false), stream_end(harness, &setup, other, true)},
        .quiet = quiet,
    };
    int first = first_of(one, other);
    pair.first = &pair.ends[first];
    pair.other = &pair.ends[!first];
    const char *doubt = run_once(&pair);
    if (doubt != NULL && quiet >= QUIET_MOST)
        harness_fail(harness, "%s", doubt);
    return doubt;
}

static void run_pair(struct harness *harness, const struct stream_kind *one,
                     const struct stream_kind *other)
{
    const char *doubt = attempt(harness, one, other, PAIR_QUIET);

    for (int quiet = 2 * PAIR_QUIET; doubt != NULL; quiet *= 2) {
        void *another;
        harness_begin(&another);
        doubt = attempt(another, one, other, quiet);
        assert_int_equal(harness_end(&another), 0);
    }
}

static bool can_happen(const struct stream_kind *one, const struct stream_kind *other)
{
    return stream_pair_is_possible(one, other) && can_be_first(first_of(one, other), one, other);
}

static bool is_alike(size_t one, size_t other)
{
    return ((kinds[one]->traits | kinds[other]->traits) & STREAM_ALIKE) != 0;
}

static bool has_its_turn(size_t one, size_t other, size_t turns)
{
    return (one + other + turn) % turns == 0;
}

static bool is_wanted(size_t one, size_t other)
{
    bool all = test_all || covering_takes_few() || !is_alike(one, other);
    return types_in_order(one, other) && (all || has_its_turn(one, other, TURNS));
}

static size_t goal_of(size_t kind)
{
    bool alike = (kinds[kind]->traits & STREAM_ALIKE) != 0;
    return alike && (kind + turn) % TURNS_ALIKE != 0 ? COVERING_NONE : kind;
}

static void run_chosen(struct harness *harness, size_t number)
{
    const struct possible *pair = &possible[chosen[number]];
    run_pair(harness, pair->left, pair->right);
}

/* Each kind as the one that acts and as the other one; and each pair of those that are not like
 * others, in some of the ways. */
enum { GOAL_FIRST, GOAL_OTHER, GOAL_PAIR, GOALS };

static void run_some(size_t count, size_t other_count, const size_t (*goals)[GOALS],
                     unsigned workers)
{
    const struct covering covering = {
        .count = count,
        .per_case = GOALS,
        .goal_count = kind_count + other_count + kind_count * other_count,
        .goals = goals[0],
    };
    chosen = memory(common, (count + 1) * sizeof *chosen);
    count = covering_choose(&covering, "pairs", "each type as either end, and each two, by turns",
                            chosen);
    workers_run(&(struct work){.count = count, .piece = run_chosen, .workers = workers});
}

void endings_run(const struct way *tested, size_t number)
{
    size_t count = 0, most = kind_count * kind_count;
    size_t(*goals)[GOALS] = memory(common, most * sizeof *goals);

    way = tested;
    turn = number;
    possible = memory(common, most * sizeof *possible);
    for (size_t i = 0; i < most; i++) {
        size_t left = i / kind_count, right = i % kind_count;
        struct possible pair = {kinds[left], kinds[right]};
        if (!is_wanted(left, right) || !can_happen(pair.left, pair.right))
            continue;
        bool is_left = first_of(pair.left, pair.right) == 0;
        bool due = !is_alike(left, right) && has_its_turn(left, right, TURNS_OTHERS);
        size_t other = goal_of(is_left ? right : left);
        goals[count][GOAL_FIRST] = goal_of(is_left ? left : right);
        goals[count][GOAL_OTHER] = other == COVERING_NONE ? other : kind_count + other;
        goals[count][GOAL_PAIR] = due ? 2 * kind_count + i : COVERING_NONE;
        possible[count++] = pair;
    }
    run_some(count, kind_count, goals, WORKERS);
}

void endings_run_files(const struct way *tested, const struct stream_kind *files, size_t file_count)
{
    size_t count = 0, most = kind_count * file_count;
    size_t(*goals)[GOALS] = memory(common, most * sizeof *goals);

    way = tested;
    possible = memory(common, most * sizeof *possible);
    for (size_t i = 0; i < most; i++) {
        size_t kind = i / file_count, number = i % file_count;
        const struct stream_kind *stream = kinds[kind], *file = &files[number];
        bool is_left = way->first == 0;
        struct possible pair = {is_left ? stream : file, is_left ? file : stream};
        if (!can_happen(pair.left, pair.right))
            continue;
        goals[count][GOAL_FIRST] = goal_of(kind);
        goals[count][GOAL_OTHER] = kind_count + number;
        goals[count][GOAL_PAIR] = COVERING_NONE;
        possible[count++] = pair;
    }
    run_some(count, file_count, goals, 0);
}
