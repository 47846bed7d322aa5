#define _GNU_SOURCE
#include "core/options/effects.h"
#include "core/values/values.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

/* The last complaint. */
static char complaint[400];

int modcat_fail(const struct modcat_opening *opening, const char *format, ...)
{
    (void)opening;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint, sizeof complaint, format, arguments);
    va_end(arguments);
    return -1;
}

static struct modcat_opening opening;

/* Parses `text` as the option's type says, and carries the option out. */
static int carry_out(int fd, const struct modcat_option *option, const char *text)
{
    struct modcat_value value;
    void *storage;
    char reason[300];
    complaint[0] = '\0';
    assert_int_equal(values_parse(option->type, NULL, option->name, text, &value, &storage, reason,
                                  sizeof reason),
                     0);
    int result = effects_carry_out(&opening, fd, option, &value);
    free(storage);
    return result;
}

static int open_socket(void **state)
{
    int *fd = malloc(sizeof *fd);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *state = fd;
    return *fd >= 0 ? 0 : -1;
}

static int close_socket(void **state)
{
    close(*(int *)*state);
    free(*state);
    return 0;
}

static int socket_number(int fd, int name)
{
    int number = -1;
    socklen_t length = sizeof number;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, name, &number, &length), 0);
    return number;
}

#define SOCKET_OPTION(option)                                                                      \
    .name = "opt", .effect = MODCAT_SOCKOPT, .code = SOL_SOCKET, .detail = (option)

static void sets_socket_options_of_each_type(void **state)
{
    int fd = *(int *)*state;
    const struct modcat_option keepalive = {SOCKET_OPTION(SO_KEEPALIVE), .type = MODCAT_BOOL};
    assert_int_equal(carry_out(fd, &keepalive, NULL), 0);
    assert_int_equal(socket_number(fd, SO_KEEPALIVE), 1);

    const struct modcat_option timeout = {SOCKET_OPTION(SO_RCVTIMEO), .type = MODCAT_TIMEVAL};
    assert_int_equal(carry_out(fd, &timeout, "2"), 0);
    struct timeval time;
    socklen_t length = sizeof time;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &length), 0);
    assert_int_equal(time.tv_sec, 2);

    const struct modcat_option linger = {SOCKET_OPTION(SO_LINGER), .type = MODCAT_LINGER};
    assert_int_equal(carry_out(fd, &linger, "3"), 0);
    struct linger lingering;
    length = sizeof lingering;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_LINGER, &lingering, &length), 0);
    assert_int_equal(lingering.l_onoff, 1);
    assert_int_equal(lingering.l_linger, 3);
}

static void a_tuple_brings_its_own_level_and_name(void **state)
{
    int fd = *(int *)*state;
    const struct modcat_option by_int = {
        .name = "opt", .type = MODCAT_INT_INT_INT, .effect = MODCAT_SOCKOPT};
    char text[60];
    snprintf(text, sizeof text, "%d:%d:1", SOL_SOCKET, SO_KEEPALIVE);
    assert_int_equal(carry_out(fd, &by_int, text), 0);
    assert_int_equal(socket_number(fd, SO_KEEPALIVE), 1);

    const struct modcat_option by_data = {
        .name = "opt", .type = MODCAT_INT_INT_DATA, .effect = MODCAT_SOCKOPT};
    snprintf(text, sizeof text, "%d:%d:i0", SOL_SOCKET, SO_KEEPALIVE);
    assert_int_equal(carry_out(fd, &by_data, text), 0);
    assert_int_equal(socket_number(fd, SO_KEEPALIVE), 0);
}

static void an_absent_value_calls_nothing(void **state)
{
    (void)state;
    const struct modcat_option option = {SOCKET_OPTION(SO_REUSEADDR), .type = MODCAT_INT_OR_NONE};
    assert_int_equal(carry_out(-1, &option, ""), 0);
    assert_int_equal(carry_out(-1, &option, "1"), -1);
}

static void tells_which_socket_option_failed(void **state)
{
    int fd = *(int *)*state;
    char wanted[200];
    const struct modcat_option option = {
        .name = "opt", .type = MODCAT_INT_INT_INT, .effect = MODCAT_SOCKOPT};
    assert_int_equal(carry_out(fd, &option, "1:999:12"), -1);
    snprintf(wanted, sizeof wanted, "cannot set option opt: %s [setsockopt(%d, 1, 999, {12}, 4)]",
             strerror(ENOPROTOOPT), fd);
    assert_string_equal(complaint, wanted);
    assert_int_equal(errno, ENOPROTOOPT);

    const struct modcat_option device = {SOCKET_OPTION(SO_BINDTODEVICE), .type = MODCAT_STRING};
    assert_int_equal(carry_out(fd, &device, "no-such-if"), -1);
    snprintf(wanted, sizeof wanted, "[setsockopt(%d, 1, 25, {\"no-such-if\"}, 11)]", fd);
    assert_memory_equal(complaint, "cannot set option ", 18);
    assert_non_null(strstr(complaint, wanted));
}

static void tells_which_request_failed(void **state)
{
    (void)state;
    const struct modcat_option constant = {
        .name = "opt", .type = MODCAT_CONST, .effect = MODCAT_IOCTL, .code = 0x9999};
    assert_int_equal(carry_out(-1, &constant, NULL), -1);
    assert_string_equal(complaint,
                        "cannot set option opt: Bad file descriptor [ioctl(-1, 0x9999, NULL)]");

    const struct modcat_option number = {
        .name = "opt", .type = MODCAT_INT_INT, .effect = MODCAT_IOCTL};
    assert_int_equal(carry_out(-1, &number, "0x80086601:0"), -1);
    assert_string_equal(complaint,
                        "cannot set option opt: Bad file descriptor [ioctl(-1, 0x80086601, 0x0)]");
}

