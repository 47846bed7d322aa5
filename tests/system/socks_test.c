/* SOCKS 4, 4A and 5: servers that the test plays, servers of others, and layers. */

#define _GNU_SOURCE
#include "tests/system/proxies.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Bytes with their length, from a literal that may hold zeros. */
#define BYTES(literal) (literal), sizeof(literal) - 1

#define HELLO BYTES("\5\1\0")
#define WELCOME "\5\0"
#define REQUEST4 BYTES("\4\1\x12\x34\xc0\0\2\1me\0")
#define REQUEST5 BYTES("\5\1\0\1\xc0\0\2\1\x12\x34")
#define GRANTED4 "\0\x5a\0\0\0\0\0\0"
#define GRANTED5 "\5\0\0\1\x7f\0\0\1\x10\0"

static struct program *run(struct harness *harness, const char *address, const char *environment)
{
    const char *const arguments[] = {"-d", "-d", "-d", "-t", "10", "STDIO", address, NULL};
    return program_launch(harness,
                          &(struct launch){.arguments = arguments, .environment = environment});
}

/* `format` is the address; its parameter is the server's port. */
static struct talk begin_with(struct harness *harness, const char *format, const char *environment)
{
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    const char *address = talk_address(harness, format, port);
    struct talk talk = {.program = run(harness, address, environment)};
    talk.server = peer_accept(harness, listener);
    return talk;
}

static struct talk begin(struct harness *harness, const char *format)
{
    return begin_with(harness, format, NULL);
}

static const char socks4[] = "SOCKS4:" LOOPBACK ":192.0.2.1:4660,socksport=#,socksuser=me";
static const char socks5[] = "SOCKS5:" LOOPBACK ":#:192.0.2.1:4660";

static void connects_through_a_socks_4_server(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, socks4);
    peer_receives_bytes(harness, talk.server, REQUEST4);
    peer_send_bytes(harness, talk.server, BYTES(GRANTED4));
    program_logs(talk.program, " successfully connected via socks4");
    talk_finish(harness, talk);
}

static void lets_a_socks_4a_server_resolve_the_name(void **state)
{
    struct harness *harness = *state;
    struct talk talk =
        begin_with(harness, "SOCKS4A:" LOOPBACK ":no.such.host:80,socksport=#", "LOGNAME=alice");
    peer_receives_bytes(harness, talk.server, BYTES("\4\1\0\x50\0\0\0\1alice\0no.such.host\0"));
    peer_send_bytes(harness, talk.server, BYTES(GRANTED4));
    talk_finish(harness, talk);
}

/* Each row: an address, and what its request is. */
static void connects_through_a_socks_5_server_to_every_kind_of_host(void **state)
{
    static const struct {
        const char *address;
        const char *request;
        size_t length;
    } rows[] = {
        {socks5, REQUEST5},
        {"SOCKS5-CONNECT:" LOOPBACK ":192.0.2.1:4660,socksport=#", REQUEST5},
        {"SOCKS5:" LOOPBACK ":1:192.0.2.1:4660,socksport=#", REQUEST5},
        {"SOCKS5:" LOOPBACK ":#:[2001:db8::1]:80",
         BYTES("\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x50")},
        {"SOCKS5:" LOOPBACK ":#:\"2001:db8::1\":80",
         BYTES("\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x50")},
        {"SOCKS5:" LOOPBACK ":#:name:443", BYTES("\5\1\0\3\4name\1\xbb")},
        {"SOCKS5:192.0.2.1:4660|TCP:" LOOPBACK ":#", REQUEST5},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk talk = begin(harness, rows[i].address);
        peer_receives_bytes(harness, talk.server, HELLO);
        peer_send_bytes(harness, talk.server, BYTES(WELCOME));
        peer_receives_bytes(harness, talk.server, rows[i].request, rows[i].length);
        peer_send_bytes(harness, talk.server, BYTES(GRANTED5));
        program_logs(talk.program, " successfully connected via socks5");
        talk_finish(harness, talk);
    }
}

static void asks_a_socks_5_server_for_the_port_of_a_service(void **state)
{
    struct harness *harness = *state;
    require_services();
    struct talk talk = begin(harness, "SOCKS5:" LOOPBACK ":#:name:https");
    peer_receives_bytes(harness, talk.server, HELLO);
    peer_send_bytes(harness, talk.server, BYTES(WELCOME));
    peer_receives_bytes(harness, talk.server, BYTES("\5\1\0\3\4name\1\xbb"));
    peer_send_bytes(harness, talk.server, BYTES(GRANTED5));
    talk_finish(harness, talk);
}

