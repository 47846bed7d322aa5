/* OPENSSL: TLS and DTLS, to hosts, for clients, and on top of any other address. */

#define _GNU_SOURCE
#include "tls.h"

#include <errno.h>
#include <modcat/net.h>
#include <netinet/in.h>

static modcat_open_fn tls_connect;
static modcat_listen_fn tls_listen;
static modcat_listen_fn dtls_listen;

#define TLS_OPTION(option, others, kind, text)                                                     \
    {                                                                                              \
        .name = (option), .aliases = (others), .help = (text), .type = (kind),                     \
        .phase = MODCAT_PHASE_SPEC, .effect = MODCAT_FETCHED                                       \
    }
#define TLS_SECRET_NAME(option, others, text)                                                      \
    {                                                                                              \
        .name = (option), .aliases = (others), .help = (text), .type = MODCAT_STRING,              \
        .phase = MODCAT_PHASE_SPEC, .effect = MODCAT_FETCHED, .secret_name = true,                 \
        .check = modcat_check_filled                                                               \
    }
#define TLS_STRING(option, others, text) TLS_OPTION(option, others, MODCAT_STRING, text)
#define TLS_WORD(option, others, judge, text)                                                      \
    {                                                                                              \
        .name = (option), .aliases = (others), .help = (text), .type = MODCAT_STRING,              \
        .phase = MODCAT_PHASE_SPEC, .effect = MODCAT_FETCHED, .check = (judge)                     \
    }
#define TLS_NAME(option, others, text) TLS_WORD(option, others, modcat_check_filled, text)
#define TLS_BOOL(option, others, text) TLS_OPTION(option, others, MODCAT_BOOL, text)
#define TLS_SIZE(option, others, judge, text)                                                      \
    {                                                                                              \
        .name = (option), .aliases = (others), .help = (text), .type = MODCAT_INT_SIZE,            \
        .phase = MODCAT_PHASE_SPEC, .effect = MODCAT_FETCHED, .check = (judge)                     \
    }
static const struct modcat_option options[] = {
    TLS_WORD("openssl-alpn", "alpn", tls_check_protocols,
             "application protocols to agree on, as in h2:http/1.1"),
    TLS_NAME("openssl-cafile", "cafile", "file with the certificates that are trusted"),
    TLS_NAME("openssl-capath", "capath", "folder with the certificates that are trusted"),
    TLS_NAME("openssl-certificate", "cert,certificate", "file with the own certificate chain"),
    TLS_NAME("openssl-cipherlist", "cipher,cipherlist,ciphers", "ciphers up to TLS 1.2"),
    TLS_NAME("openssl-ciphersuites", "ciphersuites", "ciphers of TLS 1.3"),
    TLS_STRING("openssl-commonname", "cn,commonname",
               "name that the peer's certificate must carry; empty for any"),
    TLS_WORD("openssl-compress", "compress", tls_check_compression, "none or auto"),
    TLS_NAME("openssl-crl", "crl,crlfile",
             "file with revocation lists; the peer's certificate must not be on them"),
    TLS_BOOL("openssl-crl-all", "crl-all", "check the whole chain for revocation"),
    TLS_NAME("openssl-dhparam", "dh,dhparam,dhparams,openssl-dhparams",
             "file with Diffie-Hellman parameters"),
    TLS_NAME("openssl-egd", "egd", "has no effect: the library has its own random numbers"),
    TLS_BOOL("openssl-fips", "fips", "use approved algorithms only"),
    TLS_OPTION("openssl-handshake-timeout", "handshake-timeout", MODCAT_TIMEVAL,
               "seconds for the handshake; a server's peers get 60 unless given; 0: no limit"),
    TLS_NAME("openssl-key", "key", "file with the private key; otherwise the certificate's"),
    TLS_BOOL("openssl-ktls", "ktls", "use kernel TLS (default: only for servers with TLS 1.2)"),
    TLS_WORD("openssl-max-proto-version", "max-version,max-proto-version", tls_check_version,
             "highest version of the protocol, as in TLS1.3"),
    TLS_SIZE("openssl-maxfraglen", "maxfraglen", tls_check_wanted_fragment,
             "longest record that a client wants, in bytes"),
    TLS_SIZE("openssl-maxsendfrag", "maxsendfrag", tls_check_sent_fragment,
             "longest record to send, in bytes"),
    TLS_WORD("openssl-method", "method", tls_check_version,
             "the one version of the protocol, as in TLS1.2"),
    TLS_WORD("openssl-min-proto-version", "min-version,min-proto-version", tls_check_version,
             "lowest version of the protocol, as in TLS1.2"),
    TLS_BOOL("openssl-no-sni", "no-sni,nosni", "do not tell the server which host is wanted"),
    TLS_SECRET_NAME("openssl-passphrase-env", "passphrase-env",
                    "environment variable with the private key's passphrase"),
    TLS_NAME("openssl-passphrase-file", "passphrase-file",
             "file with the private key's passphrase"),
    TLS_BOOL("openssl-pseudo", "pseudo", "has no effect: the library has its own random numbers"),
    TLS_SECRET_NAME("openssl-psk-env", "psk-env",
                    "environment variable with a shared key, as in psk-file"),
    TLS_NAME("openssl-psk-file", "psk-file",
             "file with shared keys, a line each: identity:hexadecimal digits"),
    TLS_STRING("openssl-psk-identity", "psk-identity", "which of the shared keys a client uses"),
    TLS_NAME("openssl-session", "session-file",
             "file to keep a client's session in, for connecting again in less time"),
    TLS_STRING("openssl-snihost", "snihost", "host name to send in SNI"),
    TLS_BOOL("openssl-verify", "verify", "check the peer's certificate; on unless given"),
};

