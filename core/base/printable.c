#include "core/base/printable.h"

#include "core/base/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Characters of two bytes and more that no terminal gets. */
static const struct range {
    const char *first, *last;
} hidden[] = {
    {"\xc2\x80", "\xc2\x9f"},         /* C1 */
    {"\xd8\x9c", "\xd8\x9c"},         /* ALM */
    {"\xe2\x80\x8e", "\xe2\x80\x8f"}, /* LRM, RLM */
    {"\xe2\x80\xa8", "\xe2\x80\xae"}, /* line ends, embeddings and overrides */
    {"\xe2\x81\xa6", "\xe2\x81\xa9"}, /* isolates */
};

static bool is_hidden(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (strlen(hidden[i].first) == length && memcmp(text, hidden[i].first, length) >= 0 &&
            memcmp(text, hidden[i].last, length) <= 0)
            return true;
    return false;
}

void printable_make(char *text)
{
    while (*text != '\0') {
        unsigned char byte = (unsigned char)*text;
        size_t length = byte < 0x80 ? 1 : json_character_length(text);
        bool hide = length == 0 || byte < ' ' || byte == 0x7f || is_hidden(text, length);
        length = length > 0 ? length : 1;
        if (hide)
            memset(text, byte == '\t' ? ' ' : '?', length);
        text += length;
    }
}
