/* Layers on top of addresses: what `|` means and where, and what is said when it goes wrong. */

#define _GNU_SOURCE
#include "tests/system/certificates.h"
#include "tests/system/peers.h"
#include "tests/system/proxies.h"

#include <stdlib.h>
#include <string.h>

#define TLS_SERVER "OPENSSL-LISTEN:0,bind=" LOOPBACK

static const char *server_options(struct harness *harness)
{
    return text(harness, "verify=0,cert=%s", certificate_path(harness, "server"));
}

/* One line there and back. */
static void echo(struct harness *harness, const char *address)
{
    struct program *client = program_start(harness, "-d", "-d", "-t", "10", "STDIO", address, NULL);
    program_send(client, "hello");
    program_outputs(client, "hello");
    program_end_input(client);
    program_ends(client, 0);
}

static void a_layer_stands_on_a_connecting_and_on_a_listening_address(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    struct program *server = program_start(
        harness, "-d", "-d",
        text(harness, "OPENSSL,%s|TCP-LISTEN:0,fork,bind=" LOOPBACK, server_options(harness)),
        "PIPE", NULL);
    unsigned port = program_port(server);
    echo(harness,
         text(harness, "OPENSSL,%s|TCP:" LOOPBACK ":%u", certificate_trusted(harness), port));
    echo(harness, text(harness, "OPENSSL:" LOOPBACK ":%u,%s", port, certificate_trusted(harness)));
    echo(harness, text(harness, "openssl-connect:localhost,%s|tcp:" LOOPBACK ":%u",
                       certificate_trusted(harness), port));
}

static void options_of_the_stack_may_stand_on_any_level(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    struct program *server =
        program_start(harness, "-d", "-d",
                      text(harness, "OPENSSL,fork,max-children=3,%s|TCP-LISTEN:0,bind=" LOOPBACK,
                           server_options(harness)),
                      "PIPE", NULL);
    unsigned port = program_port(server);
    for (int i = 0; i < 2; i++)
        echo(harness, text(harness, "OPENSSL,%s|TCP:" LOOPBACK ":%u,crnl",
                           certificate_trusted(harness), port));
}

static void the_name_to_expect_comes_from_below(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    certificate_make(
        harness,
        &(struct certificate){.name = "far", .issuer = "ca", .alternatives = "DNS:far.example"});
    struct program *server =
        program_start(harness, "-d", "-d",
                      text(harness, "OPENSSL,verify=0,cert=%s|TCP-LISTEN:0,fork,bind=" LOOPBACK,
                           certificate_path(harness, "far")),
                      "PIPE", NULL);
    unsigned port = program_port(server);
    struct program *client = program_start(
        harness, "STDIO",
        text(harness, "OPENSSL,%s|TCP:" LOOPBACK ":%u", certificate_trusted(harness), port), NULL);
    program_ends_logging(client, 1, " E OPENSSL: *does not match hostname \"" LOOPBACK "\"");
    echo(harness, text(harness, "OPENSSL:far.example:443,%s|TCP:" LOOPBACK ":%u",
                       certificate_trusted(harness), port));
    echo(harness, text(harness, "OPENSSL,cn=far.example,%s|TCP:" LOOPBACK ":%u",
                       certificate_trusted(harness), port));
}

static void a_layer_over_standard_streams_sees_their_end(void **state)
{
    struct harness *harness = *state;
    struct program *client =
        program_start(harness, "-d", "-d", "OPENSSL,cn=localhost|STDIO", "/dev/null", NULL);
    program_logs(client, " N reading from and writing to stdio");
    program_end_input(client);
    program_ends_logging(
        client, 1,
        " E OPENSSL: cannot complete the TLS handshake: the peer closed the connection during");
}

