#define _GNU_SOURCE
#include "core/address/mask.h"

#include "core/address/lexer.h"
#include "core/base/memory.h"
#include "core/registry/registry.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

static bool is_secret(struct registry *registry, const char *name, size_t length)
{
    AUTO_FREE char *word = memory_copy_span(name, length);
    return registry_is_secret_option(registry, word);
}

/* Where the value ends; with unmatched quotes that can not be known. */
static size_t end_of_value(const char *text, size_t start)
{
    char *value = NULL;
    size_t end = start;
    if (lexer_token(&lexer_option_value, text, &end, SIZE_MAX, &value) != LEXER_OK)
        return strlen(text);
    free(value);
    return end;
}

char *mask_secrets(struct registry *registry, const char *text)
{
    char *masked = memory_copy_text(text);
    for (const char *comma = text; (comma = strchr(comma, ',')) != NULL; comma++) {
        const char *name = comma + 1 + strspn(comma + 1, " ");
        size_t length = strspn(name, NAME_CHARACTERS);
        if (length == 0 || name[length] != '=' || !is_secret(registry, name, length))
            continue;
        size_t start = (size_t)(name - text) + length + 1;
        memset(masked + start, '*', end_of_value(text, start) - start);
    }
    return masked;
}
