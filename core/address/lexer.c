#define _GNU_SOURCE
#include "core/address/lexer.h"

#include "core/base/memory.h"
#include <stdlib.h>
#include <string.h>

static const char *const parameter_ends[] = {"!!", ",", ":", NULL};
static const char *const option_name_ends[] = {"!!", ",", "=", NULL};
static const char *const option_value_ends[] = {"!!", ",", NULL};
static const char *const layer_parameter_ends[] = {"!!", ",", ":", "|", NULL};
static const char *const layer_option_name_ends[] = {"!!", ",", "=", "|", NULL};
static const char *const layer_option_value_ends[] = {"!!", ",", "|", NULL};
static const char *const command_word_ends[] = {" ", NULL};
static const char *const host_part_ends[] = {":", NULL};

const struct lexer_rules lexer_parameter = {parameter_ends, true, "()[]{}"};
const struct lexer_rules lexer_option_name = {option_name_ends, true, "()[]{}"};
const struct lexer_rules lexer_option_value = {option_value_ends, true, "()[]{}"};
const struct lexer_rules lexer_layer_parameter = {layer_parameter_ends, true, "()[]{}"};
const struct lexer_rules lexer_layer_option_name = {layer_option_name_ends, true, "()[]{}"};
const struct lexer_rules lexer_layer_option_value = {layer_option_value_ends, true, "()[]{}"};
const struct lexer_rules lexer_command_word = {command_word_ends, true, "()[]{}"};
const struct lexer_rules lexer_host_part = {host_part_ends, false, "[]"};

/* What stands for a control character behind a backslash; any other character stands for itself. */
static const struct {
    char letter;
    char meaning;
} escapes[] = {
    {'0', '\0'}, {'a', '\a'}, {'b', '\b'}, {'f', '\f'},
    {'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'v', '\v'},
};

/* A text that grows. */
struct chars {
    char *bytes;
    size_t length;
    size_t capacity;
};

static void chars_add(struct chars *chars, char byte)
{
    if (chars->length == chars->capacity) {
        chars->capacity = chars->capacity > 0 ? 2 * chars->capacity : 32;
        chars->bytes = memory_resize(chars->bytes, chars->capacity, 1);
    }
    chars->bytes[chars->length++] = byte;
}

/* A token in the making. */
struct scan {
    const struct lexer_rules *rules;
    const char *text;
    size_t at;
    size_t limit;
    size_t outermost;     /* where the outermost open quote or bracket stands */
    struct chars token;   /* unquoted so far */
    struct chars closers; /* what closes the open quotes and brackets, innermost last */
};

static bool is_quote(const struct scan *scan, char byte)
{
    return scan->rules->quotes && (byte == '\'' || byte == '"');
}

/* The innermost closer that is waited for, or NUL. */
static char closer(const struct scan *scan)
{
    return scan->closers.length > 0 ? scan->closers.bytes[scan->closers.length - 1] : '\0';
}

static bool at_end(const struct scan *scan)
{
    const char *here = scan->text + scan->at;
    if (*here == '\0')
        return true;
    if (scan->closers.length > 0)
        return false;
    for (const char *const *end = scan->rules->ends; *end != NULL; end++)
        if (strncmp(here, *end, strlen(*end)) == 0)
            return true;
    return false;
}

static enum lexer_result keep(struct scan *scan, char byte)
{
    if (scan->token.length == scan->limit)
        return LEXER_TOO_LONG;
    chars_add(&scan->token, byte);
    return LEXER_OK;
}

static char escape_meaning(char letter)
{
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
        if (escapes[i].letter == letter)
            return escapes[i].meaning;
    return letter;
}

static enum lexer_result take_escape(struct scan *scan)
{
    char letter = scan->text[scan->at + 1];
    if (letter == '\0')
        return LEXER_TRAILING_ESCAPE;
    char meaning = escape_meaning(letter);
    if (meaning == '\0')
        return LEXER_NUL_BYTE;
    enum lexer_result result = keep(scan, meaning);
    if (result == LEXER_OK)
        scan->at += 2;
    return result;
}

/* What closes a quote or bracket that opens here, or NUL. Within '' nothing opens. */
static char closer_of(const struct scan *scan, char byte)
{
    if (scan->rules->quotes && closer(scan) == '\'')
        return '\0';
    if (is_quote(scan, byte))
        return byte;
    for (const char *pair = scan->rules->nesting; *pair != '\0'; pair += 2)
        if (*pair == byte)
            return pair[1];
    return '\0';
}

/* Opens or closes what this character opens or closes, if anything. */
static void follow_nesting(struct scan *scan, char byte)
{
    if (scan->closers.length > 0 && byte == closer(scan)) {
        scan->closers.length--;
        return;
    }
    char closing = closer_of(scan, byte);
    if (closing == '\0')
        return;
    if (scan->closers.length == 0)
        scan->outermost = scan->at;
    chars_add(&scan->closers, closing);
}

/* Takes a character that is no escape. Only the outermost quotes are dropped. */
static enum lexer_result take_byte(struct scan *scan)
{
    char byte = scan->text[scan->at];
    bool outside = scan->closers.length == 0;
    follow_nesting(scan, byte);
    outside = outside || scan->closers.length == 0;
    enum lexer_result result = outside && is_quote(scan, byte) ? LEXER_OK : keep(scan, byte);
    if (result == LEXER_OK)
        scan->at++;
    return result;
}

/* A bracket that nothing closes protects to the end of the text, with all that is open inside. */
static bool ends_in_quote(const struct scan *scan)
{
    return scan->closers.length > 0 && is_quote(scan, scan->closers.bytes[0]);
}

static enum lexer_result scan_token(struct scan *scan)
{
    enum lexer_result result = LEXER_OK;
    while (result == LEXER_OK && !at_end(scan)) {
        bool escape = scan->rules->quotes && scan->text[scan->at] == '\\';
        result = escape ? take_escape(scan) : take_byte(scan);
    }
    return result == LEXER_OK && ends_in_quote(scan) ? LEXER_UNTERMINATED : result;
}

enum lexer_result lexer_token(const struct lexer_rules *rules, const char *text, size_t *position,
                              size_t limit, char **token)
{
    struct scan scan = {.rules = rules, .text = text, .at = *position, .limit = limit};
    enum lexer_result result = scan_token(&scan);
    if (result == LEXER_UNTERMINATED)
        *position = scan.outermost;
    else if (result != LEXER_TOO_LONG)
        *position = scan.at;
    chars_add(&scan.token, '\0');
    if (result == LEXER_OK)
        *token = scan.token.bytes;
    else
        free(scan.token.bytes);
    free(scan.closers.bytes);
    return result;
}