static void two_programs_speak_tls_over_their_standard_streams(void **state)
{
    struct harness *harness = *state;
    int wire[2];
    certificates_make_usual(harness);
    peer_pair(harness, wire);
    const char *const serving[] = {
        "-t", "10", text(harness, "OPENSSL-LISTEN,%s|STDIO", server_options(harness)), "PIPE",
        NULL};
    const char *const asking[] = {
        "-t", "10", text(harness, "OPENSSL,cn=localhost,%s|FD:3", certificate_trusted(harness)),
        "STDIO", NULL};
    struct program *server = program_launch(
        harness, &(struct launch){.arguments = serving, .in = wire[0], .out = wire[0]});
    struct program *client =
        program_launch(harness, &(struct launch){.arguments = asking, .extra = wire[1]});
    program_send(client, "hello");
    program_outputs(client, "hello");
    program_end_input(client);
    program_signal(client, 15);
    program_end(client);
    program_signal(server, 15);
    program_end(server);
}

static void a_bar_is_an_ordinary_character_in_other_addresses(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "a|b");
    file_write(harness, file, "content");
    struct program *program =
        program_start(harness, "-u", text(harness, "OPEN:%s", file), "STDOUT", NULL);
    program_outputs(program, "content");
    program_ends(program, 0);
    program = program_start(harness, "-u", file, "STDOUT", NULL);
    program_outputs(program, "content");
    program_ends(program, 0);
}

static void a_quoted_bar_belongs_to_the_layers_option(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    const char *options = certificate_trusted(harness);
    const char *place = strstr(options, "ca.pem");
    file_write(harness, path(harness, "ca|b.pem"),
               file_read(harness, certificate_path(harness, "ca")));
    const char *quoted = text(harness, "%.*s'ca|b.pem'", (int)(place - options), options);
    struct program *server = program_start(
        harness, "-d", "-d", text(harness, "%s,fork,%s", TLS_SERVER, server_options(harness)),
        "PIPE", NULL);
    echo(harness, text(harness, "OPENSSL,%s|TCP:" LOOPBACK ":%u", quoted, program_port(server)));
}

/* A layer of somebody else: letters are turned by 13 places. */
static const char turning_layer[] =
    "#include <ctype.h>\n"
    "#include <modcat/layer.h>\n"
    "static void turn(char *text, ssize_t length) {\n"
    "    for (ssize_t i = 0; i < length; i++)\n"
    "        if (islower((unsigned char)text[i]))\n"
    "            text[i] = (char)('a' + (text[i] - 'a' + 13) % 26);\n"
    "}\n"
    "static ssize_t turn_read(struct modcat_endpoint *endpoint, void *buffer, size_t length) {\n"
    "    ssize_t count = modcat_lower_read(endpoint->state, buffer, length);\n"
    "    turn(buffer, count);\n"
    "    return count;\n"
    "}\n"
    "static ssize_t turn_write(struct modcat_endpoint *endpoint, const void *data, size_t length) "
    "{\n"
    "    char copy = *(const char *)data;\n"
    "    turn(&copy, length > 0);\n"
    "    return modcat_lower_write(endpoint->state, &copy, length > 0);\n"
    "}\n"
    "static int turn_shutdown(struct modcat_endpoint *endpoint) {\n"
    "    return modcat_lower_shutdown(endpoint->state);\n"
    "}\n"
    "static const struct modcat_endpoint_ops ops = {.size = sizeof ops, .read = turn_read,\n"
    "    .write = turn_write, .shutdown = turn_shutdown};\n"
    "static int turn_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,\n"
    "                     struct modcat_endpoint *endpoint) {\n"
    "    if (modcat_param(opening, 0) != NULL)\n"
    "        return modcat_fail(opening, \"no turning %s\", modcat_param(opening, 0));\n"
    "    endpoint->ops = &ops;\n"
    "    endpoint->state = lower;\n"
    "    return 0;\n"
    "}\n"
    "static const struct modcat_address_type types[] = {{.name = \"TURN\", .groups = \"FD\",\n"
    "    .help = \"turn letters\", .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE, .wrap = "
    "turn_wrap,\n"
    "    .layer_max_params = 1, .layer_syntax = \"[:<why>]\"}};\n"
    "MODCAT_DRIVER(.name = \"turn\", .version = \"1\", .summary = \"letters\",\n"
    "              MODCAT_TYPES(types));\n";

