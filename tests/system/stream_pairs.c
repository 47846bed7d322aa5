#define _GNU_SOURCE
#include "tests/system/streams.h"

#include <stdlib.h>

bool stream_pair_is_possible(const struct stream_kind *one, const struct stream_kind *other)
{
    return (one->streams & other->streams) == 0 &&
           (one->closing != GIVES_BACK || other->closing != GIVES_BACK);
}

static int standard(const struct stream_end *left, const struct stream_end *right, int stream)
{
    return left->standard[stream] > 0 ? left->standard[stream] : right->standard[stream];
}

/* Where standard error is an end of the pair, messages go elsewhere, and from there to the test. */
static struct program *start_with_stderr(struct launch *launch, struct harness *harness, int fd)
{
    const char *modcat = getenv("MODCAT");
    const char *arguments[12] = {"-c", "exec \"$0\" -lf /dev/fd/9 \"$@\" 9>&2 2>&5 5>&-",
                                 modcat != NULL ? modcat : "./modcat"};
    for (int i = 0; launch->arguments[i] != NULL; i++)
        arguments[3 + i] = launch->arguments[i];
    launch->arguments = arguments;
    launch->program = "sh";
    launch->further[1] = fd;
    return program_launch(harness, launch);
}

static struct program *start(const struct stream_end *left, const struct stream_end *right,
                             const char *one, const char *other)
{
    const char *const arguments[] = {"-d", "-d", "-t", "20", one, other, NULL};
    int in = standard(left, right, 0), out = standard(left, right, 1);
    int errors = standard(left, right, 2);
    struct launch launch = {
        .arguments = arguments,
        .in = in > 0 ? in : STREAM_NULL,
        .out = out > 0 ? out : STREAM_NULL,
        .extra = left->given,
        .further = {right->given},
    };
    return errors > 0 ? start_with_stderr(&launch, left->harness, errors)
                      : program_launch(left->harness, &launch);
}

static bool is_test_end(const struct stream_end *end)
{
    return end->kind->closing != GIVES_BACK;
}

static struct flow flow_between(const struct stream_end *from, const struct stream_end *to,
                                uint64_t seed, bool open_end)
{
    return (struct flow){
        .write_fd = from->write_fd,
        .read_fd = to->read_fd,
        .seed = seed,
        .length = from->setup->length,
        .open_end = open_end,
        .piece = 20000,
        .write_closes = !open_end && from->write_fd != from->read_fd,
    };
}

/* What is given back comes out where it went in. */
static void move_all(struct stream_end *left, struct stream_end *right, bool open_end)
{
    struct flow flows[2];
    size_t count = 0;
    if (is_test_end(left))
        flows[count++] = flow_between(left, is_test_end(right) ? right : left, 1, open_end);
    if (is_test_end(right))
        flows[count++] = flow_between(right, is_test_end(left) ? left : right, 2, open_end);
    flows_run(left->harness, flows, count);
}

static void leave(struct stream_end *end)
{
    if (!is_test_end(end))
        return;
    harness_close(end->harness, end->read_fd);
    if (end->write_fd != end->read_fd)
        harness_close(end->harness, end->write_fd);
}

/* One end leaves, and the other learns of it, where it can be told. */
static void leave_both(struct stream_end *left, struct stream_end *right)
{
    bool right_first = left->kind->closing != CLOSES_WHOLE;
    struct stream_end *first = right_first ? right : left, *second = right_first ? left : right;
    leave(first);
    if (second->kind->closing == CLOSES_BY_HALVES)
        peer_receives_end(second->harness, second->read_fd);
    leave(second);
}

static void attach(struct stream_end *end, struct program *program)
{
    if (end->kind->attach != NULL)
        end->kind->attach(end, program);
}

static void ends_well(const struct stream_end *end)
{
    if (end->helper != NULL)
        program_ends(end->helper, 0);
}

void stream_pair_run(struct harness *harness, const struct stream_setup *setup,
                     const struct stream_kind *one, const struct stream_kind *other)
{
    struct stream_end left = {
        .harness = harness, .setup = setup, .kind = one, .side = "left", .number = 3};
    struct stream_end right = {
        .harness = harness, .setup = setup, .kind = other, .side = "right", .number = 4};
    bool whole = one->closing == CLOSES_WHOLE || other->closing == CLOSES_WHOLE;
    const char *left_address = one->prepare(&left);
    const char *right_address = other->prepare(&right);
    struct program *program = start(&left, &right, left_address, right_address);

    attach(&left, program);
    attach(&right, program);
    if (one->late || other->late)
        program_logs(program, " N starting data transfer loop");
    move_all(&left, &right, whole);
    if (whole)
        leave_both(&left, &right);
    program_ends(program, 0);
    ends_well(&left);
    ends_well(&right);
}
