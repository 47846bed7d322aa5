/* TLS through proxies: layers that stand on layers. */

#define _GNU_SOURCE
#include "tests/system/certificates.h"
#include "tests/system/proxies.h"

/* A server that takes the TLS off, and gives what is in it to a port of the test. */
struct exit_point {
    int listener;
    unsigned port; /* where TLS is spoken */
};

static struct exit_point begin(struct harness *harness, const char *certificate)
{
    struct exit_point exit_point;
    unsigned port;
    exit_point.listener = peer_listen(harness, LOOPBACK, &port);
    exit_point.port = program_port(
        program_start(harness, "-d", "-d", "-t", "10",
                      text(harness, "OPENSSL-LISTEN:0,fork,bind=" LOOPBACK ",verify=0,cert=%s",
                           certificate_path(harness, certificate)),
                      text(harness, "TCP:" LOOPBACK ":%u", port), NULL));
    return exit_point;
}

static void relays_64_mib_both_ways_over_tls_in_socks_5(void **state)
{
    struct harness *harness = *state;
    unsigned socks = microsocks_start(harness, "me", "secret");
    certificates_make_usual(harness);
    struct exit_point to = begin(harness, "server");
    relay_through(harness,
                  text(harness,
                       "OPENSSL:" LOOPBACK ":%u,%s|"
                       "SOCKS5,socksuser=me,socks-password=secret|TCP:" LOOPBACK ":%u",
                       to.port, certificate_trusted(harness), socks),
                  to.listener);
}

static void relays_64_mib_both_ways_over_tls_in_socks_5_to_its_own_server(void **state)
{
    struct harness *harness = *state;
    unsigned socks = microsocks_start(harness, NULL, NULL);
    certificates_make_usual(harness);
    struct exit_point to = begin(harness, "server");
    relay_through(harness,
                  text(harness, "OPENSSL,%s|SOCKS5:" LOOPBACK ":%u:" LOOPBACK ":%u",
                       certificate_trusted(harness), socks, to.port),
                  to.listener);
}

/* Each layer names whom it speaks to, and finds above what that one has to connect to. */
static void relays_64_mib_both_ways_where_each_layer_names_its_server(void **state)
{
    struct harness *harness = *state;
    unsigned proxy = tinyproxy_start(harness, NULL, NULL);
    unsigned socks = microsocks_start(harness, NULL, NULL);
    certificates_make_usual(harness);
    struct exit_point to = begin(harness, "server");
    relay_through(harness,
                  text(harness,
                       "OPENSSL:" LOOPBACK ":%u,%s|PROXY:" LOOPBACK ":%u|SOCKS5:" LOOPBACK
                       ":%u|TCP:" LOOPBACK ":%u",
                       to.port, certificate_trusted(harness), proxy, socks, socks),
                  to.listener);
}

static void relays_64_mib_both_ways_over_tls_in_a_proxy_in_socks_5(void **state)
{
    struct harness *harness = *state;
    unsigned proxy = tinyproxy_start(harness, NULL, NULL);
    unsigned socks = microsocks_start(harness, NULL, NULL);
    certificates_make_usual(harness);
    struct exit_point to = begin(harness, "server");
    relay_through(
        harness,
        text(harness, "OPENSSL:" LOOPBACK ":%u,%s|PROXY|SOCKS5:" LOOPBACK ":%u|TCP:" LOOPBACK ":%u",
             to.port, certificate_trusted(harness), proxy, socks),
        to.listener);
}

/* The bytes to the proxy are encrypted, and those through it once more. */
static void relays_64_mib_both_ways_over_tls_in_a_proxy_in_tls(void **state)
{
    struct harness *harness = *state;
    unsigned proxy = tinyproxy_start(harness, NULL, NULL);
    certificates_make_usual(harness);
    struct exit_point to = begin(harness, "server");
    unsigned outer = program_port(
        program_start(harness, "-d", "-d", "-t", "10",
                      text(harness, "OPENSSL-LISTEN:0,fork,bind=" LOOPBACK ",verify=0,cert=%s",
                           certificate_path(harness, "server")),
                      text(harness, "TCP:" LOOPBACK ":%u", proxy), NULL));
    relay_through(harness,
                  text(harness, "OPENSSL:" LOOPBACK ":%u,%s|PROXY|OPENSSL:" LOOPBACK ":%u,%s",
                       to.port, certificate_trusted(harness), outer, certificate_trusted(harness)),
                  to.listener);
}

/* Such a proxy takes the end of a TCP stream for the end of both. */
static void a_half_close_goes_through_a_proxy_that_knows_none(void **state)
{
    struct harness *harness = *state;
    unsigned socks = microsocks_start(harness, NULL, NULL);
    certificates_make_usual(harness);
    struct exit_point to = begin(harness, "server");
    struct program *program =
        program_start(harness, "-d", "-d", "-t", "10", "STDIO",
                      text(harness, "OPENSSL,%s|SOCKS5:" LOOPBACK ":%u:" LOOPBACK ":%u",
                           certificate_trusted(harness), socks, to.port),
                      NULL);
    int server = peer_accept(harness, to.listener);
    program_end_input(program);
    peer_receives_end(harness, server);
    peer_send(harness, server, "late");
    harness_close(harness, server);
    program_outputs(program, "late");
    program_ends(program, 0);
}

/* Connects to a server whose certificate has one of the names of the proxy and of the target. */
static struct program *connect_to(struct harness *harness, const char *name, unsigned socks)
{
    certificate_make(harness,
                     &(struct certificate){.name = "narrow", .issuer = "ca", .alternatives = name});
    struct exit_point to = begin(harness, "narrow");
    return program_start(harness, "-d", "-d", "-t", "10", "STDIO",
                         text(harness, "OPENSSL,%s|SOCKS5:" LOOPBACK ":%u|TCP:localhost:%u",
                              certificate_trusted(harness), to.port, socks),
                         NULL);
}

static void expects_the_certificate_of_the_target_and_not_of_the_proxy(void **state)
{
    struct harness *harness = *state;
    unsigned socks = microsocks_start(harness, NULL, NULL);
    certificates_make_usual(harness);
    program_logs(connect_to(harness, "IP:" LOOPBACK, socks), " N starting data transfer loop");
    program_ends_logging(connect_to(harness, "DNS:localhost", socks), 1,
                         " E OPENSSL: *does not match*\"" LOOPBACK "\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(relays_64_mib_both_ways_over_tls_in_socks_5),
        SYSTEM_TEST(relays_64_mib_both_ways_over_tls_in_socks_5_to_its_own_server),
        SYSTEM_TEST(relays_64_mib_both_ways_where_each_layer_names_its_server),
        SYSTEM_TEST(relays_64_mib_both_ways_over_tls_in_a_proxy_in_socks_5),
        SYSTEM_TEST(relays_64_mib_both_ways_over_tls_in_a_proxy_in_tls),
        SYSTEM_TEST(a_half_close_goes_through_a_proxy_that_knows_none),
        SYSTEM_TEST(expects_the_certificate_of_the_target_and_not_of_the_proxy),
    };
    return cmocka_run_group_tests_name("tunnel", tests, NULL, NULL);
}
