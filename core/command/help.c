#define _GNU_SOURCE
#include "core/command/help.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/values/groups.h"
#include "core/values/values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 6
#define ADDRESS_COLUMN 40
#define OPTION_COLUMN 16
#define FIELD_WIDTH 24
#define TAB_WIDTH 8

/* One line of a sorted list. */
struct line {
    const char *key; /* a name, not ended where it is part of a list of aliases */
    size_t length;
    bool alias;
    const void *item; /* struct manifest_type or struct manifest_option */
};

struct lines {
    struct line *all;
    size_t count;
    size_t room;
};

static void lines_free(struct lines *lines)
{
    free(lines->all);
}
#define AUTO_LINES __attribute__((cleanup(lines_free)))

static void lines_add(struct lines *lines, struct line line)
{
    if (lines->count == lines->room) {
        lines->room = lines->room > 0 ? 2 * lines->room : 256;
        lines->all = memory_resize(lines->all, lines->room, sizeof line);
    }
    lines->all[lines->count++] = line;
}

static void lines_add_name(struct lines *lines, const char *name, const void *item)
{
    lines_add(lines, (struct line){.key = name, .length = strlen(name), .item = item});
}

static void lines_add_aliases(struct lines *lines, const char *aliases, const void *item)
{
    struct line line = {.alias = true, .item = item};
    while (words_next(&aliases, &line.key, &line.length))
        lines_add(lines, line);
}

