/* The PROXY protocol: headers that the test sends and receives, and proxies of others. */

#define _GNU_SOURCE
#include "tests/system/proxies.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Bytes with their length, from a literal that may hold zeros. */
#define BYTES(literal) (literal), sizeof(literal) - 1

#define LINE "PROXY TCP4 192.0.2.7 198.51.100.1 4660 80\r\n"
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define HEADER SIGNATURE "\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\x12\x34\0\x50"

static const char *server_address(struct harness *harness, const char *layer, const char *options)
{
    return text(harness, "%s|TCP4-LISTEN:0,fork,bind=" LOOPBACK "%s", layer, options);
}

/* Answers each client with what it has been told, and then as an echo. */
static struct program *serve_telling(struct harness *harness, const char *layer,
                                     const char *options, const char *variables)
{
    const char *script = path(harness, "script");
    file_write(harness, script, text(harness, "echo \"%s\"\nexec cat\n", variables));
    return program_start(harness, "-d", "-d", server_address(harness, layer, options),
                         text(harness, "EXEC:sh %s", script), NULL);
}

#define WHO "$MODCAT_PEERADDR $SOCAT_PEERPORT $MODCAT_SOCKADDR $MODCAT_SOCKPORT"
#define WHO_ANSWER "192.0.2.7 4660 198.51.100.1 80\n"

static int send_header(struct harness *harness, unsigned port, const void *header, size_t length)
{
    int client = peer_connect(harness, LOOPBACK, port);
    peer_send_bytes(harness, client, header, length);
    return client;
}

static void learns_who_the_client_is(void **state)
{
    struct harness *harness = *state;
    struct program *program = serve_telling(harness, "PP", "", WHO);
    unsigned port = program_port(program);
    int client = send_header(harness, port, BYTES(LINE "hello"));
    peer_receives(harness, client, WHO_ANSWER "hello");
    client = send_header(harness, port, BYTES(HEADER "hello"));
    peer_receives(harness, client, WHO_ANSWER "hello");
    program_logs(program, " N PP: the header of version 2 says that the client is AF=2 "
                          "192.0.2.7:4660");
}

static void takes_headers_in_two_pieces(void **state)
{
    static const struct {
        const char *data;
        size_t length;
    } rows[] = {{BYTES(LINE "data")}, {BYTES(HEADER "data")}};
    struct harness *harness = *state;
    struct program *program = serve_telling(harness, "PP", "", WHO);
    unsigned port = program_port(program);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t cut = 1; cut < rows[i].length; cut++) {
            int client = peer_connect(harness, LOOPBACK, port);
            peer_send_cut(harness, client, rows[i].data, rows[i].length, cut);
            peer_receives(harness, client, WHO_ANSWER "data");
            harness_close(harness, client);
        }
}

static void keeps_the_peer_of_a_connection_of_the_proxy_itself(void **state)
{
    struct harness *harness = *state;
    struct program *program = serve_telling(harness, "PP", "", "$MODCAT_PEERADDR");
    unsigned port = program_port(program);
    int client = send_header(harness, port, BYTES("PROXY UNKNOWN\r\n"));
    peer_receives(harness, client, LOOPBACK "\n");
    client = send_header(harness, port, BYTES(SIGNATURE "\x20\0\0\0"));
    peer_receives(harness, client, LOOPBACK "\n");
    program_logs(program, " N PP: the header of version 2 names no client");
}

