/* WebSocket: the parts of the handshake, and frames however they are cut. */

#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "drivers/ws/digest.h"
#include "tests/unit/ws_lower.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1

/* The examples of FIPS 180 and of RFC 6455 section 1.3. */
static void digests_are_those_of_the_standards(void **state)
{
    static const struct {
        const char *text;
        const char *digest;
    } rows[] = {
        {"", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
        {"abc", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "hJg+RBw70m66rkqh+VEp5eVGcPE="},
    };
    uint8_t digest[DIGEST_BYTES];
    char text[WS_ACCEPT_TEXT];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        digest_sha1(rows[i].text, strlen(rows[i].text), digest);
        digest_base64(digest, sizeof digest, text);
        assert_string_equal(text, rows[i].digest);
    }
    digest_accept("dGhlIHNhbXBsZSBub25jZQ==", text);
    assert_string_equal(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void keys_are_16_bytes_in_base64(void **state)
{
    (void)state;
    assert_true(digest_is_key("dGhlIHNhbXBsZSBub25jZQ=="));
    assert_false(digest_is_key(""));
    assert_false(digest_is_key("dGhlIHNhbXBsZSBub25jZQ="));
    assert_false(digest_is_key("dGhlIHNhbXBsZSBub25jZR=="));
    assert_false(digest_is_key("dGhlIHNhbXBsZSBub25jZ==="));
    assert_false(digest_is_key("dGhlIHNhbXBsZSBub25jZQAA"));
    assert_false(digest_is_key("dGhlIHNhbXBsZSBub25jZQ==x"));
}

static struct http_head *head_of(const char *text, bool is_answer, size_t cut,
                                 enum http_verdict *verdict, size_t *total)
{
    struct http_head *head = calloc(1, sizeof *head);
    size_t length = strlen(text), used = 0;
    head->is_answer = is_answer;
    *verdict = http_take(head, text, cut, total);
    if (*verdict == HTTP_MORE) {
        *verdict = http_take(head, text + cut, length - cut, &used);
        *total = cut + used;
    }
    return head;
}

#define ASKED                                                                                      \
    "GET /chat?a=b HTTP/1.1\r\nHost: server\r\nUpgrade: a, WebSocket\r\n"                          \
    "Connection:\tkeep-alive, Upgrade \r\nEmpty:\r\n\r\n"

static void requests_are_read_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= sizeof ASKED - 1; cut++) {
        enum http_verdict verdict;
        size_t total;
        struct http_head *head = head_of(ASKED "frames", false, cut, &verdict, &total);
        assert_int_equal(verdict, HTTP_WHOLE);
        assert_int_equal(total, sizeof ASKED - 1);
        assert_string_equal(head->method, "GET");
        assert_string_equal(head->target, "/chat?a=b");
        assert_int_equal(head->count, 4);
        assert_string_equal(http_value(head, "host"), "server");
        assert_string_equal(http_value(head, "empty"), "");
        assert_true(http_lists(head, "Upgrade", "websocket"));
        assert_true(http_lists(head, "Connection", "upgrade"));
        assert_false(http_lists(head, "Upgrade", "web"));
        assert_null(http_value(head, "none"));
        free(head);
    }
}

#define ANSWERED "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

static void answers_are_read_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= sizeof ANSWERED - 1; cut++) {
        enum http_verdict verdict;
        size_t total;
        struct http_head *head = head_of(ANSWERED "frames", true, cut, &verdict, &total);
        assert_int_equal(verdict, HTTP_WHOLE);
        assert_int_equal(total, sizeof ANSWERED - 1);
        assert_int_equal(head->status, 101);
        assert_string_equal(head->reason, "Switching Protocols");
        free(head);
    }
}

