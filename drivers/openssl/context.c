/* The context of an address: what its options say, read and checked before anything is opened. */

#define _GNU_SOURCE
#include "tls.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define CIPHERS "HIGH:-NULL:-PSK:-aNULL"
/* What a server's client gets to complete the handshake. */
#define HANDSHAKE_TIMEOUT (60 * MODCAT_SECOND)

#define CIPHERS_WITH_PSK "HIGH:-NULL:-aNULL"

static int fail_library(struct modcat_opening *opening, const char *verb, const char *call,
                        const char *argument)
{
    char text[TLS_ERROR_TEXT];
    const char *reason = tls_error_reason();
    tls_error_text(text);
    ERR_clear_error();
    errno = EINVAL;
    return modcat_fail_call(opening, verb, argument, reason, "%s(\"%s\"): %s", call, argument,
                            text);
}

static const struct {
    const char *name;
    int version;
} versions[] = {
    {"SSL2", SSL2_VERSION},      {"SSL3", SSL3_VERSION},       {"TLS1", TLS1_VERSION},
    {"TLS1.0", TLS1_VERSION},    {"TLSv1", TLS1_VERSION},      {"TLSv1.0", TLS1_VERSION},
    {"TLS1.1", TLS1_1_VERSION},  {"TLSv1.1", TLS1_1_VERSION},  {"TLS1.2", TLS1_2_VERSION},
    {"TLSv1.2", TLS1_2_VERSION}, {"TLS1.3", TLS1_3_VERSION},   {"TLSv1.3", TLS1_3_VERSION},
    {"DTLS1", DTLS1_VERSION},    {"DTLS1.0", DTLS1_VERSION},   {"DTLSv1", DTLS1_VERSION},
    {"DTLSv1.0", DTLS1_VERSION}, {"DTLS1.2", DTLS1_2_VERSION}, {"DTLSv1.2", DTLS1_2_VERSION},
};

/* Returns 0 for a name that is none. */
static int find_version(const char *name)
{
    for (size_t i = 0; i < MODCAT_COUNT(versions); i++)
        if (strcasecmp(versions[i].name, name) == 0)
            return versions[i].version;
    return 0;
}

const char *tls_check_version(const struct modcat_value *value)
{
    return find_version(value->string) != 0 ? NULL
                                            : "unknown SSL/TLS version; use one such as TLS1.2";
}

const char *tls_check_compression(const struct modcat_value *value)
{
    bool known = strcmp(value->string, "none") == 0 || strcmp(value->string, "auto") == 0;
    return known ? NULL : "unknown compression method; use none or auto";
}

static int fail_version(struct modcat_opening *opening, const char *name, int version,
                        const char *call)
{
    return modcat_fail_call(opening, "use protocol version", name, "this OpenSSL does not have it",
                            "%s(\"%s\"->%d)", call, name, version);
}

static int set_lowest(struct modcat_opening *opening, SSL_CTX *library, const char *name)
{
    int version = find_version(name);
    if (SSL_CTX_set_min_proto_version(library, version))
        return 0;
    errno = EINVAL;
    return fail_version(opening, name, version, "SSL_CTX_set_min_proto_version");
}

static int set_highest(struct modcat_opening *opening, SSL_CTX *library, const char *name)
{
    int version = find_version(name);
    if (SSL_CTX_set_max_proto_version(library, version))
        return 0;
    errno = EINVAL;
    return fail_version(opening, name, version, "SSL_CTX_set_max_proto_version");
}

static int check_versions(struct modcat_opening *opening, const struct tls_context *context)
{
    long lowest = SSL_CTX_get_min_proto_version(context->library);
    long highest = SSL_CTX_get_max_proto_version(context->library);
    bool later = context->datagrams ? lowest < highest : lowest > highest;
    if (lowest == 0 || highest == 0 || !later)
        return 0;
    errno = EINVAL;
    return modcat_fail(opening, "the lowest version of the protocol is higher than the highest");
}

