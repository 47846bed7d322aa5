#define _GNU_SOURCE
#include "core/registry/trust.h"

#include "core/base/memory.h"
#include "core/registry/acl.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define NOBODY ((uid_t)-1)
#define NO_GROUP ((gid_t)-1)

const struct trust trust_strict = {.owner = NOBODY, .group = NO_GROUP};

bool trust_raised_privileges(void)
{
    return getauxval(AT_SECURE) != 0;
}

/* A program that got the rights of a group or capabilities still runs as its caller, who must not
 * gain them. One that became another user trusts that one. */
static bool trusts_its_user(void)
{
    return !trust_raised_privileges() || geteuid() != getuid();
}

bool trust_owner(const struct trust *trust, uid_t owner)
{
    return owner == 0 || (owner == geteuid() && trusts_its_user()) ||
           (owner == trust->owner && owner != NOBODY);
}

static bool trust_group(const struct trust *trust, gid_t group)
{
    return group == 0 || (group == trust->group && group != NO_GROUP);
}

struct trust trust_like(const struct stat *program, const struct stat *folder)
{
    struct trust trust = {.owner = program->st_uid, .group = NO_GROUP};
    if ((program->st_mode & S_IWGRP) != 0)
        trust.group = program->st_gid;
    else if ((folder->st_mode & S_IWGRP) != 0 && (folder->st_mode & S_ISVTX) == 0)
        trust.group = folder->st_gid;
    return trust;
}

static char *owner_fault(const struct stat *status, const char *path)
{
    if (!trusts_its_user())
        return memory_format("it belongs to user %u, not to root, and this program runs with "
                             "raised privileges",
                             (unsigned)status->st_uid);
    if (geteuid() == 0)
        return memory_format("it belongs to user %u, neither to root nor to you; if you trust it: "
                             "chown root \"%s\"",
                             (unsigned)status->st_uid, path);
    return memory_format("it belongs to user %u, neither to root nor to you",
                         (unsigned)status->st_uid);
}

static char *mode_fault(const char *who, const struct stat *status, const char *path)
{
    return memory_format("%s can write it (mode %04o): chmod go-w \"%s\"", who,
                         (unsigned)status->st_mode & 07777, path);
}

/* Where there is a list, the bits of the group in the mode are the list's mask. */
static char *list_fault(const struct trust *trust, const char *list, size_t size, gid_t group,
                        const char *path)
{
    struct acl_writer writer;
    if (!acl_is_valid(list, size))
        return memory_format("its access control list has a form that is not known: setfacl -b "
                             "\"%s\"",
                             path);
    for (size_t cursor = 0; acl_next_writer(list, size, &cursor, group, &writer);) {
        if (writer.is_group ? !trust_group(trust, writer.id) : !trust_owner(trust, writer.id))
            return memory_format("its access control list lets %s %u write: setfacl -b \"%s\"",
                                 writer.is_group ? "group" : "user", writer.id, path);
    }
    return NULL;
}

/* Without the group's bit nobody who is named in a list can write either, and none has to be
 * read. */
static char *group_fault(const struct trust *trust, int fd, const struct stat *status,
                         const char *path)
{
    char who[40];
    if ((status->st_mode & S_IWGRP) == 0)
        return NULL;
    AUTO_FREE char *list = memory_alloc(ACL_MAX);
    ssize_t size = acl_read(fd, list, ACL_MAX);
    if (size < 0)
        return memory_format("its access control list cannot be read: %s", strerror(errno));
    if (size > 0)
        return list_fault(trust, list, (size_t)size, status->st_gid, path);
    snprintf(who, sizeof who, "group %u", (unsigned)status->st_gid);
    return trust_group(trust, status->st_gid) ? NULL : mode_fault(who, status, path);
}

char *trust_fault(const struct trust *trust, int fd, const struct stat *status, const char *path)
{
    if (!trust_owner(trust, status->st_uid))
        return owner_fault(status, path);
    if ((status->st_mode & S_IWOTH) != 0)
        return mode_fault("everybody", status, path);
    return group_fault(trust, fd, status, path);
}

char *trust_fault_above(const struct trust *trust, int fd, const struct stat *status,
                        const char *path)
{
    if (trust_owner(trust, status->st_uid) && (status->st_mode & S_ISVTX) != 0)
        return NULL;
    return trust_fault(trust, fd, status, path);
}
