/* --describe: all about one address type, from the manifests. */

#define _GNU_SOURCE
#include "core/command/describe.h"
#include "core/command/describe_json.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/command/help.h"
#include "core/command/json_writer.h"
#include "core/command/wrap.h"
#include "core/registry/known.h"
#include "core/values/groups.h"
#include <stdlib.h>
#include <string.h>

/* A type with what belongs to it. */
struct subject {
    const struct registry *registry;
    const struct manifest_type *type;
    const struct manifest *driver;
    const char *path;
    const char *groups; /* its own, and those of every address */
};

static bool find_type(struct subject *subject, const char *word)
{
    for (size_t cursor = 0; (subject->driver = registry_next_driver(subject->registry, &cursor,
                                                                    &subject->path)) != NULL;)
        for (size_t i = 0; i < subject->driver->type_count; i++) {
            subject->type = &subject->driver->types[i];
            if (words_equal(subject->type->name, word) ||
                words_list_has(subject->type->aliases, word))
                return true;
        }
    return false;
}

static int report_unknown(struct registry *registry, const char *word)
{
    const struct known_driver *known = known_by_type(word);
    const char *nearest = registry_nearest_type(registry, word);
    AUTO_FREE char *absence = known != NULL ? known_absence(known) : NULL;
    if (known != NULL)
        log_error("unknown address type \"%s\": %s", word, absence);
    else if (nearest != NULL)
        log_error("unknown address type \"%.100s\"; did you mean \"%s\"?", word, nearest);
    else
        log_error("unknown address type \"%.100s\"", word);
    return -1;
}

static const struct manifest_group *find_group(const struct registry *registry, const char *name)
{
    const struct manifest_group *group;
    for (size_t cursor = 0; (group = registry_next_group(registry, &cursor)) != NULL;)
        if (words_equal(group->name, name))
            return group;
    return NULL;
}

static const char *directions_name(unsigned directions)
{
    static const char *const names[] = {"none", "reading", "writing", "reading and writing"};
    return names[directions & (MODCAT_DIR_READ | MODCAT_DIR_WRITE)];
}

static char *params_range(unsigned least, unsigned most)
{
    return least == most ? memory_format("%u", least) : memory_format("%u to %u", least, most);
}

#define LABEL_COLUMNS 13

static void put_row(FILE *out, const char *label, const char *value)
{
    if (value != NULL)
        wrap_put(out, (size_t)fprintf(out, "%-13s", label), LABEL_COLUMNS, value);
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "";
}

static void put_head(FILE *out, const struct subject *subject)
{
    const struct manifest_type *type = subject->type;
    AUTO_FREE char *params = params_range(type->min_params, type->max_params);
    fprintf(out, "%s%s\n    %s\n\n", type->name, or_none(type->syntax), or_none(type->help));
    put_row(out, "Aliases:", type->aliases);
    put_row(out, "Parameters:", params);
    if (type->is_layer) {
        AUTO_FREE char *layer = params_range(type->layer_min_params, type->layer_max_params);
        fprintf(out, "%-13s%s%s|<address> (parameters: %s)\n", "As a layer:", type->name,
                or_none(type->layer_syntax), layer);
    }
    put_row(out, "Used for:", directions_name(type->directions));
    fprintf(out, "%-13s%s %s, %s\n", "Driver:", subject->driver->name, subject->driver->version,
            subject->path);
    put_row(out, "Groups:", subject->groups);
    put_row(out, "Example:", type->example);
}

/* Options of several groups are shown with the first that the type has. */
static bool belongs_first_to(const struct subject *subject, const struct manifest_option *option,
                             const char *group, size_t length)
{
    const char *cursor = subject->groups, *word;
    size_t word_length;
    while (words_next(&cursor, &word, &word_length)) {
        AUTO_FREE char *name = memory_copy_span(word, word_length);
        if (words_list_has(option->groups, name))
            return word_length == length && strncmp(word, group, length) == 0;
    }
    return false;
}

#define MEANING_COLUMN 45

static void put_option(FILE *out, const struct manifest_option *option)
{
    AUTO_FREE char *meaning = memory_format(
        "%s%s%s%s%s%s", or_none(option->help), option->words != NULL ? ": " : "",
        option->words != NULL ? option->words : "", option->aliases != NULL ? " (also " : "",
        option->aliases != NULL ? option->aliases : "", option->aliases != NULL ? ")" : "");
    int column = fprintf(out, "    %-18s %-15s %-5s ", option->name, option->type,
                         option->preset != NULL ? option->preset : "-");
    wrap_put(out, (size_t)column, MEANING_COLUMN, meaning);
}

