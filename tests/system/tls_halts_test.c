/* Wherever the program waits in a protocol of TLS, a signal that ends it does so at once. */
#define _GNU_SOURCE
#include "tests/system/certificates.h"
#include "tests/system/halts.h"
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <signal.h>
#include <stdlib.h>

#define SERVER "OPENSSL-LISTEN:0,bind=" LOOPBACK ",verify=0,cert=%s"

/* The certificate of a server stands where the place has a path. */
static void show_certificate(struct halt_visit *visit)
{
    visit->file = certificate_path(visit->harness, "server");
}

/* A server whose output nobody takes. */
static void start_deaf_server(struct halt_visit *visit)
{
    const char *address = text(visit->harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",verify=0,%s",
                               certificate_shown(visit->harness));
    struct program *server = program_start_helper(visit->harness, "-d", "-d", "-t", "600", "-u",
                                                  address, "EXEC:sleep 600,pipes", NULL);
    visit->port = program_port(server);
}

static const struct halt halts[] = {
    {"a TLS handshake", {"-d"}, "OPENSSL:" LOOPBACK ":%u,verify=0", "PIPE", .peer = PEER_SILENT},
    {"a TLS handshake in a tunnel",
     {"-d"},
     "OPENSSL,verify=0|TCP4:" LOOPBACK ":%u",
     "PIPE",
     .peer = PEER_SILENT},
    {"a TLS handshake of a server",
     {"-d"},
     SERVER,
     "PIPE",
     .prepare = show_certificate,
     .arrive = halt_connect},
    {"the place of a TLS client",
     {"-d"},
     SERVER ",fork,max-children=1",
     "PIPE",
     .prepare = show_certificate,
     .arrive = halt_connect_two},
    {"a DTLS handshake",
     {"-d"},
     "OPENSSL-DTLS-CLIENT:" LOOPBACK ":%u,verify=0",
     "PIPE",
     .peer = PEER_DEAF},
    {"a first packet of DTLS",
     {"-d"},
     "OPENSSL-DTLS-SERVER:0,bind=" LOOPBACK ",verify=0,cert=%s",
     "PIPE",
     .prepare = show_certificate,
     .logs = " N "},
    {"a deaf TLS server",
     {"-u"},
     "-",
     "OPENSSL:" LOOPBACK ":%u,verify=0",
     .prepare = start_deaf_server,
     .logs = HALT_RELAYS,
     .arrive = halt_fill},
    {"the other direction of TLS",
     {"-d"},
     "-",
     "OPENSSL:" LOOPBACK ":%u,verify=0",
     .prepare = start_deaf_server,
     .logs = HALT_RELAYS,
     .arrive = halt_end_input},
    {"the last words of a TLS server",
     {"-u"},
     "-",
     "OPENSSL:" LOOPBACK ":%u,verify=0",
     .prepare = start_deaf_server,
     .logs = HALT_RELAYS,
     .arrive = halt_end_input},
};

static void each_ending_signal_ends_it_at_once_wherever_it_waits(void **state)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    certificates_make_usual(*state);
    for (size_t i = 0; i < sizeof halts / sizeof halts[0]; i++)
        halts_end(*state, &halts[i], numbers[i % 3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(each_ending_signal_ends_it_at_once_wherever_it_waits),
    };
    if (SANITIZED)
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* the search is done by another thread */
    return cmocka_run_group_tests_name("tls_halts", tests, NULL, NULL);
}
