#define _GNU_SOURCE
#include "core/base/system_log.h"

#include "core/base/moment.h"
#include "core/base/words.h"
#include <errno.h>
#include <modcat/driver.h>
#include <stdbool.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const struct facility {
    const char *name;
    int number;
} facilities[] = {
    {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},
    {"daemon", LOG_DAEMON}, {"ftp", LOG_FTP},           {"kern", LOG_KERN},
    {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},     {"local2", LOG_LOCAL2},
    {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},     {"local5", LOG_LOCAL5},
    {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},     {"lpr", LOG_LPR},
    {"mail", LOG_MAIL},     {"news", LOG_NEWS},         {"syslog", LOG_SYSLOG},
    {"user", LOG_USER},     {"uucp", LOG_UUCP},
};

/* syslog(3) sends a message once more when it could not at first: both tries were interrupted. */
#define TRIES 2

/* How long a daemon that stalls is left alone. */
#define PAUSE_SECONDS 1

static struct {
    pid_t pid; /* whose messages these are */
    unsigned long lost;
    time_t quiet_until;
} state;

int system_log_facility(const char *name)
{
    if (name == NULL || name[0] == '\0')
        return LOG_DAEMON;
    for (size_t i = 0; i < MODCAT_COUNT(facilities); i++)
        if (words_equal(name, facilities[i].name))
            return facilities[i].number;
    errno = EINVAL;
    return SYSTEM_LOG_NONE;
}

void system_log_open(const char *program, int facility)
{
    openlog(program, LOG_PID, facility);
}

void system_log_loss_text(char text[SYSTEM_LOG_LOSS_MAX], unsigned long lost)
{
    snprintf(text, SYSTEM_LOG_LOSS_MAX, "%lu message%s lost: the log did not take %s in time", lost,
             lost == 1 ? " was" : "s were", lost == 1 ? "it" : "them");
}

static time_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static bool send_message(int priority, char letter, const char *text)
{
    if (state.quiet_until != 0 && now() < state.quiet_until)
        return false;
    moment_start();
    if (letter == SYSTEM_LOG_NO_LETTER)
        syslog(priority, "%s", text);
    else
        syslog(priority, "%c %s", letter, text);
    bool sent = moment_stop() < TRIES;
    state.quiet_until = sent ? 0 : now() + PAUSE_SECONDS;
    return sent;
}

/* A parent counts its own. */
static void leave_to_parent(void)
{
    pid_t pid = getpid();
    if (state.pid != pid)
        state.lost = 0;
    state.pid = pid;
}

static bool tell_losses(void)
{
    char text[SYSTEM_LOG_LOSS_MAX];
    if (state.lost == 0)
        return true;
    system_log_loss_text(text, state.lost);
    if (!send_message(LOG_WARNING, 'W', text))
        return false;
    state.lost = 0;
    return true;
}

void system_log_put(int priority, char letter, const char *text)
{
    leave_to_parent();
    if (!tell_losses() || !send_message(priority, letter, text))
        state.lost++;
}

void system_log_finish(void)
{
    leave_to_parent();
    tell_losses();
}