static void asks_for_a_name_of_255_bytes(void **state)
{
    struct harness *harness = *state;
    char name[256], request[5 + 255 + 2] = "\5\1\0\3\xff";
    memset(name, 'n', 255);
    name[255] = '\0';
    memset(request + 5, 'n', 255);
    request[261] = 80;
    struct talk talk = begin(harness, text(harness, "SOCKS5:" LOOPBACK ":#:%s:80", name));
    peer_receives_bytes(harness, talk.server, HELLO);
    peer_send_bytes(harness, talk.server, BYTES(WELCOME));
    peer_receives_bytes(harness, talk.server, request, sizeof request);
    peer_send_bytes(harness, talk.server, BYTES(GRANTED5));
    talk_finish(harness, talk);
}

/* The reply to the request, up to the first byte of the peer behind. */
static void takes_replies_that_are_cut_at_any_byte(void **state)
{
    static const struct {
        const char *address;
        const char *reply;
        size_t length;
    } rows[] = {
        {socks4, BYTES(GRANTED4)},
        {socks5, BYTES(GRANTED5)},
        {socks5, BYTES("\5\0\0\3\4name\0\x50")},
        {socks5, BYTES("\5\0\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x50")},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t cut = 1; cut < rows[i].length; cut++) {
            struct talk talk = begin(harness, rows[i].address);
            if (rows[i].address == socks5) {
                peer_receives_bytes(harness, talk.server, HELLO);
                peer_send_cut(harness, talk.server, BYTES(WELCOME), 1);
                peer_receives_bytes(harness, talk.server, REQUEST5);
            } else {
                peer_receives_bytes(harness, talk.server, REQUEST4);
            }
            peer_send_cut(harness, talk.server, rows[i].reply, rows[i].length, cut);
            talk_finish(harness, talk);
        }
}

static void passes_on_what_the_peer_sends_together_with_the_reply(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, socks4);
    peer_send_bytes(harness, talk.server, BYTES(GRANTED4 "first"));
    program_outputs(talk.program, "first");
    harness_close(harness, talk.server);
    program_end_input(talk.program);

    talk = begin(harness, socks5);
    peer_send_bytes(harness, talk.server, BYTES(WELCOME GRANTED5 "first"));
    program_outputs(talk.program, "first");
    peer_receives_bytes(harness, talk.server, HELLO);
    peer_receives_bytes(harness, talk.server, REQUEST5);
    talk_finish(harness, talk);
}