/* Each of a peer of its own, whom a good one follows. */
static void refuses_bad_headers_and_serves_others(void **state)
{
    static const struct {
        const char *data;
        size_t length;
        const char *why;
    } rows[] = {
        {BYTES("GET / HTTP/1.0\r\n"), "there is none"},
        {BYTES("PROXY TCP9 1.1.1.1 1.1.1.1 1 1\r\n"), "its line names neither"},
        {BYTES(SIGNATURE "\x31\x11\0\x0c"), "it is of a version that nobody knows"},
        {BYTES(SIGNATURE "\x21\x11\xff\xff"), "it is longer than 4096 bytes"},
        {BYTES(SIGNATURE "\x21\0\0\7\3\0\4abcd"), "its checksum is wrong"},
    };
    struct harness *harness = *state;
    struct program *program = serve_telling(harness, "PP", "", WHO);
    unsigned port = program_port(program);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int bad = send_header(harness, port, rows[i].data, rows[i].length);
        program_logs(program, text(harness,
                                   " W PP: refusing AF=2 " LOOPBACK ":*no header of the PROXY "
                                   "protocol: %s",
                                   rows[i].why));
        peer_receives_end(harness, bad);
        int good = send_header(harness, port, BYTES(LINE));
        peer_receives(harness, good, WHO_ANSWER);
    }
}

static void refuses_a_peer_that_leaves_or_says_nothing(void **state)
{
    struct harness *harness = *state;
    struct program *program = serve_telling(harness, "PP", ",connect-timeout=0.1", WHO);
    unsigned port = program_port(program);
    int silent = peer_connect(harness, LOOPBACK, port);
    program_logs(program, " W PP: refusing *: its header has not come in time");
    peer_receives_end(harness, silent);
    struct program *patient = serve_telling(harness, "PP", "", WHO);
    port = program_port(patient);
    peer_end(peer_connect(harness, LOOPBACK, port));
    program_logs(patient, " W PP: refusing *: the peer has left without a header");
    peer_end(send_header(harness, port, BYTES("PROXY TCP4")));
    program_logs(patient, " W PP: refusing *: the peer has left in the middle of its header");
    int good = send_header(harness, port, BYTES(LINE));
    peer_receives(harness, good, WHO_ANSWER);
}

static void filters_by_the_client(void **state)
{
    struct harness *harness = *state;
    struct program *program = serve_telling(harness, "PP", ",range=192.0.2.0/24", WHO);
    unsigned port = program_port(program);
    int good = send_header(harness, port, BYTES(LINE));
    peer_receives(harness, good, WHO_ANSWER);
    int bad = send_header(harness, port, BYTES("PROXY TCP4 127.0.0.1 127.0.0.1 1 80\r\n"));
    program_logs(program, " W *refusing connection from AF=2 127.0.0.1:1 due to range option");
    peer_receives_end(harness, bad);
    bad = send_header(harness, port, BYTES("PROXY TCP6 c000:0207:: ::1 2 80\r\n"));
    program_logs(program, " W *refusing connection from AF=10 *due to range option");
    peer_receives_end(harness, bad);
}

static void takes_headers_of_whom_it_trusts(void **state)
{
    struct harness *harness = *state;
    struct program *program = serve_telling(
        harness, "PP,pp-trust=127.0.0.9/32,pp-trust=[fd00::]/8,pp-trust=127.0.1.0/24", "", WHO);
    unsigned port = program_port(program);
    int bad = send_header(harness, port, BYTES(LINE));
    program_logs(program, " W PP: refusing *: it is out of all ranges of pp-trust");
    peer_receives_end(harness, bad);
    int good = peer_connect_from(harness, "127.0.1.3", 0, LOOPBACK, port);
    peer_send_bytes(harness, good, BYTES(LINE));
    peer_receives(harness, good, WHO_ANSWER);
}

static void insists_on_version_and_checksum(void **state)
{
    struct harness *harness = *state;
    struct program *program = serve_telling(harness, "PP,pp-version=2,pp-crc32c", "", WHO);
    unsigned port = program_port(program);
    send_header(harness, port, BYTES(LINE));
    program_logs(program, " W PP: refusing *: it is of version 1, not of version 2");
    send_header(harness, port, BYTES(HEADER));
    program_logs(program, " W PP: refusing *: it has no checksum");
}

/* What the server behind `layer` gets from a client of a listener. */
static int passed_on(struct harness *harness, const char *left, const char *layer, unsigned *from,
                     unsigned *to)
{
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program = program_start(
        harness, "-d", "-d", left, text(harness, "%s|TCP4:" LOOPBACK ":%u", layer, port), NULL);
    *to = program_port(program);
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    int client = peer_connect_from(harness, "127.0.0.9", 0, LOOPBACK, *to);
    getsockname(client, (struct sockaddr *)&own, &length);
    *from = ntohs(own.sin_port);
    peer_send(harness, client, "question");
    return peer_accept(harness, listener);
}

