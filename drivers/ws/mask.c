#include "mask.h"

#include <string.h>

/* libwslay masks byte by byte, which would take most of the time of a relay; so it sees frames
 * without a mask. */
void mask_bytes(uint8_t *bytes, size_t length, const uint8_t mask[MASK_BYTES], uint64_t offset)
{
    uint8_t pattern[sizeof(uint64_t)];
    uint64_t word, key;
    size_t at = 0;
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = mask[(offset + i) % MASK_BYTES];
    memcpy(&key, pattern, sizeof key);
    for (; length - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        word ^= key;
        memcpy(bytes + at, &word, sizeof word);
    }
    for (size_t i = 0; at < length; i++, at++)
        bytes[at] ^= pattern[i];
}
