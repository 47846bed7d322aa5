/* The command line and the environment: what they make of the settings, and what is refused. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/base/signals.h"
#include "core/command/commandline.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const variables[] = {
    "MODCAT_DEFAULT_LISTEN_IP",   "MODCAT_PREFERRED_RESOLVE_IP",
    "MODCAT_MAIN_WAIT",           "MODCAT_TRANSFER_WAIT",
    "MODCAT_FORK_WAIT",           "SOCAT_DEFAULT_LISTEN_IP",
    "SOCAT_PREFERRED_RESOLVE_IP", "SOCAT_MAIN_WAIT",
    "SOCAT_TRANSFER_WAIT",        "SOCAT_FORK_WAIT",
};

static struct settings settings;
static enum commandline_action action;
static char said[8192]; /* what parsing printed on standard error */

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODCAT_COUNT(variables); i++)
        unsetenv(variables[i]);
    log_set_level(MODCAT_WARNING);
    log_set_sloppy(false);
    log_set_microseconds(false);
    log_to_stderr();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    commandline_free(&settings);
    log_to_stderr();
    return 0;
}

/* Parses a command line of at most ten arguments, after "/usr/bin/modcat", NULL-terminated. */
static int parse_all(char **arguments)
{
    char *argv[12] = {"/usr/bin/modcat"};
    int argc = 1;
    int caught = memfd_create("stderr", MFD_CLOEXEC);
    int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    while (arguments[argc - 1] != NULL && argc < 11) {
        argv[argc] = arguments[argc - 1];
        argc++;
    }
    dup2(caught, STDERR_FILENO);
    commandline_free(&settings);
    int result = commandline_parse(argc, argv, &settings, &action);
    dup2(before, STDERR_FILENO);
    close(before);
    ssize_t length = pread(caught, said, sizeof said - 1, 0);
    said[length < 0 ? 0 : length] = '\0';
    close(caught);
    return result;
}
#define PARSE(...) parse_all((char *[]){__VA_ARGS__, NULL})

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Options that are refused: the last line on standard error ends with this. */
#define REFUSED(end, ...)                                                                          \
    do {                                                                                           \
        assert_int_equal(PARSE(__VA_ARGS__), -1);                                                  \
        if (!ends_with(said, end "\n"))                                                            \
            fail_msg("\"%s\" does not end with \"%s\"", said, end);                                \
    } while (0)

#define TELLS(part, ...)                                                                           \
    do {                                                                                           \
        assert_int_equal(PARSE(__VA_ARGS__), -1);                                                  \
        if (strstr(said, part) == NULL)                                                            \
            fail_msg("\"%s\" does not tell \"%s\"", said, part);                                   \
    } while (0)

static void two_addresses_with_defaults(void **state)
{
    (void)state;
    assert_int_equal(PARSE("A", "B"), 0);
    assert_int_equal(action, ACTION_RUN);
    assert_string_equal(settings.program, "modcat");
    assert_string_equal(log_program(), "modcat");
    assert_string_equal(settings.addresses[0], "A");
    assert_string_equal(settings.addresses[1], "B");
    assert_int_equal(settings.directions[0], MODCAT_DIR_READ | MODCAT_DIR_WRITE);
    assert_int_equal(settings.directions[1], MODCAT_DIR_READ | MODCAT_DIR_WRITE);
    assert_int_equal(settings.closing, MODCAT_SECOND / 2);
    assert_int_equal(settings.inactivity, MODCAT_FOREVER);
    assert_int_equal(settings.block_size, 0);
    assert_int_equal(settings.signal_mask, SIGNALS_DEFAULT_MASK);
    assert_int_equal(settings.listen_version, '4');
    assert_int_equal(settings.resolve_version, '4');
    assert_null(settings.lock_file);
    assert_string_equal(said, "");
}

static void a_program_without_arguments_does_no_harm(void **state)
{
    (void)state;
    char *none[] = {NULL};
    assert_int_equal(parse_all(none), -1);
    log_set_level(MODCAT_FATAL);
    assert_int_equal(commandline_parse(0, none, &settings, &action), -1);
}

static void forms_of_the_stdio_address_are_no_options(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-", "-,cr"), 0);
    assert_int_equal(PARSE("-!!A", "-u"), 0);
    assert_string_equal(settings.addresses[1], "-u");
    assert_int_equal(PARSE("-:x", "B"), 0);
}

