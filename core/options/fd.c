/* The group FD: what any descriptor has. */

#define _GNU_SOURCE
#include "core/options/effects.h"
#include "core/values/groups.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static modcat_apply_fn end_close, set_cloexec, set_user, set_group, set_perm, lock_record,
    lock_file, ioctl_void;

#define BOOL .type = MODCAT_BOOL
#define CALL(function) .effect = MODCAT_CALL, .apply = (function)
#define IN_PHASE(which) .phase = MODCAT_PHASE_##which
#define STATUS_FLAG(flag) .effect = MODCAT_STATUS_FLAG, .code = (flag), .detail = (flag)
#define SHUT(choice)                                                                               \
    .type = MODCAT_CONST, IN_PHASE(OFFSET), OPENING_SETTING(shut), .detail = (choice)
/* A record lock: the type, and the fcntl(2) command that waits or does not. */
#define RECORD_LOCK(kind, command)                                                                 \
    BOOL, IN_PHASE(FD), CALL(lock_record), .code = (kind), .detail = (command)
#define FILE_LOCK(operation) BOOL, IN_PHASE(FD), CALL(lock_file), .code = (operation)
#define REQUEST(kind) .type = (kind), IN_PHASE(FD), .effect = MODCAT_IOCTL

static const struct modcat_option options[] = {
    {"append", "o-append", "OPEN", "write at the end of the file", BOOL, IN_PHASE(LATE),
     STATUS_FLAG(O_APPEND)},
    {"async", "o-async", "OPEN", "send SIGIO when the descriptor is ready", BOOL, IN_PHASE(LATE),
     STATUS_FLAG(O_ASYNC)},
    {"o-nonblock", "nonblock,ndelay,o-ndelay,o_ndelay", "OPEN", "do not block in the kernel", BOOL,
     IN_PHASE(FD), STATUS_FLAG(O_NONBLOCK)},
    {"o-noatime", "noatime", "OPEN", "do not change the access time when reading", BOOL,
     IN_PHASE(FD), STATUS_FLAG(O_NOATIME)},
    {"cloexec", NULL, NULL, "close the descriptor in programs that are started (close-on-exec)",
     BOOL, IN_PHASE(LATE), CALL(set_cloexec)},

    {"user", "uid,owner", "NAMED", "set the owner", .type = MODCAT_UID, IN_PHASE(FD),
     CALL(set_user)},
    {"user-late", "uid-l", NULL, "set the owner after opening is done", .type = MODCAT_UID,
     IN_PHASE(LATE), CALL(set_user)},
    {"group", "gid", "NAMED", "set the group", .type = MODCAT_GID, IN_PHASE(FD), CALL(set_group)},
    {"group-late", "gid-l", NULL, "set the group after opening is done", .type = MODCAT_GID,
     IN_PHASE(LATE), CALL(set_group)},
    {"perm", "mode", "NAMED", "create with these permissions, or set a descriptor's",
     .type = MODCAT_MODE, IN_PHASE(FD), CALL(set_perm)},
    {"perm-late", NULL, NULL, "set the permissions after opening is done", .type = MODCAT_MODE,
     IN_PHASE(LATE), CALL(set_perm)},

    {"f-setlk-rd", "setlk-rd", NULL, "take a read lock on the file, or fail",
     RECORD_LOCK(F_RDLCK, F_SETLK)},
    {"f-setlk-wr", "f-setlk,setlk,setlk-wr", NULL, "take a write lock on the file, or fail",
     RECORD_LOCK(F_WRLCK, F_SETLK)},
    {"f-setlkw-rd", "setlkw-rd", NULL, "wait for a read lock on the file",
     RECORD_LOCK(F_RDLCK, F_SETLKW)},
    {"f-setlkw-wr", "f-setlkw,lock,lockw,setlkw,setlkw-wr", NULL,
     "wait for a write lock on the file", RECORD_LOCK(F_WRLCK, F_SETLKW)},
    {"flock-sh", NULL, NULL, "wait for a shared flock(2)", FILE_LOCK(LOCK_SH)},
    {"flock-sh-nb", NULL, NULL, "take a shared flock(2), or fail", FILE_LOCK(LOCK_SH | LOCK_NB)},
    {"flock-ex", "flock", NULL, "wait for an exclusive flock(2)", FILE_LOCK(LOCK_EX)},
    {"flock-ex-nb", "flock-nb", NULL, "take an exclusive flock(2), or fail",
     FILE_LOCK(LOCK_EX | LOCK_NB)},

    {"ioctl-void", "ioctl", NULL, "call ioctl(2) without argument", .type = MODCAT_INT,
     IN_PHASE(FD), CALL(ioctl_void)},
    {"ioctl-int", NULL, NULL, "call ioctl(2) with an integer", REQUEST(MODCAT_INT_INT)},
    {"ioctl-intp", NULL, NULL, "call ioctl(2) with the address of an integer",
     REQUEST(MODCAT_INT_INTP)},
    {"ioctl-bin", NULL, NULL, "call ioctl(2) with the address of data", REQUEST(MODCAT_INT_DATA)},
    {"ioctl-string", NULL, NULL, "call ioctl(2) with the address of text",
     REQUEST(MODCAT_INT_STRING)},

    {"cool-write", "coolwrite", NULL, "ignore EPIPE and ECONNRESET when writing", BOOL,
     IN_PHASE(INIT), OPENING_SETTING(cool_write), .preset = "0"},
    {"end-close", "close", NULL, "at the end only close: no shutdown, no signal to a child",
     .type = MODCAT_CONST, IN_PHASE(OFFSET), CALL(end_close)},
    {"shut-none", NULL, NULL, "do not shut down the write side at the end", SHUT(SHUT_NONE)},
    {"shut-down", NULL, NULL, "end writing with shutdown(2)", SHUT(SHUT_DOWN)},
    {"shut-close", NULL, NULL, "end writing by closing the descriptor", SHUT(SHUT_CLOSE)},
    {"shut-null", NULL, NULL, "end writing with an empty datagram", SHUT(SHUT_NULL)},
};

