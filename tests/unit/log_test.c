/* Messages: what a line looks like, where it goes, and which lines there are. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

/* Doubles of syslog(3): what was sent last, and how it was opened. Optimised builds with fortified
 * libc functions call the second name. */
static char sent[LOG_LINE_MAX + 1];
static int sent_priority, opened_options, opened_facility;
static const char *opened_name;

void openlog(const char *name, int options, int facility)
{
    opened_name = name;
    opened_options = options;
    opened_facility = facility;
}

static void send_to_syslog(int priority, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static void send_to_syslog(int priority, const char *format, va_list arguments)
{
    sent_priority = priority;
    vsnprintf(sent, sizeof sent, format, arguments);
}

void(syslog)(int priority, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    send_to_syslog(priority, format, arguments);
    va_end(arguments);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list arguments;
    (void)flag;
    va_start(arguments, format);
    send_to_syslog(priority, format, arguments);
    va_end(arguments);
}

static int stderr_before = -1; /* standard error, while it is caught */
static int caught = -1;
static char text[8192];

static void release_stderr(void)
{
    if (stderr_before < 0)
        return;
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    stderr_before = -1;
}

static int setup(void **state)
{
    (void)state;
    log_to_stderr();
    log_set_program("test");
    log_set_level(MODCAT_WARNING);
    log_set_microseconds(false);
    log_set_hostname(false);
    log_set_format(LOG_FORMAT_TEXT);
    log_set_status(false);
    log_lower(0);
    sent[0] = '\0';
    caught = memfd_create("stderr", MFD_CLOEXEC);
    stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    return dup2(caught, STDERR_FILENO) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    release_stderr();
    close(caught);
    return 0;
}

/* All that was said on standard error so far, which is given back. */
static const char *said(void)
{
    ssize_t length = pread(caught, text, sizeof text - 1, 0);
    text[length < 0 ? 0 : length] = '\0';
    release_stderr();
    return text;
}

static bool like(const char *line, const char *pattern)
{
    regex_t expression;
    assert_int_equal(regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB), 0);
    bool matched = regexec(&expression, line, 0, NULL, 0) == 0;
    regfree(&expression);
    if (!matched)
        print_error("\"%s\" is not like \"%s\"\n", line, pattern);
    return matched;
}

#define DATE "^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"

static void a_line_has_date_program_pid_severity_and_text(void **state)
{
    (void)state;
    char pattern[100];
    snprintf(pattern, sizeof pattern, DATE " test\\[%d\\] E open 7: no\n$", (int)getpid());
    log_error("open %d: %s", 7, "no");
    assert_true(like(said(), pattern));
}

