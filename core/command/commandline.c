#define _GNU_SOURCE
#include "core/command/commandline.h"

#include "core/base/failure.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/version.h"
#include "core/base/words.h"
#include "core/command/defaults.h"
#include "core/command/mistakes.h"
#include "core/command/numbers.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What may stand behind an option's name. */
enum tail {
    TAIL_NONE,     /* nothing: single letters are not bundled */
    TAIL_ATTACHED, /* what the option makes of it */
    TAIL_VALUE,    /* a value, also as the next argument */
    TAIL_WORD,     /* nothing: a long option */
    TAIL_OPTIONAL, /* nothing, or a value behind "=": a long option */
    TAIL_EQUALS    /* a value behind "=", or as the next argument: a long option */
};

/* What parsing goes along with. */
struct scan {
    struct settings *settings;
    enum commandline_action action;
    const char *argument; /* the option as it stands on the command line */
    const struct commandline_option *option;
    int verbosity; /* by -d: 0 shows errors */
    bool to_right; /* -u */
    bool to_left;  /* -U */
    bool finished; /* nothing behind this option counts */
};

struct commandline_option {
    const char *name;
    const char *syntax; /* as help shows it; NULL: not of its own */
    const char *help;
    enum tail tail;
    /* Takes effect. `value` is the tail. Returns 0, or -1 after reporting. */
    int (*apply)(struct scan *scan, const char *value);
    size_t member; /* of struct settings, for the general functions */
};
#define MEMBER(name) offsetof(struct settings, name)

typedef int apply_fn(struct scan *scan, const char *value);
static apply_fn show_version, show_help, set_verbosity;
static apply_fn set_syslog, set_log_file, set_log_stderr, set_log_mixed, set_log_program;
static apply_fn set_log_microseconds, set_log_hostname, set_sloppy;
static apply_fn set_flag, set_text, set_block_size, set_signal_mask, set_closing, set_inactivity;
static apply_fn set_to_right, set_to_left, set_lock, set_version;
static apply_fn set_log_format, set_statistics, set_drain;
static apply_fn add_driver_path, describe_driver, describe_type, list_drivers, show_compat,
    complete;

