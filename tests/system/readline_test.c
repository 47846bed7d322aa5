/* Lines that the user edits: keys, prompts, hidden lines, history, and the terminal at the end. */

#define _GNU_SOURCE
#include "tests/system/peers.h"
#include "tests/system/terminal.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRANSFER " N starting data transfer loop"

/* The program between a terminal and a server that is the test. */
struct talk {
    struct harness *harness;
    struct terminal *terminal;
    struct program *program;
    int server;
};

static struct talk talk_start(struct harness *harness, const char *options)
{
    struct talk talk = {.harness = harness, .terminal = terminal_open(harness)};
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);

    talk.program = terminal_start(talk.terminal, "-d", "-d", text(harness, "READLINE%s", options),
                                  text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    talk.server = peer_accept(harness, listener);
    program_logs(talk.program, " N using readline on stdin for reading and stdio for writing");
    program_logs(talk.program, TRANSFER);
    return talk;
}

static void talk_end(const struct talk *talk)
{
    terminal_type(talk->terminal, "\004");
    peer_receives_end(talk->harness, talk->server);
    harness_close(talk->harness, talk->server);
    program_ends(talk->program, 0);
    assert_true(terminal_is_as_before(talk->terminal));
}

static void lines_are_edited_and_delivered_whole(void **state)
{
    struct talk talk = talk_start(*state, "");

    terminal_type(talk.terminal, "helxx");
    terminal_shows(talk.terminal, "helxx");
    assert_true(peer_is_silent(talk.server));
    terminal_type(talk.terminal, "\x7f\x7flo\001>\r");
    peer_receives(talk.harness, talk.server, ">hello\n");
    terminal_type(talk.terminal, "two\rlines\r");
    peer_receives(talk.harness, talk.server, "two\nlines\n");
    talk_end(&talk);
}

static void an_earlier_line_comes_back(void **state)
{
    struct talk talk = talk_start(*state, "");

    terminal_type(talk.terminal, "first\rsecond\r");
    peer_receives(talk.harness, talk.server, "first\nsecond\n");
    terminal_type(talk.terminal, "\020\020\r");
    peer_receives(talk.harness, talk.server, "first\n");
    talk_end(&talk);
}

static void what_the_other_side_says_appears_above_the_line(void **state)
{
    struct talk talk = talk_start(*state, ",prompt=you> ");

    terminal_shows(talk.terminal, "you> ");
    terminal_type(talk.terminal, "half");
    terminal_shows(talk.terminal, "half");
    peer_send(talk.harness, talk.server, "news\n");
    terminal_shows(talk.terminal, "news\r\nyou> half");
    terminal_type(talk.terminal, " a line\r");
    peer_receives(talk.harness, talk.server, "half a line\n");
    talk_end(&talk);
}

static void an_unterminated_line_becomes_the_prompt(void **state)
{
    struct talk talk = talk_start(*state, "");

    peer_send(talk.harness, talk.server, "welcome\r\nname: ");
    terminal_shows(talk.terminal, "welcome\r");
    terminal_shows(talk.terminal, "name: ");
    terminal_type(talk.terminal, "me");
    terminal_shows(talk.terminal, "me");
    peer_send(talk.harness, talk.server, "\nnext: ");
    terminal_shows(talk.terminal, "name: \r\nnext: me");
    terminal_type(talk.terminal, "\r");
    peer_receives(talk.harness, talk.server, "me\n");
    talk_end(&talk);
}

static void with_noprompt_the_line_begins_in_the_first_column(void **state)
{
    struct talk talk = talk_start(*state, ",noprompt,noecho=name");

    peer_send(talk.harness, talk.server, "name: ");
    terminal_shows(talk.terminal, "name: \r\n");
    terminal_type(talk.terminal, "me\r");
    terminal_shows(talk.terminal, "me");
    peer_receives(talk.harness, talk.server, "me\n");
    talk_end(&talk);
}

static void a_line_behind_a_prompt_that_matches_is_hidden(void **state)
{
    struct harness *harness = *state;
    const char *history = path(harness, "history");
    struct talk talk =
        talk_start(harness, text(harness, ",noecho=^[Pp]assword,history=%s", history));

    peer_send(harness, talk.server, "login: ");
    terminal_shows(talk.terminal, "login: ");
    terminal_type(talk.terminal, "somebody\r");
    peer_receives(harness, talk.server, "somebody\n");
    terminal_shows(talk.terminal, "somebody");
    peer_send(harness, talk.server, "Password: ");
    terminal_shows(talk.terminal, "Password: ");
    terminal_type(talk.terminal, "Zyx\r");
    peer_receives(harness, talk.server, "Zyx\n");
    peer_send(harness, talk.server, "done\n");
    terminal_shows(talk.terminal, "done");
    terminal_type(talk.terminal, "shown\r");
    terminal_shows(talk.terminal, "shown");
    peer_receives(harness, talk.server, "shown\n");
    talk_end(&talk);
    assert_false(terminal_has_shown(talk.terminal, "Z"));
    assert_string_equal(file_read(harness, history), "somebody\nshown\n");
}

