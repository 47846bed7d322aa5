/* splice.h: moves bytes between two descriptors inside the kernel, splice(2): straight where one of
 * them is a pipe, else through a pipe in between. */

#ifndef CORE_RELAY_SPLICE_H
#define CORE_RELAY_SPLICE_H

#include "core/relay/nature.h"
#include "core/session/session.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum splice_way {
    SPLICE_NOT,      /* the bytes must be looked at, or the kernel can't */
    SPLICE_STRAIGHT, /* source or sink is a pipe */
    SPLICE_THROUGH   /* by a pipe of our own */
};

struct splice {
    enum splice_way way;
    int pipe[2];    /* -1: not made */
    size_t size;    /* of the pipe, in bytes */
    size_t held;    /* bytes in the pipe */
    bool sink_full; /* straight: the sink had no room */
    bool source_is_pipe;
    bool widened; /* straight: the pipes have been given more room */
};

/* Decides how bytes can be moved between two plain endpoints. Nothing is opened yet. */
void splice_plan(struct splice *splice, const struct opened *source, const struct opened *sink,
                 struct natures *natures);

/* Makes the pipe in between, if there is none. Returns false when the kernel refuses one that is
 * worth having. */
bool splice_prepare(struct splice *splice);

/* Gives the pipe to whoever needs one next, if it is empty. */
void splice_rest(struct splice *splice);
void splice_free(struct splice *splice);

/* Moves up to `length` bytes from a descriptor into the pipe, or straight to the sink; or from the
 * pipe to the sink. Each returns as splice(2). */
ssize_t splice_from(struct splice *splice, int source, int sink, size_t length);
ssize_t splice_to(struct splice *splice, int sink);

/* Takes bytes out of the pipe again, for a sink that turned out to refuse them. As read(2). */
ssize_t splice_take_back(struct splice *splice, void *buffer, size_t length);

/* What to call the way at debug level. */
const char *splice_way_name(enum splice_way way);

#endif