static void anything_but_two_addresses_is_refused(void **state)
{
    (void)state;
    TELLS("E exactly 2 addresses required (there are 1); use option \"-h\" for help\n", "A");
    TELLS("(there are 3); use option \"-h\" for help\n", "A", "B", "C");
    TELLS("(there are 0); use option \"-h\" for help\n", "-s", "-u");
}

/* The message is followed by the arguments and by what is probably wrong with them. */
static void what_is_not_two_addresses_is_shown_and_explained(void **state)
{
    (void)state;
    TELLS("E   1: TCP-LISTEN:9303,...\n", "TCP-LISTEN:9303,", "fork", "PIPE");
    TELLS("E   2: fork\n", "TCP-LISTEN:9303,", "fork", "PIPE");
    REFUSED("E write no blank beside a comma of an address, or quote the address",
            "TCP-LISTEN:9303,", "fork", "PIPE");
    REFUSED("E write no blank beside a comma of an address, or quote the address", "PIPE",
            "TCP-LISTEN:9303", ",fork");
    REFUSED("E write no blank beside a colon of an address, or quote the address", "PIPE",
            "TCP-LISTEN:", "9303");
    REFUSED("E quote a command line that has blanks, as in: 'EXEC:ls -l'", "EXEC:ls", "-l", "-");
    REFUSED("E quote a command line that has blanks, as in: 'EXEC:ls -l'", "-", "system:ls", "/");
    REFUSED("E options come before the addresses, as in: modcat -v <address> <address>", "-",
            "TCP:localhost:80", "-v");
    REFUSED("E options come before the addresses, as in: modcat -t <address> <address>", "-", "-",
            "-t", "5");
    REFUSED("E for standard input and output as the other address, add \"-\"", "TCP:localhost:80");
    REFUSED("E add the other address, as in: modcat - TCP:localhost:80", "-");
    REFUSED("E quote an address that has blanks", "/tmp/my", "file", "-");
    REFUSED("E as in: modcat - TCP:localhost:80", "-u");
}

static void arguments_are_shown_without_their_options(void **state)
{
    (void)state;
    assert_int_equal(PARSE("PROXY:a:b:1,proxyauth=me:hidden", "B", "C"), -1);
    assert_null(strstr(said, "hidden"));
}

static void options_of_other_tools_are_translated(void **state)
{
    (void)state;
    static const struct {
        char *option;
        const char *advice;
    } rows[] = {
        {"-l", "use the address TCP-LISTEN:<port>"},
        {"-lvnp", "use the address TCP-LISTEN:<port>"},
        {"-p9", "a port is part of an address"},
        {"-k", "add the option \"fork\" to the listening address"},
        {"-q", "use option -t <seconds>"},
        {"-q1", "use option -t <seconds>"},
        {"-w3", "use option -T <seconds>"},
        {"-z", "use: -u OPEN:/dev/null TCP:<host>:<port>"},
        {"-e", "use the address EXEC:<command-line>"},
        {"--listen", "use the address TCP-LISTEN:<port>"},
        {"--ssl", "use the address OPENSSL:<host>:<port> or OPENSSL-LISTEN:<port>"},
        {"--udp", "use the address UDP:<host>:<port> or UDP-LISTEN:<port>"},
    };
    for (size_t i = 0; i < MODCAT_COUNT(rows); i++) {
        TELLS("; use option \"-h\" for help; ", rows[i].option, "9303", "A");
        TELLS(rows[i].advice, rows[i].option, "9303", "A");
    }
}

static void flags_are_set(void **state)
{
    (void)state;
    assert_int_equal(
        PARSE("-D", "-v", "-x", "-g", "-s", "--experimental", "--statistics", "A", "B"), 0);
    assert_true(settings.show_descriptors && settings.dump_text && settings.dump_hex);
    assert_true(settings.no_group_check && settings.experimental && settings.statistics);
    assert_true(log_sloppy());
    assert_false(settings.progress || settings.statistics_json);
    assert_int_equal(PARSE("--progress", "A", "B"), 0);
    assert_true(settings.progress);
}