/* What does not change from line to line is kept, but no longer than it is true. */
static void each_line_goes_by_the_settings_of_its_time(void **state)
{
    (void)state;
    char pattern[300];
    pid_t parent = getpid(), child;
    log_error("1");
    child = fork();
    if (child == 0) {
        log_error("2");
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    log_set_program("other");
    log_error("3");
    setenv("HOSTNAME", "there", 1);
    log_set_hostname(true);
    log_warning("4");
    snprintf(pattern, sizeof pattern,
             " test\\[%d\\] E 1\n.* test\\[%d\\] E 2\n.* other\\[%d\\] E 3\n.* there "
             "other\\[%d\\] W 4\n$",
             (int)parent, (int)child, (int)parent, (int)parent);
    assert_true(like(said(), pattern));
}

static void microseconds_and_host_stand_in_their_places(void **state)
{
    (void)state;
    setenv("HOSTNAME", "here", 1);
    log_set_microseconds(true);
    log_set_hostname(true);
    log_warning("x");
    assert_true(like(said(), DATE "\\.[0-9]{6} here test\\[[0-9]+\\] W x\n$"));
}

static void the_host_name_comes_from_the_system_without_the_variable(void **state)
{
    (void)state;
    unsetenv("HOSTNAME");
    log_set_hostname(true);
    log_warning("x");
    assert_true(like(said(), DATE " [^ ]+ test\\[[0-9]+\\] W x\n$"));
}

static void the_level_decides_which_lines_there_are(void **state)
{
    (void)state;
    log_set_level(MODCAT_NOTICE);
    log_debug("not this");
    log_info("not this");
    log_notice("but this");
    modcat_log(MODCAT_FATAL, "and this");
    assert_true(log_shows(MODCAT_NOTICE));
    assert_false(log_shows(MODCAT_INFO));
    assert_true(like(said(), "^[^\n]* N but this\n[^\n]* F and this\n$"));
}

static void levels_out_of_range_are_taken_as_the_nearest(void **state)
{
    (void)state;
    log_set_level(99);
    assert_int_equal(log_level(), MODCAT_DEBUG);
    modcat_log((enum modcat_level)77, "x");
    log_set_level(-5);
    assert_int_equal(log_level(), MODCAT_FATAL);
    assert_true(like(said(), " D x\n$"));
}

static void lowering_shifts_severities_but_not_beyond_debug(void **state)
{
    (void)state;
    log_set_level(MODCAT_DEBUG);
    log_lower(1);
    log_error("error");
    log_debug("debug");
    log_lower(20);
    log_error("error");
    log_set_level(MODCAT_INFO);
    assert_false(log_shows(MODCAT_ERROR));
    assert_true(like(said(), "^[^\n]* W error\n[^\n]* D debug\n[^\n]* D error\n$"));
}

static void a_long_line_is_cut_and_keeps_its_newline(void **state)
{
    (void)state;
    char big[2000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    log_error("%s", big);
    const char *line = said();
    assert_int_equal(strlen(line), LOG_LINE_MAX + 1);
    assert_int_equal(line[LOG_LINE_MAX], '\n');
}

static void a_json_line_is_an_object_with_all_its_keys(void **state)
{
    (void)state;
    char pattern[300];
    setenv("HOSTNAME", "here", 1);
    log_set_format(LOG_FORMAT_JSON);
    log_warning("open \"%s\": %s\n", "a\\b", "no");
    snprintf(pattern, sizeof pattern,
             "^\\{\"time\":\"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}\\.[0-9]{6}Z\","
             "\"level\":\"warning\",\"program\":\"test\",\"pid\":%d,"
             "\"message\":\"open \\\\\"a\\\\\\\\b\\\\\": no\\\\u000a\",\"host\":\"here\"\\}\n$",
             (int)getpid());
    assert_true(like(said(), pattern));
}

/* What is cut is the message: the object ends as it should. */
static void a_long_json_line_stays_an_object(void **state)
{
    (void)state;
    char big[2000];
    memset(big, '\001', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    log_set_format(LOG_FORMAT_JSON);
    log_error("%s", big);
    assert_true(like(said(), "\"message\":\"(\\\\u0001){511,512}\",\"host\":\"[^\"]+\"\\}\n$"));
}

static void a_json_line_names_every_level(void **state)
{
    (void)state;
    static const char *const names[] = {"fatal", "error", "warning", "notice", "info", "debug"};
    log_set_format(LOG_FORMAT_JSON);
    log_set_level(MODCAT_DEBUG);
    for (int level = MODCAT_FATAL; level <= MODCAT_DEBUG; level++)
        modcat_log((enum modcat_level)level, "x");
    const char *line = said();
    for (size_t i = 0; i < MODCAT_COUNT(names); i++) {
        char wanted[50];
        snprintf(wanted, sizeof wanted, "\"level\":\"%s\"", names[i]);
        line = strstr(line, wanted);
        assert_non_null(line);
    }
}

static void a_line_with_a_form_of_its_own_is_not_changed(void **state)
{
    (void)state;
    log_set_level(MODCAT_FATAL);
    log_line("{\"a\":\"\303\274\"}");
    assert_string_equal(said(), "{\"a\":\"\303\274\"}\n");
}

static void a_status_line_is_wiped_out_once_before_a_message(void **state)
{
    (void)state;
    log_set_status(true);
    log_error("one");
    log_error("two");
    assert_true(like(said(), "^\r\033\\[K[^\r\n]* E one\n[^\r\n]* E two\n$"));
}

static void a_long_program_name_does_no_harm(void **state)
{
    (void)state;
    char big[2000];
    memset(big, 'p', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    log_set_program(big);
    log_error("x");
    log_set_program("test");
    assert_int_equal(strlen(said()), LOG_LINE_MAX + 1);
}

static void control_characters_are_hidden(void **state)
{
    (void)state;
    log_error("a\nb\tc\033[1md\177e\303\244");
    assert_true(like(said(), " E a\\?b c\\?\\[1md\\?e\303\244\n$"));
}

/* C1, bytes that are no UTF-8, and marks that turn the direction of writing. */
static void what_steers_a_terminal_without_a_control_character_of_ascii_is_hidden(void **state)
{
    (void)state;
    log_error("%s", "a\302\233b\233c\342\200\256d\303e\302\240");
    assert_true(like(said(), " E a\\?\\?b\\?c\\?\\?\\?d\\?e\302\240\n$"));
}

static void a_character_that_is_cut_in_two_is_hidden(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        char long_text[LOG_LINE_MAX + 10] = "ab";
        for (size_t at = shift; at + 3 < sizeof long_text; at += 3)
            memcpy(long_text + at, "\342\202\254", 4);
        log_error("%s", long_text);
        const char *line = said();
        size_t length = strlen(line);
        assert_int_equal(length, LOG_LINE_MAX + 1);
        assert_true(line[length - 2] == '?' || line[length - 2] == '\254');
        assert_true(line[length - 2] != '?' || line[length - 3] == '?' ||
                    line[length - 3] == '\254');
    }
}

static void errno_is_kept(void **state)
{
    (void)state;
    errno = ENOTDIR;
    log_error("x");
    assert_int_equal(errno, ENOTDIR);
    close(STDERR_FILENO);
    log_error("x");
    int after = errno;
    said();
    assert_int_equal(after, ENOTDIR);
}

static void each_line_is_one_write(void **state)
{
    (void)state;
    int pair[2];
    char line[LOG_LINE_MAX + 10];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    dup2(pair[0], STDERR_FILENO);
    log_error("first");
    log_error("second");
    release_stderr();
    ssize_t first = recv(pair[1], line, sizeof line, MSG_DONTWAIT);
    assert_true(first > 0 && line[first - 1] == '\n');
    ssize_t second = recv(pair[1], line, sizeof line, MSG_DONTWAIT);
    assert_true(second == first + 1 && line[second - 1] == '\n');
    close(pair[0]);
    close(pair[1]);
}

/* As many whole lines as a pipe takes in one piece, and all of them at the end. */
static void held_lines_are_written_together(void **state)
{
    (void)state;
    int pair[2];
    static char lines[2 * PIPE_BUF];
    ssize_t length = 0, count = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    dup2(pair[0], STDERR_FILENO);
    log_hold();
    log_error("first");
    assert_int_equal(recv(pair[1], lines, sizeof lines, MSG_DONTWAIT), -1);
    log_error("second");
    errno = ENOTDIR;
    log_release();
    assert_int_equal(errno, ENOTDIR);
    length = recv(pair[1], lines, sizeof lines - 1, MSG_DONTWAIT);
    assert_true(length > 0);
    lines[length] = '\0';
    assert_true(like(lines, " E first\n.* E second\n$"));
    log_hold();
    for (int i = 0; i < 100; i++)
        log_error("line %d", i);
    log_release();
    log_error("the last");
    release_stderr();
    while ((length = recv(pair[1], lines, sizeof lines, MSG_DONTWAIT)) > 0) {
        assert_true(length <= PIPE_BUF && lines[length - 1] == '\n');
        for (ssize_t i = 0; i < length; i++)
            count += lines[i] == '\n';
    }
    assert_int_equal(count, 101);
    close(pair[0]);
    close(pair[1]);
}

static void a_file_replaces_standard_error_and_is_appended_to(void **state)
{
    (void)state;
    char path[256];
    const char *parent = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/log_test.XXXXXX", parent != NULL ? parent : "/tmp");
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "before\n", 7), 7);
    assert_int_equal(log_to_file(path), 0);
    log_error("to the file");
    log_to_stderr();
    log_error("not to the file");
    assert_true(like(said(), "^[^\n]* E not to the file\n$"));
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    text[length < 0 ? 0 : length] = '\0';
    assert_true(like(text, "^before\n[^\n]* E to the file\n$"));
    unlink(path);
    close(fd);
}

static void a_file_that_cannot_be_opened_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(log_to_file("/nowhere/at/all"), -1);
    assert_int_equal(errno, ENOENT);
    log_error("still here");
    assert_true(like(said(), " E still here\n$"));
}

