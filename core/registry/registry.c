#define _GNU_SOURCE
#include "core/registry/registry.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/registry/guard.h"
#include "core/registry/loader.h"
#include "core/registry/search.h"
#include "core/registry/tables.h"
#include "core/values/groups.h"
#include "core/values/values.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct registry_driver {
    char *name;               /* the file's, which is the driver's */
    char *text;               /* of the manifest's beginning, until that is taken apart */
    struct manifest manifest; /* its beginning: all but groups and options */
    struct manifest whole;    /* all of it, once that is wanted */
    bool whole_read;
    char *manifest_path;
    char *object_path;
    bool loaded;
    struct modcat_driver tables; /* when loaded */
    struct registry_type *types; /* when loaded */
};

struct registry {
    struct registry_driver **drivers;
    size_t driver_count;
    struct registry_option *options; /* those that were asked for */
    struct manifest core;            /* the core's own groups and options, for help */
    char *suggestion;                /* the alias that was last found to be near */
};

/* The path without ".driver". */
static size_t stem_length(const char *manifest_path)
{
    return strlen(manifest_path) - strlen(".driver");
}

static char *driver_name(const char *manifest_path)
{
    const char *start = strrchr(manifest_path, '/') + 1;
    return memory_copy_span(start, stem_length(manifest_path) - (size_t)(start - manifest_path));
}

static char *object_path(const char *manifest_path)
{
    return memory_format("%.*s.so", (int)stem_length(manifest_path), manifest_path);
}

static bool driver_known(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->driver_count; i++)
        if (strcmp(registry->drivers[i]->name, name) == 0)
            return true;
    return false;
}

/* A driver in an earlier folder hides one of the same name in a later folder. */
static void take_manifest(void *context, const char *path, char *text)
{
    struct registry *registry = context;
    char *name = driver_name(path);
    if (driver_known(registry, name)) {
        log_info("driver manifest \"%s\" is hidden by an earlier one of the same name", path);
        free(name);
        free(text);
        return;
    }
    struct registry_driver *driver = memory_zeroed(1, sizeof *driver);
    driver->name = name;
    driver->text = text;
    driver->manifest_path = memory_copy_text(path);
    registry->drivers = memory_resize(registry->drivers, registry->driver_count + 1,
                                      sizeof(struct registry_driver *));
    registry->drivers[registry->driver_count++] = driver;
}

/* The manifest without its groups and options, taken apart when it is first looked at. */
static const struct manifest *manifest_of(struct registry_driver *driver)
{
    char reason[80];
    char *text = driver->text;
    driver->text = NULL;
    if (text == NULL || manifest_parse(text, &driver->manifest, reason, sizeof reason) == 0)
        return &driver->manifest;
    log_warning("skipping driver manifest \"%s\": %s", driver->manifest_path, reason);
    manifest_free(&driver->manifest);
    return &driver->manifest;
}

struct registry *registry_open(const char *const *paths, size_t path_count)
{
    struct registry *registry = memory_zeroed(1, sizeof *registry);
    if (search_manifests(paths, path_count, take_manifest, registry) == 0)
        return registry;
    registry_close(registry);
    return NULL;
}

static void free_driver(struct registry_driver *driver)
{
    manifest_free(&driver->manifest);
    manifest_free(&driver->whole);
    free(driver->text);
    free(driver->name);
    free(driver->manifest_path);
    free(driver->object_path);
    free(driver->types);
    free(driver);
}

static void free_options(struct registry_option *option)
{
    while (option != NULL) {
        struct registry_option *next = (struct registry_option *)option->next;
        free((char *)option->groups);
        free(option);
        option = next;
    }
}

void registry_close(struct registry *registry)
{
    if (registry == NULL)
        return;
    for (size_t i = 0; i < registry->driver_count; i++)
        free_driver(registry->drivers[i]);
    free(registry->drivers);
    free_options(registry->options);
    for (size_t i = 0; i < registry->core.option_count; i++)
        free((char *)registry->core.options[i].groups);
    free(registry->suggestion);
    free(registry->core.options);
    free(registry->core.groups);
    free(registry);
}

