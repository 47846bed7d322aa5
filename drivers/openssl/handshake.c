/* The handshake on top of a lower endpoint: TLS 1.3 (RFC 8446), TLS 1.2 (RFC 5246), DTLS (RFC 6347,
 * RFC 9147).
 *
 *     (DTLS server: hello -> cookie ->) messages of the library <-> peer -> verified -> told
 *
 * `wrap` calls shake_hands(), which never blocks in the library: it reads and writes the level
 * below through a BIO, and where that says EAGAIN, waits in the program's one place until the
 * earlier of connect-timeout and handshake-timeout; with DTLS also until a message has to be sent
 * again. The certificate is judged by verify.c during the handshake. On failure the reason is
 * logged once, with the names that were expected and those that the certificate has; no byte of
 * the peer is delivered before the handshake is done. */

#define _GNU_SOURCE
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

/* What an Ethernet carries; the library takes the headers off. */
#define LINK_MTU 1500

#define HANDSHAKE "complete the TLS handshake"
#define VERIFICATION_TEXT 512

static const char *call_name(const struct tls_context *context)
{
    return context->server ? "SSL_accept" : "SSL_connect";
}

/* SNI holds names only, without a dot at the end: RFC 6066 section 3. */
static int name_server(struct modcat_opening *opening, const struct tls_context *context,
                       const struct tls *tls)
{
    const char *name = context->sni_host != NULL ? context->sni_host : tls->expected_name;
    if (context->no_sni)
        return 0;
    if (name[0] == '\0' && context->sni_host != NULL)
        modcat_log(MODCAT_WARNING, "refusing to set empty SNI host name");
    if (name[0] == '\0' || tls_is_numeric(name))
        return 0;
    if (SSL_set_tlsext_host_name(tls->library, name))
        return 0;
    errno = EINVAL;
    return modcat_fail(opening, "cannot send the name \"%s\" in SNI", name);
}

static int fail_verification(struct modcat_opening *opening, const struct tls_context *context,
                             const struct tls *tls)
{
    char text[TLS_ERROR_TEXT], reason[VERIFICATION_TEXT];
    const char *expected = tls->expected_name;
    errno = EACCES;
    snprintf(
        reason, sizeof reason,
        "%s (depth %d, \"%.100s\"); expected name: %s%.100s%s; the certificate's names: %.150s",
        X509_verify_cert_error_string(tls->verify_error), tls->verify_depth,
        tls->verify_subject != NULL ? tls->verify_subject : "", expected[0] != '\0' ? "\"" : "",
        expected[0] != '\0' ? expected : "any", expected[0] != '\0' ? "\"" : "",
        tls->verify_names != NULL ? tls->verify_names : "none");
    return modcat_fail_call(opening, "trust the peer's certificate", NULL, reason, "%s(): %s",
                            call_name(context), tls_error_text(text));
}

static int fail_handshake(struct modcat_opening *opening, const struct tls_context *context,
                          const struct tls *tls)
{
    char text[TLS_ERROR_TEXT];
    const char *call = call_name(context), *words = tls_error_reason();
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    tls_error_text(text);
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && tls->verify_error != X509_V_OK)
        return fail_verification(opening, context, tls);
    errno = tls->lower_error != 0 ? tls->lower_error : EPROTO;
    if (tls->lower_error != 0)
        return modcat_fail_call(opening, HANDSHAKE, NULL, strerror(tls->lower_error), "%s()", call);
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return modcat_fail_call(opening, HANDSHAKE, NULL,
                                "the peer closed the connection during the handshake", "%s()",
                                call);
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST)
        words = "the peer does not speak TLS, or only a version that is not allowed";
    return modcat_fail_call(opening, HANDSHAKE, NULL, words, "%s(): %s", call, text);
}

static int fail_waiting(struct modcat_opening *opening, const struct tls_context *context,
                        int result)
{
    if (result < 0 && errno == ECANCELED)
        return -1;
    if (result < 0)
        return modcat_fail_call(opening, HANDSHAKE, NULL, NULL, "%s()", call_name(context));
    errno = ETIMEDOUT;
    return modcat_fail_call(opening, HANDSHAKE, NULL,
                            "Connection timed out: the peer did not complete it in time", "%s()",
                            call_name(context));
}

static long long earlier(long long one, long long other)
{
    if (one == MODCAT_FOREVER || other == MODCAT_FOREVER)
        return one == MODCAT_FOREVER ? other : one;
    return one < other ? one : other;
}

