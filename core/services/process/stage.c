#define _GNU_SOURCE
#include "core/services/process/stage.h"

#include <stdatomic.h>
#include <sys/mman.h>

/* More children at a time than most systems allow; the pages of those that are never made cost
 * nothing. */
#define STAGES_MAX 65536

enum { FREE, OPENING, SERVING, ENDING };

struct stage {
    atomic_uchar now;
    pid_t process; /* both are the parent's own */
    long long since;
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

unsigned stages_enter(const struct stages *stages, struct stage *stage, pid_t pid, long long since)
{
    stage->process = pid;
    stage->since = since;
    return (unsigned)(stage - stages->first) + 1;
}

void stages_leave(const struct stages *stages, unsigned number)
{
    if (number > 0)
        stage_free(&stages->first[number - 1]);
}

/* One whose child is only just being made is not entered yet. */
struct stage *stages_oldest_opening(const struct stages *stages)
{
    struct stage *oldest = NULL;
    for (size_t i = 0; i < stages->count; i++) {
        struct stage *stage = &stages->first[i];
        if (atomic_load(&stage->now) == OPENING && stage->process != 0 &&
            (oldest == NULL || stage->since < oldest->since))
            oldest = stage;
    }
    return oldest;
}

pid_t stage_process(const struct stage *stage)
{
    return stage->process;
}

long long stage_since(const struct stage *stage)
{
    return stage->since;
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
    return leave_opening(stage, ENDING);
}

void stage_free(struct stage *stage)
{
    if (stage == NULL)
        return;
    stage->process = 0;
    atomic_store(&stage->now, FREE);
}
