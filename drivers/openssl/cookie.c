/* Cookies of DTLS, RFC 6347 section 4.2.1: a client has to show that it gets what is sent to its
 * address before anything is kept for it, or more is sent than it has sent itself. The cookie is
 * made of the client's address and a secret of this program, so that nothing is kept for that
 * either.
 *
 * dtls_screen() asks for the cookie before there is a peer, with a connection that is used for
 * nothing else; dtls_greet() does it for the connection itself, which takes over from the first
 * packet that holds the cookie. */

#define _GNU_SOURCE
#include "tls.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

/* How long a cookie is good for, at least; at most twice as long. */
#define PERIOD (60 * MODCAT_SECOND)

/* What a cookie is made of. */
struct ingredients {
    long long period;
    unsigned char address[sizeof(struct sockaddr_storage)];
};

static bool mix(const SSL *library, long long period, unsigned char cookie[TLS_COOKIE_LENGTH])
{
    const struct tls *tls = SSL_get_app_data(library);
    const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(library));
    struct ingredients ingredients;
    unsigned length = 0;
    memset(&ingredients, 0, sizeof ingredients);
    ingredients.period = period;
    if (tls->peer_length > 0 && tls->peer_length <= sizeof ingredients.address)
        memcpy(ingredients.address, tls->peer, tls->peer_length);
    return HMAC(EVP_sha256(), context->cookie_secret, sizeof context->cookie_secret,
                (const unsigned char *)&ingredients, sizeof ingredients, cookie, &length) != NULL;
}

static int make_cookie(SSL *library, unsigned char *cookie, unsigned *length)
{
    *length = TLS_COOKIE_LENGTH;
    return mix(library, modcat_deadline(0) / PERIOD, cookie);
}

static int check_cookie(SSL *library, const unsigned char *cookie, unsigned length)
{
    unsigned char expected[TLS_COOKIE_LENGTH];
    long long period = modcat_deadline(0) / PERIOD;
    for (long long age = 0; age <= 1; age++)
        if (length == sizeof expected && mix(library, period - age, expected) &&
            CRYPTO_memcmp(cookie, expected, sizeof expected) == 0)
            return 1;
    return 0;
}

int tls_use_cookies(struct modcat_opening *opening, struct tls_context *context)
{
    if (!context->server || !context->datagrams)
        return 0;
    if (RAND_bytes(context->cookie_secret, sizeof context->cookie_secret) != 1)
        return modcat_fail(opening, "RAND_bytes() failed");
    SSL_CTX_set_cookie_generate_cb(context->library, make_cookie);
    SSL_CTX_set_cookie_verify_cb(context->library, check_cookie);
    return 0;
}

int dtls_greet(struct tls *tls)
{
    BIO_ADDR *unknown = BIO_ADDR_new();
    int result = unknown != NULL ? DTLSv1_listen(tls->library, unknown) : -1;
    BIO_ADDR_free(unknown);
    return result;
}

/* A connection whose one end gives the packet, and says after that that there may be more. */
static SSL *new_doorman(const struct tls_context *context, struct tls *tls,
                        const struct modcat_first_packet *packet)
{
    BIO *in = BIO_new_mem_buf(packet->data, (int)packet->length), *out = BIO_new(BIO_s_mem());
    SSL *library = SSL_new(context->library);
    if (in == NULL || out == NULL || library == NULL) {
        BIO_free(in);
        BIO_free(out);
        SSL_free(library);
        return NULL;
    }
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(library, in, out);
    SSL_set_app_data(library, tls);
    SSL_set_accept_state(library);
    return library;
}

static void take_answer(const SSL *library, struct modcat_first_packet *packet)
{
    char *answer;
    long length = BIO_get_mem_data(SSL_get_wbio(library), &answer);
    if (length <= 0 || (size_t)length > packet->answer_room)
        return;
    memcpy(packet->answer, answer, (size_t)length);
    packet->answer_length = (size_t)length;
}

bool dtls_screen(struct modcat_opening *opening, struct modcat_first_packet *packet)
{
    const struct tls_context *context = modcat_prepared(opening);
    struct tls tls = {.datagrams = true};
    tls.peer = modcat_peer(opening, &tls.peer_length);
    if (!context->server || packet->length > INT_MAX)
        return !context->server;
    tls.library = new_doorman(context, &tls, packet);
    bool known = tls.library != NULL && dtls_greet(&tls) == 1;
    if (tls.library != NULL && !known)
        take_answer(tls.library, packet);
    SSL_free(tls.library);
    ERR_clear_error();
    return known;
}
