#define _GNU_SOURCE
#include "core/relay/attention.h"

#include "core/base/memory.h"
#include <stdlib.h>

/* A level with `watch`, and what it has asked for. */
struct attended {
    const struct opened *level;
    struct modcat_attention asked;
    struct wait_entry *entries;
    bool has_failed;
};

struct attention {
    unsigned rebuilt; /* of the session, when it was made */
    size_t count;
    struct attended all[];
};

static bool is_attended(const struct opened *level)
{
    return ENDPOINT_DOES(level->endpoint, watch) && ENDPOINT_DOES(level->endpoint, attend);
}

/* Counts the levels that are attended, with those of ends that drivers have opened, and puts them
 * behind those that are in `attention`, unless that is NULL. */
static size_t gather(const struct opened *level, struct attention *attention)
{
    size_t count = 0;
    for (; level != NULL; level = level->lower) {
        const struct lower_end *end = level->opening != NULL ? level->opening->ends : NULL;
        if (is_attended(level)) {
            count++;
            if (attention != NULL)
                attention->all[attention->count++].level = level;
        }
        for (; end != NULL; end = end->next)
            count += gather(end->opened, attention);
    }
    return count;
}

static size_t gather_all(const struct session *session, struct attention *attention)
{
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        count += gather(&session->sides[i].first, attention);
        count += gather(&session->sides[i].second, attention);
    }
    return count;
}

bool attention_needed(const struct session *session)
{
    return gather_all(session, NULL) > 0;
}

struct attention *attention_new(const struct session *session)
{
    size_t count = gather_all(session, NULL);
    if (count == 0)
        return NULL;
    struct attention *attention =
        memory_zeroed(1, sizeof *attention + count * sizeof attention->all[0]);
    attention->rebuilt = session->rebuilt;
    gather_all(session, attention);
    return attention;
}

bool attention_is_current(const struct attention *attention, const struct session *session)
{
    return attention == NULL || attention->rebuilt == session->rebuilt;
}

void attention_free(struct attention *attention)
{
    free(attention);
}

size_t attention_room(const struct attention *attention)
{
    return attention != NULL ? attention->count * MODCAT_WATCHED_MAX : 0;
}

/* Returns the number of entries. */
static size_t ask(struct attended *attended, struct wait_entry *entries)
{
    struct modcat_attention *asked = &attended->asked;
    struct modcat_endpoint *endpoint = attended->level->endpoint;
    *asked = (struct modcat_attention){.size = sizeof *asked, .deadline = MODCAT_FOREVER};
    attended->entries = entries;
    if (attended->has_failed)
        return 0;
    endpoint->ops->watch(endpoint, asked);
    if (asked->count > MODCAT_WATCHED_MAX)
        asked->count = MODCAT_WATCHED_MAX;
    for (size_t i = 0; i < asked->count; i++)
        entries[i] =
            (struct wait_entry){.fd = asked->watched[i].fd, .events = asked->watched[i].events};
    return asked->count;
}

size_t attention_collect(struct attention *attention, struct wait_entry *entries,
                         long long *deadline)
{
    size_t used = 0;
    for (size_t i = 0; attention != NULL && i < attention->count; i++) {
        used += ask(&attention->all[i], entries + used);
        *deadline = wait_earlier(*deadline, attention->all[i].asked.deadline);
    }
    return used;
}

/* True when something is ready, or the time has come. */
static bool is_due(struct attended *attended)
{
    struct modcat_attention *asked = &attended->asked;
    bool due = asked->deadline != MODCAT_FOREVER && wait_now() >= asked->deadline;
    for (size_t i = 0; i < asked->count; i++) {
        asked->watched[i].ready = attended->entries[i].ready;
        due = due || asked->watched[i].ready != 0;
    }
    return due && !attended->has_failed;
}

void attention_serve(struct attention *attention, const struct session *session, void *context,
                     void (*failed)(void *context, const struct opened *level))
{
    for (size_t i = 0; attention != NULL && i < attention->count; i++) {
        if (!attention_is_current(attention, session))
            return;
        struct attended *attended = &attention->all[i];
        struct modcat_endpoint *endpoint = attended->level->endpoint;
        if (!is_due(attended) || endpoint->ops->attend(endpoint, &attended->asked) == 0)
            continue;
        attended->has_failed = true;
        failed(context, attended->level);
    }
}
