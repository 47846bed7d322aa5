/* Who the peer is: its certificate chain, and the name in it. */

#define _GNU_SOURCE
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* Called by the library for each certificate of a chain. Keeps what is said about a bad one, for
 * the library forgets it when the handshake fails. */
int tls_note_verification(int ok, X509_STORE_CTX *store)
{
    const SSL *library = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(library);
    X509 *faulty = X509_STORE_CTX_get_current_cert(store);
    if (ok)
        return 1;
    free(tls->verify_subject);
    free(tls->verify_names);
    tls->verify_error = X509_STORE_CTX_get_error(store);
    tls->verify_depth = X509_STORE_CTX_get_error_depth(store);
    tls->verify_subject = faulty != NULL ? tls_name_text(X509_get_subject_name(faulty)) : NULL;
    tls->verify_names = tls_certificate_names(X509_STORE_CTX_get0_cert(store));
    return 0;
}

static int fail_name(struct modcat_opening *opening, X509 *certificate, const char *name)
{
    char *names = tls_certificate_names(certificate);
    errno = EACCES;
    modcat_fail(opening,
                "certificate is valid but its commonName does not match hostname \"%s\"; the "
                "certificate's names: %s",
                name, names != NULL ? names : "none");
    free(names);
    return -1;
}

/* That nobody is expected is what the user asked for, or what nobody could know. */
static void tell_unchecked(const struct tls_context *context)
{
    if (context->server || context->common_name != NULL)
        modcat_log(MODCAT_NOTICE, "trusting certificate, no check of commonName");
    else
        modcat_log(MODCAT_WARNING, "trusting certificate, no check of commonName: the peer's name "
                                   "is not known; consider option commonname");
}

static int check_name(struct modcat_opening *opening, const struct tls_context *context,
                      const struct tls *tls, X509 *certificate)
{
    if (tls->expected_name[0] == '\0') {
        tell_unchecked(context);
        return 0;
    }
    if (!tls_certificate_is_for(certificate, tls->expected_name))
        return fail_name(opening, certificate, tls->expected_name);
    modcat_log(MODCAT_NOTICE, "trusting certificate, commonName matches");
    return 0;
}

static int check_certificate(struct modcat_opening *opening, const struct tls_context *context,
                             const struct tls *tls, X509 *certificate)
{
    long result = SSL_get_verify_result(tls->library);
    if (!context->verify) {
        modcat_log(MODCAT_NOTICE, "option openssl-verify disabled, no check of certificate");
        return 0;
    }
    if (result != X509_V_OK) {
        errno = EACCES;
        return modcat_fail(opening, "%s", X509_verify_cert_error_string(result));
    }
    return check_name(opening, context, tls, certificate);
}

/* Who completes a handshake with a shared key has it. */
static bool knows_shared_key(const struct tls_context *context, const struct tls *tls)
{
    if (context->psk == NULL)
        return false;
    const SSL_CIPHER *cipher = SSL_get_current_cipher(tls->library);
    return SSL_session_reused(tls->library) || SSL_CIPHER_get_auth_nid(cipher) == NID_auth_psk;
}

static int accept_without_certificate(struct modcat_opening *opening,
                                      const struct tls_context *context, const struct tls *tls)
{
    if (knows_shared_key(context, tls)) {
        modcat_log(MODCAT_NOTICE, "peer authenticated by pre-shared key");
        return 0;
    }
    if (!context->verify) {
        modcat_log(MODCAT_NOTICE, "no peer certificate and no check");
        return 0;
    }
    errno = EACCES;
    return modcat_fail(opening, "no peer certificate");
}

int tls_check_peer(struct modcat_opening *opening, const struct tls_context *context,
                   struct tls *tls)
{
    X509 *certificate = SSL_get1_peer_certificate(tls->library);
    if (certificate == NULL)
        return accept_without_certificate(opening, context, tls);
    int result = check_certificate(opening, context, tls, certificate);
    if (result == 0)
        tls_export_certificate(opening, certificate, context->verify);
    X509_free(certificate);
    return result;
}
