#define _GNU_SOURCE
#include "core/base/entry.h"

#include "core/base/system_calls.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct entry entry_at(const char *path)
{
    int error = errno;
    struct statx status;
    struct entry entry = {.known = false};
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO | STATX_BTIME, &status) ==
        0) {
        entry.known = true;
        entry.type = status.stx_mode & S_IFMT;
        entry.device[0] = status.stx_dev_major;
        entry.device[1] = status.stx_dev_minor;
        entry.number = status.stx_ino;
        if ((status.stx_mask & STATX_BTIME) != 0) {
            entry.born[0] = status.stx_btime.tv_sec;
            entry.born[1] = status.stx_btime.tv_nsec;
        }
    }
    errno = error;
    return entry;
}

bool entry_is_at(const struct entry *entry, const char *path)
{
    struct entry now = entry_at(path);
    return entry->known && now.known && entry->type == now.type &&
           memcmp(entry->device, now.device, sizeof now.device) == 0 &&
           entry->number == now.number && memcmp(entry->born, now.born, sizeof now.born) == 0;
}
