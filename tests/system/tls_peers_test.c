/* Servers of TLS and peers that mean no good: that say nothing, or little at a time, and whose
 * certificates are refused. */

#define _GNU_SOURCE
#include "tests/system/certificates.h"
#include "tests/system/peers.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTENING "OPENSSL-LISTEN:0,bind=" LOOPBACK
#define HANDSHAKE " E OPENSSL-LISTEN: cannot complete the TLS handshake: "
#define TIMED_OUT HANDSHAKE "Connection timed out: the peer did not complete"

static struct program *serve(struct harness *harness, const char *options, const char *second,
                             unsigned *port)
{
    struct program *server = program_start(
        harness, "-d", "-d", "-t", "10",
        text(harness, LISTENING ",%s,%s", certificate_shown(harness), options), second, NULL);
    *port = program_port(server);
    return server;
}

static const char *client_address(struct harness *harness, unsigned port, const char *name)
{
    return text(harness, "OPENSSL:" LOOPBACK ":%u,%s,cert=%s", port, certificate_trusted(harness),
                certificate_path(harness, name));
}

static void next_client_is_served(struct harness *harness, unsigned port)
{
    struct program *client =
        program_start(harness, "-t", "10", "STDIO", client_address(harness, port, "server"), NULL);
    program_send(client, "next");
    program_outputs(client, "next");
    program_end_input(client);
    program_ends(client, 0);
}

static void a_peer_that_says_nothing_is_given_up_in_time(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    certificates_make_usual(harness);
    struct program *server = serve(harness, "verify=0,handshake-timeout=0.3", "PIPE", &port);
    peer_connect(harness, LOOPBACK, port);
    program_ends_logging(server, 1, TIMED_OUT);
}

/* A byte now and then, as long as the server takes them. */
static void a_peer_that_dribbles_is_given_up_in_time(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    static const char record[] = "\x16\x03\x01\x3f\xff\x01";
    certificates_make_usual(harness);
    struct program *server = serve(harness, "verify=0,handshake-timeout=0.5", "PIPE", &port);
    int peer = peer_connect(harness, LOOPBACK, port);
    for (size_t i = 0; i < 10000; i++) {
        const char byte = i < sizeof record ? record[i] : 0;
        if (send(peer, &byte, 1, MSG_NOSIGNAL) < 0)
            break;
        poll(NULL, 0, 10);
        if (program_has_logged(server, TIMED_OUT))
            break;
    }
    program_ends_logging(server, 1, TIMED_OUT);
}

static void stalled_peers_do_not_close_the_service(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    certificates_make_usual(harness);
    struct program *server =
        serve(harness, "verify=0,fork,max-children=3,handshake-timeout=1", "PIPE", &port);
    for (int i = 0; i < 3; i++)
        peer_connect(harness, LOOPBACK, port);
    program_logs(server, " N maxchildren are active, waiting");
    next_client_is_served(harness, port);
}

#define GAVE_WAY " W maxchildren are active and another peer is waiting: ending *"

/* A server with two places, and what is known of it. */
struct crowded {
    const char *host; /* as peer_connect() takes it */
    const char *word; /* and as addresses do */
    bool twice;       /* TLS in TLS */
    struct program *server;
    struct program *client;
};

/* Six peers stop in the middle of a record, and then one comes who does not. */
static void crowd(struct harness *harness, struct crowded *row)
{
    const char *shown = text(harness, "verify=0,%s", certificate_shown(harness));
    const char *upper = row->twice ? text(harness, "OPENSSL,%s|", shown) : "";
    row->server =
        program_start(harness, "-d", "-d", "-t", "10",
                      text(harness, "%sOPENSSL-LISTEN:0,pf=%s,bind=%s,fork,max-children=2,%s",
                           upper, row->host == row->word ? "ip4" : "ip6", row->word, shown),
                      "PIPE", NULL);
    unsigned port = program_port(row->server);
    for (int i = 0; i < 6; i++)
        peer_send(harness, peer_connect(harness, row->host, port), "\x16\3\1");
    program_logs(row->server, " N maxchildren are active, waiting");
    row->client = program_start(harness, "-t", "10", "STDIO",
                                text(harness, "%sOPENSSL:%s:%u,verify=0",
                                     row->twice ? "OPENSSL,verify=0|" : "", row->word, port),
                                NULL);
    program_send(row->client, "hello");
}

