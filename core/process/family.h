/* family.h: processes and what has come from them, as /proc tells it. Where it tells nothing,
 * nobody has children. */

#ifndef CORE_PROCESS_FAMILY_H
#define CORE_PROCESS_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A list of processes; {0} is an empty one. */
struct family {
    pid_t *pids;
    size_t count;
};

/* Says who is let in. */
typedef bool family_member_fn(pid_t pid, const void *context);

void family_add(struct family *family, pid_t pid);

/* Adds the children of one process. */
void family_add_children(struct family *family, pid_t parent, family_member_fn *member,
                         const void *context);

/* Adds the children of all that are in, and theirs. Those of one that is not let in stay out. */
void family_add_descendants(struct family *family, family_member_fn *member, const void *context);

bool family_has(const struct family *family, pid_t pid);

/* Makes it an empty list again. */
void family_free(struct family *family);

#endif