/* Older versions than 1.2 are obsolete, RFC 8996, and have to be asked for. */
static int set_versions(struct modcat_opening *opening, const struct tls_context *context)
{
    const char *only = modcat_option_string(opening, "openssl-method", NULL);
    const char *lowest = modcat_option_string(opening, "openssl-min-proto-version", only);
    const char *highest = modcat_option_string(opening, "openssl-max-proto-version", only);
    if (highest != NULL && set_highest(opening, context->library, highest) < 0)
        return -1;
    if (lowest != NULL)
        return set_lowest(opening, context->library, lowest) < 0 ? -1
                                                                 : check_versions(opening, context);
    int usual = context->datagrams ? DTLS1_2_VERSION : TLS1_2_VERSION;
    long limit = SSL_CTX_get_max_proto_version(context->library);
    bool below = limit != 0 && (context->datagrams ? limit > usual : limit < usual);
    SSL_CTX_set_min_proto_version(context->library, below ? (int)limit : usual);
    return 0;
}

static int add_trusted(struct modcat_opening *opening, const struct tls_context *context,
                       const char *what, const char *path)
{
    struct tls_file file;
    if (tls_read_file(opening, what, path, &file) < 0)
        return -1;
    int result = tls_add_trusted(context->library, &file) ? 0 : tls_fail_file(opening, &file);
    tls_free_file(&file);
    return result;
}

static int load_revoked(struct modcat_opening *opening, const struct tls_context *context)
{
    const char *file = modcat_option_string(opening, "openssl-crl", NULL);
    bool all = modcat_option_bool(opening, "openssl-crl-all", false);
    X509_STORE *store = SSL_CTX_get_cert_store(context->library);
    if (file == NULL && !all)
        return 0;
    if (file != NULL && add_trusted(opening, context, "revocation list file", file) < 0)
        return -1;
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | (all ? X509_V_FLAG_CRL_CHECK_ALL : 0));
    return 0;
}

/* Never asks at a terminal: the program may have none, and would wait. */
static int give_passphrase(char *buffer, int size, int writing, void *data)
{
    struct tls_context *context = data;
    (void)writing;
    context->passphrase_wanted = true;
    size_t length = context->passphrase != NULL ? strlen(context->passphrase) : 0;
    if (length == 0 || length > (size_t)size)
        return -1;
    memcpy(buffer, context->passphrase, length);
    return (int)length;
}

static int fail_key(struct modcat_opening *opening, const struct tls_context *context,
                    const struct tls_file *file)
{
    if (!context->passphrase_wanted)
        return tls_fail_file(opening, file);
    ERR_clear_error();
    errno = EACCES;
    if (context->passphrase != NULL)
        return modcat_fail(opening, "the passphrase of the private key in \"%s\" is wrong",
                           file->path);
    return modcat_fail(opening,
                       "the private key in \"%s\" is encrypted: give its passphrase with option "
                       "passphrase-file or passphrase-env",
                       file->path);
}

static int use_key(struct modcat_opening *opening, const struct tls_context *context,
                   const struct tls_file *file)
{
    if (!tls_use_key(context->library, file))
        return fail_key(opening, context, file);
    return 0;
}

static int check_pair(struct modcat_opening *opening, const struct tls_context *context,
                      const char *key)
{
    return SSL_CTX_check_private_key(context->library)
               ? 0
               : fail_library(opening, "use private key", "SSL_CTX_check_private_key", key);
}

static int load_key(struct modcat_opening *opening, const struct tls_context *context,
                    const char *path)
{
    struct tls_file file;
    if (tls_read_file(opening, "private key file", path, &file) < 0)
        return -1;
    int result = use_key(opening, context, &file);
    tls_free_file(&file);
    return result;
}

