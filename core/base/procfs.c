#define _GNU_SOURCE
#include "core/base/procfs.h"

#include "core/base/memory.h"
#include "core/base/system_calls.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NAME_LENGTH 32

static int open_folder(void)
{
    struct statfs status;
    int fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (fstatfs(fd, &status) == 0 && status.f_type == PROC_SUPER_MAGIC))
        return fd;
    close(fd);
    errno = ENOENT;
    return -1;
}

int procfs_open(const char *name, int flags)
{
    AUTO_CLOSE int folder = open_folder();
    return folder < 0 ? -1 : openat(folder, name, flags | O_CLOEXEC);
}

static const char *descriptor_name(int fd, char name[NAME_LENGTH])
{
    snprintf(name, NAME_LENGTH, "fd/%d", fd);
    return name;
}

int procfs_reopen(int fd, int flags)
{
    char name[NAME_LENGTH];
    return procfs_open(descriptor_name(fd, name), flags);
}

/* The system call is there since Linux 6.6. */
int procfs_chmod(int fd, mode_t mode)
{
    char name[NAME_LENGTH];
    if (fchmodat2(fd, "", mode, AT_EMPTY_PATH) == 0)
        return 0;
    AUTO_CLOSE int folder = open_folder();
    return folder < 0 ? -1 : fchmodat(folder, descriptor_name(fd, name), mode, 0);
}
