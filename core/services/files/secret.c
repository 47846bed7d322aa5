/* Files that drivers read whole. They may be pipes that other programs still fill, and hold
 * secrets, of which nothing is left in memory but what the caller gets; and secrets in the
 * environment. */

#define _GNU_SOURCE
#include "core/base/memory.h"
#include "core/base/secrets.h"
#include "core/opening/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How much room a file gets at first. */
#define ROOM_MIN 4096

/* A file that is read where it may wait. */
struct reading {
    int error;
    size_t most; /* bytes to read; one more tells of a file that is too long */
    size_t length;
    size_t room;
    char *data;
    char path[];
};

static void wipe(char *data, size_t length)
{
    if (data != NULL)
        explicit_bzero(data, length);
    free(data);
}

/* realloc(3) would leave a copy. A byte is kept free for a NUL. */
static void make_room(struct reading *reading)
{
    if (reading->length + 1 < reading->room)
        return;
    size_t room = reading->room > 0 ? reading->room * 2 : ROOM_MIN;
    char *data = memory_alloc(room);
    if (reading->length > 0)
        memcpy(data, reading->data, reading->length);
    wipe(reading->data, reading->length);
    reading->data = data;
    reading->room = room;
}

static void read_all(struct reading *reading, int fd)
{
    ssize_t count;
    do {
        make_room(reading);
        count = read(fd, reading->data + reading->length, reading->room - reading->length - 1);
        reading->length += count > 0 ? (size_t)count : 0;
    } while ((count > 0 && reading->length <= reading->most) || (count < 0 && errno == EINTR));
    reading->error = count < 0 ? errno : 0;
    reading->data[reading->length] = '\0';
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

static void forget(void *argument)
{
    struct reading *reading = argument;
    wipe(reading->data, reading->length);
    free(reading);
}

static char *take_data(const struct modcat_opening *opening, const struct reading *reading,
                       const char *what)
{
    errno = reading->error;
    if (reading->error == 0 && reading->length > reading->most)
        errno = EFBIG;
    if (errno == 0)
        return reading->data;
    modcat_fail(opening, "cannot read %s \"%s\": %s", what, reading->path, strerror(errno));
    int error = errno;
    wipe(reading->data, reading->length);
    errno = error;
    return NULL;
}

char *modcat_read_file(struct modcat_opening *opening, const char *what, const char *path,
                       size_t most, size_t *length)
{
    size_t size = strlen(path) + 1;
    struct reading *reading = memory_zeroed(1, sizeof *reading + size);
    reading->most = most;
    memcpy(reading->path, path, size);
    if (modcat_call_blocking(opening, read_file, forget, reading) < 0)
        return NULL;
    char *data = take_data(opening, reading, what);
    int error = errno;
    *length = reading->length;
    free(reading);
    errno = error;
    return data;
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

char *modcat_read_secret(struct modcat_opening *opening, const char *path)
{
    size_t read = 0;
    char *text = modcat_read_file(opening, "file", path, 2 * MODCAT_SECRET_MAX, &read);
    if (text == NULL)
        return NULL;
    size_t length = without_line_end(text, read);
    const char *fault = fault_of(text, length);
    if (fault == NULL) {
        char *secret = memory_copy_span(text, length);
        wipe(text, read);
        return secret;
    }
    wipe(text, read);
    errno = EINVAL;
    modcat_fail(opening, "file \"%s\" %s", path, fault);
    return NULL;
}

/* What no option has named in time is still where it was. */
const char *modcat_secret_from_environment(const char *name)
{
    if (secrets_get(name) == NULL)
        secrets_take(name);
    return secrets_get(name);
}
