/* Waiting: the same answers for small descriptors and for those beyond the reach of select(2). */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/signals.h"
#include "core/base/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <modcat/driver.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define SHORT_WHILE (MODCAT_SECOND / 50)
/* Nothing should take so long. */
#define LONG_WHILE (20 * MODCAT_SECOND)

#define BEYOND_SELECT 1500

/* A pair of sockets; one descriptor is small, or beyond FD_SETSIZE. */
struct ends {
    int here;
    int there;
    bool beyond;
};

static int make_ends(void **state, bool beyond)
{
    static struct ends ends;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -1;
    ends = (struct ends){.here = pair[0], .there = pair[1], .beyond = beyond};
    if (beyond) {
        ends.here = fcntl(pair[0], F_DUPFD_CLOEXEC, BEYOND_SELECT);
        close(pair[0]);
    }
    *state = &ends;
    return ends.here >= 0 ? 0 : -1;
}

static int make_small_ends(void **state)
{
    return make_ends(state, false);
}

static int make_large_ends(void **state)
{
    return make_ends(state, true);
}

static int close_ends(void **state)
{
    struct ends *ends = *state;
    close(ends->here);
    if (ends->there >= 0)
        close(ends->there);
    return 0;
}

static void close_peer(struct ends *ends)
{
    close(ends->there);
    ends->there = -1;
}