static void put_group(FILE *out, const struct subject *subject, const char *word, size_t length)
{
    AUTO_FREE char *name = memory_copy_span(word, length);
    const struct manifest_group *group = find_group(subject->registry, name);
    const struct manifest_option *option;
    bool any = false;
    for (size_t cursor = 0; (option = registry_next_option(subject->registry, &cursor)) != NULL;) {
        if (!belongs_first_to(subject, option, word, length))
            continue;
        if (!any)
            fprintf(out, "\n%s: %s\n", name, group != NULL ? or_none(group->help) : "");
        any = true;
        put_option(out, option);
    }
}

static bool has_group(const struct manifest *driver, const char *name)
{
    for (size_t i = 0; i < driver->group_count; i++)
        if (words_equal(driver->groups[i].name, name))
            return true;
    return false;
}

/* The groups of its own driver come first, that of all descriptors last. */
static int group_rank(const struct subject *subject, const char *name)
{
    return has_group(subject->driver, name) ? 0 : words_equal(name, "FD") ? 2 : 1;
}

/* Returns the groups in the order in which they are shown, to be freed. */
static char *groups_in_order(const struct subject *subject)
{
    char *list = memory_copy_text("");
    for (int rank = 0; rank <= 2; rank++) {
        const char *cursor = subject->groups, *word;
        size_t length;
        while (words_next(&cursor, &word, &length)) {
            AUTO_FREE char *name = memory_copy_span(word, length);
            if (group_rank(subject, name) != rank)
                continue;
            char *longer = memory_format("%s%s%s", list, *list != '\0' ? "," : "", name);
            free(list);
            list = longer;
        }
    }
    return list;
}

static void put_text(FILE *out, const struct subject *given)
{
    AUTO_FREE char *groups = groups_in_order(given);
    const struct subject shown = {given->registry, given->type, given->driver, given->path, groups};
    const struct subject *subject = &shown;
    const char *cursor = groups, *word;
    size_t length;
    put_head(out, subject);
    fprintf(out, "\nOptions, with type, default (-: the system's or none) and meaning:\n");
    while (words_next(&cursor, &word, &length))
        put_group(out, subject, word, length);
}

static void put_json_layer(struct json *json, const struct manifest_type *type)
{
    json_begin_object(json, "layer");
    json_text(json, "syntax", type->layer_syntax);
    json_number(json, "min_params", type->layer_min_params);
    json_number(json, "max_params", type->layer_max_params);
    json_words(json, "groups", type->layer_groups != NULL ? type->layer_groups : type->groups);
    json_end_object(json);
}

static void put_json_head(struct json *json, const struct subject *subject)
{
    const struct manifest_type *type = subject->type;
    json_text(json, "name", type->name);
    json_words(json, "aliases", type->aliases);
    json_text(json, "syntax", type->syntax);
    json_text(json, "help", type->help);
    json_text(json, "example", type->example);
    json_number(json, "min_params", type->min_params);
    json_number(json, "max_params", type->max_params);
    json_bool(json, "reads", (type->directions & MODCAT_DIR_READ) != 0);
    json_bool(json, "writes", (type->directions & MODCAT_DIR_WRITE) != 0);
    if (type->is_layer)
        put_json_layer(json, type);
    json_text(json, "driver", subject->driver->name);
    json_text(json, "version", subject->driver->version);
    json_text(json, "file", subject->path);
    json_words(json, "groups", subject->groups);
}

static void put_json(FILE *out, const struct subject *subject)
{
    struct json json = {.out = out};
    const struct manifest_option *option;
    json_begin_object(&json, NULL);
    put_json_head(&json, subject);
    json_begin_array(&json, "options");
    for (size_t cursor = 0; (option = registry_next_option(subject->registry, &cursor)) != NULL;)
        if (words_lists_meet(subject->groups, option->groups))
            describe_json_option(&json, option);
    json_end_array(&json);
    json_end_object(&json);
}

/* An address will do, too, as shells complete it: its type counts. */
int describe_type(FILE *out, struct registry *registry, const char *word, bool json)
{
    struct subject subject = {.registry = registry};
    AUTO_FREE char *name = memory_copy_span(word, strcspn(word, ":,"));
    if (!find_type(&subject, name))
        return report_unknown(registry, name);
    AUTO_FREE char *groups =
        memory_format("%s%s%s", or_none(subject.type->groups),
                      subject.type->groups != NULL ? "," : "", GROUPS_EVERYWHERE);
    subject.groups = groups;
    if (json)
        put_json(out, &subject);
    else
        put_text(out, &subject);
    return help_flush(out);
}
