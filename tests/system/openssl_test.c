/* TLS and DTLS with the openssl command, curl, and this program at the other end. */

#define _GNU_SOURCE
#include "tests/system/certificates.h"
#include "tests/system/peers.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEBIBYTE ((size_t)1 << 20)
#define SERVING "OPENSSL-LISTEN:0,bind=" LOOPBACK

/* Ends the test as skipped where a program is not installed. */
static void need_program(const char *name)
{
    char command[80];
    snprintf(command, sizeof command, "command -v %s >/dev/null", name);
    if (system(command) != 0)
        skip_because("%s is not installed", name);
}

/* A server of this program: TLS to whoever comes, and what the second address is. */
static struct program *serve(struct harness *harness, const char *options, const char *second,
                             unsigned *port)
{
    struct program *program = program_start(
        harness, "-d", "-d", "-t", "10",
        text(harness, SERVING ",%s,%s", certificate_shown(harness), options), second, NULL);
    *port = program_port(program);
    return program;
}

static const char *client_address(struct harness *harness, unsigned port, const char *options)
{
    return text(harness, "OPENSSL:" LOOPBACK ":%u,%s,%s", port, certificate_trusted(harness),
                options);
}

/* Waits until openssl s_server says where it listens. */
static unsigned server_port(struct harness *harness, struct program *server)
{
    unsigned port = 0;
    for (long long end = milliseconds() + PATIENCE; milliseconds() < end; poll(NULL, 0, 5)) {
        const char *line = strstr(program_output(server, NULL), "ACCEPT " LOOPBACK ":");
        if (line != NULL && strchr(line, '\n') != NULL &&
            sscanf(line, "ACCEPT " LOOPBACK ":%u", &port) == 1)
            return port;
    }
    harness_fail(harness, "openssl s_server does not listen: %s", program_log(server));
}

static void talk_to_s_client(struct harness *harness, const char *options, const char *version,
                             const char *expected)
{
    unsigned port;
    struct program *server = serve(harness, options, "PIPE", &port);
    struct program *client = openssl_run(
        harness, (const char *const[]){"s_client", "-quiet", version, "-CAfile",
                                       certificate_path(harness, "ca"), "-verify_return_error",
                                       "-verify_hostname", "localhost", "-connect",
                                       text(harness, LOOPBACK ":%u", port), NULL});
    program_logs(server, text(harness, " N SSL proto version used: %s", expected));
    program_send(client, "hello");
    program_outputs(client, "hello");
    program_end_input(client);
    program_signal(client, SIGTERM);
}

static void serves_openssl_s_client_with_tls_1_2_and_1_3(void **state)
{
    openssl_needed();
    certificates_make_usual(*state);
    talk_to_s_client(*state, "verify=0", "-tls1_2", "TLSv1.2");
    talk_to_s_client(*state, "verify=0", "-tls1_3", "TLSv1.3");
    talk_to_s_client(*state, "verify=0,max-version=TLS1.2", "-no_ssl3", "TLSv1.2");
    talk_to_s_client(*state, "verify=0,min-proto-version=tlsv1.3", "-no_ssl3", "TLSv1.3");
}

/* The client knows the root only. */
static void sends_trusted_certificates_that_its_own_chain_lacks(void **state)
{
    struct harness *harness = *state;
    openssl_needed();
    certificate_make(harness,
                     &(struct certificate){.name = "ca", .common_name = "Root", .authority = true});
    certificate_make(harness, &(struct certificate){.name = "between",
                                                    .issuer = "ca",
                                                    .common_name = "Between",
                                                    .authority = true});
    certificate_make(harness, &(struct certificate){.name = "server",
                                                    .issuer = "between",
                                                    .common_name = "localhost",
                                                    .alternatives = "DNS:localhost"});
    talk_to_s_client(harness,
                     text(harness, "verify=0,cafile=%s", certificate_path(harness, "between")),
                     "-tls1_3", "TLSv1.3");
}

/* A named pipe without a writer in their place keeps busy whoever opens it. */
static void reads_what_the_system_trusts_only_where_it_is_of_use(void **state)
{
    struct harness *harness = *state;
    const char *trusted = path(harness, "trusted");
    const char *environment = text(harness, "SSL_CERT_FILE=%s", trusted);
    certificate_make(harness, &(struct certificate){.name = "alone", .common_name = "localhost"});
    assert_int_equal(mkfifo(trusted, 0600), 0);
    const char *const serving[] = {
        "-d", "-d", text(harness, SERVING ",cert=%s,verify=0", certificate_path(harness, "alone")),
        "PIPE", NULL};
    struct program *server =
        program_launch(harness, &(struct launch){.arguments = serving, .environment = environment});
    const char *const connecting[] = {
        "-", text(harness, "OPENSSL:" LOOPBACK ":%u,verify=0", program_port(server)), NULL};
    struct program *client = program_launch(
        harness, &(struct launch){.arguments = connecting, .environment = environment});
    program_send(client, "hello");
    program_outputs(client, "hello");
    program_end_input(client);
    program_ends(client, 0);
    program_ends(server, 0);
}