static void fill(int fd)
{
    char block[4096] = {0};
    while (write(fd, block, sizeof block) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
}

static int wait_for(struct wait_entry *entry, long long delay)
{
    return wait_ready(entry, 1, wait_now() + delay);
}

static void tells_what_is_ready(void **state)
{
    struct ends *ends = *state;
    struct wait_entry entry = {.fd = ends->here, .events = POLLIN | POLLOUT};
    assert_int_equal(wait_for(&entry, LONG_WHILE), 1);
    assert_int_equal(entry.ready, POLLOUT);
    assert_int_equal(write(ends->there, "x", 1), 1);
    assert_int_equal(wait_for(&entry, LONG_WHILE), 1);
    assert_int_equal(entry.ready, POLLIN | POLLOUT);
}

static void tells_only_what_was_asked(void **state)
{
    struct ends *ends = *state;
    assert_int_equal(write(ends->there, "x", 1), 1);
    struct wait_entry entry = {.fd = ends->here, .events = POLLIN};
    assert_int_equal(wait_for(&entry, LONG_WHILE), 1);
    assert_int_equal(entry.ready, POLLIN);
    entry.events = POLLOUT;
    assert_int_equal(wait_for(&entry, LONG_WHILE), 1);
    assert_int_equal(entry.ready, POLLOUT);
}

static void returns_at_the_deadline(void **state)
{
    struct ends *ends = *state;
    struct wait_entry entry = {.fd = ends->here, .events = POLLIN, .ready = POLLIN};
    long long begin = wait_now();
    assert_int_equal(wait_for(&entry, SHORT_WHILE), 0);
    assert_true(wait_now() - begin >= SHORT_WHILE);
    assert_true(wait_now() - begin < LONG_WHILE);
    assert_int_equal(entry.ready, 0);
}

static void a_deadline_in_the_past_still_looks(void **state)
{
    struct ends *ends = *state;
    struct wait_entry entry = {.fd = ends->here, .events = POLLIN};
    assert_int_equal(wait_ready(&entry, 1, wait_now() - MODCAT_SECOND), 0);
    assert_int_equal(write(ends->there, "x", 1), 1);
    assert_int_equal(wait_ready(&entry, 1, wait_now() - MODCAT_SECOND), 1);
    assert_int_equal(entry.ready, POLLIN);
    assert_int_equal(wait_ready(&entry, 1, 0), 1);
}

static void does_not_need_a_deadline(void **state)
{
    struct ends *ends = *state;
    struct wait_entry entry = {.fd = ends->here, .events = POLLOUT};
    assert_int_equal(wait_ready(&entry, 1, MODCAT_FOREVER), 1);
}

static void a_full_sink_is_not_ready(void **state)
{
    struct ends *ends = *state;
    struct wait_entry entry = {.fd = ends->here, .events = POLLOUT};
    fill(ends->here);
    assert_int_equal(wait_for(&entry, SHORT_WHILE), 0);
}

static void a_hang_up_makes_ready(void **state)
{
    struct ends *ends = *state;
    struct wait_entry entry = {.fd = ends->here, .events = POLLIN};
    close_peer(ends);
    assert_int_equal(wait_for(&entry, LONG_WHILE), 1);
    assert_int_equal(entry.ready, POLLIN);
}

static void a_hang_up_that_nobody_asked_for_is_waited_over(void **state)
{
    struct ends *ends = *state;
    struct wait_entry entry = {.fd = ends->here, .events = 0};
    close_peer(ends);
    long long begin = wait_now();
    assert_int_equal(wait_for(&entry, SHORT_WHILE), 0);
    assert_true(wait_now() - begin >= SHORT_WHILE);
}

static void tells_a_writer_that_the_other_end_has_gone(void **state)
{
    struct ends *ends = *state;
    struct wait_entry entry = {.fd = ends->here, .events = POLLERR};
    assert_int_equal(wait_for(&entry, SHORT_WHILE), 0);
    close_peer(ends);
    assert_int_equal(wait_for(&entry, LONG_WHILE), 1);
    assert_int_equal(entry.ready, POLLERR);
}

/* select(2) would not. */
static void a_full_terminal_without_a_user_is_ready(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios raw;
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int user = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(user >= 0 && tcgetattr(user, &raw) == 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(user, TCSANOW, &raw), 0);
    struct wait_entry entry = {.fd = master, .events = POLLOUT};
    do
        fill(master);
    while (wait_for(&entry, SHORT_WHILE) > 0);
    close(user);
    assert_int_equal(wait_for(&entry, LONG_WHILE), 1);
    close(master);
}

static void counts_entries_not_events(void **state)
{
    struct ends *ends = *state;
    assert_int_equal(write(ends->there, "x", 1), 1);
    struct wait_entry entries[] = {
        {.fd = ends->here, .events = POLLIN},
        {.fd = ends->there, .events = POLLIN},
        {.fd = -1, .events = POLLIN | POLLOUT},
        {.fd = ends->here, .events = POLLIN | POLLOUT},
    };
    assert_int_equal(wait_ready(entries, 4, wait_now() + LONG_WHILE), 2);
    assert_int_equal(entries[0].ready, POLLIN);
    assert_int_equal(entries[1].ready, 0);
    assert_int_equal(entries[2].ready, 0);
    assert_int_equal(entries[3].ready, POLLIN | POLLOUT);
}

static void a_bad_descriptor_is_an_error(void **state)
{
    struct ends *ends = *state;
    int closed = fcntl(ends->here, F_DUPFD_CLOEXEC, ends->beyond ? BEYOND_SELECT : 0);
    close(closed);
    struct wait_entry entries[] = {
        {.fd = ends->here, .events = POLLIN},
        {.fd = closed, .events = POLLIN},
    };
    errno = 0;
    assert_int_equal(wait_ready(entries, 2, wait_now() + LONG_WHILE), -1);
    assert_int_equal(errno, EBADF);
}

static void a_signal_that_came_just_before_is_not_lost(void **state)
{
    struct ends *ends = *state;
    struct wait_entry entry = {.fd = ends->here, .events = POLLIN};
    assert_int_equal(raise(SIGUSR1), 0);
    assert_false(signals_take_statistics());
    long long begin = wait_now();
    assert_int_equal(wait_for(&entry, LONG_WHILE), -1);
    assert_int_equal(errno, EINTR);
    assert_true(wait_now() - begin < LONG_WHILE);
    assert_true(signals_take_statistics());
    assert_int_equal(wait_for(&entry, SHORT_WHILE), 0);
}

static void time_alone_can_be_waited_for(void **state)
{
    (void)state;
    struct wait_entry entry = {.fd = -1, .events = POLLIN};
    long long begin = wait_now();
    assert_int_equal(wait_ready(NULL, 0, begin + SHORT_WHILE), 0);
    assert_int_equal(wait_ready(&entry, 1, begin + 2 * SHORT_WHILE), 0);
    assert_true(wait_now() - begin >= 2 * SHORT_WHILE);
}

static int allow_large_descriptors(void **state)
{
    (void)state;
    struct rlimit limit;
    if (signals_start(SIGNALS_DEFAULT_MASK) < 0)
        return -1;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    if (limit.rlim_cur > BEYOND_SELECT + 10)
        return 0;
    limit.rlim_cur = BEYOND_SELECT + 10;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

#define BOTH_WAYS(test)                                                                            \
    {#test " (small)", test, make_small_ends, close_ends, NULL},                                   \
    {                                                                                              \
#test " (large)", test, make_large_ends, close_ends, NULL                                  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(tells_what_is_ready),
        BOTH_WAYS(tells_only_what_was_asked),
        BOTH_WAYS(returns_at_the_deadline),
        BOTH_WAYS(a_deadline_in_the_past_still_looks),
        BOTH_WAYS(does_not_need_a_deadline),
        BOTH_WAYS(a_full_sink_is_not_ready),
        BOTH_WAYS(a_hang_up_makes_ready),
        BOTH_WAYS(a_hang_up_that_nobody_asked_for_is_waited_over),
        BOTH_WAYS(tells_a_writer_that_the_other_end_has_gone),
        BOTH_WAYS(counts_entries_not_events),
        BOTH_WAYS(a_bad_descriptor_is_an_error),
        BOTH_WAYS(a_signal_that_came_just_before_is_not_lost),
        cmocka_unit_test(time_alone_can_be_waited_for),
        cmocka_unit_test(a_full_terminal_without_a_user_is_ready),
    };
    return cmocka_run_group_tests(tests, allow_large_descriptors, NULL);
}
