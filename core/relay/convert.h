/* convert.h: line ends, turned from one address's form into the other's. */

#ifndef CORE_RELAY_CONVERT_H
#define CORE_RELAY_CONVERT_H

#include <stddef.h>

/* How an address's lines end outside; the relay itself uses LF. */
enum line_end { LINE_END_RAW, LINE_END_CR, LINE_END_CRNL };

/* Converts `length` bytes. `output` must hold twice as many. Returns the number of bytes put
 * there. Bytes are looked at one by one, without memory of earlier chunks. */
size_t convert_lines(enum line_end from, enum line_end to, const unsigned char *input,
                     size_t length, unsigned char *output);

#endif
