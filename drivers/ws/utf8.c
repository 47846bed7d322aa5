#include "utf8.h"

#include <string.h>

/* What first bytes there are, how many follow, and the bounds of the first that does: RFC 3629
 * section 4. */
static const struct lead {
    uint8_t first;
    uint8_t last;
    struct utf8 after;
} leads[] = {
    {0xc2, 0xdf, {1, 0x80, 0xbf}}, {0xe0, 0xe0, {2, 0xa0, 0xbf}}, {0xe1, 0xec, {2, 0x80, 0xbf}},
    {0xed, 0xed, {2, 0x80, 0x9f}}, {0xee, 0xef, {2, 0x80, 0xbf}}, {0xf0, 0xf0, {3, 0x90, 0xbf}},
    {0xf1, 0xf3, {3, 0x80, 0xbf}}, {0xf4, 0xf4, {3, 0x80, 0x8f}},
};

static bool take_lead(struct utf8 *utf8, uint8_t byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
        if (byte >= leads[i].first && byte <= leads[i].last) {
            *utf8 = leads[i].after;
            return true;
        }
    return byte < 0x80;
}

static bool take_byte(struct utf8 *utf8, uint8_t byte)
{
    if (utf8->missing == 0)
        return take_lead(utf8, byte);
    if (byte < utf8->least || byte > utf8->most)
        return false;
    utf8->missing--;
    utf8->least = 0x80;
    utf8->most = 0xbf;
    return true;
}

/* Most text is ASCII: eight bytes at a time. */
static size_t ascii_length(const uint8_t *bytes, size_t length)
{
    size_t at = 0;
    uint64_t word;
    for (; length - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if ((word & 0x8080808080808080u) != 0)
            break;
    }
    return at;
}

bool utf8_take(struct utf8 *utf8, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++) {
        if (utf8->missing == 0)
            i += ascii_length(bytes + i, length - i);
        if (i < length && !take_byte(utf8, bytes[i]))
            return false;
    }
    return true;
}
