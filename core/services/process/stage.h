/* stage.h: what the parent of processes that serve peers has to know of each: whether it is still
 * in the dialogue of its opening, such as a TLS handshake. The processes share a page of memory:
 * there are no descriptors that programs could inherit, and nothing to read.
 *
 *     FREE -> OPENING -> SERVING   the child has opened its side: it is never ended
 *                     -> ENDING    the parent has ended it, to make room for another peer
 *
 * Only one of the two can take a stage out of OPENING. The parent alone frees it, when the child
 * is dead. */

#ifndef CORE_SERVICES_PROCESS_STAGE_H
#define CORE_SERVICES_PROCESS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stage;

/* Of all children of a process. */
struct stages {
    struct stage *first;
    size_t count;
    size_t next; /* where to look for a free one */
};

/* Returns a stage in OPENING for a child that is about to be made, one of `most`; or NULL if the
 * system does not give the memory, or there are too many: such a child is never ended. */
struct stage *stage_new(struct stages *stages, size_t most);

/* Takes note of the child that has it, and of when its opening began. Returns its number, from 1
 * on. The second frees it, when that child is dead; 0 is none. */
unsigned stages_enter(const struct stages *stages, struct stage *stage, pid_t pid, long long since);
void stages_leave(const struct stages *stages, unsigned number);

/* The one that has been in OPENING for the longest time, or NULL. */
struct stage *stages_oldest_opening(const struct stages *stages);
pid_t stage_process(const struct stage *stage);
long long stage_since(const struct stage *stage);

/* In the child: its session begins. Returns false if the parent has been faster. NULL is the stage
 * of one that can't be ended. */
bool stage_begin_serving(struct stage *stage);

/* In the parent: the child is to be ended. Returns false if the child has been faster. */
bool stage_end_opening(struct stage *stage);

/* Frees a stage whose child could not be forked. `stage` may be NULL. */
void stage_free(struct stage *stage);

#endif
