#define _GNU_SOURCE
#include "core/registry/loader.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/registry/guard.h"
#include "core/registry/object.h"
#include "core/registry/tables.h"
#include "core/registry/walk.h"
#include "core/values/groups.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The members up to the named one are in every driver there ever was. */
#define SIZE_UP_TO(type, member)                                                                   \
    (offsetof(struct type, member) + sizeof(((struct type *)0)->member))
#define DRIVER_SIZE_MIN SIZE_UP_TO(modcat_driver, group_count)
#define TYPE_SIZE_MIN SIZE_UP_TO(modcat_address_type, listen)
#define GROUP_SIZE_MIN SIZE_UP_TO(modcat_option_group, option_count)
#define OPTION_SIZE_MIN SIZE_UP_TO(modcat_option, apply)
#define SIZE_MAX_CREDIBLE 4096

#define WRONG_SIZES "invalid structure size (built for another ABI?)"

static int refuse(const char *path, const char *reason)
{
    log_error("driver \"%s\" cannot be loaded: %s", path, reason);
    return -1;
}

/* Names both versions of the driver ABI. */
static int refuse_abi(const char *path, unsigned major, unsigned minor)
{
    char reason[160];
    snprintf(reason, sizeof reason, "it was made for driver ABI %u.%u, and this modcat has %d.%d",
             major, minor, MODCAT_ABI_MAJOR, MODCAT_ABI_MINOR);
    return refuse(path, reason);
}

static int check_object(const char *path, const struct object *object)
{
    unsigned major, minor;
    if (!object_is_complete(object))
        return refuse(path, "it is cut short");
    if (object_abi(object, &major, &minor) && major != MODCAT_ABI_MAJOR)
        return refuse_abi(path, major, minor);
    return 0;
}

/* A driver for another ABI is refused before any of its code runs. */
static int check_content(const char *path, int fd)
{
    struct object object;
    struct stat status;
    if (fstat(fd, &status) < 0)
        return refuse(path, strerror(errno));
    if (status.st_size == 0)
        return refuse(path, "it is cut short: it is empty");
    if (!object_map(fd, (size_t)status.st_size, &object))
        return refuse(path, strerror(errno));
    int result = check_object(path, &object);
    object_unmap(&object);
    return result;
}

static bool credible(size_t size, size_t least)
{
    return size >= least && size <= SIZE_MAX_CREDIBLE;
}

static bool is_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static bool has_small_letters(const char *text)
{
    return text != NULL && strpbrk(text, "abcdefghijklmnopqrstuvwxyz") != NULL;
}

static const char *find_fault_in_types(const struct modcat_driver *driver)
{
    if (driver->type_count > 0 && driver->types == NULL)
        return "its table of address types is missing";
    if (driver->type_count > 0 && !credible(driver->type_size, TYPE_SIZE_MIN))
        return WRONG_SIZES;
    for (size_t i = 0; i < driver->type_count; i++) {
        struct modcat_address_type type;
        tables_type(driver, i, &type);
        if (is_empty(type.name))
            return "an address type has no name";
        if (has_small_letters(type.name) || has_small_letters(type.aliases))
            return "the name of an address type is not in capitals";
        if (type.open != NULL && type.listen != NULL)
            return "an address type has both open and listen";
        if (type.open == NULL && type.listen == NULL && type.wrap == NULL)
            return "an address type cannot be opened";
    }
    return NULL;
}

static const char *find_fault_in_options(const struct modcat_option_group *group)
{
    if (group->option_count > 0 && group->options == NULL)
        return "a group's table of options is missing";
    if (group->option_count > 0 && !credible(group->option_size, OPTION_SIZE_MIN))
        return WRONG_SIZES;
    for (size_t i = 0; i < group->option_count; i++) {
        struct modcat_option option;
        tables_option(group, i, &option);
        if (is_empty(option.name))
            return "an option has no name";
        if ((unsigned)option.effect > MODCAT_CALL)
            return "an option has an effect that is not known here";
        if (option.phase == 0)
            return "an option takes effect in no phase";
        if ((unsigned)option.type >= MODCAT_VALUE_TYPES || groups_phase_name(option.phase) == NULL)
            return "an option has a type or a phase that is not known here";
        if (option.type == MODCAT_CHOICE && is_empty(option.words))
            return "an option is a choice without words";
        if (option.effect == MODCAT_CALL && option.apply == NULL)
            return "an option calls no function";
    }
    return NULL;
}

static const char *find_fault_in_groups(const struct modcat_driver *driver)
{
    const char *fault = NULL;
    if (driver->group_count > 0 && driver->groups == NULL)
        return "its table of option groups is missing";
    if (driver->group_count > 0 && !credible(driver->group_size, GROUP_SIZE_MIN))
        return WRONG_SIZES;
    for (size_t i = 0; i < driver->group_count && fault == NULL; i++) {
        struct modcat_option_group group;
        tables_group(driver, i, &group);
        fault =
            is_empty(group.name) ? "an option group has no name" : find_fault_in_options(&group);
    }
    return fault;
}

