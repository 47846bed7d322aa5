#include "core/base/version.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <string.h>

bool version_stands_in(const char *program)
{
    return strcmp(program, VERSION_STANDS_IN_FOR) == 0;
}

const char *version_claimed(const char *program)
{
    return version_stands_in(program) ? VERSION_STANDS_IN : PACKAGE_VERSION;
}
