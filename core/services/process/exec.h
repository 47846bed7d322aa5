/* child.h: what a process does to become a program: options, environment, descriptors, exec. */

#ifndef CORE_SERVICES_PROCESS_EXEC_H
#define CORE_SERVICES_PROCESS_EXEC_H

#include <modcat/process.h>
#include <stdbool.h>

/* How the program will be. */
struct child {
    struct modcat_opening *opening;
    const struct modcat_program *program;
    int in;         /* what becomes descriptor fdin; -1: it keeps what it has */
    int out;        /* what becomes descriptor fdout */
    int fdin;       /* option fdin */
    int fdout;      /* option fdout */
    bool to_stderr; /* option stderr: `out` becomes descriptor 2, too */
};

/* Carries out what the options say of the process, and becomes the program. Returns only on
 * failure, -1 after reporting. */
int child_become_program(const struct child *child);

/* The first descriptor behind those that the program gets. */
int child_first_free(const struct child *child);

/* Marks the options that the child carries out as used in the parent. */
void child_take_options(struct modcat_opening *opening);

#endif