static const struct modcat_option_group groups[] = {
    {.name = "OPENSSL", .help = "TLS and DTLS", MODCAT_OPTIONS(options)},
};

static const struct tls_kind tls_client = {.server = false, .datagrams = false};
static const struct tls_kind tls_server = {.server = true, .datagrams = false};
static const struct tls_kind dtls_client = {.server = false, .datagrams = true};
static const struct tls_kind dtls_server = {.server = true, .datagrams = true};

#define CONNECT_GROUPS "FD,SOCKET,CHILD,RETRY,IP4,IP6,IPAPP,OPENSSL"
#define LISTEN_GROUPS CONNECT_GROUPS ",LISTEN,RANGE"
#define LAYER                                                                                      \
    .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE, .wrap = tls_wrap, .prepare = tls_prepare,    \
    .release = tls_release, .layer_groups = "CHILD,RETRY,OPENSSL"
#define CONNECTS                                                                                   \
    LAYER, .syntax = ":<host>:<port>", .min_params = 2, .max_params = 2, .open = tls_connect,      \
           .layer_syntax = "[:<host>[:<port>]]", .layer_max_params = 2
#define LISTENS LAYER, .syntax = ":<port>", .min_params = 1, .max_params = 1

static const struct modcat_address_type types[] = {
    {
        .name = "OPENSSL",
        .aliases = "OPENSSL-CONNECT,SSL",
        .groups = CONNECT_GROUPS ",TCP",
        .help = "TLS client; TLS server when stacked on a listening address",
        .example = "modcat TCP-LISTEN:8080,fork OPENSSL:www.example.org:443",
        .data = &tls_client,
        CONNECTS,
    },
    {
        .name = "OPENSSL-LISTEN",
        .aliases = "SSL-L",
        .groups = LISTEN_GROUPS ",TCP",
        .help = "TLS server",
        .example = "modcat OPENSSL-LISTEN:8443,cert=server.pem,verify=0,fork TCP:localhost:80",
        .data = &tls_server,
        .listen = tls_listen,
        LISTENS,
    },
    {
        .name = "OPENSSL-DTLS-CLIENT",
        .aliases = "DTLS,DTLS-CLIENT,DTLS-C,DTLS-CONNECT,OPENSSL-DTLS-CONNECT",
        .groups = CONNECT_GROUPS ",UDP",
        .help = "speak DTLS, TLS over datagrams, to a server",
        .example = "modcat - DTLS:localhost:4433,cafile=ca.pem",
        .data = &dtls_client,
        .screen = dtls_screen,
        CONNECTS,
    },
    {
        .name = "OPENSSL-DTLS-SERVER",
        .aliases = "DTLS-SERVER,DTLS-L,DTLS-LISTEN,OPENSSL-DTLS-LISTEN",
        .groups = LISTEN_GROUPS ",UDP",
        .help = "wait for clients that speak DTLS",
        .example = "modcat DTLS-SERVER:4433,cert=server.pem,verify=0,fork PIPE",
        .data = &dtls_server,
        .listen = dtls_listen,
        .screen = dtls_screen,
        LISTENS,
    },
};

MODCAT_DRIVER(.name = "openssl", .version = MODCAT_DRIVER_VERSION, .summary = "TLS and DTLS",
              MODCAT_TYPES(types), MODCAT_GROUPS(groups));

static const struct modcat_transport tcp = {
    .size = sizeof(struct modcat_transport),
    .family = AF_UNSPEC,
    .socktype = SOCK_STREAM,
    .protocol = IPPROTO_TCP,
};
static const struct modcat_transport udp = {
    .size = sizeof(struct modcat_transport),
    .family = AF_UNSPEC,
    .socktype = SOCK_DGRAM,
    .protocol = IPPROTO_UDP,
};

static int tls_connect(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    const struct tls_kind *kind = modcat_type_data(opening);
    const char *host = modcat_param(opening, 0);
    if (host[0] == '\0') {
        errno = EINVAL;
        return modcat_fail(opening, "OPENSSL: empty host name");
    }
    return modcat_connect_host(opening, kind->datagrams ? &udp : &tcp, host,
                               modcat_param(opening, 1), endpoint);
}

static int tls_listen(struct modcat_opening *opening, struct modcat_listener *listener)
{
    return modcat_listen_service(opening, &tcp, modcat_param(opening, 0), listener);
}

static int dtls_listen(struct modcat_opening *opening, struct modcat_listener *listener)
{
    return modcat_listen_packets(opening, &udp, modcat_param(opening, 0), listener);
}