const struct modcat_option_group group_fd = {
    .name = "FD",
    .help = "any descriptor",
    MODCAT_OPTIONS(options),
};

static int end_close(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                     const struct modcat_value *value)
{
    (void)fd, (void)option, (void)value;
    opening->set.end_close = true;
    return 0;
}

static int set_cloexec(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                       const struct modcat_value *value)
{
    (void)option;
    opening->set.cloexec_given = true;
    opening->set.cloexec = value->number != 0;
    int flags = opening->set.cloexec ? FD_CLOEXEC : 0;
    if (fd < 0 || fcntl(fd, F_SETFD, flags) == 0)
        return 0;
    return effects_fail(opening, option, value, NULL, "fcntl(%d, F_SETFD, %d)", fd, flags);
}

static int change_owner(struct modcat_opening *opening, int fd, uid_t user, gid_t group)
{
    if (opening->path == NULL && fchown(fd, user, group) < 0)
        return modcat_fail_call(opening, "change the owner", NULL, NULL, "fchown(%d, %d, %d)", fd,
                                (int)user, (int)group);
    if (opening->path != NULL && chown(opening->path, user, group) < 0)
        return modcat_fail_call(opening, "change the owner of", opening->path, NULL,
                                "chown(\"%s\", %d, %d)", opening->path, (int)user, (int)group);
    return 0;
}

static int set_user(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                    const struct modcat_value *value)
{
    (void)option;
    return change_owner(opening, fd, (uid_t)value->number, (gid_t)-1);
}

static int set_group(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                     const struct modcat_value *value)
{
    (void)option;
    return change_owner(opening, fd, (uid_t)-1, (gid_t)value->number);
}

static int set_perm(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                    const struct modcat_value *value)
{
    (void)option;
    mode_t mode = (mode_t)value->number;
    if (opening->path == NULL && fchmod(fd, mode) < 0)
        return effects_fail(opening, option, value, NULL, "fchmod(%d, 0%o)", fd, mode);
    if (opening->path != NULL && chmod(opening->path, mode) < 0)
        return effects_fail(opening, option, value, NULL, "chmod(\"%s\", 0%o)", opening->path,
                            mode);
    return 0;
}

/* A lock to wait for in a call that blocks. */
struct lock_call {
    int fd;
    int operation;
    struct flock record;
    int error;
};

static void wait_for_record(void *argument)
{
    struct lock_call *call = argument;
    call->error = fcntl(call->fd, F_SETLKW, &call->record) < 0 ? errno : 0;
}

static void wait_for_file(void *argument)
{
    struct lock_call *call = argument;
    call->error = flock(call->fd, call->operation) < 0 ? errno : 0;
}

/* Returns 0, or -1 with errno; with ECANCELED nothing has to be reported. */
static int wait_for_lock(struct modcat_opening *opening, void (*work)(void *argument),
                         const struct lock_call *lock)
{
    struct lock_call *call = malloc(sizeof *call);
    if (call == NULL)
        return -1;
    *call = *lock;
    if (modcat_call_blocking(opening, work, NULL, call) < 0)
        return -1;
    int error = call->error;
    free(call);
    errno = error;
    return error != 0 ? -1 : 0;
}

static int take_record_lock(struct modcat_opening *opening, int fd, const struct flock *lock,
                            int command)
{
    if (fcntl(fd, F_SETLK, lock) == 0)
        return 0;
    if (command == F_SETLK || (errno != EAGAIN && errno != EACCES))
        return -1;
    return wait_for_lock(opening, wait_for_record, &(struct lock_call){.fd = fd, .record = *lock});
}

static int lock_record(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                       const struct modcat_value *value)
{
    const struct flock lock = {.l_type = (short)option->code, .l_whence = SEEK_SET};
    int command = (int)option->detail;
    if (value->number == 0 || take_record_lock(opening, fd, &lock, command) == 0)
        return 0;
    if (errno == ECANCELED)
        return -1;
    return effects_fail(opening, option, value, NULL,
                        "fcntl(%d, %d, {type=%s,whence=SEEK_SET,start=0,len=LONG_MAX,pid=0})", fd,
                        command, option->code == F_RDLCK ? "F_RDLCK" : "F_WRLCK");
}

static int take_file_lock(struct modcat_opening *opening, int fd, int operation)
{
    if (flock(fd, operation | LOCK_NB) == 0)
        return 0;
    if ((operation & LOCK_NB) != 0 || errno != EWOULDBLOCK)
        return -1;
    return wait_for_lock(opening, wait_for_file,
                         &(struct lock_call){.fd = fd, .operation = operation});
}

static int lock_file(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                     const struct modcat_value *value)
{
    int operation = (int)option->code;
    if (value->number == 0 || take_file_lock(opening, fd, operation) == 0)
        return 0;
    if (errno == ECANCELED)
        return -1;
    return effects_fail(opening, option, value, NULL, "flock(%d, %d)", fd, operation);
}

static int ioctl_void(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value)
{
    (void)option;
    unsigned request = (unsigned)value->number;
    if (ioctl(fd, (unsigned long)request, NULL) >= 0)
        return 0;
    return effects_fail(opening, option, value, NULL, "ioctl(%d, 0x%x, NULL)", fd, request);
}