/* It is the same however often the peer is heard of meanwhile. */
static long long handshake_deadline(const struct modcat_opening *opening,
                                    const struct tls_context *context)
{
    long long timeout = context->handshake_timeout;
    return earlier(modcat_connect_deadline(opening),
                   modcat_deadline(timeout > 0 ? timeout : MODCAT_FOREVER));
}

static long long to_time(const struct timeval *time)
{
    return time->tv_sec * MODCAT_SECOND + time->tv_usec * 1000LL;
}

/* When the socket's own timeout passes, options so-rcvtimeo and so-sndtimeo: it counts from the
 * last that was heard of the peer, for datagrams that are sent again end no wait. */
static long long socket_deadline(const struct tls *tls, unsigned direction)
{
    struct timeval timeout = {0};
    socklen_t size = sizeof timeout;
    bool reading = direction == MODCAT_DIR_READ;
    int fd = reading ? tls->lower->read_fd : tls->lower->write_fd;
    if (getsockopt(fd, SOL_SOCKET, reading ? SO_RCVTIMEO : SO_SNDTIMEO, &timeout, &size) < 0 ||
        to_time(&timeout) == 0)
        return MODCAT_FOREVER;
    return tls->heard + to_time(&timeout);
}

/* When a lost datagram of the handshake has to be sent again. */
static long long repetition_deadline(const struct tls *tls)
{
    struct timeval left;
    if (!tls->datagrams || !DTLSv1_get_timeout(tls->library, &left))
        return MODCAT_FOREVER;
    return modcat_deadline(to_time(&left));
}

/* Returns 1 to go on, or as modcat_wait(). */
static int wait_for_peer(struct modcat_opening *opening, struct tls *tls, unsigned direction)
{
    long long deadline = earlier(tls->deadline, socket_deadline(tls, direction));
    long long until = earlier(deadline, repetition_deadline(tls));
    if (deadline != MODCAT_FOREVER && modcat_deadline(0) >= deadline)
        return 0;
    int ready = modcat_lower_wait(opening, tls->lower, direction, until);
    if (ready > 0)
        tls->heard = modcat_deadline(0);
    if (ready != 0 || until == deadline || modcat_deadline(0) < until)
        return ready;
    errno = ETIMEDOUT;
    return DTLSv1_handle_timeout(tls->library) < 0 ? -1 : 1;
}

/* Returns true when the handshake is done; otherwise `error` is as SSL_get_error(3) says. */
static bool go_on(const struct tls_context *context, struct tls *tls, int *error)
{
    ERR_clear_error();
    if (context->server && context->datagrams && !tls->greeted) {
        int known = dtls_greet(tls);
        tls->greeted = known == 1;
        *error = known == 0 ? SSL_ERROR_WANT_READ : SSL_ERROR_SSL;
        if (known != 1)
            return false;
    }
    int result = SSL_do_handshake(tls->library);
    *error = SSL_get_error(tls->library, result);
    return result == 1;
}

static int shake_hands(struct modcat_opening *opening, const struct tls_context *context,
                       struct tls *tls)
{
    int error;
    tls->deadline = handshake_deadline(opening, context);
    tls->heard = modcat_deadline(0);
    while (!go_on(context, tls, &error)) {
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
            tls_note_system_error(tls, error);
            return fail_handshake(opening, context, tls);
        }
        unsigned direction = error == SSL_ERROR_WANT_READ ? MODCAT_DIR_READ : MODCAT_DIR_WRITE;
        int ready = wait_for_peer(opening, tls, direction);
        if (ready <= 0)
            return fail_waiting(opening, context, ready);
    }
    tls->deadline = MODCAT_FOREVER;
    return 0;
}

static void tell_protocol(struct modcat_opening *opening, const struct tls *tls)
{
    const unsigned char *alpn;
    unsigned length;
    char text[256];
    SSL_get0_alpn_selected(tls->library, &alpn, &length);
    if (length == 0 || length >= sizeof text)
        return;
    memcpy(text, alpn, length);
    text[length] = '\0';
    tls_clean(text, strlen(text));
    modcat_log(MODCAT_NOTICE, "ALPN protocol: \"%s\"", text);
    modcat_setenv(opening, "OPENSSL_ALPN", text);
}

static const char *compression_name(const COMP_METHOD *method)
{
    return method != NULL ? SSL_COMP_get_name(method) : "none";
}