static void formats_are_text_or_json(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--statistics=json", "A", "B"), 0);
    assert_true(settings.statistics && settings.statistics_json);
    assert_int_equal(PARSE("--log-format=json", "--log-format", "text", "A", "B"), 0);
    REFUSED("E option --log-format: unknown format \"xml\" (use \"text\" or \"json\")",
            "--log-format=xml", "A", "B");
    REFUSED("E option --statistics: unknown format \"\" (use \"json\")", "--statistics=", "A", "B");
    REFUSED("did you mean \"--progress\"?", "--progress=1", "A", "B");
    assert_int_equal(PARSE("--log-format=json", "A"), -1);
    assert_non_null(strstr(said, "\"message\":\"exactly 2 addresses required (there are 1)"));
    log_set_format(LOG_FORMAT_TEXT);
}

static void values_are_attached_or_follow(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-t5", "-T", "0.25", "-b", "0x10", "-rleft", "-R", "-v", "A", "B"), 0);
    assert_int_equal(settings.closing, 5 * MODCAT_SECOND);
    assert_int_equal(settings.inactivity, MODCAT_SECOND / 4);
    assert_int_equal(settings.block_size, 16);
    assert_string_equal(settings.dump_left, "left");
    assert_string_equal(settings.dump_right, "-v");
    assert_false(settings.dump_text);
}

static void the_last_value_wins(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-b1", "-b", "2", "-S1", "-S0x8000", "-6", "-0", "A", "B"), 0);
    assert_int_equal(settings.block_size, 2);
    assert_int_equal(settings.signal_mask, 0x8000);
    assert_int_equal(settings.listen_version, '0');
}

static void times_are_kept_to_the_microsecond(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-T", "0.000001", "-t", "1e-3", "A", "B"), 0);
    assert_int_equal(settings.inactivity, 1000);
    assert_int_equal(settings.closing, 1000000);
}

static void times_without_end_are_forever(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-T", "inf", "-t", "1e300", "A", "B"), 0);
    assert_int_equal(settings.inactivity, MODCAT_FOREVER);
    assert_int_equal(settings.closing, MODCAT_FOREVER);
    assert_int_equal(PARSE("-T", "5", "-T", "-1", "A", "B"), 0);
    assert_int_equal(settings.inactivity, MODCAT_FOREVER);
    assert_int_equal(PARSE("-T0", "A", "B"), 0);
    assert_int_equal(settings.inactivity, 0);
}

static void bad_numbers_are_refused(void **state)
{
    (void)state;
    REFUSED("E option -t needs a number, and \"x\" is not one", "-tx", "A", "B");
    REFUSED("E option -b needs a number, and \"\" is not one", "-b", "", "A", "B");
    REFUSED("E option -t: unexpected \"s\" behind the number in \"1s\"", "-t1s", "A", "B");
    REFUSED("E option -b: unexpected \"B\" behind the number in \"8kB\"", "-b8kB", "A", "B");
    REFUSED("E option -S: unexpected \"8\" behind the number in \"08\"", "-S08", "A", "B");
    REFUSED("has more bits than there are signals", "-S0xfffffffffffffffff", "A", "B");
    REFUSED("E option -t: the time \"-1\" is negative", "-t", "-1", "A", "B");
    REFUSED("E option -T: \"nan\" is not a time", "-Tnan", "A", "B");
}

static void block_sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    REFUSED("E buffer size option (-b) too small - -5 (the range is 0 to 1073741824)", "-b", "-5",
            "A", "B");
    REFUSED("E buffer size option (-b) too big - 2G (max is 1073741824)", "-b2G", "A", "B");
    REFUSED("E buffer size option (-b) too big - 2g (max is 1073741824)", "-b", "2g", "A", "B");
    REFUSED("too big - 99999999999999G (max is 1073741824)", "-b", "99999999999999G", "A", "B");
    REFUSED("unexpected \"B\" behind the number in \"4kB\"", "-b", "4kB", "A", "B");
    REFUSED("option -b needs a number, and \"k\" is not one", "-b", "k", "A", "B");
}

