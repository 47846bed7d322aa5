/* memory.h: allocation that ends the program with a message when there is no memory, and locals
 * that clean themselves up. */

#ifndef CORE_BASE_MEMORY_H
#define CORE_BASE_MEMORY_H

#include <stddef.h>

/* malloc(3), calloc(3), realloc(3) for arrays, strdup(3), strndup(3), asprintf(3); never NULL. */
void *memory_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *memory_zeroed(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *memory_resize(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
void *memory_copy(const void *data, size_t size) __attribute__((malloc, returns_nonnull));
char *memory_copy_text(const char *text) __attribute__((malloc, returns_nonnull));
char *memory_copy_span(const char *text, size_t length) __attribute__((malloc, returns_nonnull));
/* "folder/name". */
char *memory_join(const char *folder, const char *name) __attribute__((malloc, returns_nonnull));
char *memory_format(const char *format, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* AUTO_FREE char *text = ...; frees what the local points to when it goes out of scope.
 * AUTO_CLOSE int fd = ...; closes the descriptor unless it is negative; errno is kept. */
void memory_free_local(void *local);
void memory_close_local(int *fd);
#define AUTO_FREE __attribute__((cleanup(memory_free_local)))
#define AUTO_CLOSE __attribute__((cleanup(memory_close_local)))

#endif
