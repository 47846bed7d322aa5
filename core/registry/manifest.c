#define _GNU_SOURCE
#include "core/registry/manifest.h"

#include "core/base/memory.h"
#include "core/registry/tables.h"
#include "core/values/groups.h"
#include "core/values/values.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many as any line has. What a newer manifest says behind them is passed over. */
#define FIELDS_MAX 10

/* One line while it is being taken apart. */
struct line {
    char *fields[FIELDS_MAX];
    size_t count;
};

/* As strsep(3), for one character. */
static char *cut(char **rest, char separator)
{
    char *start = *rest, *end = strchrnul(start, separator);
    *rest = *end == '\0' ? NULL : end + 1;
    *end = '\0';
    return start;
}

static void split(char *text, struct line *line)
{
    line->count = 0;
    while (text != NULL && line->count < FIELDS_MAX)
        line->fields[line->count++] = cut(&text, '\t');
}

/* A manifest that is older than a field does not have it. */
static const char *field(const struct line *line, size_t index)
{
    const char *text = index < line->count ? line->fields[index] : "";
    return text[0] == '\0' ? NULL : text;
}

static bool has_name(const struct line *line)
{
    return line->fields[1][0] != '\0';
}

static bool parse_count(const char *text, unsigned *count)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    *count = (unsigned)number;
    return end != text && *end == '\0' && number <= 1000;
}

static int take_abi(struct manifest *manifest, const struct line *line)
{
    char rest;
    return sscanf(line->fields[1], "%u.%u%c", &manifest->abi_major, &manifest->abi_minor, &rest) ==
                   2
               ? 0
               : -1;
}

static int take_driver(struct manifest *manifest, const struct line *line)
{
    manifest->name = line->fields[1];
    manifest->version = line->fields[2];
    manifest->summary = line->fields[3];
    return has_name(line) ? 0 : -1;
}

static int take_needs(struct manifest *manifest, const struct line *line)
{
    manifest->needs = field(line, 1);
    return 0;
}

static unsigned parse_directions(const char *text)
{
    return (strchr(text, 'r') != NULL ? MODCAT_DIR_READ : 0) |
           (strchr(text, 'w') != NULL ? MODCAT_DIR_WRITE : 0);
}

static int take_address(struct manifest *manifest, const struct line *line)
{
    struct manifest_type type = {
        .name = line->fields[1],
        .aliases = field(line, 2),
        .syntax = field(line, 3),
        .groups = field(line, 4),
        .directions = parse_directions(line->fields[5]),
        .help = field(line, 8),
        .example = field(line, 9),
    };
    if (!has_name(line) || !parse_count(line->fields[6], &type.min_params) ||
        !parse_count(line->fields[7], &type.max_params))
        return -1;
    manifest->types[manifest->type_count++] = type;
    return 0;
}

/* It comes behind the line of its address type. */
static int take_layer(struct manifest *manifest, const struct line *line)
{
    for (size_t i = 0; i < manifest->type_count; i++) {
        struct manifest_type *type = &manifest->types[i];
        if (strcmp(type->name, line->fields[1]) != 0)
            continue;
        type->is_layer = true;
        type->layer_syntax = field(line, 4);
        type->layer_groups = field(line, 5);
        return parse_count(line->fields[2], &type->layer_min_params) &&
                       parse_count(line->fields[3], &type->layer_max_params)
                   ? 0
                   : -1;
    }
    return -1;
}

static int take_group(struct manifest *manifest, const struct line *line)
{
    if (!has_name(line))
        return -1;
    manifest->groups[manifest->group_count++] =
        (struct manifest_group){.name = line->fields[1], .help = field(line, 2)};
    return 0;
}

static int take_option(struct manifest *manifest, const struct line *line)
{
    if (!has_name(line))
        return -1;
    manifest->options[manifest->option_count++] = (struct manifest_option){
        .name = line->fields[1],
        .aliases = field(line, 2),
        .groups = line->fields[3],
        .help = field(line, 6),
        .preset = field(line, 7),
        .words = field(line, 8),
        .type = line->fields[4],
        .phase = line->fields[5],
    };
    return 0;
}

static const struct line_kind {
    const char *word;
    size_t fields; /* at least */
    int (*take)(struct manifest *manifest, const struct line *line);
} line_kinds[] = {
    {"modcat-driver", 2, take_abi}, {"driver", 4, take_driver}, {"needs", 2, take_needs},
    {"address", 10, take_address},  {"layer", 4, take_layer},   {"group", 3, take_group},
    {"option", 7, take_option},
};

static int take_line(struct manifest *manifest, char *text)
{
    struct line line;
    split(text, &line);
    for (size_t i = 0; i < MODCAT_COUNT(line_kinds); i++)
        if (strcmp(line.fields[0], line_kinds[i].word) == 0)
            return line.count >= line_kinds[i].fields ? line_kinds[i].take(manifest, &line) : -1;
    return 0; /* a newer manifest may say more */
}

static size_t count_lines(const char *text)
{
    size_t lines = 1;
    while ((text = strchr(text, '\n')) != NULL) {
        lines++;
        text++;
    }
    return lines;
}