static struct program *start_s_server(struct harness *harness, const char *first,
                                      const char *second, const char *third, unsigned *port)
{
    const char *const arguments[] = {
        "s_server", "-accept", LOOPBACK ":0", "-rev", "-cert", certificate_path(harness, "server"),
        first,      second,    third,         NULL};
    struct program *server = openssl_run(harness, arguments);
    *port = server_port(harness, server);
    return server;
}

static void talk_to_s_server(struct harness *harness, const char *version, const char *expected)
{
    unsigned port;
    start_s_server(harness, version, NULL, NULL, &port);
    struct program *client = program_start(harness, "-d", "-d", "-t", "10", "STDIO",
                                           client_address(harness, port, ""), NULL);
    program_logs(client, text(harness, " N SSL proto version used: %s", expected));
    program_send(client, "hello\n");
    program_outputs(client, "olleh\n");
    program_end_input(client);
    program_ends(client, 0);
}

static void talks_to_openssl_s_server_with_tls_1_2_and_1_3(void **state)
{
    openssl_needed();
    certificates_make_usual(*state);
    talk_to_s_server(*state, "-tls1_2", "TLSv1.2");
    talk_to_s_server(*state, "-tls1_3", "TLSv1.3");
}

static void shows_its_certificate_to_openssl_s_server(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    openssl_needed();
    certificates_make_usual(harness);
    struct program *server =
        openssl_run(harness, (const char *const[]){"s_server", "-accept", LOOPBACK ":0", "-rev",
                                                   "-cert", certificate_path(harness, "server"),
                                                   "-CAfile", certificate_path(harness, "ca"),
                                                   "-Verify", "2", "-verify_return_error", NULL});
    port = server_port(harness, server);
    struct program *client =
        program_start(harness, "-t", "10", "STDIO",
                      client_address(harness, port, certificate_shown(harness)), NULL);
    program_send(client, "abc\n");
    program_outputs(client, "cba\n");
    program_end_input(client);
    program_ends(client, 0);
    client = program_start(harness, "-d", "-d", "STDIO", client_address(harness, port, ""), NULL);
    program_ends_logging(client, 1, " E OPENSSL: connection lost: *alert*[SSL_read(): ");
}

static void wants_the_certificate_of_openssl_s_client(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    openssl_needed();
    certificates_make_usual(harness);
    certificate_make(
        harness, &(struct certificate){.name = "client", .issuer = "ca", .common_name = "friend"});
    struct program *server =
        serve(harness, text(harness, "%s,cn=friend", certificate_trusted(harness)), "PIPE", &port);
    struct program *client =
        openssl_run(harness, (const char *const[]){"s_client", "-quiet", "-cert",
                                                   certificate_path(harness, "client"), "-connect",
                                                   text(harness, LOOPBACK ":%u", port), NULL});
    program_logs(server, " N trusting certificate, commonName matches");
    program_send(client, "hello");
    program_outputs(client, "hello");
    program_signal(client, SIGTERM);
}