static void a_false_bool_requests_nothing(void **state)
{
    (void)state;
    const struct modcat_option option = {
        .name = "opt", .type = MODCAT_BOOL, .effect = MODCAT_IOCTL, .code = 0x9999};
    assert_int_equal(carry_out(-1, &option, "0"), 0);
}

static void requests_pass_numbers_by_their_address(void **state)
{
    int fd = *(int *)*state;
    const struct modcat_option option = {
        .name = "opt", .type = MODCAT_INT, .effect = MODCAT_IOCTL, .code = FIONBIO};
    assert_int_equal(carry_out(fd, &option, "1"), 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);

    const struct modcat_option tuple = {
        .name = "opt", .type = MODCAT_INT_INTP, .effect = MODCAT_IOCTL};
    char text[40];
    snprintf(text, sizeof text, "0x%x:0", FIONBIO);
    assert_int_equal(carry_out(fd, &tuple, text), 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
}

static void switches_status_flags(void **state)
{
    int fd = *(int *)*state;
    const struct modcat_option option = {.name = "opt",
                                         .type = MODCAT_BOOL,
                                         .effect = MODCAT_STATUS_FLAG,
                                         .code = O_NONBLOCK,
                                         .detail = O_NONBLOCK};
    assert_int_equal(carry_out(fd, &option, NULL), 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_int_equal(carry_out(fd, &option, "0"), 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
    assert_int_equal(carry_out(-1, &option, "1"), -1);
    assert_string_equal(complaint,
                        "cannot set option opt: Bad file descriptor [fcntl(-1, F_GETFL)]");
}

static void flags_replace_the_bits_they_stand_for(void **state)
{
    (void)state;
    const struct modcat_option access = {
        .type = MODCAT_BOOL, .code = O_ACCMODE, .detail = O_WRONLY};
    const struct modcat_value on = {.number = 1}, off = {.number = 0};
    assert_int_equal(effects_flags(O_RDWR | O_APPEND, &access, &on), O_WRONLY | O_APPEND);
    assert_int_equal(effects_flags(O_RDWR | O_APPEND, &access, &off), O_RDONLY | O_APPEND);
}

static void stores_settings_as_their_c_types(void **state)
{
    (void)state;
    const struct {
        struct modcat_option option;
        const char *text;
    } rows[] = {
        {{.name = "o", .type = MODCAT_BOOL, OPENING_SETTING(forever)}, "7"},
        {{.name = "o", .type = MODCAT_UINT, OPENING_SETTING(retry)}, "4294967295"},
        {{.name = "o", .type = MODCAT_INT, OPENING_SETTING(escape)}, "-5"},
        {{.name = "o", .type = MODCAT_SIZE, OPENING_SETTING(readbytes)}, "0x100000000"},
        {{.name = "o", .type = MODCAT_TIMESPEC, OPENING_SETTING(interval)}, "0.25"},
        {{.name = "o", .type = MODCAT_STRING, OPENING_SETTING(chdir)}, "/tmp"},
        {{.name = "o", .type = MODCAT_CONST, OPENING_SETTING(shut), .detail = SHUT_CLOSE}, NULL},
    };
    for (size_t i = 0; i < MODCAT_COUNT(rows); i++)
        assert_int_equal(carry_out(-1, &rows[i].option, rows[i].text), 0);
    assert_true(opening.set.forever);
    assert_int_equal(opening.set.retry, 4294967295u);
    assert_int_equal(opening.set.escape, -5);
    assert_int_equal(opening.set.readbytes, 0x100000000);
    assert_int_equal(opening.set.interval, MODCAT_SECOND / 4);
    assert_string_equal(opening.set.chdir, "/tmp");
    assert_int_equal(opening.set.shut, SHUT_CLOSE);
}

static int refuse_peer(struct modcat_opening *caller, int fd, const struct modcat_option *option,
                       const struct modcat_value *value)
{
    (void)caller, (void)option, (void)value;
    return fd == 7 ? 1 : 0;
}

static void a_call_may_refuse_a_peer(void **state)
{
    (void)state;
    const struct modcat_option option = {
        .name = "opt", .type = MODCAT_CONST, .effect = MODCAT_CALL, .apply = refuse_peer};
    assert_int_equal(carry_out(7, &option, NULL), 1);
    assert_int_equal(carry_out(8, &option, NULL), 0);
}

#define WITH_SOCKET(test) cmocka_unit_test_setup_teardown(test, open_socket, close_socket)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SOCKET(sets_socket_options_of_each_type),
        WITH_SOCKET(a_tuple_brings_its_own_level_and_name),
        cmocka_unit_test(an_absent_value_calls_nothing),
        WITH_SOCKET(tells_which_socket_option_failed),
        cmocka_unit_test(tells_which_request_failed),
        cmocka_unit_test(a_false_bool_requests_nothing),
        WITH_SOCKET(requests_pass_numbers_by_their_address),
        WITH_SOCKET(switches_status_flags),
        cmocka_unit_test(flags_replace_the_bits_they_stand_for),
        cmocka_unit_test(stores_settings_as_their_c_types),
        cmocka_unit_test(a_call_may_refuse_a_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
