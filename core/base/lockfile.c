#define _GNU_SOURCE
#include "core/base/lockfile.h"

#include "core/base/log.h"
#include "core/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCKFILE_MODE 0644

static int fail(const char *call, const char *path)
{
    log_error("%s(\"%s\"): %s", call, path, strerror(errno));
    return -1;
}

static int write_pid(int fd, const char *path)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    ssize_t written = write(fd, text, (size_t)length);
    if (written < 0)
        return fail("write", path);
    if (written < length) {
        errno = ENOSPC;
        return fail("write", path);
    }
    return fchmod(fd, LOCKFILE_MODE) < 0 ? fail("fchmod", path) : 0;
}

static int link_to(const char *temporary, const char *path)
{
    if (link(temporary, path) == 0) {
        log_info("obtained lock \"%s\"", path);
        return 0;
    }
    return errno == EEXIST ? 1 : fail("link", path);
}

int lockfile_take(const char *path)
{
    struct stat status;
    if (lstat(path, &status) == 0)
        return 1;
    AUTO_FREE char *temporary = memory_format("%s.XXXXXX", path);
    AUTO_CLOSE int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        log_error("mkstemp(\"%s.XXXXXX\"): %s", path, strerror(errno));
        return -1;
    }
    int result = write_pid(fd, temporary) < 0 ? -1 : link_to(temporary, path);
    int error = errno;
    unlink(temporary);
    errno = error;
    return result;
}

/* Returns the process that a lock file names, or 0. Those of older programs have no newline. */
static pid_t holder_of(const char *path)
{
    char text[32] = "", *end;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        return 0;
    long pid = strtol(text, &end, 10);
    bool whole = end > text && (*end == '\n' || *end == '\0');
    return whole && pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

void lockfile_report(const char *path)
{
    pid_t holder = holder_of(path);
    if (holder == 0)
        log_error("could not obtain lock \"%s\": the file exists", path);
    else if (kill(holder, 0) == 0 || errno == EPERM)
        log_error("could not obtain lock \"%s\": process %d has it; option -W or waitlock waits",
                  path, (int)holder);
    else
        log_error("could not obtain lock \"%s\": process %d has left it behind; remove the file",
                  path, (int)holder);
}

int lockfile_wait(const char *path, int (*pause)(void *context), void *context)
{
    enum modcat_level level = MODCAT_NOTICE;
    for (;;) {
        int result = lockfile_take(path);
        if (result <= 0)
            return result;
        modcat_log(level, "waiting for lock \"%s\"", path);
        level = MODCAT_INFO;
        if (pause(context) < 0)
            return -1;
    }
}

int lockfile_release(const char *path)
{
    if (unlink(path) < 0)
        return fail("unlink", path);
    log_info("released lock \"%s\"", path);
    return 0;
}
