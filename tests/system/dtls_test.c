/* Servers of DTLS and unknown senders: forged ones, ones that stop halfway, and real
 * clients among them. */

#define _GNU_SOURCE
#include "tests/system/certificates.h"
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#define FORGED (SANITIZED ? 200 : 1000)
#define SENDERS 20

/* Types of records and of messages of the handshake, RFC 6347 section 4.3. */
#define RECORD_HANDSHAKE 22
#define MESSAGE_AT 13
#define HELLO_VERIFY_REQUEST 3

/* A client in this process, whose packets are carried by the test. */
struct client {
    SSL_CTX *context;
    SSL *library;
};

static struct client client_make(void)
{
    struct client client = {.context = SSL_CTX_new(DTLS_client_method())};
    client.library = SSL_new(client.context);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(client.library, in, out);
    SSL_set_connect_state(client.library);
    SSL_set_options(client.library, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(client.library, 1400);
    return client;
}

static void client_free(struct client *client)
{
    SSL_free(client->library);
    SSL_CTX_free(client->context);
}

/* What the client sends after it has got this; one flight is one packet here. */
static size_t client_answer(struct client *client, const void *data, size_t length, char *answer,
                            size_t size)
{
    if (length > 0)
        BIO_write(SSL_get_rbio(client->library), data, (int)length);
    SSL_do_handshake(client->library);
    int count = BIO_read(SSL_get_wbio(client->library), answer, (int)size);
    assert_true(count > 0);
    return (size_t)count;
}

static size_t make_hello(char *hello, size_t size)
{
    struct client client = client_make();
    size_t length = client_answer(&client, NULL, 0, hello, size);
    client_free(&client);
    return length;
}

static int sender_to(struct harness *harness, const char *host, unsigned port)
{
    unsigned own;
    int fd = packet_udp(harness, LOOPBACK, &own);
    struct place server = place_host(harness, host, port);
    packet_connect(harness, fd, &server);
    return fd;
}

/* The cookie is asked for by a packet that is of no use for flooding anybody. */
static size_t asks_for_cookie(struct harness *harness, int fd, const char *hello, size_t length,
                              char *request, size_t size)
{
    packet_send(harness, fd, hello, length);
    size_t count = packet_receive(harness, fd, request, size, NULL);
    assert_int_equal(request[0], RECORD_HANDSHAKE);
    assert_int_equal(request[MESSAGE_AT], HELLO_VERIFY_REQUEST);
    assert_true(count <= 3 * length);
    return count;
}

/* A client that shows its cookie, and says nothing after that. */
static void show_cookie(struct harness *harness, unsigned port)
{
    char hello[2048], request[2048];
    int fd = sender_to(harness, LOOPBACK, port);
    struct client client = client_make();
    size_t length = client_answer(&client, NULL, 0, hello, sizeof hello);
    size_t count = asks_for_cookie(harness, fd, hello, length, request, sizeof request);
    length = client_answer(&client, request, count, hello, sizeof hello);
    packet_send(harness, fd, hello, length);
    client_free(&client);
}

static void next_client_is_served(struct harness *harness, unsigned port)
{
    struct program *client = dtls_connect(harness, port);
    program_send(client, "next");
    program_outputs(client, "next");
    program_end_input(client);
    program_ends(client, 0);
}

/* The forms in which an address may be a server of DTLS. */
static const char *const forms[] = {
    "DTLS-SERVER:0,bind=" LOOPBACK,
    "DTLS-SERVER:0,bind=" LOOPBACK ",fork",
    "DTLS-SERVER:0,bind=" LOOPBACK ",fork,max-children=1",
};

static void a_sender_has_to_send_a_cookie_before_there_is_a_session(void **state)
{
    struct harness *harness = *state;
    char hello[2048], request[2048];
    certificates_make_usual(harness);
    size_t length = make_hello(hello, sizeof hello);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct program *server = dtls_serve(harness, forms[i]);
        unsigned port = program_port(server);
        int fd = sender_to(harness, LOOPBACK, port);
        for (int round = 0; round < 3; round++)
            asks_for_cookie(harness, fd, hello, length, request, sizeof request);
        assert_int_equal(process_children(program_pid(server)), 0);
        assert_false(program_has_logged(server, "accepting UDP connection"));
        next_client_is_served(harness, port);
        program_logs(server, " N accepting UDP connection");
    }
}

