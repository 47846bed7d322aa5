/* buffers.h: memory for bytes on their way. A flow holds some only while bytes are in it, so that
 * many sessions that say nothing need none. */

#ifndef CORE_RELAY_BUFFERS_H
#define CORE_RELAY_BUFFERS_H

#include <stddef.h>

/* Returns a buffer of that size; what is in it is anything. */
unsigned char *buffers_take(size_t size);

/* Gives it back; a few are kept for those who take next. */
void buffers_give_back(unsigned char *buffer, size_t size);

#endif
