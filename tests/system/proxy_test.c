/* HTTP proxies: those that the test plays, tinyproxy, and layers. */

#define _GNU_SOURCE
#include "tests/system/proxies.h"

#include <string.h>
#include <sys/socket.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct program *run(struct harness *harness, const char *address)
{
    return program_start(harness, "-d", "-d", "-d", "-t", "10", "STDIO", address, NULL);
}

/* `format` is the address; its mark stands for the proxy's port. */
static struct talk begin(struct harness *harness, const char *format)
{
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct talk talk = {.program = run(harness, talk_address(harness, format, port))};
    talk.server = peer_accept(harness, listener);
    return talk;
}

static void receives_exactly(struct harness *harness, int fd, const char *expected)
{
    peer_receives_bytes(harness, fd, expected, strlen(expected));
    assert_true(peer_is_silent(fd));
}

#define PROXY "PROXY:" LOOPBACK ":name:80,proxyport=#"
#define GRANTED "HTTP/1.0 200 Connection established\r\n\r\n"

/* Each row: an address, and all of its request. */
static void asks_for_what_the_address_says(void **state)
{
    static const struct {
        const char *address;
        const char *request;
    } rows[] = {
        {PROXY, "CONNECT name:80 HTTP/1.0\r\n\r\n"},
        {"PROXY-CONNECT:" LOOPBACK ":name:443,proxyport=#", "CONNECT name:443 HTTP/1.0\r\n\r\n"},
        {PROXY ",http-version=1.1", "CONNECT name:80 HTTP/1.1\r\nHost: name:80\r\n\r\n"},
        {"PROXY:" LOOPBACK ":[2001:db8::1]:80,proxyport=#,http-version=1.1",
         "CONNECT [2001:db8::1]:80 HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n"},
        {"PROXY:" LOOPBACK ":\"::1\":80,proxyport=#", "CONNECT [::1]:80 HTTP/1.0\r\n\r\n"},
        {"PROXY:" LOOPBACK ":localhost:80,proxyport=#,resolve,pf=ip4",
         "CONNECT 127.0.0.1:80 HTTP/1.0\r\n\r\n"},
        {"PROXY:" LOOPBACK ":[::0001]:80,proxyport=#,resolve", "CONNECT [::1]:80 HTTP/1.0\r\n\r\n"},
        {PROXY ",proxyauth=Aladdin:\"open sesame\"",
         "CONNECT name:80 HTTP/1.0\r\n"
         "Proxy-authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"},
        {"PROXY:name:80|TCP:" LOOPBACK ":#", "CONNECT name:80 HTTP/1.0\r\n\r\n"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk talk = begin(harness, rows[i].address);
        receives_exactly(harness, talk.server, rows[i].request);
        peer_send(harness, talk.server, GRANTED);
        program_logs(talk.program, " successfully connected to ");
        assert_false(program_has_logged(talk.program, "sesame"));
        talk_finish(harness, talk);
    }
}

static void asks_for_the_port_of_a_service(void **state)
{
    struct harness *harness = *state;
    require_services();
    struct talk talk = begin(harness, "PROXY:" LOOPBACK ":name:https,proxyport=#");
    receives_exactly(harness, talk.server, "CONNECT name:443 HTTP/1.0\r\n\r\n");
    peer_send(harness, talk.server, GRANTED);
    talk_finish(harness, talk);
}

static void the_end_of_line_is_no_part_of_a_password_in_a_file(void **state)
{
    static const char *const contents[] = {"Aladdin:open sesame", "Aladdin:open sesame\n",
                                           "Aladdin:open sesame\r\n"};
    struct harness *harness = *state;
    const char *file = path(harness, "password");
    for (size_t i = 0; i < COUNT(contents); i++) {
        file_write(harness, file, contents[i]);
        struct talk talk = begin(harness, text(harness, PROXY ",proxyauthfile=%s", file));
        receives_exactly(harness, talk.server,
                         "CONNECT name:80 HTTP/1.0\r\n"
                         "Proxy-authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
        peer_send(harness, talk.server, GRANTED);
        talk_finish(harness, talk);
        assert_false(program_has_logged(talk.program, "sesame"));
    }
}

static void takes_answers_that_are_cut_at_any_byte(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nVia: x\r\n\r\n";
    struct harness *harness = *state;
    for (size_t cut = 1; cut < strlen(answer); cut++) {
        struct talk talk = begin(harness, PROXY);
        peer_send_cut(harness, talk.server, answer, strlen(answer), cut);
        peer_receives(harness, talk.server, "CONNECT name:80 HTTP/1.0\r\n\r\n");
        talk_finish(harness, talk);
    }
}

static void takes_an_answer_that_comes_byte_by_byte(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nVia: x\r\n\r\n";
    struct harness *harness = *state;
    struct talk talk = begin(harness, PROXY ",connect-timeout=20");
    peer_receives(harness, talk.server, "CONNECT name:80 HTTP/1.0\r\n\r\n");
    for (size_t i = 0; i < strlen(answer); i++) {
        peer_send_bytes(harness, talk.server, answer + i, 1);
        peer_has_read(harness, talk.server);
    }
    talk_finish(harness, talk);
}

static void passes_on_what_the_peer_sends_together_with_the_answer(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, PROXY);
    peer_send(harness, talk.server, GRANTED "\r\nfirst\r\n\r\n");
    program_outputs(talk.program, "\r\nfirst\r\n\r\n");
    peer_receives(harness, talk.server, "CONNECT name:80 HTTP/1.0\r\n\r\n");
    talk_finish(harness, talk);
}

/* The answer's last byte and 4 MiB of the peer's come as the kernel likes. */
static void no_byte_behind_the_answer_is_lost(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, PROXY);
    struct flow flow = {.write_fd = talk.server, .seed = 7, .length = (size_t)4 << 20};
    flow.read_fd = program_take_output(talk.program);
    peer_send(harness, talk.server, GRANTED);
    flows_run(harness, &flow, 1);
}

