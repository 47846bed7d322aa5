#define _GNU_SOURCE
#include "core/base/log.h"

#include "core/base/json.h"
#include "core/base/outlet.h"
#include "core/base/output_file.h"
#include "core/base/patient.h"
#include "core/base/printable.h"
#include "core/base/system_log.h"
#include "core/base/words.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const struct severity {
    char letter;
    int priority;
    const char *name;
} severities[] = {
    [MODCAT_FATAL] = {'F', LOG_CRIT, "fatal"},        [MODCAT_ERROR] = {'E', LOG_ERR, "error"},
    [MODCAT_WARNING] = {'W', LOG_WARNING, "warning"}, [MODCAT_NOTICE] = {'N', LOG_NOTICE, "notice"},
    [MODCAT_INFO] = {'I', LOG_INFO, "info"},          [MODCAT_DEBUG] = {'D', LOG_DEBUG, "debug"},
};

/* What stands in front of a line's text, with the null byte behind it. */
#define HEAD_MAX (LOG_LINE_MAX + sizeof "L ")

static struct {
    const char *program;
    int level;
    int lowered;
    int sessions_lowered;
    bool sloppy;
    bool microseconds;
    enum log_format format;
    bool status_shown;
    char host[HOST_NAME_MAX + 2]; /* with a blank behind it; empty: not shown */
    int facility;                 /* of syslog, or SYSTEM_LOG_NONE */
    int mixed;                    /* the facility that log_switch() moves to, or SYSTEM_LOG_NONE */
    char head[LOG_LINE_MAX + 1];  /* of the lines in this second, up to the severity; empty: none */
    time_t second;
    pid_t pid;
    const char *layer; /* that speaks, or NULL */
    unsigned session;  /* the one that speaks, or 0 ... */
    unsigned in_head;  /* ... and the one that stands in the head */
} state = {
    .program = "modcat",
    .level = MODCAT_WARNING,
    .facility = SYSTEM_LOG_NONE,
    .mixed = SYSTEM_LOG_NONE,
};

static int within_levels(int level)
{
    return level < MODCAT_FATAL ? MODCAT_FATAL : level > MODCAT_DEBUG ? MODCAT_DEBUG : level;
}

static void open_syslog(int facility)
{
    state.facility = facility;
    system_log_open(state.program, facility);
}

void log_set_program(const char *program)
{
    state.program = program;
    state.head[0] = '\0';
    if (state.facility != SYSTEM_LOG_NONE)
        open_syslog(state.facility);
}

const char *log_program(void)
{
    return state.program;
}

void log_set_level(int level)
{
    state.level = within_levels(level);
}

int log_level(void)
{
    return state.level;
}

void log_lower(int steps)
{
    state.lowered = steps < 0 ? 0 : within_levels(steps);
}

void log_lower_sessions(int steps)
{
    state.sessions_lowered = steps < 0 ? 0 : within_levels(steps);
}

static enum modcat_level lowered(enum modcat_level level)
{
    int steps = state.session != 0 ? state.sessions_lowered : state.lowered;
    return (enum modcat_level)within_levels(within_levels((int)level) + steps);
}

bool log_shows(enum modcat_level level)
{
    return (int)lowered(level) <= state.level;
}

unsigned log_set_session(unsigned number)
{
    unsigned before = state.session;
    state.session = number;
    return before;
}

const char *log_set_layer(const char *name)
{
    const char *before = state.layer;
    state.layer = name;
    return before;
}

unsigned log_session(void)
{
    return state.session;
}

void log_set_microseconds(bool on)
{
    state.microseconds = on;
    state.head[0] = '\0';
}

static const char *host_name(struct utsname *names)
{
    const char *host = secure_getenv("HOSTNAME");
    if (host != NULL)
        return host;
    return uname(names) == 0 ? names->nodename : "localhost";
}

void log_set_hostname(bool on)
{
    struct utsname names;
    state.head[0] = state.host[0] = '\0';
    if (on)
        snprintf(state.host, sizeof state.host, "%.*s ", HOST_NAME_MAX, host_name(&names));
}

void log_set_format(enum log_format format)
{
    state.format = format;
}

void log_set_sloppy(bool on)
{
    state.sloppy = on;
}

bool log_sloppy(void)
{
    return state.sloppy;
}

void log_to_stderr(void)
{
    outlet_set(STDERR_FILENO);
}

int log_to_file(const char *path)
{
    int fd = output_file_open(path, 0666);
    if (fd < 0)
        return -1;
    (void)fcntl(fd, F_SETFL, O_APPEND);
    outlet_set(fd);
    return 0;
}

