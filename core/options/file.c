/* The groups of the file system: entries, open(2), regular and other files. */

#define _GNU_SOURCE
#include "core/options/effects.h"
#include "core/values/groups.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static modcat_apply_fn remove_entry, set_entry_user, set_entry_group, set_entry_perm, seek,
    truncate_file, set_attribute, set_pipe_size;

static modcat_check_fn check_pipe_size;

#define BOOL .type = MODCAT_BOOL
#define CALL(function) .effect = MODCAT_CALL, .apply = (function)
#define IN_PHASE(which) .phase = MODCAT_PHASE_##which

static const struct modcat_option named_options[] = {
    {"unlink-early", "new", NULL, "remove an existing entry first", BOOL, IN_PHASE(EARLY)},
    {"unlink", "remove,delete", NULL, "remove the entry before it is opened", BOOL,
     IN_PHASE(PREOPEN), CALL(remove_entry)},
    {"unlink-late", NULL, NULL, "remove the entry when it is open", BOOL, IN_PHASE(PASTOPEN),
     CALL(remove_entry)},
    {"unlink-close", NULL, NULL, "remove the entry at the end", BOOL, IN_PHASE(LATE)},
    {"user-early", "uid-e", NULL, "set an existing entry's owner first", .type = MODCAT_UID,
     IN_PHASE(PREOPEN), CALL(set_entry_user)},
    {"group-early", "gid-e", NULL, "set an existing entry's group first", .type = MODCAT_GID,
     IN_PHASE(PREOPEN), CALL(set_entry_group)},
    {"perm-early", NULL, NULL, "set an existing entry's permissions first", .type = MODCAT_MODE,
     IN_PHASE(PREOPEN), CALL(set_entry_perm)},
};

const struct modcat_option_group group_named = {
    .name = "NAMED",
    .help = "entries in the file system",
    MODCAT_OPTIONS(named_options),
};

#define FLAG(flag)                                                                                 \
    BOOL, IN_PHASE(OPEN), .effect = MODCAT_OPEN_FLAG, .code = (flag), .detail = (flag)
#define ACCESS(mode)                                                                               \
    BOOL, IN_PHASE(OPEN), .effect = MODCAT_OPEN_FLAG, .code = O_ACCMODE, .detail = (mode)

static const struct modcat_option open_options[] = {
    {"o-rdonly", "rdonly,o_rdonly", NULL, "open for reading only", ACCESS(O_RDONLY)},
    {"o-wronly", "wronly,o_wronly", NULL, "open for writing only", ACCESS(O_WRONLY)},
    {"o-rdwr", "rdwr,o_rdwr", NULL, "open for reading and writing", ACCESS(O_RDWR)},
    {"o-creat", "create,creat,o-create,o_creat,o_create", NULL, "create the file if it is missing",
     FLAG(O_CREAT)},
    {"o-excl", "excl,o_excl", NULL, "fail if the file to be created exists", FLAG(O_EXCL)},
    {"o-trunc", "trunc", NULL, "empty the file", BOOL, IN_PHASE(LATE), .effect = MODCAT_OPEN_FLAG,
     .code = O_TRUNC, .detail = O_TRUNC},
    {"o-noctty", "noctty,o_noctty", NULL, "do not make a terminal the controlling one",
     FLAG(O_NOCTTY)},
    {"o-sync", "sync,o_sync", NULL, "wait until data and metadata of each write are on disk",
     FLAG(O_SYNC)},
    {"o-dsync", "dsync,o_dsync", NULL, "wait until the data of each write are on disk",
     FLAG(O_DSYNC)},
    {"o-rsync", "rsync,o_rsync", NULL, "make reads wait for pending writes to disk", FLAG(O_RSYNC)},
    {"o-direct", "direct,o_direct", NULL, "bypass the kernel's cache", FLAG(O_DIRECT)},
    {"o-directory", "directory,o_directory", NULL, "fail unless the file is a directory",
     FLAG(O_DIRECTORY)},
    {"o-nofollow", "nofollow,o_nofollow", NULL, "fail if the file is a symbolic link",
     FLAG(O_NOFOLLOW)},
    {"o-largefile", "largefile,o_largefile", NULL, "allow files larger than 2 GB",
     FLAG(O_LARGEFILE)},
};

