/* The files that TLS takes: keys, certificates, parameters; also where they are pipes. */

#define _GNU_SOURCE
#include "tests/system/certificates.h"
#include "tests/system/peers.h"

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LISTENING "OPENSSL-LISTEN:0,bind=" LOOPBACK ",verify=0"

/* Options that take a file. */
static const char *const options[] = {
    "cert", "key", "cafile", "crl", "dhparam", "psk-file", "passphrase-file",
};

/* Waits until somebody reads the pipe. */
static void open_pipe(struct harness *harness, const char *pipe)
{
    for (long long end = milliseconds() + PATIENCE; milliseconds() < end; poll(NULL, 0, 5)) {
        int fd = open(pipe, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0) {
            harness_keep(harness, fd);
            return;
        }
    }
    harness_fail(harness, "nobody reads %s", pipe);
}

static void a_pipe_that_nobody_fills_holds_up_no_signal(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const char *pipe = path(harness, options[i]);
        assert_int_equal(mkfifo(pipe, 0600), 0);
        struct program *server = program_start(
            harness, "-d", "-d",
            text(harness, LISTENING ",%s,%s=%s", certificate_shown(harness), options[i], pipe),
            "PIPE", NULL);
        open_pipe(harness, pipe);
        program_signal(server, SIGTERM);
        program_ends(server, 128 + SIGTERM);
    }
}

/* Also as the shell makes one: cert=<(command). */
static void a_certificate_and_its_key_may_come_out_of_a_pipe(void **state)
{
    struct harness *harness = *state;
    const char *pipe = path(harness, "pipe");
    certificates_make_usual(harness);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    struct program *server =
        program_start(harness, "-d", "-d", text(harness, LISTENING ",cert=%s", pipe), "PIPE", NULL);
    file_append(harness, pipe, file_read(harness, certificate_path(harness, "server")));
    struct program *client = program_start(harness, "-t", "10", "STDIO",
                                           text(harness, "OPENSSL:" LOOPBACK ":%u,%s",
                                                program_port(server), certificate_trusted(harness)),
                                           NULL);
    program_send(client, "hello");
    program_outputs(client, "hello");
    program_end_input(client);
    program_ends(client, 0);
}

static void shared_keys_with_a_zero_byte_are_refused(void **state)
{
    struct harness *harness = *state;
    static const char keys[] = "alice:00112233\n\0bob:44556677\n";
    const char *name = path(harness, "keys");
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(keys, 1, sizeof keys - 1, file), sizeof keys - 1);
    assert_int_equal(fclose(file), 0);
    struct program *client = program_start(
        harness, text(harness, "OPENSSL:" LOOPBACK ":1,psk-file=%s", name), "STDIO", NULL);
    program_ends_logging(client, 1, " holds a zero byte");
}

/* A safe prime, or an odd number beside it, which is none. */
static const char *write_parameters(struct harness *harness, bool prime)
{
    const char *name = path(harness, "dh.pem");
    BIGNUM *p = BN_get_rfc3526_prime_2048(NULL), *g = BN_new();
    EVP_PKEY *key = NULL;
    BN_set_word(g, 2);
    if (!prime)
        BN_add_word(p, 2);
    assert_int_equal(BN_check_prime(p, NULL, NULL), prime);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_FFC_P, p);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_FFC_G, g);
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEY_PARAMETERS, parameters), 1);
    FILE *file = fopen(name, "w");
    BIO *bio = BIO_new_fp(file, BIO_CLOSE);
    assert_int_equal(PEM_write_bio_Parameters(bio, key), 1);
    BIO_free(bio);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(p);
    BN_free(g);
    return name;
}

/* Its length, of which both it and its half are prime numbers. */
static int strength_of(EVP_PKEY *key)
{
    BIGNUM *p = NULL, *half = BN_new();
    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_FFC_P, &p), 1);
    BN_rshift1(half, p);
    bool safe = BN_check_prime(p, NULL, NULL) == 1 && BN_check_prime(half, NULL, NULL) == 1;
    int bits = safe ? BN_num_bits(p) : 0;
    BN_free(p);
    BN_free(half);
    return bits;
}

static int agreed_strength(struct harness *harness, const char *more)
{
    struct program *server = program_start(
        harness, "-d", "-d",
        text(harness, LISTENING ",%s,max-version=TLS1.2%s", certificate_shown(harness), more),
        "PIPE", NULL);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    EVP_PKEY *theirs = NULL;
    assert_int_equal(SSL_CTX_set_cipher_list(context, "kDHE:@SECLEVEL=0"), 1);
    SSL *tls = SSL_new(context);
    SSL_set_fd(tls, peer_connect(harness, LOOPBACK, program_port(server)));
    int bits = 0;
    if (SSL_connect(tls) == 1 && SSL_get_peer_tmp_key(tls, &theirs))
        bits = strength_of(theirs);
    EVP_PKEY_free(theirs);
    SSL_free(tls);
    SSL_CTX_free(context);
    return bits;
}

/* socat's own modulus had 1024 bits and was not prime. */
static void cve_2016_2217_the_modulus_of_diffie_hellman_is_a_long_prime(void **state)
{
    struct harness *harness = *state;
    certificate_make(
        harness, &(struct certificate){.name = "server", .common_name = "localhost", .rsa = true});
    assert_true(agreed_strength(harness, "") >= 2048);
    assert_true(agreed_strength(harness, text(harness, ",dhparam=%s",
                                              write_parameters(harness, true))) >= 2048);
    struct program *server =
        program_start(harness,
                      text(harness, LISTENING ",%s,dhparam=%s", certificate_shown(harness),
                           write_parameters(harness, false)),
                      "PIPE", NULL);
    program_ends_logging(server, 1, "its modulus is not a prime number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_pipe_that_nobody_fills_holds_up_no_signal),
        SYSTEM_TEST(a_certificate_and_its_key_may_come_out_of_a_pipe),
        SYSTEM_TEST(shared_keys_with_a_zero_byte_are_refused),
        SYSTEM_TEST(cve_2016_2217_the_modulus_of_diffie_hellman_is_a_long_prime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