static int compare_lines(const void *left, const void *right)
{
    const struct line *a = left, *b = right;
    int order = memcmp(a->key, b->key, a->length < b->length ? a->length : b->length);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static void lines_sort(struct lines *lines)
{
    if (lines->count > 0)
        qsort(lines->all, lines->count, sizeof lines->all[0], compare_lines);
}

/* Tabs from a column to another one, at least one. Returns the column that they lead to. */
static size_t put_tabs(FILE *out, size_t column, size_t wanted)
{
    do {
        fputc('\t', out);
        column += TAB_WIDTH - column % TAB_WIDTH;
    } while (column < wanted);
    return column;
}

/* A name, and blank space up to the column behind `column`. Returns that column. */
static size_t put_name(FILE *out, size_t column, const char *name, int length)
{
    fprintf(out, "%*s%.*s", INDENT, "", length, name);
    return put_tabs(out, INDENT + (size_t)length, column + TAB_WIDTH);
}

static void put_address_alias(FILE *out, const struct line *line)
{
    const struct manifest_type *type = line->item;
    put_name(out, ADDRESS_COLUMN, line->key, (int)line->length);
    fprintf(out, "is an alias name for %s\n", type->name);
}

static void put_address(FILE *out, const struct manifest_type *type)
{
    AUTO_FREE char *head = memory_format("%s%s", type->name, type->syntax ? type->syntax : "");
    put_name(out, ADDRESS_COLUMN, head, (int)strlen(head));
    fprintf(out, "groups=%s\n", type->groups ? type->groups : "");
}

static void put_option_alias(FILE *out, const struct line *line)
{
    const struct manifest_option *option = line->item;
    put_name(out, OPTION_COLUMN, line->key, (int)line->length);
    fprintf(out, "is an alias for %s\n", option->name);
}

/* A field and the tabs that fill it up. Returns the column behind it. */
static size_t put_field(FILE *out, size_t column, const char *label, const char *value)
{
    int length = fprintf(out, "%s=%s", label, value);
    return put_tabs(out, column + (size_t)length, column + FIELD_WIDTH);
}

static void put_option(FILE *out, const struct line *line)
{
    const struct manifest_option *option = line->item;
    size_t column = put_name(out, OPTION_COLUMN, line->key, (int)line->length);
    column = put_field(out, column, "groups", option->groups ? option->groups : "");
    put_field(out, column, "phase", option->phase);
    fprintf(out, "type=%s%s%s\n", option->type, option->words != NULL ? "\twords=" : "",
            option->words != NULL ? option->words : "");
}

static void put_addresses(FILE *out, const struct registry *registry, bool aliases)
{
    AUTO_LINES struct lines lines = {0};
    const struct manifest_type *type;
    size_t cursor = 0;
    while ((type = registry_next_type(registry, &cursor)) != NULL) {
        lines_add_name(&lines, type->name, type);
        if (aliases)
            lines_add_aliases(&lines, type->aliases, type);
    }
    lines_sort(&lines);
    for (size_t i = 0; i < lines.count; i++)
        if (lines.all[i].alias)
            put_address_alias(out, &lines.all[i]);
        else
            put_address(out, lines.all[i].item);
}

/* The shortest name of an option. */
static struct line short_line(const struct manifest_option *option)
{
    struct line best = {.key = option->name, .length = strlen(option->name), .item = option};
    const char *aliases = option->aliases, *word;
    size_t length;
    while (words_next(&aliases, &word, &length))
        if (length < best.length) {
            best.key = word;
            best.length = length;
        }
    return best;
}

static void put_options(FILE *out, const struct registry *registry, bool aliases)
{
    AUTO_LINES struct lines lines = {0};
    const struct manifest_option *option;
    size_t cursor = 0;
    while ((option = registry_next_option(registry, &cursor)) != NULL)
        if (aliases) {
            lines_add_name(&lines, option->name, option);
            lines_add_aliases(&lines, option->aliases, option);
        } else {
            lines_add(&lines, short_line(option));
        }
    lines_sort(&lines);
    for (size_t i = 0; i < lines.count; i++)
        if (lines.all[i].alias)
            put_option_alias(out, &lines.all[i]);
        else
            put_option(out, &lines.all[i]);
}

/* One screen: what is done most, and where the rest is. */
static void put_brief(FILE *out, const char *program)
{
    static const char *const examples[][2] = {
        {"- TCP:www.example.org:80", "talk to a server"},
        {"- OPENSSL:www.example.org:443", "talk to a server over TLS"},
        {"TCP-LISTEN:8080,fork TCP:localhost:80", "forward a port"},
        {"-u TCP-LISTEN:9000 CREATE:file", "receive a file"},
        {"TCP-LISTEN:7000,fork EXEC:./program", "make a server of a program"},
    };
    commandline_identify(out);
    fprintf(out, "Usage: %s [options] <address> <address>\n\n", program);
    for (size_t i = 0; i < MODCAT_COUNT(examples); i++)
        fprintf(out, "  %s %-40s %s\n", program, examples[i][0], examples[i][1]);
    fprintf(out,
            "\nAn address is TYPE:parameters,option=value,...; \"-\" is standard input/output.\n"
            "\n"
            "  -u, -U        transfer to the right only, to the left only\n"
            "  -v, -x        show the data as text, in hexadecimal\n"
            "  -d -d         log what happens; a third -d logs more\n"
            "  -t, -T <s>    time to wait at the end; end after this time without data\n"
            "\n"
            "More: %s -hh               all options, address types and address options\n"
            "      %s --describe TCP    one address type with all its options\n"
            "      %s --drivers         the drivers and the address types they offer\n"
            "      man modcat           the manual, which leads to those of the drivers\n",
            program, program, program);
}

int help_print(FILE *out, const struct registry *registry, const char *program,
               enum commandline_action action)
{
    if (action == ACTION_HELP) {
        put_brief(out, program);
        return help_flush(out);
    }
    commandline_usage(out, program);
    fputs("   bi-address: one for both directions, or one to read from and one to write to\n"
          "      <single-address>\n"
          "      <single-address>!!<single-address>\n"
          "   single-address:\n"
          "      <address-head>[,<opts>]\n"
          "   address-head:\n",
          out);
    put_addresses(out, registry, action >= ACTION_HELP3);
    if (action >= ACTION_HELP3)
        fputs("         <num>\tstands for FD:<num>\n"
              "         <filename>\tstands for GOPEN:<filename>, where there is a \"/\" in it\n",
              out);
    if (action >= ACTION_HELP2) {
        fputs("   opts:\n      <opt>{,<opts>}:\n   opt:\n", out);
        put_options(out, registry, action >= ACTION_HELP3);
    }
    return help_flush(out);
}

int help_flush(FILE *out)
{
    if (fflush(out) == 0 && !ferror(out))
        return 0;
    log_error("printing to standard output: %s", strerror(errno));
    return -1;
}