const struct modcat_option_group group_open = {
    .name = "OPEN",
    .help = "flags of open(2)",
    MODCAT_OPTIONS(open_options),
};

#define SEEK(whence) .type = MODCAT_OFFSET, IN_PHASE(LATE), CALL(seek), .code = (whence)
#define TRUNCATE .type = MODCAT_OFFSET, IN_PHASE(LATE), CALL(truncate_file)
#define ATTRIBUTE(flag) BOOL, IN_PHASE(FD), CALL(set_attribute), .code = (int)(flag)

static const struct modcat_option reg_options[] = {
    {"lseek64-set", "seek,lseek,seek-set,lseek64", "BLK", "go to this offset", SEEK(SEEK_SET)},
    {"lseek64-cur", "seek-cur", "BLK", "go forward by this offset", SEEK(SEEK_CUR)},
    {"lseek64-end", "seek-end", "BLK", "go to this offset from the end", SEEK(SEEK_END)},
    {"lseek32-set", "lseek32", "BLK", "go to this offset", SEEK(SEEK_SET)},
    {"lseek32-cur", NULL, "BLK", "go forward by this offset", SEEK(SEEK_CUR)},
    {"lseek32-end", NULL, "BLK", "go to this offset from the end", SEEK(SEEK_END)},
    {"ftruncate64", "ftruncate,truncate", NULL, "cut or extend the file to this size", TRUNCATE},
    {"ftruncate32", NULL, NULL, "cut or extend the file to this size", TRUNCATE},

    {"fs-append", "ext2-append,ext3-append", NULL, "attribute a: only appending is allowed",
     ATTRIBUTE(FS_APPEND_FL)},
    {"fs-compr", "compr,ext2-compr,ext3-compr", NULL, "attribute c: compress",
     ATTRIBUTE(FS_COMPR_FL)},
    {"fs-dirsync", "dirsync,ext2-dirsync,ext3-dirsync", NULL,
     "attribute D: directory changes are synchronous", ATTRIBUTE(FS_DIRSYNC_FL)},
    {"fs-immutable", "immutable,ext2-immutable,ext3-immutable", NULL,
     "attribute i: nothing may change", ATTRIBUTE(FS_IMMUTABLE_FL)},
    {"fs-journal-data", "journal,journal-data,ext2-journal-data,ext3-journal-data", NULL,
     "attribute j: data go to the journal first", ATTRIBUTE(FS_JOURNAL_DATA_FL)},
    {"fs-noatime", "ext2-noatime,ext3-noatime", NULL, "attribute A: the access time is not kept",
     ATTRIBUTE(FS_NOATIME_FL)},
    {"fs-nodump", "nodump,ext2-nodump,ext3-nodump", NULL, "attribute d: left out of dumps",
     ATTRIBUTE(FS_NODUMP_FL)},
    {"fs-notail", "ext2-notail,ext3-notail", NULL, "attribute t: no merging of file tails",
     ATTRIBUTE(FS_NOTAIL_FL)},
    {"fs-secrm", "secrm,ext2-secrm,ext3-secrm", NULL, "attribute s: overwrite when deleted",
     ATTRIBUTE(FS_SECRM_FL)},
    {"fs-sync", "ext2-sync,ext3-sync", NULL, "attribute S: changes are synchronous",
     ATTRIBUTE(FS_SYNC_FL)},
    {"fs-topdir", "topdir,ext2-topdir,ext3-topdir", NULL, "attribute T: top of a folder hierarchy",
     ATTRIBUTE(FS_TOPDIR_FL)},
    {"fs-unrm", "unrm,ext2-unrm,ext3-unrm", NULL, "attribute u: can be undeleted",
     ATTRIBUTE(FS_UNRM_FL)},
};

const struct modcat_option_group group_reg = {
    .name = "REG",
    .help = "regular files",
    MODCAT_OPTIONS(reg_options),
};

/* These hold what other groups' options name in `also`. */
const struct modcat_option_group group_blk = {.name = "BLK", .help = "block devices"};
const struct modcat_option_group group_chr = {.name = "CHR", .help = "character devices"};