static void register_types(struct registry_driver *driver)
{
    driver->types = memory_zeroed(driver->tables.type_count, sizeof *driver->types);
    for (size_t i = 0; i < driver->tables.type_count; i++) {
        tables_type(&driver->tables, i, &driver->types[i].type);
        driver->types[i].driver = driver;
    }
}

/* The manifest with its groups and options, which is read when they are first wanted. */
static const struct manifest *whole_manifest(struct registry_driver *driver)
{
    char reason[80];
    if (driver->whole_read)
        return &driver->whole;
    driver->whole_read = true;
    char *text = search_read(driver->manifest_path);
    if (text != NULL && manifest_parse(text, &driver->whole, reason, sizeof reason) < 0)
        log_warning("ignoring part of driver manifest \"%s\": %s", driver->manifest_path, reason);
    return &driver->whole;
}

/* The manifest was made from the driver's own tables; one that differs belongs to another build. */
static int check_manifest(struct registry_driver *driver)
{
    struct manifest described;
    char reason[80];
    bool equal = manifest_parse(manifest_describe(&driver->tables), &described, reason,
                                sizeof reason) == 0 &&
                 manifest_equal(&described, whole_manifest(driver));
    manifest_free(&described);
    if (equal)
        return 0;
    log_error("driver \"%s\" does not match its manifest \"%s\"; regenerate it with "
              "--describe-driver",
              driver->object_path, driver->manifest_path);
    return -1;
}

static int load(struct registry *registry, struct registry_driver *driver, unsigned depth);

static int load_needs(struct registry *registry, const struct registry_driver *driver,
                      unsigned depth)
{
    const char *cursor = driver->manifest.needs, *word;
    size_t length;
    while (words_next(&cursor, &word, &length)) {
        bool found = false;
        for (size_t i = 0; i < registry->driver_count && !found; i++) {
            struct registry_driver *needed = registry->drivers[i];
            found = strlen(needed->name) == length && strncmp(needed->name, word, length) == 0;
            if (found && load(registry, needed, depth + 1) < 0)
                return -1;
        }
        if (!found) {
            log_error("driver \"%s\" needs the driver \"%.*s\", which is not installed",
                      driver->name, (int)length, word);
            return -1;
        }
    }
    return 0;
}

static int load(struct registry *registry, struct registry_driver *driver, unsigned depth)
{
    if (driver->loaded)
        return 0;
    free(driver->object_path);
    driver->object_path = object_path(driver->manifest_path);
    if (manifest_of(driver)->abi_major != MODCAT_ABI_MAJOR) {
        log_error("driver \"%s\" cannot be loaded: it was made for driver ABI %u.%u, and this "
                  "modcat has %d.%d",
                  driver->object_path, driver->manifest.abi_major, driver->manifest.abi_minor,
                  MODCAT_ABI_MAJOR, MODCAT_ABI_MINOR);
        return -1;
    }
    if (depth > registry->driver_count) {
        log_error("driver \"%s\" needs itself", driver->name);
        return -1;
    }
    if (load_needs(registry, driver, depth) < 0 ||
        loader_open(driver->object_path, &driver->tables) < 0)
        return -1;
    guard_begin(driver->object_path);
    int result = check_manifest(driver);
    if (result == 0)
        register_types(driver);
    guard_end();
    if (result < 0)
        return -1;
    driver->loaded = true;
    log_debug("loaded driver \"%s\"", driver->object_path);
    return 0;
}

static bool named(const char *name, const char *aliases, const char *word)
{
    return words_equal(name, word) || words_list_has(aliases, word);
}

/* Address words are written in capitals; with them most manifests need not be taken apart to see
 * that they do not know a word. */
static char *in_capitals(const char *word)
{
    char *capitals = memory_copy_text(word);
    for (char *letter = capitals; *letter != '\0'; letter++)
        *letter = (char)toupper((unsigned char)*letter);
    return capitals;
}

