/* Command lines: cut into words as addresses are. */

#define _GNU_SOURCE
#include "core/address/lexer.h"
#include "core/base/memory.h"
#include <modcat/process.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Words one behind the other, each with its NUL. */
struct words {
    char *text;
    size_t length;
    size_t count;
};

static const char *const faults[] = {
    [LEXER_TOO_LONG] = "a word is too long",
    [LEXER_UNTERMINATED] = "a quote is not closed",
    [LEXER_TRAILING_ESCAPE] = "nothing follows the last backslash",
    [LEXER_NUL_BYTE] = "a word can't hold a NUL byte",
};

static void add_word(struct words *words, const char *word)
{
    size_t size = strlen(word) + 1;
    words->text = memory_resize(words->text, words->length + size, 1);
    memcpy(words->text + words->length, word, size);
    words->length += size;
    words->count++;
}

/* Blanks at the beginning and at the end are none of the words; nothing at all is an empty one. */
static enum lexer_result cut(const char *command, struct words *words)
{
    for (size_t at = strspn(command, " ");; at += strspn(command + at, " ")) {
        char *word;
        if (command[at] == '\0' && words->count > 0)
            return LEXER_OK;
        enum lexer_result result = lexer_token(&lexer_command_word, command, &at, SIZE_MAX, &word);
        if (result != LEXER_OK)
            return result;
        add_word(words, word);
        free(word);
        if (command[at] == '\0')
            return LEXER_OK;
    }
}

/* The pointers first, then the texts that they point to. */
static char **in_one_block(const struct words *words)
{
    size_t head = (words->count + 1) * sizeof(char *);
    char **list = memory_alloc(head + words->length);
    char *text = (char *)list + head;
    memcpy(text, words->text, words->length);
    for (size_t i = 0; i < words->count; i++) {
        list[i] = text;
        text += strlen(text) + 1;
    }
    list[words->count] = NULL;
    return list;
}

char **modcat_command_words(const struct modcat_opening *opening, const char *command)
{
    struct words words = {0};
    enum lexer_result result = cut(command, &words);
    char **list = result == LEXER_OK ? in_one_block(&words) : NULL;
    free(words.text);
    if (list == NULL)
        modcat_fail(opening, "unexpected end of command \"%s\": %s", command, faults[result]);
    return list;
}
