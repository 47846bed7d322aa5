/* certificates.h: makes certificates of every kind for tests of TLS, in the test's own folder. */

#ifndef TESTS_SYSTEM_CERTIFICATES_H
#define TESTS_SYSTEM_CERTIFICATES_H

#include "tests/system/harness.h"

/* What a certificate shall be like. Left out: valid from yesterday to tomorrow, for any use. */
struct certificate {
    const char *name;   /* NAME.pem in the test's folder holds the certificate and its key */
    const char *issuer; /* name of the authority's certificate; NULL: signed by itself */
    const char *common_name;
    const char *organization;
    const char *alternatives; /* subjectAltName: "DNS:localhost,IP:127.0.0.1" */
    const char *usage;        /* extendedKeyUsage: "serverAuth" */
    bool authority;
    bool rsa;     /* its key is of RSA, and not of an elliptic curve */
    int from_day; /* 0: yesterday; otherwise days from now */
    int to_day;   /* 0: tomorrow */
};

void certificate_make(struct harness *harness, const struct certificate *wish);

/* Makes authority "ca" and certificate "server" for localhost, 127.0.0.1 and ::1. */
void certificates_make_usual(struct harness *harness);

/* The path of NAME.pem. */
const char *certificate_path(struct harness *harness, const char *name);

/* The options "cafile=..." with the usual authority, and "cert=..." with the usual certificate. */
const char *certificate_trusted(struct harness *harness);
const char *certificate_shown(struct harness *harness);

/* A server of DTLS with the usual certificate, which gives back what it gets: `listening` is its
 * address and options. A client that trusts it. */
struct program *dtls_serve(struct harness *harness, const char *listening);
struct program *dtls_connect(struct harness *harness, unsigned port);

/* Ends the test as skipped where the openssl command is not installed; runs it. */
void openssl_needed(void);
struct program *openssl_run(struct harness *harness, const char *const *arguments);

/* Writes the revocation list NAME.crl of an authority, with one certificate in it, or none (NULL),
 * and returns its path. */
const char *certificate_revoke(struct harness *harness, const char *authority, const char *name);

/* Writes the key of NAME.pem alone, encrypted with a passphrase, and returns the path. */
const char *certificate_lock_key(struct harness *harness, const char *name, const char *passphrase);

#endif
