/* Switches between two stacks, and checks that registers, floating point numbers and arguments come
 * through. Built for each way that core/loop/switch.c knows. */
#include "core/loop/switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE (64 * 1024)

static struct context process, task;
static int visits;

static void body(void *argument)
{
    double third = 1.0;
    long sums[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    context_arrived();
    for (int i = 0; i < 3; i++) {
        third /= 3;
        for (int k = 0; k < 8; k++)
            sums[k] += visits;
        context_switch(&task, &process, false);
    }
    visits = third > 0.037 && third < 0.0371 && sums[7] == 8 + 1 + 2 + 3 &&
                     strcmp(argument, "argument") == 0
                 ? 100
                 : -100;
    context_switch(&task, &process, true);
}

int main(void)
{
    void *stack = aligned_alloc(64, SIZE);
    double half = 0.5;
    if (stack == NULL || !context_possible())
        return 1;
    context_make(&task, stack, SIZE, body, "argument");
    for (int i = 0; i < 4; i++) {
        visits++;
        half /= 2;
        context_switch(&process, &task, false);
    }
    free(stack);
    if (visits != 100 || half != 0.5 / 16)
        return 1;
    puts("switched");
    return 0;
}
