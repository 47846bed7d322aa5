/* What socat's advisories tell of, one test each: this program is not affected. */

#define _GNU_SOURCE
#include "tests/system/proxies.h"
#include "tests/system/terminal.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Lengths at the edges of buffers that were too short once, and longer ones. */
static const size_t lengths[] = {255, 256, 511, 512, 513, 1024, 4097, 32767, 32768, 65536, 100000};

/* So many of one letter. */
static const char *many(struct harness *harness, size_t count, char letter)
{
    char *result = memory(harness, count + 1);
    memset(result, letter, count);
    result[count] = '\0';
    return result;
}

/* It may succeed or fail with a message, but must not crash; sanitizers end with another status. */
static void ends_orderly(struct harness *harness, struct program *program)
{
    int status = program_end(program);
    if (status != 0 && status != 1)
        harness_fail(harness, "status %d", status);
    assert_null(strstr(program_log(program), "Sanitizer"));
}

/* Reads until the program has closed the connection. */
static void drain(int fd)
{
    char bytes[4096];
    ssize_t count;
    do
        count = read(fd, bytes, sizeof bytes);
    while (count > 0 || (count < 0 && errno == EINTR));
}

/* What a peer says is never taken for a format, neither in a file nor in syslog. */
static void cve_2004_1484_a_peer_does_not_format_messages(void **state)
{
    static const char *const destinations[] = {"-ly", "-lydaemon", "-ls", "-lu"};
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(destinations); i++) {
        unsigned port;
        int listener = peer_listen(harness, LOOPBACK, &port);
        struct program *program = program_start(
            harness, "-d", "-d", "-d", destinations[i], "-",
            text(harness, "PROXY:" LOOPBACK ":%%n%%s%%n:80,proxyport=%u", port), NULL);
        int proxy = peer_accept(harness, listener);
        peer_send(harness, proxy, "HTTP/1.0 403 %n%n%n%s%s%s%99999999d\r\n\r\n");
        program_ends(program, 1);
        if (destinations[i][2] != 'y')
            assert_non_null(strstr(program_log(program), "%n%n%n%s%s%s%99999999d"));
    }
}

/* Each row: what stands before a long word, and behind it. */
static void cve_2010_2799_long_and_nested_words_of_commands_overflow_nothing(void **state)
{
    static const struct {
        const char *before, *after;
        bool echoed;
    } rows[] = {
        {"EXEC:echo ", "", true},
        {"EXEC:echo '", "'", true},
        {"EXEC:\"echo ", "\"", true},
        {"EXEC:'echo \"", "\"'", true},
        {"EXEC:\"echo 'x\\\"", "'\"", false},
        {"EXEC:'", "", false},
        {"EXEC:\"'", "\"'", false},
        {"EXEC:([{", "}])", false},
        {"SYSTEM:\"true '", "'\"", false},
        {"EXEC:", " x", false},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < COUNT(lengths); k++) {
            const char *word = many(harness, lengths[k], 'a');
            struct program *program =
                program_start(harness, "-U", "-",
                              text(harness, "%s%s%s", rows[i].before, word, rows[i].after), NULL);
            ends_orderly(harness, program);
            if (rows[i].echoed && lengths[k] < 32000)
                assert_string_equal(program_output(program, NULL), text(harness, "%s\n", word));
        }
}

#ifdef WITH_READLINE
/* What the peer has said last, without an end of line, is the prompt. */
static void cve_2012_0219_a_long_prompt_overflows_nothing(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; lengths[i] < 5000; i++) {
        struct terminal *terminal = terminal_open(harness);
        unsigned port;
        int listener = peer_listen(harness, LOOPBACK, &port);
        struct program *program =
            terminal_start(terminal, "READLINE", text(harness, "TCP:" LOOPBACK ":%u", port), NULL);
        int server = peer_accept(harness, listener);
        peer_send(harness, server, many(harness, lengths[i], 'p'));
        terminal_shows(terminal, "ppp");
        terminal_type(terminal, "typed\r");
        peer_receives(harness, server, "typed\n");
        program_signal(program, SIGTERM);
        program_ends(program, 128 + SIGTERM);
    }
}
#endif

static void cve_2013_3571_refused_peers_leave_no_descriptors(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "TCP-LISTEN:0,fork,bind=" LOOPBACK ",range=192.0.2.0/24",
                      "PIPE", NULL);
    unsigned port = program_port(program);
    size_t before = process_descriptors(program_pid(program));
    for (int i = 0; i < (SANITIZED ? 100 : 1000); i++) {
        int client = peer_connect(harness, LOOPBACK, port);
        drain(client);
        harness_close(harness, client);
    }
    process_awaits_descriptors(harness, program_pid(program), before);
    assert_int_equal(process_children(program_pid(program)), 0);
    program_signal(program, SIGTERM);
    program_ends(program, 128 + SIGTERM);
}

/* A name of 255 bytes is the longest there is; longer ones are refused before anything is
 * opened. */
