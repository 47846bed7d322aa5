#define _GNU_SOURCE
#include "core/command/complete.h"

#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/command/commandline.h"
#include "core/command/help.h"
#include "core/values/groups.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A word taken apart: what stays as it is, and what the user has typed of the last part. */
struct typed {
    const char *kept;
    int kept_length;
    const char *part;
    size_t part_length;
};

/* Completing does not change what is typed: letters are as large as its first one. */
static void put_candidate(FILE *out, const struct typed *typed, const char *word, size_t length,
                          const char *tail)
{
    bool small = islower((unsigned char)typed->part[0]);
    if (length < typed->part_length || strncasecmp(word, typed->part, typed->part_length) != 0)
        return;
    fprintf(out, "%.*s", typed->kept_length, typed->kept);
    for (size_t i = 0; i < length; i++)
        fputc(small ? tolower((unsigned char)word[i]) : word[i], out);
    fprintf(out, "%s\n", tail);
}

static void put_names(FILE *out, const struct typed *typed, const char *name, const char *aliases,
                      const char *tail)
{
    const char *word;
    size_t length;
    put_candidate(out, typed, name, strlen(name), tail);
    while (words_next(&aliases, &word, &length))
        put_candidate(out, typed, word, length, tail);
}

static void put_flags(FILE *out, const struct typed *typed)
{
    const char *name;
    for (size_t cursor = 0; (name = commandline_next_option(&cursor)) != NULL;)
        put_candidate(out, typed, name, strlen(name), "");
}

/* A colon follows where there are parameters in any case. */
static void put_types(FILE *out, const struct registry *registry, const struct typed *typed)
{
    const struct manifest_type *type;
    for (size_t cursor = 0; (type = registry_next_type(registry, &cursor)) != NULL;)
        put_names(out, typed, type->name, type->aliases, type->min_params > 0 ? ":" : "");
}

static const struct manifest_type *find_type(const struct registry *registry, const char *text,
                                             size_t length)
{
    AUTO_FREE char *word = memory_copy_span(text, length);
    const struct manifest_type *type;
    for (size_t cursor = 0; (type = registry_next_type(registry, &cursor)) != NULL;)
        if (words_equal(type->name, word) || words_list_has(type->aliases, word))
            return type;
    return NULL;
}

/* What belongs to the type comes before what any descriptor, address or process has. */
static void put_options(FILE *out, const struct registry *registry,
                        const struct manifest_type *type, const struct typed *typed, bool general)
{
    AUTO_FREE char *groups =
        memory_format("%s,%s", type->groups != NULL ? type->groups : "", GROUPS_EVERYWHERE);
    const struct manifest_option *option;
    for (size_t cursor = 0; (option = registry_next_option(registry, &cursor)) != NULL;)
        if (words_lists_meet(groups, option->groups) &&
            general == words_lists_meet("FD," GROUPS_EVERYWHERE, option->groups))
            put_names(out, typed, option->name, option->aliases,
                      words_list_has("CONST,BOOL", option->type) ? "" : "=");
}

/* The values of an option that takes words. */
static void put_words(FILE *out, const struct registry *registry, const char *part,
                      const struct typed *typed)
{
    AUTO_FREE char *name = memory_copy_span(part, strcspn(part, "="));
    const struct manifest_option *option;
    for (size_t cursor = 0; (option = registry_next_option(registry, &cursor)) != NULL;) {
        const char *words = option->words, *word;
        size_t length;
        if (words_equal(option->name, name) || words_list_has(option->aliases, name))
            while (words_next(&words, &word, &length))
                put_candidate(out, typed, word, length, "");
    }
}

/* Where the address that is being typed begins: behind `!!` or `|`. */
static const char *last_address(const char *word)
{
    const char *start = word;
    for (const char *at = word; *at != '\0'; at++) {
        if (at[0] == '|')
            start = at + 1;
        if (at[0] == '!' && at[1] == '!')
            start = at + 2;
    }
    return start;
}

static void put_address(FILE *out, const struct registry *registry, const char *word)
{
    const char *start = last_address(word);
    const char *comma = strrchr(start, ',');
    const char *part = comma != NULL ? comma + 1 : start;
    const struct typed typed = {word, (int)(part - word), part, strlen(part)};
    if (comma == NULL && strchr(part, ':') == NULL) {
        put_types(out, registry, &typed);
    } else if (comma != NULL && strchr(part, '=') != NULL) {
        const char *value = strchr(part, '=') + 1;
        const struct typed word_typed = {word, (int)(value - word), value, strlen(value)};
        put_words(out, registry, part, &word_typed);
    } else if (comma != NULL) {
        const struct manifest_type *type = find_type(registry, start, strcspn(start, ":,"));
        for (int general = 0; general <= 1 && type != NULL; general++)
            put_options(out, registry, type, &typed, general != 0);
    }
}

int complete_word(FILE *out, const struct registry *registry, const char *word)
{
    const struct typed typed = {word, 0, word, strlen(word)};
    if (word[0] == '-' && word[1] != ',' && word[1] != '!')
        put_flags(out, &typed);
    else
        put_address(out, registry, word);
    return help_flush(out);
}
