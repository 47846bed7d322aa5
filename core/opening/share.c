#define _GNU_SOURCE
#include "core/opening/share.h"

#include "core/base/memory.h"
#include "core/opening/session_state.h"
#include <modcat/layer.h>
#include <stdlib.h>

struct share {
    struct share *next;
    struct share **list; /* of the session that serves */
    const struct address *address;
    unsigned users;
    void (*release)(void *data);
    void *data;
};

static struct share *find(struct share *share, const struct address *address)
{
    while (share != NULL && share->address != address)
        share = share->next;
    return share;
}

void *modcat_share(struct modcat_opening *opening, size_t size, void (*release)(void *data))
{
    struct session *session = opening->session;
    struct share **list = session->server != NULL ? &session->server->shares : &session->shares;
    if (opening->share != NULL)
        return opening->share->data;
    struct share *share = find(*list, opening->address);
    if (share == NULL) {
        share = memory_zeroed(1, sizeof *share);
        *share = (struct share){.next = *list,
                                .list = list,
                                .address = opening->address,
                                .release = release,
                                .data = memory_zeroed(1, size)};
        *list = share;
    }
    share->users++;
    opening->share = share;
    return share->data;
}

void *modcat_share_all(struct modcat_opening *opening)
{
    if (opening->address->shared == NULL)
        modcat_fail(opening, "%s: its type shares no memory", modcat_keyword(opening));
    return opening->address->shared;
}

void share_leave(struct modcat_opening *opening)
{
    struct share *share = opening->share;
    opening->share = NULL;
    if (share == NULL || --share->users > 0)
        return;
    struct share **place = share->list;
    while (*place != share)
        place = &(*place)->next;
    *place = share->next;
    if (share->release != NULL)
        share->release(share->data);
    free(share->data);
    free(share);
}
