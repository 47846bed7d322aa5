#define _GNU_SOURCE
#include "core/base/shortage.h"

#include <errno.h>
#include <modcat/driver.h>
#include <stddef.h>

bool shortage_is_meant(int error)
{
    static const int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
    for (size_t i = 0; i < MODCAT_COUNT(errors); i++)
        if (errors[i] == error)
            return true;
    return false;
}

bool shortage_may_warn(long long *quiet_until)
{
    long long now = modcat_deadline(0);
    if (now < *quiet_until)
        return false;
    *quiet_until = now + MODCAT_SECOND;
    return true;
}
