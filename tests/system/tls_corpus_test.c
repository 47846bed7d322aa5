/* Certificates of every kind, shown by servers to clients and by clients to servers: which are
 * trusted, and what is said about the others. */

#define _GNU_SOURCE
#include "tests/system/certificates.h"
#include "tests/system/peers.h"

#include <string.h>

#define NAMES "DNS:localhost,IP:127.0.0.1,IP:::1"

/* A certificate and what a peer must say that connects to `host`; NULL: it is trusted. */
struct specimen {
    struct certificate certificate;
    const char *host;
    const char *complaint;
};

static const struct specimen servers[] = {
    {{.name = "fine", .issuer = "ca", .common_name = "x", .alternatives = NAMES},
     "localhost",
     NULL},
    {{.name = "expired", .issuer = "ca", .alternatives = NAMES, .from_day = -9, .to_day = -2},
     "localhost",
     "certificate has expired (depth 0, *); expected name: \"localhost\"; the certificate's names: "
     "DNS:localhost, IP:127.0.0.1, IP:::1"},
    {{.name = "early", .issuer = "ca", .alternatives = NAMES, .from_day = 2, .to_day = 9},
     "localhost",
     "certificate is not yet valid (depth 0"},
    {{.name = "other", .issuer = "ca", .common_name = "x", .alternatives = "DNS:other.example"},
     "localhost",
     "does not match hostname \"localhost\"; the certificate's names: DNS:other.example, CN:x"},
    {{.name = "wild", .issuer = "ca", .alternatives = "DNS:*.example.org"},
     "127.0.0.1,cn=www.example.org",
     NULL},
    {{.name = "deep", .issuer = "ca", .alternatives = "DNS:*.example.org"},
     "127.0.0.1,cn=a.b.example.org",
     "does not match hostname \"a.b.example.org\""},
    {{.name = "bare", .issuer = "ca", .alternatives = "DNS:*.example.org"},
     "127.0.0.1,cn=example.org",
     "does not match hostname \"example.org\""},
    {{.name = "ip4", .issuer = "ca", .alternatives = "IP:127.0.0.1"}, "127.0.0.1", NULL},
    {{.name = "ip4b", .issuer = "ca", .alternatives = "IP:127.0.0.2"},
     "127.0.0.1",
     "does not match hostname \"127.0.0.1\"; the certificate's names: IP:127.0.0.2"},
    {{.name = "ip4c", .issuer = "ca", .alternatives = "DNS:127.0.0.1"},
     "127.0.0.1",
     "does not match hostname \"127.0.0.1\""},
    {{.name = "ip6", .issuer = "ca", .alternatives = "IP:2001:db8::1"},
     "127.0.0.1,cn=[2001:db8::1]",
     NULL},
    {{.name = "ip6b", .issuer = "ca", .alternatives = "IP:2001:db8::1"},
     "127.0.0.1,cn=2001:db8:0::2",
     "does not match hostname \"2001:db8:0::2\""},
    {{.name = "plain", .issuer = "ca", .common_name = "localhost"}, "localhost", NULL},
    {{.name = "hidden", .issuer = "ca", .common_name = "localhost", .alternatives = "DNS:x"},
     "localhost",
     "does not match hostname \"localhost\"; the certificate's names: DNS:x, CN:localhost"},
    {{.name = "nobody", .issuer = "ca"},
     "localhost",
     "does not match hostname \"localhost\"; the certificate's names: none"},
    {{.name = "empty", .issuer = "ca", .alternatives = NAMES}, "localhost", NULL},
    {{.name = "anyone", .issuer = "ca", .common_name = "x"}, "localhost,commonname=", NULL},
    {{.name = "self", .common_name = "localhost", .alternatives = NAMES},
     "localhost",
     "self-signed certificate (depth 0, \"CN = localhost\")"},
    {{.name = "client", .issuer = "ca", .alternatives = NAMES, .usage = "clientAuth"},
     "localhost",
     "unsuitable certificate purpose (depth 0"},
    {{.name = "revoked", .issuer = "ca", .alternatives = NAMES},
     "localhost",
     "certificate revoked (depth 0"},
};

static const struct specimen clients[] = {
    {{.name = "fine", .issuer = "ca", .common_name = "x"}, "", NULL},
    {{.name = "expired", .issuer = "ca", .common_name = "x", .from_day = -9, .to_day = -2},
     "",
     "certificate has expired (depth 0, \"CN = x\"); expected name: any"},
    {{.name = "early", .issuer = "ca", .from_day = 2, .to_day = 9},
     "",
     "certificate is not yet valid (depth 0"},
    {{.name = "wanted", .issuer = "ca", .common_name = "friend"}, ",cn=friend", NULL},
    {{.name = "wrong", .issuer = "ca", .common_name = "foe"},
     ",cn=friend",
     "does not match hostname \"friend\"; the certificate's names: CN:foe"},
    {{.name = "wild", .issuer = "ca", .alternatives = "DNS:*.example.org"},
     ",cn=www.example.org",
     NULL},
    {{.name = "ip4", .issuer = "ca", .alternatives = "IP:127.0.0.1"}, ",cn=127.0.0.1", NULL},
    {{.name = "ip6", .issuer = "ca", .alternatives = "IP:::1"}, ",cn=::1", NULL},
    {{.name = "empty", .issuer = "ca"}, "", NULL},
    {{.name = "self", .common_name = "x"}, "", "self-signed certificate (depth 0, \"CN = x\")"},
    {{.name = "server", .issuer = "ca", .common_name = "x", .usage = "serverAuth"},
     "",
     "unsuitable certificate purpose (depth 0"},
    {{.name = "revoked", .issuer = "ca", .common_name = "x"}, "", "certificate revoked (depth 0"},
};

