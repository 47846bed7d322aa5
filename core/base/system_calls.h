/* system_calls.h: what Linux has and some C libraries have no function for (musl before 1.2.5),
 * under the names that others give it. See statx(2), preadv2(2). */

#ifndef CORE_BASE_SYSTEM_CALLS_H
#define CORE_BASE_SYSTEM_CALLS_H

#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef HAVE_STATX
#include <sys/stat.h>
#else
#include <linux/stat.h>

static inline int statx(int folder, const char *path, int flags, unsigned wanted,
                        struct statx *status)
{
    return (int)syscall(SYS_statx, folder, path, flags, wanted, status);
}
#endif

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static inline int fchmodat2(int folder, const char *path, unsigned mode, int flags)
{
    return (int)syscall(SYS_fchmodat2, folder, path, mode, flags);
}

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

/* The kernel takes an offset in two words, the lower one first; where one holds it all, the higher
 * one does not count. */
#if !defined(HAVE_PREADV2) || !defined(HAVE_PWRITEV2)
#define OFFSET_WORDS(offset) (long)(offset), (long)((int64_t)(offset) >> 32)
#endif

#ifndef HAVE_PREADV2
static inline ssize_t preadv2(int fd, const struct iovec *pieces, int count, off_t offset,
                              int flags)
{
    return syscall(SYS_preadv2, fd, pieces, count, OFFSET_WORDS(offset), flags);
}
#endif

#ifndef HAVE_PWRITEV2
static inline ssize_t pwritev2(int fd, const struct iovec *pieces, int count, off_t offset,
                               int flags)
{
    return syscall(SYS_pwritev2, fd, pieces, count, OFFSET_WORDS(offset), flags);
}
#endif

#endif