/* Each row: all that the server says, after which it only listens, or closes; and the message. */
static const struct refusal {
    const char *address;
    const char *replies;
    size_t length;
    bool closes;
    const char *message;
} refusals[] = {
    {socks4, BYTES("\0\x5b"), false, " E SOCKS4: 192.0.2.1:4660: socks: connect request rejected"},
    {socks4, BYTES("\0\x5c"), false, "socks: ident refused by client"},
    {socks4, BYTES("\0\x5d"), false, "socks: ident failed"},
    {socks4, BYTES("\0\x5e"), false, "socks: undefined status 94"},
    {socks4, BYTES("HTTP/1.0"), false, " W socks: reply code version is not 0 (72)"},
    {socks4, BYTES(""), true,
     "the server closed the connection before the end of the socks reply; it may not be a SOCKS4 "
     "server"},
    {socks4, BYTES("\0\x5a\0\0\0\0\0"), true,
     "the server closed the connection before the end of the socks reply"},
    {socks5, BYTES("HTTP/1.0"), false, "SOCKS5 Server Hello version was 72, not the expected 5"},
    {socks5, BYTES("\5\xff"), false,
     "SOCKS5 authentication negotiation failed - client & server have no common supported methods"},
    {socks5, BYTES("\5\1"), false, "SOCKS5 server requested unsupported auth method (1)"},
    {socks5, BYTES("\5\2"), false,
     "SOCKS5 server requested unsupported auth method (2)*socks-password-file"},
    {socks5, BYTES(""), true,
     "the server closed the connection before the end of the SOCKS5 server hello; it may not be a "
     "SOCKS5 server"},
    {socks5, BYTES("\5"), true,
     "the server closed the connection before the end of the SOCKS5 server hello"},
    {socks5, BYTES(WELCOME), true,
     "the server closed the connection before the end of the SOCKS5 reply"},
    {socks5, BYTES(WELCOME "\5\0\0\1\x7f\0\0\1\x10"), true,
     "the server closed the connection before the end of the SOCKS5 reply"},
    {socks5, BYTES(WELCOME "\5\0\0\3\xff short"), true,
     "the server closed the connection before the end of the SOCKS5 reply"},
    {socks5, BYTES(WELCOME "\4"), false, "SOCKS5 reply version was 4, not the expected 5"},
    {socks5, BYTES(WELCOME "\5\0\0\2"), false, "invalid SOCKS5 reply address type (2)"},
    {socks5, BYTES(WELCOME "\5\1"), false,
     " E SOCKS5: 192.0.2.1:4660: SOCKS5 server error 1: general SOCKS server failure"},
    {socks5, BYTES(WELCOME "\5\2"), false,
     "SOCKS5 server error 2: connection not allowed by ruleset"},
    {socks5, BYTES(WELCOME "\5\3"), false, "SOCKS5 server error 3: network unreachable"},
    {socks5, BYTES(WELCOME "\5\4"), false, "SOCKS5 server error 4: host unreachable"},
    {socks5, BYTES(WELCOME "\5\5"), false, "SOCKS5 server error 5: connection refused"},
    {socks5, BYTES(WELCOME "\5\6"), false, "SOCKS5 server error 6: TTL expired"},
    {socks5, BYTES(WELCOME "\5\7"), false, "SOCKS5 server error 7: command not supported"},
    {socks5, BYTES(WELCOME "\5\x08"), false, "SOCKS5 server error 8: address type not supported"},
    {socks5, BYTES(WELCOME "\5\x63"), false, "SOCKS5 server error 99: unknown error"},
};

static void tells_why_a_server_refuses_and_relays_nothing(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct talk talk = begin(harness, refusals[i].address);
        if (refusals[i].length > 0)
            peer_send_bytes(harness, talk.server, refusals[i].replies, refusals[i].length);
        if (refusals[i].closes)
            peer_end(talk.server);
        program_ends_logging(talk.program, 1, refusals[i].message);
        assert_true(program_has_logged(talk.program, " E "));
        assert_string_equal(program_output(talk.program, NULL), "");
    }
}

static void gives_up_a_server_that_is_silent_after_connect_timeout(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, "SOCKS5:" LOOPBACK ":#:name:80,connect-timeout=0.2");
    program_ends_logging(
        talk.program, 1,
        " E SOCKS5: cannot get the SOCKS5 server hello: connect-timeout has passed");
    talk = begin(harness, "SOCKS5:name:80|TCP:" LOOPBACK ":#,connect-timeout=0.2");
    peer_send_bytes(harness, talk.server, BYTES(WELCOME "\5\0\0"));
    program_ends_logging(talk.program, 1,
                         " E SOCKS5: cannot get the SOCKS5 reply: connect-timeout has passed");
}

/* A program has no such option, so that the layer itself must. */
static void connect_timeout_bounds_the_dialogue_of_a_layer(void **state)
{
    static const char *const layers[] = {"SOCKS4:192.0.2.1:80", "SOCKS4A:name:80", "SOCKS5:name:80",
                                         "SOCKS5-LISTEN:192.0.2.1:80"};
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(layers); i++) {
        struct program *program =
            run(harness, text(harness, "%s,connect-timeout=0.2|SYSTEM:cat >/dev/null", layers[i]),
                NULL);
        program_ends_logging(program, 1, " E SOCKS*: connect-timeout has passed");
    }
    struct talk talk = begin(harness, "SOCKS5:name:80,connect-timeout=0.2|TCP:" LOOPBACK ":#");
    peer_send_bytes(harness, talk.server, BYTES(WELCOME "\5\0\0"));
    program_ends_logging(talk.program, 1,
                         " E SOCKS5: cannot get the SOCKS5 reply: connect-timeout has passed");
}