static void make_authority(struct harness *harness)
{
    certificate_make(harness,
                     &(struct certificate){.name = "ca", .common_name = "ca", .authority = true});
    certificate_make(harness,
                     &(struct certificate){.name = "usual", .issuer = "ca", .alternatives = NAMES});
}

static bool is_revoked(const struct specimen *specimen)
{
    return strcmp(specimen->certificate.name, "revoked") == 0;
}

/* The options with which a certificate is judged. */
static const char *judge(struct harness *harness, const struct specimen *specimen)
{
    const char *revoked = is_revoked(specimen) ? "revoked" : NULL;
    return text(harness, "cafile=%s,crl=%s", certificate_path(harness, "ca"),
                certificate_revoke(harness, "ca", revoked));
}

static void expect(struct harness *harness, struct program *program,
                   const struct specimen *specimen)
{
    if (specimen->complaint == NULL) {
        program_logs(program, " N trusting certificate, ");
        program_logs(program, " N SSL connection using ");
        return;
    }
    program_logs(program, text(harness, " E OPENSSL*%s", specimen->complaint));
    program_ends(program, 1);
}

static void show_as_server(struct harness *harness, const struct specimen *specimen)
{
    certificate_make(harness, &specimen->certificate);
    const char *file = certificate_path(harness, specimen->certificate.name);
    struct program *server = program_start(
        harness, "-d", "-d",
        text(harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",verify=0,cert=%s", file), "PIPE", NULL);
    unsigned port = program_port(server);
    const char *comma = strchr(specimen->host, ',');
    int length = comma != NULL ? (int)(comma - specimen->host) : (int)strlen(specimen->host);
    struct program *client =
        program_start(harness, "-d", "-d", "-4",
                      text(harness, "OPENSSL:%.*s:%u,%s%s", length, specimen->host, port,
                           judge(harness, specimen), comma != NULL ? comma : ""),
                      "STDIO", NULL);
    expect(harness, client, specimen);
    if (specimen->complaint != NULL) {
        assert_string_equal(program_output(client, NULL), "");
        return;
    }
    program_send(client, "to a friend");
    program_outputs(client, "to a friend");
    program_end_input(client);
    program_ends(client, 0);
    program_ends(server, 0);
}

static void show_as_client(struct harness *harness, const struct specimen *specimen)
{
    certificate_make(harness, &specimen->certificate);
    const char *file = certificate_path(harness, specimen->certificate.name);
    const char *usual = certificate_path(harness, "usual");
    struct program *server =
        program_start(harness, "-d", "-d",
                      text(harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",cert=%s,%s%s", usual,
                           judge(harness, specimen), specimen->host),
                      "STDIO", NULL);
    struct program *client =
        program_start(harness, "-d", "-d",
                      text(harness, "OPENSSL:" LOOPBACK ":%u,cafile=%s,cert=%s",
                           program_port(server), certificate_path(harness, "ca"), file),
                      "STDIO", NULL);
    program_send(client, "secret");
    expect(harness, server, specimen);
    if (specimen->complaint != NULL) {
        assert_string_equal(program_output(server, NULL), "");
        program_end_input(client);
        program_end(client);
        return;
    }
    program_outputs(server, "secret");
    program_end_input(client);
    program_end_input(server);
    program_ends(client, 0);
    program_ends(server, 0);
}

static void clients_judge_the_certificates_of_servers(void **state)
{
    make_authority(*state);
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++)
        show_as_server(*state, &servers[i]);
}

static void servers_judge_the_certificates_of_clients(void **state)
{
    make_authority(*state);
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++)
        show_as_client(*state, &clients[i]);
}

static void a_server_that_verifies_wants_a_certificate(void **state)
{
    struct harness *harness = *state;
    const struct specimen none = {.certificate.name = "none",
                                  .complaint = "peer did not return a certificate"};
    make_authority(harness);
    struct program *server =
        program_start(harness, "-d", "-d",
                      text(harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",cert=%s,%s",
                           certificate_path(harness, "usual"), judge(harness, &none)),
                      "PIPE", NULL);
    program_start(harness,
                  text(harness, "OPENSSL:" LOOPBACK ":%u,cafile=%s", program_port(server),
                       certificate_path(harness, "ca")),
                  "STDIO", NULL);
    expect(harness, server, &none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(clients_judge_the_certificates_of_servers),
        SYSTEM_TEST(servers_judge_the_certificates_of_clients),
        SYSTEM_TEST(a_server_that_verifies_wants_a_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
