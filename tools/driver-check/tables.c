/* The tables: that words are written as users expect, and everything is explained; that options can
 * be found and take what their types say. */

#define _GNU_SOURCE
#include "tools/driver-check/check.h"

#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/registry/known.h"
#include "core/registry/tables.h"
#include "core/values/values.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Groups that drivers of modcat register. They may be named where those drivers are missing: then
 * there are no such options. */
#define GROUPS_OF_DRIVERS                                                                          \
    "DCCP,EXEC,FORK,HTTP,INTERFACE,OPENSSL,PARENT,POSIXMQ,PTY,READLINE,SCTP,SHELL,SOCKS,TCP,"      \
    "TERMIOS,UDP,UDPLITE,UNIX"

static bool is_word(const char *text, int (*wrong_case)(int))
{
    if (text == NULL || text[0] == '\0')
        return false;
    for (; *text != '\0'; text++) {
        unsigned char letter = (unsigned char)*text;
        if (wrong_case(letter) || letter <= ' ' || letter > '~' || strchr(",:=|!\"'\\", letter))
            return false;
    }
    return true;
}

static bool is_line(const char *text)
{
    return text != NULL && text[0] != '\0' && strpbrk(text, "\t\n") == NULL;
}

static const char *file_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

void check_driver_words(struct subject *subject, const void *argument)
{
    (void)argument;
    const struct modcat_driver *driver = &subject->driver;
    if (!subject_load(subject))
        return;
    AUTO_FREE char *file = memory_format("%s.so", driver->name);
    if (!is_word(driver->name, isupper))
        fault("the driver's name \"%s\" is not a word of lower case letters", driver->name);
    if (strcmp(file, file_name(subject->path)) != 0)
        fault("the driver's name is \"%s\", so that its file has to be %s", driver->name, file);
    if (!is_line(driver->version))
        fault("the driver has no version");
    if (!is_line(driver->summary))
        fault("the driver has no summary");
    if (driver->type_count == 0 && driver->group_count == 0)
        fault("the driver offers nothing");
}

static bool group_exists(const struct subject *subject, const char *name)
{
    for (size_t i = 0; i < subject->driver.group_count; i++) {
        struct modcat_option_group group;
        tables_group(&subject->driver, i, &group);
        if (words_equal(group.name, name))
            return true;
    }
    return registry_has_group(subject->registry, name) || words_list_has(GROUPS_OF_DRIVERS, name);
}

static void check_group_list(const struct subject *subject, const char *what, const char *name,
                             const char *list)
{
    const char *word;
    size_t length;
    while (words_next(&list, &word, &length)) {
        AUTO_FREE char *group = memory_copy_span(word, length);
        if (!group_exists(subject, group))
            fault("%s \"%s\": there is no option group \"%s\"", what, name, group);
    }
}

static void check_aliases(const char *what, const char *name, const char *aliases,
                          int (*wrong_case)(int))
{
    const char *word;
    size_t length;
    while (words_next(&aliases, &word, &length)) {
        AUTO_FREE char *alias = memory_copy_span(word, length);
        if (!is_word(alias, wrong_case))
            fault("%s \"%s\": the alias \"%s\" can not be typed", what, name, alias);
    }
}

static void check_type_texts(const struct modcat_address_type *type)
{
    if (!is_word(type->name, islower))
        fault("address type \"%s\": its name is not a word of upper case letters", type->name);
    check_aliases("address type", type->name, type->aliases, islower);
    if (!is_line(type->help))
        fault("address type \"%s\" has no help of one line", type->name);
    if (type->max_params > 0 && !is_line(type->syntax))
        fault("address type \"%s\" takes parameters, but has no syntax", type->name);
    if (type->max_params == 0 && type->syntax != NULL)
        fault("address type \"%s\" takes no parameters, but its syntax shows some", type->name);
    if (type->wrap != NULL && type->layer_max_params > 0 && !is_line(type->layer_syntax))
        fault("address type \"%s\" takes parameters as a layer, but has no layer_syntax",
              type->name);
}