static const struct commandline_option options[] = {
    {"-V", "-V|--version", "print version and features, and exit", TAIL_ATTACHED, show_version, 0},
    {"--version", NULL, NULL, TAIL_WORD, show_version, 0},
    {"-h", "-h|-?|--help", "print the most common uses, and exit", TAIL_ATTACHED, show_help, 0},
    {"--help", NULL, NULL, TAIL_WORD, show_help, 0},
    {"-?", NULL, NULL, TAIL_ATTACHED, show_help, 0},
    {NULL, "-hh", "print options, types and their options, and exit", 0, NULL, 0},
    {NULL, "-hhh", "the same with all names of addresses and options", 0, NULL, 0},
    {"-d", "-d[ddd]|-d<level>", "log more: 0 errors, 1 warnings (default), 4 all", TAIL_ATTACHED,
     set_verbosity, 0},
    {"-D", "-D", "print a table of descriptors before transferring", TAIL_NONE, set_flag,
     MEMBER(show_descriptors)},
    {"-ly", "-ly[<facility>]", "log to syslog (facility daemon)", TAIL_ATTACHED, set_syslog, 0},
    {"-lf", "-lf <file>", "log to a file", TAIL_VALUE, set_log_file, 0},
    {"-ls", "-ls", "log to standard error (default)", TAIL_ATTACHED, set_log_stderr, 0},
    {"-lm", "-lm[<facility>]", "log to stderr until all is open, then to syslog", TAIL_ATTACHED,
     set_log_mixed, 0},
    {"-lp", "-lp <name>", "name of the program in messages and variables", TAIL_VALUE,
     set_log_program, 0},
    {"-lu", "-lu", "log with microseconds", TAIL_ATTACHED, set_log_microseconds, 0},
    {"-lh", "-lh", "log with the host's name", TAIL_ATTACHED, set_log_hostname, 0},
    {"-v", "-v", "show the data on standard error as text", TAIL_NONE, set_flag, MEMBER(dump_text)},
    {"-x", "-x", "show the data on standard error in hexadecimal", TAIL_NONE, set_flag,
     MEMBER(dump_hex)},
    {"-r", "-r <file>", "copy the data from left to right to a file", TAIL_VALUE, set_text,
     MEMBER(dump_left)},
    {"-R", "-R <file>", "copy the data from right to left to a file", TAIL_VALUE, set_text,
     MEMBER(dump_right)},
    {"-b", "-b <bytes>", "size of the blocks in which data is moved (8192)", TAIL_VALUE,
     set_block_size, 0},
    {"-s", "-s", "sloppy: go on after errors", TAIL_NONE, set_sloppy, 0},
    {"-S", "-S <mask>", "bit mask of fatal signals to log (0x89de)", TAIL_VALUE, set_signal_mask,
     0},
    {"-t", "-t <seconds>", "wait after the end of one direction (0.5)", TAIL_VALUE, set_closing, 0},
    {"-T", "-T <seconds>", "end after this time without data (never)", TAIL_VALUE, set_inactivity,
     0},
    {"-u", "-u", "move data from left to right only", TAIL_NONE, set_to_right, 0},
    {"-U", "-U", "move data from right to left only", TAIL_NONE, set_to_left, 0},
    {"-g", "-g", "accept options that do not fit the address type", TAIL_NONE, set_flag,
     MEMBER(no_group_check)},
    {"-L", "-L <lockfile>", "hold a lock file, fail where it exists", TAIL_VALUE, set_lock, 0},
    {"-W", "-W <lockfile>", "hold a lock file, wait while it exists", TAIL_VALUE, set_lock, 0},
    {"-0", "-0", "no preference of an IP version", TAIL_NONE, set_version, 0},
    {"-4", "-4", "prefer IPv4 (default)", TAIL_NONE, set_version, 0},
    {"-6", "-6", "prefer IPv6", TAIL_NONE, set_version, 0},
    {"--experimental", "--experimental", "enable experimental options", TAIL_WORD, set_flag,
     MEMBER(experimental)},
    {"--statistics", "--statistics[=json]", "log counts of blocks and bytes at the end",
     TAIL_OPTIONAL, set_statistics, 0},
    {"--progress", "--progress", "show bytes, rate and time on the terminal", TAIL_WORD, set_flag,
     MEMBER(progress)},
    {"--drain", "--drain <seconds>", "let sessions end within this time after a signal (0)",
     TAIL_EQUALS, set_drain, 0},
    {"--log-format", "--log-format <format>", "form of the messages: text (default) or json",
     TAIL_EQUALS, set_log_format, 0},
    {"--driver-path", "--driver-path <folder>", "look for drivers here first (repeatable)",
     TAIL_EQUALS, add_driver_path, 0},
    {"--drivers", "--drivers", "print the drivers, and exit", TAIL_WORD, list_drivers, 0},
    {"--describe-driver", "--describe-driver <file>", "print a driver's manifest, and exit",
     TAIL_EQUALS, describe_driver, 0},
    {"--describe", "--describe <type>", "describe an address type, and exit", TAIL_EQUALS,
     describe_type, 0},
    {"--compat", "--compat", "compare modcat with socat 1.8.1, and exit", TAIL_WORD, show_compat,
     0},
    {"--json", "--json", "print drivers, types and the comparison in JSON", TAIL_WORD, set_flag,
     MEMBER(json)},
    {"--complete", "--complete <word>", "print completions of a word, for shells, and exit",
     TAIL_EQUALS, complete, 0},
};

static void *member_of(struct settings *settings, size_t member)
{
    return (char *)settings + member;
}

/* What an error comes to that -s turns into a mere message. */
static int refused(void)
{
    return log_sloppy() ? 0 : -1;
}

/* Says what to use instead, or names the nearest long option where one is near; a letter is near to
 * every other letter. */
static int report_unknown(const char *argument, const char *what)
{
    const char *advice = mistakes_option_advice(argument);
    struct words_nearest nearest = {.wanted = argument};
    for (size_t i = 0; i < MODCAT_COUNT(options) && strlen(argument) > 3; i++)
        if (strncmp(options[i].name != NULL ? options[i].name : "", "--", 2) == 0)
            words_consider(&nearest, options[i].name);
    if (advice != NULL)
        log_error("unknown %s \"%s\"; use option \"-h\" for help; %s", what, argument, advice);
    else if (nearest.best != NULL)
        log_error("unknown %s \"%s\"; use option \"-h\" for help; did you mean \"%s\"?", what,
                  argument, nearest.best);
    else
        log_error("unknown %s \"%s\"; use option \"-h\" for help", what, argument);
    return -1;
}

static int refused_with_usage(const struct scan *scan)
{
    commandline_usage(stderr, scan->settings->program);
    return report_unknown(scan->argument, "option");
}

static int show_version(struct scan *scan, const char *value)
{
    if (value[0] != '\0')
        return refused_with_usage(scan);
    scan->action = ACTION_VERSION;
    scan->finished = true;
    return 0;
}

