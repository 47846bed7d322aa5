#include "tests/system/covering.h"

#include <stdlib.h>

bool covering_takes_few(void)
{
    return SANITIZED && getenv("MODCAT_TEST_ALL") == NULL;
}

static const size_t *goals_of(const struct covering *covering, size_t number)
{
    return &covering->goals[number * covering->per_case];
}

static size_t count_new(const struct covering *covering, size_t number, const bool *reached)
{
    size_t count = 0;
    for (size_t i = 0; i < covering->per_case; i++) {
        size_t goal = goals_of(covering, number)[i];
        count += goal != COVERING_NONE && !reached[goal];
    }
    return count;
}

static void reach(const struct covering *covering, size_t number, bool *reached)
{
    for (size_t i = 0; i < covering->per_case; i++) {
        size_t goal = goals_of(covering, number)[i];
        if (goal != COVERING_NONE)
            reached[goal] = true;
    }
}

/* Those that reach most are taken first. */
static size_t choose_few(const struct covering *covering, size_t *chosen)
{
    bool *reached = calloc(covering->goal_count + 1, sizeof *reached);
    size_t count = 0;
    assert_non_null(reached);
    for (size_t wanted = covering->per_case; wanted > 0; wanted--)
        for (size_t i = 0; i < covering->count; i++)
            if (count_new(covering, i, reached) >= wanted) {
                reach(covering, i, reached);
                chosen[count++] = i;
            }
    free(reached);
    return count;
}

static size_t choose_all(const struct covering *covering, size_t *chosen)
{
    for (size_t i = 0; i < covering->count; i++)
        chosen[i] = i;
    return covering->count;
}

size_t covering_choose(const struct covering *covering, const char *what, const char *reached,
                       size_t *chosen)
{
    if (!covering_takes_few()) {
        print_message("all %zu %s are tried\n", covering->count, what);
        return choose_all(covering, chosen);
    }
    size_t count = choose_few(covering, chosen);
    print_message("%zu of %zu %s are tried: %s\n", count, covering->count, what, reached);
    return count;
}