static void says_who_the_client_is(void **state)
{
    static const char *const lefts[] = {"TCP4-LISTEN:0,fork,bind=" LOOPBACK,
                                        "TCP6-LISTEN:0,fork,ipv6only=0"};
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(lefts); i++) {
        unsigned from, to;
        if (i == 1 && !peer_has_ipv6())
            break;
        int server = passed_on(harness, lefts[i], "PP", &from, &to);
        peer_receives(
            harness, server,
            text(harness, "PROXY TCP4 127.0.0.9 " LOOPBACK " %u %u\r\nquestion", from, to));
    }
}

static void says_it_in_version_2(void **state)
{
    struct harness *harness = *state;
    unsigned from, to;
    int server = passed_on(harness, "TCP4-LISTEN:0,fork,bind=" LOOPBACK,
                           "PP,pp-version=2,pp-authority=name,pp-alpn=h2,pp-unique-id=one,"
                           "pp-netns=blue,pp-tlv=0xe0:x0102,pp-tlv=225:",
                           &from, &to);
    char header[16 + 12] = SIGNATURE "\x21\x11\0\x2d\x7f\0\0\x09\x7f\0\0\1";
    const unsigned char ports[] = {(unsigned char)(from >> 8), (unsigned char)from,
                                   (unsigned char)(to >> 8), (unsigned char)to};
    memcpy(header + 24, ports, sizeof ports);
    peer_receives_bytes(harness, server, header, sizeof header);
    peer_receives_bytes(
        harness, server,
        BYTES("\2\0\4name\1\0\2h2\x30\0\4blue\5\0\3one\xe0\0\2\1\2\xe1\0\0question"));
}

static void says_that_there_is_no_client(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    program_start(harness, "-", text(harness, "PP|TCP4:" LOOPBACK ":%u", port), NULL);
    peer_receives(harness, peer_accept(harness, listener), "PROXY UNKNOWN\r\n");
    program_start(harness, "-", text(harness, "PP,pp-version=2|TCP4:" LOOPBACK ":%u", port), NULL);
    peer_receives_bytes(harness, peer_accept(harness, listener), BYTES(SIGNATURE "\x20\0\0\0"));
}

/* A chain of two, one of which sends what the other one learns. */
static void tells_the_next_one(void **state)
{
    static const char *const layers[] = {"PP", "PP,pp-version=2,pp-crc32c",
                                         "PP,pp-unique-id,pp-authority=far"};
    static const char *const answers[] = {"1 ", "2 ", "2 far"};
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(layers); i++) {
        struct program *second = serve_telling(
            harness, "PP", "", "$MODCAT_PEERADDR $MODCAT_PP_VERSION $MODCAT_PP_AUTHORITY");
        struct program *first = program_start(
            harness, "-d", "-d", "TCP4-LISTEN:0,fork,bind=" LOOPBACK,
            text(harness, "%s|TCP4:" LOOPBACK ":%u", layers[i], program_port(second)), NULL);
        int client = peer_connect_from(harness, "127.0.0.9", 0, LOOPBACK, program_port(first));
        peer_receives(harness, client, text(harness, "127.0.0.9 %s\n", answers[i]));
    }
}

static void understands_haproxy(void **state)
{
    static const char *const ways[] = {"send-proxy", "send-proxy-v2",
                                       "send-proxy-v2 proxy-v2-options crc32c,unique-id"};
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct program *program = serve_telling(harness, "PP", "", "$MODCAT_PEERADDR");
        unsigned port = haproxy_start(harness, text(harness, "\n server one " LOOPBACK ":%u %s\n",
                                                    program_port(program), ways[i]));
        int client = peer_connect_from(harness, "127.0.0.9", 0, LOOPBACK, port);
        peer_receives(harness, client, "127.0.0.9\n");
        peer_send(harness, client, "more");
        peer_receives(harness, client, "more");
    }
}