static bool asks_for_help(char letter)
{
    return letter == 'h' || letter == '?';
}

static int show_help(struct scan *scan, const char *value)
{
    bool brief = value[0] == '\0' && strcmp(scan->option->name, "-?") != 0 &&
                 !version_stands_in(scan->settings->program);
    scan->action = brief                      ? ACTION_HELP
                   : !asks_for_help(value[0]) ? ACTION_HELP1
                   : !asks_for_help(value[1]) ? ACTION_HELP2
                                              : ACTION_HELP3;
    scan->finished = true;
    return 0;
}

static int clamped(long number, int lowest, int highest)
{
    return number < lowest ? lowest : number > highest ? highest : (int)number;
}

static int set_verbosity_number(struct scan *scan, const char *value)
{
    char *end;
    long number = strtol(value, &end, 0);
    if (end == value || *end != '\0') {
        log_error("option -d: \"%s\" is not a level; use -d0 to -d4, or -d once for each step",
                  value);
        return refused();
    }
    scan->verbosity = clamped(number, -1, MODCAT_DEBUG);
    return 0;
}

/* The usage, and the run goes on, as with socat: a script may depend on it. */
static int pass_over(const struct scan *scan)
{
    commandline_usage(stderr, scan->settings->program);
    log_warning("unknown option \"%s\" is ignored; use option \"-h\" for help", scan->argument);
    return 0;
}

static int set_verbosity(struct scan *scan, const char *value)
{
    size_t more = strspn(value, "d");
    if (isdigit((unsigned char)value[0]) || value[0] == '-') {
        if (set_verbosity_number(scan, value) < 0)
            return -1;
    } else if (value[more] != '\0') {
        return more > 0 ? refused_with_usage(scan) : pass_over(scan);
    } else {
        scan->verbosity = clamped(scan->verbosity + 1 + (long)more, -1, MODCAT_DEBUG);
    }
    log_set_level(scan->verbosity + MODCAT_ERROR);
    return 0;
}

static int report_facility(const char *facility)
{
    log_error("unknown syslog facility \"%s\"", facility);
    return refused();
}

static int set_syslog(struct scan *scan, const char *value)
{
    (void)scan;
    return log_to_syslog(value) < 0 ? report_facility(value) : 0;
}

static int set_log_mixed(struct scan *scan, const char *value)
{
    (void)scan;
    return log_set_mixed(value) < 0 ? report_facility(value) : 0;
}

static int set_log_file(struct scan *scan, const char *value)
{
    (void)scan;
    if (log_to_file(value) == 0)
        return 0;
    log_to_stderr();
    log_error("option -lf: open(\"%s\"): %s", value, strerror(errno));
    return refused();
}

static int set_log_stderr(struct scan *scan, const char *value)
{
    (void)scan, (void)value;
    log_to_stderr();
    return 0;
}

static int set_log_program(struct scan *scan, const char *value)
{
    (void)scan;
    log_set_program(value);
    return 0;
}

static int set_log_microseconds(struct scan *scan, const char *value)
{
    (void)scan, (void)value;
    log_set_microseconds(true);
    return 0;
}

static int set_log_hostname(struct scan *scan, const char *value)
{
    (void)scan, (void)value;
    log_set_hostname(true);
    return 0;
}

static int set_log_format(struct scan *scan, const char *value)
{
    static const char *const formats[] = {[LOG_FORMAT_TEXT] = "text", [LOG_FORMAT_JSON] = "json"};
    (void)scan;
    for (size_t i = 0; i < MODCAT_COUNT(formats); i++)
        if (strcmp(value, formats[i]) == 0) {
            log_set_format((enum log_format)i);
            return 0;
        }
    log_error("option --log-format: unknown format \"%s\" (use \"text\" or \"json\")", value);
    return refused();
}

static int set_statistics(struct scan *scan, const char *value)
{
    scan->settings->statistics = true;
    scan->settings->statistics_json = strcmp(value, "=json") == 0;
    if (value[0] == '\0' || scan->settings->statistics_json)
        return 0;
    log_error("option --statistics: unknown format \"%s\" (use \"json\")", value + 1);
    return refused();
}

static int set_sloppy(struct scan *scan, const char *value)
{
    (void)scan, (void)value;
    log_set_sloppy(true);
    return 0;
}

static int set_flag(struct scan *scan, const char *value)
{
    (void)value;
    *(bool *)member_of(scan->settings, scan->option->member) = true;
    return 0;
}

