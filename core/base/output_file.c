#define _GNU_SOURCE
#include "core/base/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAGS (O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static int is_link_of_somebody_else(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode) && status.st_uid != 0 &&
           status.st_uid != geteuid();
}

/* True for folders like /tmp. What a link led to has another folder than the link. */
static bool is_in_shared_folder(int fd, const char *path)
{
    char entry[40], found[PATH_MAX];
    struct stat folder;
    snprintf(entry, sizeof entry, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(entry, found, sizeof found - 1);
    if (length < 0 || found[0] != '/')
        length = snprintf(found, sizeof found, "%s", path);
    found[length < (ssize_t)sizeof found ? (size_t)length : sizeof found - 1] = '\0';
    return stat(dirname(found), &folder) == 0 && (folder.st_mode & S_ISVTX) != 0 &&
           (folder.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

/* There, others may have put a file of theirs, to read what is written; or one more name of a file
 * that is not meant. Kernels refuse the first, unless fs.protected_regular says otherwise. */
static bool is_put_there_by_others(int fd, const char *path)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)))
        return false;
    bool foreign = status.st_uid != 0 && status.st_uid != geteuid();
    return (foreign || status.st_nlink > 1) && is_in_shared_folder(fd, path);
}

static int open_to_append(const char *path, mode_t mode)
{
    int fd = open(path, FLAGS | O_NOFOLLOW, mode);
    if (fd >= 0 || errno != ELOOP)
        return fd;
    if (!is_link_of_somebody_else(path))
        return open(path, FLAGS, mode);
    errno = EACCES;
    return -1;
}

int output_file_open(const char *path, mode_t mode)
{
    int fd = open_to_append(path, mode);
    if (fd < 0 || !is_put_there_by_others(fd, path))
        return fd;
    close(fd);
    errno = EACCES;
    return -1;
}