/* A file with both is read once: it may be a pipe. */
static int load_chain(struct modcat_opening *opening, const struct tls_context *context,
                      const char *path, bool with_key)
{
    struct tls_file file;
    if (tls_read_file(opening, "certificate file", path, &file) < 0)
        return -1;
    int result = tls_use_chain(context->library, &file) ? 0 : tls_fail_file(opening, &file);
    if (result == 0 && with_key) {
        file.what = "private key file";
        result = use_key(opening, context, &file);
    }
    tls_free_file(&file);
    return result;
}

static int load_certificate(struct modcat_opening *opening, const struct tls_context *context)
{
    const char *file = modcat_option_string(opening, "openssl-certificate", NULL);
    const char *key = modcat_option_string(opening, "openssl-key", NULL);
    if (file == NULL && context->server && context->psk == NULL)
        modcat_log(MODCAT_WARNING, "no certificate given; consider option \"cert\"");
    if (file != NULL && load_chain(opening, context, file, key == NULL) < 0)
        return -1;
    if (key != NULL && load_key(opening, context, key) < 0)
        return -1;
    return file != NULL ? check_pair(opening, context, key != NULL ? key : file) : 0;
}

/* Certificates of authorities that the own one needs to be sent with are missing in its file. */
static bool lacks_chain(const struct tls_context *context)
{
    STACK_OF(X509) *given = NULL;
    X509 *own = SSL_CTX_get0_certificate(context->library);
    SSL_CTX_get0_chain_certs(context->library, &given);
    return own != NULL && sk_X509_num(given) <= 0 && X509_self_signed(own, 0) != 1;
}

/* That anybody whom some authority has ever given a certificate may come in is seldom meant. */
static void warn_of_strangers(const struct tls_context *context)
{
    if (context->server && context->verify && SSL_CTX_get0_certificate(context->library) != NULL)
        modcat_log(MODCAT_WARNING,
                   "clients are accepted with a certificate of any authority that this system "
                   "trusts; consider option cafile or capath");
}

/* Those that the system trusts are many, and are read only where they can be of use. */
static int load_trusted(struct modcat_opening *opening, const struct tls_context *context)
{
    const char *file = modcat_option_string(opening, "openssl-cafile", NULL);
    const char *folder = modcat_option_string(opening, "openssl-capath", NULL);
    if (file == NULL && folder == NULL && (context->verify || lacks_chain(context)))
        SSL_CTX_set_default_verify_paths(context->library);
    if (file == NULL && folder == NULL)
        warn_of_strangers(context);
    if (file != NULL && add_trusted(opening, context, "file of trusted certificates", file) < 0)
        return -1;
    if (folder != NULL && !SSL_CTX_load_verify_dir(context->library, folder))
        return fail_library(opening, "use folder of trusted certificates",
                            "SSL_CTX_load_verify_locations", folder);
    if (folder != NULL && access(folder, R_OK | X_OK) < 0)
        modcat_log(MODCAT_WARNING, "cannot use capath \"%s\": %s", folder, strerror(errno));
    return 0;
}

/* Certificates that the file lacks and the trusted ones have are looked up here, once; the library
 * would do so for each peer. One that is not complete is sent as it is. */
static void complete_chain(const struct tls_context *context)
{
    if (lacks_chain(context))
        SSL_CTX_build_cert_chain(context->library, SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR |
                                                       SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR);
    SSL_CTX_set_mode(context->library, SSL_MODE_NO_AUTO_CHAIN);
    ERR_clear_error();
}

/* Without a file the library chooses parameters that fit the key. */
static int load_dh(struct modcat_opening *opening, const struct tls_context *context)
{
    struct tls_file file;
    const char *path = modcat_option_string(opening, "openssl-dhparam", NULL);
    SSL_CTX_set_dh_auto(context->library, 1);
    if (path == NULL)
        return 0;
    if (tls_read_file(opening, "file of Diffie-Hellman parameters", path, &file) < 0)
        return -1;
    int result = tls_use_dh(opening, context->library, &file);
    tls_free_file(&file);
    return result;
}