static int set_text(struct scan *scan, const char *value)
{
    *(const char **)member_of(scan->settings, scan->option->member) = value;
    return 0;
}

static int set_block_size(struct scan *scan, const char *value)
{
    if (numbers_block(value, &scan->settings->block_size) < 0)
        return refused();
    scan->settings->no_data = scan->settings->block_size == 0;
    return 0;
}

static int set_signal_mask(struct scan *scan, const char *value)
{
    return numbers_mask(value, &scan->settings->signal_mask) < 0 ? refused() : 0;
}

static int set_closing(struct scan *scan, const char *value)
{
    return numbers_closing(value, &scan->settings->closing) < 0 ? refused() : 0;
}

static int set_inactivity(struct scan *scan, const char *value)
{
    return numbers_inactivity(value, &scan->settings->inactivity) < 0 ? refused() : 0;
}

static int set_drain(struct scan *scan, const char *value)
{
    return numbers_drain(value, &scan->settings->drain) < 0 ? refused() : 0;
}

/* Not even -s makes sense of a transfer without any direction. */
static int set_one_way(struct scan *scan, bool *way)
{
    *way = true;
    if (!scan->to_right || !scan->to_left)
        return 0;
    log_error("-U and -u must not be combined");
    return -1;
}

static int set_to_right(struct scan *scan, const char *value)
{
    (void)value;
    return set_one_way(scan, &scan->to_right);
}

static int set_to_left(struct scan *scan, const char *value)
{
    (void)value;
    return set_one_way(scan, &scan->to_left);
}

static int set_lock(struct scan *scan, const char *value)
{
    if (scan->settings->lock_file != NULL) {
        log_error("only one -L and -W option allowed");
        return refused();
    }
    scan->settings->lock_file = value;
    scan->settings->lock_wait = scan->option->name[1] == 'W';
    return 0;
}

static int set_version(struct scan *scan, const char *value)
{
    (void)value;
    scan->settings->listen_version = scan->option->name[1];
    scan->settings->resolve_version = scan->option->name[1];
    return 0;
}

static int add_driver_path(struct scan *scan, const char *value)
{
    struct settings *settings = scan->settings;
    settings->driver_paths =
        memory_resize((void *)settings->driver_paths, settings->driver_path_count + 1,
                      sizeof settings->driver_paths[0]);
    settings->driver_paths[settings->driver_path_count++] = value;
    return 0;
}

static int describe_driver(struct scan *scan, const char *value)
{
    scan->settings->describe = value;
    scan->action = ACTION_DESCRIBE_DRIVER;
    return 0;
}

static int describe_type(struct scan *scan, const char *value)
{
    scan->settings->describe = value;
    scan->action = ACTION_DESCRIBE;
    return 0;
}

static int complete(struct scan *scan, const char *value)
{
    scan->settings->describe = value;
    scan->action = ACTION_COMPLETE;
    return 0;
}

static int list_drivers(struct scan *scan, const char *value)
{
    (void)value;
    scan->action = ACTION_DRIVERS;
    return 0;
}

static int show_compat(struct scan *scan, const char *value)
{
    (void)value;
    scan->action = ACTION_COMPAT;
    return 0;
}

/* The forms of the STDIO address: "-", "-,option", "-!!other". */
static bool is_address(const char *argument)
{
    return argument[0] != '-' || argument[1] == '\0' || strchr(",:!", argument[1]) != NULL;
}

static bool matches(const struct commandline_option *option, const char *argument)
{
    size_t length = option->name != NULL ? strlen(option->name) : 0;
    if (length == 0 || strncmp(argument, option->name, length) != 0)
        return false;
    if (option->tail == TAIL_WORD)
        return argument[length] == '\0';
    if (option->tail == TAIL_EQUALS || option->tail == TAIL_OPTIONAL)
        return argument[length] == '\0' || argument[length] == '=';
    return true;
}

static const struct commandline_option *find_option(const char *argument)
{
    for (size_t i = 0; i < MODCAT_COUNT(options); i++)
        if (matches(&options[i], argument))
            return &options[i];
    return NULL;
}

/* Reports an argument that is no option. Returns as an option's `apply`. */
static int refuse_argument(const char *argument)
{
    bool logs = strncmp(argument, "-l", 2) == 0;
    report_unknown(argument, logs ? "log option" : "option");
    return logs || strncmp(argument, "--", 2) == 0 ? refused() : -1;
}

/* The value of an option that needs one: attached, or else the next argument, which then counts
 * as used. NULL after reporting. */
