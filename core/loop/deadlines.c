#include "core/loop/deadlines.h"

#include "core/base/memory.h"
#include <modcat/driver.h>
#include <stdbool.h>
#include <stdlib.h>

static void put(struct deadlines *deadlines, size_t place, struct deadline *deadline)
{
    deadlines->heap[place] = deadline;
    deadline->place = place;
}

static void move_up(struct deadlines *deadlines, struct deadline *deadline)
{
    size_t place = deadline->place;
    for (; place > 1 && deadlines->heap[place / 2]->at > deadline->at; place /= 2)
        put(deadlines, place, deadlines->heap[place / 2]);
    put(deadlines, place, deadline);
}

static void move_down(struct deadlines *deadlines, struct deadline *deadline)
{
    size_t place = deadline->place;
    for (;;) {
        size_t below = 2 * place;
        if (below < deadlines->count && deadlines->heap[below + 1]->at < deadlines->heap[below]->at)
            below++;
        if (below > deadlines->count || deadlines->heap[below]->at >= deadline->at)
            break;
        put(deadlines, place, deadlines->heap[below]);
        place = below;
    }
    put(deadlines, place, deadline);
}

static void add(struct deadlines *deadlines, struct deadline *deadline)
{
    if (deadlines->count + 1 >= deadlines->room) {
        deadlines->room = deadlines->room > 0 ? 2 * deadlines->room : 64;
        deadlines->heap = memory_resize(deadlines->heap, deadlines->room, sizeof *deadlines->heap);
    }
    put(deadlines, ++deadlines->count, deadline);
}

/* The last one takes the place that becomes free. */
static void take_out(struct deadlines *deadlines, struct deadline *deadline)
{
    struct deadline *last = deadlines->heap[deadlines->count--];
    if (last != deadline) {
        put(deadlines, deadline->place, last);
        move_up(deadlines, last);
        move_down(deadlines, last);
    }
    deadline->place = 0;
}

void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, long long at)
{
    if (at == MODCAT_FOREVER) {
        if (deadline->place != 0)
            take_out(deadlines, deadline);
        return;
    }
    if (deadline->place == 0)
        add(deadlines, deadline);
    else if (deadline->at == at)
        return;
    deadline->at = at;
    move_up(deadlines, deadline);
    move_down(deadlines, deadline);
}

struct deadline *deadlines_first(const struct deadlines *deadlines)
{
    return deadlines->count > 0 ? deadlines->heap[1] : NULL;
}

void deadlines_free(struct deadlines *deadlines)
{
    free(deadlines->heap);
    *deadlines = (struct deadlines){0};
}
