/* registry.h: all words that addresses can hold: which driver knows them, the drivers themselves,
 * and the option groups of drivers and core. */

#ifndef CORE_REGISTRY_REGISTRY_H
#define CORE_REGISTRY_REGISTRY_H

#include "core/registry/manifest.h"
#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>

struct registry;
struct registry_driver;

/* A registered address type. */
struct registry_type {
    struct modcat_address_type type; /* as this core knows it; missing members are zero */
    const struct registry_driver *driver;
};

/* A registered option. */
struct registry_option {
    struct modcat_option option;          /* as this core knows it */
    const char *groups;                   /* every group it belongs to, separated by commas */
    const struct registry_driver *driver; /* NULL: the core's */
    const struct registry_option *next;   /* in the registry's own list */
};

/* Opens the registry: the core's groups, and the manifests of the folders that `paths` and the
 * defaults name. Returns it, to be freed with registry_close(), or NULL after reporting. */
struct registry *registry_open(const char *const *paths, size_t path_count);
void registry_close(struct registry *registry);

/* Finds an address type by name or alias, and loads its driver. Returns NULL when no driver
 * offers the word (*failed is false) or the driver can't be loaded (*failed is true, reported). */
const struct registry_type *registry_type(struct registry *registry, const char *word,
                                          bool *failed);

/* Finds an option by name or alias that belongs to one of `groups`, or to any group when `groups`
 * is NULL; loads the driver that registers it where that has not happened. Returns as above. */
const struct registry_option *registry_option(struct registry *registry, const char *word,
                                              const char *groups, bool *failed);

/* True when what an option of this name or alias holds is secret in any group. Loads the drivers
 * that have it. */
bool registry_is_secret_option(struct registry *registry, const char *word);

/* The nearest known address word, or option word within `groups` (NULL: all); NULL when none is
 * near. It stays valid until the next such call. */
const char *registry_nearest_type(struct registry *registry, const char *word);
const char *registry_nearest_option(struct registry *registry, const char *word,
                                    const char *groups);

/* What is known, whether loaded or not, for help. The core's own groups and options come first;
 * each call returns the next item, NULL at the end; *cursor starts as 0. */
const struct manifest *registry_next_driver(const struct registry *registry, size_t *cursor,
                                            const char **object_path);
const struct manifest_type *registry_next_type(const struct registry *registry, size_t *cursor);
const struct manifest_group *registry_next_group(const struct registry *registry, size_t *cursor);
const struct manifest_option *registry_next_option(const struct registry *registry, size_t *cursor);

/* True when a driver of this name, an address word, one of a layer, or a group of this name is
 * known. */
bool registry_has_driver(const struct registry *registry, const char *name);
bool registry_has_type(const struct registry *registry, const char *word);
bool registry_has_layer(const struct registry *registry, const char *word);
bool registry_has_group(const struct registry *registry, const char *name);
bool registry_has_option(const struct registry *registry, const char *word);

/* The sizes of endpoint and listener to make for a driver: at least its own and at least ours. */
size_t registry_endpoint_size(const struct registry_driver *driver);
size_t registry_listener_size(const struct registry_driver *driver);
const char *registry_driver_name(const struct registry_driver *driver);

#endif