static void build_turning_layer(struct harness *harness)
{
    const char *source = path(harness, "turn.c"), *object = path(harness, "turn.so");
    const char *headers = getenv("srcdir");
    file_write(harness, source, turning_layer);
    const char *const compile[] = {"-shared",
                                   "-fPIC",
                                   "-fvisibility=hidden",
                                   "-I",
                                   text(harness, "%s/include", headers != NULL ? headers : "."),
                                   source,
                                   "-o",
                                   object,
                                   NULL};
    program_ends(program_launch(harness, &(struct launch){.program = "cc", .arguments = compile}),
                 0);
    struct program *describe = program_start(harness, "--describe-driver", object, NULL);
    program_ends(describe, 0);
    file_write(harness, path(harness, "turn.driver"), program_output(describe, NULL));
}

static void somebody_elses_layer_is_loaded_and_put_on(void **state)
{
    struct harness *harness = *state;
    int wire[2];
    build_turning_layer(harness);
    peer_pair(harness, wire);
    const char *folder = path(harness, ".");
    const char *const arguments[] = {"--driver-path", folder,      "-d", "-d",
                                     "STDIO",         "TURN|FD:3", NULL};
    struct program *program =
        program_launch(harness, &(struct launch){.arguments = arguments, .extra = wire[1]});
    program_send(program, "hello");
    peer_receives(harness, wire[0], "uryyb");
    peer_send(harness, wire[0], "nqvrh");
    program_outputs(program, "adieu");
    program = program_start(harness, "--driver-path", folder, "TURN:back|PIPE", "STDIO", NULL);
    program_ends_logging(program, 1, " E TURN: no turning back");
    program = program_start(harness, "--driver-path", folder, "TURN", "STDIO", NULL);
    program_ends_logging(
        program, 1,
        " E TURN is a layer and stands on top of an address: usage: TURN[:<why>]|<address>");
    program = program_start(harness, "--driver-path", folder, "TURN|TURN|TURN|PIPE", "STDIO", NULL);
    program_send(program, "hello");
    program_outputs(program, "hello");
}

/* Whether this build has an address type; others are said to need a driver. */
static bool is_built(struct harness *harness, const char *type)
{
    struct program *help = program_start(harness, "-hh", NULL);
    program_end(help);
    return strstr(program_output(help, NULL), text(harness, "      %s", type)) != NULL;
}

/* Stacks over a SOCKS server (#S) to a server of TLS (#T). */
static const char *const ways[] = {
    "OPENSSL:" LOOPBACK ":#T,CA|SOCKS5:" LOOPBACK ":#S|TCP:" LOOPBACK ":#S",
    "OPENSSL:" LOOPBACK ":#T,CA|SOCKS5|TCP:" LOOPBACK ":#S",
    "OPENSSL,CA|SOCKS5:" LOOPBACK ":#T|TCP:" LOOPBACK ":#S",
    "OPENSSL,CA|SOCKS5:" LOOPBACK ":#S:" LOOPBACK ":#T",
    "OPENSSL:" LOOPBACK ":#T,CA|SOCKS5:" LOOPBACK ":#S|SOCKS5:" LOOPBACK ":#S|TCP:" LOOPBACK ":#S",
    "OPENSSL,CA|SOCKS5:" LOOPBACK ":#T|SOCKS5:" LOOPBACK ":#S|TCP:" LOOPBACK ":#S",
};

static const char *replaced(struct harness *harness, const char *in, const char *word,
                            const char *by)
{
    const char *place = strstr(in, word);
    if (place == NULL)
        return in;
    const char *rest = replaced(harness, place + strlen(word), word, by);
    return text(harness, "%.*s%s%s", (int)(place - in), in, by, rest);
}

static void a_proxy_reaches_what_the_layer_above_names(void **state)
{
    struct harness *harness = *state;
    const char *socks = text(harness, "%u", microsocks_start(harness, NULL, NULL));
    certificates_make_usual(harness);
    struct program *server = program_start(
        harness, "-d", "-d", text(harness, "%s,fork,%s", TLS_SERVER, server_options(harness)),
        "PIPE", NULL);
    const char *port = text(harness, "%u", program_port(server));
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const char *way = replaced(harness, ways[i], "#T", port);
        echo(harness, replaced(harness, replaced(harness, way, "#S", socks), "CA",
                               certificate_trusted(harness)));
    }
}

