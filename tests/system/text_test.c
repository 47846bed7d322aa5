/* TEXT and STALL, ends without a peer. */

#define _GNU_SOURCE
#include "tests/system/harness.h"

#include <string.h>

static void a_text_is_read_and_then_ends(void **state)
{
    struct program *program = program_start(*state, "-u", "TEXT:good morning", "STDOUT", NULL);
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "good morning");
}

static void a_quoted_text_may_hold_anything(void **state)
{
    struct program *program = program_start(*state, "-u", "TEXT:\"a:b,c\\n\"", "STDOUT", NULL);
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "a:b,c\n");
}

static void a_long_text_arrives_as_a_whole(void **state)
{
    struct harness *harness = *state;
    size_t length = 30000;
    char *long_text = memory(harness, length + 1);
    memset(long_text, 'x', length);
    long_text[length] = '\0';
    struct program *program =
        program_start(harness, "-u", text(harness, "TEXT:%s", long_text), "STDOUT", NULL);
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), long_text);
}

static void what_is_written_to_a_text_is_printed(void **state)
{
    struct program *program = program_start(*state, "STDIN!!TEXT:unread", "TEXT:hello", NULL);
    program_send(program, "typed");
    program_end_input(program);
    program_ends(program, 0);
    size_t length;
    assert_non_null(strstr(program_output(program, &length), "typed"));
    assert_non_null(strstr(program_output(program, &length), "hello"));
    assert_int_equal(length, strlen("typedhello"));
}

static void each_peer_gets_the_text(void **state)
{
    struct harness *harness = *state;
    struct program *server = program_start(
        harness, "-d", "-d", "-U", "TCP4-LISTEN:0,bind=127.0.0.1,fork", "TEXT:the same", NULL);
    unsigned port = program_port(server);
    for (int i = 0; i < 3; i++) {
        struct program *client = program_start_helper(
            harness, "-u", text(harness, "TCP4:127.0.0.1:%u", port), "STDOUT", NULL);
        program_ends(client, 0);
        assert_string_equal(program_output(client, NULL), "the same");
    }
}

static void an_empty_text_is_refused_before_anything_is_opened(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "file");
    struct program *program =
        program_start(harness, "-u", "TEXT:", text(harness, "CREATE:%s", file), NULL);
    program_logs(program, " E TEXT: the string is empty");
    program_logs(program, "TEXT:");
    program_ends_logging(program, 1, "^");
    assert_false(file_exists(file));
}

static void a_text_takes_one_parameter(void **state)
{
    struct program *program = program_start(*state, "-u", "TEXT", "-", NULL);
    program_ends_logging(program, 1, "TEXT: wrong number of parameters (0 instead of 1): usage");
}

/* What would be lost in a peer that is slow is still in the pipe. */
static void a_stalled_end_takes_nothing(void **state)
{
    struct program *program = program_start(*state, "-d", "-d", "-u", "STDIN", "STALL", NULL);
    program_logs(program, "starting data transfer loop");
    program_send(program, "never taken");
    program_signal(program, 10);
    assert_true(program_logs(program, " 0 byte(s)") != NULL);
    program_signal(program, 15);
    program_ends(program, 143);
}

static void a_stalled_end_gives_nothing_until_the_time_is_over(void **state)
{
    struct program *program = program_start(*state, "-d", "-d", "-T", "0.2", "STALL", "-", NULL);
    program_logs(program, "inactivity timeout triggered");
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "");
}

static void a_session_with_a_stalled_end_closes_after_the_other_ends(void **state)
{
    struct program *program = program_start(*state, "-t", "0.1", "-", "STALL", NULL);
    program_end_input(program);
    program_ends(program, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_text_is_read_and_then_ends),
        SYSTEM_TEST(a_quoted_text_may_hold_anything),
        SYSTEM_TEST(a_long_text_arrives_as_a_whole),
        SYSTEM_TEST(what_is_written_to_a_text_is_printed),
        SYSTEM_TEST(each_peer_gets_the_text),
        SYSTEM_TEST(an_empty_text_is_refused_before_anything_is_opened),
        SYSTEM_TEST(a_text_takes_one_parameter),
        SYSTEM_TEST(a_stalled_end_takes_nothing),
        SYSTEM_TEST(a_stalled_end_gives_nothing_until_the_time_is_over),
        SYSTEM_TEST(a_session_with_a_stalled_end_closes_after_the_other_ends),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
