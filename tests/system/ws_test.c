/* WebSocket: clients and servers that the test plays, peers of others, and layers. */

#define _GNU_SOURCE
#include "drivers/ws/digest.h"
#include "tests/system/proxies.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BYTES(literal) (literal), sizeof(literal) - 1
#define MEBIBYTE ((size_t)1 << 20)

#define CLOSE "\x88\x02\x03\xe8"
#define MASKED_CLOSE "\x88\x82\0\0\0\0\x03\xe8"

/* A client's frames have a mask; zeros leave the payload as it is. */
#define MASK "\0\0\0\0"

#define ASKED_FOR(path, more)                                                                      \
    "GET " path " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" more "\r\n"
#define ANSWERED                                                                                   \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

/* Reads to the end of a head of HTTP, and no further. */
static const char *receive_head(struct harness *harness, int fd)
{
    char *head = memory(harness, 8192);
    for (size_t length = 0; length < 8191; length++) {
        struct pollfd ready = {fd, POLLIN, 0};
        if (poll(&ready, 1, PATIENCE) <= 0 || read(fd, head + length, 1) != 1)
            harness_fail(harness, "no whole head comes: %s", head);
        if (length > 2 && memcmp(head + length - 3, "\r\n\r\n", 4) == 0)
            return head;
    }
    harness_fail(harness, "the head has no end");
}

/* What the server says to this request, with more headers. */
static const char *answer_to(struct harness *harness, const char *request, const char *more)
{
    static const char name[] = "Sec-WebSocket-Key: ";
    const char *found = strstr(request, name);
    char key[WS_KEY_TEXT], accept[WS_ACCEPT_TEXT];
    if (found == NULL)
        harness_fail(harness, "there is no key: %s", request);
    memcpy(key, found + sizeof name - 1, sizeof key - 1);
    key[sizeof key - 1] = '\0';
    digest_accept(key, accept);
    return text(harness,
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: %s\r\n%s\r\n",
                accept, more);
}

static struct talk begin(struct harness *harness, const char *format)
{
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    const char *address = talk_address(harness, format, port);
    struct talk talk = {
        .program = program_start(harness, "-d", "-d", "-d", "-t", "10", "STDIO", address, NULL)};
    talk.server = peer_accept(harness, listener);
    harness_close(harness, listener);
    return talk;
}

/* The same, with the handshake done. */
static struct talk open_client(struct harness *harness, const char *format, const char *more)
{
    struct talk talk = begin(harness, format);
    const char *request = receive_head(harness, talk.server);
    peer_send(harness, talk.server, answer_to(harness, request, more));
    program_logs(talk.program, " N *WebSocket with the server");
    return talk;
}

/* Reads the next frame, and takes its mask off. Returns the first byte. */
static unsigned receive_frame(struct harness *harness, int fd, char *payload, size_t *length)
{
    unsigned char head[2], mask[4] = {0};
    for (size_t i = 0; i < 2 + 4; i++) {
        struct pollfd ready = {fd, POLLIN, 0};
        unsigned char *byte = i < 2 ? head + i : mask + i - 2;
        if (i >= 2 && (head[1] & 0x80) == 0)
            break;
        if (poll(&ready, 1, PATIENCE) <= 0 || read(fd, byte, 1) != 1)
            harness_fail(harness, "no frame comes");
    }
    *length = head[1] & 0x7f;
    for (size_t i = 0; i < *length; i++) {
        struct pollfd ready = {fd, POLLIN, 0};
        if (poll(&ready, 1, PATIENCE) <= 0 || read(fd, payload + i, 1) != 1)
            harness_fail(harness, "a frame is not complete");
        payload[i] = (char)(payload[i] ^ mask[i % 4]);
    }
    return head[0];
}

static void receives_frame(struct harness *harness, int fd, unsigned first, const char *expected,
                           size_t length)
{
    char payload[128];
    size_t received;
    unsigned got = receive_frame(harness, fd, payload, &received);
    if (got != first || received != length || memcmp(payload, expected, length) != 0)
        harness_fail(harness, "a frame 0x%02x of %zu bytes comes, and not 0x%02x of %zu", got,
                     received, first, length);
}

/* Both say goodbye, the program first. */
static void finish(struct harness *harness, struct talk talk)
{
    program_send(talk.program, "question");
    receives_frame(harness, talk.server, 0x82, BYTES("question"));
    peer_send_bytes(harness, talk.server,
                    BYTES("\x82\x06"
                          "answer"));
    program_outputs(talk.program, "answer");
    peer_send_bytes(harness, talk.server, BYTES(CLOSE));
    receives_frame(harness, talk.server, 0x88, BYTES("\x03\xe8"));
    peer_receives_end(harness, talk.server);
    harness_close(harness, talk.server);
    program_ends(talk.program, 0);
}

