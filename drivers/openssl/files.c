/* Files in the form of PEM: certificates, keys, revocation lists, parameters. They are read by the
 * program, which does not wait for a pipe as the library would, and parsed in memory. */

#define _GNU_SOURCE
#include "tls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* The certificates of all authorities in the world are a quarter of a megabyte. */
#define FILE_MAX ((size_t)16 << 20)

int tls_read_file(struct modcat_opening *opening, const char *what, const char *path,
                  struct tls_file *file)
{
    *file = (struct tls_file){.what = what, .path = path};
    file->data = modcat_read_file(opening, what, path, FILE_MAX, &file->length);
    return file->data != NULL ? 0 : -1;
}

void tls_free_file(struct tls_file *file)
{
    if (file->data != NULL)
        OPENSSL_cleanse(file->data, file->length);
    free(file->data);
    file->data = NULL;
}

static BIO *open_file(const struct tls_file *file)
{
    return BIO_new_mem_buf(file->data, (int)file->length);
}

int tls_fail_file(struct modcat_opening *opening, const struct tls_file *file)
{
    char text[TLS_ERROR_TEXT];
    bool empty = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    tls_error_text(text);
    ERR_clear_error();
    errno = EINVAL;
    if (empty)
        return modcat_fail(opening,
                           "cannot use %s \"%s\": it contains nothing of that kind in PEM format",
                           file->what, file->path);
    return modcat_fail(opening, "cannot use %s \"%s\": %s", file->what, file->path, text);
}

/* True when reading has come to the end of what a file holds. */
static bool at_end(void)
{
    bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (end)
        ERR_clear_error();
    return end;
}

bool tls_use_chain(SSL_CTX *library, const struct tls_file *file)
{
    BIO *bio = open_file(file);
    pem_password_cb *ask = SSL_CTX_get_default_passwd_cb(library);
    void *data = SSL_CTX_get_default_passwd_cb_userdata(library);
    X509 *certificate = bio != NULL ? PEM_read_bio_X509_AUX(bio, NULL, ask, data) : NULL;
    bool used = certificate != NULL && SSL_CTX_use_certificate(library, certificate) == 1 &&
                SSL_CTX_clear_chain_certs(library) == 1;
    X509_free(certificate);
    while (used && (certificate = PEM_read_bio_X509(bio, NULL, ask, data)) != NULL)
        if (!SSL_CTX_add0_chain_cert(library, certificate)) {
            X509_free(certificate);
            used = false;
        }
    BIO_free(bio);
    return used && at_end();
}

bool tls_use_key(SSL_CTX *library, const struct tls_file *file)
{
    BIO *bio = open_file(file);
    EVP_PKEY *key = bio != NULL
                        ? PEM_read_bio_PrivateKey(bio, NULL, SSL_CTX_get_default_passwd_cb(library),
                                                  SSL_CTX_get_default_passwd_cb_userdata(library))
                        : NULL;
    bool used = key != NULL && SSL_CTX_use_PrivateKey(library, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return used;
}

bool tls_add_trusted(SSL_CTX *library, const struct tls_file *file)
{
    X509_STORE *store = SSL_CTX_get_cert_store(library);
    BIO *bio = open_file(file);
    STACK_OF(X509_INFO) *all =
        bio != NULL ? PEM_X509_INFO_read_bio(bio, NULL, SSL_CTX_get_default_passwd_cb(library),
                                             SSL_CTX_get_default_passwd_cb_userdata(library))
                    : NULL;
    int added = 0;
    for (int i = 0; i < sk_X509_INFO_num(all); i++) {
        const X509_INFO *info = sk_X509_INFO_value(all, i);
        added += info->x509 != NULL && X509_STORE_add_cert(store, info->x509);
        added += info->crl != NULL && X509_STORE_add_crl(store, info->crl);
    }
    if (all != NULL && added == 0)
        ERR_raise(ERR_LIB_PEM, PEM_R_NO_START_LINE);
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    BIO_free(bio);
    return added > 0;
}

/* Whoever chose a number that is not prime, on purpose or not, can find out the keys that are
 * agreed on with it: CVE-2016-2217. */
static bool is_prime(const EVP_PKEY *parameters)
{
    BIGNUM *prime = NULL;
    bool result = EVP_PKEY_get_bn_param(parameters, OSSL_PKEY_PARAM_FFC_P, &prime) &&
                  BN_check_prime(prime, NULL, NULL) == 1;
    BN_free(prime);
    return result;
}

int tls_use_dh(struct modcat_opening *opening, SSL_CTX *library, const struct tls_file *file)
{
    BIO *bio = open_file(file);
    EVP_PKEY *parameters = bio != NULL ? PEM_read_bio_Parameters(bio, NULL) : NULL;
    BIO_free(bio);
    if (parameters != NULL && !is_prime(parameters)) {
        EVP_PKEY_free(parameters);
        ERR_clear_error();
        errno = EINVAL;
        return modcat_fail(opening, "cannot use %s \"%s\": its modulus is not a prime number",
                           file->what, file->path);
    }
    if (parameters != NULL && SSL_CTX_set0_tmp_dh_pkey(library, parameters))
        return 0;
    EVP_PKEY_free(parameters);
    return tls_fail_file(opening, file);
}