int manifest_parse(char *text, struct manifest *manifest, char *reason, size_t reason_size)
{
    size_t lines = count_lines(text);
    *manifest = (struct manifest){
        .text = text,
        .types = memory_zeroed(lines, sizeof *manifest->types),
        .groups = memory_zeroed(lines, sizeof *manifest->groups),
        .options = memory_zeroed(lines, sizeof *manifest->options),
    };
    unsigned number = 1;
    for (char *rest = text; rest != NULL; number++) {
        char *line = cut(&rest, '\n');
        if (line[0] == '\0' || take_line(manifest, line) == 0)
            continue;
        snprintf(reason, reason_size, "line %u is malformed", number);
        return -1;
    }
    if (manifest->name != NULL && manifest->abi_major != 0)
        return 0;
    snprintf(reason, reason_size, "it names no driver");
    return -1;
}

void manifest_free(struct manifest *manifest)
{
    free(manifest->types);
    free(manifest->groups);
    free(manifest->options);
    free(manifest->text);
    *manifest = (struct manifest){0};
}

static bool same(const char *left, const char *right)
{
    return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

static bool same_type(const struct manifest_type *left, const struct manifest_type *right)
{
    return same(left->name, right->name) && same(left->aliases, right->aliases) &&
           same(left->syntax, right->syntax) && same(left->groups, right->groups) &&
           same(left->help, right->help) && same(left->example, right->example) &&
           left->directions == right->directions && left->min_params == right->min_params &&
           left->max_params == right->max_params && left->is_layer == right->is_layer &&
           left->layer_min_params == right->layer_min_params &&
           left->layer_max_params == right->layer_max_params &&
           same(left->layer_syntax, right->layer_syntax) &&
           same(left->layer_groups, right->layer_groups);
}

static bool same_option(const struct manifest_option *left, const struct manifest_option *right)
{
    return same(left->name, right->name) && same(left->aliases, right->aliases) &&
           same(left->groups, right->groups) && same(left->help, right->help) &&
           same(left->preset, right->preset) && same(left->type, right->type) &&
           same(left->phase, right->phase) && same(left->words, right->words);
}

static bool same_head(const struct manifest *left, const struct manifest *right)
{
    return same(left->name, right->name) && same(left->version, right->version) &&
           same(left->summary, right->summary) && same(left->needs, right->needs) &&
           left->abi_major == right->abi_major && left->abi_minor == right->abi_minor &&
           left->type_count == right->type_count && left->group_count == right->group_count &&
           left->option_count == right->option_count;
}

/* Not by their texts: a manifest that an older or newer modcat wrote has fewer or more fields. */
bool manifest_equal(const struct manifest *left, const struct manifest *right)
{
    bool equal = same_head(left, right);
    for (size_t i = 0; equal && i < left->type_count; i++)
        equal = same_type(&left->types[i], &right->types[i]);
    for (size_t i = 0; equal && i < left->group_count; i++)
        equal = same(left->groups[i].name, right->groups[i].name) &&
                same(left->groups[i].help, right->groups[i].help);
    for (size_t i = 0; equal && i < left->option_count; i++)
        equal = same_option(&left->options[i], &right->options[i]);
    return equal;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static void describe_option(FILE *out, const struct modcat_option_group *group,
                            const struct modcat_option *option)
{
    fprintf(out, "option\t%s\t%s\t%s", option->name, or_empty(option->aliases), group->name);
    if (option->also != NULL)
        fprintf(out, ",%s", option->also);
    fprintf(out, "\t%s\t%s\t%s\t%s", values_type_name(option->type),
            groups_phase_name(option->phase), or_empty(option->help), or_empty(option->preset));
    if (option->words != NULL)
        fprintf(out, "\t%s", option->words);
    fputc('\n', out);
}

static void describe_group(FILE *out, const struct modcat_option_group *group)
{
    if (group->help != NULL)
        fprintf(out, "group\t%s\t%s\n", group->name, group->help);
    for (size_t i = 0; i < group->option_count; i++) {
        struct modcat_option option;
        tables_option(group, i, &option);
        describe_option(out, group, &option);
    }
}

static void describe_type(FILE *out, const struct modcat_address_type *type)
{
    fprintf(out, "address\t%s\t%s\t%s\t%s\t%s%s\t%u\t%u\t%s\t%s\n", type->name,
            or_empty(type->aliases), or_empty(type->syntax), or_empty(type->groups),
            (type->directions & MODCAT_DIR_READ) != 0 ? "r" : "",
            (type->directions & MODCAT_DIR_WRITE) != 0 ? "w" : "", type->min_params,
            type->max_params, or_empty(type->help), or_empty(type->example));
    if (type->wrap != NULL)
        fprintf(out, "layer\t%s\t%u\t%u\t%s\t%s\n", type->name, type->layer_min_params,
                type->layer_max_params, or_empty(type->layer_syntax), or_empty(type->layer_groups));
}

char *manifest_describe(const struct modcat_driver *driver)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        return memory_copy_text("");
    fprintf(out, "modcat-driver\t%u.%u\n", driver->abi_major, driver->abi_minor);
    fprintf(out, "driver\t%s\t%s\t%s\n", driver->name, driver->version, or_empty(driver->summary));
    if (driver->needs != NULL)
        fprintf(out, "needs\t%s\n", driver->needs);
    for (size_t i = 0; i < driver->type_count; i++) {
        struct modcat_address_type type;
        tables_type(driver, i, &type);
        describe_type(out, &type);
    }
    for (size_t i = 0; i < driver->group_count; i++) {
        struct modcat_option_group group;
        tables_group(driver, i, &group);
        describe_group(out, &group);
    }
    fclose(out);
    return text;
}