static int set_ciphers(struct modcat_opening *opening, const struct tls_context *context)
{
    const char *usual = context->psk != NULL ? CIPHERS_WITH_PSK : CIPHERS;
    const char *ciphers = modcat_option_string(opening, "openssl-cipherlist", usual);
    const char *suites = modcat_option_string(opening, "openssl-ciphersuites", NULL);
    if (!SSL_CTX_set_cipher_list(context->library, ciphers))
        return fail_library(opening, "use ciphers", "SSL_set_cipher_list", ciphers);
    if (suites != NULL && !SSL_CTX_set_ciphersuites(context->library, suites))
        return fail_library(opening, "use cipher suites", "SSL_CTX_set_ciphersuites", suites);
    return 0;
}

static struct tls_context *context_of(const SSL *library)
{
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(library));
}

static unsigned offer_psk(SSL *library, const char *hint, char *identity, unsigned identity_size,
                          unsigned char *key, unsigned key_size)
{
    const struct tls_psk *psk = context_of(library)->psk;
    (void)hint;
    size_t length = strlen(psk->identity);
    if (length >= identity_size || psk->length > key_size)
        return 0;
    memcpy(identity, psk->identity, length + 1);
    memcpy(key, psk->key, psk->length);
    return (unsigned)psk->length;
}

static unsigned find_psk(SSL *library, const char *identity, unsigned char *key, unsigned key_size)
{
    for (const struct tls_psk *psk = context_of(library)->psk; psk != NULL; psk = psk->next)
        if (strcmp(psk->identity, identity) == 0 && psk->length <= key_size) {
            memcpy(key, psk->key, psk->length);
            return (unsigned)psk->length;
        }
    return 0;
}

static void use_psk(const struct tls_context *context)
{
    if (context->psk == NULL)
        return;
    SSL_CTX_set_psk_client_callback(context->library, offer_psk);
    SSL_CTX_set_psk_server_callback(context->library, find_psk);
}

static const struct fragment_length {
    int bytes;
    uint8_t mode;
} fragment_lengths[] = {
    {512, TLSEXT_max_fragment_length_512},
    {1024, TLSEXT_max_fragment_length_1024},
    {2048, TLSEXT_max_fragment_length_2048},
    {4096, TLSEXT_max_fragment_length_4096},
};

static const struct fragment_length *find_fragment_length(long long bytes)
{
    for (size_t i = 0; i < MODCAT_COUNT(fragment_lengths); i++)
        if (fragment_lengths[i].bytes == bytes)
            return &fragment_lengths[i];
    return NULL;
}

const char *tls_check_wanted_fragment(const struct modcat_value *value)
{
    return find_fragment_length(value->number) != NULL
               ? NULL
               : "it is not one of 512, 1024, 2048, or 4096";
}

static int set_wanted_fragment(struct modcat_opening *opening, const struct tls_context *context)
{
    const struct modcat_value *value = modcat_option_value(opening, "openssl-maxfraglen");
    if (value == NULL)
        return 0;
    if (context->server) {
        errno = EINVAL;
        return modcat_fail(opening, "option maxfraglen is for clients; leave it out");
    }
    const struct fragment_length *length = find_fragment_length(value->number);
    if (SSL_CTX_set_tlsext_max_fragment_length(context->library, length->mode))
        return 0;
    return fail_library(opening, "set option openssl-maxfraglen",
                        "SSL_CTX_set_tlsext_max_fragment_length", "");
}

const char *tls_check_sent_fragment(const struct modcat_value *value)
{
    static_assert(SSL3_RT_MAX_PLAIN_LENGTH == 16384, "the text below says so");
    bool possible = value->number >= 512 && value->number <= SSL3_RT_MAX_PLAIN_LENGTH;
    return possible ? NULL : "it is out of range (512 to 16384)";
}

