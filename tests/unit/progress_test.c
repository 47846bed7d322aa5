/* The line of --progress: what stands in it. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/relay/progress.h"

#include <string.h>

static struct flow flows[2];
static struct progress progress;

static int setup(void **state)
{
    (void)state;
    memset(flows, 0, sizeof flows);
    flows[0].state = FLOW_OPEN;
    progress = (struct progress){.flows = flows};
    return 0;
}

static void check(unsigned long long right, unsigned long long left, double rate, long long seconds,
                  const char *expected)
{
    char line[256];
    const unsigned long long bytes[] = {right, left};
    const double rates[] = {rate, rate / 1024};
    int length =
        progress_format(line, sizeof line, &progress, bytes, rates, seconds * MODCAT_SECOND);
    assert_string_equal(line, expected);
    assert_int_equal(length, strlen(line));
}

static void one_direction_is_bytes_rate_and_time(void **state)
{
    (void)state;
    check(0, 0, 0, 0, "0 B 0 B/s  0:00");
    check(1023, 0, 1024, 59, "1023 B 1.0 KiB/s  0:59");
    check(5ULL << 30, 0, 300.0 * 1024 * 1024, 3725, "5.0 GiB 300 MiB/s  1:02:05");
}

static void both_directions_are_told_apart(void **state)
{
    (void)state;
    flows[1].state = FLOW_OPEN;
    check(2048, 7, 1024, 2, "> 2.0 KiB 1.0 KiB/s  < 7 B 1 B/s  0:02");
}

static void a_known_size_gives_share_and_time_left(void **state)
{
    (void)state;
    progress.total_known = true;
    progress.total = 4000;
    check(1000, 0, 100, 10, "1000 B 100 B/s  0:10  25%  ETA 0:30");
    check(0, 0, 0, 1, "0 B 0 B/s  0:01  0%");
    check(4000, 0, 100, 40, "3.9 KiB 100 B/s  0:40  100%");
}

/* The file grows while it is read. */
static void more_than_the_known_size_gives_no_share(void **state)
{
    (void)state;
    progress.total_known = true;
    progress.total = 10;
    check(11, 0, 1, 1, "11 B 1 B/s  0:01");
}

static void the_measured_flow_may_be_the_other_one(void **state)
{
    (void)state;
    flows[1].state = FLOW_OPEN;
    progress.total_known = true;
    progress.total = 100;
    progress.measured = 1;
    check(0, 50, 0, 5, "> 0 B 0 B/s  < 50 B 0 B/s  0:05  50%  ETA 0:05");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_direction_is_bytes_rate_and_time, setup),
        cmocka_unit_test_setup(both_directions_are_told_apart, setup),
        cmocka_unit_test_setup(a_known_size_gives_share_and_time_left, setup),
        cmocka_unit_test_setup(more_than_the_known_size_gives_no_share, setup),
        cmocka_unit_test_setup(the_measured_flow_may_be_the_other_one, setup),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
