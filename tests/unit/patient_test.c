/* Descriptors that others share: what polls as ready may be gone when it is asked for. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/patient.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Doubles: everything is always ready, and the kernel knows no other way to find out. */
int poll(struct pollfd *entries, nfds_t count, int timeout)
{
    (void)timeout;
    for (nfds_t i = 0; i < count; i++)
        entries[i].revents = POLLIN | POLLOUT;
    return (int)count;
}

ssize_t preadv2(int fd, const struct iovec *pieces, int count, off_t offset, int flags)
{
    (void)fd, (void)pieces, (void)count, (void)offset, (void)flags;
    errno = EOPNOTSUPP;
    return -1;
}

ssize_t pwritev2(int fd, const struct iovec *pieces, int count, off_t offset, int flags)
{
    return preadv2(fd, pieces, count, offset, flags);
}

static void a_read_that_would_wait_does_not(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(patient_read(ends[0], &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(patient_read(ends[0], &byte, 1), 1);
    close(ends[0]);
    close(ends[1]);
}

static void a_write_that_would_wait_does_not(void **state)
{
    (void)state;
    int ends[2];
    char block[4096] = "";
    assert_int_equal(pipe(ends), 0);
    while (patient_write(ends[1], block, sizeof block) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(read(ends[0], block, sizeof block), (int)sizeof block);
    assert_int_equal(patient_write(ends[1], block, sizeof block), (int)sizeof block);
    close(ends[0]);
    close(ends[1]);
}

static void an_accept_that_would_wait_does_not(void **state)
{
    (void)state;
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof local), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(patient_accept(fd, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC), -1);
    assert_int_equal(errno, EAGAIN);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_that_would_wait_does_not),
        cmocka_unit_test(a_write_that_would_wait_does_not),
        cmocka_unit_test(an_accept_that_would_wait_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