static int set_sent_fragment(struct modcat_opening *opening, const struct tls_context *context)
{
    const struct modcat_value *value = modcat_option_value(opening, "openssl-maxsendfrag");
    if (value == NULL || SSL_CTX_set_max_send_fragment(context->library, (long)value->number))
        return 0;
    return fail_library(opening, "set option openssl-maxsendfrag", "SSL_CTX_set_max_send_fragment",
                        "");
}

static int set_compression(struct modcat_opening *opening, const struct tls_context *context)
{
    const char *method = modcat_option_string(opening, "openssl-compress", NULL);
    if (method == NULL)
        return 0;
    if (strcmp(method, "none") == 0) {
        SSL_CTX_set_options(context->library, SSL_OP_NO_COMPRESSION);
        return 0;
    }
    SSL_CTX_clear_options(context->library, SSL_OP_NO_COMPRESSION);
    return 0;
}

/* The server's order decides; nothing in common is an error, RFC 7301 section 3.2. */
static int choose_protocol(SSL *library, const unsigned char **chosen, unsigned char *length,
                           const unsigned char *offered, unsigned offered_length, void *data)
{
    const struct tls_context *context = data;
    (void)library;
    int result = SSL_select_next_proto((unsigned char **)chosen, length, context->alpn,
                                       context->alpn_length, offered, offered_length);
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* All names in the form of the protocol have to fit into the room that there is for them. */
const char *tls_check_protocols(const struct modcat_value *value)
{
    static const char separators[] = ":,";
    if (value->length >= sizeof((struct tls_context *)NULL)->alpn)
        return "it has more than 255 bytes";
    for (const char *name = value->string;; name++) {
        size_t length = strcspn(name, separators);
        if (length == 0)
            return value->length == 0 ? modcat_check_filled(value) : "a name is empty";
        name += length;
        if (*name == '\0')
            return NULL;
    }
}

/* Each behind a byte with its length. */
static void take_protocols(struct tls_context *context, const char *names)
{
    for (const char *name = names; *name != '\0'; name += *name != '\0') {
        size_t length = strcspn(name, ":,");
        context->alpn[context->alpn_length++] = (unsigned char)length;
        memcpy(context->alpn + context->alpn_length, name, length);
        context->alpn_length += (unsigned)length;
        name += length;
    }
}

static int set_protocols(struct modcat_opening *opening, struct tls_context *context)
{
    const char *names = modcat_option_string(opening, "openssl-alpn", NULL);
    if (names == NULL)
        return 0;
    take_protocols(context, names);
    if (context->server)
        SSL_CTX_set_alpn_select_cb(context->library, choose_protocol, context);
    else if (SSL_CTX_set_alpn_protos(context->library, context->alpn, context->alpn_length) != 0)
        return fail_library(opening, "use protocols", "SSL_CTX_set_alpn_protos", names);
    return 0;
}

/* Clients have connect-timeout, and decide themselves for how long they wait. */
static long long handshake_timeout(struct modcat_opening *opening,
                                   const struct tls_context *context)
{
    const struct modcat_value *value = modcat_option_value(opening, "openssl-handshake-timeout");
    if (value != NULL)
        return value->time;
    return context->server ? HANDSHAKE_TIMEOUT : 0;
}

static void take_settings(struct modcat_opening *opening, struct tls_context *context)
{
    static const char *const without_effect[] = {"openssl-egd", "openssl-pseudo"};
    context->verify = modcat_option_bool(opening, "openssl-verify", true);
    context->kernel = !context->datagrams &&
                      modcat_option_bool(opening, "openssl-ktls", context->server) &&
                      tls_kernel_has_it();
    context->kernel_keeps_keys = modcat_option_value(opening, "openssl-ktls") != NULL;
    context->common_name = modcat_option_string(opening, "openssl-commonname", NULL);
    context->sni_host = modcat_option_string(opening, "openssl-snihost", NULL);
    context->handshake_timeout = handshake_timeout(opening, context);
    context->no_sni = modcat_option_bool(opening, "openssl-no-sni", false);
    for (size_t i = 0; i < MODCAT_COUNT(without_effect); i++)
        if (modcat_option_value(opening, without_effect[i]) != NULL)
            modcat_log(MODCAT_INFO, "option %s has no effect", without_effect[i]);
}

static int check_names(struct modcat_opening *opening, struct tls_context *context)
{
    return tls_check_wish(opening, "commonname", context->common_name);
}

static int new_library_context(struct modcat_opening *opening, struct tls_context *context)
{
    const char *properties = modcat_option_bool(opening, "openssl-fips", false) ? "fips=yes" : NULL;
    const SSL_METHOD *method = context->datagrams ? DTLS_method() : TLS_method();
    context->library = SSL_CTX_new_ex(NULL, properties, method);
    context->bio = tls_new_bio_method();
    if (context->library == NULL || context->bio == NULL)
        return fail_library(opening, "set up TLS", "SSL_CTX_new",
                            properties != NULL ? properties : "");
    /* What the callback below is not asked for must not be asked of a terminal. */
    UI_set_default_method(UI_null());
    SSL_CTX_set_app_data(context->library, context);
    SSL_CTX_set_mode(context->library, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                           SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                           SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_clear_mode(context->library, SSL_MODE_AUTO_RETRY);
    if (context->server)
        SSL_CTX_set_options(context->library, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_default_passwd_cb(context->library, give_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context->library, context);
    return 0;
}

/* Both ends want a certificate of the other; without verification a server asks for none. */
static void set_verification(const struct tls_context *context)
{
    static const unsigned char session_id_context[] = "modcat";
    SSL_CTX_set_verify(context->library,
                       context->verify ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                       : SSL_VERIFY_NONE,
                       tls_note_verification);
    if (context->server)
        SSL_CTX_set_session_id_context(context->library, session_id_context,
                                       sizeof session_id_context - 1);
}

static int apply_options(struct modcat_opening *opening, struct tls_context *context)
{
    static int (*const setters[])(struct modcat_opening *, struct tls_context *) = {
        check_names,   new_library_context, tls_load_passphrase, tls_load_psk,
        set_protocols, tls_load_session,    tls_use_cookies,
    };
    static int (*const loaders[])(struct modcat_opening *, const struct tls_context *) = {
        set_versions, load_certificate,    load_trusted,      load_revoked,    load_dh,
        set_ciphers,  set_wanted_fragment, set_sent_fragment, set_compression,
    };
    for (size_t i = 0; i < MODCAT_COUNT(setters); i++)
        if (setters[i](opening, context) < 0)
            return -1;
    for (size_t i = 0; i < MODCAT_COUNT(loaders); i++)
        if (loaders[i](opening, context) < 0)
            return -1;
    tls_free_secret(context->passphrase);
    context->passphrase = NULL;
    complete_chain(context);
    use_psk(context);
    set_verification(context);
    return 0;
}

int tls_prepare(struct modcat_opening *opening, void **prepared)
{
    const struct tls_kind *kind = modcat_type_data(opening);
    struct tls_context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return modcat_fail(opening, "%s", strerror(errno));
    context->server = kind->server || (modcat_is_stacked(opening) && modcat_is_served(opening));
    context->datagrams = kind->datagrams;
    take_settings(opening, context);
    if (apply_options(opening, context) < 0) {
        tls_release(context);
        return -1;
    }
    if (context->server && !context->datagrams)
        tls_rehearse(context);
    *prepared = context;
    return 0;
}

void tls_release(void *prepared)
{
    struct tls_context *context = prepared;
    SSL_CTX_free(context->library);
    BIO_meth_free(context->bio);
    SSL_SESSION_free(context->session);
    tls_free_psk(context->psk);
    tls_free_secret(context->passphrase);
    free(context);
}
