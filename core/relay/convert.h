/* convert.h: line ends, turned from one address's form into the other's. */

#ifndef CORE_RELAY_CONVERT_H
#define CORE_RELAY_CONVERT_H

#include "core/opening/opening_settings.h"
#include <stddef.h>

/* Converts `length` bytes. `output` must hold twice as many. Returns the number of bytes put
 * there. Bytes are looked at one by one, without memory of earlier chunks. */
size_t convert_lines(enum line_end from, enum line_end to, const unsigned char *input,
                     size_t length, unsigned char *output);

#endif