static void tries_again_when_a_server_refuses(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct talk talk;
    talk.program = run(
        harness,
        text(harness, "SOCKS4:" LOOPBACK ":192.0.2.1:1,socksport=%u,retry=2,interval=0.01", port),
        NULL);
    for (int i = 0; i < 2; i++) {
        talk.server = peer_accept(harness, listener);
        peer_send_bytes(harness, talk.server, BYTES("\0\x5b\0\0\0\0\0\0"));
    }
    talk.server = peer_accept(harness, listener);
    peer_send_bytes(harness, talk.server, BYTES(GRANTED4));
    peer_receives_bytes(harness, talk.server, BYTES("\4\1\0\1\xc0\0\2\1"));
    program_logs(talk.program, " successfully connected via socks4");
    assert_false(program_has_logged(talk.program, " E "));
}

static void a_signal_ends_it_while_a_server_is_silent(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, socks5);
    peer_receives_bytes(harness, talk.server, HELLO);
    program_signal(talk.program, SIGTERM);
    program_ends(talk.program, 128 + SIGTERM);
}

static void log_in(struct harness *harness, const char *address, const char *environment)
{
    struct talk talk = begin_with(harness, address, environment);
    peer_receives_bytes(harness, talk.server, BYTES("\5\2\0\2"));
    peer_send_bytes(harness, talk.server, BYTES("\5\2"));
    peer_receives_bytes(harness, talk.server, BYTES("\1\2me\6secret"));
    peer_send_cut(harness, talk.server, BYTES("\1\0"), 1);
    peer_receives_bytes(harness, talk.server, REQUEST5);
    peer_send_bytes(harness, talk.server, BYTES(GRANTED5));
    talk_finish(harness, talk);
    assert_false(program_has_logged(talk.program, "secret"));
}

static void logs_in_with_a_password_from_option_file_or_environment(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "password");
    const char *with_file = text(harness, "%s,socksuser=me,socks-password-file=%s", socks5, file);
    log_in(harness, text(harness, "%s,socksuser=me,socks-password=secret", socks5), NULL);
    log_in(harness, text(harness, "%s,socksuser=me", socks5), "MODCAT_SOCKS_PASSWORD=secret");
    log_in(harness, text(harness, "%s,socksuser=me,sockspass=secret", socks5), NULL);
    file_write(harness, file, "secret\n");
    log_in(harness, with_file, NULL);
    file_write(harness, file, "secret\r\n");
    log_in(harness, with_file, NULL);
    file_write(harness, file, "secret");
    log_in(harness, with_file, "MODCAT_SOCKS_PASSWORD=another");
}

static void tells_that_a_password_is_wrong(void **state)
{
    struct harness *harness = *state;
    struct talk talk =
        begin(harness, "SOCKS5:" LOOPBACK ":#:name:80,socksuser=me,socks-password=wrong");
    peer_receives_bytes(harness, talk.server, BYTES("\5\2\0\2"));
    peer_send_bytes(harness, talk.server, BYTES("\5\2\1\1"));
    program_ends_logging(talk.program, 1,
                         " E SOCKS5: me: SOCKS5 server does not accept user name and password");
}

static void a_server_may_want_no_password_though_there_is_one(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, text(harness, "%s,socks-password=x", socks5));
    peer_send_bytes(harness, talk.server, BYTES(WELCOME GRANTED5));
    peer_receives_bytes(harness, talk.server, BYTES("\5\2\0\2"));
    peer_receives_bytes(harness, talk.server, REQUEST5);
    talk_finish(harness, talk);
}

