#define _GNU_SOURCE
#include "tally.h"

#include <modcat/driver.h>
#include <stdlib.h>

struct tally {
    struct modcat_endpoint inner; /* with the operations that it had */
    struct common *common;
    size_t end;
};

static struct modcat_endpoint *inner_of(struct modcat_endpoint *endpoint)
{
    return &((struct tally *)endpoint->state)->inner;
}

static ssize_t tally_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct modcat_endpoint *inner = inner_of(endpoint);
    return inner->ops->read(inner, buffer, length);
}

static ssize_t tally_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct modcat_endpoint *inner = inner_of(endpoint);
    return inner->ops->write(inner, buffer, length);
}

static int tally_shutdown(struct modcat_endpoint *endpoint)
{
    struct modcat_endpoint *inner = inner_of(endpoint);
    return inner->ops->shutdown(inner);
}

static bool tally_pending(struct modcat_endpoint *endpoint)
{
    struct modcat_endpoint *inner = inner_of(endpoint);
    return inner->ops->pending(inner);
}

static short tally_wants(struct modcat_endpoint *endpoint, unsigned direction)
{
    struct modcat_endpoint *inner = inner_of(endpoint);
    return inner->ops->wants(inner, direction);
}

static void tally_close(struct modcat_endpoint *endpoint)
{
    struct tally *tally = endpoint->state;
    common_leave(tally->common, tally->end);
    if (tally->inner.ops != NULL && tally->inner.ops->close != NULL)
        tally->inner.ops->close(&tally->inner);
    free(tally);
}

/* Plain descriptors stay plain, so that the host may move data its fastest way. */
static const struct modcat_endpoint_ops plain_ops = {
    .size = sizeof plain_ops,
    .close = tally_close,
};

/* Those of modcat_pass_through(). */
static const struct modcat_endpoint_ops layered_ops = {
    .size = sizeof layered_ops,
    .read = tally_read,
    .write = tally_write,
    .shutdown = tally_shutdown,
    .close = tally_close,
    .pending = tally_pending,
    .wants = tally_wants,
};

int tally_put_on(struct modcat_opening *opening, struct modcat_endpoint *endpoint,
                 struct common *common, size_t end)
{
    struct tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL) {
        common_leave(common, end);
        return modcat_fail(opening, "out of memory");
    }
    *tally = (struct tally){.inner = *endpoint, .common = common, .end = end};
    endpoint->ops = endpoint->ops == NULL ? &plain_ops : &layered_ops;
    endpoint->state = tally;
    return 0;
}