static void serves_curl(void **state)
{
    struct harness *harness = *state;
    unsigned port, plain_port;
    need_program("curl");
    certificates_make_usual(harness);
    int listener = peer_listen(harness, LOOPBACK, &plain_port);
    serve(harness, "verify=0", text(harness, "TCP:" LOOPBACK ":%u", plain_port), &port);
    struct program *curl = program_launch(
        harness,
        &(struct launch){.program = "curl",
                         .arguments = (const char *const[]){
                             "-sS", "--noproxy", "*", "--cacert", certificate_path(harness, "ca"),
                             text(harness, "https://" LOOPBACK ":%u/", port), NULL}});
    int plain = peer_accept(harness, listener);
    char request[16];
    assert_int_equal(recv(plain, request, sizeof request, MSG_WAITALL), sizeof request);
    assert_memory_equal(request, "GET / HTTP/1.1\r\n", sizeof request);
    peer_send(harness, plain, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    program_outputs(curl, "hello");
    program_ends(curl, 0);
}

static void talk_over_datagrams(struct harness *harness, const char *const *client_arguments,
                                struct program *server)
{
    struct program *client = openssl_run(harness, client_arguments);
    program_logs(server, " N SSL proto version used: DTLSv1.2");
    program_send(client, "hello");
    program_outputs(client, "hello");
    program_signal(client, SIGTERM);
}

static void serves_openssl_s_client_with_dtls(void **state)
{
    struct harness *harness = *state;
    openssl_needed();
    certificates_make_usual(harness);
    struct program *server = dtls_serve(harness, "DTLS-SERVER:0,bind=" LOOPBACK ",fork");
    const char *address = text(harness, LOOPBACK ":%u", program_port(server));
    for (int round = 0; round < 2; round++)
        talk_over_datagrams(harness,
                            (const char *const[]){"s_client", "-dtls", "-quiet", "-CAfile",
                                                  certificate_path(harness, "ca"),
                                                  "-verify_return_error", "-connect", address,
                                                  NULL},
                            server);
}

static void talks_to_openssl_s_server_with_dtls(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    openssl_needed();
    certificates_make_usual(harness);
    struct program *server = openssl_run(
        harness, (const char *const[]){"s_server", "-dtls", "-accept", LOOPBACK ":0", "-cert",
                                       certificate_path(harness, "server"), NULL});
    port = server_port(harness, server);
    struct program *client = program_start(
        harness, "-d", "-d", "STDIO",
        text(harness, "DTLS:" LOOPBACK ":%u,%s", port, certificate_trusted(harness)), NULL);
    program_logs(client, " N SSL proto version used: DTLSv1.2");
    program_send(server, "from the server\n");
    program_outputs(client, "from the server\n");
}

static void dtls_keeps_datagrams_apart(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    struct program *server = dtls_serve(harness, "DTLS-SERVER:0,bind=" LOOPBACK);
    struct program *client = dtls_connect(harness, program_port(server));
    program_send(client, "one");
    program_outputs(client, "one");
    program_send(client, "two");
    program_outputs(client, "two");
    program_end_input(client);
    program_ends(client, 0);
    program_ends(server, 0);
}

static void dtls_serves_two_clients_at_once(void **state)
{
    struct harness *harness = *state;
    struct program *clients[2];
    certificates_make_usual(harness);
    struct program *server = dtls_serve(harness, "DTLS-SERVER:0,bind=" LOOPBACK ",fork");
    unsigned port = program_port(server);
    for (int i = 0; i < 2; i++)
        clients[i] = dtls_connect(harness, port);
    for (int i = 0; i < 2; i++)
        program_send(clients[i], i == 0 ? "first" : "second");
    for (int i = 0; i < 2; i++)
        program_outputs(clients[i], i == 0 ? "first" : "second");
    for (int i = 0; i < 2; i++) {
        program_end_input(clients[i]);
        program_ends(clients[i], 0);
    }
}

static void dtls_lets_in_whom_the_filters_permit(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    struct program *server = program_start(
        harness, "-d", "-d",
        text(harness, "DTLS-SERVER:0,bind=" LOOPBACK ",verify=0,fork,range=127.0.0.1/32,%s",
             certificate_shown(harness)),
        "PIPE", NULL);
    unsigned port = program_port(server);
    struct program *client =
        program_start(harness, "STDIO",
                      text(harness, "DTLS:" LOOPBACK ":%u,bind=127.0.0.2,connect-timeout=0.3,%s",
                           port, certificate_trusted(harness)),
                      NULL);
    program_logs(server, " W refusing connection from AF=2 127.0.0.2:*range option");
    program_ends_logging(client, 1,
                         " E DTLS: cannot complete the TLS handshake: Connection timed out");
}

/* TCP in, `through` TLS between two programs, TCP out; 64 MiB both ways at once. */
static void relay_through(struct harness *harness, const char *serving, const char *connecting)
{
    unsigned plain_port;
    certificates_make_usual(harness);
    int listener = peer_listen(harness, LOOPBACK, &plain_port);
    struct program *server =
        program_start(harness, "-d", "-d", "-t", "10", text(harness, "%s", serving),
                      text(harness, "TCP:" LOOPBACK ":%u", plain_port), NULL);
    unsigned port = program_port(server);
    struct program *client = program_start(
        harness, "-d", "-d", "-t", "10", "TCP-LISTEN:0,bind=" LOOPBACK,
        text(harness, "%s:%u,%s", connecting, port, certificate_trusted(harness)), NULL);
    int left = peer_connect(harness, LOOPBACK, program_port(client));
    int right = peer_accept(harness, listener);
    struct flow flows[] = {
        {.write_fd = left, .read_fd = right, .seed = 1, .length = 64 * MEBIBYTE},
        {.write_fd = right, .read_fd = left, .seed = 2, .length = 64 * MEBIBYTE},
    };
    flows_run(harness, flows, 2);
    program_ends(client, 0);
    program_ends(server, 0);
}

static void relays_64_mib_both_ways_at_once(void **state)
{
    struct harness *harness = *state;
    relay_through(harness, text(harness, SERVING ",verify=0,%s", certificate_shown(harness)),
                  "OPENSSL:" LOOPBACK);
}

static void relays_64_mib_both_ways_at_once_over_three_layers(void **state)
{
    struct harness *harness = *state;
    const char *mine = certificate_shown(harness), *trusted = certificate_trusted(harness);
    relay_through(harness,
                  text(harness, "OPENSSL,verify=0,%s|OPENSSL,verify=0,%s|" SERVING ",verify=0,%s",
                       mine, mine, mine),
                  text(harness, "OPENSSL,%s|OPENSSL,%s|OPENSSL:" LOOPBACK, trusted, trusted));
}

static void passes_on_either_ends_half_close(void **state)
{
    struct harness *harness = *state;
    unsigned port, plain_port;
    certificates_make_usual(harness);
    int listener = peer_listen(harness, LOOPBACK, &plain_port);
    struct program *server =
        serve(harness, "verify=0,fork", text(harness, "TCP:" LOOPBACK ":%u", plain_port), &port);
    struct program *client =
        program_start(harness, "-d", "-d", "-t", "10", "TCP-LISTEN:0,fork,bind=" LOOPBACK,
                      client_address(harness, port, ""), NULL);
    unsigned entry = program_port(client);
    for (int round = 0; round < 2; round++) {
        int ends[2];
        ends[0] = peer_connect(harness, LOOPBACK, entry);
        ends[1] = peer_accept(harness, listener);
        peer_send(harness, ends[round], "question");
        peer_end(ends[round]);
        peer_receives(harness, ends[!round], "question");
        peer_receives_end(harness, ends[!round]);
        peer_send(harness, ends[!round], "answer");
        peer_end(ends[!round]);
        peer_receives(harness, ends[round], "answer");
        peer_receives_end(harness, ends[round]);
    }
    assert_false(program_has_logged(server, " E "));
}

static void a_one_way_transfer_arrives_whole(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    for (int round = 0; round < 5; round++) {
        unsigned port;
        struct program *server = program_start(
            harness, "-d", "-d", "-u",
            text(harness, SERVING ",verify=0,%s", certificate_shown(harness)), "STDOUT", NULL);
        port = program_port(server);
        struct program *client =
            program_start(harness, "-u", "STDIN", client_address(harness, port, ""), NULL);
        program_send(client, "all of it");
        program_end_input(client);
        program_ends(client, 0);
        program_outputs(server, "all of it");
        program_ends(server, 0);
    }
}

/* With TLS 1.2 nothing is left unread that would make the kernel reset the connection. */
static void vanish(struct harness *harness, const char *options, const char *complaint)
{
    unsigned port;
    struct program *server = serve(harness, options, "STDIO", &port);
    struct program *client =
        openssl_run(harness, (const char *const[]){"s_client", "-quiet", "-connect",
                                                   text(harness, LOOPBACK ":%u", port), NULL});
    program_send(client, "half of a ");
    program_outputs(server, "half of a ");
    program_signal(client, SIGKILL);
    program_logs(server, complaint);
    program_ends(server, 1);
    assert_string_equal(program_output(server, NULL), "half of a ");
}

static void a_peer_that_vanishes_without_close_notify_is_an_error(void **state)
{
    openssl_needed();
    certificates_make_usual(*state);
    vanish(*state, "verify=0,max-version=TLS1.2",
           " E OPENSSL-LISTEN: connection closed without close_notify; data may be truncated");
    vanish(*state, "verify=0", " E OPENSSL-LISTEN: connection *[SSL_read()");
}

/* Who relays what was cut off must not call it whole. */
static void what_was_cut_off_is_not_passed_on_as_whole(void **state)
{
    struct harness *harness = *state;
    unsigned port, cut_port;
    openssl_needed();
    certificates_make_usual(harness);
    struct program *last = serve(harness, "verify=0", "STDIO", &port);
    struct program *middle =
        serve(harness, "verify=0,max-version=TLS1.2", client_address(harness, port, ""), &cut_port);
    struct program *client =
        openssl_run(harness, (const char *const[]){"s_client", "-quiet", "-connect",
                                                   text(harness, LOOPBACK ":%u", cut_port), NULL});
    program_send(client, "half of a ");
    program_outputs(last, "half of a ");
    program_signal(client, SIGKILL);
    program_ends_logging(middle, 1, " E OPENSSL-LISTEN: connection *[SSL_read()");
    program_ends_logging(last, 1, " E OPENSSL-LISTEN: connection *[SSL_read()");
}

/* What a peer without TLS sends, and what is said about it. */
static const struct {
    const char *words;
    const char *complaint;
} strangers[] = {
    {"220 mail.example.org ESMTP\r\n",
     "the peer does not speak TLS, or only a version that is not allowed"},
    {"HTTP/1.1 400 Bad Request\r\n\r\n",
     "the peer does not speak TLS, or only a version that is not allowed"},
    {"", "the peer closed the connection during the handshake"},
    {"\x16", "the peer closed the connection during the handshake"},
    {"\x16\x03\x03\xff\xff"
     "cut",
     "error:"},
};

static void a_server_without_tls_is_an_error(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        struct program *client = program_start(
            harness, text(harness, "OPENSSL:" LOOPBACK ":%u,verify=0", port), "STDIO", NULL);
        int peer = peer_accept(harness, listener);
        peer_send(harness, peer, strangers[i].words);
        peer_end(peer);
        program_logs(client, text(harness, " E OPENSSL: cannot complete the TLS handshake: *%s",
                                  strangers[i].complaint));
        program_ends(client, 1);
        assert_string_equal(program_output(client, NULL), "");
        harness_close(harness, peer);
    }
}

