/* walk.h: goes down from the root to a folder or file, and makes sure on the way that nobody who is
 * not trusted can put something else there.
 *
 * Each step is taken from the folder before, by descriptor, and symbolic links are followed here:
 * once a folder has been found good, what is in it can only be changed by those who are trusted, so
 * that what was checked is what is opened.
 *
 * The folder of drivers beside the program, in a build tree, is trusted as the program is: what is
 * above it is above the program, too. */

#ifndef CORE_REGISTRY_WALK_H
#define CORE_REGISTRY_WALK_H

#include "core/registry/trust.h"

/* A folder or file that was found good, or what is wrong with it. */
struct walk {
    int fd;             /* a folder's is O_PATH, a file's can be read; -1: fault is set */
    int error;          /* errno where a system call failed, otherwise 0 */
    bool itself;        /* the fault is of the folder, not of what is above it */
    struct trust trust; /* what holds for the files in a folder */
    char *path;         /* without symbolic links */
    char *fault;        /* why it is not good, or NULL */
};

/* A folder with all that is above it. */
void walk_folder(const char *folder, struct walk *walk);

/* The folder of drivers beside the program. Returns false where there is none. */
bool walk_beside_program(struct walk *walk);

/* A file with all that is above it; one that is not regular is not good. */
void walk_file(const char *path, struct walk *walk);

/* A file in a folder that was found good. `path` is its name for messages. */
void walk_file_in(const struct walk *folder, const char *name, const char *path, struct walk *walk);

void walk_end(struct walk *walk);

#endif
