/* Binary data as text: numbers with a type letter, hex digits, strings and characters. */

#define _GNU_SOURCE
#include "core/values/values.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Text that is read and data that grows. `type` holds the last type letter. */
struct dalan {
    const char *text;
    unsigned char *data;
    size_t size;
    size_t used;
    char type;
    const char *reason;
};

/* The letters for numbers; a capital takes no sign. */
static const struct {
    char letter;
    unsigned char bytes;
} number_types[] = {{'i', sizeof(int)}, {'l', sizeof(long)}, {'s', sizeof(short)}, {'b', 1}};

/* What stands for itself behind a backslash is not listed. */
static const char escapes[][2] = {{'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'f', '\f'},
                                  {'b', '\b'}, {'a', '\a'}, {'e', 033},  {'0', '\0'}};

static int fail(struct dalan *dalan, const char *reason)
{
    dalan->reason = reason;
    errno = EINVAL;
    return -1;
}

static int append(struct dalan *dalan, const void *data, size_t length)
{
    if (length > dalan->size - dalan->used)
        return fail(dalan, "data too long");
    memcpy(dalan->data + dalan->used, data, length);
    dalan->used += length;
    return 0;
}

static void skip_blanks(struct dalan *dalan)
{
    while (isspace((unsigned char)*dalan->text))
        dalan->text++;
}

static size_t number_bytes(char letter)
{
    for (size_t i = 0; i < MODCAT_COUNT(number_types); i++)
        if (number_types[i].letter == tolower((unsigned char)letter))
            return number_types[i].bytes;
    return 0;
}

/* Puts the low bytes of a number in host order. */
static int append_number(struct dalan *dalan, uint64_t number, size_t bytes)
{
    const uint8_t byte = (uint8_t)number;
    const uint16_t two = (uint16_t)number;
    const uint32_t four = (uint32_t)number;
    const void *const forms[] = {[1] = &byte, [2] = &two, [4] = &four, [8] = &number};
    return append(dalan, forms[bytes], bytes);
}

static int take_signed(struct dalan *dalan, size_t bytes)
{
    char *end;
    errno = 0;
    long long number = strtoll(dalan->text, &end, 10);
    if (end == dalan->text)
        return fail(dalan, "missing number");
    /* Without sign the whole width counts, as for a capital letter. */
    long long least = LLONG_MIN >> (64 - 8 * bytes);
    long long most = bytes == 8 ? LLONG_MAX : (long long)(UINT64_MAX >> (64 - 8 * bytes));
    if (errno == ERANGE || number < least || number > most)
        return fail(dalan, "number out of range");
    dalan->text = end;
    return append_number(dalan, (uint64_t)number, bytes);
}

static int take_unsigned(struct dalan *dalan, size_t bytes)
{
    char *end;
    if (!isdigit((unsigned char)*dalan->text))
        return fail(dalan, "missing number");
    errno = 0;
    unsigned long long number = strtoull(dalan->text, &end, 10);
    if (errno == ERANGE || number > UINT64_MAX >> (64 - 8 * bytes))
        return fail(dalan, "number out of range");
    dalan->text = end;
    return append_number(dalan, number, bytes);
}

static int take_number(struct dalan *dalan)
{
    size_t bytes = number_bytes(dalan->type);
    skip_blanks(dalan);
    return isupper((unsigned char)dalan->type) ? take_unsigned(dalan, bytes)
                                               : take_signed(dalan, bytes);
}

static unsigned hex_value(char digit)
{
    return isdigit((unsigned char)digit) ? (unsigned)(digit - '0')
                                         : (unsigned)(tolower((unsigned char)digit) - 'a' + 10);
}

static int take_hex(struct dalan *dalan)
{
    if (!isxdigit((unsigned char)*dalan->text))
        return fail(dalan, "missing hexadecimal digits");
    while (isxdigit((unsigned char)dalan->text[0])) {
        if (!isxdigit((unsigned char)dalan->text[1]))
            return fail(dalan, "odd number of hexadecimal digits");
        unsigned byte = hex_value(dalan->text[0]) << 4 | hex_value(dalan->text[1]);
        if (append_number(dalan, byte, 1) < 0)
            return -1;
        dalan->text += 2;
    }
    return 0;
}

/* The next character of a string, with escapes undone; the text must not be at its end. */
static char take_character(struct dalan *dalan)
{
    if (dalan->text[0] != '\\' || dalan->text[1] == '\0')
        return *dalan->text++;
    char character = dalan->text[1];
    dalan->text += 2;
    for (size_t i = 0; i < MODCAT_COUNT(escapes); i++)
        if (escapes[i][0] == character)
            return escapes[i][1];
    return character;
}

static int take_string(struct dalan *dalan)
{
    while (*dalan->text != '"') {
        if (*dalan->text == '\0')
            return fail(dalan, "unterminated string");
        char character = take_character(dalan);
        if (append(dalan, &character, 1) < 0)
            return -1;
    }
    dalan->text++;
    return 0;
}

static int take_quoted_character(struct dalan *dalan)
{
    if (*dalan->text == '\0')
        return fail(dalan, "unterminated character");
    if (*dalan->text == '\'')
        return fail(dalan, "error in character");
    char character = take_character(dalan);
    if (*dalan->text != '\'')
        return fail(dalan, "error in character termination");
    dalan->text++;
    return append(dalan, &character, 1);
}

/* One item. A letter that names a type stays in force for the items after it; hex digits without
 * "x" are taken as such only where the type in force says so. */
static int take_item(struct dalan *dalan)
{
    char first = *dalan->text;
    if (first == '"' || first == '\'') {
        dalan->text++;
        return first == '"' ? take_string(dalan) : take_quoted_character(dalan);
    }
    if (dalan->type == 'x' && isxdigit((unsigned char)first))
        return take_hex(dalan);
    if (first == 'x' || number_bytes(first) > 0) {
        dalan->type = first;
        dalan->text++;
    } else if (!isdigit((unsigned char)first) && first != '-' && first != '+') {
        return fail(dalan, "unexpected character");
    }
    return dalan->type == 'x' ? take_hex(dalan) : take_number(dalan);
}

ssize_t modcat_parse_data(const char *text, void *data, size_t size, const char **reason)
{
    struct dalan dalan = {.text = text, .data = data, .size = size, .type = 'i'};
    for (skip_blanks(&dalan); *dalan.text != '\0'; skip_blanks(&dalan)) {
        if (take_item(&dalan) < 0) {
            *reason = dalan.reason;
            return -1;
        }
    }
    return (ssize_t)dalan.used;
}
