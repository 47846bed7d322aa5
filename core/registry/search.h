/* search.h: the folders that hold drivers, and the manifests in them. */

#ifndef CORE_REGISTRY_SEARCH_H
#define CORE_REGISTRY_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

/* Calls `take` with the path and the beginning of the text (from malloc(3), handed over) of every
 * manifest in the folders of `paths`, of MODCAT_DRIVER_PATH and of the installation, folder by
 * folder, files in sorted order. What a manifest says about groups and options, at its end, is left
 * off. A folder or file that can't be trusted is left out with a warning. Returns 0, or -1 after
 * reporting a folder that must not be named. */
int search_manifests(const char *const *paths, size_t path_count,
                     void (*take)(void *context, const char *path, char *text), void *context);

/* True when a folder or a manifest was left out because it can't be trusted. */
bool search_has_refused(void);

/* The whole text of a manifest, from malloc(3), or NULL after a warning. */
char *search_read(const char *path);

#endif
