/* nature.h: what the descriptors of a session are: asked once, though both flows want to know. */

#ifndef CORE_RELAY_NATURE_H
#define CORE_RELAY_NATURE_H

#include <modcat/driver.h>
#include <sys/stat.h>

struct nature {
    int fd;
    int flags;   /* of fcntl(F_GETFL); -1: it is not open */
    mode_t kind; /* the S_IF... bits of its mode */
};

/* Of the two ends of both directions. Zeroed, nothing is known. */
struct natures {
    struct nature list[4];
    size_t count;
};

/* What this descriptor of an endpoint is. It belongs to `natures`. */
struct nature *nature_of(struct natures *natures, const struct modcat_endpoint *endpoint, int fd);

/* patient_needed() for it: whether using it when it is not ready would block. */
bool nature_blocks(struct nature *nature, const struct modcat_endpoint *endpoint);

#endif
