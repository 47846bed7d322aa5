/* Takes any bytes for the head of a request or an answer, in pieces, and for what comes behind it.
 * The first byte says which, and how they are cut. A head has to come to the same verdict when all
 * bytes are there at once; frames have to come to an end. */

#include "tests/unit/ws_lower.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of the exact length, so that the sanitizer sees what is read beyond. */
static enum http_verdict take_exactly(struct http_head *head, const uint8_t *data, size_t length,
                                      size_t *used)
{
    char *copy = malloc(length > 0 ? length : 1);
    if (copy == NULL)
        abort();
    if (length > 0)
        memcpy(copy, data, length);
    enum http_verdict verdict = http_take(head, copy, length, used);
    free(copy);
    return verdict;
}

static void use_head(const struct http_head *head)
{
    struct terms terms;
    char text[TERMS_TEXT];
    for (size_t i = 0; i < head->count; i++) {
        const char *at = head->headers[i].value;
        size_t length;
        while (http_next(&at, &length) != NULL)
            if (length == 0)
                abort();
    }
    terms_choose(head, &terms);
    if (strlen(terms_text(&terms, text)) >= TERMS_TEXT)
        abort();
    terms_read(head, true, &terms);
    http_lists(head, "Connection", "Upgrade");
}

static void take_head(const uint8_t *data, size_t size, bool is_answer, size_t piece)
{
    struct http_head *cut = calloc(1, sizeof *cut), *whole = calloc(1, sizeof *whole);
    size_t at = 0, used, whole_used;
    if (cut == NULL || whole == NULL)
        abort();
    cut->is_answer = whole->is_answer = is_answer;
    enum http_verdict verdict = HTTP_MORE;
    while (verdict == HTTP_MORE && at < size) {
        verdict = take_exactly(cut, data + at, size - at < piece ? size - at : piece, &used);
        at += used;
    }
    if (take_exactly(whole, data, size, &whole_used) != verdict || whole_used != at ||
        whole->status != cut->status || whole->count != cut->count)
        abort();
    if ((verdict == HTTP_BROKEN) != (cut->why != NULL))
        abort();
    if (verdict == HTTP_WHOLE)
        use_head(cut);
    free(cut);
    free(whole);
}

/* Each call moves on, or says what it waits for. */
static void read_frames(struct modcat_endpoint *endpoint)
{
    static char out[4096];
    size_t idle = 0;
    for (size_t round = 0; idle < 4; round++) {
        ssize_t count = endpoint->ops->read(endpoint, out, round % 7 == 0 ? 1 : sizeof out);
        bool may_be_empty = (endpoint->flags & MODCAT_END_MESSAGES) != 0 &&
                            (endpoint->flags & MODCAT_END_EMPTY_ENDS) == 0;
        if (count == 0 && !may_be_empty)
            return;
        if (count < 0 && errno != EAGAIN)
            return;
        idle = count <= 0 && lower.at == lower.length ? idle + 1 : 0;
        if (lower.sent_length > sizeof lower.sent / 2)
            lower.sent_length = 0;
    }
}

static void take_frames(const uint8_t *data, size_t size, uint8_t choice)
{
    static const struct terms terms[] = {{.agreed = false}, {.agreed = true}};
    struct ws_wish wish = {.cut = choice % 3 == 0   ? WS_STREAM
                                  : choice % 3 == 1 ? WS_LINES
                                                    : WS_MESSAGES,
                           .max_message = 100000};
    struct modcat_endpoint endpoint;
    short wants;
    lower_begin(&wish, (choice & 1) != 0, &terms[choice >> 1 & 1], &endpoint);
    lower.data = data;
    lower.length = size;
    lower.piece = choice >> 4;
    lower.ends = (choice & 4) != 0;
    read_frames(&endpoint);
    for (int i = 0; i < 10 && endpoint.ops->goodbye(&endpoint, true, &wants) < 0; i++)
        continue;
    lower_end(&endpoint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t choice = data[0];
    if ((choice & 8) != 0)
        take_head(data + 1, size - 1, (choice & 1) != 0, (size_t)(choice >> 4) + 1);
    else
        take_frames(data + 1, size - 1, choice);
    return 0;
}
