/* tls.h: what the parts of the openssl driver share: the context that an address prepares once, and
 * the connection that it makes for each peer. */

#ifndef DRIVERS_OPENSSL_TLS_H
#define DRIVERS_OPENSSL_TLS_H

#include <modcat/driver.h>
#include <modcat/layer.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* What the address types differ in. */
struct tls_kind {
    bool server;
    bool datagrams;
};

/* A key that both sides know beforehand, RFC 4279 and RFC 8446. */
struct tls_psk {
    struct tls_psk *next;
    char *identity;
    unsigned char key[PSK_MAX_PSK_LEN];
    size_t length;
};

#define TLS_COOKIE_LENGTH 32

/* What does not change from peer to peer. Texts are the options' values. */
struct tls_context {
    SSL_CTX *library;
    BIO_METHOD *bio;
    bool server;
    bool datagrams;
    bool verify;
    bool kernel;             /* to be used for ciphering where it can ... */
    bool kernel_keeps_keys;  /* ... also of a protocol whose peer may ask for new keys */
    const char *common_name; /* option commonname, or NULL */
    const char *sni_host;    /* option snihost, or NULL */
    bool no_sni;
    const char *session_file;
    SSL_SESSION *session; /* to be resumed, or NULL */
    unsigned char alpn[256];
    unsigned alpn_length;
    struct tls_psk *psk;
    long long handshake_timeout; /* 0: none */
    unsigned char cookie_secret[TLS_COOKIE_LENGTH];
    char *passphrase; /* or NULL */
    bool passphrase_wanted;
};

/* One connection: the state of an endpoint. */
struct tls {
    SSL *library;
    const char *session_file; /* where new sessions of a client are kept, or NULL */
    struct modcat_endpoint *lower;
    const char *name;     /* of the layer, for messages */
    char *expected_name;  /* that the peer's certificate has to carry; empty: none */
    bool in_kernel;       /* the library talks to the socket itself, and may hand it the keys */
    bool datagrams;       /* a read gives one record */
    bool greeted;         /* a client of DTLS has shown that it gets what is sent to it */
    long long deadline;   /* of the handshake, while that goes on */
    long long heard;      /* when the handshake last had something of the peer, or began */
    unsigned read_wants;  /* what a read waits for: MODCAT_DIR_READ or MODCAT_DIR_WRITE ... */
    unsigned write_wants; /* ... and a write */
    int lower_error;      /* errno of the lower endpoint's failure; 0: none */
    bool failed;          /* reported; nothing more can be read or written */
    bool said_goodbye;    /* close_notify has been sent */
    const struct sockaddr *peer; /* of DTLS, where it is known */
    socklen_t peer_length;
    int verify_error; /* why the peer's chain is not trusted, X509_V_ERR_... */
    int verify_depth;
    char *verify_subject; /* of the certificate that is at fault */
    char *verify_names;   /* that the peer's certificate carries */
};

/* context.c: the context by the options. */
modcat_prepare_fn tls_prepare;
void tls_release(void *prepared);
modcat_check_fn tls_check_version;
modcat_check_fn tls_check_compression;
modcat_check_fn tls_check_protocols;
modcat_check_fn tls_check_wanted_fragment;
modcat_check_fn tls_check_sent_fragment;

/* files.c: what files hold in PEM format. */
struct tls_file {
    const char *what; /* for messages */
    const char *path;
    char *data;
    size_t length;
};
/* Returns 0, or -1 after reporting. */
int tls_read_file(struct modcat_opening *opening, const char *what, const char *path,
                  struct tls_file *file);
void tls_free_file(struct tls_file *file);
/* Reports why the library can't use a file. Returns -1. */
int tls_fail_file(struct modcat_opening *opening, const struct tls_file *file);
/* Each takes what it is for; false: the library says why. */
bool tls_use_chain(SSL_CTX *library, const struct tls_file *file);
bool tls_use_key(SSL_CTX *library, const struct tls_file *file);
bool tls_add_trusted(SSL_CTX *library, const struct tls_file *file);
/* Returns 0, or -1 after reporting. */
int tls_use_dh(struct modcat_opening *opening, SSL_CTX *library, const struct tls_file *file);

/* secrets.c: passphrases and shared keys, from files and the environment. Return 0, or -1 after
 * reporting. */
int tls_load_passphrase(struct modcat_opening *opening, struct tls_context *context);
int tls_load_psk(struct modcat_opening *opening, struct tls_context *context);
void tls_free_psk(struct tls_psk *psk);
/* Wipes and frees a secret text. */
void tls_free_secret(char *text);

/* cookie.c: cookies of DTLS. tls_use_cookies() returns 0, or -1 after reporting; dtls_greet() 1
 * when the client has sent its cookie, 0 when something has to come first, -1 as
 * SSL_do_handshake(3). */
int tls_use_cookies(struct modcat_opening *opening, struct tls_context *context);
int dtls_greet(struct tls *tls);
modcat_screen_fn dtls_screen;

/* session.c: resumption over a file. */
int tls_load_session(struct modcat_opening *opening, struct tls_context *context);
int tls_keep_session(SSL *library, SSL_SESSION *session);

/* handshake.c: a connection on top of a lower endpoint. */
modcat_wrap_fn tls_wrap;

/* bio.c: the library's way to the lower endpoint. */
BIO_METHOD *tls_new_bio_method(void);
/* True when the kernel has TLS; a module may be loaded for that. */
bool tls_kernel_has_it(void);
/* Makes a connection ready for TLS in the kernel. Returns false where that can't be. */
bool tls_use_kernel(const struct modcat_endpoint *lower);
/* Keeps errno of a call on such a connection that has just failed with `error`. */
void tls_note_system_error(struct tls *tls, int error);
BIO *tls_new_bio(BIO_METHOD *method, struct tls *tls);

/* rehearse.c: a handshake ahead of all peers. */
void tls_rehearse(const struct tls_context *context);

/* verify.c: who the peer is. */
int tls_note_verification(int ok, X509_STORE_CTX *store);
/* Judges the peer after the handshake, and tells about it in the log and the environment. Returns
 * 0, or -1 after reporting. */
int tls_check_peer(struct modcat_opening *opening, const struct tls_context *context,
                   struct tls *tls);

/* identity.c: whom to expect. */
bool tls_is_numeric(const char *host);
/* The name that a peer's certificate has to carry, without brackets and a dot at its end; empty:
 * none. To be freed; NULL when there is no memory. */
char *tls_expected_name(const struct modcat_opening *opening, const struct tls_context *context);
/* Refuses a name that an option gives and that no host can have. Returns 0, or -1 after
 * reporting. */
int tls_check_wish(struct modcat_opening *opening, const char *option, const char *name);
bool tls_certificate_is_for(X509 *certificate, const char *name);

/* names.c: what a certificate says about its owner. The texts are to be freed. */
char *tls_name_text(const X509_NAME *name);
/* Replaces control characters in what a peer has sent. */
void tls_clean(char *text, size_t length);
char *tls_certificate_names(X509 *certificate);
void tls_export_certificate(struct modcat_opening *opening, X509 *certificate, bool names);

/* endpoint.c: data. */
extern const struct modcat_endpoint_ops tls_ops;
void tls_free(struct tls *tls);

/* What the library says about its last failure: "error:0A000086:SSL routines::certificate verify
 * failed". */
#define TLS_ERROR_TEXT 256
const char *tls_error_text(char text[TLS_ERROR_TEXT]);
/* The same in words alone: "certificate verify failed". */
const char *tls_error_reason(void);

#endif
