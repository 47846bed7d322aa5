#include "core/base/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The forms of UTF-8: first byte, second byte, and how long the whole is. RFC 3629, section 4. */
static const struct form {
    unsigned char first, last;               /* of the first byte */
    unsigned char second_first, second_last; /* of the second byte */
    size_t length;
} forms[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool follows(const unsigned char *text, const struct form *form)
{
    if (text[1] < form->second_first || text[1] > form->second_last)
        return false;
    for (size_t i = 2; i < form->length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return false;
    return true;
}

size_t json_character_length(const char *at)
{
    const unsigned char *text = (const unsigned char *)at;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (text[0] >= forms[i].first && text[0] <= forms[i].last)
            return follows(text, &forms[i]) ? forms[i].length : 0;
    return 0;
}

/* What the next character becomes; *text moves behind it. */
static void quote_next(const unsigned char **text, char piece[8])
{
    size_t length = **text < 0x80 ? 1 : json_character_length((const char *)*text);
    unsigned char byte = **text;
    if (length == 0)
        snprintf(piece, 8, "\\ufffd");
    else if (byte == '"' || byte == '\\')
        snprintf(piece, 8, "\\%c", byte);
    else if (byte < ' ' || byte == 0x7f)
        snprintf(piece, 8, "\\u%04x", byte);
    else if (byte == 0xc2 && (*text)[1] < 0xa0)
        snprintf(piece, 8, "\\u%04x", (*text)[1]);
    else
        snprintf(piece, 8, "%.*s", (int)length, (const char *)*text);
    *text += length > 0 ? length : 1;
}

char *json_quote(char *quoted, size_t size, const char *text)
{
    const unsigned char *next = (const unsigned char *)text;
    size_t made = 0;
    quoted[made++] = '"';
    while (*next != '\0') {
        char piece[8];
        quote_next(&next, piece);
        size_t length = strlen(piece);
        if (made + length + 2 > size)
            break;
        memcpy(quoted + made, piece, length);
        made += length;
    }
    quoted[made++] = '"';
    quoted[made] = '\0';
    return quoted;
}