static void a_server_that_says_nothing_is_given_up_in_time(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *client = program_start(
        harness, text(harness, "OPENSSL:" LOOPBACK ":%u,connect-timeout=0.2", port), "STDIO", NULL);
    peer_accept(harness, listener);
    program_ends_logging(client, 1,
                         " E OPENSSL: cannot complete the TLS handshake: Connection timed out");
    client = program_start(harness, "OPENSSL,verify=0,connect-timeout=0.2|SYSTEM:cat >/dev/null",
                           "STDIO", NULL);
    program_ends_logging(client, 1,
                         " E OPENSSL: cannot complete the TLS handshake: Connection timed out");
}

static void a_signal_ends_a_handshake(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *client =
        program_start(harness, text(harness, "OPENSSL:" LOOPBACK ":%u", port), "STDIO", NULL);
    int peer = peer_accept(harness, listener);
    char hello[5];
    assert_int_equal(recv(peer, hello, sizeof hello, MSG_WAITALL), sizeof hello);
    program_signal(client, SIGTERM);
    program_ends(client, 128 + SIGTERM);
}

static void next_client_is_served(struct harness *harness, unsigned port)
{
    struct program *client =
        program_start(harness, "-t", "10", "STDIO", client_address(harness, port, ""), NULL);
    program_send(client, "next");
    program_outputs(client, "next");
    program_end_input(client);
    program_ends(client, 0);
}

