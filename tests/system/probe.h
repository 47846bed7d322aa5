/* probe.h: a program that the program under test runs, and a child of it. Both tell the test what
 * they get, and do what it tells them. They end when the test does. */

#ifndef TESTS_SYSTEM_PROBE_H
#define TESTS_SYSTEM_PROBE_H

#include "tests/system/harness.h"

/* What they have got so far. */
struct probe_report {
    bool is_child;
    bool is_answer; /* to probe_ask() */
    bool input_ended;
    size_t received;  /* bytes of input */
    unsigned signals; /* bit N: signal N */
};

/* What they are told to do. */
enum probe_order {
    PROBE_REPORT,
    PROBE_WRITE,        /* a line */
    PROBE_CLOSE_OUTPUT, /* and go on */
    PROBE_EXIT,         /* with status 0 */
    PROBE_FAIL,         /* with another one, PROBE_FAILURE */
    PROBE_DIE,          /* by SIGKILL */
};

#define PROBE_LINE "line\n"
#define PROBE_FAILURE 3

/* One of the two, as the test knows it. */
struct probe {
    struct harness *harness;
    int control;
    struct probe_report report; /* the latest */
    bool has_ended;
};

/* Is the program where these are its arguments, and does not return; returns elsewhere. */
void probe_main(int argc, char **argv);

/* Where they will find the test; returns what listens there. */
int probe_listen(struct harness *harness);
/* The command that runs it. The child lets go of its input and output, or holds them too. */
const char *probe_command(struct harness *harness, bool child_holds);
/* Waits until both are there. */
void probes_accept(struct harness *harness, int listener, struct probe *program,
                   struct probe *child);

void probe_tell(const struct probe *probe, enum probe_order order);
/* Asks for all that it has got by now. */
void probe_ask(struct probe *probe);
/* Waits until it has got one of these, or has ended. */
void probe_gets_input(struct probe *probe);
void probe_gets_end_of_input(struct probe *probe);
void probe_gets_signal(struct probe *probe, int number);
void probe_ends(struct probe *probe);

#endif
