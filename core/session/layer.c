#define _GNU_SOURCE
#include "core/session/layer.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/patient.h"
#include "core/base/sockaddr.h"
#include "core/options/apply.h"
#include "core/registry/registry.h"
#include <errno.h>
#include <modcat/layer.h>
#include <modcat/net.h>
#include <stdlib.h>
#include <string.h>

void layer_start(struct modcat_opening *lowest, const struct address *highest, unsigned directions)
{
    struct modcat_opening *below = lowest;
    const struct address *level = lowest->address;
    while (level != highest && level->upper != NULL) {
        level = level->upper;
        bool on_top = level == highest || level->upper == NULL;
        unsigned wanted = on_top ? directions : MODCAT_DIR_READ | MODCAT_DIR_WRITE;
        struct modcat_opening *opening = opening_new(lowest->session, level, wanted);
        opening->failure = lowest->failure;
        opening->below = below;
        below->above = opening;
        below = opening;
    }
}

/* Messages of a layer that stands on another address name it. What fails is named in any case. */
static void begin_speaking(struct modcat_opening *opening)
{
    opening->layering = true;
    log_set_layer(opening->address->lower != NULL ? opening->address->keyword : NULL);
}

static void end_speaking(struct modcat_opening *opening)
{
    opening->layering = false;
    log_set_layer(NULL);
}

static int prepare_level(struct modcat_opening *opening)
{
    const struct modcat_address_type *type = &opening->address->type->type;
    if (type->prepare == NULL)
        return 0;
    opening->prepared = memory_alloc(sizeof *opening->prepared);
    *opening->prepared = (struct opening_prepared){.users = 1};
    begin_speaking(opening);
    int result = type->prepare(opening, &opening->prepared->state);
    end_speaking(opening);
    if (result < 0)
        return -1;
    opening->prepared->release = type->release;
    return 0;
}

int layer_prepare(struct modcat_opening *lowest)
{
    for (struct modcat_opening *level = lowest; level != NULL; level = level->above)
        if (prepare_level(level) < 0)
            return -1;
    return 0;
}

struct modcat_endpoint *layer_new_endpoint(const struct address *address)
{
    size_t size = registry_endpoint_size(address->type->driver);
    struct modcat_endpoint *endpoint = memory_zeroed(1, size);
    *endpoint = (struct modcat_endpoint){.size = size, .read_fd = -1, .write_fd = -1};
    return endpoint;
}

void layer_use_from_above(struct opened *opened)
{
    struct modcat_endpoint *endpoint = opened->endpoint;
    endpoint->host = opened;
    opened->read_blocks = patient_needed(endpoint, endpoint->read_fd);
    opened->write_blocks = patient_needed(endpoint, endpoint->write_fd);
}

/* Makes `opened` the lower level of a new one, which has no endpoint yet. */
static void push_down(struct opened *opened, struct modcat_opening *opening)
{
    struct opened *lower = memory_alloc(sizeof *lower);
    *lower = *opened;
    *opened = (struct opened){.opening = opening, .lower = lower};
    lower->shares_opening = lower->opening == opening;
    layer_use_from_above(lower);
}

/* The filters of all levels up to this one judge who has been found to be the peer; to the levels
 * below, the connection's peer is still the one that they know. */
static bool permit_named_peer(struct modcat_opening *opening)
{
    socklen_t length = 0;
    const struct sockaddr *found = modcat_peer(opening, &length);
    bool permitted = true;
    if (found == NULL)
        return true;
    for (struct modcat_opening *level = opening; level != NULL && permitted; level = level->below) {
        struct modcat_sockaddr before = level->peer, named;
        sockaddr_copy(&named, found, length);
        permitted = modcat_permit_peer(level, &named.u.any, length);
        level->peer = before;
    }
    return permitted;
}

bool layer_names_peer(const struct modcat_opening *lowest)
{
    for (; lowest != NULL; lowest = lowest->above)
        if ((lowest->address->type->type.flags & MODCAT_TYPE_NAMES_PEER) != 0)
            return true;
    return false;
}

/* Returns as `wrap`. The opening is also the one below where the type itself is a layer. */
static int wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                struct modcat_endpoint *endpoint)
{
    const struct modcat_address_type *type = &opening->address->type->type;
    struct modcat_sockaddr before = opening->peer;
    begin_speaking(opening);
    int result = type->wrap(opening, lower, endpoint);
    end_speaking(opening);
    bool is_named = (type->flags & MODCAT_TYPE_NAMES_PEER) != 0 ||
                    opening->peer.length != before.length ||
                    memcmp(&opening->peer.u, &before.u, before.length) != 0;
    if (result != 0 || !is_named || !modcat_is_served(opening) || permit_named_peer(opening))
        return result;
    if (endpoint->ops != NULL && endpoint->ops->close != NULL)
        endpoint->ops->close(endpoint);
    return 1;
}

static int put_on(struct opened *opened, struct modcat_opening *opening)
{
    const struct address *address = opening->address;
    push_down(opened, opening);
    const struct modcat_endpoint *lower = opened->lower->endpoint;
    struct modcat_endpoint *endpoint = layer_new_endpoint(address);
    endpoint->read_fd = lower->read_fd;
    endpoint->write_fd = lower->write_fd;
    int result = wrap(opening, opened->lower->endpoint, endpoint);
    if (result != 0) {
        int error = errno;
        free(endpoint);
        errno = error;
        return result;
    }
    endpoint->flags =
        (endpoint->flags & ~MODCAT_END_SOCKET) | (lower->flags & MODCAT_END_INHERITED);
    opened->endpoint = endpoint;
    if (address->lower != NULL)
        log_notice("layer %s is open on %s", address->keyword, address->lower->keyword);
    return 0;
}

/* A type that is a layer itself comes first, then those that stand on its address. */
static int put_all_on(struct opened *opened)
{
    struct modcat_opening *lowest = opened->opening;
    int result = lowest->address->type->type.wrap != NULL ? put_on(opened, lowest) : 0;
    while (result == 0 && opened->opening->above != NULL) {
        struct modcat_opening *opening = opened->opening->above;
        opened->opening->above = NULL;
        result = put_on(opened, opening);
    }
    return result;
}

static int finish_levels(const struct opened *opened)
{
    if (opened->lower != NULL && finish_levels(opened->lower) < 0)
        return -1;
    if (opened->shares_opening)
        return 0;
    if (apply_finish(opened->opening, opened->endpoint) < 0)
        return -1;
    return apply_report_unused(opened->opening) > 0 && !log_sloppy() ? -1 : 0;
}

int layer_complete(struct opened *opened)
{
    if (apply_settle(opened->opening, opened->endpoint) < 0)
        return -1;
    int result = put_all_on(opened);
    return result == 0 ? finish_levels(opened) : result;
}