static const struct manifest_type *driver_type(struct registry_driver *driver, const char *capitals)
{
    if (driver->text != NULL && strstr(driver->text, capitals) == NULL)
        return NULL;
    const struct manifest *manifest = manifest_of(driver);
    for (size_t i = 0; i < manifest->type_count; i++)
        if (named(manifest->types[i].name, manifest->types[i].aliases, capitals))
            return &manifest->types[i];
    return NULL;
}

static const struct manifest_type *find_type(const struct registry *registry, const char *word)
{
    AUTO_FREE char *capitals = in_capitals(word);
    const struct manifest_type *found = NULL;
    for (size_t i = 0; i < registry->driver_count && found == NULL; i++)
        found = driver_type(registry->drivers[i], capitals);
    return found;
}

/* Reports that a word is in two drivers. */
static void report_conflict(const char *word, const struct registry_driver *one,
                            const struct registry_driver *other)
{
    log_error("\"%s\" is offered by two drivers, \"%s\" and \"%s\": remove one of them", word,
              one->manifest_path, other->manifest_path);
}

const struct registry_type *registry_type(struct registry *registry, const char *word, bool *failed)
{
    struct registry_driver *owner = NULL;
    AUTO_FREE char *capitals = in_capitals(word);
    *failed = false;
    for (size_t i = 0; i < registry->driver_count; i++) {
        if (driver_type(registry->drivers[i], capitals) == NULL)
            continue;
        if (owner != NULL) {
            report_conflict(word, owner, registry->drivers[i]);
            *failed = true;
            return NULL;
        }
        owner = registry->drivers[i];
    }
    if (owner == NULL)
        return NULL;
    *failed = load(registry, owner, 0) < 0;
    for (size_t i = 0; !*failed && i < owner->tables.type_count; i++)
        if (named(owner->types[i].type.name, owner->types[i].type.aliases, word))
            return &owner->types[i];
    return NULL;
}

static char *groups_of(const struct modcat_option_group *group, const struct modcat_option *option)
{
    if (option->also == NULL)
        return memory_copy_text(group->name);
    return memory_format("%s,%s", group->name, option->also);
}

static bool in_groups(const struct modcat_option_group *group, const struct modcat_option *option,
                      const char *groups)
{
    return groups == NULL || words_list_has(groups, group->name) ||
           words_lists_meet(groups, option->also);
}

/* The registry's entry for a row, made where there is none. A name alone does not tell rows apart:
 * two groups may have it. */
static const struct registry_option *entry_of(struct registry *registry,
                                              const struct modcat_option_group *group,
                                              const struct registry_driver *driver,
                                              const struct modcat_option *option)
{
    AUTO_FREE char *groups = groups_of(group, option);
    for (const struct registry_option *known = registry->options; known != NULL;
         known = known->next)
        if (known->driver == driver && strcmp(known->option.name, option->name) == 0 &&
            strcmp(known->groups, groups) == 0)
            return known;
    struct registry_option *entry = memory_zeroed(1, sizeof *entry);
    entry->option = *option;
    entry->groups = groups;
    groups = NULL;
    entry->driver = driver;
    entry->next = registry->options;
    registry->options = entry;
    return entry;
}

/* The option of a group's table with this name, as an entry of the registry. */
static const struct registry_option *find_in_group(struct registry *registry,
                                                   const struct modcat_option_group *group,
                                                   const struct registry_driver *driver,
                                                   const char *word, const char *groups)
{
    for (size_t i = 0; i < group->option_count; i++) {
        struct modcat_option option;
        tables_option(group, i, &option);
        if (!named(option.name, option.aliases, word) || !in_groups(group, &option, groups))
            continue;
        return entry_of(registry, group, driver, &option);
    }
    return NULL;
}

static const struct registry_option *find_in_core(struct registry *registry, const char *word,
                                                  const char *groups)
{
    const struct registry_option *found = NULL;
    for (size_t i = 0; groups_core[i] != NULL && found == NULL; i++)
        found = find_in_group(registry, groups_core[i], NULL, word, groups);
    return found;
}

