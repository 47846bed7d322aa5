#include "core/command/wrap.h"

#include <string.h>

/* The length of the next piece: up to a blank, or to behind a comma. */
static size_t piece_length(const char *text)
{
    size_t length = strcspn(text, " ,");
    return text[length] == ',' ? length + 1 : length;
}

void wrap_put(FILE *out, size_t column, size_t indent, const char *text)
{
    while (*text != '\0') {
        size_t blanks = strspn(text, " "), length = piece_length(text + blanks);
        if (column > indent && column + blanks + length > WRAP_COLUMNS) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            text += blanks;
            blanks = 0;
        }
        fprintf(out, "%.*s", (int)(blanks + length), text);
        column += blanks + length;
        text += blanks + length;
    }
    fputc('\n', out);
}