static void tls_runs_over_unix_sockets(void **state)
{
    struct harness *harness = *state;
    if (!is_built(harness, "UNIX-LISTEN"))
        skip_because("UNIX-LISTEN is not built");
    unsigned plain_port;
    const char *entry = path(harness, "socket");
    certificates_make_usual(harness);
    int listener = peer_listen(harness, LOOPBACK, &plain_port);
    struct program *server =
        program_start(harness, "-d", "-d", "-t", "10",
                      text(harness, "OPENSSL,%s|UNIX-LISTEN:%s", server_options(harness), entry),
                      text(harness, "TCP:" LOOPBACK ":%u", plain_port), NULL);
    program_logs(server, " N listening on ");
    struct program *client = program_start(
        harness, "-d", "-d", "-t", "10", "TCP-LISTEN:0,bind=" LOOPBACK,
        text(harness, "OPENSSL,cn=localhost,%s|UNIX:%s", certificate_trusted(harness), entry),
        NULL);
    int left = peer_connect(harness, LOOPBACK, program_port(client));
    int right = peer_accept(harness, listener);
    struct flow flows[] = {
        {.write_fd = left, .read_fd = right, .seed = 1, .length = (size_t)64 << 20},
        {.write_fd = right, .read_fd = left, .seed = 2, .length = (size_t)64 << 20},
    };
    flows_run(harness, flows, 2);
    program_ends(client, 0);
    program_ends(server, 0);
}

static void dtls_runs_over_udp_addresses(void **state)
{
    struct harness *harness = *state;
    if (!is_built(harness, "UDP-LISTEN"))
        skip_because("UDP-LISTEN is not built");
    certificates_make_usual(harness);
    struct program *server = program_start(
        harness, "-d", "-d",
        text(harness, "DTLS-SERVER,%s|UDP-LISTEN:0,fork,bind=" LOOPBACK, server_options(harness)),
        "PIPE", NULL);
    unsigned port = program_port(server);
    for (int round = 0; round < 2; round++)
        echo(harness,
             text(harness, "DTLS,%s|UDP:" LOOPBACK ":%u", certificate_trusted(harness), port));
}

static void tls_runs_over_the_pipes_of_a_program(void **state)
{
    struct harness *harness = *state;
    if (!is_built(harness, "EXEC"))
        skip_because("EXEC is not built");
    certificates_make_usual(harness);
    struct program *server = program_start(
        harness, "-d", "-d", text(harness, "%s,fork,%s", TLS_SERVER, server_options(harness)),
        "PIPE", NULL);
    const char *below = text(harness, "EXEC:'%s - TCP:" LOOPBACK ":%u'",
                             program_word(harness, program_file()), program_port(server));
    echo(harness, text(harness, "OPENSSL,cn=localhost,%s|%s", certificate_trusted(harness), below));
    echo(harness,
         text(harness, "OPENSSL,cn=localhost,%s|%s,pipes", certificate_trusted(harness), below));
}

static void programs_learn_who_the_peer_is(void **state)
{
    struct harness *harness = *state;
    if (!is_built(harness, "SYSTEM"))
        skip_because("SYSTEM is not built");
    certificates_make_usual(harness);
    certificate_make(harness, &(struct certificate){.name = "client",
                                                    .issuer = "ca",
                                                    .common_name = "friend",
                                                    .organization = "Acme",
                                                    .alternatives = "DNS:a.example,DNS:b.example"});
    struct program *server =
        program_start(harness, "-d", "-d",
                      text(harness, "%s,cert=%s,%s", TLS_SERVER,
                           certificate_path(harness, "server"), certificate_trusted(harness)),
                      "SYSTEM:'echo \"$SOCAT_OPENSSL_X509_SUBJECT|$MODCAT_OPENSSL_X509_ISSUER|"
                      "$SOCAT_OPENSSL_X509_COMMONNAME|$SOCAT_OPENSSL_X509V3_SUBJECTALTNAME_DNS|"
                      "$SOCAT_OPENSSL_PROTO_VERSION\"'",
                      NULL);
    struct program *client =
        program_start(harness, "-u",
                      text(harness, "OPENSSL:" LOOPBACK ":%u,cert=%s,%s", program_port(server),
                           certificate_path(harness, "client"), certificate_trusted(harness)),
                      "STDOUT", NULL);
    program_outputs(client,
                    "O = Acme, CN = friend|CN = ca|friend|a.example // b.example|TLSv1.3\n");
}