static void check_type(const struct subject *subject, const struct modcat_address_type *type)
{
    check_type_texts(type);
    if (type->min_params > type->max_params)
        fault("address type \"%s\" takes at least %u and at most %u parameters", type->name,
              type->min_params, type->max_params);
    if ((type->directions & (MODCAT_DIR_READ | MODCAT_DIR_WRITE)) == 0)
        fault("address type \"%s\" neither reads nor writes", type->name);
    if (type->groups == NULL && type->layer_groups == NULL)
        fault("address type \"%s\" accepts no option group: FD at least", type->name);
    check_group_list(subject, "address type", type->name, type->groups);
    check_group_list(subject, "address type", type->name, type->layer_groups);
}

/* A word leads to the type that has it, and to no other. */
static void check_type_word(struct subject *subject, const char *name, const char *word)
{
    bool failed = false;
    const struct registry_type *found = registry_type(subject->registry, word, &failed);
    if (failed)
        fault("address type \"%s\" can not be found by \"%s\"", name, word);
    else if (found == NULL || strcmp(found->type.name, name) != 0)
        fault("the word \"%s\" does not lead to address type \"%s\"", word, name);
}

void check_types(struct subject *subject, const void *argument)
{
    (void)argument;
    if (!subject_load(subject))
        return;
    for (size_t i = 0; i < subject->driver.type_count; i++) {
        struct modcat_address_type type;
        tables_type(&subject->driver, i, &type);
        check_type(subject, &type);
        check_type_word(subject, type.name, type.name);
        const char *aliases = type.aliases, *word;
        size_t length;
        while (words_next(&aliases, &word, &length)) {
            AUTO_FREE char *alias = memory_copy_span(word, length);
            check_type_word(subject, type.name, alias);
        }
    }
}

/* A value that each type of option takes, and one that it refuses; "-" stands for none at all. */
#define NONE "-"
static const struct sample {
    const char *good, *bad;
} samples[MODCAT_VALUE_TYPES] = {
    [MODCAT_CONST] = {NONE, "1"},
    [MODCAT_BOOL] = {"yes", "maybe"},
    [MODCAT_BYTE] = {"255", "256"},
    [MODCAT_INT] = {"-1", "1x"},
    [MODCAT_INT_OR_NONE] = {"", "1x"},
    [MODCAT_UINT] = {"4294967295", "-1"},
    [MODCAT_USHORT] = {"65535", "65536"},
    [MODCAT_LONG] = {"-1", "1x"},
    [MODCAT_SIZE] = {"1", "-1"},
    [MODCAT_OFFSET] = {"-1", "1x"},
    [MODCAT_MODE] = {"0644", "9"},
    [MODCAT_UID] = {"0", "no such user"},
    [MODCAT_GID] = {"0", "no such group"},
    [MODCAT_STRING] = {"x", NONE},
    [MODCAT_STRING_OR_NONE] = {NONE, NULL},
    [MODCAT_TIMEVAL] = {"0.5", "soon"},
    [MODCAT_TIMESPEC] = {"0.5", "soon"},
    [MODCAT_LINGER] = {"1", "-1"},
    [MODCAT_DATA] = {"x00", "q"},
    [MODCAT_INT_INT] = {"1:2", "1"},
    [MODCAT_INT_INTP] = {"1:2", "1"},
    [MODCAT_INT_DATA] = {"1:x00", "x00"},
    [MODCAT_INT_STRING] = {"1:x", "x"},
    [MODCAT_INT_INT_INT] = {"1:2:3", "1:2"},
    [MODCAT_INT_INT_DATA] = {"1:2:x00", "1:x00"},
    [MODCAT_INT_INT_STRING] = {"1:2:x", "1:x"},
    [MODCAT_IP4_HOST] = {"127.0.0.1", NONE},
    [MODCAT_IP4_SOCKET] = {"127.0.0.1:53", NONE},
    [MODCAT_MEMBERSHIP] = {"224.0.0.1:lo", "224.0.0.1"},
    [MODCAT_SOURCE_MEMBERSHIP] = {"232.0.0.1:lo:127.0.0.1", "232.0.0.1"},
    [MODCAT_INT_SIZE] = {"1k", "1x"},
    [MODCAT_INT_BOOL] = {"yes", "maybe"},
    [MODCAT_CHOICE] = {NULL, "no such word"},
};