static void a_block_size_may_end_in_a_unit(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-b", "64k", "A", "B"), 0);
    assert_int_equal(settings.block_size, 65536);
    assert_int_equal(PARSE("-b1M", "A", "B"), 0);
    assert_int_equal(settings.block_size, 1048576);
    assert_int_equal(PARSE("-b1G", "A", "B"), 0);
    assert_int_equal(settings.block_size, 1073741824);
    assert_int_equal(PARSE("-b", "64K", "A", "B"), 0);
    assert_int_equal(settings.block_size, 65536);
    assert_int_equal(PARSE("-b1m", "A", "B"), 0);
    assert_int_equal(settings.block_size, 1048576);
    assert_int_equal(PARSE("-b1g", "A", "B"), 0);
    assert_int_equal(settings.block_size, 1073741824);
    assert_false(settings.no_data);
    REFUSED("E buffer size option (-b) too big - 1073741825 (max is 1073741824)", "-b1073741825",
            "A", "B");
    assert_int_equal(PARSE("-b1073741824", "A", "B"), 0);
}

static void verbosity_adds_up_and_can_be_set(void **state)
{
    (void)state;
    static const struct {
        char *first, *second;
        int level;
    } cases[] = {
        {"-d0", "-g", MODCAT_ERROR},           {"-d", "-g", MODCAT_WARNING},
        {"-d1", "-g", MODCAT_WARNING},         {"-dd", "-g", MODCAT_NOTICE},
        {"-d", "-d", MODCAT_NOTICE},           {"-d2", "-d", MODCAT_INFO},
        {"-dd", "-d0", MODCAT_ERROR},          {"-dddd", "-g", MODCAT_DEBUG},
        {"-d4", "-g", MODCAT_DEBUG},           {"-d44", "-ddd", MODCAT_DEBUG},
        {"-d-1", "-g", MODCAT_FATAL},          {"-ddddddddd", "-d0x2", MODCAT_NOTICE},
        {"-d-9999999999", "-d", MODCAT_ERROR},
    };
    for (size_t i = 0; i < MODCAT_COUNT(cases); i++) {
        assert_int_equal(PARSE(cases[i].first, cases[i].second, "A", "B"), 0);
        assert_int_equal(log_level(), cases[i].level);
    }
}

static void bad_verbosity_is_refused(void **state)
{
    (void)state;
    REFUSED("E option -d: \"2x\" is not a level; use -d0 to -d4, or -d once for each step", "-d2x",
            "A", "B");
    REFUSED("E option -d: \"-\" is not a level; use -d0 to -d4, or -d once for each step", "-d-",
            "A", "B");
    REFUSED("E unknown option \"-ddX\"; use option \"-h\" for help", "-ddX", "A", "B");
    assert_non_null(strstr(said, "\nUsage:\nmodcat [options] <bi-address> <bi-address>\n"));
    REFUSED("E unknown option \"-ddx\"; use option \"-h\" for help", "-ddx", "A", "B");
}

static void single_letters_are_not_bundled(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-uv", "A", "B"), -1);
    assert_string_equal(
        said, "Do not merge single character options, i.e. use \"-u -v\" instead of \"-uv\"\n");
    assert_int_equal(PARSE("-s", "-44", "A", "B"), -1);
    assert_int_equal(PARSE("-Vx"), -1);
    assert_non_null(strstr(said, "Usage:\n"));
}

static void unknown_options_are_refused_with_the_nearest(void **state)
{
    (void)state;
    REFUSED("E unknown option \"-Z\"; use option \"-h\" for help", "-Z", "A", "B");
    REFUSED("E unknown option \"--\"; use option \"-h\" for help", "--", "A", "B");
    REFUSED("E unknown option \"--statistic\"; use option \"-h\" for help; "
            "did you mean \"--statistics\"?",
            "--statistic", "A", "B");
    REFUSED("did you mean \"--experimental\"?", "--experimental=1", "A", "B");
    REFUSED("E unknown option \"--nothing-like-it\"; use option \"-h\" for help",
            "--nothing-like-it", "A", "B");
    TELLS("E unknown log option \"-lq\"; use option \"-h\" for help", "-lq", "A", "B");
}

static void missing_arguments_are_refused(void **state)
{
    (void)state;
    static char *const names[] = {"-t", "-T", "-b",  "-S",  "-r",           "-R",
                                  "-L", "-W", "-lf", "-lp", "--driver-path"};
    for (size_t i = 0; i < MODCAT_COUNT(names); i++) {
        char wanted[100];
        snprintf(wanted, sizeof wanted,
                 "E option %s requires an argument; use option \"-h\" for help\n", names[i]);
        assert_int_equal(PARSE(names[i]), -1);
        assert_true(ends_with(said, wanted));
    }
    REFUSED("E option --driver-path requires an argument; use option \"-h\" for help",
            "--driver-path=", "A", "B");
}