static void the_history_outlives_the_session(void **state)
{
    struct harness *harness = *state;
    const char *history = path(harness, "history");
    struct talk talk = talk_start(harness, text(harness, ",history-file=%s", history));

    terminal_type(talk.terminal, "remember\r\r");
    peer_receives(harness, talk.server, "remember\n\n");
    talk_end(&talk);
    assert_string_equal(file_read(harness, history), "remember\n");

    talk = talk_start(harness, text(harness, ",history=%s", history));
    terminal_type(talk.terminal, "\020\r");
    peer_receives(harness, talk.server, "remember\n");
    talk_end(&talk);
}

static void the_history_is_kept_when_a_signal_ends_it(void **state)
{
    struct harness *harness = *state;
    const char *history = path(harness, "history");
    struct talk talk = talk_start(harness, text(harness, ",history=%s", history));

    terminal_type(talk.terminal, "remember\r");
    peer_receives(harness, talk.server, "remember\n");
    program_signal(talk.program, SIGTERM);
    program_ends(talk.program, 143);
    assert_string_equal(file_read(harness, history), "remember\n");
}

static void every_signal_that_ends_it_leaves_the_terminal_as_before(void **state)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct talk talk = talk_start(*state, ",intr=5");

        terminal_type(talk.terminal, "half a line");
        terminal_shows(talk.terminal, "half a line");
        assert_false(terminal_is_as_before(talk.terminal));
        program_signal(talk.program, numbers[i]);
        program_ends(talk.program, 128 + numbers[i]);
        assert_true(terminal_is_as_before(talk.terminal));
    }
}

static void the_terminal_is_as_before_when_the_other_side_ends(void **state)
{
    struct talk talk = talk_start(*state, "");

    terminal_type(talk.terminal, "half");
    terminal_shows(talk.terminal, "half");
    harness_close(talk.harness, talk.server);
    program_ends(talk.program, 0);
    assert_true(terminal_is_as_before(talk.terminal));
}

/* On a narrower window the prompt is drawn again. */
static void a_new_window_size_redraws_the_line(void **state)
{
    struct talk talk = talk_start(*state, ",prompt=you> ");

    terminal_type(talk.terminal, "abc");
    terminal_shows(talk.terminal, "you> ");
    terminal_shows(talk.terminal, "abc");
    terminal_set_size(talk.terminal, 24, 40);
    program_signal(talk.program, SIGWINCH);
    terminal_shows(talk.terminal, "you> abc");
    terminal_type(talk.terminal, "\r");
    peer_receives(talk.harness, talk.server, "abc\n");
    talk_end(&talk);
}

/* As a shell does that has the terminal for itself in between. */
static void a_program_that_is_continued_edits_again(void **state)
{
    struct talk talk = talk_start(*state, "");
    long long deadline = milliseconds() + PATIENCE;

    terminal_type(talk.terminal, "abc");
    terminal_shows(talk.terminal, "abc");
    assert_int_equal(tcsetattr(talk.terminal->line, TCSANOW, &talk.terminal->before), 0);
    program_signal(talk.program, SIGCONT);
    while (terminal_is_as_before(talk.terminal))
        assert_true(milliseconds() < deadline);
    terminal_type(talk.terminal, "\x7f\r");
    peer_receives(talk.harness, talk.server, "ab\n");
    talk_end(&talk);
}

static void sigterm_ends_it_while_output_is_stopped(void **state)
{
    struct talk talk = talk_start(*state, "");

    assert_int_equal(tcflow(talk.terminal->line, TCOOFF), 0);
    peer_send(talk.harness, talk.server, "unseen\n");
    terminal_type(talk.terminal, "typed");
    program_signal(talk.program, SIGTERM);
    program_ends(talk.program, 143);
    assert_int_equal(tcflow(talk.terminal->line, TCOON), 0);
    assert_true(terminal_is_as_before(talk.terminal));
}

static void what_it_hears_after_the_users_end_is_shown(void **state)
{
    struct talk talk = talk_start(*state, "");

    terminal_type(talk.terminal, "\004");
    peer_receives_end(talk.harness, talk.server);
    peer_send(talk.harness, talk.server, "last words\n");
    terminal_shows(talk.terminal, "last words");
    harness_close(talk.harness, talk.server);
    program_ends(talk.program, 0);
    assert_true(terminal_is_as_before(talk.terminal));
}

