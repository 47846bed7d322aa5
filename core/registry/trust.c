#define _GNU_SOURCE
#include "core/registry/trust.h"

#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

bool trust_raised_privileges(void)
{
    return getauxval(AT_SECURE) != 0;
}

/* A group may write when it is root's, or the user's own and no privileges are raised. */
static bool group_may_write(gid_t group)
{
    return group == 0 || (group == getegid() && !trust_raised_privileges());
}

bool trust_status(const struct stat *status, char *reason, size_t reason_size)
{
    if (status->st_uid != 0 && status->st_uid != geteuid())
        snprintf(reason, reason_size, "it belongs to user %u, neither to root nor to you",
                 (unsigned)status->st_uid);
    else if ((status->st_mode & S_IWOTH) != 0)
        snprintf(reason, reason_size, "everybody can write it (mode %04o)",
                 (unsigned)status->st_mode & 07777);
    else if ((status->st_mode & S_IWGRP) != 0 && !group_may_write(status->st_gid))
        snprintf(reason, reason_size, "group %u can write it (mode %04o)", (unsigned)status->st_gid,
                 (unsigned)status->st_mode & 07777);
    else
        return true;
    return false;
}