static void tell_session(struct modcat_opening *opening, const struct tls *tls)
{
    const char *version = SSL_get_version(tls->library);
    const char *cipher = SSL_get_cipher_name(tls->library);
    modcat_log(MODCAT_NOTICE, "SSL proto version used: %s", version);
    modcat_log(MODCAT_NOTICE, "SSL connection using %s", cipher);
    modcat_log(MODCAT_NOTICE, "SSL connection compression \"%s\"",
               compression_name(SSL_get_current_compression(tls->library)));
    modcat_log(MODCAT_NOTICE, "SSL connection expansion \"%s\"",
               compression_name(SSL_get_current_expansion(tls->library)));
    modcat_setenv(opening, "OPENSSL_PROTO_VERSION", version);
    modcat_setenv(opening, "OPENSSL_CIPHER", cipher);
    if (tls->in_kernel)
        modcat_log(MODCAT_INFO, "SSL ciphering by the kernel: sending %s, receiving %s",
                   BIO_get_ktls_send(SSL_get_wbio(tls->library)) ? "yes" : "no",
                   BIO_get_ktls_recv(SSL_get_rbio(tls->library)) ? "yes" : "no");
    if (SSL_session_reused(tls->library))
        modcat_log(MODCAT_NOTICE, "SSL session is resumed");
    tell_protocol(opening, tls);
}

/* A peer of TLS 1.3 may ask for new keys at any time, RFC 8446 section 4.6.3. The library would
 * take them, and the kernel go on with the old ones. */
static void keep_keys_in_library(const SSL *library, int where, int value)
{
    (void)value;
    if ((where & SSL_CB_LOOP) != 0 && SSL_get_pending_cipher(library) != NULL &&
        SSL_version(library) == TLS1_3_VERSION)
        SSL_clear_options((SSL *)(uintptr_t)library, SSL_OP_ENABLE_KTLS);
}

static void let_kernel_cipher(const struct tls_context *context, SSL *library)
{
    SSL_set_options(library, SSL_OP_ENABLE_KTLS);
    if (!context->kernel_keeps_keys)
        SSL_set_info_callback(library, keep_keys_in_library);
}

static int make_library_state(struct modcat_opening *opening, const struct tls_context *context,
                              struct tls *tls)
{
    tls->library = SSL_new(context->library);
    tls->in_kernel = context->kernel && tls_use_kernel(tls->lower);
    BIO *bio = tls->library != NULL ? tls_new_bio(context->bio, tls) : NULL;
    if (bio == NULL) {
        errno = ENOMEM;
        return modcat_fail(opening, "cannot set up TLS: %s [SSL_new()]", strerror(errno));
    }
    SSL_set_bio(tls->library, bio, bio);
    SSL_set_app_data(tls->library, tls);
    if (context->server)
        SSL_set_accept_state(tls->library);
    else
        SSL_set_connect_state(tls->library);
    if (tls->in_kernel)
        let_kernel_cipher(context, tls->library);
    if (context->datagrams) {
        SSL_set_options(tls->library, SSL_OP_NO_QUERY_MTU);
        DTLS_set_link_mtu(tls->library, LINK_MTU);
    }
    if (context->session != NULL)
        SSL_set_session(tls->library, context->session);
    return context->server ? 0 : name_server(opening, context, tls);
}

static struct tls *new_connection(const struct modcat_opening *opening,
                                  const struct tls_context *context, struct modcat_endpoint *lower)
{
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return NULL;
    *tls = (struct tls){
        .lower = lower,
        .name = modcat_keyword(opening),
        .session_file = context->session_file,
        .datagrams = context->datagrams,
        .deadline = MODCAT_FOREVER,
        .read_wants = MODCAT_DIR_READ,
        .write_wants = MODCAT_DIR_WRITE,
    };
    return tls;
}

int tls_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
             struct modcat_endpoint *endpoint)
{
    const struct tls_context *context = modcat_prepared(opening);
    struct tls *tls = new_connection(opening, context, lower);
    if (tls == NULL)
        return modcat_fail(opening, "%s", strerror(errno));
    if (modcat_is_stacked(opening) && modcat_param_count(opening) > 0)
        modcat_set_peer_name(opening, modcat_param(opening, 0));
    tls->peer = modcat_peer(opening, &tls->peer_length);
    tls->expected_name = tls_expected_name(opening, context);
    if (tls->expected_name == NULL || make_library_state(opening, context, tls) < 0 ||
        shake_hands(opening, context, tls) < 0 || tls_check_peer(opening, context, tls) < 0) {
        int error = errno;
        tls_free(tls);
        errno = error;
        return -1;
    }
    tell_session(opening, tls);
    endpoint->ops = &tls_ops;
    endpoint->state = tls;
    return 0;
}
