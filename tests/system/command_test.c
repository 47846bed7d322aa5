/* The command line: help, verbosity, destinations of messages, the program's name. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <fcntl.h>
#include <regex.h>
#include <string.h>

static const char *output_of(struct harness *harness, const char *option)
{
    struct program *program = program_start(harness, option, NULL);
    program_ends(program, 0);
    return program_output(program, NULL);
}

static void help_names_options_and_address_types(void **state)
{
    const char *help = output_of(*state, "-?");

    assert_non_null(strstr(help, "\nUsage:\n"));
    assert_non_null(strstr(help, "\n      TCP-CONNECT:<host>:<port>\t"));
    assert_non_null(strstr(help, "groups=FD,"));
    assert_null(strstr(help, "phase="));
}

static void more_help_names_address_options_and_their_aliases(void **state)
{
    const char *more = output_of(*state, "-hh");
    const char *most = output_of(*state, "-hhh");

    assert_non_null(strstr(more, "\n      nodelay"));
    assert_non_null(strstr(more, "phase="));
    assert_true(strlen(most) > strlen(more));
    assert_non_null(strstr(most, "is an alias name for"));
}

static void the_version_names_the_features(void **state)
{
    const char *version = output_of(*state, "-V");

    assert_non_null(strstr(version, "\nfeatures:\n"));
    assert_non_null(strstr(version, "\n  #define WITH_TCP 1\n"));
    assert_non_null(strstr(version, "\n  #define WITH_FILE 1\n"));
}

static void help_that_cannot_be_written_is_an_error(void **state)
{
    struct harness *harness = *state;
    const char *const options[] = {"-h", "-V"};

    for (size_t i = 0; i < 2; i++) {
        const char *const arguments[] = {options[i], NULL};
        struct launch launch = {.arguments = arguments};
        launch.out = harness_keep(harness, open("/dev/full", O_WRONLY | O_CLOEXEC));
        program_ends_logging(program_launch(harness, &launch), 1, "No space left on device");
    }
}

/* Each row: an option, and which severities it shows. */
static const struct {
    const char *option;
    bool warnings;
    bool notices;
    bool infos;
    bool debug;
} verbosities[] = {
    {"-d0", false, false, false, false}, {"-d", true, false, false, false},
    {"-d1", true, false, false, false},  {"-dd", true, true, false, false},
    {"-d2", true, true, false, false},   {"-ddd", true, true, true, false},
    {"-d3", true, true, true, false},    {"-dddd", true, true, true, true},
    {"-d4", true, true, true, true},
};

static void verbosity_decides_which_messages_are_shown(void **state)
{
    struct harness *harness = *state;

    for (size_t i = 0; i < sizeof(verbosities) / sizeof(verbosities[0]); i++) {
        struct program *program =
            program_start(harness, verbosities[i].option, "-u", "STDIN!!STDOUT", "STDOUT", NULL);
        program_end_input(program);
        program_ends(program, 0);
        assert_int_equal(program_has_logged(program, " W "), verbosities[i].warnings);
        assert_int_equal(program_has_logged(program, " N "), verbosities[i].notices);
        assert_int_equal(program_has_logged(program, " I "), verbosities[i].infos);
        assert_int_equal(program_has_logged(program, " D "), verbosities[i].debug);
    }
}

static bool matches(const char *line, const char *expression)
{
    regex_t regex;
    bool result;

    assert_int_equal(regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB), 0);
    result = regexec(&regex, line, 0, NULL, 0) == 0;
    regfree(&regex);
    return result;
}

#define DATE "^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"

static void each_line_has_date_program_process_and_severity(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-lp", "some/name", "BOGUS", "-", NULL);

    program_ends(program, 1);
    assert_true(matches(program_logs(program, " E "), DATE " some/name\\[[0-9]+\\] E "));
}

static void lines_can_have_microseconds_and_the_host(void **state)
{
    struct harness *harness = *state;
    const char *const arguments[] = {"-lu", "-lh", "BOGUS", "-", NULL};
    struct program *program = program_launch(
        harness, &(struct launch){.arguments = arguments, .environment = "HOSTNAME=somewhere"});

    program_ends(program, 1);
    assert_true(
        matches(program_logs(program, " E "), DATE "\\.[0-9]{6} somewhere [^ ]+\\[[0-9]+\\] E "));
}

static void messages_can_go_to_a_file(void **state)
{
    struct harness *harness = *state;
    const char *log = path(harness, "log");
    struct program *program;

    file_write(harness, log, "before\n");
    program = program_start(harness, "-lf", log, "BOGUS", "-", NULL);
    program_ends(program, 1);
    assert_string_equal(program_log(program), "");
    assert_non_null(strstr(file_read(harness, log), "before\n"));
    assert_non_null(strstr(file_read(harness, log), " E unknown device/address"));
}

static void a_long_message_is_cut_and_stays_one_line(void **state)
{
    struct harness *harness = *state;
    char name[1001];
    struct program *program;

    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    program = program_start(harness, "-d", "-d", "-u", text(harness, "OPEN:%s/%s", name, name),
                            "STDOUT", NULL);
    program_ends(program, 1);
    for (const char *line = program_log(program); *line != '\0';) {
        size_t length = strcspn(line, "\n");
        assert_true(length <= 512);
        line += length + 1;
    }
}

static void messages_do_not_hold_control_characters_of_names(void **state)
{
    struct program *program =
        program_start(*state, "-u", "OPEN:/no\033[31m/\\nfake line", "STDOUT", NULL);

    program_ends_logging(program, 1, " E cannot open *[open(");
    assert_null(strchr(program_log(program), '\033'));
    assert_null(strstr(program_log(program), "\nfake line"));
}

static void the_environment_prefers_an_ip_version(void **state)
{
    struct harness *harness = *state;
    const char *const arguments[] = {"-d", "-d", "TCP-LISTEN:0,accept-timeout=0.01", "PIPE", NULL};
    struct launch launch = {.arguments = arguments, .environment = "SOCAT_DEFAULT_LISTEN_IP=6"};
    struct program *program;

    if (!peer_has_ipv6())
        skip_because("there is no IPv6");
    program = program_launch(harness, &launch);
    program_ends_logging(program, 0, " N listening on AF=10 [");
    program = program_launch(harness, &(struct launch){.arguments = arguments});
    program_ends_logging(program, 0, " N listening on AF=2 0.0.0.0:");
}

static void address_words_have_no_case(void **state)
{
    struct program *program = program_start(*state, "-u", "stdIN,ReadBytes=4", "sTdOuT", NULL);

    program_send(program, "data");
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "data");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(help_names_options_and_address_types),
        SYSTEM_TEST(more_help_names_address_options_and_their_aliases),
        SYSTEM_TEST(the_version_names_the_features),
        SYSTEM_TEST(help_that_cannot_be_written_is_an_error),
        SYSTEM_TEST(verbosity_decides_which_messages_are_shown),
        SYSTEM_TEST(each_line_has_date_program_process_and_severity),
        SYSTEM_TEST(lines_can_have_microseconds_and_the_host),
        SYSTEM_TEST(messages_can_go_to_a_file),
        SYSTEM_TEST(a_long_message_is_cut_and_stays_one_line),
        SYSTEM_TEST(messages_do_not_hold_control_characters_of_names),
        SYSTEM_TEST(the_environment_prefers_an_ip_version),
        SYSTEM_TEST(address_words_have_no_case),
    };
    return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