/* Goes on to the next option that the groups hold. Returns false behind the last one. */
static bool next_option_of(const struct modcat_driver *driver, const char *groups,
                           size_t *group_index, size_t *row, struct modcat_option *option)
{
    for (; *group_index < driver->group_count; (*group_index)++, *row = 0) {
        struct modcat_option_group group;
        tables_group(driver, *group_index, &group);
        while (*row < group.option_count) {
            tables_option(&group, (*row)++, option);
            if (words_list_has(groups, group.name) || words_lists_meet(groups, option->also))
                return true;
        }
    }
    return false;
}

/* A word that leads to both options, or NULL. */
static const char *shared_word(const struct modcat_option *one, const struct modcat_option *other)
{
    if (words_equal(one->name, other->name) || words_list_has(other->aliases, one->name))
        return one->name;
    if (words_list_has(one->aliases, other->name))
        return other->name;
    return words_lists_meet(one->aliases, other->aliases) ? one->aliases : NULL;
}

/* What is wrong where one of its types takes two of the driver's options of one name, to be freed;
 * or NULL. */
static char *find_twice(const struct modcat_driver *driver, const struct modcat_address_type *type,
                        const char *groups)
{
    struct modcat_option one, other;
    size_t group = 0, row = 0;
    while (next_option_of(driver, groups, &group, &row, &one)) {
        size_t other_group = group, other_row = row;
        while (next_option_of(driver, groups, &other_group, &other_row, &other)) {
            const char *word = shared_word(&one, &other);
            if (word != NULL)
                return memory_format("address type %s has two options \"%s\"", type->name, word);
        }
    }
    return NULL;
}

static char *find_option_twice(const struct modcat_driver *driver)
{
    char *fault = NULL;
    for (size_t i = 0; i < driver->type_count && fault == NULL; i++) {
        struct modcat_address_type type;
        tables_type(driver, i, &type);
        fault = find_twice(driver, &type, type.groups);
        if (fault == NULL && type.layer_groups != NULL)
            fault = find_twice(driver, &type, type.layer_groups);
    }
    return fault;
}

/* A member that came later than the first ABI is zero in an older driver; these never may be. */
static const char *find_fault(const struct modcat_driver *driver)
{
    if (is_empty(driver->name))
        return "it has no name";
    if (driver->version == NULL)
        return "it has no version";
    if (!credible(driver->endpoint_size, sizeof(size_t)) ||
        !credible(driver->listener_size, sizeof(size_t)))
        return WRONG_SIZES;
    const char *fault = find_fault_in_types(driver);
    return fault != NULL ? fault : find_fault_in_groups(driver);
}

static int check_abi(const char *path, const struct modcat_driver *found)
{
    if (found->abi_major != MODCAT_ABI_MAJOR)
        return refuse_abi(path, found->abi_major, found->abi_minor);
    return found->size >= DRIVER_SIZE_MIN ? 0 : refuse(path, WRONG_SIZES);
}

/* What dlopen(3) says names the symbol or library that is missing. A driver that is newer than this
 * program may need a service that is not in it. */
static int refuse_object(const char *path, int fd, const char *reason)
{
    unsigned major = 0, minor = 0;
    struct stat status;
    struct object object;
    if (fstat(fd, &status) < 0 || !object_map(fd, (size_t)status.st_size, &object))
        return refuse(path, reason);
    bool known = object_abi(&object, &major, &minor);
    object_unmap(&object);
    if (!known || minor <= MODCAT_ABI_MINOR)
        return refuse(path, reason);
    AUTO_FREE char *longer =
        memory_format("%s; it was made for driver ABI %u.%u, and this modcat has %d.%d", reason,
                      major, minor, MODCAT_ABI_MAJOR, MODCAT_ABI_MINOR);
    return refuse(path, longer);
}

static int take_tables(const char *path, void *object, struct modcat_driver *driver)
{
    const struct modcat_driver *found = dlsym(object, LOADER_SYMBOL);
    if (found == NULL)
        return refuse(path, "not a modcat driver: missing symbol " LOADER_SYMBOL);
    if (check_abi(path, found) < 0)
        return -1;
    tables_copy(driver, sizeof *driver, found, found->size);
    const char *fault = find_fault(driver);
    if (fault != NULL)
        return refuse(path, fault);
    AUTO_FREE char *twice = find_option_twice(driver);
    return twice == NULL ? 0 : refuse(path, twice);
}

static int open_object(const char *path, const struct walk *file, struct modcat_driver *driver)
{
    char *reason = NULL;
    void *object = object_load(file->fd, path, file->path, &reason);
    int result =
        object != NULL ? take_tables(path, object, driver) : refuse_object(path, file->fd, reason);
    free(reason);
    return result;
}

int loader_open(const char *path, struct modcat_driver *driver)
{
    struct walk file;
    walk_file(path, &file);
    int result = file.fd < 0 ? refuse(path, file.fault) : check_content(path, file.fd);
    if (result == 0) {
        guard_begin(path);
        result = open_object(path, &file, driver);
        guard_end();
    }
    walk_end(&file);
    return result;
}