static void a_client_that_says_nothing_does_not_hold_up_the_next(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    certificates_make_usual(harness);
    serve(harness, "verify=0,fork", "PIPE", &port);
    int silent = peer_connect(harness, LOOPBACK, port);
    next_client_is_served(harness, port);
    assert_true(peer_is_silent(silent));
}

static void a_failed_handshake_leaves_the_listener_alone(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    certificates_make_usual(harness);
    struct program *server = serve(harness, "verify=0,fork", "PIPE", &port);
    int stranger = peer_connect(harness, LOOPBACK, port);
    peer_send(harness, stranger, "GET / HTTP/1.0\r\n\r\n");
    program_logs(
        server,
        " E OPENSSL-LISTEN: *: the peer does not speak TLS, or *[SSL_accept(): *http request");
    next_client_is_served(harness, port);
}

static void a_listener_without_fork_waits_for_another_peer_with_retry(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    certificates_make_usual(harness);
    struct program *server = serve(harness, "verify=0,retry=1,interval=0.01", "PIPE", &port);
    for (int attempt = 0; attempt < 2; attempt++) {
        int stranger = peer_connect(harness, LOOPBACK, port);
        peer_send(harness, stranger, "GET / HTTP/1.0\r\n\r\n");
        if (attempt == 0)
            program_logs(server, " N listening on ");
    }
    program_ends_logging(server, 1, " E OPENSSL-LISTEN: *[SSL_accept()");

    server = serve(harness, "verify=0,forever,interval=0.01", "PIPE", &port);
    int stranger = peer_connect(harness, LOOPBACK, port);
    peer_send(harness, stranger, "GET / HTTP/1.0\r\n\r\n");
    program_logs(server, " N listening on ");
    next_client_is_served(harness, port);
    program_ends(server, 0);
}

static void retries_when_a_handshake_fails(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *client = program_start(
        harness, "-d", "-d", "-d",
        text(harness, "OPENSSL:" LOOPBACK ":%u,retry=1,interval=0.01", port), "STDIO", NULL);
    for (int attempt = 0; attempt < 2; attempt++) {
        int peer = peer_accept(harness, listener);
        peer_send(harness, peer, "no\r\n\r\n");
        peer_end(peer);
        program_logs(client, text(harness, " %c OPENSSL: cannot complete the TLS handshake: ",
                                  attempt == 0 ? 'N' : 'E'));
    }
    program_ends(client, 1);
}

static void agrees_on_an_application_protocol(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    certificates_make_usual(harness);
    struct program *server = serve(harness, "verify=0,fork,alpn=h2:http/1.1", "PIPE", &port);
    struct program *client = program_start(harness, "-d", "-d", "/dev/null",
                                           client_address(harness, port, "alpn=http/1.1"), NULL);
    program_logs(client, " N ALPN protocol: \"http/1.1\"");
    program_logs(server, " N ALPN protocol: \"http/1.1\"");
    client = program_start(harness, "-d", "-d", "/dev/null",
                           client_address(harness, port, "alpn=smtp"), NULL);
    program_ends_logging(client, 1,
                         " E OPENSSL: cannot complete the TLS handshake: *no application protocol");
}

static void tells_the_server_which_host_is_wanted(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    openssl_needed();
    certificates_make_usual(harness);
    certificate_make(harness, &(struct certificate){.name = "other",
                                                    .issuer = "ca",
                                                    .common_name = "other",
                                                    .alternatives = "DNS:other.example"});
    const char *const arguments[] = {"s_server",
                                     "-accept",
                                     LOOPBACK ":0",
                                     "-cert",
                                     certificate_path(harness, "server"),
                                     "-servername",
                                     "other.example",
                                     "-cert2",
                                     certificate_path(harness, "other"),
                                     "-key2",
                                     certificate_path(harness, "other"),
                                     NULL};
    struct program *server = openssl_run(harness, arguments);
    port = server_port(harness, server);
    const char *matching[] = {"cn=other.example", "cn=other.example,snihost=other.example"};
    const char *failing[] = {"cn=other.example,no-sni", "cn=other.example,snihost=x.example"};
    for (size_t i = 0; i < 2; i++) {
        struct program *client = program_start(harness, "-d", "-d", "/dev/null",
                                               client_address(harness, port, matching[i]), NULL);
        program_logs(client, " N trusting certificate, commonName matches");
        client = program_start(harness, "-d", "-d", "/dev/null",
                               client_address(harness, port, failing[i]), NULL);
        program_ends_logging(client, 1, " E OPENSSL: *does not match hostname \"other.example\"");
    }
}

