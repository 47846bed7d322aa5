/* Which certificates are for which host: RFC 9525. */

#define _GNU_SOURCE
#include "tests/system/certificates.h"
#include "tests/system/peers.h"

#include <string.h>

/* A certificate, the name that a client expects, and whether that is the certificate's. */
static const struct {
    const char *common_name;
    const char *alternatives;
    const char *expected;
    bool matches;
} names[] = {
    {"x", "DNS:foo.example.org", "foo.example.org", true},
    {"x", "DNS:foo.example.org", "FOO.Example.ORG", true},
    {"x", "DNS:foo.example.org", "foo.example.org.", true},
    {"x", "DNS:foo.example.org", "foo.example.org..", false},
    {"x", "DNS:foo.example.org", "bar.foo.example.org", false},
    {"x", "DNS:foo.example.org", "example.org", false},
    {"x", "DNS:*.example.org", "foo.example.org", true},
    {"x", "DNS:*.example.org", "foo.example.org.", true},
    {"x", "DNS:*.example.org", "a.foo.example.org", false},
    {"x", "DNS:*.example.org", "example.org", false},
    {"x", "DNS:f*.example.org", "foo.example.org", false},
    {"x", "DNS:*o.example.org", "foo.example.org", false},
    {"x", "DNS:f*o.example.org", "foo.example.org", false},
    {"x", "DNS:foo.*.org", "foo.example.org", false},
    {"x", "DNS:*.*.org", "foo.example.org", false},
    {"x", "DNS:*.org", "example.org", false},
    {"x", "DNS:*", "localhost", false},
    {"x", "DNS:*.0.0.1", "127.0.0.1", false},
    {"x", "DNS:127.0.0.1", "127.0.0.1", false},
    {"x", "DNS:xn--bcher-kva.example.org", "xn--bcher-kva.example.org", true},
    {"x", "DNS:xn--b*.example.org", "xn--bcher-kva.example.org", false},
    {"foo.example.org", NULL, "foo.example.org", true},
    {"f*.example.org", NULL, "foo.example.org", false},
    {"foo.example.org", "DNS:bar.example.org", "foo.example.org", false},
    {"foo.example.org", "IP:127.0.0.9", "foo.example.org", true},
    {"x", "IP:127.0.0.1", "127.0.0.1", true},
    {"x", "IP:127.0.0.1", "127.1", true},
    {"x", "IP:127.0.0.2", "127.0.0.1", false},
    {"x", "IP:::1", "[::1]", true},
    {"x", "IP:::1", "[0:0::1]", true},
    {"x", "IP:::1", "::1%lo", true},
    {"x", "IP:::2", "[::1]", false},
    {"[::1]", NULL, "[::1]", true},
    {"::1", NULL, "[::1]", true},
    {"127.0.0.1", NULL, "127.0.0.1", true},
    {"127.0.0.1", "IP:127.0.0.2", "127.0.0.1", false},
    {"127.0.0.1", "DNS:a.example.org", "127.0.0.1", true},
    {"*", NULL, "127.0.0.1", false},
};

static void connect_to(struct harness *harness, unsigned port, size_t row)
{
    struct program *client =
        program_start(harness, "-d", "-d", "/dev/null",
                      text(harness, "OPENSSL:" LOOPBACK ":%u,%s,commonname=\"%s\"", port,
                           certificate_trusted(harness), names[row].expected),
                      NULL);
    int status = program_end(client);
    bool matched = program_has_logged(client, "trusting certificate, commonName matches");
    if (matched != names[row].matches || (status == 0) != matched ||
        (!matched && !program_has_logged(client, "commonName does not match hostname")))
        harness_fail(harness, "a certificate for %s, %s is%s for %s", names[row].common_name,
                     names[row].alternatives != NULL ? names[row].alternatives : "no other name",
                     matched ? "" : " not", names[row].expected);
}

static void a_certificate_is_for_the_names_in_it_and_no_others(void **state)
{
    struct harness *harness = *state;
    certificate_make(harness,
                     &(struct certificate){.name = "ca", .common_name = "ca", .authority = true});
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        certificate_make(harness, &(struct certificate){.name = "server",
                                                        .issuer = "ca",
                                                        .common_name = names[i].common_name,
                                                        .alternatives = names[i].alternatives});
        struct program *server =
            program_start_helper(harness, "-d", "-d",
                                 text(harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",verify=0,%s",
                                      certificate_shown(harness)),
                                 "/dev/null", NULL);
        connect_to(harness, program_port(server), i);
    }
}

static void a_host_in_brackets_is_compared_as_an_address(void **state)
{
    struct harness *harness = *state;
    if (!peer_has_ipv6())
        skip_because("there is no IPv6");
    certificate_make(harness,
                     &(struct certificate){.name = "ca", .common_name = "ca", .authority = true});
    certificate_make(
        harness, &(struct certificate){.name = "server", .issuer = "ca", .common_name = "[::1]"});
    struct program *server = program_start(
        harness, "-d", "-d",
        text(harness, "OPENSSL-LISTEN:0,pf=ip6,bind=[::1],verify=0,%s", certificate_shown(harness)),
        "PIPE", NULL);
    struct program *client = program_start(
        harness, "-t", "10", "STDIO",
        text(harness, "OPENSSL:[::1]:%u,%s", program_port(server), certificate_trusted(harness)),
        NULL);
    program_send(client, "hello");
    program_outputs(client, "hello");
    program_end_input(client);
    program_ends(client, 0);
}

/* The part of it that fits somewhere must not be taken for all of it. */
static void a_long_name_is_compared_as_a_whole(void **state)
{
    struct harness *harness = *state;
    char label[64] = {0};
    memset(label, 'a', 63);
    const char *host = text(harness, "%s.%s.%s.%.62s", label, label, label, label);
    certificate_make(harness,
                     &(struct certificate){.name = "ca", .common_name = "ca", .authority = true});
    certificate_make(harness, &(struct certificate){.name = "server",
                                                    .issuer = "ca",
                                                    .common_name = "x",
                                                    .alternatives = text(harness, "DNS:%s", host)});
    struct program *server =
        program_start(harness, "-d", "-d",
                      text(harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",verify=0,fork,%s",
                           certificate_shown(harness)),
                      "/dev/null", NULL);
    unsigned port = program_port(server);
    const char *const expected[] = {host, text(harness, "%s.evil.example", host)};
    for (int i = 0; i < 2; i++) {
        struct program *client =
            program_start(harness, "/dev/null",
                          text(harness, "OPENSSL:" LOOPBACK ":%u,no-sni,%s,commonname=%s", port,
                               certificate_trusted(harness), expected[i]),
                          NULL);
        program_ends(client, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_certificate_is_for_the_names_in_it_and_no_others),
        SYSTEM_TEST(a_host_in_brackets_is_compared_as_an_address),
        SYSTEM_TEST(a_long_name_is_compared_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
