/* A server's first handshake, with itself: what the library looks up and computes only once, for
 * its own use and for the key, is there before the processes that serve peers are made. */

#define _GNU_SOURCE
#include "tls.h"

#include <openssl/err.h>
#include <stdlib.h>

/* More than any handshake takes: each round is a flight of both. */
#define ROUNDS_MAX 8

/* A client that is content with any server. */
static SSL *new_client(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        return NULL;
    SSL_CTX_set_security_level(context, 0);
    SSL *client = SSL_new(context);
    SSL_CTX_free(context);
    if (client != NULL)
        SSL_set_connect_state(client);
    return client;
}

/* As for a peer; who that is does not matter. */
static SSL *new_server(const struct tls_context *context)
{
    SSL *server = SSL_new(context->library);
    if (server == NULL)
        return NULL;
    SSL_set_verify(server, SSL_VERIFY_NONE, NULL);
    SSL_set_accept_state(server);
    return server;
}

static bool join(SSL *client, SSL *server)
{
    BIO *ends[2];
    if (!BIO_new_bio_pair(&ends[0], 0, &ends[1], 0))
        return false;
    SSL_set_bio(client, ends[0], ends[0]);
    SSL_set_bio(server, ends[1], ends[1]);
    return true;
}

static void shake_hands(SSL *client, SSL *server)
{
    char byte = 0;
    bool done = false;
    for (int round = 0; round < ROUNDS_MAX && !done; round++) {
        bool client_done = SSL_do_handshake(client) == 1;
        done = SSL_do_handshake(server) == 1 && client_done;
    }
    if (SSL_write(client, &byte, 1) == 1 && SSL_read(server, &byte, 1) == 1)
        (void)SSL_write(server, &byte, 1);
}

/* Where it fails, say because the two have no cipher in common, the first peer pays. */
void tls_rehearse(const struct tls_context *context)
{
    SSL *client = new_client(), *server = new_server(context);
    if (client != NULL && server != NULL && join(client, server))
        shake_hands(client, server);
    SSL_free(client);
    SSL_free(server);
    ERR_clear_error();
}