static void an_unknown_facility_is_refused(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(log_to_syslog("daemons"), -1);
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_int_equal(log_set_mixed("local8"), -1);
    assert_int_equal(errno, EINVAL);
}

static void without_mixed_mode_a_switch_is_an_info(void **state)
{
    (void)state;
    log_set_level(MODCAT_INFO);
    log_switch("starting accept loop");
    log_error("still here");
    assert_true(like(said(), "^[^\n]* I starting accept loop\n[^\n]* E still here\n$"));
}

static void mixed_mode_moves_to_syslog_once(void **state)
{
    (void)state;
    log_set_level(MODCAT_INFO);
    assert_int_equal(log_set_mixed("LOCAL3"), 0);
    log_switch("starting accept loop");
    assert_string_equal(sent, "");
    assert_int_equal(opened_facility, LOG_LOCAL3);
    log_switch("starting transfer");
    assert_string_equal(sent, "I starting transfer");
    assert_int_equal(sent_priority, LOG_INFO);
    assert_true(like(said(), "^[^\n]* I starting accept loop, switching to syslog\n$"));
}

static void syslog_gets_letter_and_text_instead_of_standard_error(void **state)
{
    (void)state;
    assert_int_equal(log_to_syslog(""), 0);
    assert_string_equal(opened_name, "test");
    assert_int_equal(opened_options, LOG_PID);
    assert_int_equal(opened_facility, LOG_DAEMON);
    modcat_log(MODCAT_FATAL, "a\n%%s%d", 5);
    assert_int_equal(sent_priority, LOG_CRIT);
    assert_string_equal(sent, "F a?%s5");
    assert_string_equal(said(), "");
}