static void leave_stderr(void)
{
    if (outlet_fd() == STDERR_FILENO)
        outlet_set(-1);
}

int log_to_syslog(const char *facility)
{
    int number = system_log_facility(facility);
    if (number == SYSTEM_LOG_NONE)
        return -1;
    open_syslog(number);
    leave_stderr();
    state.mixed = SYSTEM_LOG_NONE;
    return 0;
}

int log_set_mixed(const char *facility)
{
    int number = system_log_facility(facility);
    if (number == SYSTEM_LOG_NONE)
        return -1;
    state.mixed = number;
    return 0;
}

void log_switch(const char *what)
{
    if (state.mixed == SYSTEM_LOG_NONE) {
        log_info("%s", what);
        return;
    }
    log_info("%s, switching to syslog", what);
    open_syslog(state.mixed);
    state.mixed = SYSTEM_LOG_NONE;
    leave_stderr();
}

/* localtime_r(3) reads the zone once only, unlike localtime(3). */
static void make_head(const struct timespec *now)
{
    char date[32], fraction[sizeof ".999999999"] = "", session[sizeof "[4294967295]"] = "";
    struct tm parts;
    if (localtime_r(&now->tv_sec, &parts) == NULL ||
        strftime(date, sizeof date, "%Y/%m/%d %H:%M:%S", &parts) == 0)
        snprintf(date, sizeof date, "0000/00/00 00:00:00");
    if (state.microseconds)
        snprintf(fraction, sizeof fraction, ".%06ld", now->tv_nsec / 1000 % 1000000);
    if (state.session != 0)
        snprintf(session, sizeof session, "[%u]", state.session);
    snprintf(state.head, sizeof state.head, "%s%s %s%s[%d]%s ", date, fraction, state.host,
             state.program, (int)state.pid, session);
    printable_make(state.head);
}

/* Writes what stands in front of the text; returns its length. Most lines fall into the same second
 * as the one before, and so it is made once only. */
static size_t put_head(char *line, const struct severity *severity)
{
    struct timespec now;
    pid_t pid = getpid();
    clock_gettime(CLOCK_REALTIME, &now);
    if (state.head[0] == '\0' || now.tv_sec != state.second || pid != state.pid ||
        state.session != state.in_head || state.microseconds) {
        state.in_head = state.session;
        state.second = now.tv_sec;
        state.pid = pid;
        make_head(&now);
    }
    char *end = stpcpy(line, state.head);
    *end++ = severity->letter;
    *end++ = ' ';
    return (size_t)(end - line);
}

void log_json_time(char text[LOG_JSON_TIME])
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &parts) == NULL ||
        strftime(text, LOG_JSON_TIME, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        text[0] = '\0';
    size_t length = strlen(text);
    snprintf(text + length, LOG_JSON_TIME - length, ".%06ldZ", now.tv_nsec / 1000 % 1000000);
}

/* A line of each form. */
#define JSON_MAX                                                                                   \
    (JSON_QUOTED_MAX(NAME_MAX) + JSON_QUOTED_MAX(LOG_LINE_MAX) + JSON_QUOTED_MAX(HOST_NAME_MAX) +  \
     200)

/* Nothing is cut off an object, it would be none any more; only its message is. */
static size_t make_json(char line[JSON_MAX], const struct severity *severity, const char *text)
{
    char time[LOG_JSON_TIME], program[JSON_QUOTED_MAX(NAME_MAX)];
    char message[JSON_QUOTED_MAX(LOG_LINE_MAX)], host[JSON_QUOTED_MAX(HOST_NAME_MAX)];
    struct utsname names;
    char session[sizeof "\"session\":4294967295,"] = "";
    log_json_time(time);
    if (state.session != 0)
        snprintf(session, sizeof session, "\"session\":%u,", state.session);
    int length =
        snprintf(line, JSON_MAX,
                 "{\"time\":\"%s\",\"level\":\"%s\",\"program\":%s,\"pid\":%d,%s\"message\":%s,"
                 "\"host\":%s}\n",
                 time, severity->name, json_quote(program, sizeof program, state.program),
                 (int)getpid(), session, json_quote(message, sizeof message, text),
                 json_quote(host, sizeof host, host_name(&names)));
    return (size_t)length;
}

static size_t make_loss_line(char line[OUTLET_LINE_MAX], unsigned long lost)
{
    char text[SYSTEM_LOG_LOSS_MAX];
    const struct severity *severity = &severities[lowered(MODCAT_WARNING)];
    if (!log_shows(MODCAT_WARNING))
        return 0;
    system_log_loss_text(text, lost);
    if (state.format == LOG_FORMAT_JSON)
        return make_json(line, severity, text);
    size_t head = put_head(line, severity);
    return head + (size_t)snprintf(line + head, OUTLET_LINE_MAX - head, "%s\n", text);
}

