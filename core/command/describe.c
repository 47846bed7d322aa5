#define _GNU_SOURCE
#include "core/command/describe.h"

#include "core/command/describe_json.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/command/help.h"
#include "core/command/json_writer.h"
#include "core/command/wrap.h"
#include "core/registry/guard.h"
#include "core/registry/loader.h"
#include <stdlib.h>
#include <string.h>

static void put_json_type(struct json *json, const struct manifest_type *type)
{
    json_begin_object(json, NULL);
    json_text(json, "name", type->name);
    json_words(json, "aliases", type->aliases);
    json_text(json, "syntax", type->syntax);
    json_text(json, "help", type->help);
    json_bool(json, "layer", type->is_layer);
    json_end_object(json);
}

void describe_json_option(struct json *json, const struct manifest_option *option)
{
    json_begin_object(json, NULL);
    json_text(json, "name", option->name);
    json_words(json, "aliases", option->aliases);
    json_words(json, "groups", option->groups);
    json_text(json, "type", option->type);
    json_text(json, "phase", option->phase);
    json_text(json, "default", option->preset);
    json_words(json, "words", option->words);
    json_text(json, "help", option->help);
    json_end_object(json);
}

static void put_json_offers(struct json *json, const struct manifest *manifest)
{
    json_begin_array(json, "types");
    for (size_t i = 0; i < manifest->type_count; i++)
        put_json_type(json, &manifest->types[i]);
    json_end_array(json);
    json_begin_array(json, "groups");
    for (size_t i = 0; i < manifest->group_count; i++) {
        json_begin_object(json, NULL);
        json_text(json, "name", manifest->groups[i].name);
        json_text(json, "help", manifest->groups[i].help);
        json_end_object(json);
    }
    json_end_array(json);
    json_begin_array(json, "options");
    for (size_t i = 0; i < manifest->option_count; i++)
        describe_json_option(json, &manifest->options[i]);
    json_end_array(json);
}

static void put_json_driver(struct json *json, const struct manifest *manifest, const char *path)
{
    AUTO_FREE char *abi = memory_format("%u.%u", manifest->abi_major, manifest->abi_minor);
    json_begin_object(json, NULL);
    json_text(json, "name", manifest->name);
    json_text(json, "version", manifest->version);
    json_text(json, "summary", manifest->summary);
    json_text(json, "abi", abi);
    json_text(json, "file", path);
    json_words(json, "needs", manifest->needs);
    put_json_offers(json, manifest);
    json_end_object(json);
}

static int describe_driver_in_json(FILE *out, const char *path, char *text)
{
    struct json json = {.out = out};
    struct manifest manifest;
    char reason[80];
    int result = manifest_parse(text, &manifest, reason, sizeof reason);
    if (result == 0)
        put_json_driver(&json, &manifest, path);
    else
        log_error("driver \"%s\": a text in its tables makes no manifest: %s", path, reason);
    manifest_free(&manifest);
    return result < 0 ? -1 : help_flush(out);
}

int describe_driver(FILE *out, const char *path, bool json)
{
    struct modcat_driver driver;
    /* Without a slash dlopen(3) would look for a library. */
    AUTO_FREE char *named = memory_format("%s%s", strchr(path, '/') == NULL ? "./" : "", path);
    if (loader_open(named, &driver) < 0)
        return -1;
    guard_begin(named);
    char *text = manifest_describe(&driver);
    guard_end();
    if (json)
        return describe_driver_in_json(out, path, text);
    fputs(text, out);
    free(text);
    return help_flush(out);
}

/* The widths of the table's columns. */
struct widths {
    int name, version;
};

static void widen(int *width, const char *text)
{
    int length = (int)strlen(text);
    if (length > *width)
        *width = length;
}

static struct widths measure(const struct registry *registry)
{
    struct widths widths = {(int)strlen("DRIVER"), (int)strlen("VERSION")};
    const struct manifest *manifest;
    const char *path;
    for (size_t cursor = 0; (manifest = registry_next_driver(registry, &cursor, &path)) != NULL;) {
        widen(&widths.name, manifest->name);
        widen(&widths.version, manifest->version);
    }
    return widths;
}

/* Returns the column of what follows. */
static size_t put_row(FILE *out, const struct widths *widths, const char *name, const char *version)
{
    return (size_t)fprintf(out, "%-*s  %-*s  ", widths->name, name, widths->version, version);
}

static char *add_word(char *list, const char *word)
{
    char *longer = list == NULL ? memory_copy_text(word) : memory_format("%s %s", list, word);
    free(list);
    return longer;
}

/* The address types; of a driver without any, its options. Below them, its file. */
static void put_offers(FILE *out, const struct manifest *manifest, const char *path, size_t column)
{
    char *list = NULL;
    for (size_t i = 0; i < manifest->type_count; i++)
        list = add_word(list, manifest->types[i].name);
    for (size_t i = 0; i < manifest->option_count && manifest->type_count == 0; i++)
        list = add_word(list, manifest->options[i].name);
    wrap_put(out, column, column, list != NULL ? list : "-");
    free(list);
    fprintf(out, "  %s\n", path);
}

static void put_table(FILE *out, const struct registry *registry)
{
    struct widths widths = measure(registry);
    const struct manifest *manifest;
    const char *path;
    put_row(out, &widths, "DRIVER", "VERSION");
    fputs("OFFERS\n", out);
    for (size_t cursor = 0; (manifest = registry_next_driver(registry, &cursor, &path)) != NULL;) {
        size_t column = put_row(out, &widths, manifest->name, manifest->version);
        put_offers(out, manifest, path, column);
    }
}

int describe_drivers(FILE *out, const struct registry *registry, bool json)
{
    struct json list = {.out = out};
    const struct manifest *manifest;
    const char *path;
    if (!json) {
        put_table(out, registry);
        return help_flush(out);
    }
    json_begin_array(&list, NULL);
    for (size_t cursor = 0; (manifest = registry_next_driver(registry, &cursor, &path)) != NULL;)
        put_json_driver(&list, manifest, path);
    json_end_array(&list);
    return help_flush(out);
}
