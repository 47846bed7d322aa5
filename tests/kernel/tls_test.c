/* TLS in a kernel that can cipher for it. The program runs itself there. */

#define _GNU_SOURCE
#include "tests/kernel/kernel.h"
#include "tests/system/certificates.h"
#include "tests/system/peers.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MEBIBYTE (1024 * 1024)
#define HANDED_OVER " I SSL ciphering by the kernel: sending "

/* TCP in, TLS between two programs, TCP out. */
struct chain {
    struct program *server; /* of TLS */
    struct program *client;
    int in;
    int out;
};

static struct chain chain_open(struct harness *harness, const char *server_options,
                               const char *client_options)
{
    struct chain chain;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    certificates_make_usual(harness);
    chain.server =
        program_start(harness, "-d", "-d", "-d",
                      text(harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",verify=0,cert=%s%s",
                           certificate_path(harness, "server"), server_options),
                      text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    chain.client = program_start(harness, "-d", "-d", "-d", "TCP4-LISTEN:0,bind=" LOOPBACK,
                                 text(harness, "OPENSSL:" LOOPBACK ":%u,cafile=%s%s",
                                      program_port(chain.server), certificate_path(harness, "ca"),
                                      client_options),
                                 NULL);
    chain.in = peer_connect(harness, LOOPBACK, program_port(chain.client));
    chain.out = peer_accept(harness, listener);
    return chain;
}

/* A megabyte goes each way at once; the ends come one after the other. */
static void relays(struct harness *harness, const struct chain *chain)
{
    struct flow both[] = {
        {chain->in, chain->out, .seed = 1, .length = MEBIBYTE, .open_end = true},
        {chain->out, chain->in, .seed = 2, .length = MEBIBYTE, .open_end = true},
    };
    struct flow there = {chain->in, chain->out, .seed = 3, .length = 100000};
    struct flow back = {chain->out, chain->in, .seed = 4, .length = 100000};
    flows_run(harness, both, 2);
    flows_run(harness, &there, 1);
    flows_run(harness, &back, 1);
    program_ends(chain->client, 0);
    program_ends(chain->server, 0);
}

/* The library leaves receiving TLS 1.3 to itself. */
static void the_kernel_ciphers_what_is_sent_by_tls_1_3_with_ktls_1(void **state)
{
    struct chain chain = chain_open(*state, ",ktls=1", ",ktls,min-proto-version=TLS1.3");
    program_logs(chain.server, HANDED_OVER "yes");
    program_logs(chain.client, HANDED_OVER "yes");
    relays(*state, &chain);
}

static void the_library_ciphers_tls_1_3(void **state)
{
    struct chain chain = chain_open(*state, "", ",min-proto-version=TLS1.3");
    program_logs(chain.server, HANDED_OVER "no, receiving no");
    relays(*state, &chain);
}

static void the_kernel_ciphers_both_ways_by_tls_1_2(void **state)
{
    struct chain chain = chain_open(
        *state, "", ",ktls,max-proto-version=TLS1.2,ciphers=ECDHE-ECDSA-AES128-GCM-SHA256");
    program_logs(chain.server, HANDED_OVER "yes, receiving yes");
    program_logs(chain.client, HANDED_OVER "yes, receiving yes");
    relays(*state, &chain);
}

static void the_kernel_is_not_asked_with_ktls_0(void **state)
{
    struct chain chain = chain_open(*state, ",ktls=0", ",ktls=0");
    relays(*state, &chain);
    assert_false(program_has_logged(chain.server, HANDED_OVER));
    assert_false(program_has_logged(chain.client, HANDED_OVER));
}

static void a_cipher_that_the_kernel_lacks_is_done_by_the_library(void **state)
{
    struct chain chain =
        chain_open(*state, "", ",ktls,max-proto-version=TLS1.2,ciphers=ECDHE-ECDSA-AES128-SHA256");
    program_logs(chain.client, HANDED_OVER "no, receiving no");
    relays(*state, &chain);
}

/* Cut data is never taken for a whole. */
static void a_peer_that_vanishes_without_goodbye_is_an_error(void **state)
{
    struct chain chain = chain_open(*state, "", ",max-proto-version=TLS1.2");
    struct flow there = {chain.in, chain.out, .seed = 1, .length = 1000, .open_end = true};
    program_logs(chain.server, HANDED_OVER);
    flows_run(*state, &there, 1);
    program_signal(chain.client, SIGKILL);
    peer_receives_end(*state, chain.out);
    program_ends_logging(chain.server, 1, " E OPENSSL-LISTEN: connection *[SSL_read()");
}

/* Waits until the program's output holds the words, and returns what stands behind them. */
static const char *program_says(struct harness *harness, struct program *program, const char *words)
{
    for (long long end = milliseconds() + PATIENCE; milliseconds() < end; poll(NULL, 0, 5)) {
        const char *found = strstr(program_output(program, NULL), words);
        if (found != NULL && strchr(found + 1, '\n') != NULL)
            return found + strlen(words);
    }
    harness_fail(harness, "no \"%s\" in: %s", words, program_output(program, NULL));
}

/* A line "K" makes `openssl s_client` take a new key, and ask the server for one of its own. */
static void the_peer_may_ask_for_new_keys(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    struct program *server =
        program_start(harness, "-d", "-d", "-d",
                      text(harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",verify=0,cert=%s",
                           certificate_path(harness, "server")),
                      "PIPE", NULL);
    const char *const arguments[] = {"s_client", "-tls1_3", "-connect",
                                     text(harness, LOOPBACK ":%u", program_port(server)), NULL};
    struct program *client =
        program_launch(harness, &(struct launch){.arguments = arguments, .program = "openssl"});
    program_logs(server, " N starting data transfer loop");
    program_send(client, "before\n");
    program_says(harness, client, "\nbefore\n");
    program_send(client, "K\n");
    program_logs(client, "KEYUPDATE");
    program_send(client, "behind\n");
    program_says(harness, client, "\nbehind\n");
    program_end_input(client);
    program_ends(server, 0);
}

/* A line "r" makes `openssl s_server` ask for another handshake. What it is given before the first
 * one is over, it sends and then only reads. */
static void the_peer_may_ask_for_another_handshake(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    const char *const arguments[] = {"s_server",    "-tls1_2", "-accept",
                                     LOOPBACK ":0", "-cert",   certificate_path(harness, "server"),
                                     NULL};
    struct program *server =
        program_launch(harness, &(struct launch){.arguments = arguments, .program = "openssl"});
    unsigned long port = strtoul(program_says(harness, server, "ACCEPT " LOOPBACK ":"), NULL, 10);
    struct program *client = program_start(
        harness, "-d", "-d", "-d", "STDIO",
        text(harness, "OPENSSL:" LOOPBACK ":%lu,cafile=%s", port, certificate_path(harness, "ca")),
        NULL);
    program_says(harness, server, "CIPHER is ");
    program_send(server, "before\n");
    program_outputs(client, "before\n");
    program_send(server, "r\n");
    program_says(harness, server, "SSL_do_handshake");
    program_send(client, "back\n");
    program_says(harness, server, "\nback\n");
    program_send(server, "behind\n");
    program_outputs(client, "behind\n");
    program_end_input(client);
    program_ends(client, 0);
}

static int run_inside(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(the_kernel_ciphers_what_is_sent_by_tls_1_3_with_ktls_1),
        SYSTEM_TEST(the_library_ciphers_tls_1_3),
        SYSTEM_TEST(the_kernel_ciphers_both_ways_by_tls_1_2),
        SYSTEM_TEST(the_kernel_is_not_asked_with_ktls_0),
        SYSTEM_TEST(a_cipher_that_the_kernel_lacks_is_done_by_the_library),
        SYSTEM_TEST(the_peer_may_ask_for_new_keys),
        SYSTEM_TEST(the_peer_may_ask_for_another_handshake),
        SYSTEM_TEST(a_peer_that_vanishes_without_goodbye_is_an_error),
    };
    return cmocka_run_group_tests_name("kernel TLS", tests, NULL, NULL);
}

int main(int count, char **arguments)
{
    return kernel_main(count, arguments, run_inside);
}
