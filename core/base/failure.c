#define _GNU_SOURCE
#include "core/base/failure.h"

#include "core/base/memory.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A line of the log has 512 bytes: a longer object would leave no room for the reason. */
#define OBJECT_MAX 300
#define CALL_MAX 512

static bool calls_first;

void failure_put_calls_first(bool on)
{
    calls_first = on;
}

bool failure_calls_come_first(void)
{
    return calls_first;
}

/* What to do about an error that does not say so itself. */
static const struct advice {
    const char *verb, *object; /* NULL: any */
    int error;
    const char *text;
} advices[] = {
    {"open", NULL, EISDIR, "name a file in it"},
    {"open", "/dev/net/tun", EACCES, "needs the capability CAP_NET_ADMIN"},
    {"open", NULL, EACCES, "check the permissions of the file and of the folders above it"},
    {"create", NULL, ENOENT, "its folder does not exist"},
    {"create", NULL, EACCES, "check the permissions of its folder"},
    {"open network namespace", NULL, ENOENT, "\"ip netns\" lists them"},
    {"read from", NULL, ECONNREFUSED, "no program receives there"},
};

static const char *advice_for(const struct failure *failure, int error)
{
    for (size_t i = 0; i < MODCAT_COUNT(advices) && failure->reason == NULL; i++)
        if (advices[i].error == error && strcmp(advices[i].verb, failure->verb) == 0 &&
            (advices[i].object == NULL ||
             (failure->object != NULL && strcmp(advices[i].object, failure->object) == 0)))
            return advices[i].text;
    return NULL;
}

char *failure_text(const struct failure *failure, const char *call, va_list arguments)
{
    char shown[CALL_MAX];
    const char *object = failure->object != NULL ? failure->object : "";
    const char *reason = failure->reason != NULL ? failure->reason : strerror(errno);
    const char *advice = advice_for(failure, errno);
    vsnprintf(shown, sizeof shown, call, arguments);
    if (calls_first)
        return memory_format("%s: %s", shown, reason);
    return memory_format("cannot %s%s%.*s%s: %s%s%s%s [%s]", failure->verb,
                         *object != '\0' ? " " : "", OBJECT_MAX, object,
                         strlen(object) > OBJECT_MAX ? "..." : "", reason, advice ? " (" : "",
                         advice ? advice : "", advice ? ")" : "", shown);
}

void log_failure(enum modcat_level level, const char *verb, const char *object, const char *reason,
                 const char *call, ...)
{
    int saved = errno;
    va_list arguments;
    va_start(arguments, call);
    AUTO_FREE char *text = failure_text(&(struct failure){verb, object, reason}, call, arguments);
    va_end(arguments);
    modcat_log(level, "%s", text);
    errno = saved;
}