static void takes_lines_without_carriage_return_with_ignorecr_only(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, PROXY ",ignorecr");
    peer_send(harness, talk.server, "HTTP/1.0 200 OK\nVia: x\n\nfirst");
    program_outputs(talk.program, "first");
    peer_receives(harness, talk.server, "CONNECT name:80 HTTP/1.0\r\n\r\n");
    talk_finish(harness, talk);
    talk = begin(harness, PROXY);
    peer_send(harness, talk.server, "HTTP/1.0 200 OK\n\n");
    program_ends_logging(talk.program, 1, " E PROXY: *option ignorecr permits that");
}

/* Each row: all that the proxy says, after which it only listens, or closes; and the message. */
static const struct refusal {
    const char *answer;
    bool closes;
    const char *message;
} refusals[] = {
    {"HTTP/1.1 403 Forbidden\r\n", false, " E PROXY: CONNECT name:80: Forbidden (status 403)"},
    {"HTTP/1.1 407 Proxy Authentication Required\r\n", false,
     "Proxy Authentication Required (status 407)*proxy-authorization-file"},
    {"HTTP/1.0 502\r\n", false, " E PROXY: CONNECT name:80: status 502"},
    {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\nhello", false, "Found (status 302)"},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 504 Late\r\n", false, "Late (status 504)"},
    {"", true, " E PROXY: the proxy closed the connection without an answer"},
    {"HTTP/1.1 200", true, "the proxy closed the connection without an answer"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", true,
     "the proxy closed the connection without an answer"},
    {"SSH-2.0-OpenSSH_9.2\r\n", false, "proxy: invalid answer \"SSH-2.0-OpenSSH_9.2\""},
    {"HTTP/1.1 2000 OK\r\n", false, "proxy: invalid answer \"HTTP/1.1 2000 OK\""},
    {"HTTP/1.1 OK\r\n", false, "proxy: invalid answer \"HTTP/1.1 OK\""},
    {"220 mail.example.org ESMTP", false, "proxy: invalid answer \"220 mail.example.org ESMTP\""},
};

static void tells_why_a_proxy_refuses_and_relays_nothing(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct talk talk = begin(harness, PROXY);
        if (refusals[i].answer[0] != '\0')
            peer_send(harness, talk.server, refusals[i].answer);
        if (refusals[i].closes)
            peer_end(talk.server);
        program_ends_logging(talk.program, 1, refusals[i].message);
        assert_true(program_has_logged(talk.program, " E PROXY: "));
        assert_string_equal(program_output(talk.program, NULL), "");
    }
}

static const char *many(struct harness *harness, char byte, size_t count)
{
    char *result = memory(harness, count + 1);
    memset(result, byte, count);
    result[count] = '\0';
    return result;
}

/* Sends until all is sent, or the program has closed the connection. */
static void send_while_it_is_taken(int fd, const char *data)
{
    size_t length = strlen(data);
    while (length > 0) {
        ssize_t count = send(fd, data, length, MSG_NOSIGNAL);
        if (count <= 0)
            return;
        data += count;
        length -= (size_t)count;
    }
}

