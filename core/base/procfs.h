/* procfs.h: what /proc says of this process. In another root folder /proc may be missing, or be an
 * ordinary folder of somebody else: then there is nothing to be had. */

#ifndef CORE_BASE_PROCFS_H
#define CORE_BASE_PROCFS_H

#include <sys/types.h>

/* Opens an entry of /proc/self, such as "fd/2". Returns a close-on-exec descriptor, or -1 with
 * errno; ENOENT where /proc is not what it should be. Counterpart: proc(5). */
int procfs_open(const char *name, int flags);

/* The same for a descriptor of this process: opens once more what it stands for. */
int procfs_reopen(int fd, int flags);

/* Changes the permissions of what a descriptor stands for, also one of O_PATH, which fchmod(2) does
 * not take. Returns 0, or -1 with errno. */
int procfs_chmod(int fd, mode_t mode);

#endif
