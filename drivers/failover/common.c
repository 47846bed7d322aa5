/* Processes change this memory at the same time, without locks, since any of them may be killed
 * while it holds one. A place is one number, which is exchanged as a whole: a process, one of the
 * ends, and how many sessions the process has there. */

#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <modcat/layer.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define HEAD_SIZE ((ENDS_MAX + 2) * 8)
#define PLACES_MAX ((MODCAT_SHARE_ALL_SIZE - HEAD_SIZE) / 8)
#define COUNT_MAX 0xffff

struct common {
    _Atomic unsigned long long turn;
    _Atomic unsigned long long used; /* places behind these have never been taken */
    _Atomic long long out_until[ENDS_MAX];
    _Atomic unsigned long long places[PLACES_MAX];
};
_Static_assert(sizeof(struct common) <= MODCAT_SHARE_ALL_SIZE, "it fits into what is shared");

struct common *common_of(struct modcat_opening *opening)
{
    return modcat_share_all(opening);
}

void common_leave_out(struct common *common, size_t end, long long until)
{
    atomic_store(&common->out_until[end], until);
}

bool common_let_in(struct common *common, size_t end)
{
    return atomic_exchange(&common->out_until[end], 0) != 0;
}

bool common_is_left_out(const struct common *common, size_t end)
{
    return atomic_load(&common->out_until[end]) > modcat_deadline(0);
}

size_t common_turn(struct common *common)
{
    return (size_t)atomic_fetch_add(&common->turn, 1);
}

static unsigned long long place_of(pid_t process, size_t end, unsigned count)
{
    return (unsigned long long)process << 32 | (unsigned long long)end << 16 | count;
}

static pid_t process_of(unsigned long long place)
{
    return (pid_t)(place >> 32);
}

static size_t end_of(unsigned long long place)
{
    return (size_t)(place >> 16 & 0xffff);
}

static unsigned count_of(unsigned long long place)
{
    return (unsigned)(place & COUNT_MAX);
}

static bool is_dead(unsigned long long place)
{
    return place == 0 || (kill(process_of(place), 0) < 0 && errno == ESRCH);
}

static bool exchange(struct common *common, size_t index, unsigned long long before,
                     unsigned long long after)
{
    return atomic_compare_exchange_strong(&common->places[index], &before, after);
}

static void note_use(struct common *common, size_t index)
{
    unsigned long long used = atomic_load(&common->used);
    while (used <= index && !atomic_compare_exchange_weak(&common->used, &used, index + 1))
        continue;
}

static size_t used_places(struct common *common)
{
    size_t used = (size_t)atomic_load(&common->used);
    return used < PLACES_MAX ? used : PLACES_MAX;
}

/* Only this process changes its own places. Returns false when it has none for this end. */
static bool add_to_own(struct common *common, size_t end, int change)
{
    pid_t self = getpid();
    for (size_t i = 0, used = used_places(common); i < used; i++) {
        unsigned long long place = atomic_load(&common->places[i]);
        unsigned count = count_of(place) + (unsigned)change;
        if (process_of(place) != self || end_of(place) != end || count > COUNT_MAX)
            continue;
        atomic_store(&common->places[i], count > 0 ? place_of(self, end, count) : 0);
        return true;
    }
    return false;
}

/* With more processes than places one is not counted. */
void common_enter(struct common *common, size_t end)
{
    if (add_to_own(common, end, 1))
        return;
    for (size_t i = 0; i < PLACES_MAX; i++) {
        unsigned long long place = atomic_load(&common->places[i]);
        if (!is_dead(place) || !exchange(common, i, place, place_of(getpid(), end, 1)))
            continue;
        note_use(common, i);
        return;
    }
}

void common_leave(struct common *common, size_t end)
{
    (void)add_to_own(common, end, -1);
}

void common_count(struct common *common, unsigned long counts[ENDS_MAX])
{
    for (size_t i = 0; i < ENDS_MAX; i++)
        counts[i] = 0;
    for (size_t i = 0, used = used_places(common); i < used; i++) {
        unsigned long long place = atomic_load(&common->places[i]);
        if (is_dead(place))
            (void)exchange(common, i, place, 0);
        else if (end_of(place) < ENDS_MAX)
            counts[end_of(place)] += count_of(place);
    }
}