static void is_understood_by_haproxy(void **state)
{
    static const char *const layers[] = {"PP", "PP,pp-version=2", "PP,pp-crc32c,pp-unique-id"};
    struct harness *harness = *state;
    unsigned server_port;
    int listener = peer_listen(harness, LOOPBACK, &server_port);
    for (size_t i = 0; i < COUNT(layers); i++) {
        unsigned port = haproxy_start(
            harness,
            text(harness, " accept-proxy\n server one " LOOPBACK ":%u send-proxy\n", server_port));
        struct program *program =
            program_start(harness, "-d", "-d", "TCP4-LISTEN:0,fork,bind=" LOOPBACK,
                          text(harness, "%s|TCP4:" LOOPBACK ":%u", layers[i], port), NULL);
        int client = peer_connect_from(harness, "127.0.0.9", 0, LOOPBACK, program_port(program));
        peer_send(harness, client, "question");
        int server = peer_accept(harness, listener);
        peer_receives(harness, server, "PROXY TCP4 127.0.0.9 " LOOPBACK " ");
    }
}

static void understands_nginx_and_is_understood(void **state)
{
    struct harness *harness = *state;
    struct program *second = serve_telling(harness, "PP", "", "$MODCAT_PEERADDR");
    unsigned port = nginx_start(
        harness, text(harness, " proxy_protocol; proxy_pass " LOOPBACK ":%u; proxy_protocol on;",
                      program_port(second)));
    struct program *first =
        program_start(harness, "-d", "-d", "TCP4-LISTEN:0,fork,bind=" LOOPBACK,
                      text(harness, "PP,pp-version=2|TCP4:" LOOPBACK ":%u", port), NULL);
    int client = peer_connect_from(harness, "127.0.0.9", 0, LOOPBACK, program_port(first));
    peer_receives(harness, client, LOOPBACK "\n");
}

