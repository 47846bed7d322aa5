/* What a flow says of reads and writes that fail. */

#define _GNU_SOURCE
#include "core/base/failure.h"
#include "core/relay/moving.h"
#include <stdio.h>
#include <unistd.h>

#define NAME_TEXT 120
#define CALL_TEXT 80

/* Standard input and output are known by their names, all else by the address. */
static const char *end_name(const struct opened *opened, int fd, char text[NAME_TEXT])
{
    static const char *const standard[] = {"standard input", "standard output", "standard error"};
    if (fd >= 0 && fd <= STDERR_FILENO)
        return standard[fd];
    opening_name(opened->opening, text, NAME_TEXT);
    return text;
}

/* Pointers say nothing to people, but lines that scripts know have them. */
static const char *call_text(const char *name, int fd, const void *data, size_t length,
                             char text[CALL_TEXT])
{
    if (failure_calls_come_first())
        snprintf(text, CALL_TEXT, "%s(%d, %p, %zu)", name, fd, data, length);
    else
        snprintf(text, CALL_TEXT, "%s(%d, ..., %zu)", name, fd, length);
    return text;
}

void flow_log_read_failure(const struct flow *flow, enum modcat_level level, size_t length)
{
    int fd = flow->source->endpoint->read_fd;
    char name[NAME_TEXT], call[CALL_TEXT];
    log_failure(level, "read from", end_name(flow->source, fd, name), NULL, "%s",
                call_text("read", fd, flow->buffer, length, call));
}

void flow_log_write_failure(const struct flow *flow, enum modcat_level level, const char *reason,
                            size_t length)
{
    int fd = flow->sink->endpoint->write_fd;
    char name[NAME_TEXT], call[CALL_TEXT];
    /* With nothing on its way, there may be no buffer. */
    const void *data = flow->buffer != NULL ? flow->buffer + flow->start : NULL;
    log_failure(level, "write to", end_name(flow->sink, fd, name), reason, "%s",
                call_text("write", fd, data, length, call));
}