static void directions_follow_u(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-u", "A", "B"), 0);
    assert_int_equal(settings.directions[0], MODCAT_DIR_READ);
    assert_int_equal(settings.directions[1], MODCAT_DIR_WRITE);
    assert_int_equal(PARSE("-U", "-U", "A", "B"), 0);
    assert_int_equal(settings.directions[0], MODCAT_DIR_WRITE);
    assert_int_equal(settings.directions[1], MODCAT_DIR_READ);
    REFUSED("E -U and -u must not be combined", "-u", "-U", "A", "B");
    REFUSED("E -U and -u must not be combined", "-s", "-U", "-u", "A", "B");
}

static void one_lock_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-L", "file", "A", "B"), 0);
    assert_string_equal(settings.lock_file, "file");
    assert_false(settings.lock_wait);
    assert_int_equal(PARSE("-Wfile", "A", "B"), 0);
    assert_true(settings.lock_wait);
    REFUSED("E only one -L and -W option allowed", "-L", "x", "-W", "y", "A", "B");
}

static void sloppiness_goes_on_after_what_it_may(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-s", "-tx", "--wrong", "-lq", "-lynobody", "-Lx", "-Ly", "A", "B"), 0);
    assert_int_equal(settings.closing, MODCAT_SECOND / 2);
    assert_string_equal(settings.lock_file, "x");
    assert_int_equal(PARSE("-s", "-z", "A", "B"), -1);
    assert_int_equal(PARSE("-s", "A"), -1);
    assert_int_equal(PARSE("-s", "-t"), -1);
}

static void log_destinations_that_do_not_work_are_refused(void **state)
{
    (void)state;
    REFUSED("E option -lf: open(\"/nowhere/log\"): No such file or directory", "-lf",
            "/nowhere/log", "A", "B");
    REFUSED("E unknown syslog facility \"nobody\"", "-lynobody", "A", "B");
    REFUSED("E unknown syslog facility \"nobody\"", "-lmnobody", "A", "B");
}

static void log_options_hold_for_the_next_message(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-lp", "other", "-d0", "--wrong"), -1);
    assert_non_null(strstr(said, " other["));
    assert_int_equal(PARSE("-d-1", "--wrong"), -1);
    assert_string_equal(said, "");
}

static void help_and_version_act_at_once(void **state)
{
    (void)state;
    static const struct {
        char *argument;
        enum commandline_action action;
    } cases[] = {
        {"-h", ACTION_HELP},     {"-?", ACTION_HELP1},   {"-hx", ACTION_HELP1},
        {"-hh", ACTION_HELP2},   {"-h?", ACTION_HELP2},  {"-??", ACTION_HELP2},
        {"-hhx", ACTION_HELP2},  {"-hhh", ACTION_HELP3}, {"-???", ACTION_HELP3},
        {"-hhhh", ACTION_HELP3}, {"-V", ACTION_VERSION},
    };
    for (size_t i = 0; i < MODCAT_COUNT(cases); i++) {
        assert_int_equal(PARSE(cases[i].argument, "-z", "--wrong"), 0);
        assert_int_equal(action, cases[i].action);
        assert_string_equal(said, "");
    }
    assert_int_equal(PARSE("-z", "-h"), -1);
}

static void driver_options_need_no_addresses(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--drivers", "--driver-path", "a", "--driver-path=b"), 0);
    assert_int_equal(action, ACTION_DRIVERS);
    assert_int_equal(settings.driver_path_count, 2);
    assert_string_equal(settings.driver_paths[0], "a");
    assert_string_equal(settings.driver_paths[1], "b");
    assert_int_equal(PARSE("--describe-driver", "x.so"), 0);
    assert_int_equal(action, ACTION_DESCRIBE_DRIVER);
    assert_string_equal(settings.describe, "x.so");
    REFUSED("E exactly 0 addresses required (there are 1); use option \"-h\" for help", "--drivers",
            "A");
}