static const char *needed_value(const struct commandline_option *option, const char *attached,
                                char ***arguments)
{
    bool equals = option->tail == TAIL_EQUALS && attached[0] == '=';
    if (attached[equals] != '\0')
        return attached + equals;
    if (!equals && (*arguments)[1] != NULL)
        return *++*arguments;
    log_error("option %s requires an argument; use option \"-h\" for help", option->name);
    return NULL;
}

/* Carries out the option at **arguments, and moves *arguments behind it. */
static int take_option(struct scan *scan, char ***arguments)
{
    const char *argument = scan->argument = **arguments;
    const struct commandline_option *option = scan->option = find_option(argument);
    if (option == NULL) {
        ++*arguments;
        return refuse_argument(argument);
    }
    const char *value = argument + strlen(option->name);
    if (option->tail == TAIL_NONE && value[0] != '\0') {
        fprintf(
            stderr,
            "Do not merge single character options, i.e. use \"-%c -%c\" instead of \"-%c%c\"\n",
            argument[1], argument[2], argument[1], argument[2]);
        return -1;
    }
    if (option->tail == TAIL_VALUE || option->tail == TAIL_EQUALS)
        value = needed_value(option, value, arguments);
    ++*arguments;
    return value != NULL ? option->apply(scan, value) : -1;
}

/* Takes what is left behind the options: two addresses, or none where nothing is opened. */
static int take_addresses(struct scan *scan, char **arguments)
{
    struct settings *settings = scan->settings;
    unsigned wanted = scan->action == ACTION_RUN ? 2 : 0;
    unsigned count = 0;
    while (arguments[count] != NULL)
        count++;
    if (count != wanted) {
        log_error("exactly %u addresses required (there are %u); use option \"-h\" for help",
                  wanted, count);
        if (wanted > 0)
            mistakes_explain_addresses(arguments, settings->program);
        return -1;
    }
    for (unsigned i = 0; i < count; i++)
        settings->addresses[i] = arguments[i];
    settings->directions[0] =
        (scan->to_left ? 0 : MODCAT_DIR_READ) | (scan->to_right ? 0 : MODCAT_DIR_WRITE);
    settings->directions[1] =
        (scan->to_right ? 0 : MODCAT_DIR_READ) | (scan->to_left ? 0 : MODCAT_DIR_WRITE);
    return 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool describes(enum commandline_action action)
{
    return action == ACTION_DRIVERS || action == ACTION_DESCRIBE ||
           action == ACTION_DESCRIBE_DRIVER || action == ACTION_COMPAT;
}

static int check_json(const struct scan *scan)
{
    if (!scan->settings->json || describes(scan->action))
        return 0;
    log_error("--json goes with --drivers, --describe, --describe-driver or --compat");
    return -1;
}

int commandline_parse(int argc, char **argv, struct settings *settings,
                      enum commandline_action *action)
{
    struct scan scan = {.settings = settings, .action = ACTION_RUN};
    char **arguments = argc > 0 ? argv + 1 : argv;
    *action = ACTION_RUN;
    *settings = (struct settings){.program = argc > 0 ? base_name(argv[0]) : "modcat"};
    log_set_program(settings->program);
    failure_put_calls_first(version_stands_in(settings->program));
    defaults_set(settings);
    while (!scan.finished && *arguments != NULL && !is_address(*arguments))
        if (take_option(&scan, &arguments) < 0)
            return -1;
    if (!scan.finished && check_json(&scan) < 0)
        return -1;
    if (!scan.finished && take_addresses(&scan, arguments) < 0)
        return -1;
    *action = scan.action;
    return 0;
}

void commandline_free(struct settings *settings)
{
    free((void *)settings->driver_paths);
    settings->driver_paths = NULL;
    settings->driver_path_count = 0;
}

void commandline_identify(FILE *out)
{
    fputs("modcat " PACKAGE_VERSION ": a relay between two addresses\n", out);
}

void commandline_usage(FILE *out, const char *program)
{
    commandline_identify(out);
    fprintf(out, "Usage:\n%s [options] <bi-address> <bi-address>\n   options:\n", program);
    for (size_t i = 0; i < MODCAT_COUNT(options); i++)
        if (options[i].syntax != NULL)
            fprintf(out, "      %-24s %s\n", options[i].syntax, options[i].help);
}

bool commandline_is_option(const char *argument)
{
    return !is_address(argument) && find_option(argument) != NULL;
}

const char *commandline_next_option(size_t *cursor)
{
    while (*cursor < MODCAT_COUNT(options)) {
        const char *name = options[(*cursor)++].name;
        if (name != NULL)
            return name;
    }
    return NULL;
}