static bool takes(const struct modcat_option *option, const char *text)
{
    struct modcat_value value;
    void *storage;
    char reason[300];
    int result = values_parse(option->type, option->words, option->name,
                              strcmp(text, NONE) == 0 ? NULL : text, &value, &storage, reason,
                              sizeof reason);
    free(storage);
    return result == 0;
}

static void check_good(const struct modcat_option *option, const char *good)
{
    if (!takes(option, good))
        fault("option \"%s\" does not take \"%s\"", option->name, good);
}

/* A choice has good values of its own. */
static void check_values(const struct modcat_option *option)
{
    const struct sample *sample = &samples[option->type];
    const char *words = option->words, *word;
    size_t length;
    if (sample->good != NULL)
        check_good(option, sample->good);
    while (sample->good == NULL && words_next(&words, &word, &length)) {
        AUTO_FREE char *good = memory_copy_span(word, length);
        check_good(option, good);
    }
    if (sample->bad != NULL && takes(option, sample->bad))
        fault("option \"%s\" takes \"%s\"", option->name, sample->bad);
}

/* What an option needs may be an option of another driver, whose types take this one's group. */
static void check_needed(struct subject *subject, const struct modcat_option *option)
{
    const char *cursor = option->needs, *word;
    size_t length;
    while (words_next(&cursor, &word, &length)) {
        bool failed = false;
        AUTO_FREE char *needed = memory_copy_span(word, length);
        if (registry_option(subject->registry, needed, NULL, &failed) == NULL)
            fault("option \"%s\" needs \"%s\", which is not an option", option->name, needed);
    }
}

/* Another option of the group may have the word already. */
static void check_option_word(struct subject *subject, const struct modcat_option_group *group,
                              const struct modcat_option *option, const char *word)
{
    bool failed = false;
    const struct registry_option *found =
        registry_option(subject->registry, word, group->name, &failed);
    if (failed || found == NULL)
        fault("option \"%s\" of group %s can not be found by \"%s\"", option->name, group->name,
              word);
    else if (strcmp(found->option.name, option->name) != 0 ||
             strcmp(found->option.help ? found->option.help : "",
                    option->help ? option->help : "") != 0)
        fault("option \"%s\" of group %s is hidden: \"%s\" leads to \"%s\"", option->name,
              group->name, word, found->option.name);
}

static void check_option(struct subject *subject, const struct modcat_option_group *group,
                         const struct modcat_option *option)
{
    const char *aliases = option->aliases, *word;
    size_t length;
    if (!is_word(option->name, isupper))
        fault("option \"%s\": its name is not a word of lower case letters", option->name);
    if (!is_line(option->help))
        fault("option \"%s\" has no help of one line", option->name);
    check_aliases("option", option->name, option->aliases, isupper);
    check_group_list(subject, "option", option->name, option->also);
    check_values(option);
    check_needed(subject, option);
    check_option_word(subject, group, option, option->name);
    while (words_next(&aliases, &word, &length)) {
        AUTO_FREE char *alias = memory_copy_span(word, length);
        check_option_word(subject, group, option, alias);
    }
}

void check_options(struct subject *subject, const void *argument)
{
    (void)argument;
    if (!subject_load(subject))
        return;
    for (size_t i = 0; i < subject->driver.group_count; i++) {
        struct modcat_option_group group;
        tables_group(&subject->driver, i, &group);
        if (!is_word(group.name, islower))
            fault("option group \"%s\": its name is not a word of upper case letters", group.name);
        if (group.help == NULL && !registry_has_group(subject->registry, group.name))
            fault("option group \"%s\" has no help, and nobody else registers it", group.name);
        for (size_t row = 0; row < group.option_count; row++) {
            struct modcat_option option;
            tables_option(&group, row, &option);
            check_option(subject, &group, &option);
        }
    }
}