static const struct registry_option *find_in_driver(struct registry *registry,
                                                    const struct registry_driver *driver,
                                                    const char *word, const char *groups)
{
    const struct registry_option *found = NULL;
    for (size_t i = 0; i < driver->tables.group_count && found == NULL; i++) {
        struct modcat_option_group group;
        tables_group(&driver->tables, i, &group);
        found = find_in_group(registry, &group, driver, word, groups);
    }
    return found;
}

static bool driver_has_option(struct registry_driver *driver, const char *word, const char *groups)
{
    const struct manifest *manifest = whole_manifest(driver);
    for (size_t i = 0; i < manifest->option_count; i++) {
        const struct manifest_option *option = &manifest->options[i];
        if (named(option->name, option->aliases, word) &&
            (groups == NULL || words_lists_meet(groups, option->groups)))
            return true;
    }
    return false;
}

const struct registry_option *registry_option(struct registry *registry, const char *word,
                                              const char *groups, bool *failed)
{
    struct registry_driver *owner = NULL;
    *failed = false;
    const struct registry_option *found = find_in_core(registry, word, groups);
    if (found != NULL)
        return found;
    for (size_t i = 0; i < registry->driver_count; i++) {
        if (!driver_has_option(registry->drivers[i], word, groups))
            continue;
        if (owner != NULL) {
            report_conflict(word, owner, registry->drivers[i]);
            *failed = true;
            return NULL;
        }
        owner = registry->drivers[i];
    }
    if (owner == NULL)
        return NULL;
    *failed = load(registry, owner, 0) < 0;
    return *failed ? NULL : find_in_driver(registry, owner, word, groups);
}

/* A driver that can't be loaded is passed over. */
bool registry_is_secret_option(struct registry *registry, const char *word)
{
    const struct registry_option *found = find_in_core(registry, word, NULL);
    if (found != NULL && found->option.secret)
        return true;
    for (size_t i = 0; i < registry->driver_count; i++) {
        struct registry_driver *driver = registry->drivers[i];
        if (!driver_has_option(driver, word, NULL) || load(registry, driver, 0) < 0)
            continue;
        found = find_in_driver(registry, driver, word, NULL);
        if (found != NULL && found->option.secret)
            return true;
    }
    return false;
}

static size_t count_core_options(void)
{
    size_t count = 0;
    for (size_t i = 0; groups_core[i] != NULL; i++)
        count += groups_core[i]->option_count;
    return count;
}

/* The core's groups and options in the form of a manifest, made when help first asks for them. */
static const struct manifest *core_manifest(const struct registry *constant)
{
    struct registry *registry = (struct registry *)constant;
    struct manifest *core = &registry->core;
    if (core->options != NULL)
        return core;
    core->options = memory_zeroed(count_core_options(), sizeof *core->options);
    for (size_t i = 0; groups_core[i] != NULL; i++) {
        const struct modcat_option_group *group = groups_core[i];
        core->groups = memory_resize(core->groups, i + 1, sizeof *core->groups);
        core->groups[core->group_count++] =
            (struct manifest_group){.name = group->name, .help = group->help};
        for (size_t row = 0; row < group->option_count; row++) {
            const struct modcat_option *option = &group->options[row];
            core->options[core->option_count++] = (struct manifest_option){
                .name = option->name,
                .aliases = option->aliases,
                .groups = groups_of(group, option),
                .help = option->help,
                .preset = option->preset,
                .type = values_type_name(option->type),
                .phase = groups_phase_name(option->phase),
            };
        }
    }
    return core;
}

/* Manifest number `index`: the core's, then each driver's; NULL beyond the last. */
static const struct manifest *manifest_at(const struct registry *registry, size_t index)
{
    if (index == 0)
        return core_manifest(registry);
    return index <= registry->driver_count ? whole_manifest(registry->drivers[index - 1]) : NULL;
}

const struct manifest *registry_next_driver(const struct registry *registry, size_t *cursor,
                                            const char **path)
{
    if (*cursor >= registry->driver_count)
        return NULL;
    struct registry_driver *driver = registry->drivers[(*cursor)++];
    if (driver->object_path == NULL)
        driver->object_path = object_path(driver->manifest_path);
    *path = driver->object_path;
    return whole_manifest(driver);
}