static const struct modcat_option fifo_options[] = {
    {"f-setpipe-sz", "pipesz", NULL, "set the size of the pipe", .type = MODCAT_INT_SIZE,
     IN_PHASE(FD), CALL(set_pipe_size), .check = check_pipe_size},
};

const struct modcat_option_group group_fifo = {
    .name = "FIFO",
    .help = "pipes and FIFOs",
    MODCAT_OPTIONS(fifo_options),
};

static const char *entry_path(const struct modcat_opening *opening,
                              const struct modcat_option *option)
{
    if (opening->path == NULL) {
        errno = EINVAL;
        modcat_fail(opening, "option \"%s\" needs an address with a path", option->name);
    }
    return opening->path;
}

static int entry_result(const struct modcat_opening *opening, int result, const char *verb,
                        const char *call)
{
    if (result == 0 || errno == ENOENT)
        return 0;
    return modcat_fail_call(opening, verb, opening->path, NULL, "%s(\"%s\")", call, opening->path);
}

static int remove_entry(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                        const struct modcat_value *value)
{
    (void)fd;
    if (value->number == 0)
        return 0;
    const char *path = entry_path(opening, option);
    return path == NULL ? -1 : entry_result(opening, unlink(path), "remove", "unlink");
}

static int set_entry_user(struct modcat_opening *opening, int fd,
                          const struct modcat_option *option, const struct modcat_value *value)
{
    (void)fd;
    const char *path = entry_path(opening, option);
    return path == NULL ? -1
                        : entry_result(opening, chown(path, (uid_t)value->number, (gid_t)-1),
                                       "change the owner of", "chown");
}

static int set_entry_group(struct modcat_opening *opening, int fd,
                           const struct modcat_option *option, const struct modcat_value *value)
{
    (void)fd;
    const char *path = entry_path(opening, option);
    return path == NULL ? -1
                        : entry_result(opening, chown(path, (uid_t)-1, (gid_t)value->number),
                                       "change the group of", "chown");
}

static int set_entry_perm(struct modcat_opening *opening, int fd,
                          const struct modcat_option *option, const struct modcat_value *value)
{
    (void)fd;
    const char *path = entry_path(opening, option);
    return path == NULL ? -1
                        : entry_result(opening, chmod(path, (mode_t)value->number),
                                       "change the permissions of", "chmod");
}

static int seek(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                const struct modcat_value *value)
{
    static const char *const whences[] = {
        [SEEK_SET] = "SEEK_SET", [SEEK_CUR] = "SEEK_CUR", [SEEK_END] = "SEEK_END"};
    if (lseek(fd, (off_t)value->number, option->code) >= 0)
        return 0;
    return effects_fail(opening, option, value, NULL, "lseek(%d, %lld, %s)", fd, value->number,
                        whences[option->code]);
}

static int truncate_file(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                         const struct modcat_value *value)
{
    if (ftruncate(fd, (off_t)value->number) == 0)
        return 0;
    return effects_fail(opening, option, value, NULL, "%s(%d, %lld)", option->name, fd,
                        value->number);
}

/* The kernel reads and writes an int here, whatever the request's number says. */
static int set_attribute(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                         const struct modcat_value *value)
{
    int flags = 0;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        return effects_fail(opening, option, value, NULL, "ioctl(%d, FS_IOC_GETFLAGS, ...)", fd);
    flags = value->number != 0 ? flags | option->code : flags & ~option->code;
    if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
        return effects_fail(opening, option, value, NULL, "ioctl(%d, FS_IOC_SETFLAGS, 0x%x)", fd,
                            (unsigned)flags);
    return 0;
}

static const char *check_pipe_size(const struct modcat_value *value)
{
    return value->number >= 0 ? NULL : "it must not be below zero";
}

static int set_pipe_size(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                         const struct modcat_value *value)
{
    (void)option;
    if (fcntl(fd, F_SETPIPE_SZ, (int)value->number) >= 0)
        return 0;
    return effects_fail(opening, option, value, NULL, "fcntl(%d, F_SETPIPE_SZ, %d)", fd,
                        (int)value->number);
}