static void without_a_terminal_lines_pass_as_they_are(void **state)
{
    struct program *program = program_start(*state, "READLINE,prompt=>", "PIPE", NULL);

    program_send(program, "one\ntwo\nunterminated");
    program_outputs(program, "one\ntwo\n");
    program_end_input(program);
    program_outputs(program, "unterminated\n");
    program_ends(program, 0);
}

/* Each row: two addresses, and the message that names what is wrong with them. */
static const struct {
    const char *first;
    const char *second;
    const char *message;
} mistakes[] = {
    {"READLINE:x", "PIPE", " E READLINE: wrong number of parameters (1 instead of 0)"},
    {"READLINE,noecho=(", "PIPE", " E cannot use the regular expression (: *[regcomp("},
    {"READLINE", "READLINE", " E READLINE can be used only once"},
};

static void each_mistake_is_named_and_leaves_the_terminal_as_before(void **state)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct terminal *terminal = terminal_open(*state);

        program_ends_logging(terminal_start(terminal, mistakes[i].first, mistakes[i].second, NULL),
                             1, mistakes[i].message);
        assert_true(terminal_is_as_before(terminal));
    }
}

static void a_history_that_can_not_be_read_is_a_warning(void **state)
{
    struct harness *harness = *state;
    struct talk talk = talk_start(harness, text(harness, ",history=%s", path(harness, ".")));

    assert_true(program_has_logged(talk.program, " W cannot read the history from \"*\": "));
    talk_end(&talk);
    assert_true(
        program_has_logged(talk.program, " W cannot write the history to \"*\": Is a directory"));
}

/* Neither waited for nor written to. */
static void a_fifo_in_place_of_a_history_is_left_alone(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    struct stat status;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    struct talk talk = talk_start(harness, text(harness, ",history=%s", fifo));
    assert_true(program_has_logged(talk.program,
                                   " W cannot read the history from \"*\": Invalid argument"));
    terminal_type(talk.terminal, "typed\r");
    peer_receives(harness, talk.server, "typed\n");
    talk_end(&talk);
    assert_true(
        program_has_logged(talk.program, " W cannot write the history to \"*\": No such device"));
    assert_int_equal(lstat(fifo, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
}

static void a_history_is_not_written_through_a_link_of_somebody_else(void **state)
{
    struct harness *harness = *state;
    const char *link = path(harness, "link"), *target = path(harness, "target");
    if (geteuid() != 0)
        skip_because("only root can make links of other users");
    file_write(harness, target, "of somebody else\n");
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(lchown(link, 65534, 65534), 0);
    struct talk talk = talk_start(harness, text(harness, ",history=%s", link));
    terminal_type(talk.terminal, "typed\r");
    peer_receives(harness, talk.server, "typed\n");
    talk_end(&talk);
    assert_string_equal(file_read(harness, target), "of somebody else\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(lines_are_edited_and_delivered_whole),
        SYSTEM_TEST(an_earlier_line_comes_back),
        SYSTEM_TEST(what_the_other_side_says_appears_above_the_line),
        SYSTEM_TEST(an_unterminated_line_becomes_the_prompt),
        SYSTEM_TEST(with_noprompt_the_line_begins_in_the_first_column),
        SYSTEM_TEST(a_line_behind_a_prompt_that_matches_is_hidden),
        SYSTEM_TEST(the_history_outlives_the_session),
        SYSTEM_TEST(the_history_is_kept_when_a_signal_ends_it),
        SYSTEM_TEST(every_signal_that_ends_it_leaves_the_terminal_as_before),
        SYSTEM_TEST(the_terminal_is_as_before_when_the_other_side_ends),
        SYSTEM_TEST(a_new_window_size_redraws_the_line),
        SYSTEM_TEST(a_program_that_is_continued_edits_again),
        SYSTEM_TEST(sigterm_ends_it_while_output_is_stopped),
        SYSTEM_TEST(what_it_hears_after_the_users_end_is_shown),
        SYSTEM_TEST(without_a_terminal_lines_pass_as_they_are),
        SYSTEM_TEST(each_mistake_is_named_and_leaves_the_terminal_as_before),
        SYSTEM_TEST(a_history_that_can_not_be_read_is_a_warning),
        SYSTEM_TEST(a_fifo_in_place_of_a_history_is_left_alone),
        SYSTEM_TEST(a_history_is_not_written_through_a_link_of_somebody_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
