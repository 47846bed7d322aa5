#define _GNU_SOURCE
#include "tests/system/streams.h"
#include "tests/system/types.h"

#include <string.h>
#include <unistd.h>

/* Flags, and both addresses. */
#define ARGUMENTS_MAX 11

const struct stream_kind **stream_kinds_usual(struct harness *harness, size_t *count)
{
    const char *const *types = types_of_program(harness);
    const struct stream_kind **kinds = memory(harness, stream_kind_count * sizeof *kinds);
    *count = 0;
    for (size_t i = 0; i < stream_kind_count; i++) {
        const struct stream_kind *kind = &stream_kinds[i];
        if (!types_have(harness, types, kind->types))
            print_message("%s is skipped: this modcat has no such type\n", kind->types);
        else if (!kind->rare)
            kinds[(*count)++] = kind;
    }
    return kinds;
}

bool stream_pair_is_possible(const struct stream_kind *one, const struct stream_kind *other)
{
    return (one->streams & other->streams) == 0 &&
           (one->closing != GIVES_BACK || other->closing != GIVES_BACK);
}

static int standard(const struct stream_end *left, const struct stream_end *right, int stream)
{
    return left->standard[stream] > 0 ? left->standard[stream] : right->standard[stream];
}

/* Where messages go while standard error is an end of the pair. Those of programs do, too, for who
 * has standard error keeps that end open. */
#define MESSAGES 9

static bool uses_stderr(const struct stream_end *end)
{
    return (end->kind->streams & 1U << STDERR_FILENO) != 0;
}

/* What has number 9 there is the test's. */
static struct program *start_with_stderr(struct launch *launch, struct harness *harness, int fd)
{
    const char *arguments[ARGUMENTS_MAX + 4] = {
        "-c", "exec \"$0\" -lf /proc/self/fd/9 \"$@\" 9>&2 2>&5 5>&-", program_file()};
    for (int i = 0; launch->arguments[i] != NULL; i++)
        arguments[3 + i] = launch->arguments[i];
    launch->arguments = arguments;
    launch->program = "sh";
    launch->further[1] = fd;
    return program_launch(harness, launch);
}

static struct program *start(const struct stream_end *left, const struct stream_end *right,
                             const char *const *arguments)
{
    int in = standard(left, right, 0), out = standard(left, right, 1);
    int errors = standard(left, right, 2);
    struct launch launch = {
        .arguments = arguments,
        .in = in > 0 ? in : STREAM_PIPE,
        .out = out > 0 ? out : STREAM_NULL,
        .extra = left->given,
        .further = {right->given},
    };
    return errors > 0 ? start_with_stderr(&launch, left->harness, errors)
                      : program_launch(left->harness, &launch);
}

struct stream_end stream_end(struct harness *harness, const struct stream_setup *setup,
                             const struct stream_kind *kind, bool right)
{
    return (struct stream_end){
        .harness = harness,
        .setup = setup,
        .kind = kind,
        .side = right ? "right" : "left",
        .number = right ? 4 : 3,
    };
}

/* Of two parts, the one that is read gets the options. */
static const char *prepare(struct stream_end *end, const char *options)
{
    const char *address = end->kind->prepare(end);
    const char *behind = (end->kind->traits & STREAM_DUAL) != 0 ? strstr(address, "!!") : "";
    return text(end->harness, "%.*s%s%s", (int)(strlen(address) - strlen(behind)), address, options,
                behind);
}

static void attach(struct stream_end *end, struct program *program)
{
    if (end->kind->attach != NULL)
        end->kind->attach(end, program);
}

struct program *stream_pair_open(struct stream_end *left, struct stream_end *right,
                                 const char *const *flags, const char *left_options,
                                 const char *right_options)
{
    const char *arguments[ARGUMENTS_MAX + 1] = {NULL};
    size_t count = 0;

    while (flags[count] != NULL && count < ARGUMENTS_MAX - 2) {
        arguments[count] = flags[count];
        count++;
    }
    left->messages = right->messages = uses_stderr(left) || uses_stderr(right) ? MESSAGES : 0;
    arguments[count++] = prepare(left, left_options);
    arguments[count] = prepare(right, right_options);
    struct program *program = start(left, right, arguments);
    attach(left, program);
    attach(right, program);
    if (left->kind->late || right->kind->late)
        program_logs(program, " N starting data transfer loop");
    return program;
}

bool stream_end_is_tests(const struct stream_end *end)
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
    if (stream_end_is_tests(left))
        flows[count++] = flow_between(left, stream_end_is_tests(right) ? right : left, 1, open_end);
    if (stream_end_is_tests(right))
        flows[count++] = flow_between(right, stream_end_is_tests(left) ? left : right, 2, open_end);
    flows_run(left->harness, flows, count);
}

void stream_end_leave(struct stream_end *end)
{
    if (!stream_end_is_tests(end))
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
    stream_end_leave(first);
    if (second->kind->closing == CLOSES_BY_HALVES)
        peer_receives_end(second->harness, second->read_fd);
    stream_end_leave(second);
}

static void ends_well(const struct stream_end *end)
{
    if (end->helper != NULL)
        program_ends(end->helper, 0);
}

void stream_pair_run(struct harness *harness, const struct stream_setup *setup,
                     const struct stream_kind *one, const struct stream_kind *other)
{
    static const char *const flags[] = {"-d", "-d", "-t", "20", NULL};
    struct stream_end left = stream_end(harness, setup, one, false);
    struct stream_end right = stream_end(harness, setup, other, true);
    bool whole = one->closing == CLOSES_WHOLE || other->closing == CLOSES_WHOLE;
    struct program *program = stream_pair_open(&left, &right, flags, "", "");

    move_all(&left, &right, whole);
    if (whole)
        leave_both(&left, &right);
    program_ends(program, 0);
    ends_well(&left);
    ends_well(&right);
}
