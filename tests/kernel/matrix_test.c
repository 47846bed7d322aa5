/* The types that carry a stream and take a special kernel, against every other type and each other:
 * all bytes arrive, in both directions. */

#define _GNU_SOURCE
#include "tests/kernel/kernel.h"
#include "tests/system/streams.h"
#include "tests/system/types.h"
#include "tests/system/workers.h"

#define LENGTH (1 << 20)

static struct stream_setup setup;

struct pair {
    const struct stream_kind *one;
    const struct stream_kind *other;
};
static struct pair *pairs;
static size_t pair_count;

static bool is_chosen(const struct stream_kind *one, const struct stream_kind *other)
{
    return types_in_order((size_t)(one - stream_kinds), (size_t)(other - stream_kinds)) &&
           (one->rare || other->rare) && stream_pair_is_possible(one, other);
}

static void choose_pairs(struct harness *harness)
{
    const size_t all = stream_kind_count * stream_kind_count;
    const char *const *types = types_of_program(harness);
    pairs = memory(harness, all * sizeof *pairs);
    for (size_t i = 0; i < all; i++) {
        const struct stream_kind *one = &stream_kinds[i / stream_kind_count];
        const struct stream_kind *other = &stream_kinds[i % stream_kind_count];
        if (is_chosen(one, other) && types_have(harness, types, one->types) &&
            types_have(harness, types, other->types))
            pairs[pair_count++] = (struct pair){one, other};
    }
}

static void run_pair(struct harness *harness, size_t number)
{
    stream_pair_run(harness, &setup, pairs[number].one, pairs[number].other);
}

static void carries_all_bytes_between_these_and_every_other_type(void **state)
{
    setup = stream_setup(*state, LENGTH);
    choose_pairs(*state);
    print_message("%zu pairs\n", pair_count);
    workers_run(&(struct work){.count = pair_count, .piece = run_pair});
}

static int run_inside(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(carries_all_bytes_between_these_and_every_other_type),
    };
    return cmocka_run_group_tests_name("matrix in a kernel", tests, NULL, NULL);
}

int main(int count, char **arguments)
{
    return kernel_main(count, arguments, run_inside);
}
