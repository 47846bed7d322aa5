#define _GNU_SOURCE
#include "core/base/memory.h"

#include "core/base/log.h"
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The log makes its lines without memory from here. */
static void *or_die(void *memory)
{
    if (memory != NULL)
        return memory;
    log_error("out of memory");
    log_release();
    log_finish();
    _exit(1);
}

void *memory_alloc(size_t size)
{
    return or_die(malloc(size > 0 ? size : 1));
}

void *memory_zeroed(size_t count, size_t size)
{
    return or_die(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *memory_resize(void *old, size_t count, size_t size)
{
    return or_die(reallocarray(old, count > 0 ? count : 1, size > 0 ? size : 1));
}

void *memory_copy(const void *data, size_t size)
{
    return memcpy(memory_alloc(size), data, size);
}

char *memory_copy_text(const char *text)
{
    return or_die(strdup(text));
}

char *memory_copy_span(const char *text, size_t length)
{
    return or_die(strndup(text, length));
}

char *memory_join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    char *path = memory_alloc(length + strlen(name) + 2);
    stpcpy(stpcpy(stpcpy(path, folder), "/"), name);
    return path;
}

char *memory_format(const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return or_die(length < 0 ? NULL : text);
}

void memory_free_local(void *local)
{
    free(*(void **)local);
}

void memory_close_local(int *fd)
{
    int saved = errno;
    if (*fd >= 0)
        close(*fd);
    errno = saved;
}
