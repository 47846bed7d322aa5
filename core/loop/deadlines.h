/* deadlines.h: who is to be woken at which time; the earliest is found at once. */

#ifndef CORE_LOOP_DEADLINES_H
#define CORE_LOOP_DEADLINES_H

#include <stddef.h>

/* Part of whatever has a deadline. Zeroed, it has none. */
struct deadline {
    long long at; /* nanoseconds of CLOCK_MONOTONIC */
    size_t place; /* among all deadlines, from 1 on; 0: it is not among them */
};

/* A binary heap of deadlines that belong to others. Zeroed, it is empty. */
struct deadlines {
    struct deadline **heap; /* from 1 on */
    size_t count;
    size_t room;
};

/* Adds a deadline, moves it to another time, or removes it where `at` is MODCAT_FOREVER. */
void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, long long at);

/* The earliest, or NULL. */
struct deadline *deadlines_first(const struct deadlines *deadlines);

void deadlines_free(struct deadlines *deadlines);

#endif