static void refuses_wrong_addresses_before_it_connects(void **state)
{
    static const struct {
        const char *address;
        const char *message;
    } rows[] = {
        {"SOCKS4:" LOOPBACK ":[::1]:80", " E SOCKS4: host \"[::1]\" is not an IPv4 address"},
        {"SOCKS4:" LOOPBACK ":0.0.0.1:80", " E SOCKS4: host \"0.0.0.1\" is no address"},
        {"SOCKS4:" LOOPBACK ":no-such-host.invalid:80", " E SOCKS4: *no-such-host.invalid"},
        {"SOCKS4:" LOOPBACK ":192.0.2.1:80,socks-password=x",
         " E option \"socks-password\" not supported with this address type SOCKS4"},
        {"SOCKS5:" LOOPBACK "::80", " E empty <host>"},
        {"SOCKS5:" LOOPBACK ":name:", " E empty <port>: name a port"},
        {"SOCKS5:" LOOPBACK ":name:65536", " E error in port number \"65536\""},
        {"SOCKS5:" LOOPBACK ":name:-1", " E error in port number \"-1\""},
        {"SOCKS5:" LOOPBACK ":name:no-such-service", " E SOCKS5: *no-such-service"},
        {"SOCKS5:" LOOPBACK ":[::g]:80", " E SOCKS5: host \"[::g]\" is not an IPv6 address"},
        {"SOCKS5::name:80", " E empty <socks-server>"},
        {"SOCKS5:" LOOPBACK ":name:80,socks-password=", " E SOCKS5: the password is 0 bytes long"},
        {"SOCKS5:" LOOPBACK ":name:80,socks-password=x,socksuser=",
         " E SOCKS5: the user name is 0 bytes long"},
        {"SOCKS5:" LOOPBACK ":name:80,socks-password=x,socks-password-file=/dev/null",
         " E SOCKS5: use only one of the options socks-password, sockspass and "
         "socks-password-file"},
        {"SOCKS5:" LOOPBACK ":name:80,sockspass=x",
         " E option sockspass: option socksuser must be given, too"},
        {"SOCKS4:" LOOPBACK ":192.0.2.1:80,socksuser=me,sockspass=x",
         " E option \"sockspass\" not supported with this address type SOCKS4"},
        {"SOCKS5:" LOOPBACK ":name:80,socks-password-file=/no/such/file",
         " E SOCKS5: cannot read file \"/no/such/file\": No such file or directory"},
        {"SOCKS5:" LOOPBACK ":name:80,socks-password-file=/dev/null",
         " E SOCKS5: file \"/dev/null\" is empty"},
        {"SOCKS5:" LOOPBACK ":name:80,socks-password-file=/dev/zero",
         " E SOCKS5: cannot read file \"/dev/zero\": File too large"},
        {"SOCKS5:a:b", " E SOCKS5: wrong number of parameters (2 instead of 3 to 4)"},
        {"SOCKS5|TCP:" LOOPBACK ":1", " E SOCKS5: no target given"},
        {"SOCKS5:a|TCP:" LOOPBACK ":1", " E SOCKS5: no target given"},
        {"SOCKS5:a:1,socksport=1|TCP:" LOOPBACK ":1", " E SOCKS5: option socksport has no effect"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct program *program = run(harness, rows[i].address, NULL);
        program_ends_logging(program, 1, rows[i].message);
        assert_false(program_has_logged(program, "opening connection to AF"));
    }
}

static void refuses_names_of_more_than_255_bytes(void **state)
{
    struct harness *harness = *state;
    char name[257];
    memset(name, 'n', 256);
    name[256] = '\0';
    program_ends_logging(run(harness, text(harness, "SOCKS5:" LOOPBACK ":%s:80", name), NULL), 1,
                         "is longer than a host's name may be (256 bytes instead of 255)");
    program_ends_logging(
        run(harness, text(harness, "SOCKS4:" LOOPBACK ":192.0.2.1:80,socksuser=%s", name), NULL), 1,
        " E option socksuser: invalid value \"nnn*\": it has more than 255 bytes");
}

static void waits_at_a_server_for_a_peer(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, "SOCKS5-LISTEN:" LOOPBACK ":#:192.0.2.1:4660");
    peer_receives_bytes(harness, talk.server, HELLO);
    peer_send_bytes(harness, talk.server, BYTES(WELCOME));
    peer_receives_bytes(harness, talk.server, BYTES("\5\2\0\1\xc0\0\2\1\x12\x34"));
    peer_send_bytes(harness, talk.server, BYTES(GRANTED5));
    program_logs(talk.program, " N remote host listens on 127.0.0.1:4096");
    program_logs(talk.program, " N listening on remote host, waiting for connection");
    peer_send_cut(harness, talk.server, BYTES("\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\7"), 9);
    program_logs(talk.program, " N received connection on remote host from [::1]:7");
    talk_finish(harness, talk);
}

static void a_program_learns_who_has_come_to_the_server(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program = program_start(
        harness, "-d", "-d", text(harness, "SOCKS5-LISTEN:" LOOPBACK ":%u:192.0.2.1:1", port),
        "SYSTEM:echo $MODCAT_PEERADDR $MODCAT_PEERPORT", NULL);
    int server = peer_accept(harness, listener);
    peer_send_bytes(harness, server, BYTES(WELCOME GRANTED5 "\5\0\0\1\xc0\0\2\1\0\7"));
    peer_receives_bytes(harness, server, HELLO);
    peer_receives_bytes(harness, server, BYTES("\5\2\0\1\xc0\0\2\1\0\1"));
    peer_receives(harness, server, "192.0.2.1 7\n");
    peer_end(server);
    program_ends(program, 0);
}

