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
    size_t count;
    struct attended all[];
};

static bool is_attended(const struct opened *level)
{
    return ENDPOINT_DOES(level->endpoint, watch) && ENDPOINT_DOES(level->endpoint, attend);
}

/* The next level of the session that is attended, behind `level`; NULL: from the first one on. */
static const struct opened *next_level(const struct session *session, const struct opened *level)
{
    const struct opened *tops[] = {&session->sides[0].first, &session->sides[0].second,
                                   &session->sides[1].first, &session->sides[1].second};
    bool is_behind = level == NULL;
    for (size_t i = 0; i < MODCAT_COUNT(tops); i++)
        for (const struct opened *next = tops[i]; next != NULL; next = next->lower) {
            if (is_behind && is_attended(next))
                return next;
            is_behind = is_behind || next == level;
        }
    return NULL;
}

bool attention_needed(const struct session *session)
{
    return next_level(session, NULL) != NULL;
}

struct attention *attention_new(struct session *session)
{
    size_t count = 0;
    const struct opened *level = NULL;
    while ((level = next_level(session, level)) != NULL)
        count++;
    if (count == 0)
        return NULL;
    struct attention *attention =
        memory_zeroed(1, sizeof *attention + count * sizeof attention->all[0]);
    for (level = NULL; (level = next_level(session, level)) != NULL;)
        attention->all[attention->count++].level = level;
    return attention;
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

void attention_serve(struct attention *attention, void *context,
                     void (*failed)(void *context, const struct opened *level))
{
    for (size_t i = 0; attention != NULL && i < attention->count; i++) {
        struct attended *attended = &attention->all[i];
        struct modcat_endpoint *endpoint = attended->level->endpoint;
        if (!is_due(attended) || endpoint->ops->attend(endpoint, &attended->asked) == 0)
            continue;
        attended->has_failed = true;
        failed(context, attended->level);
    }
}
