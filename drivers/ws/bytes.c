#define _GNU_SOURCE
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

#define LEAST 512

static bool grow(struct bytes *bytes, size_t size)
{
    size_t length = bytes_length(bytes);
    uint8_t *data = malloc(size);
    if (data == NULL)
        return false;
    if (length > 0)
        memcpy(data, bytes->data + bytes->start, length);
    bool secret = bytes->secret;
    bytes_free(bytes);
    *bytes = (struct bytes){.data = data, .end = length, .size = size, .secret = secret};
    return true;
}

uint8_t *bytes_room(struct bytes *bytes, size_t length)
{
    if (length > SIZE_MAX / 4 || bytes_length(bytes) > SIZE_MAX / 4)
        return NULL;
    size_t wanted = bytes_length(bytes) + length, size = bytes->size > LEAST ? bytes->size : LEAST;
    if (length > bytes->size - bytes->end || bytes->data == NULL) {
        if (wanted > size)
            size = bytes->size == 0 ? wanted : 2 * wanted;
        if (!grow(bytes, size))
            return NULL;
    }
    return bytes->data + bytes->end;
}

bool bytes_add(struct bytes *bytes, const void *data, size_t length)
{
    uint8_t *room = bytes_room(bytes, length);
    if (room == NULL)
        return false;
    if (length > 0)
        memcpy(room, data, length);
    bytes->end += length;
    return true;
}

bool bytes_add_texts(struct bytes *bytes, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (texts[i] != NULL && !bytes_add(bytes, texts[i], strlen(texts[i])))
            return false;
    return true;
}

void bytes_drop(struct bytes *bytes, size_t length)
{
    bytes->start += length;
    if (bytes->start == bytes->end)
        bytes_free(bytes);
}

void bytes_free(struct bytes *bytes)
{
    if (bytes->data != NULL && bytes->secret)
        explicit_bzero(bytes->data, bytes->end);
    free(bytes->data);
    *bytes = (struct bytes){.secret = bytes->secret};
}