static void malformed_heads_are_found_out(void **state)
{
    static const struct {
        const char *text;
        bool is_answer;
        int status;
    } rows[] = {
        {"GET / HTTP/1.1\n", false, 400},
        {"GET / HTTP/1.1\r\r", false, 400},
        {"GET / HTTP/1.0\r\n", false, 505},
        {"GET / HTTP/2.0\r\n", false, 400},
        {"GET /\r\n", false, 400},
        {"GET  HTTP/1.1\r\n", false, 400},
        {"GET /\xff\x01 HTTP/1.1\r\n", false, 400},
        {"GET /a b HTTP/1.1\r\n", false, 400},
        {"\x16\x03\x01", false, 400},
        {"GET / HTTP/1.1\r\nHost\r\n", false, 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n", false, 400},
        {"GET / HTTP/1.1\r\n: a\r\n", false, 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n b\r\n", false, 400},
        {"GET / HTTP/1.1\r\nHost: a\x7f\r\n", false, 400},
        {"SSH-2.0", true, 0},
        {"HTTP/1.1 10 x\r\n", true, 10},
        {"HTTP/1.1 1010 x\r\n", true, 0},
        {"HTTP/1.1x101 x\r\n", true, 0},
        {"HTTP/1.1\r\n", true, 0},
        {"\r\n", true, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t cut = 0; cut <= strlen(rows[i].text); cut++) {
            enum http_verdict verdict;
            size_t total;
            struct http_head *head =
                head_of(rows[i].text, rows[i].is_answer, cut, &verdict, &total);
            assert_int_equal(verdict, HTTP_BROKEN);
            assert_non_null(head->why);
            if (!rows[i].is_answer)
                assert_int_equal(head->status, rows[i].status);
            free(head);
        }
}

static void heads_have_an_end(void **state)
{
    struct http_head *head = calloc(1, sizeof *head);
    size_t used;
    enum http_verdict verdict = http_take(head, "GET / HTTP/1.1\r\n", 16, &used);
    (void)state;
    for (int i = 0; verdict == HTTP_MORE && i < 20000; i++)
        verdict = http_take(head, "a: b\r\n", 6, &used);
    assert_int_equal(verdict, HTTP_BROKEN);
    assert_int_equal(head->status, 431);
    assert_int_equal(head->count, HTTP_HEADERS_MAX);
    memset(head, 0, sizeof *head);
    verdict = HTTP_MORE;
    for (int i = 0; verdict == HTTP_MORE && i < 20000; i++)
        verdict = http_take(head, "a", 1, &used);
    assert_int_equal(verdict, HTTP_BROKEN);
    assert_int_equal(head->status, 431);
    free(head);
}

static void offers_of_compression_are_chosen_from(void **state)
{
    static const struct {
        const char *offers;
        const char *answer; /* or NULL: none is chosen */
    } rows[] = {
        {"permessage-deflate", "permessage-deflate"},
        {"other, Permessage-Deflate ; client_max_window_bits", "permessage-deflate"},
        {"permessage-deflate; client_max_window_bits=10; server_max_window_bits=10",
         "permessage-deflate; server_max_window_bits=10"},
        {"permessage-deflate; server_max_window_bits=\"12\"",
         "permessage-deflate; server_max_window_bits=12"},
        {"permessage-deflate; server_max_window_bits=8, permessage-deflate", "permessage-deflate"},
        {"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
         "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
        {"permessage-deflate; unknown", NULL},
        {"permessage-deflate; server_max_window_bits", NULL},
        {"permessage-deflate; server_max_window_bits=16", NULL},
        {"permessage-deflate; server_max_window_bits=010", NULL},
        {"permessage-deflate; server_no_context_takeover=1", NULL},
        {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", NULL},
        {"permessage-deflate;", NULL},
        {"permessage-deflate=", NULL},
        {"", NULL},
    };
    char text[TERMS_TEXT];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_head *head = calloc(1, sizeof *head);
        struct terms terms;
        head->count = 1;
        head->headers[0].name = "sec-websocket-extensions";
        head->headers[0].value = rows[i].offers;
        terms_choose(head, &terms);
        assert_int_equal(terms.agreed, rows[i].answer != NULL);
        if (rows[i].answer != NULL)
            assert_string_equal(terms_text(&terms, text), rows[i].answer);
        free(head);
    }
}

static void text_is_judged_however_it_is_cut(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"plain text of more than eight bytes", true},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 and \xf4\x8f\xbf\xbf", true},
        {"12345678\xc0\x80", false},
        {"\xe0\x80\x80", false},
        {"\xed\xa0\x80", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\x80", false},
        {"\xc3(", false},
        {"\xff", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t cut = 0; cut <= strlen(rows[i].text); cut++) {
            struct utf8 utf8 = {0};
            bool valid = utf8_take(&utf8, rows[i].text, cut) &&
                         utf8_take(&utf8, rows[i].text + cut, strlen(rows[i].text) - cut);
            assert_int_equal(valid && utf8.missing == 0, rows[i].valid);
        }
}

/* Reads to the end or a failure, whichever comes first, into `out`. Returns the last result. */
static ssize_t read_all(struct modcat_endpoint *endpoint, char *out, size_t size, size_t *length)
{
    ssize_t count = 1;
    *length = 0;
    for (int idle = 0; idle < 4 && count != 0;) {
        count = endpoint->ops->read(endpoint, out + *length, size - *length);
        if (count < 0 && errno != EAGAIN)
            return -1;
        *length += count > 0 ? (size_t)count : 0;
        idle = count < 0 && lower.at == lower.length && !endpoint->ops->pending(endpoint) ? idle + 1
                                                                                          : 0;
    }
    return count < 0 ? 1 : count;
}

/* What a client gets from a server, and what is to come out; the last frame is a Close. */
static const struct {
    enum ws_cut cut;
    const uint8_t *frames;
    size_t length;
    const char *data;
    const char *answer; /* opcodes of what is sent back */
} streams[] = {
    {WS_STREAM, BYTES("\x82\x05hello\x88\x02\x03\xe8"), "hello", "8"},
    {WS_STREAM, BYTES("\x81\x05hello\x82\x00\x82\x06 world\x88\x00"), "hello world", "8"},
    {WS_STREAM, BYTES("\x02\x02he\x89\x02pi\x80\x03llo\x8a\x00\x88\x02\x03\xe9"), "hello", "a8"},
    {WS_STREAM, BYTES("\x01\x01\xc3\x00\x00\x80\x01\xa4\x88\x02\x03\xe8"), "\xc3\xa4", "8"},
    {WS_LINES, BYTES("\x81\x03one\x01\x02tw\x80\x01o\x81\x00\x88\x02\x03\xe8"), "one\ntwo\n\n",
     "8"},
};

/* The kinds of the frames that were sent. */
static void list_frames(char *kinds)
{
    for (size_t at = 0; at + 2 <= lower.sent_length;) {
        uint8_t length = lower.sent[at + 1] & 0x7f;
        *kinds++ = "0123456789abcdef"[lower.sent[at] & 0x0f];
        at += 2 + ((lower.sent[at + 1] & 0x80) != 0 ? 4u : 0u) + length;
    }
    *kinds = '\0';
}

static void frames_are_read_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(streams); i++)
        for (size_t piece = 1; piece <= streams[i].length; piece++)
            for (size_t room = 0; room < 4; room++) {
                struct ws_wish wish = {.cut = streams[i].cut};
                struct modcat_endpoint endpoint;
                char out[100], kinds[100];
                size_t length;
                lower_begin(&wish, false, NULL, &endpoint);
                lower.data = streams[i].frames;
                lower.length = streams[i].length;
                lower.piece = piece;
                lower.room = room;
                assert_int_equal(read_all(&endpoint, out, sizeof out, &length), 0);
                assert_int_equal(length, strlen(streams[i].data));
                assert_memory_equal(out, streams[i].data, length);
                short wants;
                for (int round = 0; round < 100; round++)
                    if (endpoint.ops->goodbye(&endpoint, true, &wants) == 0)
                        break;
                list_frames(kinds);
                assert_string_equal(kinds, streams[i].answer);
                assert_string_equal(lower.log, "");
                lower_end(&endpoint);
            }
}

/* Two places of the cut, for all frames of a message that is kept whole. */
static void packets_are_kept_apart_however_they_are_cut(void **state)
{
    static const char frames[] = "\x82\x03one\x02\x02tw\x80\x01o\x88\x00";
    (void)state;
    for (size_t piece = 1; piece < sizeof frames; piece++) {
        struct ws_wish wish = {.cut = WS_MESSAGES, .max_message = 100};
        struct modcat_endpoint endpoint;
        char out[10];
        const char *expected[] = {"one", "two", ""};
        lower_begin(&wish, false, NULL, &endpoint);
        lower.data = (const uint8_t *)frames;
        lower.length = sizeof frames - 1;
        lower.piece = piece;
        assert_int_equal(endpoint.flags & MODCAT_END_MESSAGES, MODCAT_END_MESSAGES);
        for (size_t i = 0; i < COUNT(expected); i++) {
            ssize_t count;
            do
                count = endpoint.ops->read(&endpoint, out, sizeof out);
            while (count < 0 && errno == EAGAIN);
            assert_int_equal(count, strlen(expected[i]));
            assert_memory_equal(out, expected[i], (size_t)count);
        }
        assert_int_equal(endpoint.flags & MODCAT_END_EMPTY_ENDS, MODCAT_END_EMPTY_ENDS);
        lower_end(&endpoint);
    }
}

static const struct {
    bool server;
    const uint8_t *frames;
    size_t length;
    const char *log;
    unsigned code; /* of the Close that is sent; 0: none */
} faults[] = {
    {false,
     BYTES("\x82\x81"
           "1234x"),
     "the server sends a frame with a mask", 1002},
    {true, BYTES("\x82\x01x"), "the client sends a frame without a mask", 1002},
    {false, BYTES("\xc2\x01x"), "a frame has reserved bits set", 1002},
    {false, BYTES("\xa2\x01x"), "a frame has reserved bits set", 1002},
    {false, BYTES("\x92\x01x"), "a frame has reserved bits set", 1002},
    {false, BYTES("\x83\x01x"), "a frame is of the unknown kind 3", 1002},
    {false, BYTES("\x8b\x00"), "a frame is of the unknown kind 11", 1002},
    {false, BYTES("\x80\x01x"), "a message begins with a later fragment", 1002},
    {false, BYTES("\x02\x01x\x82\x01x"), "a message begins within another one", 1002},
    {false, BYTES("\x89\x7e\x00\x7e"), "a control frame is longer than 125 bytes", 1002},
    {false, BYTES("\x09\x01x"), "a control frame is cut into fragments", 1002},
    {false, BYTES("\x82\x7e\x00\x05"), "the length of a frame is not written", 1002},
    {false, BYTES("\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x05"), "the length of a frame is not",
     1002},
    {false, BYTES("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00x"), "the length of a frame is not",
     1002},
    {false, BYTES("\x88\x01x"), "the code of a Close is cut off", 1002},
    {false, BYTES("\x88\x02\x03\xe7"), "code 999, which there is not", 1002},
    {false, BYTES("\x88\x02\x03\xed"), "code 1005, which there is not", 1002},
    {false, BYTES("\x88\x02\x03\xee"), "code 1006, which there is not", 1002},
    {false, BYTES("\x88\x02\x03\xf7"), "code 1015, which there is not", 1002},
    {false, BYTES("\x88\x02\x13\x88"), "code 5000, which there is not", 1002},
    {false, BYTES("\x88\x03\x03\xe8\xff"), "the reason of a Close is not UTF-8", 1007},
    {false, BYTES("\x88\x06\x03\xf3oops"), "the peer closes with code 1011: oops", 1011},
    {false, BYTES("\x88\x02\x0f\xa0"), "the peer closes with code 4000", 4000},
    {false, BYTES("\x81\x02\xc3("), "a message of text is not UTF-8", 1007},
    {false, BYTES("\x81\x01\xc3"), "a message of text ends within a character", 1007},
    {false, BYTES("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xffx"), "longer than 1000 bytes", 1009},
    {false, BYTES("\x02\x01x\x00\x7e\x03\xe8x"), "longer than 1000 bytes", 1009},
    {false, BYTES("\x82\x05he"), "closed the connection without a goodbye", 0},
    {false, BYTES(""), "closed the connection without a goodbye", 0},
};

static unsigned close_code(bool server)
{
    const uint8_t *at = lower.sent;
    if (lower.sent_length == 0)
        return 0;
    assert_int_equal(at[0], 0x88);
    assert_int_equal(at[1], server ? 2 : 0x82);
    return server ? (unsigned)at[2] << 8 | at[3]
                  : (unsigned)(at[6] ^ at[2]) << 8 | (unsigned)(at[7] ^ at[3]);
}

static void frames_that_break_the_protocol_end_it_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++)
        for (size_t piece = 1; piece <= faults[i].length + 1; piece++) {
            struct ws_wish wish = {.max_message = 1000};
            struct modcat_endpoint endpoint;
            char out[4000];
            size_t length;
            short wants;
            lower_begin(&wish, faults[i].server, NULL, &endpoint);
            lower.data = faults[i].frames;
            lower.length = faults[i].length;
            lower.piece = piece;
            lower.ends = true;
            assert_int_equal(read_all(&endpoint, out, sizeof out, &length), -1);
            if (strstr(lower.log, faults[i].log) == NULL)
                fail_msg("\"%s\" is not about \"%s\"", lower.log, faults[i].log);
            assert_int_equal(endpoint.ops->goodbye(&endpoint, false, &wants), 0);
            assert_int_equal(close_code(faults[i].server), faults[i].code);
            assert_true((endpoint.flags & MODCAT_END_REPORTED) != 0);
            assert_int_equal(endpoint.ops->write(&endpoint, "x", 1), -1);
            assert_int_not_equal(errno, EAGAIN);
            lower_end(&endpoint);
        }
}

