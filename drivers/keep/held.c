/* A list of chunks: one for each message, and large ones for a stream. */

#define _GNU_SOURCE
#include "held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_ROOM 16384

struct chunk {
    struct chunk *next;
    size_t start;
    size_t end;
    size_t room;
    char data[];
};

static struct chunk *add_chunk(struct held *held, size_t room)
{
    struct chunk *chunk = malloc(sizeof *chunk + room);
    if (chunk == NULL)
        return NULL;
    *chunk = (struct chunk){.room = room};
    if (held->last != NULL)
        held->last->next = chunk;
    else
        held->first = chunk;
    held->last = chunk;
    return chunk;
}

static void append(struct held *held, struct chunk *chunk, const void *data, size_t length)
{
    if (length > 0)
        memcpy(chunk->data + chunk->end, data, length);
    chunk->end += length;
    held->bytes += length;
}

static ssize_t no_room(void)
{
    errno = EAGAIN;
    return -1;
}

static ssize_t put_message(struct held *held, const void *data, size_t length)
{
    if (length > held->most - held->bytes || held->messages >= held->most)
        return no_room();
    struct chunk *chunk = add_chunk(held, length);
    if (chunk == NULL)
        return -1;
    append(held, chunk, data, length);
    held->messages++;
    return (ssize_t)length;
}

static ssize_t put_bytes(struct held *held, const void *data, size_t length)
{
    size_t room = held->most - held->bytes;
    struct chunk *chunk = held->last;
    if (length > room)
        length = room;
    if (length == 0)
        return no_room();
    if (chunk == NULL || chunk->end == chunk->room)
        chunk = add_chunk(held, CHUNK_ROOM);
    if (chunk == NULL)
        return -1;
    if (length > chunk->room - chunk->end)
        length = chunk->room - chunk->end;
    append(held, chunk, data, length);
    return (ssize_t)length;
}

ssize_t held_put(struct held *held, const void *data, size_t length)
{
    return held->has_messages ? put_message(held, data, length) : put_bytes(held, data, length);
}

const void *held_peek(const struct held *held, size_t *length)
{
    const struct chunk *chunk = held->first;
    if (chunk == NULL)
        return NULL;
    *length = chunk->end - chunk->start;
    return chunk->data + chunk->start;
}

void held_take(struct held *held, size_t length)
{
    struct chunk *chunk = held->first;
    if (held->has_messages) {
        length = chunk->end - chunk->start;
        held->messages--;
    }
    chunk->start += length;
    held->bytes -= length;
    if (chunk->start < chunk->end)
        return;
    held->first = chunk->next;
    if (held->first == NULL)
        held->last = NULL;
    free(chunk);
}

void held_free(struct held *held)
{
    while (held->first != NULL) {
        struct chunk *chunk = held->first;
        held->first = chunk->next;
        free(chunk);
    }
    held->last = NULL;
}
