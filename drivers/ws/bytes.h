/* bytes.h: a buffer that grows, and is taken from at its front. It starts as zeros,
 * but for `secret`: then what it held is wiped. */

#ifndef DRIVERS_WS_BYTES_H
#define DRIVERS_WS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data;
    size_t start;
    size_t end;
    size_t size;
    bool secret;
};

static inline size_t bytes_length(const struct bytes *bytes)
{
    return bytes->end - bytes->start;
}

/* Makes room for `length` more behind the end. Returns it, or NULL where there is no memory. */
uint8_t *bytes_room(struct bytes *bytes, size_t length);

/* Return false where there is no memory. */
bool bytes_add(struct bytes *bytes, const void *data, size_t length);
bool bytes_add_texts(struct bytes *bytes, const char *const *texts, size_t count);

/* Takes so much off the front; memory goes back when nothing is left. */
void bytes_drop(struct bytes *bytes, size_t length);
void bytes_free(struct bytes *bytes);

#endif
