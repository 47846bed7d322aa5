/* screen.h: data on their way to a descriptor that takes them when it likes: unlike messages they
 * are never left out, but where the program is asked to end. */

#ifndef CORE_RELAY_SCREEN_H
#define CORE_RELAY_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct session;

struct screen {
    struct session *session;
    int fd;
    bool blocks; /* as of patient_needed() */
};

/* Standard error, which other processes share. */
void screen_open(struct screen *screen, struct session *session);

/* Writes all, or what is possible until the program is asked to end. Returns 0, or -1 with
 * errno. */
int screen_write(const struct screen *screen, const void *data, size_t length);

void screen_close(struct screen *screen);

#endif
