#define _GNU_SOURCE
#include "core/relay/dumpname.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *process(const struct timespec *now)
{
    (void)now;
    if (log_session() != 0)
        return memory_format("%d.%u", (int)getpid(), log_session());
    return memory_format("%d", (int)getpid());
}

static char *program(const struct timespec *now)
{
    (void)now;
    return memory_copy_text(log_program());
}

static char *timestamp(const struct timespec *now)
{
    char text[64] = "";
    struct tm parts;
    if (localtime_r(&now->tv_sec, &parts) != NULL)
        (void)strftime(text, sizeof text, "%Y%m%dT%H%M%S", &parts);
    return memory_copy_text(text);
}

static char *microseconds(const struct timespec *now)
{
    return memory_format("%ld", now->tv_nsec / 1000);
}

static const struct placeholder {
    const char *name;
    char *(*value)(const struct timespec *now);
} placeholders[] = {
    {"$", process},
    {"PROGNAME", program},
    {"TIMESTAMP", timestamp},
    {"MICROS", microseconds},
};

/* The length of the name at `text`, without braces. */
static size_t name_length(const char *text)
{
    size_t length = 0;
    if (text[0] == '$')
        return 1;
    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return length;
}

static char *value_of(const char *name, const struct timespec *now)
{
    for (size_t i = 0; i < MODCAT_COUNT(placeholders); i++)
        if (strcmp(name, placeholders[i].name) == 0)
            return placeholders[i].value(now);
    const char *value = getenv(name);
    return memory_copy_text(value != NULL ? value : "");
}

/* Writes what stands at **next, a dollar sign, and moves *next behind it. */
static void put_placeholder(FILE *out, const char **next, const struct timespec *now)
{
    bool braces = (*next)[1] == '{';
    const char *start = *next + 1 + braces;
    size_t length = name_length(start);
    if (length == 0 || (braces && start[length] != '}')) {
        putc(*(*next)++, out);
        return;
    }
    AUTO_FREE char *name = memory_copy_span(start, length);
    AUTO_FREE char *value = value_of(name, now);
    fputs(value, out);
    *next = start + length + braces;
}

char *dumpname_expand(const char *pattern, const struct timespec *now)
{
    AUTO_FREE char *name = NULL;
    size_t size;
    const char *next = pattern;
    FILE *out = open_memstream(&name, &size);
    while (out != NULL && *next != '\0') {
        if (next[0] == '\\' && next[1] == '$')
            next++;
        else if (next[0] == '$') {
            put_placeholder(out, &next, now);
            continue;
        }
        putc(*next++, out);
    }
    bool whole = out != NULL && fclose(out) == 0;
    return memory_copy_text(whole ? name : pattern);
}
