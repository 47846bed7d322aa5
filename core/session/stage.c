#define _GNU_SOURCE
#include "core/session/stage.h"

#include <stdatomic.h>
#include <sys/mman.h>

/* More children at a time than most systems allow; the pages of those that are never made cost
 * nothing. */
#define STAGES_MAX 65536

enum { FREE, OPENING, SERVING, ENDING };

struct stage {
    atomic_uchar now;
};

/* The memory lasts as long as the processes that share it. */
static void start(struct stages *stages, size_t most)
{
    size_t count = most < STAGES_MAX ? most : STAGES_MAX;
    void *memory = mmap(NULL, count * sizeof(struct stage), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED)
        *stages = (struct stages){.first = memory, .count = count};
}

struct stage *stage_new(struct stages *stages, size_t most)
{
    if (stages->first == NULL)
        start(stages, most);
    for (size_t tried = 0; tried < stages->count; tried++) {
        struct stage *stage = &stages->first[stages->next];
        stages->next = (stages->next + 1) % stages->count;
        if (atomic_load(&stage->now) == FREE) {
            atomic_store(&stage->now, OPENING);
            return stage;
        }
    }
    return NULL;
}

bool stage_is_opening(const struct stage *stage)
{
    return stage != NULL && atomic_load(&stage->now) == OPENING;
}

static bool leave_opening(struct stage *stage, unsigned char next)
{
    unsigned char expected = OPENING;
    return atomic_compare_exchange_strong(&stage->now, &expected, next);
}

bool stage_begin_serving(struct stage *stage)
{
    return stage == NULL || leave_opening(stage, SERVING);
}

bool stage_end_opening(struct stage *stage)
{
    return stage != NULL && leave_opening(stage, ENDING);
}

void stage_free(struct stage *stage)
{
    if (stage != NULL)
        atomic_store(&stage->now, FREE);
}
