/* process.h: services for child programs. A driver says what to run; the host connects it, starts
 * it with all that the options of the groups EXEC, FORK, PARENT, PROCESS and SOCKET ask for, waits
 * for it, and carries its exit status over. */

#ifndef MODCAT_PROCESS_H
#define MODCAT_PROCESS_H

#include <modcat/driver.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A program to run. All texts are needed during the call only. */
struct modcat_program {
    size_t size;                    /* sizeof(struct modcat_program) in the driver */
    const char *file;               /* searched for in PATH where it holds no slash */
    const char *const *arguments;   /* with the program's own name, NULL-terminated */
    const char *const *environment; /* NAME=VALUE to add, NULL-terminated; or NULL */
    const char *failure; /* the words before "returned with status" in a warning that it failed:
                          * "system(\"...\")"; or NULL */
    bool terminate;      /* it is sent SIGTERM where it still runs at the end of the session */
    bool stays_child;    /* with option nofork it does not replace this process, which waits for it
                          * and ends with its status, as with system(3) */
};

/* Starts a program, connected by a socket pair, or as the options pipes, pty, socktype, pf and
 * so-protocol say, in the directions of the opening. The program gets standard input and output
 * (fdin, fdout, stderr), the session's environment, default signals, and what options of PROCESS
 * and FORK make of it. With nofork it replaces this process, and the call does not return,
 * or it is all that is left of the session, and the call returns -1 when it has ended. Fills
 * `endpoint` in. A program that still runs at the end of the session is left to itself, and so is
 * all that it has started. With `terminate` set, the program alone is sent SIGTERM, unless the
 * option end-close is given or it has closed its output.
 * Returns 0 when the program runs, or -1 after reporting.
 * Counterpart: fork(2), execvp(3). */
int modcat_spawn(struct modcat_opening *opening, const struct modcat_program *program,
                 struct modcat_endpoint *endpoint);

/* Cuts a command line into words at blanks. Quotes, brackets and backslashes protect as in
 * addresses. Returns the words, NULL-terminated, in one block that the caller frees with free(3);
 * or NULL after reporting. */
char **modcat_command_words(const struct modcat_opening *opening, const char *command);

#ifdef __cplusplus
}
#endif

#endif
