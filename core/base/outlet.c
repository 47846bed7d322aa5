#define _GNU_SOURCE
#include "core/base/outlet.h"

#include "core/base/patient.h"
#include "core/base/procfs.h"
#include "core/base/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long a line may wait, in slices at whose end signals are looked at. */
#define SLICE_MILLISECONDS 20
#define SLICES 13

static struct {
    int fd;
    pid_t pid;          /* whose lines these are */
    bool stalled;       /* the latest line was not taken as a whole */
    bool hurries;       /* no line may wait ... */
    bool never_blocks;  /* ... and writing does not */
    unsigned long lost; /* lines */
    size_t rest_length; /* of a line that was begun */
    char rest[OUTLET_LINE_MAX];
} state = {.fd = STDERR_FILENO};

int outlet_fd(void)
{
    return state.fd;
}

void outlet_set(int fd)
{
    if (state.fd > STDERR_FILENO)
        close(state.fd);
    state.fd = fd;
    state.stalled = false;
    state.lost = 0;
    state.rest_length = 0;
}

static bool can_hurry(int fd)
{
    struct stat status;
    return fd > STDERR_FILENO && fstat(fd, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode));
}

/* Where others write, too, only an opening of our own can be told never to block. */
void outlet_hurry(void)
{
    const int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int own = state.fd >= 0 ? procfs_reopen(state.fd, flags) : -1;
    state.hurries = true;
    state.never_blocks = can_hurry(own);
    if (state.never_blocks)
        outlet_set(own);
    else if (own >= 0)
        close(own);
}

/* What a parent could not write is its own to finish and to count. */
static void leave_to_parent(void)
{
    pid_t pid = getpid();
    if (state.pid != 0 && state.pid != pid) {
        state.lost = 0;
        state.rest_length = 0;
    }
    state.pid = pid;
}

static bool is_file(void)
{
    struct stat status;
    return fstat(state.fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
}

/* A file may tell who does not want to wait for the disk that it is not ready; it soon is. */
static ssize_t write_some(const char *bytes, size_t length)
{
    if (state.never_blocks)
        return write(state.fd, bytes, length);
    ssize_t count = patient_write(state.fd, bytes, length);
    return count < 0 && errno == EAGAIN && is_file() ? write(state.fd, bytes, length) : count;
}

/* Returns false when the outlet has taken nothing for long enough. */
static bool wait_for_room(int *slices)
{
    struct pollfd entry = {.fd = state.fd, .events = POLLOUT};
    while (!state.stalled && !state.hurries && *slices > 0 && !signals_end_pending()) {
        --*slices;
        if (poll(&entry, 1, SLICE_MILLISECONDS) > 0)
            return true;
    }
    return false;
}

/* Returns how many bytes were written. */
static size_t write_for_a_while(const char *bytes, size_t length)
{
    size_t done = 0;
    int slices = SLICES;
    while (done < length) {
        ssize_t count = write_some(bytes + done, length - done);
        if (count > 0)
            done += (size_t)count;
        else if (count == 0 || (errno != EINTR && (errno != EAGAIN || !wait_for_room(&slices))))
            break;
    }
    state.stalled = done < length;
    return done;
}

static bool finish_line(void)
{
    size_t done = write_for_a_while(state.rest, state.rest_length);
    state.rest_length -= done;
    memmove(state.rest, state.rest + done, state.rest_length);
    return state.rest_length == 0;
}

static unsigned long count_lines(const char *lines, size_t length)
{
    unsigned long count = 0;
    for (size_t i = 0; i < length; i++)
        count += lines[i] == '\n';
    return count;
}

/* How much of the lines belongs to one that is written up to `done`. */
static size_t end_of_begun(const char *lines, size_t length, size_t done)
{
    if (done == 0 || lines[done - 1] == '\n')
        return done;
    const char *newline = memchr(lines + done, '\n', length - done);
    return newline != NULL ? (size_t)(newline - lines) + 1 : length;
}

static void keep_rest(const char *line, size_t length)
{
    state.rest_length = length < sizeof state.rest ? length : sizeof state.rest;
    memcpy(state.rest, line, state.rest_length);
}

static void put(const char *lines, size_t length)
{
    size_t done = write_for_a_while(lines, length);
    size_t begun = end_of_begun(lines, length, done);
    if (begun > done)
        keep_rest(lines + done, begun - done);
    state.lost += count_lines(lines + begun, length - begun);
}

/* Writes what comes before anything else: the rest of a line, and how many lines were lost. */
static bool catch_up(outlet_make_loss *make_loss)
{
    char line[OUTLET_LINE_MAX];
    unsigned long lost = state.lost;
    if (!finish_line())
        return false;
    size_t length = lost > 0 ? make_loss(line, lost) : 0;
    size_t done = write_for_a_while(line, length);
    if (done == 0 && length > 0)
        return false;
    keep_rest(line + done, length - done);
    state.lost = 0;
    return done == length;
}

void outlet_write(const char *lines, size_t length, outlet_make_loss *make_loss)
{
    leave_to_parent();
    if (catch_up(make_loss))
        put(lines, length);
    else
        state.lost += count_lines(lines, length);
}

void outlet_finish(outlet_make_loss *make_loss)
{
    if (state.lost == 0 && state.rest_length == 0)
        return;
    leave_to_parent();
    state.stalled = false;
    catch_up(make_loss);
}
