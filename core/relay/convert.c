#include "core/relay/convert.h"

#include <string.h>

/* What becomes of one byte: at most two bytes. */
struct replacement {
    size_t length;
    unsigned char bytes[2];
};

/* The byte that ends a line in the source, and whether carriage returns are dropped. */
struct source_form {
    unsigned char newline;
    int drop_returns;
};

static const struct source_form sources[] = {
    [LINE_END_RAW] = {.newline = '\n'},
    [LINE_END_CR] = {.newline = '\r'},
    [LINE_END_CRNL] = {.newline = '\n', .drop_returns = 1},
};

static const struct replacement newlines[] = {
    [LINE_END_RAW] = {1, {'\n'}},
    [LINE_END_CR] = {1, {'\r'}},
    [LINE_END_CRNL] = {2, {'\r', '\n'}},
};

size_t convert_lines(enum line_end from, enum line_end to, const unsigned char *input,
                     size_t length, unsigned char *output)
{
    size_t made = 0;
    if (from == to) {
        memcpy(output, input, length);
        return length;
    }
    for (size_t i = 0; i < length; i++) {
        if (input[i] == sources[from].newline) {
            memcpy(output + made, newlines[to].bytes, newlines[to].length);
            made += newlines[to].length;
        } else if (input[i] != '\r' || !sources[from].drop_returns) {
            output[made++] = input[i];
        }
    }
    return made;
}