static const struct terms all_terms[] = {
    {0},
    {.agreed = true},
    {.agreed = true, .client_forgets = true, .server_forgets = true},
    {.agreed = true, .client_window = 9, .server_window = 9},
};

static size_t write_all(struct modcat_endpoint *endpoint, const char *data, size_t length,
                        size_t piece)
{
    size_t done = 0;
    while (done < length) {
        size_t some = length - done < piece ? length - done : piece;
        ssize_t count = endpoint->ops->write(endpoint, data + done, some);
        assert_true(count >= 0 || errno == EAGAIN);
        done += count > 0 ? (size_t)count : 0;
    }
    return done;
}

/* One endpoint writes, the other one reads that. */
static void goes_through(const struct ws_wish *wish, bool server, const struct terms *terms,
                         const char *data, size_t length, size_t piece)
{
    struct modcat_endpoint from, to;
    static uint8_t wire[sizeof lower.sent];
    static char out[66000];
    size_t wire_length, got;
    short wants;
    lower_begin(wish, server, terms, &from);
    lower.room = piece;
    write_all(&from, data, length, piece);
    while (from.ops->goodbye(&from, true, &wants) < 0 && wants != POLLIN)
        continue;
    wire_length = lower.sent_length;
    memcpy(wire, lower.sent, wire_length);
    assert_string_equal(lower.log, "");
    lower_end(&from);
    lower_begin(wish, !server, terms, &to);
    lower.data = wire;
    lower.length = wire_length;
    lower.piece = piece;
    assert_int_equal(read_all(&to, out, sizeof out, &got), 0);
    assert_string_equal(lower.log, "");
    assert_int_equal(got, length);
    assert_memory_equal(out, data, length);
    lower_end(&to);
}

