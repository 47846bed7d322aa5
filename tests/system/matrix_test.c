/* Every type that carries a stream against every other: all bytes arrive, in both directions. */

#define _GNU_SOURCE
#include "tests/system/streams.h"
#include "tests/system/types.h"
#include "tests/system/workers.h"

#define LENGTH (1 << 20)

static struct stream_setup setup;

/* The kinds that are tested here. */
static const struct stream_kind **kinds;
static size_t kind_count;

static void run_pair(struct harness *harness, size_t number)
{
    size_t left = number / kind_count, right = number % kind_count;
    if (types_in_order(left, right) && stream_pair_is_possible(kinds[left], kinds[right]))
        stream_pair_run(harness, &setup, kinds[left], kinds[right]);
}

/* The kernel test does the same with those types that take a special kernel. */
static void carries_all_bytes_between_every_two_types(void **state)
{
    setup = stream_setup(*state, LENGTH);
    kinds = stream_kinds_usual(*state, &kind_count);
    workers_run(&(struct work){.count = kind_count * kind_count, .piece = run_pair});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(carries_all_bytes_between_every_two_types),
    };
    return cmocka_run_group_tests_name("matrix", tests, NULL, NULL);
}