static void standard_error_can_be_added_to_syslog(void **state)
{
    (void)state;
    assert_int_equal(log_to_syslog("user"), 0);
    log_to_stderr();
    log_set_program("other");
    log_warning("both");
    assert_string_equal(opened_name, "other");
    assert_string_equal(sent, "W both");
    assert_true(like(said(), " W both\n$"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    /* Syslog stays open once it was asked for, so its tests come last. */
    const struct CMUnitTest tests[] = {
        TEST(a_line_has_date_program_pid_severity_and_text),
        TEST(each_line_goes_by_the_settings_of_its_time),
        TEST(microseconds_and_host_stand_in_their_places),
        TEST(the_host_name_comes_from_the_system_without_the_variable),
        TEST(the_level_decides_which_lines_there_are),
        TEST(levels_out_of_range_are_taken_as_the_nearest),
        TEST(lowering_shifts_severities_but_not_beyond_debug),
        TEST(a_long_line_is_cut_and_keeps_its_newline),
        TEST(a_json_line_is_an_object_with_all_its_keys),
        TEST(a_long_json_line_stays_an_object),
        TEST(a_json_line_names_every_level),
        TEST(a_line_with_a_form_of_its_own_is_not_changed),
        TEST(a_status_line_is_wiped_out_once_before_a_message),
        TEST(a_long_program_name_does_no_harm),
        TEST(control_characters_are_hidden),
        TEST(what_steers_a_terminal_without_a_control_character_of_ascii_is_hidden),
        TEST(a_character_that_is_cut_in_two_is_hidden),
        TEST(errno_is_kept),
        TEST(each_line_is_one_write),
        TEST(held_lines_are_written_together),
        TEST(a_file_replaces_standard_error_and_is_appended_to),
        TEST(a_file_that_cannot_be_opened_changes_nothing),
        TEST(an_unknown_facility_is_refused),
        TEST(without_mixed_mode_a_switch_is_an_info),
        TEST(mixed_mode_moves_to_syslog_once),
        TEST(syslog_gets_letter_and_text_instead_of_standard_error),
        TEST(standard_error_can_be_added_to_syslog),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
