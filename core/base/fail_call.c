/* Failed calls of an opening; apart, because not all that logs failures opens anything. */

#define _GNU_SOURCE
#include "core/base/failure.h"
#include "core/base/memory.h"

#include <errno.h>

int failure_fail(const struct modcat_opening *opening, const char *verb, const char *object,
                 const char *reason, const char *call, va_list arguments)
{
    int saved = errno;
    AUTO_FREE char *text = failure_text(&(struct failure){verb, object, reason}, call, arguments);
    errno = saved;
    return modcat_fail(opening, "%s", text);
}

int modcat_fail_call(const struct modcat_opening *opening, const char *verb, const char *object,
                     const char *reason, const char *call, ...)
{
    va_list arguments;
    va_start(arguments, call);
    int result = failure_fail(opening, verb, object, reason, call, arguments);
    va_end(arguments);
    return result;
}