static void stalled_peers_give_way_to_those_who_wait(void **state)
{
    static const char local[] = LOOPBACK;
    struct harness *harness = *state;
    struct crowded rows[] = {{.host = local, .word = local},
                             {.host = local, .word = local, .twice = true},
                             {.host = "::1", .word = "[::1]"}};
    size_t count = sizeof rows / sizeof rows[0] - (peer_has_ipv6() ? 0 : 1);
    certificates_make_usual(harness);
    for (size_t i = 0; i < count; i++)
        crowd(harness, &rows[i]);
    for (size_t i = 0; i < count; i++)
        program_logs(rows[i].server, GAVE_WAY);
    for (size_t i = 0; i < count; i++)
        program_outputs(rows[i].client, "hello");
}

static void connect_to_path(struct harness *harness, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int peer = harness_keep(harness, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    memcpy(address.sun_path, name, strlen(name));
    assert_int_equal(connect(peer, (const struct sockaddr *)&address, sizeof address), 0);
    peer_send(harness, peer, "\x16\3\1");
}

static void stalled_peers_of_a_path_give_way_too(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    certificates_make_usual(harness);
    struct program *server =
        program_start(harness, "-d", "-d", "-t", "10",
                      text(harness, "OPENSSL,verify=0,%s|UNIX-LISTEN:%s,fork,max-children=2",
                           certificate_shown(harness), name),
                      "PIPE", NULL);
    program_logs(server, " N listening on ");
    for (int i = 0; i < 6; i++)
        connect_to_path(harness, name);
    program_logs(server, " N maxchildren are active, waiting");
    struct program *client =
        program_start(harness, "-t", "10", "STDIO",
                      text(harness, "OPENSSL,verify=0|UNIX-CONNECT:%s", name), NULL);
    program_send(client, "hello");
    program_logs(server, GAVE_WAY);
    program_outputs(client, "hello");
}

/* One of the two places is a session's. */
static void a_session_does_not_give_way(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    certificates_make_usual(harness);
    struct program *server = serve(harness, "verify=0,fork,max-children=2", "PIPE", &port);
    struct program *client =
        program_start(harness, "-t", "10", "STDIO", client_address(harness, port, "server"), NULL);
    program_send(client, "one");
    program_outputs(client, "one");
    peer_connect(harness, LOOPBACK, port);
    program_logs(server, " N maxchildren are active, waiting");
    next_client_is_served(harness, port);
    program_logs(server, GAVE_WAY);
    program_send(client, "two");
    program_outputs(client, "two");
}

static void a_session_may_take_longer_than_its_handshake(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    certificates_make_usual(harness);
    struct program *server =
        serve(harness, "verify=0,fork,max-children=2,handshake-timeout=1", "PIPE", &port);
    struct program *client =
        program_start(harness, "-t", "10", "STDIO", client_address(harness, port, "server"), NULL);
    program_send(client, "one");
    program_outputs(client, "one");
    peer_connect(harness, LOOPBACK, port);
    program_logs(server, TIMED_OUT);
    program_send(client, "two");
    program_outputs(client, "two");
    program_end_input(client);
    program_ends(client, 0);
}

static void the_socket_s_own_timeout_bounds_a_handshake(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *client = program_start(
        harness, text(harness, "OPENSSL:" LOOPBACK ":%u,verify=0,so-rcvtimeo=0.2", port), "STDIO",
        NULL);
    peer_accept(harness, listener);
    program_ends_logging(client, 1,
                         " E OPENSSL: cannot complete the TLS handshake: Connection timed out");
}

static void a_client_s_handshake_has_the_time_that_it_is_given(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *client = program_start(
        harness, text(harness, "OPENSSL:" LOOPBACK ":%u,verify=0,handshake-timeout=0.2", port),
        "STDIO", NULL);
    peer_accept(harness, listener);
    program_ends_logging(client, 1,
                         " E OPENSSL: cannot complete the TLS handshake: Connection timed out");
}

#define SHOW_SUBJECT                                                                               \
    "SYSTEM:'echo \"<$SOCAT_OPENSSL_X509_SUBJECT|$SOCAT_OPENSSL_X509_COMMONNAME|"                  \
    "$SOCAT_OPENSSL_X509_ORGANIZATIONNAME>\"'"

static void make_a_friend_and_an_enemy(struct harness *harness)
{
    certificates_make_usual(harness);
    certificate_make(harness, &(struct certificate){.name = "mallory",
                                                    .issuer = "ca",
                                                    .common_name = "mallory",
                                                    .organization = "Evil"});
    certificate_make(
        harness, &(struct certificate){.name = "friend", .issuer = "ca", .common_name = "friend"});
}

/* The first one is trusted, but is not the one who is expected. */
static void a_refused_certificate_tells_nothing_of_the_next_peer(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    make_a_friend_and_an_enemy(harness);
    struct program *server = serve(
        harness, text(harness, "forever,interval=0.01,cn=friend,%s", certificate_trusted(harness)),
        SHOW_SUBJECT, &port);
    struct program *client =
        program_start(harness, "-u", client_address(harness, port, "mallory"), "STDOUT", NULL);
    program_logs(server, " N listening on ");
    program_end(client);
    client = program_start(harness, "-u", client_address(harness, port, "friend"), "STDOUT", NULL);
    program_outputs(client, "<CN = friend|friend|>\n");
    program_ends(server, 0);
}

/* A client that tries again: the program is the second server's alone. */
static void a_refused_server_tells_nothing_of_the_next_one(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    make_a_friend_and_an_enemy(harness);
    struct program *first = program_start(
        harness, "-d", "-d",
        text(harness, LISTENING ",verify=0,cert=%s", certificate_path(harness, "mallory")), "STDIO",
        NULL);
    port = program_port(first);
    struct program *client =
        program_start(harness, "-d", "-d", "-d", "-U",
                      text(harness, "OPENSSL:" LOOPBACK ":%u,forever,interval=0.01,cn=friend,%s",
                           port, certificate_trusted(harness)),
                      SHOW_SUBJECT, NULL);
    program_logs(client, " N *does not match hostname \"friend\"");
    program_end(first);
    struct program *second = program_start(
        harness, "-d", "-d", "-u",
        text(harness, "OPENSSL-LISTEN:%u,reuseaddr,bind=" LOOPBACK ",verify=0,cert=%s", port,
             certificate_path(harness, "friend")),
        "STDOUT", NULL);
    program_outputs(second, "<CN = friend|friend|>\n");
}

static void control_characters_of_a_certificate_reach_nobody(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    certificates_make_usual(harness);
    certificate_make(harness, &(struct certificate){.name = "client",
                                                    .issuer = "ca",
                                                    .common_name = "a\nb\x1b[2Jc\xc2\x9b"
                                                                   "d=e",
                                                    .organization = "G\xc3\xb6\xc3\xb6"
                                                                    "d"});
    struct program *server =
        serve(harness, certificate_trusted(harness),
              "SYSTEM:'echo "
              "\"<$SOCAT_OPENSSL_X509_COMMONNAME|$SOCAT_OPENSSL_X509_ORGANIZATIONNAME>\"'",
              &port);
    struct program *client =
        program_start(harness, "-u", client_address(harness, port, "client"), "STDOUT", NULL);
    program_outputs(client, "<a?b?[2Jc??d=e|G\xc3\xb6\xc3\xb6"
                            "d>\n");
    program_ends(server, 0);
    assert_null(strchr(program_log(server), '\x1b'));
    assert_null(strstr(program_log(server), "\xc2\x9b"));
}

static void a_server_that_trusts_the_whole_world_says_so(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    static const char warning[] = "with a certificate of any authority that this system trusts";
    certificates_make_usual(harness);
    assert_true(program_has_logged(serve(harness, "verify=1", "PIPE", &port), warning));
    assert_true(program_has_logged(serve(harness, "cn=friend", "PIPE", &port), warning));
    assert_false(program_has_logged(serve(harness, "verify=0", "PIPE", &port), warning));
    assert_false(
        program_has_logged(serve(harness, certificate_trusted(harness), "PIPE", &port), warning));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_peer_that_says_nothing_is_given_up_in_time),
        SYSTEM_TEST(a_peer_that_dribbles_is_given_up_in_time),
        SYSTEM_TEST(stalled_peers_do_not_close_the_service),
        SYSTEM_TEST(stalled_peers_give_way_to_those_who_wait),
        SYSTEM_TEST(stalled_peers_of_a_path_give_way_too),
        SYSTEM_TEST(a_session_does_not_give_way),
        SYSTEM_TEST(a_session_may_take_longer_than_its_handshake),
        SYSTEM_TEST(the_socket_s_own_timeout_bounds_a_handshake),
        SYSTEM_TEST(a_client_s_handshake_has_the_time_that_it_is_given),
        SYSTEM_TEST(a_refused_certificate_tells_nothing_of_the_next_peer),
        SYSTEM_TEST(a_refused_server_tells_nothing_of_the_next_one),
        SYSTEM_TEST(control_characters_of_a_certificate_reach_nobody),
        SYSTEM_TEST(a_server_that_trusts_the_whole_world_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