static void the_comparison_goes_with_json_in_any_order(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--compat"), 0);
    assert_int_equal(action, ACTION_COMPAT);
    assert_false(settings.json);
    assert_int_equal(PARSE("--compat", "--json"), 0);
    assert_true(action == ACTION_COMPAT && settings.json);
    assert_int_equal(PARSE("--json", "--compat"), 0);
    assert_true(action == ACTION_COMPAT && settings.json);
    REFUSED("E exactly 0 addresses required (there are 2); use option \"-h\" for help", "--compat",
            "A", "B");
}

static void the_environment_sets_waits_and_versions(void **state)
{
    (void)state;
    setenv("SOCAT_MAIN_WAIT", "1", 1);
    setenv("SOCAT_TRANSFER_WAIT", "2", 1);
    setenv("SOCAT_FORK_WAIT", "9", 1);
    setenv("MODCAT_FORK_WAIT", "3", 1);
    setenv("SOCAT_DEFAULT_LISTEN_IP", "6xyz", 1);
    setenv("SOCAT_PREFERRED_RESOLVE_IP", "", 1);
    assert_int_equal(PARSE("A", "B"), 0);
    assert_int_equal(settings.main_wait, 1);
    assert_int_equal(settings.transfer_wait, 2);
    assert_int_equal(settings.fork_wait, 3);
    assert_int_equal(settings.listen_version, '6');
    assert_int_equal(settings.resolve_version, '0');
    assert_int_equal(PARSE("-4", "A", "B"), 0);
    assert_int_equal(settings.listen_version, '4');
    assert_int_equal(settings.resolve_version, '4');
}

static void nonsense_in_the_environment_is_warned_about(void **state)
{
    (void)state;
    setenv("SOCAT_MAIN_WAIT", "-1", 1);
    assert_int_equal(PARSE("A", "B"), 0);
    assert_int_equal(settings.main_wait, 0);
    assert_true(ends_with(
        said, "W environment variable SOCAT_MAIN_WAIT: \"-1\" is not a number of seconds\n"));
}

static void a_block_size_of_zero_moves_nothing(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-b0", "A", "B"), 0);
    assert_true(settings.no_data);
}

static void a_bad_letter_behind_d_is_passed_over_with_the_usage(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-dx", "A", "B"), 0);
    assert_non_null(strstr(said, "\nUsage:\nmodcat [options] <bi-address> <bi-address>\n"));
    assert_non_null(strstr(said, " W unknown option \"-dx\" is ignored"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(two_addresses_with_defaults),
        TEST(a_program_without_arguments_does_no_harm),
        TEST(forms_of_the_stdio_address_are_no_options),
        TEST(anything_but_two_addresses_is_refused),
        TEST(what_is_not_two_addresses_is_shown_and_explained),
        TEST(arguments_are_shown_without_their_options),
        TEST(options_of_other_tools_are_translated),
        TEST(flags_are_set),
        TEST(formats_are_text_or_json),
        TEST(values_are_attached_or_follow),
        TEST(the_last_value_wins),
        TEST(times_are_kept_to_the_microsecond),
        TEST(times_without_end_are_forever),
        TEST(bad_numbers_are_refused),
        TEST(block_sizes_out_of_range_are_refused),
        TEST(a_block_size_may_end_in_a_unit),
        TEST(verbosity_adds_up_and_can_be_set),
        TEST(bad_verbosity_is_refused),
        TEST(single_letters_are_not_bundled),
        TEST(unknown_options_are_refused_with_the_nearest),
        TEST(missing_arguments_are_refused),
        TEST(directions_follow_u),
        TEST(one_lock_is_allowed),
        TEST(sloppiness_goes_on_after_what_it_may),
        TEST(log_destinations_that_do_not_work_are_refused),
        TEST(log_options_hold_for_the_next_message),
        TEST(help_and_version_act_at_once),
        TEST(driver_options_need_no_addresses),
        TEST(the_comparison_goes_with_json_in_any_order),
        TEST(the_environment_sets_waits_and_versions),
        TEST(nonsense_in_the_environment_is_warned_about),
        TEST(a_block_size_of_zero_moves_nothing),
        TEST(a_bad_letter_behind_d_is_passed_over_with_the_usage),
    };
    return cmocka_run_group_tests_name("commandline", tests, NULL, NULL);
}
