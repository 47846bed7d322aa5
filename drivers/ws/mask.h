/* mask.h: the mask of a client's frames, RFC 6455 section 5.3. */

#ifndef DRIVERS_WS_MASK_H
#define DRIVERS_WS_MASK_H

#include <stddef.h>
#include <stdint.h>

#define MASK_BYTES 4

/* Puts the mask on or takes it off, of a part that begins at `offset` of the payload. */
void mask_bytes(uint8_t *bytes, size_t length, const uint8_t mask[MASK_BYTES], uint64_t offset);

#endif