/* A client with option fork opens its address again and again. */
static void serves_one_peer_at_the_server_after_the_other(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    program_start(
        harness, "-d", "-d",
        text(harness, "SOCKS5-LISTEN:" LOOPBACK ":%u:192.0.2.1:1,fork,interval=0.01", port), "PIPE",
        NULL);
    for (int i = 0; i < 3; i++) {
        int server = peer_accept(harness, listener);
        peer_send_bytes(harness, server, BYTES(WELCOME GRANTED5 GRANTED5 "ping"));
        peer_receives_bytes(harness, server, HELLO);
        peer_receives_bytes(harness, server, BYTES("\5\2\0\1\xc0\0\2\1\0\1"));
        peer_receives(harness, server, "ping");
    }
}

static void connect_timeout_does_not_end_the_waiting_for_a_peer(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, "SOCKS5-BIND:" LOOPBACK
                                      ":192.0.2.1:1,socksport=#,socksuser=me,connect-timeout=1");
    peer_send_bytes(harness, talk.server, BYTES(WELCOME GRANTED5));
    program_logs(talk.program, " N listening on remote host");
    poll(NULL, 0, 1200); /* the time that must not matter */
    peer_send_bytes(harness, talk.server, BYTES("\5\0\0\3\4name\0\7"));
    program_logs(talk.program, " N received connection on remote host from name:7");
}

static void a_second_reply_that_has_begun_must_end_within_connect_timeout(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, "SOCKS5-BIND:" LOOPBACK
                                      ":192.0.2.1:1,socksport=#,socksuser=me,connect-timeout=0.2");
    peer_send_bytes(harness, talk.server, BYTES(WELCOME GRANTED5));
    program_logs(talk.program, " N listening on remote host");
    peer_send_bytes(harness, talk.server, BYTES("\5\0"));
    program_ends_logging(talk.program, 1,
                         " E SOCKS5-BIND: cannot get the SOCKS5 reply: connect-timeout has passed");
}

static void tells_why_a_server_does_not_wait(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, "SOCKS5-LISTEN:" LOOPBACK ":#:192.0.2.1:1");
    peer_send_bytes(harness, talk.server, BYTES(WELCOME GRANTED5 "\5\6"));
    program_ends_logging(talk.program, 1, " E SOCKS5-LISTEN: *SOCKS5 server error 6: TTL expired");
    talk = begin(harness, "SOCKS5-LISTEN:" LOOPBACK ":#:192.0.2.1:1");
    peer_send_bytes(harness, talk.server, BYTES(WELCOME GRANTED5));
    peer_end(talk.server);
    program_ends_logging(
        talk.program, 1,
        " E SOCKS5-LISTEN: the server closed the connection before the end of the SOCKS5");
}

static void relays_64_mib_both_ways_through_microsocks(void **state)
{
    struct harness *harness = *state;
    unsigned proxy = microsocks_start(harness, "me", "secret"), port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    relay_through(harness,
                  text(harness,
                       "SOCKS5:" LOOPBACK ":%u:" LOOPBACK ":%u,socksuser=me,socks-password=secret",
                       proxy, port),
                  listener);
}

static void microsocks_refuses_a_wrong_password(void **state)
{
    struct harness *harness = *state;
    unsigned proxy = microsocks_start(harness, "me", "secret");
    struct program *program =
        run(harness, text(harness, "SOCKS5:" LOOPBACK ":%u:" LOOPBACK ":1,socksuser=me", proxy),
            "MODCAT_SOCKS_PASSWORD=wrong");
    program_ends_logging(program, 1, "SOCKS5 server does not accept user name and password");
    program = run(harness, text(harness, "SOCKS5:" LOOPBACK ":%u:" LOOPBACK ":1", proxy), NULL);
    program_ends_logging(program, 1, "no common supported methods");
}

