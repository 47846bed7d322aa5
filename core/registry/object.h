/* object.h: the file of a driver: what it says before anything of it is run, and loading it. */

#ifndef CORE_REGISTRY_OBJECT_H
#define CORE_REGISTRY_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

/* A file that can be looked into. */
struct object {
    const char *data;
    size_t size; /* in bytes */
};

/* Maps a file of `size` bytes, more than 0. Returns false with errno. Counterpart: mmap(2). */
bool object_map(int fd, size_t size, struct object *object);
void object_unmap(struct object *object);

/* True when the file holds all that its headers promise. dlopen(3) does not look:
 * the program would die of SIGBUS when it comes to the part that is missing. A file that is no
 * object at all is left to dlopen(3). */
bool object_is_complete(const struct object *object);

/* Reads the driver ABI that a complete file was made for. Returns false where it can't be found:
 * then dlopen(3) tells more. */
bool object_abi(const struct object *object, unsigned *major, unsigned *minor);

/* Loads an open file, and no other one that may have come to stand under its name meanwhile.
 * `path` is what messages call it, `real_path` what it is called from the root on without symbolic
 * links. Returns dlopen(3)'s handle; or NULL with *reason, from malloc(3). */
void *object_load(int fd, const char *path, const char *real_path, char **reason);

#endif
