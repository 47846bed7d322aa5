/* dumpname.h: the names of the files that -r and -R copy data to. */

#ifndef CORE_RELAY_DUMPNAME_H
#define CORE_RELAY_DUMPNAME_H

#include <time.h>

/* Fills in what starts with a dollar sign: $$ (this process), $PROGNAME, $TIMESTAMP (local time,
 * YYYYMMDDThhmmss), $MICROS (its microseconds), and $NAME or ${NAME}, a variable of the
 * environment, empty where there is none. A backslash before a dollar sign, and a dollar sign
 * before anything else, leave it as it is. Returns the name, to be freed. */
char *dumpname_expand(const char *pattern, const struct timespec *now);

#endif