static void cve_2014_0019_a_long_target_of_a_proxy_overflows_nothing(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        const char *host = many(harness, lengths[i], 'h');
        const char *request = text(harness, "CONNECT %s:80 HTTP/1.0\r\n\r\n", host);
        struct program *program = program_start(
            harness, "-", text(harness, "PROXY:" LOOPBACK ":%s:80,proxyport=%u", host, port), NULL);
        if (lengths[i] <= 255) {
            int proxy = peer_accept(harness, listener);
            peer_receives_bytes(harness, proxy, request, strlen(request));
            peer_send(harness, proxy, "HTTP/1.0 403 no\r\n\r\n");
        }
        program_ends(program, 1);
        ends_orderly(harness,
                     program_start(harness, "-",
                                   text(harness, "PROXY:%s:h:80", many(harness, lengths[i], '1')),
                                   NULL));
    }
}

static void cve_2014_0019_nor_does_a_long_line_of_a_proxy(void **state)
{
    static const char *const lines[] = {"", "HTTP/1.0 200 ", "HTTP/1.0 200 OK\r\nX: "};
    struct harness *harness = *state;
    for (size_t k = 0; k < COUNT(lines); k++)
        for (size_t i = 0; i < COUNT(lengths); i++) {
            unsigned port;
            int listener = peer_listen(harness, LOOPBACK, &port);
            struct program *program =
                program_start(harness, "-d", "-d", "-d", "-U", "-",
                              text(harness, "PROXY:" LOOPBACK ":h:80,proxyport=%u", port), NULL);
            int proxy = peer_accept(harness, listener);
            const char *said = text(harness, "%s%s", lines[k], many(harness, lengths[i], 'x'));
            (void)!send(proxy, said, strlen(said), MSG_NOSIGNAL);
            peer_end(proxy);
            drain(proxy);
            ends_orderly(harness, program);
        }
}

/* Signals come while messages are written; a deadlock would be one for ever. */
static void cve_2015_1379_signals_and_messages_do_not_deadlock(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-d", "-d", "-d", "-d", "-lu",
                                            "TCP-LISTEN:0,fork,bind=" LOOPBACK, "PIPE", NULL);
    unsigned port = program_port(program);
    for (int i = 0; i < (SANITIZED ? 20 : 200); i++) {
        int client = peer_connect(harness, LOOPBACK, port);
        for (int k = 0; k < 50; k++) {
            program_signal(program, SIGUSR1);
            program_signal(program, SIGCHLD);
        }
        peer_send(harness, client, "ping");
        peer_receives(harness, client, "ping");
        harness_close(harness, client);
    }
    program_signal(program, SIGTERM);
    program_ends(program, 128 + SIGTERM);
}

/* Each row: what stands before and behind a word that is too long. */
static void socat_advisory_8_long_arguments_overflow_nothing(void **state)
{
    static const struct {
        const char *option, *before, *after;
    } rows[] = {
        {"-d", "", ""},
        {"-d", "", ":x"},
        {"-d", "TCP:", ":1"},
        {"-d", "TCP:" LOOPBACK ":", ""},
        {"-d", "OPEN:/dev/null,", ""},
        {"-d", "OPEN:/dev/null,", "=1"},
        {"-d", "OPEN:/dev/null,mode=", ""},
        {"-d", "OPEN:/dev/null,lockfile=", ""},
        {"-d", "OPEN:/no/such/", ""},
        {"-d", "UNIX-CONNECT:", ""},
        {"-d", "UNIX-LISTEN:", ""},
        {"-d", "ABSTRACT-CONNECT:", ""},
        {"-d", "STDIN!!", ""},
        {"-d", "", "|TCP:x:1"},
        {"-d", "'", ""},
        {"-d", "\"", "\""},
    };
    static const char fillings[] = {'\r', 'a', '1', '(', '\\', ',', ':', '\'', '!', '|'};
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < COUNT(lengths); k += SANITIZED ? 3 : 1)
            for (size_t f = 0; f < COUNT(fillings); f += SANITIZED ? 2 : 1)
                ends_orderly(harness, program_start(harness, rows[i].option, "-u", "/dev/null",
                                                    text(harness, "%s%s%s", rows[i].before,
                                                         many(harness, lengths[k], fillings[f]),
                                                         rows[i].after),
                                                    NULL));
}

/* No script writes to a name in /tmp that others can put there before. */
static void cve_2024_54661_scripts_use_no_name_in_tmp_that_can_be_guessed(void **state)
{
    struct harness *harness = *state;
    const char *source = getenv("srcdir");
    const char *const arguments[] = {
        "-c",
        text(harness,
             "cd '%s' && for folder in tools completions examples debian .ci autogen.sh; do"
             " test ! -e $folder || echo $folder; done | xargs grep -rnE '/tmp|TMPDIR|mktemp -u'",
             source != NULL ? source : "."),
        NULL};
    struct program *program =
        program_launch(harness, &(struct launch){.arguments = arguments, .program = "sh"});
    if (program_end(program) != 123 || program_output(program, NULL)[0] != '\0')
        harness_fail(harness, "found: %s", program_output(program, NULL));
}

/* Replies of a SOCKS 5 server, which one program gets one after the other. */
struct replies {
    struct harness *harness;
    struct program *program;
    int listener;
};

