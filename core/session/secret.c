/* Passwords that stand in files or the environment, where a command line would show them to
 * everybody. */

#define _GNU_SOURCE
#include "core/base/memory.h"
#include "core/base/secrets.h"
#include "core/session/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file that is read where it may wait: it can be a pipe that another program still fills. */
struct reading {
    int error;
    size_t length;
    char text[MODCAT_SECRET_MAX + 3]; /* with CR, LF and one byte that tells of more */
    char path[];
};

static void read_all(struct reading *reading, int fd)
{
    ssize_t count;
    do {
        count = read(fd, reading->text + reading->length, sizeof reading->text - reading->length);
        reading->length += count > 0 ? (size_t)count : 0;
    } while (count > 0 || (count < 0 && errno == EINTR));
    reading->error = count < 0 ? errno : 0;
}

static void read_file(void *argument)
{
    struct reading *reading = argument;
    int fd = open(reading->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        reading->error = errno;
        return;
    }
    read_all(reading, fd);
    close(fd);
}

static size_t without_line_end(const char *text, size_t length)
{
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0 && text[length - 1] == '\r')
        length--;
    return length;
}

static const char *fault_of(const char *text, size_t length)
{
    if (length == 0)
        return "is empty";
    if (length > MODCAT_SECRET_MAX)
        return "is too long for a secret";
    return memchr(text, '\0', length) != NULL ? "holds a zero byte" : NULL;
}

static char *take_secret(const struct modcat_opening *opening, const struct reading *reading)
{
    size_t length = without_line_end(reading->text, reading->length);
    const char *fault = fault_of(reading->text, length);
    errno = reading->error != 0 ? reading->error : EINVAL;
    if (reading->error != 0)
        modcat_fail(opening, "open(\"%s\", O_RDONLY): %s", reading->path, strerror(errno));
    else if (fault != NULL)
        modcat_fail(opening, "file \"%s\" %s", reading->path, fault);
    else
        return memory_copy_span(reading->text, length);
    return NULL;
}

char *modcat_read_secret(struct modcat_opening *opening, const char *path)
{
    size_t length = strlen(path) + 1;
    struct reading *reading = memory_alloc(sizeof *reading + length);
    reading->error = 0;
    reading->length = 0;
    memcpy(reading->path, path, length);
    if (modcat_call_blocking(opening, read_file, reading) < 0)
        return NULL;
    char *secret = take_secret(opening, reading);
    int error = errno;
    explicit_bzero(reading->text, sizeof reading->text);
    free(reading);
    errno = error;
    return secret;
}

/* What no option has named in time is still where it was. */
const char *modcat_secret_from_environment(const char *name)
{
    secrets_take(name);
    return secrets_get(name);
}
