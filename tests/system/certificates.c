#define _GNU_SOURCE
#include "tests/system/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400L

static void need(struct harness *harness, bool success, const char *what)
{
    if (!success)
        harness_fail(harness, "making a certificate: %s failed", what);
}

const char *certificate_path(struct harness *harness, const char *name)
{
    return path(harness, text(harness, "%s.pem", name));
}

static void add_entry(X509_NAME *name, const char *field, const char *value)
{
    if (value != NULL)
        X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1,
                                   0);
}

static void add_extension(struct harness *harness, X509 *certificate, int kind, const char *value)
{
    X509V3_CTX context;
    if (value == NULL)
        return;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    need(harness, extension != NULL && X509_add_ext(certificate, extension, -1), value);
    X509_EXTENSION_free(extension);
}

static void describe(struct harness *harness, X509 *certificate, const struct certificate *wish)
{
    uint64_t serial;
    X509_NAME *subject = X509_NAME_new();
    need(harness, RAND_bytes((unsigned char *)&serial, sizeof serial) == 1, "RAND_bytes()");
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate),
                    (wish->from_day != 0 ? wish->from_day : -1) * DAY);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (wish->to_day != 0 ? wish->to_day : 1) * DAY);
    add_entry(subject, "O", wish->organization);
    add_entry(subject, "CN", wish->common_name);
    X509_set_subject_name(certificate, subject);
    X509_NAME_free(subject);
    add_extension(harness, certificate, NID_subject_alt_name, wish->alternatives);
    add_extension(harness, certificate, NID_ext_key_usage, wish->usage);
    add_extension(harness, certificate, NID_basic_constraints,
                  wish->authority ? "critical,CA:TRUE" : NULL);
    add_extension(harness, certificate, NID_key_usage,
                  wish->authority ? "critical,keyCertSign,cRLSign" : NULL);
}

static void load(struct harness *harness, const char *name, X509 **certificate, EVP_PKEY **key)
{
    FILE *file = fopen(certificate_path(harness, name), "r");
    need(harness, file != NULL, name);
    *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    need(harness, *certificate != NULL && *key != NULL, name);
    fclose(file);
}

static void store(struct harness *harness, const char *name, X509 *certificate, EVP_PKEY *key)
{
    FILE *file = fopen(certificate_path(harness, name), "w");
    need(harness,
         file != NULL && PEM_write_X509(file, certificate) &&
             PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) && fclose(file) == 0,
         name);
}

void certificate_make(struct harness *harness, const struct certificate *wish)
{
    X509 *certificate = X509_new(), *issuer = NULL;
    EVP_PKEY *key = wish->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"), *issuer_key = NULL;
    need(harness, certificate != NULL && key != NULL, "EVP_PKEY_generate()");
    describe(harness, certificate, wish);
    X509_set_pubkey(certificate, key);
    if (wish->issuer != NULL)
        load(harness, wish->issuer, &issuer, &issuer_key);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer != NULL ? issuer : certificate));
    need(harness, X509_sign(certificate, issuer_key != NULL ? issuer_key : key, EVP_sha256()) > 0,
         "X509_sign()");
    store(harness, wish->name, certificate, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    X509_free(issuer);
    EVP_PKEY_free(issuer_key);
}

void certificates_make_usual(struct harness *harness)
{
    certificate_make(harness,
                     &(struct certificate){.name = "ca", .common_name = "ca", .authority = true});
    certificate_make(harness, &(struct certificate){
                                  .name = "server",
                                  .issuer = "ca",
                                  .common_name = "server",
                                  .organization = "Acme",
                                  .alternatives = "DNS:localhost,IP:127.0.0.1,IP:::1",
                              });
}

const char *certificate_trusted(struct harness *harness)
{
    return text(harness, "cafile=%s", certificate_path(harness, "ca"));
}

const char *certificate_shown(struct harness *harness)
{
    return text(harness, "cert=%s", certificate_path(harness, "server"));
}

struct program *dtls_serve(struct harness *harness, const char *listening)
{
    return program_start(harness, "-d", "-d",
                         text(harness, "%s,verify=0,%s", listening, certificate_shown(harness)),
                         "PIPE", NULL);
}

struct program *dtls_connect(struct harness *harness, unsigned port)
{
    return program_start(harness, "-t", "10", "STDIO",
                         text(harness, "DTLS:127.0.0.1:%u,%s", port, certificate_trusted(harness)),
                         NULL);
}

void openssl_needed(void)
{
    if (system("command -v openssl >/dev/null") == 0)
        return;
    skip_because("openssl is not installed");
}

struct program *openssl_run(struct harness *harness, const char *const *arguments)
{
    return program_launch(harness, &(struct launch){.program = "openssl", .arguments = arguments});
}

static void add_revoked(struct harness *harness, X509_CRL *list, const char *name, ASN1_TIME *now)
{
    X509 *certificate;
    EVP_PKEY *key;
    X509_REVOKED *entry = X509_REVOKED_new();
    load(harness, name, &certificate, &key);
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate));
    X509_REVOKED_set_revocationDate(entry, now);
    need(harness, X509_CRL_add0_revoked(list, entry) == 1, "X509_CRL_add0_revoked()");
    X509_free(certificate);
    EVP_PKEY_free(key);
}

const char *certificate_revoke(struct harness *harness, const char *authority, const char *name)
{
    const char *result = path(harness, text(harness, "%s.crl", authority));
    X509 *issuer;
    EVP_PKEY *key;
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0), *later = X509_gmtime_adj(NULL, DAY);
    load(harness, authority, &issuer, &key);
    X509_CRL_set_version(list, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer));
    X509_CRL_set1_lastUpdate(list, now);
    X509_CRL_set1_nextUpdate(list, later);
    if (name != NULL)
        add_revoked(harness, list, name, now);
    FILE *file = fopen(result, "w");
    need(harness,
         X509_CRL_sign(list, key, EVP_sha256()) > 0 && file != NULL &&
             PEM_write_X509_CRL(file, list) && fclose(file) == 0,
         "the revocation list");
    ASN1_TIME_free(now);
    ASN1_TIME_free(later);
    X509_CRL_free(list);
    X509_free(issuer);
    EVP_PKEY_free(key);
    return result;
}

const char *certificate_lock_key(struct harness *harness, const char *name, const char *passphrase)
{
    const char *result = path(harness, text(harness, "%s.key", name));
    X509 *certificate;
    EVP_PKEY *key;
    load(harness, name, &certificate, &key);
    FILE *file = fopen(result, "w");
    need(harness,
         file != NULL &&
             PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), (const unsigned char *)passphrase,
                                  (int)strlen(passphrase), NULL, NULL) &&
             fclose(file) == 0,
         "the encrypted key");
    X509_free(certificate);
    EVP_PKEY_free(key);
    return result;
}