static void a_layer_over_udp_asks_for_a_cookie_too(void **state)
{
    struct harness *harness = *state;
    char hello[2048], request[2048];
    certificates_make_usual(harness);
    struct program *server = program_start(
        harness, "-d", "-d",
        text(harness, "OPENSSL-DTLS-SERVER,verify=0,%s|UDP-LISTEN:0,bind=" LOOPBACK ",fork",
             certificate_shown(harness)),
        "PIPE", NULL);
    unsigned port = program_port(server);
    int fd = sender_to(harness, LOOPBACK, port);
    asks_for_cookie(harness, fd, hello, make_hello(hello, sizeof hello), request, sizeof request);
    assert_int_equal(process_children(program_pid(server)), 0);
    next_client_is_served(harness, port);
}

static void a_thousand_forged_senders_make_no_process(void **state)
{
    struct harness *harness = *state;
    char hello[2048], request[2048];
    int senders[SENDERS];
    certificates_make_usual(harness);
    size_t length = make_hello(hello, sizeof hello);
    struct program *server = dtls_serve(harness, forms[1]);
    unsigned port = program_port(server);
    for (int i = 0; i < SENDERS; i++)
        senders[i] = sender_to(harness, LOOPBACK, port);
    for (int i = 0; i < FORGED; i++)
        asks_for_cookie(harness, senders[i % SENDERS], hello, length, request, sizeof request);
    const char *begun =
        sessions_are_hosted() ? "] N accepting UDP connection" : "forked off child process";
    assert_false(program_has_logged(server, begun));
    next_client_is_served(harness, port);
    assert_non_null(strstr(program_log(server), begun));
}

/* Cut, with a wrong cookie, of another protocol, of no protocol. */
static void other_packets_are_dropped_without_an_answer(void **state)
{
    struct harness *harness = *state;
    char hello[2048], request[2048], answer[2048];
    certificates_make_usual(harness);
    size_t length = make_hello(hello, sizeof hello);
    struct program *server = dtls_serve(harness, forms[1]);
    int fd = sender_to(harness, LOOPBACK, program_port(server));
    for (size_t cut = 0; cut < length; cut += 7)
        packet_send(harness, fd, hello, cut);
    packet_send(harness, fd, "GET / HTTP/1.0\r\n\r\n", 18);
    memset(answer, RECORD_HANDSHAKE, sizeof answer);
    packet_send(harness, fd, answer, sizeof answer);
    /* The answer to the whole one is the first, for packets are looked at one after the other. */
    asks_for_cookie(harness, fd, hello, length, request, sizeof request);
    assert_true(recv(fd, answer, sizeof answer, MSG_DONTWAIT) < 0);
    assert_int_equal(process_children(program_pid(server)), 0);
}

static void a_cookie_is_good_for_its_own_sender_only(void **state)
{
    struct harness *harness = *state;
    char hello[2048], request[2048];
    certificates_make_usual(harness);
    struct program *server = dtls_serve(harness, forms[1]);
    unsigned port = program_port(server);
    int owner = sender_to(harness, LOOPBACK, port), thief = sender_to(harness, LOOPBACK, port);
    struct client client = client_make();
    size_t length = client_answer(&client, NULL, 0, hello, sizeof hello);
    size_t count = asks_for_cookie(harness, owner, hello, length, request, sizeof request);
    length = client_answer(&client, request, count, hello, sizeof hello);
    asks_for_cookie(harness, thief, hello, length, request, sizeof request);
    assert_int_equal(process_children(program_pid(server)), 0);
    packet_send(harness, owner, hello, length);
    program_logs(server, " N accepting UDP connection");
    packet_receive(harness, owner, request, sizeof request, NULL);
    client_free(&client);
}

static void answers_come_from_the_address_that_was_asked(void **state)
{
    struct harness *harness = *state;
    char hello[2048], request[2048];
    certificates_make_usual(harness);
    struct program *server = dtls_serve(harness, "DTLS-SERVER:0,pf=ip4,fork");
    int fd = sender_to(harness, "127.0.0.3", program_port(server));
    asks_for_cookie(harness, fd, hello, make_hello(hello, sizeof hello), request, sizeof request);
}

static void talk_to_s_client(struct harness *harness, struct program *server,
                             const char *const *arguments)
{
    struct program *client = openssl_run(harness, arguments);
    program_logs(server, " N SSL proto version used: DTLSv1.2");
    program_send(client, "hello");
    program_outputs(client, "hello");
    program_signal(client, SIGTERM);
}