static int datagram_pair(struct harness *harness, const char *own, const char *theirs)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = harness_keep(harness, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    snprintf(address.sun_path, sizeof address.sun_path, "%s", own);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", theirs);
    if (theirs[0] != '\0')
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void puts_a_header_before_each_packet(void **state)
{
    struct harness *harness = *state;
    char packet[200];
    const char *own = path(harness, "own");
    int fd = datagram_pair(harness, own, "");
    struct program *program =
        program_start(harness, "-u", "-", text(harness, "PP|UNIX-SENDTO:%s", own), NULL);
    static const char *const data[] = {"one", "three", "two"};
    for (size_t i = 0; i < COUNT(data); i++) {
        program_send(program, data[i]);
        assert_int_equal(recv(fd, packet, sizeof packet, 0), 16 + strlen(data[i]));
        assert_memory_equal(packet, SIGNATURE "\x20\0\0\0", 16);
        assert_memory_equal(packet + 16, data[i], strlen(data[i]));
    }
}

static int packets_to(struct harness *harness, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = harness_keep(harness, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void takes_the_header_off_each_packet(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "PP|UDP4-LISTEN:0,bind=" LOOPBACK, "-", NULL);
    int fd = packets_to(harness, program_port(program));
    peer_send_bytes(harness, fd, BYTES(HEADER "one "));
    program_outputs(program, "one ");
    program_logs(program, " N PP: the header of version 2 says that the client is AF=2 192.0.2.7");
    peer_send_bytes(harness, fd, BYTES(HEADER "two "));
    program_outputs(program, "two ");
    peer_send_bytes(harness, fd, BYTES("nothing"));
    program_logs(program, " W *dropping a packet, and further ones silently: no header");
    peer_send_bytes(harness, fd, BYTES("nothing"));
    peer_send_bytes(harness, fd, BYTES(HEADER "three"));
    program_outputs(program, "three");
    program_send(program, "answer");
    peer_receives(harness, fd, "answer");
}

static void refuses_a_first_packet_without_a_header(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-d", "-d", "PP|UDP4-LISTEN:0,fork,bind=" LOOPBACK, "PIPE", NULL);
    unsigned port = program_port(program);
    peer_send_bytes(harness, packets_to(harness, port), BYTES("PROXY TCP4"));
    program_logs(program, " W PP: refusing *: its first packet is too short for a header");
    int fd = packets_to(harness, port);
    peer_send_bytes(harness, fd, BYTES(HEADER "good"));
    peer_receives(harness, fd, "good");
}

/* Mistakes that are told before anything is opened, with their place. */
static void refuses_options_that_do_not_fit(void **state)
{
    static const struct {
        const char *address, *why;
    } rows[] = {
        {"PP,pp-version=3|PIPE", "it must be 1 or 2"},
        {"PP,pp-version=1,pp-authority=x|PIPE", "there is no such thing in version 1"},
        {"PP,pp-trust=10.0.0.0|PIPE", "it must be a range of numeric addresses"},
        {"PP,pp-trust=host/8|PIPE", "it must be a range of numeric addresses"},
        {"PP,pp-trust=10.0.0.0/8|PIPE", "it is for headers that are received"},
        {"PP,pp-tls|TCP4-LISTEN:0", "it is for a header that is sent"},
        {"PP,pp-tlv=256:x00|PIPE", "a type is a number from 0 to 255"},
        {"PP,pp-tlv=3:x00|PIPE", "a type is a number from 0 to 255"},
        {"PP,pp-unique-id=|PIPE", "it must be 1 to 128 bytes long"},
        {"PP,pp-authority=|PIPE", "it must not be empty"},
        {"PP", "PP is a layer and stands on top of an address"},
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct program *program = program_start(harness, rows[i].address, "PIPE", NULL);
        program_ends_logging(program, 1, text(harness, " E *%s", rows[i].why));
        assert_true(program_has_logged(program, "^"));
    }
}

/* Where no listener is below, the role is given. */
static void learns_it_from_whoever_is_there(void **state)
{
    struct harness *harness = *state;
    const char *script = path(harness, "who");
    file_write(harness, script, "echo $MODCAT_PEERADDR; cat\n");
    struct program *program = program_start(harness, "PP,pp-role=receive|STDIO",
                                            text(harness, "EXEC:sh %s", script), NULL);
    program_send(program, LINE "hello");
    program_end_input(program);
    program_outputs(program, "192.0.2.7\nhello");
    program_ends(program, 0);
    program = program_start(harness, "PP,pp-role=receive|STDIO", "PIPE", NULL);
    program_send(program, "hello, it is me\n");
    program_ends_logging(program, 1, " E PP: no header of the PROXY protocol: there is none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(learns_who_the_client_is),
        SYSTEM_TEST(takes_headers_in_two_pieces),
        SYSTEM_TEST(keeps_the_peer_of_a_connection_of_the_proxy_itself),
        SYSTEM_TEST(refuses_bad_headers_and_serves_others),
        SYSTEM_TEST(refuses_a_peer_that_leaves_or_says_nothing),
        SYSTEM_TEST(filters_by_the_client),
        SYSTEM_TEST(takes_headers_of_whom_it_trusts),
        SYSTEM_TEST(insists_on_version_and_checksum),
        SYSTEM_TEST(says_who_the_client_is),
        SYSTEM_TEST(says_it_in_version_2),
        SYSTEM_TEST(says_that_there_is_no_client),
        SYSTEM_TEST(tells_the_next_one),
        SYSTEM_TEST(understands_haproxy),
        SYSTEM_TEST(is_understood_by_haproxy),
        SYSTEM_TEST(understands_nginx_and_is_understood),
        SYSTEM_TEST(puts_a_header_before_each_packet),
        SYSTEM_TEST(takes_the_header_off_each_packet),
        SYSTEM_TEST(refuses_a_first_packet_without_a_header),
        SYSTEM_TEST(refuses_options_that_do_not_fit),
        SYSTEM_TEST(learns_it_from_whoever_is_there),
    };
    return cmocka_run_group_tests_name("pp", tests, NULL, NULL);
}
