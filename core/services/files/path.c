/* Opening by path: what there is, what the options want of it, and open(2). */

#define _GNU_SOURCE
#include "core/services/files/path.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/opening/leftovers.h"
#include "core/opening/opening.h"
#include "core/options/effects.h"
#include "core/registry/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <modcat/driver.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEFAULT_MODE 0666

/* The device number of /dev/null and its kin, none of which ever lets open(2) wait. */
#define MEMORY_DEVICES 1

static const struct {
    mode_t type;
    const char *name;
} kinds[] = {
    {S_IFIFO, "named pipe"},    {S_IFCHR, "character device"}, {S_IFBLK, "block device"},
    {S_IFDIR, "directory"},     {S_IFREG, "regular file"},     {S_IFLNK, "symbolic link"},
    {S_IFSOCK, "local socket"},
};

/* A link that leads nowhere is shown as what it is. */
const char *modcat_file_kind(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0 && lstat(path, &status) < 0)
        return "undef";
    for (size_t i = 0; i < MODCAT_COUNT(kinds); i++)
        if ((status.st_mode & S_IFMT) == kinds[i].type)
            return kinds[i].name;
    return "undef";
}

static int access_mode(const struct modcat_opening *opening)
{
    static const int modes[] = {[MODCAT_DIR_READ] = O_RDONLY,
                                [MODCAT_DIR_WRITE] = O_WRONLY,
                                [MODCAT_DIR_READ | MODCAT_DIR_WRITE] = O_RDWR};
    return modes[modcat_directions(opening) & (MODCAT_DIR_READ | MODCAT_DIR_WRITE)];
}

static bool is_flag(const struct modcat_option *option)
{
    return option->effect == MODCAT_OPEN_FLAG || option->effect == MODCAT_STATUS_FLAG;
}

/* Options come last: they take back what the driver wants, too. */
int modcat_open_flags(struct modcat_opening *opening, int flags)
{
    if ((flags & O_ACCMODE) == 0)
        flags |= access_mode(opening);
    for (size_t i = 0; i < opening->address->option_count; i++) {
        const struct address_option *given = &opening->address->options[i];
        if (!is_flag(&given->entry->option))
            continue;
        flags = effects_flags(flags, &given->entry->option, &given->value);
        opening->used[i] = true;
    }
    return flags | O_CLOEXEC;
}

static bool will_create(const char *path, int flags)
{
    struct stat status;
    return (flags & O_CREAT) != 0 && stat(path, &status) < 0 && errno == ENOENT;
}

/* As with socat, `perm` is for what is created: the permissions of an existing entry stay. */
static mode_t creation_mode(struct modcat_opening *opening)
{
    return (mode_t)modcat_option_number(opening, "perm", DEFAULT_MODE);
}

/* Only the first who asks removes anything: what was made since is wanted. */
int path_remove(const struct modcat_opening *opening, const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    return modcat_fail_call(opening, "remove", path, NULL, "unlink(\"%s\")", path);
}

int modcat_unlink_early(struct modcat_opening *opening, const char *path)
{
    if (opening_option_used(opening, "unlink-early") ||
        !modcat_option_bool(opening, "unlink-early", false))
        return 0;
    return path_remove(opening, path);
}

/* One call that may wait for the other end of a FIFO, or for a device. */
struct slow_open {
    int flags;
    mode_t mode;
    int fd;
    int error;
    char path[];
};

static void open_slowly(void *argument)
{
    struct slow_open *call = argument;
    call->fd = open(call->path, call->flags, call->mode);
    call->error = errno;
}

static void close_unused(void *argument)
{
    struct slow_open *call = argument;
    if (call->fd >= 0)
        close(call->fd);
    free(call);
}

static int open_waiting(struct modcat_opening *opening, const char *path, int flags, mode_t mode)
{
    size_t size = strlen(path) + 1;
    struct slow_open *call = memory_alloc(sizeof *call + size);
    *call = (struct slow_open){.flags = flags, .mode = mode, .fd = -1};
    memcpy(call->path, path, size);
    if (modcat_call_blocking(opening, open_slowly, close_unused, call) < 0)
        return -1;
    int fd = call->fd, error = call->error;
    free(call);
    errno = error;
    return fd;
}

static bool may_wait(const char *path, int flags)
{
    struct stat status;
    if ((flags & O_NONBLOCK) != 0 || stat(path, &status) < 0)
        return false;
    return S_ISFIFO(status.st_mode) ||
           (S_ISCHR(status.st_mode) && major(status.st_rdev) != MEMORY_DEVICES);
}

/* open(2) with the flags of creat(2) is reported under that name. */
static void report_open(const struct modcat_opening *opening, const char *path, int flags,
                        mode_t mode)
{
    flags &= ~O_CLOEXEC;
    if (flags == (O_WRONLY | O_CREAT | O_TRUNC))
        modcat_fail_call(opening, "create", path, NULL, "creat(\"%s\", 0%o)", path, mode);
    else
        modcat_fail_call(opening, "open", path, NULL, "open(\"%s\", 0%o, 0%o)", path,
                         (unsigned)flags, mode);
}

static int open_entry(struct modcat_opening *opening, const char *path, int flags, mode_t mode)
{
    int fd =
        may_wait(path, flags) ? open_waiting(opening, path, flags, mode) : open(path, flags, mode);
    if (fd < 0 && errno != ECANCELED)
        report_open(opening, path, flags, mode);
    return fd;
}

static void announce(const struct modcat_opening *opening, const char *path, bool create)
{
    if (create)
        log_notice("creating regular file \"%s\" for %s", path, modcat_directions_name(opening));
    else
        log_notice("opening %s \"%s\" for %s", modcat_file_kind(path), path,
                   modcat_directions_name(opening));
}

static int open_with_options(struct modcat_opening *opening, const char *path, int flags)
{
    if (modcat_unlink_early(opening, path) < 0 ||
        modcat_apply(opening, MODCAT_PHASE_PREOPEN, -1) < 0)
        return -1;
    leftovers_open(opening->session, path);
    flags = modcat_open_flags(opening, flags);
    bool create = will_create(path, flags);
    mode_t mode = creation_mode(opening);
    announce(opening, path, create);
    int fd = open_entry(opening, path, flags, mode);
    if (fd >= 0)
        leftovers_opened(opening->session, path, fd);
    if (fd >= 0 && modcat_apply(opening, MODCAT_PHASE_PASTOPEN, fd) < 0) {
        memory_close_local(&fd);
        return -1;
    }
    return fd;
}

int modcat_open_path(struct modcat_opening *opening, const char *path, int flags)
{
    const char *outer = opening->path;
    opening->path = path;
    int fd = open_with_options(opening, path, flags);
    opening->path = outer;
    return fd;
}