static struct replies replies_begin(struct harness *harness, const char *type)
{
    unsigned port;
    struct replies replies = {.harness = harness};
    replies.listener = peer_listen(harness, LOOPBACK, &port);
    replies.program = program_start(
        harness, "-d", "-d",
        text(harness, "%s:" LOOPBACK ":%u:192.0.2.1:1,fork,forever,interval=0.001", type, port),
        "PIPE", NULL);
    return replies;
}

static void replies_end(struct replies *replies)
{
    program_signal(replies->program, SIGTERM);
    program_ends(replies->program, 128 + SIGTERM);
    assert_null(strstr(program_log(replies->program), "Sanitizer"));
    assert_false(program_has_logged(replies->program, "child * exited on signal"));
}

/* The program gives up the connection, and goes on to the next one. */
static void reply_cut(const struct replies *replies, const void *reply, size_t length)
{
    int server = peer_accept(replies->harness, replies->listener);
    peer_send_bytes(replies->harness, server, "\5\0", 2);
    peer_send_bytes(replies->harness, server, reply, length);
    peer_end(server);
    drain(server);
    harness_close(replies->harness, server);
}

/* What follows a whole reply is data. */
static void reply_whole(const struct replies *replies, const void *reply, size_t length,
                        size_t count)
{
    int server = peer_accept(replies->harness, replies->listener);
    peer_send_bytes(replies->harness, server, "\5\0", 2);
    for (size_t i = 0; i < count; i++)
        peer_send_bytes(replies->harness, server, reply, length);
    peer_send(replies->harness, server, "ping");
    peer_receives_bytes(replies->harness, server, "\5\1\0", 3);
    peer_receives_bytes(replies->harness, server,
                        count == 1 ? "\5\1\0\1\xc0\0\2\1\0\1" : "\5\2\0\1\xc0\0\2\1\0\1", 10);
    peer_receives(replies->harness, server, "ping");
    peer_end(server);
    harness_close(replies->harness, server);
}

/* A granting reply with this kind of address; for a name its length is the first byte. */
static size_t make_reply(unsigned char *reply, int kind, size_t name_length)
{
    size_t length = kind == 1 ? 4 : kind == 4 ? 16 : kind == 3 ? 1 + name_length : 0;
    memcpy(reply, (const unsigned char[]){5, 0, 0, (unsigned char)kind}, 4);
    memset(reply + 4, 'n', length + 2);
    if (kind == 3)
        reply[4] = (unsigned char)name_length;
    return 4 + length + 2;
}

static void try_all_replies(const struct replies *replies, size_t count)
{
    unsigned char reply[300];
    const size_t step = SANITIZED ? 5 : 1;
    for (size_t name = 0; name <= 255; name += step)
        reply_whole(replies, reply, make_reply(reply, 3, name), count);
    reply_whole(replies, reply, make_reply(reply, 1, 0), count);
    reply_whole(replies, reply, make_reply(reply, 4, 0), count);
    for (int kind = 0; kind < 256; kind += kind < 8 ? 1 : (int)(8 * step)) {
        size_t length = make_reply(reply, kind, 255);
        for (size_t cut = 0; cut<length; cut += length - cut> 8 && cut > 8 ? step : 1)
            reply_cut(replies, reply, cut);
        for (int version = 0; version < 256; version += 51) {
            reply[0] = (unsigned char)version;
            reply[1] = (unsigned char)(version == 5 ? 1 : version);
            if (version != 0)
                reply_cut(replies, reply, length);
        }
    }
}

static void cve_2026_56123_no_reply_of_a_socks_5_server_overflows_anything(void **state)
{
    struct replies replies = replies_begin(*state, "SOCKS5");
    try_all_replies(&replies, 1);
    replies_end(&replies);
}

static void cve_2026_56123_nor_do_both_replies_to_one_that_waits_for_a_peer(void **state)
{
    struct replies replies = replies_begin(*state, "SOCKS5-LISTEN");
    try_all_replies(&replies, 2);
    replies_end(&replies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(cve_2004_1484_a_peer_does_not_format_messages),
        SYSTEM_TEST(cve_2010_2799_long_and_nested_words_of_commands_overflow_nothing),
#ifdef WITH_READLINE
        SYSTEM_TEST(cve_2012_0219_a_long_prompt_overflows_nothing),
#endif
        SYSTEM_TEST(cve_2013_3571_refused_peers_leave_no_descriptors),
        SYSTEM_TEST(cve_2014_0019_a_long_target_of_a_proxy_overflows_nothing),
        SYSTEM_TEST(cve_2014_0019_nor_does_a_long_line_of_a_proxy),
        SYSTEM_TEST(cve_2015_1379_signals_and_messages_do_not_deadlock),
        SYSTEM_TEST(socat_advisory_8_long_arguments_overflow_nothing),
        SYSTEM_TEST(cve_2024_54661_scripts_use_no_name_in_tmp_that_can_be_guessed),
        SYSTEM_TEST(cve_2026_56123_no_reply_of_a_socks_5_server_overflows_anything),
        SYSTEM_TEST(cve_2026_56123_nor_do_both_replies_to_one_that_waits_for_a_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