static void serves_a_client_whose_first_message_comes_in_pieces(void **state)
{
    struct harness *harness = *state;
    const char *protocols = "last";
    openssl_needed();
    certificates_make_usual(harness);
    for (int i = 0; i < 100; i++)
        protocols = text(harness, "protocol99,%s", protocols);
    struct program *server = dtls_serve(harness, forms[1]);
    const char *address = text(harness, LOOPBACK ":%u", program_port(server));
    talk_to_s_client(harness, server,
                     (const char *const[]){"s_client", "-dtls", "-quiet", "-mtu", "512", "-alpn",
                                           protocols, "-connect", address, NULL});
}

static void serves_clients_over_ipv6(void **state)
{
    struct harness *harness = *state;
    openssl_needed();
    if (!peer_has_ipv6())
        skip_because("there is no IPv6");
    certificates_make_usual(harness);
    struct program *server = dtls_serve(harness, "DTLS-SERVER:0,pf=ip6,fork");
    const char *address = text(harness, "[::1]:%u", program_port(server));
    talk_to_s_client(
        harness, server,
        (const char *const[]){"s_client", "-dtls", "-quiet", "-connect", address, NULL});
}

static void a_client_that_stops_halfway_gives_its_place_back_in_time(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    struct program *server = dtls_serve(harness, "DTLS-SERVER:0,bind=" LOOPBACK
                                                 ",fork,max-children=1,handshake-timeout=0.5");
    unsigned port = program_port(server);
    show_cookie(harness, port);
    program_logs(server, " N accepting UDP connection");
    program_logs(
        server,
        " E DTLS-SERVER: cannot complete the TLS handshake: Connection timed out: the peer");
    next_client_is_served(harness, port);
}

/* Each has shown its cookie. The first has a whole session. */
static void stalled_clients_give_way_to_one_that_waits(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    struct program *server =
        dtls_serve(harness, "DTLS-SERVER:0,bind=" LOOPBACK ",fork,max-children=2");
    unsigned port = program_port(server);
    struct program *old = dtls_connect(harness, port);
    program_send(old, "one");
    program_outputs(old, "one");
    show_cookie(harness, port);
    program_logs(server, " N maxchildren are active, waiting");
    next_client_is_served(harness, port);
    program_logs(server, " W maxchildren are active and another peer is waiting: ending ");
    program_send(old, "two");
    program_outputs(old, "two");
}

static void so_rcvtimeo_bounds_a_handshake_of_dtls(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    packet_udp(harness, LOOPBACK, &port);
    struct program *client =
        program_start(harness, text(harness, "DTLS:" LOOPBACK ":%u,verify=0,so-rcvtimeo=0.2", port),
                      "STDIO", NULL);
    program_ends_logging(client, 1,
                         " E DTLS: cannot complete the TLS handshake: Connection timed out");
}

/* The library repeats its first message after one second, and then after two more. */
static void so_rcvtimeo_counts_through_the_repetitions_of_dtls(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int hellos = 0, server = packet_udp(harness, LOOPBACK, &port);
    struct program *client =
        program_start(harness, text(harness, "DTLS:" LOOPBACK ":%u,verify=0,so-rcvtimeo=2.1", port),
                      "STDIO", NULL);
    program_ends_logging(client, 1,
                         " E DTLS: cannot complete the TLS handshake: Connection timed out");
    while (recv(server, NULL, 0, MSG_DONTWAIT) == 0)
        hellos++;
    assert_int_equal(hellos, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_sender_has_to_send_a_cookie_before_there_is_a_session),
        SYSTEM_TEST(a_layer_over_udp_asks_for_a_cookie_too),
        SYSTEM_TEST(a_thousand_forged_senders_make_no_process),
        SYSTEM_TEST(other_packets_are_dropped_without_an_answer),
        SYSTEM_TEST(a_cookie_is_good_for_its_own_sender_only),
        SYSTEM_TEST(answers_come_from_the_address_that_was_asked),
        SYSTEM_TEST(serves_a_client_whose_first_message_comes_in_pieces),
        SYSTEM_TEST(serves_clients_over_ipv6),
        SYSTEM_TEST(a_client_that_stops_halfway_gives_its_place_back_in_time),
        SYSTEM_TEST(stalled_clients_give_way_to_one_that_waits),
        SYSTEM_TEST(so_rcvtimeo_bounds_a_handshake_of_dtls),
        SYSTEM_TEST(so_rcvtimeo_counts_through_the_repetitions_of_dtls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
