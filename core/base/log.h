/* log.h: messages with a severity, to standard error, a file or syslog, in the line format that
 * scripts look for: "YYYY/MM/DD hh:mm:ss PROG[PID] L TEXT". */

#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include <modcat/driver.h>
#include <stdarg.h>
#include <stdbool.h>

/* The longest line, without its newline; longer ones are cut. */
#define LOG_LINE_MAX 512

/* Names the program in each line. The text must stay alive. The default is "modcat". */
void log_set_program(const char *program);
const char *log_program(void);

/* Shows all severities up to and including this one; MODCAT_WARNING at first. */
void log_set_level(int level);
int log_level(void);
bool log_shows(enum modcat_level level);

/* Adds microseconds (-lu) or the host's name (-lh) to each line. */
void log_set_microseconds(bool on);
void log_set_hostname(bool on);

/* --log-format: lines as people and scripts know them, or one JSON object a line with the keys
 * time, level, program, pid, message and host. syslog has its own form. */
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
void log_set_format(enum log_format format);

/* The time of now in UTC, as RFC 3339 writes it, with microseconds. */
#define LOG_JSON_TIME 40
void log_json_time(char text[LOG_JSON_TIME]);

/* Destinations. Standard error is on at first. A file is opened for appending and replaces
 * standard error. Each returns 0, or -1 with errno (EINVAL: unknown facility). */
void log_to_stderr(void);
int log_to_file(const char *path);
int log_to_syslog(const char *facility);

/* -lm: remembers the facility; log_switch() later moves from standard error to syslog, once,
 * after saying "WHAT, switching to syslog". Without -lm it logs WHAT at info level. */
int log_set_mixed(const char *facility);
void log_switch(const char *what);

/* Whose messages come from now on: a session of this process, whose number stands behind the
 * process id, or 0. Returns whose they were before. */
unsigned log_set_session(unsigned number);
unsigned log_session(void);

/* The layer of an address that speaks by modcat_log() from now on, or NULL; its name, which stays
 * where it is, comes before what it says. Returns the one before. */
const char *log_set_layer(const char *name);

/* Lowers the severity of all that this process says by some steps, or of what its sessions say
 * (children-shutup). */
void log_lower(int steps);
void log_lower_sessions(int steps);

/* The severity that ends the program: MODCAT_ERROR, or MODCAT_FATAL with -s. */
void log_set_sloppy(bool on);
bool log_sloppy(void);

/* Sends a line that has its form already to where the log goes, whatever the log's level. */
void log_line(const char *line);

/* For a process of many sessions: no line waits for its reader; what can't be written at once is
 * lost and counted. */
void log_hurry(void);

/* Between these two, lines are written together, up to a pipe's PIPE_BUF bytes at a time: for what
 * logs many lines, and neither waits nor ends meanwhile. errno is kept. */
void log_hold(void);
void log_release(void);

/* A status line is shown on standard error, at whose end the cursor stands: it is wiped out before
 * anything else is written there. log_wipe_status() does that, and is cheap where there is none. */
void log_set_status(bool shown);
void log_wipe_status(void);

/* At the end of the program: says how many lines were lost because the log did not take them. */
void log_finish(void);

/* Logs one line. errno is kept. log_at() takes a va_list; log_always() is shown
 * at any level; the short ones say their severity. */
void log_at(enum modcat_level level, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void log_always(enum modcat_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
