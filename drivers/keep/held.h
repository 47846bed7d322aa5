/* held.h: what is written while the lower end is away, in the order in which it came. Messages keep
 * their boundaries; of a stream only the bytes count. */

#ifndef KEEP_HELD_H
#define KEEP_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct chunk;

struct held {
    struct chunk *first;
    struct chunk *last;
    size_t bytes;
    size_t messages;
    size_t most;       /* no more bytes, and no more messages, are taken */
    bool has_messages; /* each write is a message */
};

/* Takes what there is room for, of a message all or nothing. Returns how much, or -1 with errno:
 * EAGAIN when there is no room. */
ssize_t held_put(struct held *held, const void *data, size_t length);

/* The beginning of what is held: all of a message, or some of a stream. NULL: nothing is. */
const void *held_peek(const struct held *held, size_t *length);

/* So much of that has been delivered; a message leaves as a whole. */
void held_take(struct held *held, size_t length);

void held_free(struct held *held);

#endif