static void refuses_1_mib_of_headers(void **state)
{
    struct harness *harness = *state;
    const char *headers = many(harness, 'h', 1 << 20);
    struct talk talk = begin(harness, PROXY);
    peer_send(harness, talk.server, "HTTP/1.1 200 OK\r\n");
    send_while_it_is_taken(talk.server, headers);
    program_ends_logging(talk.program, 1, " E PROXY: proxy answer exceeds 65536 bytes, aborting");
    talk = begin(harness, PROXY);
    peer_send(harness, talk.server, "HTTP/1.1 200 ");
    send_while_it_is_taken(talk.server, headers);
    program_ends_logging(talk.program, 1, " E PROXY: proxy answer exceeds 2048 bytes, aborting");
}

static void takes_an_answer_of_many_headers(void **state)
{
    struct harness *harness = *state;
    struct talk talk = begin(harness, PROXY);
    peer_send(harness, talk.server, "HTTP/1.1 200 OK\r\nA: ");
    peer_send(harness, talk.server, many(harness, 'h', 60000));
    peer_send(harness, talk.server, "\r\n\r\nfirst");
    program_outputs(talk.program, "first");
    peer_receives(harness, talk.server, "CONNECT name:80 HTTP/1.0\r\n\r\n");
    talk_finish(harness, talk);
}

static void gives_up_a_proxy_that_is_silent_after_connect_timeout(void **state)
{
    static const struct {
        const char *address;
        const char *beginning;
    } rows[] = {
        {PROXY ",connect-timeout=0.2", ""},
        {PROXY ",connect-timeout=0.2", "HTTP/1.1 200 OK\r\nVia: x\r\n"},
        {"PROXY:name:80,connect-timeout=0.2|TCP:" LOOPBACK ":#", ""},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk talk = begin(harness, rows[i].address);
        if (rows[i].beginning[0] != '\0')
            peer_send(harness, talk.server, rows[i].beginning);
        program_ends_logging(talk.program, 1,
                             " E PROXY: cannot get the proxy's answer: connect-timeout has passed");
    }
}

static void tries_again_when_a_proxy_refuses(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct talk talk;
    talk.program =
        run(harness,
            text(harness, "PROXY:" LOOPBACK ":name:80,proxyport=%u,retry=1,interval=0.01", port));
    talk.server = peer_accept(harness, listener);
    peer_send(harness, talk.server, "HTTP/1.1 503 Later\r\n\r\n");
    talk.server = peer_accept(harness, listener);
    peer_send(harness, talk.server, GRANTED);
    peer_receives(harness, talk.server, "CONNECT name:80 HTTP/1.0\r\n\r\n");
    talk_finish(harness, talk);
    assert_false(program_has_logged(talk.program, " E "));
}