static void microsocks_tells_that_nobody_listens(void **state)
{
    struct harness *harness = *state;
    unsigned proxy = microsocks_start(harness, NULL, NULL), port;
    peer_bind(harness, LOOPBACK, &port);
    program_ends_logging(
        run(harness, text(harness, "SOCKS5:" LOOPBACK ":%u:" LOOPBACK ":%u", proxy, port), NULL), 1,
        " E SOCKS5: " LOOPBACK ":*: SOCKS5 server error 5: connection refused");
}

static void goes_through_one_socks_server_to_another(void **state)
{
    struct harness *harness = *state;
    unsigned outer = microsocks_start(harness, NULL, NULL);
    unsigned inner = microsocks_start(harness, NULL, NULL), port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct talk talk = {
        .program =
            run(harness,
                text(harness, "SOCKS5:" LOOPBACK ":%u|SOCKS5:" LOOPBACK ":%u|TCP:" LOOPBACK ":%u",
                     port, inner, outer),
                NULL)};
    talk.server = peer_accept(harness, listener);
    talk_finish(harness, talk);
}

static void relays_64_mib_both_ways_through_dante_with_socks_4(void **state)
{
    struct harness *harness = *state;
    unsigned proxy = dante_start(harness), port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    relay_through(harness,
                  text(harness, "SOCKS4:" LOOPBACK ":localhost:%u,socksport=%u", port, proxy),
                  listener);
}

static void dante_waits_for_a_peer(void **state)
{
    struct harness *harness = *state;
    struct talk talk = {.program = run(harness,
                                       text(harness, "SOCKS5-LISTEN:" LOOPBACK ":%u:" LOOPBACK ":0",
                                            dante_start(harness)),
                                       NULL)};
    const char *line = program_logs(talk.program, " N remote host listens on " LOOPBACK ":");
    unsigned long port = strtoul(strrchr(line, ':') + 1, NULL, 10);
    talk.server = peer_connect(harness, LOOPBACK, (unsigned)port);
    program_logs(talk.program, " N received connection on remote host from " LOOPBACK ":");
    talk_finish(harness, talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(connects_through_a_socks_4_server),
        SYSTEM_TEST(lets_a_socks_4a_server_resolve_the_name),
        SYSTEM_TEST(connects_through_a_socks_5_server_to_every_kind_of_host),
        SYSTEM_TEST(asks_a_socks_5_server_for_the_port_of_a_service),
        SYSTEM_TEST(asks_for_a_name_of_255_bytes),
        SYSTEM_TEST(takes_replies_that_are_cut_at_any_byte),
        SYSTEM_TEST(passes_on_what_the_peer_sends_together_with_the_reply),
        SYSTEM_TEST(tells_why_a_server_refuses_and_relays_nothing),
        SYSTEM_TEST(gives_up_a_server_that_is_silent_after_connect_timeout),
        SYSTEM_TEST(connect_timeout_bounds_the_dialogue_of_a_layer),
        SYSTEM_TEST(tries_again_when_a_server_refuses),
        SYSTEM_TEST(a_signal_ends_it_while_a_server_is_silent),
        SYSTEM_TEST(logs_in_with_a_password_from_option_file_or_environment),
        SYSTEM_TEST(tells_that_a_password_is_wrong),
        SYSTEM_TEST(a_server_may_want_no_password_though_there_is_one),
        SYSTEM_TEST(refuses_wrong_addresses_before_it_connects),
        SYSTEM_TEST(refuses_names_of_more_than_255_bytes),
        SYSTEM_TEST(waits_at_a_server_for_a_peer),
        SYSTEM_TEST(a_program_learns_who_has_come_to_the_server),
        SYSTEM_TEST(serves_one_peer_at_the_server_after_the_other),
        SYSTEM_TEST(connect_timeout_does_not_end_the_waiting_for_a_peer),
        SYSTEM_TEST(a_second_reply_that_has_begun_must_end_within_connect_timeout),
        SYSTEM_TEST(tells_why_a_server_does_not_wait),
        SYSTEM_TEST(relays_64_mib_both_ways_through_microsocks),
        SYSTEM_TEST(microsocks_refuses_a_wrong_password),
        SYSTEM_TEST(microsocks_tells_that_nobody_listens),
        SYSTEM_TEST(goes_through_one_socks_server_to_another),
        SYSTEM_TEST(relays_64_mib_both_ways_through_dante_with_socks_4),
        SYSTEM_TEST(dante_waits_for_a_peer),
    };
    return cmocka_run_group_tests_name("socks", tests, NULL, NULL);
}