static void resumes_the_session_that_a_file_keeps(void **state)
{
    struct harness *harness = *state;
    const char *versions[] = {"max-version=TLS1.2", "min-version=TLS1.3"};
    certificates_make_usual(harness);
    for (size_t i = 0; i < 2; i++) {
        unsigned port;
        const char *file = path(harness, text(harness, "session%zu", i));
        const char *options = text(harness, "session-file=%s,%s", file, versions[i]);
        serve(harness, "verify=0,fork", "PIPE", &port);
        for (int run = 0; run < 3; run++) {
            struct program *client = program_start(harness, "-d", "-d", "-t", "10", "STDIO",
                                                   client_address(harness, port, options), NULL);
            program_send(client, "x");
            program_outputs(client, "x");
            program_end_input(client);
            program_ends(client, 0);
            assert_true(program_has_logged(client, " N trusting certificate, commonName matches"));
            assert_int_equal(program_has_logged(client, " N SSL session is resumed"), run > 0);
        }
    }
}

/* Opens a session whose file is not what it should be, and expects a whole handshake at once. */
static void connects_without_session(struct harness *harness, unsigned port, const char *file,
                                     const char *warning)
{
    struct program *client =
        program_start(harness, "-d", "-d", "-t", "10", "STDIO",
                      client_address(harness, port, text(harness, "session-file=%s", file)), NULL);
    program_send(client, "x");
    program_outputs(client, "x");
    program_end_input(client);
    program_ends_logging(client, 0,
                         text(harness, " W the session in \"*\" is not used: %s", warning));
    assert_false(program_has_logged(client, " N SSL session is resumed"));
}

static void a_session_that_others_can_plant_is_not_resumed(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "session"), *fifo = path(harness, "fifo");
    struct stat status;
    unsigned port;
    certificates_make_usual(harness);
    serve(harness, "verify=0,fork", "PIPE", &port);
    file_write(harness, file, "");
    assert_int_equal(chmod(file, 0666), 0);
    connects_without_session(harness, port, file, "other users can write it");
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    connects_without_session(harness, port, fifo, "it is not a regular file");
    assert_int_equal(stat(fifo, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(file, 65534, (gid_t)-1), 0);
    connects_without_session(harness, port, file, "it belongs to another user");
}

static void what_stands_in_the_place_of_a_session_file_stays(void **state)
{
    struct harness *harness = *state;
    const char *link = path(harness, "link"), *file = path(harness, "session");
    struct stat status;
    unsigned port;
    certificates_make_usual(harness);
    serve(harness, "verify=0,fork", "PIPE", &port);
    assert_int_equal(symlink("/dev/null", link), 0);
    connects_without_session(harness, port, link, "it is not a regular file");
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));

    struct program *client =
        program_start(harness, "-t", "10", "STDIO",
                      client_address(harness, port, text(harness, "session-file=%s", file)), NULL);
    program_send(client, "x");
    program_outputs(client, "x");
    assert_int_equal(unlink(file), 0);
    file_write(harness, file, "of somebody else");
    program_end_input(client);
    program_ends(client, 0);
    assert_string_equal(file_read(harness, file), "of somebody else");
}

static void trusts_who_has_the_shared_key(void **state)
{
    struct harness *harness = *state;
    const char *versions[] = {"max-version=TLS1.2", "min-version=TLS1.3"};
    const char *keys = path(harness, "keys"), *bad = path(harness, "bad");
    file_write(harness, keys, "# shared keys\nalice:00112233\nbob:44556677\n");
    file_write(harness, bad, "bob:44556678\n");
    for (size_t i = 0; i < 2; i++) {
        unsigned port;
        struct program *server =
            program_start(harness, "-d", "-d", "-t", "10",
                          text(harness, SERVING ",fork,psk-file=%s", keys), "PIPE", NULL);
        port = program_port(server);
        struct program *client =
            program_start(harness, "-d", "-d", "-t", "10", "STDIO",
                          text(harness, "OPENSSL:" LOOPBACK ":%u,psk-file=%s,psk-identity=bob,%s",
                               port, keys, versions[i]),
                          NULL);
        program_logs(client, " N peer authenticated by pre-shared key");
        program_send(client, "hello");
        program_outputs(client, "hello");
        program_end_input(client);
        program_ends(client, 0);
        client = program_start(
            harness, "STDIO",
            text(harness, "OPENSSL:" LOOPBACK ":%u,psk-file=%s,%s", port, bad, versions[i]), NULL);
        program_ends_logging(client, 1, " E OPENSSL: *[SSL_connect()");
    }
}