static void what_is_written_is_read_however_it_is_cut(void **state)
{
    static const char text[] = "one\n\nzw\xc3\xb6lf \xf0\x9f\x98\x80\na line that is longer, and "
                               "a line that is longer, and a line that is longer\n\n\n";
    (void)state;
    for (size_t i = 0; i < COUNT(all_terms); i++)
        for (int mode = 0; mode < 8; mode++)
            for (size_t piece = 1; piece < 120; piece += piece < 20 ? 1 : 17) {
                struct ws_wish wish = {.cut = (mode & 1) != 0 ? WS_LINES : WS_STREAM,
                                       .text = (mode & 2) != 0};
                goes_through(&wish, (mode & 4) != 0, &all_terms[i], text, sizeof text - 1, piece);
            }
}

static void large_messages_are_read_as_they_were_written(void **state)
{
    static char data[65536];
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i % 7 == 0 ? random() : 'a');
    for (size_t i = 0; i < COUNT(all_terms); i++)
        for (size_t piece = 100; piece <= sizeof data; piece *= 5) {
            struct ws_wish wish = {0};
            goes_through(&wish, i % 2 == 0, &all_terms[i], data, sizeof data, piece);
        }
}

/* A last line without its end is a message of its own, behind which an end is read. */
static void the_last_line_is_sent_at_the_end(void **state)
{
    struct ws_wish wish = {.cut = WS_LINES};
    struct modcat_endpoint endpoint;
    short wants;
    (void)state;
    lower_begin(&wish, true, NULL, &endpoint);
    assert_int_equal(endpoint.ops->write(&endpoint, "a\nb", 3), 3);
    assert_int_equal(endpoint.ops->goodbye(&endpoint, true, &wants), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(wants, POLLIN);
    assert_int_equal(lower.sent_length, 12);
    assert_memory_equal(lower.sent,
                        "\x82\x01"
                        "a\x02\x01"
                        "b\x80\x00\x88\x02\x03\xe8",
                        12);
    lower.data = (const uint8_t *)"\x88\x80"
                                  "1234";
    lower.length = 6;
    while (endpoint.ops->goodbye(&endpoint, true, &wants) < 0)
        assert_int_equal(errno, EAGAIN);
    assert_string_equal(lower.log, "");
    lower_end(&endpoint);
}

static void what_is_not_text_is_not_sent_as_text(void **state)
{
    struct ws_wish wish = {.text = true};
    struct modcat_endpoint endpoint;
    short wants;
    (void)state;
    lower_begin(&wish, true, NULL, &endpoint);
    assert_int_equal(endpoint.ops->write(&endpoint, "\xff", 1), -1);
    assert_non_null(strstr(lower.log, "what is to be sent is not UTF-8"));
    lower_end(&endpoint);
    lower_begin(&wish, true, NULL, &endpoint);
    assert_int_equal(endpoint.ops->write(&endpoint, "\xc3", 1), 1);
    assert_int_equal(endpoint.ops->goodbye(&endpoint, true, &wants), 0);
    assert_non_null(strstr(lower.log, "what is to be sent ends within a character"));
    assert_memory_equal(lower.sent, "\x01\x01\xc3\x88\x02\x03\xf3", 7);
    lower_end(&endpoint);
}

static void what_is_cut_off_gets_another_code(void **state)
{
    struct ws_wish wish = {0};
    struct modcat_endpoint endpoint;
    short wants;
    (void)state;
    lower_begin(&wish, true, NULL, &endpoint);
    endpoint.ops->goodbye(&endpoint, false, &wants);
    assert_memory_equal(lower.sent, "\x88\x02\x03\xf3", 4);
    lower_end(&endpoint);
}

/* "a" 64 MiB long, in few bytes. */
static void a_message_that_is_larger_than_allowed_is_not_inflated(void **state)
{
    struct ws_wish wish = {.cut = WS_MESSAGES, .max_message = 100000};
    struct terms terms = {.agreed = true};
    struct modcat_endpoint endpoint;
    static uint8_t frame[65536 + 14];
    static char plain[1 << 20], out[65536];
    z_stream deflater = {0};
    size_t length = 4;
    (void)state;
    deflateInit2(&deflater, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    deflater.next_out = frame + 4;
    deflater.avail_out = 60000;
    for (int i = 0; i < 8; i++) {
        deflater.next_in = (uint8_t *)plain;
        deflater.avail_in = sizeof plain;
        deflate(&deflater, Z_SYNC_FLUSH);
    }
    length += deflater.total_out;
    deflateEnd(&deflater);
    memcpy(frame, (uint8_t[]){0xc2, 126, (uint8_t)((length - 4) >> 8), (uint8_t)(length - 4)}, 4);
    lower_begin(&wish, false, &terms, &endpoint);
    lower.data = frame;
    lower.length = length;
    ssize_t count;
    do
        count = endpoint.ops->read(&endpoint, out, sizeof out);
    while (count < 0 && errno == EAGAIN);
    assert_int_equal(count, -1);
    assert_int_equal(errno, EMSGSIZE);
    assert_int_equal(close_code(false), 1009);
    lower_end(&endpoint);
}

static void pings_are_sent_and_have_to_be_answered(void **state)
{
    struct ws_wish wish = {.ping_interval = 10, .ping_timeout = 5};
    struct modcat_endpoint endpoint;
    char out[10];
    (void)state;
    lower_begin(&wish, true, NULL, &endpoint);
    struct modcat_attention attention = {.size = sizeof attention};
    endpoint.ops->watch(&endpoint, &attention);
    assert_int_equal(attention.deadline, 10);
    lower.now = 10;
    assert_int_equal(endpoint.ops->attend(&endpoint, &attention), 0);
    assert_memory_equal(lower.sent, "\x89\x00", 2);
    endpoint.ops->watch(&endpoint, &attention);
    assert_int_equal(attention.deadline, 15);
    lower.data = (const uint8_t *)"\x8a\x80"
                                  "1234";
    lower.length = 6;
    while (lower.at < lower.length)
        endpoint.ops->read(&endpoint, out, sizeof out);
    endpoint.ops->watch(&endpoint, &attention);
    assert_int_equal(attention.deadline, 20);
    lower.now = attention.deadline;
    assert_int_equal(endpoint.ops->attend(&endpoint, &attention), 0);
    endpoint.ops->watch(&endpoint, &attention);
    lower.now = attention.deadline;
    assert_int_equal(endpoint.ops->attend(&endpoint, &attention), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_non_null(strstr(lower.log, "has not answered a ping"));
    lower_end(&endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_standards),
        cmocka_unit_test(keys_are_16_bytes_in_base64),
        cmocka_unit_test(requests_are_read_however_they_are_cut),
        cmocka_unit_test(answers_are_read_however_they_are_cut),
        cmocka_unit_test(malformed_heads_are_found_out),
        cmocka_unit_test(heads_have_an_end),
        cmocka_unit_test(offers_of_compression_are_chosen_from),
        cmocka_unit_test(text_is_judged_however_it_is_cut),
        cmocka_unit_test(frames_are_read_however_they_are_cut),
        cmocka_unit_test(packets_are_kept_apart_however_they_are_cut),
        cmocka_unit_test(frames_that_break_the_protocol_end_it_however_they_are_cut),
        cmocka_unit_test(what_is_written_is_read_however_it_is_cut),
        cmocka_unit_test(large_messages_are_read_as_they_were_written),
        cmocka_unit_test(the_last_line_is_sent_at_the_end),
        cmocka_unit_test(what_is_not_text_is_not_sent_as_text),
        cmocka_unit_test(what_is_cut_off_gets_another_code),
        cmocka_unit_test(a_message_that_is_larger_than_allowed_is_not_inflated),
        cmocka_unit_test(pings_are_sent_and_have_to_be_answered),
    };
    return cmocka_run_group_tests_name("ws", tests, NULL, NULL);
}
