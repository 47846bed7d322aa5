/* kernel.h: runs this test program as the first process of a user mode Linux, whose kernel has
 * families of sockets that the one of this machine may lack. Its root is this machine's. */

#ifndef TESTS_KERNEL_KERNEL_H
#define TESTS_KERNEL_KERNEL_H

#include <stdbool.h>

/* What automake takes for a test that was not run. */
#define KERNEL_SKIPPED 77

/* All that a test program does in main(): boots the kernel with itself as the first process, whose
 * console is copied to standard output; in there, runs itself once more, and then `run_inside`.
 * Returns the exit status: that of run_inside(), or KERNEL_SKIPPED after saying why. */
int kernel_main(int count, char **arguments, int (*run_inside)(void));

/* True in the first process of such a kernel. */
bool kernel_is_init(void);

/* The first process's work: makes the system ready, runs `program inside`, and ends the kernel. */
int kernel_init(const char *program);

/* What init says on the console before the tests, and after them, with their exit status. */
#define KERNEL_BEGINS "kernel_test: the kernel runs"
#define KERNEL_ENDS "kernel_test: ended with status"

#endif