static void has_line(struct harness *harness, const char *head, const char *line)
{
    if (strstr(head, text(harness, "\r\n%s\r\n", line)) == NULL)
        harness_fail(harness, "there is no line \"%s\" in %s", line, head);
}

static void a_client_asks_and_talks(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, "WS:" LOOPBACK ":#:/chat?a=b");
    const char *request = receive_head(harness, talk.server);
    assert_int_equal(strncmp(request, "GET /chat?a=b HTTP/1.1\r\nHost: " LOOPBACK ":", 24 + 16), 0);
    has_line(harness, request, "Upgrade: websocket");
    has_line(harness, request, "Connection: Upgrade");
    has_line(harness, request, "Sec-WebSocket-Version: 13");
    assert_null(strstr(request, "Extensions"));
    assert_null(strstr(request, "Protocol"));
    peer_send(harness, talk.server, answer_to(harness, request, ""));
    finish(harness, talk);
}

static void a_client_asks_with_all_that_options_say(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "headers");
    file_write(harness, file, "Authorization: Bearer secret\r\nX-Second: 2\n");
    struct talk talk =
        begin(harness, text(harness,
                            "WS:" LOOPBACK ":#,ws-host=example.org\\:8,ws-header=Cookie\\: a=b,"
                            "ws-header-file=%s,ws-subprotocol=one,ws-subprotocol=two,ws-deflate,"
                            "ws-origin=https\\://example.org",
                            file));
    const char *request = receive_head(harness, talk.server);
    has_line(harness, request, "Host: example.org:8");
    has_line(harness, request, "Cookie: a=b");
    has_line(harness, request, "Authorization: Bearer secret");
    has_line(harness, request, "X-Second: 2");
    has_line(harness, request, "Sec-WebSocket-Protocol: one, two");
    has_line(harness, request, "Sec-WebSocket-Extensions: permessage-deflate");
    has_line(harness, request, "Origin: https://example.org");
    peer_send(harness, talk.server, answer_to(harness, request, "Sec-WebSocket-Protocol: two\r\n"));
    program_logs(talk.program, " N *WebSocket with the server, subprotocol two");
    assert_false(program_has_logged(talk.program, "secret"));
    finish(harness, talk);
}