static void works_when_every_byte_comes_alone(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    struct program *server = program_start(
        harness, "-d", "-d", text(harness, "%s,fork,%s", TLS_SERVER, server_options(harness)),
        "PIPE", NULL);
    struct program *slow = program_start(
        harness, "-d", "-d", "-b", "1", "-t", "10", "TCP-LISTEN:0,fork,nodelay,bind=" LOOPBACK,
        text(harness, "TCP:" LOOPBACK ":%u,nodelay", program_port(server)), NULL);
    echo(harness, text(harness, "OPENSSL:localhost:%u,%s", program_port(slow),
                       certificate_trusted(harness)));
}

static const struct {
    const char *address;
    const char *message;
} mistakes[] = {
    {"OPENSSL|", " E nothing stands below the layer OPENSSL"},
    {"OPENSSL||TCP:a:1", " E unknown device/address \"|TCP\""},
    {"OPENSSLL|TCP:a:1", " E unknown layer \"OPENSSLL\"; did you mean \"OPENSSL\"?"},
    {"TCP|TCP:a:1", " E \"TCP\" is no layer"},
    {"OPENSSL|NOPE:1", " E unknown device/address \"NOPE\""},
    {"OPENSSL:a:b:c|TCP:a:1",
     " E OPENSSL: wrong number of parameters (3 instead of 0 to 2): usage: "
     "OPENSSL[:<host>[:<port>]]|<address>"},
    {"OPENSSL-LISTEN:1|TCP-LISTEN:0", " E OPENSSL-LISTEN: wrong number of parameters"},
    {"OPENSSL,nodelay|TCP:a:1", " E *option \"nodelay\" not supported with this address type"},
    {"OPENSSL|TCP:a:1,cafile=x", " E *option \"cafile\" not supported with this address type"},
    {"OPENSSL|TCP:a", " E TCP: wrong number of parameters (1 instead of 2)"},
    {"OPENSSL|STDOUT", " E OPENSSL: STDOUT below it is write-only"},
    {"OPENSSL,max-children=3|TCP-LISTEN:0",
     " E option max-children not allowed without option fork"},
};

static void a_mistake_in_a_stack_is_named(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct program *program =
            program_start(harness, "-d", "-d", mistakes[i].address, "/dev/null", NULL);
        program_ends_logging(program, 1, mistakes[i].message);
        assert_false(program_has_logged(program, "opening connection"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_layer_stands_on_a_connecting_and_on_a_listening_address),
        SYSTEM_TEST(options_of_the_stack_may_stand_on_any_level),
        SYSTEM_TEST(the_name_to_expect_comes_from_below),
        SYSTEM_TEST(a_layer_over_standard_streams_sees_their_end),
        SYSTEM_TEST(two_programs_speak_tls_over_their_standard_streams),
        SYSTEM_TEST(a_bar_is_an_ordinary_character_in_other_addresses),
        SYSTEM_TEST(a_quoted_bar_belongs_to_the_layers_option),
        SYSTEM_TEST(somebody_elses_layer_is_loaded_and_put_on),
        SYSTEM_TEST(a_proxy_reaches_what_the_layer_above_names),
        SYSTEM_TEST(tls_runs_over_unix_sockets),
        SYSTEM_TEST(dtls_runs_over_udp_addresses),
        SYSTEM_TEST(tls_runs_over_the_pipes_of_a_program),
        SYSTEM_TEST(programs_learn_who_the_peer_is),
        SYSTEM_TEST(works_when_every_byte_comes_alone),
        SYSTEM_TEST(a_mistake_in_a_stack_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
