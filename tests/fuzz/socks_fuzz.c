/* Takes any bytes for the reply of a SOCKS server, read as the driver reads them: as many bytes as
 * the parser says are missing. It must ask for some while it wants more, never for more than fit
 * the longest reply, and come to the same verdict when all bytes are there at once. */

#include "drivers/socks/message.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static socks_read_fn *const readers[] = {
    socks4_read_reply,
    socks5_read_hello,
    socks5_read_login,
    socks5_read_reply,
};

/* A copy of the exact length, so that the sanitizer sees what is read beyond. */
static enum socks_verdict read_exactly(socks_read_fn *reader, const uint8_t *data, size_t length,
                                       struct socks_reply *reply)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    if (copy == NULL)
        abort();
    memcpy(copy, data, length);
    enum socks_verdict verdict = reader(copy, length, reply);
    free(copy);
    return verdict;
}

static void render(const struct socks_reply *reply, enum socks_verdict verdict,
                   char text[SOCKS_HOST_TEXT])
{
    text[0] = '\0';
    if (verdict == SOCKS_GRANTED && reply->bound.kind != 0)
        socks_host_text(&reply->bound, text);
}

static void check_whole(socks_read_fn *reader, const uint8_t *data, size_t size,
                        const struct socks_reply *expected, enum socks_verdict verdict)
{
    struct socks_reply reply;
    char text[SOCKS_HOST_TEXT], expected_text[SOCKS_HOST_TEXT];
    if (read_exactly(reader, data, size, &reply) != verdict ||
        strcmp(reply.why, expected->why) != 0)
        abort();
    if (verdict == SOCKS_REFUSED && reply.why[0] == '\0')
        abort();
    render(&reply, verdict, text);
    render(expected, verdict, expected_text);
    if (strcmp(text, expected_text) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct socks_reply reply;
    size_t length = 0;
    if (size == 0)
        return 0;
    socks_read_fn *reader = readers[*data++ % (sizeof readers / sizeof readers[0])];
    size--;
    for (;;) {
        enum socks_verdict verdict = read_exactly(reader, data, length, &reply);
        if (verdict != SOCKS_MORE) {
            check_whole(reader, data, size, &reply, verdict);
            return 0;
        }
        if (reply.missing == 0 || reply.missing > SOCKS_REPLY_MAX - length)
            abort();
        if (reply.missing > size - length)
            return 0;
        length += reply.missing;
    }
}
