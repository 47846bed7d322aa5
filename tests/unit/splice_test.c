/* Which way bytes can take inside the kernel, and that none is lost on it. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/relay/splice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Kinds of descriptors, as a source and as a sink. */
enum kind { PIPE, UNIX_SOCKET, BLOCKING_SOCKET, PLAIN_FILE, APPENDED_FILE, DEVICE };

/* `fds[0]` is read, `fds[1]` written. */
static void make(enum kind kind, int fds[2])
{
    int flags = kind == APPENDED_FILE ? O_APPEND : 0;
    switch (kind) {
    case PIPE:
        assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        break;
    case UNIX_SOCKET:
    case BLOCKING_SOCKET:
        flags = kind == UNIX_SOCKET ? SOCK_NONBLOCK : 0;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0, fds), 0);
        break;
    case PLAIN_FILE:
    case APPENDED_FILE:
        fds[0] = memfd_create("splice", MFD_CLOEXEC);
        assert_int_equal(fcntl(fds[0], F_SETFL, flags), 0);
        fds[1] = dup(fds[0]);
        break;
    case DEVICE:
        fds[0] = open("/dev/zero", O_RDWR | O_CLOEXEC);
        fds[1] = dup(fds[0]);
        break;
    }
    assert_true(fds[0] >= 0 && fds[1] >= 0);
}

static void close_both(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static void plan(struct splice *splice, const struct modcat_endpoint *reader,
                 const struct modcat_endpoint *writer)
{
    struct modcat_opening opening = {.directions = 0};
    struct natures natures = {.count = 0};
    const struct opened source = {.opening = &opening, .endpoint = (void *)(uintptr_t)reader};
    const struct opened sink = {.opening = &opening, .endpoint = (void *)(uintptr_t)writer};
    splice_plan(splice, &source, &sink, &natures);
}

static enum splice_way way_between(enum kind from, enum kind to, unsigned flags)
{
    int source[2], sink[2];
    struct splice splice;
    make(from, source);
    make(to, sink);
    const struct modcat_endpoint reader = {.read_fd = source[0], .write_fd = -1, .flags = flags};
    const struct modcat_endpoint writer = {.read_fd = -1, .write_fd = sink[1]};
    plan(&splice, &reader, &writer);
    splice_free(&splice);
    close_both(source);
    close_both(sink);
    return splice.way;
}

static void the_way_follows_from_both_ends(void **state)
{
    static const struct {
        enum kind from, to;
        enum splice_way way;
    } rows[] = {
        {PIPE, PIPE, SPLICE_STRAIGHT},
        {PIPE, UNIX_SOCKET, SPLICE_STRAIGHT},
        {UNIX_SOCKET, PIPE, SPLICE_STRAIGHT},
        {PLAIN_FILE, PIPE, SPLICE_STRAIGHT},
        {PIPE, PLAIN_FILE, SPLICE_STRAIGHT},
        {UNIX_SOCKET, PLAIN_FILE, SPLICE_THROUGH},
        {PLAIN_FILE, PLAIN_FILE, SPLICE_THROUGH},
        {PIPE, APPENDED_FILE, SPLICE_NOT},
        {BLOCKING_SOCKET, PIPE, SPLICE_NOT},
        {PIPE, BLOCKING_SOCKET, SPLICE_NOT},
        {DEVICE, PIPE, SPLICE_NOT},
        {PIPE, DEVICE, SPLICE_NOT},
    };
    (void)state;
    for (size_t i = 0; i < MODCAT_COUNT(rows); i++)
        if (way_between(rows[i].from, rows[i].to, 0) != rows[i].way)
            fail_msg("row %zu is %s", i, splice_way_name(way_between(rows[i].from, rows[i].to, 0)));
}

static void messages_are_never_spliced(void **state)
{
    (void)state;
    assert_int_equal(way_between(UNIX_SOCKET, PIPE, MODCAT_END_MESSAGES), SPLICE_NOT);
}

/* By a pipe of its own: what the sink does not take is still there, and can be taken back. */
static void what_is_in_the_pipe_can_be_taken_back(void **state)
{
    char buffer[20];
    int source[2], sink[2];
    struct splice splice;
    (void)state;
    make(UNIX_SOCKET, source);
    make(PLAIN_FILE, sink);
    const struct modcat_endpoint reader = {.read_fd = source[0], .write_fd = -1};
    const struct modcat_endpoint writer = {.read_fd = -1, .write_fd = sink[1]};
    plan(&splice, &reader, &writer);
    assert_int_equal(splice.way, SPLICE_THROUGH);
    assert_int_equal(splice.pipe[0], -1);
    assert_true(splice_prepare(&splice));
    assert_int_equal(write(source[1], "abcdef", 6), 6);
    assert_int_equal(splice_from(&splice, source[0], sink[1], 100), 6);
    assert_int_equal(splice.held, 6);
    splice.held = 2;
    assert_int_equal(splice_to(&splice, sink[1]), 2);
    splice.held = 4;
    assert_int_equal(splice_take_back(&splice, buffer, sizeof buffer), 4);
    assert_memory_equal(buffer, "cdef", 4);
    assert_int_equal(splice.held, 0);
    assert_int_equal(pread(sink[0], buffer, sizeof buffer, 0), 2);
    assert_memory_equal(buffer, "ab", 2);
    splice_free(&splice);
    assert_int_equal(splice.pipe[1], -1);
    close_both(source);
    close_both(sink);
}

static void a_straight_move_makes_no_pipe(void **state)
{
    char buffer[20];
    int source[2], sink[2];
    struct splice splice;
    (void)state;
    make(PIPE, source);
    make(UNIX_SOCKET, sink);
    const struct modcat_endpoint reader = {.read_fd = source[0], .write_fd = -1};
    const struct modcat_endpoint writer = {.read_fd = -1, .write_fd = sink[1]};
    plan(&splice, &reader, &writer);
    assert_true(splice_prepare(&splice));
    assert_int_equal(splice.pipe[0], -1);
    assert_int_equal(write(source[1], "abc", 3), 3);
    assert_int_equal(splice_from(&splice, source[0], sink[1], 2), 2);
    assert_int_equal(splice.held, 0);
    assert_int_equal(splice_from(&splice, source[0], sink[1], 100), 1);
    assert_int_equal(splice_from(&splice, source[0], sink[1], 100), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(read(sink[0], buffer, sizeof buffer), 3);
    assert_memory_equal(buffer, "abc", 3);
    close(source[1]);
    assert_int_equal(splice_from(&splice, source[0], sink[1], 100), 0);
    splice_free(&splice);
    close(source[0]);
    close_both(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_follows_from_both_ends),
        cmocka_unit_test(messages_are_never_spliced),
        cmocka_unit_test(what_is_in_the_pipe_can_be_taken_back),
        cmocka_unit_test(a_straight_move_makes_no_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
