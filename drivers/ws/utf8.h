/* utf8.h: judges UTF-8 (RFC 3629) as it comes, however it is cut. */

#ifndef DRIVERS_WS_UTF8_H
#define DRIVERS_WS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where in a character the text stands. It starts as zeros, and is so behind each character. */
struct utf8 {
    uint8_t missing; /* bytes of the character that are still to come */
    uint8_t least;   /* bounds of the next one */
    uint8_t most;
};

/* Takes the next bytes. Returns false when they can't be UTF-8. */
bool utf8_take(struct utf8 *utf8, const void *data, size_t length);

#endif