static void reads_an_encrypted_key(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    const char *key = certificate_lock_key(harness, "server", "open sesame");
    const char *passphrase = path(harness, "passphrase");
    const char *address =
        text(harness, SERVING ",verify=0,%s,key=%s", certificate_shown(harness), key);
    file_write(harness, passphrase, "open sesame\n");
    struct program *program =
        program_start(harness, "-d", "-d",
                      text(harness, "%s,passphrase-file=%s", address, passphrase), "PIPE", NULL);
    program_port(program);
    program = program_launch(
        harness,
        &(struct launch){
            .arguments = (const char *const[]){"-d", "-d",
                                               text(harness, "%s,passphrase-env=SECRET", address),
                                               "PIPE", NULL},
            .environment = "SECRET=open sesame"});
    program_port(program);
    program = program_start(harness, address, "PIPE", NULL);
    program_ends_logging(program, 1, " E OPENSSL-LISTEN: the private key in \"*\" is encrypted");
    file_write(harness, passphrase, "wrong\n");
    program = program_start(harness, text(harness, "%s,passphrase-file=%s", address, passphrase),
                            "PIPE", NULL);
    program_ends_logging(program, 1, " E OPENSSL-LISTEN: the passphrase of the private key");
}

/* A client in this process, for what no program does. */
static SSL *connect_tls(struct harness *harness, unsigned port, SSL_CTX **context)
{
    *context = SSL_CTX_new(TLS_client_method());
    SSL *tls = SSL_new(*context);
    SSL_set_fd(tls, peer_connect(harness, LOOPBACK, port));
    if (SSL_connect(tls) != 1)
        harness_fail(harness, "SSL_connect() failed");
    return tls;
}

static void follows_a_change_of_keys(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    SSL_CTX *context;
    char answer[5];
    certificates_make_usual(harness);
    struct program *server = serve(harness, "verify=0", "PIPE", &port);
    SSL *tls = connect_tls(harness, port, &context);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(SSL_key_update(tls, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_write(tls, "hello", 5), 5);
        assert_int_equal(SSL_read(tls, answer, sizeof answer), 5);
        assert_memory_equal(answer, "hello", 5);
    }
    assert_int_equal(SSL_shutdown(tls), 0);
    assert_int_equal(SSL_shutdown(tls), 1);
    harness_close(harness, SSL_get_fd(tls));
    program_ends(server, 0);
    SSL_free(tls);
    SSL_CTX_free(context);
}

/* Wrong options: the address, with CERT for a good certificate, and the message. */
static const struct {
    const char *address;
    const char *message;
} mistakes[] = {
    {"OPENSSL::443", "empty <host>"},
    {"OPENSSL:" LOOPBACK ":1,min-version=TLS9", "\"TLS9\": unknown SSL/TLS version"},
    {"OPENSSL:" LOOPBACK ":1,max-version=", "\"\": unknown SSL/TLS version"},
    {"OPENSSL:" LOOPBACK ":1,min-version=SSL2", "cannot use protocol version SSL2: "},
    {"OPENSSL:" LOOPBACK ":1,min-version=TLS1.3,max-version=TLS1.2", "is higher than the highest"},
    {"OPENSSL:" LOOPBACK ":1,cafile=/no/such",
     "cannot read file of trusted certificates \"/no/such\": No such file or directory"},
    {"OPENSSL:" LOOPBACK ":1,cafile=/dev/null",
     "cannot use file of trusted certificates \"/dev/null\": it contains nothing of that kind"},
    {"OPENSSL:" LOOPBACK ":1,crl=/no/such",
     "cannot read revocation list file \"/no/such\": No such file"},
    {"OPENSSL:" LOOPBACK ":1,cert=/no/such",
     "cannot read certificate file \"/no/such\": No such file"},
    {"OPENSSL:" LOOPBACK ":1,cert=/dev/null",
     "cannot use certificate file \"/dev/null\": it contains nothing of that kind"},
    {"OPENSSL:" LOOPBACK ":1,cert=CERT,key=/no/such",
     "cannot read private key file \"/no/such\": No such file"},
    {"OPENSSL:" LOOPBACK ":1,cert=CERT,key=OTHER", "key values mismatch"},
    {"OPENSSL:" LOOPBACK ":1,ciphers=NOPE", "cannot use ciphers NOPE: no cipher match"},
    {"OPENSSL:" LOOPBACK ":1,ciphersuites=NOPE", "cannot use cipher suites NOPE: no cipher match"},
    {"OPENSSL:" LOOPBACK ":1,compress=zip", "\"zip\": unknown compression method"},
    {"OPENSSL:" LOOPBACK ":1,maxfraglen=1000",
     "maxfraglen: invalid value \"1000\": it is not one of 512, 1024, 2048"},
    {SERVING ",cert=CERT,maxfraglen=512", "option maxfraglen is for clients"},
    {"OPENSSL:" LOOPBACK ":1,maxsendfrag=100",
     "maxsendfrag: invalid value \"100\": it is out of range (512 to 16384)"},
    {"OPENSSL:" LOOPBACK ":1,alpn=", "option alpn: invalid value \"\": it must not be empty"},
    {"OPENSSL:" LOOPBACK ":1,alpn=h2::x", "option alpn: invalid value \"h2::x\": a name is empty"},
    {"OPENSSL:" LOOPBACK ":1,psk-file=/no/such", "cannot read psk-file \"/no/such\": No such file"},
    {"OPENSSL:" LOOPBACK ":1,psk-file=/dev/null", "no shared key"},
    {"OPENSSL:" LOOPBACK ":1,psk-env=NO_SUCH_VARIABLE", "\"NO_SUCH_VARIABLE\" is not set"},
    {"OPENSSL:" LOOPBACK ":1,psk-file=a,psk-env=b", "only one of options"},
    {SERVING ",cert=CERT,session-file=x", "session-file is for clients"},
    {SERVING ",cert=CERT,dhparam=CERT", "cannot use file of Diffie-Hellman parameters \""},
    {SERVING ",cert=CERT,dhparam=/no/such", "cannot read file of Diffie-Hellman parameters"},
    {"OPENSSL:" LOOPBACK ":1,cert=/", "cannot read certificate file \"/\": Is a directory"},
    {"OPENSSL:" LOOPBACK ":1,cafile=/dev/zero", "\"/dev/zero\": File too large"},
    {"OPENSSL:" LOOPBACK ":1,cn=.example.org", "commonname=\".example.org\": no certificate is"},
    {"OPENSSL:" LOOPBACK ":1,chipers=x", "unknown option \"chipers\"; did you mean \"ciphers\"?"},
    {"OPENSSL", "wrong number of parameters (0 instead of 2)"},
};