static void a_layer_names_the_host_below_or_its_own(void **state)
{
    static const struct {
        const char *address;
        const char *line;
    } rows[] = {
        {"WS:/x|TCP:" LOOPBACK ":#", "Host: " LOOPBACK},
        {"WS|TCP:" LOOPBACK ":#", "Host: " LOOPBACK},
        {"WS:far.example:81:/x|TCP:" LOOPBACK ":#", "Host: far.example:81"},
        {"WS:[2001\\:db8\\:\\:1]:443|TCP:" LOOPBACK ":#", "Host: [2001:db8::1]"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk talk = begin(harness, rows[i].address);
        const char *request = receive_head(harness, talk.server);
        has_line(harness, request, rows[i].line);
        peer_send(harness, talk.server, answer_to(harness, request, ""));
        finish(harness, talk);
    }
}

/* What the server sends at once comes with its answer. */
static void takes_answers_that_are_cut_at_any_byte(void **state)
{
    struct harness *harness = *state;
    size_t length = 1, step = SANITIZED ? 7 : 1;
    for (size_t cut = 1; cut < length; cut += step) {
        struct talk talk = begin(harness, "WS:" LOOPBACK ":#");
        const char *answer = answer_to(harness, receive_head(harness, talk.server), "");
        const char *all =
            text(harness, "HTTP/1.1 103 Hints\r\nA: b\r\n\r\n%s\x82\x05hello", answer);
        length = strlen(all);
        peer_send_cut(harness, talk.server, all, length, cut);
        program_outputs(talk.program, "hello");
        peer_send_bytes(harness, talk.server, BYTES(CLOSE));
        receives_frame(harness, talk.server, 0x88, BYTES("\x03\xe8"));
        harness_close(harness, talk.server);
        program_ends(talk.program, 0);
    }
}

static void tells_why_a_server_refuses(void **state)
{
    static const struct {
        const char *answer;
        const char *log;
    } rows[] = {
        {"HTTP/1.1 403 Forbidden\r\n\r\n", "E WS: the server refuses: 403 Forbidden"},
        {"HTTP/1.1 401 No\r\n\r\n", "E WS: the server refuses: 401 No; give the header"},
        {"HTTP/1.1 200 OK\r\n\r\n", "E WS: the server refuses: 200 OK; there is a web page"},
        {"HTTP/1.1 301 Moved\r\nLocation: wss://far/x\r\n\r\n",
         "E WS: the server sends clients elsewhere: 301 Moved: connect to wss://far/x"},
        {"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
         "E WS: the server's answer is none of WebSocket: it changes to another protocol"},
        {ANSWERED "\r\n", "E WS: the server's answer *: Sec-WebSocket-Accept does not belong"},
        {"SSH-2.0-x\r\n", "E WS: the server's answer *: the first line is no answer of HTTP/1"},
        {"HTTP/1.1 101 x\n", "E WS: the server's answer *: a line ends without carriage return"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk talk = begin(harness, "WS:" LOOPBACK ":#");
        receive_head(harness, talk.server);
        peer_send(harness, talk.server, rows[i].answer);
        program_ends_logging(talk.program, 1, rows[i].log);
    }
}

static void tells_what_a_server_chooses_wrongly(void **state)
{
    static const struct {
        const char *option;
        const char *more;
        const char *log;
    } rows[] = {
        {"", "Sec-WebSocket-Extensions: permessage-deflate\r\n",
         "an extension that was not offered"},
        {",ws-deflate", "Sec-WebSocket-Extensions: permessage-deflate; x\r\n", "not understood"},
        {",ws-deflate", "Sec-WebSocket-Extensions: other\r\n", "an extension that was not offered"},
        {"", "Sec-WebSocket-Protocol: x\r\n", "a subprotocol that was not offered"},
        {",subprotocol=y", "Sec-WebSocket-Protocol: x\r\n", "a subprotocol that was not offered"},
        {",subprotocol=y", "", "none of the subprotocols that were offered"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk talk = begin(harness, text(harness, "WS:" LOOPBACK ":#%s", rows[i].option));
        const char *request = receive_head(harness, talk.server);
        peer_send(harness, talk.server, answer_to(harness, request, rows[i].more));
        program_ends_logging(talk.program, 1, text(harness, " E WS: *%s", rows[i].log));
    }
}

static void gives_up_a_server_without_an_answer(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, "WS:" LOOPBACK ":#,ws-handshake-timeout=0.2");
    program_ends_logging(talk.program, 1, " E WS: *the time for the handshake is over");
    talk = begin(harness, "WS:" LOOPBACK ":#");
    receive_head(harness, talk.server);
    peer_end(talk.server);
    program_ends_logging(talk.program, 1, " E WS: the server closed the connection before the end");
    talk = begin(harness, "WS:" LOOPBACK ":#");
    receive_head(harness, talk.server);
    const char *lines = text(harness, "HTTP/1.1 101 x\r\nA: %0*d\r\n", 16400, 1);
    peer_send(harness, talk.server, lines);
    program_ends_logging(talk.program, 1, " E WS: *the headers are longer than 16384 bytes");
}

static void refuses_mistakes_before_it_connects(void **state)
{
    static const struct {
        const char *address;
        const char *log;
    } rows[] = {
        {"WS:" LOOPBACK ":1:x", "a path begins with \"/\""},
        {"WS:" LOOPBACK ":1:/a#b", "blanks, \"#\""},
        {"WS:/a:b|TCP:" LOOPBACK ":1", "here is the place of the host"},
        {"WS:" LOOPBACK ":1,ws-header=x", "a header is a name, a colon and a value"},
        {"WS:" LOOPBACK ":1,ws-header=Host\\: x", "this header is made by the handshake"},
        {"WS:" LOOPBACK ":1,ws-subprotocol=a b", "a subprotocol is a word"},
        {"WS:" LOOPBACK ":1,ws-lines,ws-messages", "use only one of the options"},
        {"WS:" LOOPBACK ":1,ws-ping-timeout=1", "ws-ping"},
        {"WS:h:1:/|TCP-LISTEN:0,bind=" LOOPBACK, "a server has a path, and no host and port"},
        {"WS,ws-host=x|TCP-LISTEN:0,bind=" LOOPBACK, "only clients ask for a host"},
        {"WS:" LOOPBACK ":1,ws-header-file=/nonexistent", "/nonexistent"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct program *program = program_start(harness, "STDIO", rows[i].address, NULL);
        program_ends_logging(program, 1, rows[i].log);
    }
}

static struct program *serve(struct harness *harness, const char *options, const char *other,
                             unsigned *port)
{
    struct program *server = program_start(
        harness, "-d", "-d", "-t", "10",
        text(harness, "WS:/x%s|TCP4-LISTEN:0,fork,bind=" LOOPBACK, options), other, NULL);
    *port = program_port(server);
    return server;
}

/* The client and the server say goodbye, and the server closes the connection. */
static void client_leaves(struct harness *harness, int client)
{
    peer_send_bytes(harness, client, BYTES(MASKED_CLOSE));
    receives_frame(harness, client, 0x88, BYTES("\x03\xe8"));
    peer_receives_end(harness, client);
    harness_close(harness, client);
}

/* Asks and is let in. */
static int enter(struct harness *harness, unsigned port, const char *request)
{
    int client = peer_connect(harness, LOOPBACK, port);
    peer_send(harness, client, request);
    const char *answer = receive_head(harness, client);
    if (strncmp(answer, ANSWERED, sizeof ANSWERED - 1) != 0)
        harness_fail(harness, "the answer is %s", answer);
    return client;
}

static void echoes(struct harness *harness, int client)
{
    peer_send_bytes(harness, client, BYTES("\x82\x85" MASK "hello"));
    receives_frame(harness, client, 0x82, BYTES("hello"));
    client_leaves(harness, client);
}

/* A stream, in whatever messages. */
static void receives_data(struct harness *harness, int fd, const char *expected, size_t length)
{
    char data[256];
    size_t received = 0, count;
    while (received < length) {
        if (receive_frame(harness, fd, data + received, &count) != 0x82)
            harness_fail(harness, "no data comes");
        received += count;
    }
    if (received != length || memcmp(data, expected, length) != 0)
        harness_fail(harness, "other data comes: %.*s", (int)received, data);
}

static void a_server_takes_requests_that_are_cut_at_any_byte(void **state)
{
    static const char all[] = ASKED_FOR("/x?query", "") "\x82\x85\0\0\0\0hello";
    struct harness *harness = *state;
    unsigned port;
    serve(harness, "", "PIPE", &port);
    for (size_t cut = 1; cut < sizeof all - 1; cut += SANITIZED ? 7 : 1) {
        int client = peer_connect(harness, LOOPBACK, port);
        peer_send_cut(harness, client, all, sizeof all - 1, cut);
        receive_head(harness, client);
        receives_data(harness, client, BYTES("hello"));
        client_leaves(harness, client);
    }
}

static void a_server_says_what_is_wrong_with_a_request(void **state)
{
    static const struct {
        const char *request;
        const char *status;
    } rows[] = {
        {"POST /x HTTP/1.1\r\nHost: h\r\n\r\n", "405"},
        {ASKED_FOR("/y", ""), "404"},
        {"GET /x HTTP/1.1\r\n\r\n", "400"},
        {"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "426"},
        {"GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 8\r\n\r\n",
         "426"},
        {"GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
         "400"},
        {ASKED_FOR("/x", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), "400"},
        {ASKED_FOR("/x", "Content-Length: 5\r\n"), "400"},
        {ASKED_FOR("/x", "Transfer-Encoding: chunked\r\n"), "400"},
        {"GET /x HTTP/1.0\r\n\r\n", "505"},
        {"hello\r\n", "400"},
        {"\x16\x03\x01\x02", "400"},
    };
    struct harness *harness = *state;
    unsigned port;
    struct program *server = serve(harness, "", "PIPE", &port);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int client = peer_connect(harness, LOOPBACK, port);
        peer_send(harness, client, rows[i].request);
        const char *answer = receive_head(harness, client);
        if (strncmp(answer + 9, rows[i].status, 3) != 0)
            harness_fail(harness, "request %zu: the answer is %s", i, answer);
        harness_close(harness, client);
        program_logs(server,
                     text(harness, " W WS: client refused with status %s: ", rows[i].status));
    }
    int client = peer_connect(harness, LOOPBACK, port);
    peer_send(harness, client, text(harness, "GET /x HTTP/1.1\r\nA: %0*d\r\n\r\n", 16400, 1));
    assert_non_null(strstr(receive_head(harness, client), " 431 "));
    echoes(harness, enter(harness, port, ASKED_FOR("/x", "")));
}

static void a_server_without_fork_waits_for_the_next_client(void **state)
{
    struct harness *harness = *state;
    struct program *server = program_start(harness, "-d", "-d", "-t", "10",
                                           "WS|TCP4-LISTEN:0,bind=" LOOPBACK, "STDIO", NULL);
    unsigned port = program_port(server);
    int client = peer_connect(harness, LOOPBACK, port);
    harness_close(harness, client);
    program_logs(server, " W WS: client refused: it closed the connection");
    client = peer_connect(harness, LOOPBACK, port);
    peer_send(harness, client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    receive_head(harness, client);
    harness_close(harness, client);
    client = enter(harness, port, ASKED_FOR("/any", ""));
    program_send(server, "hello");
    receives_frame(harness, client, 0x82, BYTES("hello"));
    client_leaves(harness, client);
    program_ends(server, 0);
}

static void a_server_gives_up_a_client_that_says_nothing(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    struct program *server = serve(harness, ",ws-handshake-timeout=0.2", "PIPE", &port);
    int client = peer_connect(harness, LOOPBACK, port);
    assert_non_null(strstr(receive_head(harness, client), " 408 "));
    program_logs(server, " W WS: client refused with status 408");
}

static void a_server_lets_in_its_origins(void **state)
{
    static const struct {
        const char *options;
        const char *header;
        const char *status;
    } rows[] = {
        {",origin=https\\://a.example", "Origin: https://A.example\r\n", "101"},
        {",origin=https\\://a.example", "Origin: https://b.example\r\n", "403"},
        {",origin=https\\://a.example", "Origin: https://a.example.b\r\n", "403"},
        {",origin=https\\://a.example", "", "403"},
        {",origin=https\\://a.example,origin=", "", "101"},
        {",origin=https\\://b.example,origin=https\\://a.example", "Origin: https://b.example\r\n",
         "101"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned port;
        struct program *server = serve(harness, rows[i].options, "PIPE", &port);
        int client = peer_connect(harness, LOOPBACK, port);
        peer_send(harness, client, text(harness, ASKED_FOR("/x", "%s"), rows[i].header));
        const char *answer = receive_head(harness, client);
        if (strncmp(answer + 9, rows[i].status, 3) != 0)
            harness_fail(harness, "row %zu: the answer is %s", i, answer);
        program_signal(server, 15);
        program_end(server);
    }
}

static void a_server_chooses_the_subprotocol_that_it_likes_best(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    serve(harness, ",subprotocol=\"one,two\",ws-header=Server\\: m", "PIPE", &port);
    int client = peer_connect(harness, LOOPBACK, port);
    peer_send(harness, client, ASKED_FOR("/x", "Sec-WebSocket-Protocol: three, two, one\r\n"));
    const char *answer = receive_head(harness, client);
    has_line(harness, answer, "Sec-WebSocket-Protocol: one");
    has_line(harness, answer, "Server: m");
    client = peer_connect(harness, LOOPBACK, port);
    peer_send(harness, client, ASKED_FOR("/x", "Sec-WebSocket-Protocol: One\r\n"));
    assert_non_null(strstr(receive_head(harness, client), " 400 "));
}

/* Each row: what a client sends, and the code of the server's Close. */
static void frames_that_break_the_protocol_end_one_session_alone(void **state)
{
    static const struct {
        const char *frames;
        size_t length;
        const char *code;
        const char *log;
    } rows[] = {
        {BYTES("\x82\x01x"), "\x03\xea", "without a mask"},
        {BYTES("\xf2\x81" MASK "x"), "\x03\xea", "reserved bits"},
        {BYTES("\x89\xfe\x00\x7e" MASK "x"), "\x03\xea", "longer than 125 bytes"},
        {BYTES("\x81\x82" MASK "\xc3("), "\x03\xef", "not UTF-8"},
        {BYTES("\x88\x82" MASK "\x03\xed"), "\x03\xea", "code 1005, which there is not"},
        {BYTES("\x82\xfe\x10\x01" MASK "x"), "\x03\xf1", "longer than 4096 bytes"},
    };
    struct harness *harness = *state;
    unsigned port;
    struct program *server = serve(harness, ",ws-max-message=4096", "PIPE", &port);
    int other = enter(harness, port, ASKED_FOR("/x", ""));
    for (size_t i = 0; i < COUNT(rows); i++) {
        int client = enter(harness, port, ASKED_FOR("/x", ""));
        peer_send_bytes(harness, client, rows[i].frames, rows[i].length);
        receives_frame(harness, client, 0x88, rows[i].code, 2);
        peer_receives_end(harness, client);
        harness_close(harness, client);
        program_logs(server, text(harness, " E *WS: *%s", rows[i].log));
    }
    echoes(harness, other);
}

static void an_end_without_a_goodbye_is_an_error(void **state)
{
    struct harness *harness = *state;
    struct talk talk = open_client(harness, "WS:" LOOPBACK ":#", "");
    peer_send_bytes(harness, talk.server, BYTES("\x82\x05hello"));
    program_outputs(talk.program, "hello");
    harness_close(harness, talk.server);
    program_ends_logging(talk.program, 1,
                         " E WS to " LOOPBACK ": the peer closed the connection without a goodbye");
}

static void a_peer_may_say_why_it_ends(void **state)
{
    struct harness *harness = *state;
    struct talk talk = open_client(harness, "WS:" LOOPBACK ":#", "");
    peer_send_bytes(harness, talk.server, BYTES("\x88\x06\x03\xf3oops"));
    receives_frame(harness, talk.server, 0x88, BYTES("\x03\xf3"));
    harness_close(harness, talk.server);
    program_ends_logging(talk.program, 1, " E WS *: the peer closes with code 1011: oops");
    talk = open_client(harness, "WS:" LOOPBACK ":#", "");
    peer_send_bytes(harness, talk.server, BYTES("\x88\x02\x03\xe9"));
    receives_frame(harness, talk.server, 0x88, BYTES("\x03\xe9"));
    harness_close(harness, talk.server);
    program_ends(talk.program, 0);
}

static void the_goodbye_is_said_when_the_input_has_ended(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-d", "-d", "-u", "STDIO",
                      text(harness, "WS:" LOOPBACK ":%u,ws-lines", port), NULL);
    int server = peer_accept(harness, listener);
    peer_send(harness, server, answer_to(harness, receive_head(harness, server), ""));
    program_send(program, "one\ntw");
    receives_frame(harness, server, 0x82, BYTES("one"));
    receives_frame(harness, server, 0x02, BYTES("tw"));
    program_end_input(program);
    receives_frame(harness, server, 0x80, BYTES(""));
    receives_frame(harness, server, 0x88, BYTES("\x03\xe8"));
    peer_send_bytes(harness, server, BYTES(CLOSE));
    peer_receives_end(harness, server);
    harness_close(harness, server);
    program_ends(program, 0);
}

static void lines_and_text_become_messages(void **state)
{
    struct harness *harness = *state;
    struct talk talk = open_client(harness, "WS:" LOOPBACK ":#,ws-lines,ws-text", "");
    program_send(talk.program, "one\n\n\xc3\xa4\n");
    receives_frame(harness, talk.server, 0x81, BYTES("one"));
    receives_frame(harness, talk.server, 0x81, BYTES(""));
    receives_frame(harness, talk.server, 0x81, BYTES("\xc3\xa4"));
    peer_send_bytes(harness, talk.server,
                    BYTES("\x81\x01"
                          "a\x01\x01"
                          "b\x80\x01"
                          "c"));
    program_outputs(talk.program, "a\nbc\n");
    program_send(talk.program, "\xff\n");
    receives_frame(harness, talk.server, 0x88, BYTES("\x03\xf3"));
    harness_close(harness, talk.server);
    program_ends_logging(talk.program, 1, " E WS *: what is to be sent is not UTF-8");
}

static void packets_become_messages(void **state)
{
    struct harness *harness = *state;
    int pair[2];
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        harness_fail(harness, "socketpair()");
    const char *const arguments[] = {"-t", "10", "FD:3",
                                     text(harness, "WS:" LOOPBACK ":%u,ws-messages", port), NULL};
    struct program *program = program_launch(
        harness, &(struct launch){.arguments = arguments, .extra = harness_keep(harness, pair[1])});
    int packets = harness_keep(harness, pair[0]), server = peer_accept(harness, listener);
    peer_send(harness, server, answer_to(harness, receive_head(harness, server), ""));
    peer_send_bytes(harness, packets, BYTES("one"));
    peer_send_bytes(harness, packets, BYTES("two"));
    receives_frame(harness, server, 0x82, BYTES("one"));
    receives_frame(harness, server, 0x82, BYTES("two"));
    peer_send_bytes(harness, server,
                    BYTES("\x02\x02th\x80\x03ree\x82\x04"
                          "four"));
    peer_receives_bytes(harness, packets, BYTES("three"));
    peer_receives_bytes(harness, packets, BYTES("four"));
    peer_send_bytes(harness, server, BYTES(CLOSE));
    receives_frame(harness, server, 0x88, BYTES("\x03\xe8"));
    harness_close(harness, server);
    program_ends(program, 0);
}

static void a_ping_is_answered_and_has_to_be(void **state)
{
    struct harness *harness = *state;
    struct talk talk = open_client(harness, "WS:" LOOPBACK ":#", "");
    peer_send_bytes(harness, talk.server, BYTES("\x89\x04ping"));
    receives_frame(harness, talk.server, 0x8a, BYTES("ping"));
    finish(harness, talk);
    talk = open_client(harness, "WS:" LOOPBACK ":#,ws-ping=0.05,ws-ping-timeout=0.3", "");
    for (int i = 0; i < 3; i++) {
        receives_frame(harness, talk.server, 0x89, "", 0);
        peer_send_bytes(harness, talk.server, BYTES("\x8a\x00"));
    }
    receives_frame(harness, talk.server, 0x89, "", 0);
    receives_frame(harness, talk.server, 0x88, BYTES("\x03\xe9"));
    harness_close(harness, talk.server);
    program_ends_logging(talk.program, 1, " E WS *: the peer has not answered a ping for 0.3");
}

/* Nothing is on its way any more at the end, which is told after the time of -t.
 *
 * A client of TCP, two programs with a WebSocket between them, and a server of TCP. */
static void relays_both_ways(struct harness *harness, const char *options, const char *below,
                             size_t length)
{
    unsigned port, way;
    int listener = peer_listen(harness, LOOPBACK, &port);
    serve(harness, options, text(harness, "TCP:" LOOPBACK ":%u", port), &way);
    struct program *near =
        program_start(harness, "-d", "-d", "-t", "1", "TCP-LISTEN:0,bind=" LOOPBACK,
                      text(harness, "WS:/x%s|%s:%u", options, below, way), NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(near));
    int server = peer_accept(harness, listener);
    struct flow flows[] = {
        {.write_fd = client, .read_fd = server, .seed = 1, .length = length},
        {.write_fd = server, .read_fd = client, .seed = 2, .length = length},
    };
    flows[0].open_end = flows[1].open_end = true;
    flows_run(harness, flows, 2);
    peer_end(client);
    peer_receives_end(harness, server);
    harness_close(harness, server);
    program_ends(near, 0);
}

static void relays_64_mib_both_ways(void **state)
{
    relays_both_ways(*state, "", "TCP:" LOOPBACK, 64 * MEBIBYTE);
}

static void relays_compressed_both_ways(void **state)
{
    relays_both_ways(*state, ",ws-deflate", "TCP:" LOOPBACK, 8 * MEBIBYTE);
}

/* nginx passes the frames on as they are, behind a handshake of its own. */
static void goes_through_nginx(void **state)
{
    struct harness *harness = *state;
    unsigned port, way;
    int listener = peer_listen(harness, LOOPBACK, &port);
    serve(harness, "", text(harness, "TCP:" LOOPBACK ":%u", port), &way);
    unsigned proxy = nginx_start_http(harness, way);
    struct program *near =
        program_start(harness, "-d", "-d", "-t", "1", "TCP-LISTEN:0,bind=" LOOPBACK,
                      text(harness, "WS:" LOOPBACK ":%u:/x", proxy), NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(near));
    int server = peer_accept(harness, listener);
    struct flow flows[] = {
        {.write_fd = client, .read_fd = server, .seed = 1, .length = 32 * MEBIBYTE},
        {.write_fd = server, .read_fd = client, .seed = 2, .length = 32 * MEBIBYTE},
    };
    flows[0].open_end = flows[1].open_end = true;
    flows_run(harness, flows, 2);
    peer_end(client);
    peer_receives_end(harness, server);
    harness_close(harness, server);
    program_ends(near, 0);
}

/* Clients and servers of the package python3-websockets. */
static const char echo_script[] =
    "import asyncio, sys\n"
    "import websockets\n"
    "async def echo(ws):\n"
    "    async for message in ws:\n"
    "        await ws.send(message)\n"
    "async def main():\n"
    "    async with websockets.serve(echo, '127.0.0.1', 0, max_size=None,\n"
    "                                compression=sys.argv[1] or None) as server:\n"
    "        print(server.sockets[0].getsockname()[1], flush=True)\n"
    "        await asyncio.Future()\n"
    "asyncio.run(main())\n";
static const char ask_script[] =
    "import asyncio, os, sys\n"
    "import websockets\n"
    "async def main():\n"
    "    async with websockets.connect(sys.argv[1], max_size=None,\n"
    "                                  compression=sys.argv[2] or None) as ws:\n"
    "        for sent in [b'one', os.urandom(100), 5 * os.urandom(20000), b'x' * 3000000]:\n"
    "            await ws.send(sent)\n"
    "            got = b''\n"
    "            while len(got) < len(sent):\n"
    "                got += await ws.recv()\n"
    "            assert got == sent\n"
    "        await ws.ping()\n"
    "        await (await ws.ping())\n"
    "    assert ws.close_code == 1000, ws.close_code\n"
    "    print('done')\n"
    "asyncio.run(main())\n";

static struct program *python(struct harness *harness, const char *script, const char *first,
                              const char *second)
{
    if (access("/usr/lib/python3/dist-packages/websockets", R_OK) != 0 ||
        access("/usr/bin/python3", X_OK) != 0)
        skip_because("python3-websockets is not installed");
    const char *const arguments[] = {"-c", script, first, second, NULL};
    return program_launch(harness,
                          &(struct launch){.program = "/usr/bin/python3", .arguments = arguments});
}

static const char *const compressions[] = {"", "deflate"};

static void talks_to_a_server_in_python(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(compressions); i++) {
        struct program *server = python(harness, echo_script, compressions[i], NULL);
        struct pollfd ready = {program_take_output(server), POLLIN, 0};
        char port[16] = "";
        if (poll(&ready, 1, PATIENCE) <= 0 || read(ready.fd, port, sizeof port - 1) <= 0)
            harness_fail(harness, "the server does not start");
        struct program *bridge =
            program_start(harness, "-d", "-d", "-t", "1", "TCP-LISTEN:0,bind=" LOOPBACK,
                          text(harness, "WS:" LOOPBACK ":%ld%s", number_in(harness, port),
                               i == 0 ? "" : ",ws-deflate"),
                          NULL);
        int client = peer_connect(harness, LOOPBACK, program_port(bridge));
        program_logs(
            bridge, text(harness, " N *WebSocket with the server%s", i == 0 ? "" : ", compressed"));
        struct flow flow = {.write_fd = client,
                            .read_fd = client,
                            .seed = 3,
                            .length = 8 * MEBIBYTE,
                            .open_end = true};
        flows_run(harness, &flow, 1);
        program_signal(server, 15);
        peer_end(client);
        harness_close(harness, client);
        program_end(bridge);
        program_end(server);
    }
}

static void a_client_in_python_talks_to_a_server(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(compressions); i++) {
        unsigned port;
        struct program *server = serve(harness, i == 0 ? "" : ",ws-deflate", "PIPE", &port);
        struct program *client = python(
            harness, ask_script, text(harness, "ws://" LOOPBACK ":%u/x", port), compressions[i]);
        program_logs(server,
                     text(harness, " N *WebSocket with a client%s", i == 0 ? "" : ", compressed"));
        program_outputs(client, "done\n");
        program_ends(client, 0);
    }
}

/* All are open at the same time, and each gets its own bytes. */
static void many_sessions_share_a_process(void **state)
{
    enum { SESSIONS = 200 };
    struct harness *harness = *state;
    int clients[SESSIONS];
    struct program *server = program_start(
        harness, "-d", "-d", "-t", "10",
        "WS,ws-ping=60|TCP4-LISTEN:0,fork=session,backlog=256,bind=" LOOPBACK, "PIPE", NULL);
    unsigned port = program_port(server);
    for (int i = 0; i < SESSIONS; i++)
        clients[i] = enter(harness, port, ASKED_FOR("/", ""));
    for (int i = 0; i < SESSIONS; i++)
        peer_send_bytes(harness, clients[i],
                        (char[]){(char)0x82, (char)0x82, 0, 0, 0, 0, (char)i, 'x'}, 8);
    for (int i = 0; i < SESSIONS; i++)
        receives_frame(harness, clients[i], 0x82, (char[]){(char)i, 'x'}, 2);
    for (int i = 0; i < SESSIONS; i++) {
        client_leaves(harness, clients[i]);
    }
    program_signal(server, 15);
    program_ends(server, 143);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_client_asks_and_talks),
        SYSTEM_TEST(a_client_asks_with_all_that_options_say),
        SYSTEM_TEST(a_layer_names_the_host_below_or_its_own),
        SYSTEM_TEST(takes_answers_that_are_cut_at_any_byte),
        SYSTEM_TEST(tells_why_a_server_refuses),
        SYSTEM_TEST(tells_what_a_server_chooses_wrongly),
        SYSTEM_TEST(gives_up_a_server_without_an_answer),
        SYSTEM_TEST(refuses_mistakes_before_it_connects),
        SYSTEM_TEST(a_server_takes_requests_that_are_cut_at_any_byte),
        SYSTEM_TEST(a_server_says_what_is_wrong_with_a_request),
        SYSTEM_TEST(a_server_without_fork_waits_for_the_next_client),
        SYSTEM_TEST(a_server_gives_up_a_client_that_says_nothing),
        SYSTEM_TEST(a_server_lets_in_its_origins),
        SYSTEM_TEST(a_server_chooses_the_subprotocol_that_it_likes_best),
        SYSTEM_TEST(frames_that_break_the_protocol_end_one_session_alone),
        SYSTEM_TEST(an_end_without_a_goodbye_is_an_error),
        SYSTEM_TEST(a_peer_may_say_why_it_ends),
        SYSTEM_TEST(the_goodbye_is_said_when_the_input_has_ended),
        SYSTEM_TEST(lines_and_text_become_messages),
        SYSTEM_TEST(packets_become_messages),
        SYSTEM_TEST(a_ping_is_answered_and_has_to_be),
        SYSTEM_TEST(relays_64_mib_both_ways),
        SYSTEM_TEST(relays_compressed_both_ways),
        SYSTEM_TEST(goes_through_nginx),
        SYSTEM_TEST(talks_to_a_server_in_python),
        SYSTEM_TEST(a_client_in_python_talks_to_a_server),
        SYSTEM_TEST(many_sessions_share_a_process),
    };
    return cmocka_run_group_tests_name("ws", tests, NULL, NULL);
}
