/* Takes any bytes for the answer of a proxy, once as a whole and once in pieces: verdict, status
 * and what is left for the peer must be the same. */

#include "drivers/proxy/message.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads pieces of up to `piece` bytes, each a copy of the exact length. */
static enum proxy_verdict read_pieces(struct proxy_answer *answer, const char *data, size_t size,
                                      size_t piece, size_t *position)
{
    enum proxy_verdict verdict = PROXY_MORE;
    *position = 0;
    while (verdict == PROXY_MORE && *position < size) {
        size_t used, length = size - *position < piece ? size - *position : piece;
        char *copy = malloc(length);
        if (copy == NULL)
            abort();
        memcpy(copy, data + *position, length);
        verdict = proxy_answer_take(answer, copy, length, &used);
        free(copy);
        if (used > length || (verdict == PROXY_MORE && used != length))
            abort();
        *position += used;
    }
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct proxy_answer whole = {.bare_ends = (data[0] & 1) != 0}, split = whole;
    size_t whole_end, split_end, piece = (size_t)data[1] + 1;
    const char *text = (const char *)data + 2;
    enum proxy_verdict verdict = read_pieces(&whole, text, size - 2, size, &whole_end);
    if (read_pieces(&split, text, size - 2, piece, &split_end) != verdict)
        abort();
    if (whole_end != split_end || whole.status != split.status)
        abort();
    if ((verdict == PROXY_REFUSED || verdict == PROXY_BROKEN) && whole.why[0] == '\0')
        abort();
    return 0;
}