static const char *fill_in(struct harness *harness, const char *address)
{
    static const struct {
        const char *word, *name;
    } places[] = {{"CERT", "server"}, {"OTHER", "ca"}};
    for (size_t i = 0; i < 2; i++) {
        const char *place = strstr(address, places[i].word);
        if (place != NULL)
            return fill_in(harness, text(harness, "%.*s%s%s", (int)(place - address), address,
                                         certificate_path(harness, places[i].name),
                                         place + strlen(places[i].word)));
    }
    return address;
}

static void a_mistake_is_named_before_anything_is_opened(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct program *program = program_start(
            harness, "-d", "-d", fill_in(harness, mistakes[i].address), "/dev/null", NULL);
        program_logs(program, text(harness, " E *%s", mistakes[i].message));
        program_ends(program, 1);
        assert_false(program_has_logged(program, "opening connection"));
        assert_false(program_has_logged(program, "listening"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(serves_openssl_s_client_with_tls_1_2_and_1_3),
        SYSTEM_TEST(sends_trusted_certificates_that_its_own_chain_lacks),
        SYSTEM_TEST(reads_what_the_system_trusts_only_where_it_is_of_use),
        SYSTEM_TEST(talks_to_openssl_s_server_with_tls_1_2_and_1_3),
        SYSTEM_TEST(shows_its_certificate_to_openssl_s_server),
        SYSTEM_TEST(wants_the_certificate_of_openssl_s_client),
        SYSTEM_TEST(serves_curl),
        SYSTEM_TEST(serves_openssl_s_client_with_dtls),
        SYSTEM_TEST(talks_to_openssl_s_server_with_dtls),
        SYSTEM_TEST(dtls_keeps_datagrams_apart),
        SYSTEM_TEST(dtls_serves_two_clients_at_once),
        SYSTEM_TEST(dtls_lets_in_whom_the_filters_permit),
        SYSTEM_TEST(relays_64_mib_both_ways_at_once),
        SYSTEM_TEST(relays_64_mib_both_ways_at_once_over_three_layers),
        SYSTEM_TEST(passes_on_either_ends_half_close),
        SYSTEM_TEST(a_one_way_transfer_arrives_whole),
        SYSTEM_TEST(a_peer_that_vanishes_without_close_notify_is_an_error),
        SYSTEM_TEST(what_was_cut_off_is_not_passed_on_as_whole),
        SYSTEM_TEST(a_server_without_tls_is_an_error),
        SYSTEM_TEST(a_server_that_says_nothing_is_given_up_in_time),
        SYSTEM_TEST(a_signal_ends_a_handshake),
        SYSTEM_TEST(a_client_that_says_nothing_does_not_hold_up_the_next),
        SYSTEM_TEST(a_failed_handshake_leaves_the_listener_alone),
        SYSTEM_TEST(a_listener_without_fork_waits_for_another_peer_with_retry),
        SYSTEM_TEST(retries_when_a_handshake_fails),
        SYSTEM_TEST(agrees_on_an_application_protocol),
        SYSTEM_TEST(tells_the_server_which_host_is_wanted),
        SYSTEM_TEST(resumes_the_session_that_a_file_keeps),
        SYSTEM_TEST(a_session_that_others_can_plant_is_not_resumed),
        SYSTEM_TEST(what_stands_in_the_place_of_a_session_file_stays),
        SYSTEM_TEST(trusts_who_has_the_shared_key),
        SYSTEM_TEST(reads_an_encrypted_key),
        SYSTEM_TEST(follows_a_change_of_keys),
        SYSTEM_TEST(a_mistake_is_named_before_anything_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