/* Item number *cursor of all manifests' arrays of one kind laid end to end. */
#define NEXT_ITEM(registry, cursor, items, count)                                                  \
    do {                                                                                           \
        size_t index = (*(cursor))++;                                                              \
        const struct manifest *manifest;                                                           \
        for (size_t i = 0; (manifest = manifest_at((registry), i)) != NULL; i++) {                 \
            if (index < manifest->count)                                                           \
                return &manifest->items[index];                                                    \
            index -= manifest->count;                                                              \
        }                                                                                          \
        return NULL;                                                                               \
    } while (0)

const struct manifest_type *registry_next_type(const struct registry *registry, size_t *cursor)
{
    NEXT_ITEM(registry, cursor, types, type_count);
}

const struct manifest_group *registry_next_group(const struct registry *registry, size_t *cursor)
{
    NEXT_ITEM(registry, cursor, groups, group_count);
}

const struct manifest_option *registry_next_option(const struct registry *registry, size_t *cursor)
{
    NEXT_ITEM(registry, cursor, options, option_count);
}

bool registry_has_driver(const struct registry *registry, const char *name)
{
    return driver_known(registry, name);
}

bool registry_has_type(const struct registry *registry, const char *word)
{
    return find_type(registry, word) != NULL;
}

bool registry_has_layer(const struct registry *registry, const char *word)
{
    const struct manifest_type *type = find_type(registry, word);
    return type != NULL && type->is_layer;
}

bool registry_has_group(const struct registry *registry, const char *name)
{
    const struct manifest_group *group;
    for (size_t cursor = 0; (group = registry_next_group(registry, &cursor)) != NULL;)
        if (words_equal(group->name, name))
            return true;
    return false;
}

bool registry_has_option(const struct registry *registry, const char *word)
{
    const struct manifest_option *option;
    for (size_t cursor = 0; (option = registry_next_option(registry, &cursor)) != NULL;)
        if (named(option->name, option->aliases, word))
            return true;
    return false;
}

/* Considers a name and its aliases. An alias is part of a list, so that the registry keeps a copy
 * of the one that is nearest. */
static void consider_names(struct registry *registry, struct words_nearest *nearest,
                           const char *name, const char *aliases)
{
    const char *word;
    size_t length;
    words_consider(nearest, name);
    while (words_next(&aliases, &word, &length)) {
        AUTO_FREE char *alias = memory_copy_span(word, length);
        words_consider(nearest, alias);
        if (nearest->best == alias) {
            free(registry->suggestion);
            nearest->best = registry->suggestion = alias;
            alias = NULL;
        }
    }
}

const char *registry_nearest_type(struct registry *registry, const char *word)
{
    struct words_nearest nearest = {.wanted = word};
    const struct manifest_type *type;
    for (size_t cursor = 0; (type = registry_next_type(registry, &cursor)) != NULL;)
        consider_names(registry, &nearest, type->name, type->aliases);
    return nearest.best;
}

const char *registry_nearest_option(struct registry *registry, const char *word, const char *groups)
{
    struct words_nearest nearest = {.wanted = word};
    const struct manifest_option *option;
    for (size_t cursor = 0; (option = registry_next_option(registry, &cursor)) != NULL;)
        if (groups == NULL || words_lists_meet(groups, option->groups))
            consider_names(registry, &nearest, option->name, option->aliases);
    return nearest.best;
}

static size_t larger(size_t one, size_t other)
{
    return one > other ? one : other;
}

size_t registry_endpoint_size(const struct registry_driver *driver)
{
    return larger(driver->tables.endpoint_size, sizeof(struct modcat_endpoint));
}

size_t registry_listener_size(const struct registry_driver *driver)
{
    return larger(driver->tables.listener_size, sizeof(struct modcat_listener));
}

const char *registry_driver_name(const struct registry_driver *driver)
{
    return driver->name;
}
