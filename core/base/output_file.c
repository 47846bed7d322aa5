#define _GNU_SOURCE
#include "core/base/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAGS (O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static int is_link_of_somebody_else(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode) && status.st_uid != 0 &&
           status.st_uid != geteuid();
}

int output_file_open(const char *path, mode_t mode)
{
    int fd = open(path, FLAGS | O_NOFOLLOW, mode);
    if (fd >= 0 || errno != ELOOP)
        return fd;
    if (!is_link_of_somebody_else(path))
        return open(path, FLAGS, mode);
    errno = EACCES;
    return -1;
}
