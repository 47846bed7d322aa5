/* Takes any bytes for a header of the PROXY protocol, read as the driver reads them: as many bytes
 * as the parser says are missing. It must ask for some while it wants more, never for more than the
 * longest header has, and come to the same verdict when all bytes are there at once. What it has
 * taken and can be made again, is read back as the same. */

#include "drivers/pp/header.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of the exact length, so that the sanitizer sees what is read beyond. The extras of the
 * header are looked at while it is there. */
static enum pp_verdict read_exactly(const uint8_t *data, size_t length, struct pp_header *header)
{
    const char *why = NULL;
    uint8_t *copy = malloc(length > 0 ? length : 1);
    struct pp_extra extra;
    if (copy == NULL)
        abort();
    memcpy(copy, data, length);
    enum pp_verdict verdict = pp_read(copy, length, header, &why);
    if (verdict == PP_WRONG && why == NULL)
        abort();
    const uint8_t *at = header->extras;
    size_t left = verdict == PP_TAKEN ? header->extras_length : 0;
    while (pp_next_extra(&at, &left, &extra))
        if (extra.length > 0 && extra.data[extra.length - 1] == 0)
            copy[0] ^= 1;
    if (left != 0)
        abort();
    free(copy);
    return verdict;
}

static bool is_same(const struct pp_address *one, const struct pp_address *other)
{
    return one->length == other->length && memcmp(&one->u, &other->u, one->length) == 0;
}

static void make_again(const struct pp_header *header)
{
    struct pp_made made = {.length = 0};
    struct pp_header again;
    if (header->version == 1) {
        pp_make_line(header, &made);
    } else {
        pp_begin(header, &made);
        if (!pp_finish(&made, true))
            abort();
    }
    if (read_exactly(made.data, made.length, &again) != PP_TAKEN || again.length != made.length ||
        !is_same(&header->source, &again.source) ||
        !is_same(&header->destination, &again.destination))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pp_header header, whole;
    size_t length = 0;
    enum pp_verdict verdict;
    while ((verdict = read_exactly(data, length, &header)) == PP_MORE) {
        if (header.missing == 0 || length + header.missing > PP_HEADER_MAX)
            abort();
        if (header.missing > size - length)
            return 0;
        length += header.missing;
    }
    if (verdict == PP_TAKEN && header.length != length)
        abort();
    if (read_exactly(data, size, &whole) != verdict)
        abort();
    if (verdict == PP_TAKEN)
        make_again(&header);
    return 0;
}