static void refuses_wrong_addresses_before_it_connects(void **state)
{
    static const struct {
        const char *address;
        const char *message;
    } rows[] = {
        {"PROXY:" LOOPBACK "::80", " E empty <host>"},
        {"PROXY:" LOOPBACK ":name:", " E empty <port>: name a port"},
        {"PROXY:" LOOPBACK ":name:65536", " E error in port number \"65536\""},
        {"PROXY:" LOOPBACK ":name:no-such-service", " E PROXY: *no-such-service"},
        {"PROXY:" LOOPBACK ":\"a b\":80", " E PROXY: host \"a b\" holds a blank"},
        {"PROXY:" LOOPBACK ":a\\r\\nb:80", " E PROXY: host \"a*b\" holds a blank"},
        {"PROXY:" LOOPBACK ":[::g]:80", " E PROXY: host \"[::g]\" is not an IPv6 address"},
        {"PROXY::name:80", " E empty <proxy-server>"},
        {"PROXY:" LOOPBACK ":name:80,proxyport=",
         " E option proxyport: invalid value \"\": it must not be empty"},
        {"PROXY:" LOOPBACK ":name:80,http-version=2", " E PROXY: http-version \"2\" is neither"},
        {"PROXY:" LOOPBACK ":name:80,proxyauth=a:b,proxyauthfile=/dev/null",
         " E PROXY: use only one of the options proxy-authorization and proxy-authorization-file"},
        {"PROXY:" LOOPBACK ":name:80,proxyauthfile=/no/such/file",
         " E PROXY: cannot read file \"/no/such/file\": No such file or directory"},
        {"PROXY:" LOOPBACK ":no-such-host.invalid:80,resolve", " E PROXY: *no-such-host.invalid"},
        {"PROXY:a:b", " E PROXY: wrong number of parameters (2 instead of 3)"},
        {"PROXY|TCP:" LOOPBACK ":1", " E PROXY: no target given"},
        {"PROXY:a|TCP:" LOOPBACK ":1", " E PROXY: no target given"},
        {"PROXY:a:1,proxyport=1|TCP:" LOOPBACK ":1", " E PROXY: option proxyport has no effect"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct program *program = run(harness, rows[i].address);
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
    program_ends_logging(run(harness, text(harness, "PROXY:" LOOPBACK ":%s:80", name)), 1,
                         "is longer than a host's name may be (256 bytes instead of 255)");
}

static void relays_64_mib_both_ways_through_tinyproxy(void **state)
{
    struct harness *harness = *state;
    unsigned proxy = tinyproxy_start(harness, NULL, NULL), port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    relay_through(harness,
                  text(harness, "PROXY:" LOOPBACK ":" LOOPBACK ":%u,proxyport=%u", port, proxy),
                  listener);
}

static void logs_in_to_tinyproxy(void **state)
{
    struct harness *harness = *state;
    unsigned proxy = tinyproxy_start(harness, "me", "secret"), port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    const char *file = path(harness, "password");
    const char *address = text(
        harness, "PROXY:" LOOPBACK ":" LOOPBACK ":%u,proxyport=%u,http-version=1.1", port, proxy);
    struct talk talk;
    file_write(harness, file, "me:secret\n");
    talk.program = run(harness, text(harness, "%s,proxy-authorization-file=%s", address, file));
    talk.server = peer_accept(harness, listener);
    talk_finish(harness, talk);
    program_ends_logging(run(harness, text(harness, "%s,proxyauth=me:wrong", address)), 1,
                         " E PROXY: CONNECT * (status 40");
    program_ends_logging(run(harness, address), 1,
                         " E PROXY: CONNECT *Proxy Authentication Required (status 407)");
}

static void tinyproxy_tells_that_nobody_listens(void **state)
{
    struct harness *harness = *state;
    unsigned proxy = tinyproxy_start(harness, NULL, NULL), port;
    peer_bind(harness, LOOPBACK, &port);
    program_ends_logging(
        run(harness, text(harness, "PROXY:" LOOPBACK ":" LOOPBACK ":%u,proxyport=%u", port, proxy)),
        1, " E PROXY: CONNECT " LOOPBACK ":*: Unable to connect (status 5");
}

static void reaches_a_proxy_through_a_socks_server(void **state)
{
    struct harness *harness = *state;
    unsigned proxy = tinyproxy_start(harness, NULL, NULL);
    unsigned socks = microsocks_start(harness, NULL, NULL), port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    relay_through(harness,
                  text(harness, "PROXY:" LOOPBACK ":%u|SOCKS5:" LOOPBACK ":%u|TCP:" LOOPBACK ":%u",
                       port, proxy, socks),
                  listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(asks_for_what_the_address_says),
        SYSTEM_TEST(asks_for_the_port_of_a_service),
        SYSTEM_TEST(the_end_of_line_is_no_part_of_a_password_in_a_file),
        SYSTEM_TEST(takes_answers_that_are_cut_at_any_byte),
        SYSTEM_TEST(takes_an_answer_that_comes_byte_by_byte),
        SYSTEM_TEST(passes_on_what_the_peer_sends_together_with_the_answer),
        SYSTEM_TEST(no_byte_behind_the_answer_is_lost),
        SYSTEM_TEST(takes_lines_without_carriage_return_with_ignorecr_only),
        SYSTEM_TEST(tells_why_a_proxy_refuses_and_relays_nothing),
        SYSTEM_TEST(refuses_1_mib_of_headers),
        SYSTEM_TEST(takes_an_answer_of_many_headers),
        SYSTEM_TEST(gives_up_a_proxy_that_is_silent_after_connect_timeout),
        SYSTEM_TEST(tries_again_when_a_proxy_refuses),
        SYSTEM_TEST(refuses_wrong_addresses_before_it_connects),
        SYSTEM_TEST(refuses_names_of_more_than_255_bytes),
        SYSTEM_TEST(relays_64_mib_both_ways_through_tinyproxy),
        SYSTEM_TEST(logs_in_to_tinyproxy),
        SYSTEM_TEST(tinyproxy_tells_that_nobody_listens),
        SYSTEM_TEST(reaches_a_proxy_through_a_socks_server),
    };
    return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