void log_finish(void)
{
    outlet_finish(make_loss_line);
    if (state.facility != SYSTEM_LOG_NONE)
        system_log_finish();
}

void log_hurry(void)
{
    outlet_hurry();
}

void log_set_status(bool shown)
{
    state.status_shown = shown;
}

void log_wipe_status(void)
{
    static const char wipe[] = "\r\033[K";
    if (!state.status_shown)
        return;
    state.status_shown = false;
    (void)!patient_write(STDERR_FILENO, wipe, sizeof wipe - 1);
}

static void write_lines(const char *lines, size_t length)
{
    if (length == 0)
        return;
    if (outlet_fd() == STDERR_FILENO)
        log_wipe_status();
    outlet_write(lines, length, make_loss_line);
}

/* No more than what a pipe takes in one piece, so that lines of several processes do not mix. */
static struct {
    bool on;
    size_t length;
    char lines[PIPE_BUF];
} held;

static void write_held(void)
{
    write_lines(held.lines, held.length);
    held.length = 0;
}

void log_hold(void)
{
    held.on = true;
}

void log_release(void)
{
    int saved = errno;
    write_held();
    held.on = false;
    errno = saved;
}

static void write_whole_line(const char *line, size_t length)
{
    if (held.length + length > sizeof held.lines)
        write_held();
    if (!held.on || length > sizeof held.lines) {
        write_lines(line, length);
        return;
    }
    memcpy(held.lines + held.length, line, length);
    held.length += length;
}

static void write_json(const struct severity *severity, const char *text)
{
    char line[JSON_MAX];
    write_whole_line(line, make_json(line, severity, text));
}

/* Ends the line where it is too long, and adds the newline, for which there must be room. */
static void write_line(char *line)
{
    size_t length = strnlen(line, LOG_LINE_MAX);
    line[length] = '\0';
    printable_make(line); /* of a character that was cut in two */
    line[length] = '\n';
    write_whole_line(line, length + 1);
}

void log_line(const char *line)
{
    char whole[LOG_LINE_MAX + 2];
    if (outlet_fd() >= 0) {
        int length = snprintf(whole, sizeof whole, "%.*s\n", LOG_LINE_MAX, line);
        write_whole_line(whole, (size_t)length);
    }
    if (state.facility != SYSTEM_LOG_NONE)
        system_log_put(LOG_INFO, SYSTEM_LOG_NO_LETTER, line);
}

__attribute__((format(printf, 2, 0))) static void put(enum modcat_level level, const char *format,
                                                      va_list arguments)
{
    int saved = errno;
    char line[HEAD_MAX + LOG_LINE_MAX + 1];
    const struct severity *severity = &severities[lowered(level)];
    bool is_text = outlet_fd() >= 0 && state.format == LOG_FORMAT_TEXT;
    char *text = line + (is_text ? put_head(line, severity) : 0);
    text[0] = '\0';
    vsnprintf(text, LOG_LINE_MAX + 1, format, arguments);
    if (outlet_fd() >= 0 && !is_text)
        write_json(severity, text);
    printable_make(text);
    if (state.facility != SYSTEM_LOG_NONE)
        system_log_put(severity->priority, severity->letter, text);
    if (is_text)
        write_line(line);
    errno = saved;
}

void log_at(enum modcat_level level, const char *format, va_list arguments)
{
    if (log_shows(level))
        put(level, format, arguments);
}

void log_always(enum modcat_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put(level, format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static void log_named(enum modcat_level level,
                                                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_at(level, format, arguments);
    va_end(arguments);
}

void modcat_log(enum modcat_level level, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    int error = errno;
    va_start(arguments, format);
    if (state.layer == NULL)
        log_at(level, format, arguments);
    else if (log_shows(level) && vasprintf(&text, format, arguments) >= 0)
        log_named(level, "%s: %s", state.layer, text);
    free(text);
    va_end(arguments);
    errno = error;
}

void log_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_at(MODCAT_ERROR, format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_at(MODCAT_WARNING, format, arguments);
    va_end(arguments);
}

void log_notice(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_at(MODCAT_NOTICE, format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_at(MODCAT_INFO, format, arguments);
    va_end(arguments);
}

void log_debug(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_at(MODCAT_DEBUG, format, arguments);
    va_end(arguments);
}
