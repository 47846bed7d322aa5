#include "core/relay/buffers.h"

#include "core/base/memory.h"
#include <stdlib.h>

#define KEPT_MAX 8

/* There is one memory for all sessions of a process, so that this is one of the places with a
 * state. */
static struct {
    unsigned char *buffer;
    size_t size;
} kept[KEPT_MAX];
static size_t kept_count;

/* The one that was used last is in the cache, as likely as not. */
unsigned char *buffers_take(size_t size)
{
    for (size_t i = kept_count; i > 0; i--)
        if (kept[i - 1].size == size) {
            unsigned char *found = kept[i - 1].buffer;
            kept[i - 1] = kept[--kept_count];
            return found;
        }
    return memory_alloc(size);
}

void buffers_give_back(unsigned char *buffer, size_t size)
{
    if (buffer == NULL)
        return;
    if (kept_count == KEPT_MAX) {
        free(buffer);
        return;
    }
    kept[kept_count].buffer = buffer;
    kept[kept_count++].size = size;
}
