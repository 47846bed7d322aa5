/* Secrets that stand in the environment: neither programs nor /proc nor messages show them. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define PASSWORD "open-sesame"
#define KEY "me:0badcafe0badcafe"

static int begin(void **state)
{
    setenv("MODCAT_SOCKS_PASSWORD", PASSWORD, 1);
    setenv("SHARED_KEY", KEY, 1);
    setenv("PLAIN", "plainly", 1);
    return harness_begin(state);
}

#define SECRETS_TEST(function) cmocka_unit_test_setup_teardown(function, begin, harness_end)

static void expect_no_secrets(struct harness *harness, const char *where, const char *content,
                              bool key_too)
{
    if (memmem(content, strlen(content), PASSWORD, strlen(PASSWORD)) != NULL ||
        (key_too && strstr(content, KEY) != NULL))
        harness_fail(harness, "%s: shows a secret:\n%s", where, content);
}

/* The whole of /proc/PID/environ, its zeros replaced by ends of lines. */
static char *shown_environment(struct harness *harness, pid_t pid)
{
    static char content[65536];
    int fd = harness_keep(harness,
                          open(text(harness, "/proc/%d/environ", (int)pid), O_RDONLY | O_CLOEXEC));
    size_t length = 0;
    for (ssize_t count; (count = read(fd, content + length, sizeof content - 1 - length)) > 0;)
        length += (size_t)count;
    for (size_t i = 0; i < length; i++)
        content[i] = content[i] == '\0' ? '\n' : content[i];
    content[length] = '\0';
    return content;
}

static const char *const commands[] = {"EXEC:env", "SYSTEM:env", "SHELL:env", "EXEC:env,pipes",
                                       "EXEC:env,pty"};

static void programs_do_not_get_a_password_for_proxies(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(commands); i++) {
        struct program *program = program_start(harness, "-U", "-", commands[i], NULL);
        program_ends(program, 0);
        const char *output = program_output(program, NULL);
        assert_non_null(strstr(output, "PLAIN=plainly"));
        expect_no_secrets(harness, commands[i], output, false);
    }
}

static void a_program_in_place_of_modcat_does_not_get_it_either(void **state)
{
    struct harness *harness = *state;
    struct program *program = program_start(harness, "-U", "-", "EXEC:env,nofork", NULL);
    program_ends(program, 0);
    assert_non_null(strstr(program_output(program, NULL), "PLAIN=plainly"));
    expect_no_secrets(harness, "nofork", program_output(program, NULL), false);
}

/* The program says what it got before the other address is connected. */
static void programs_do_not_get_what_an_address_names_that_is_opened_later(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    peer_listen(harness, LOOPBACK, &port);
    struct program *program = program_start(
        harness, "SYSTEM:env >&2; echo PLAIN=that is all >&2; cat",
        text(harness, "OPENSSL:" LOOPBACK ":%u,verify=0,psk-env=SHARED_KEY", port), NULL);
    program_logs(program, "PLAIN=plainly");
    program_logs(program, "PLAIN=that is all");
    program_signal(program, SIGTERM);
    program_end(program);
    expect_no_secrets(harness, "a program", program_log(program), true);
}

/* Also: the keys go on to work. */
static void programs_do_not_get_what_an_address_names_that_is_opened_before(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(commands); i++) {
        struct program *server = program_start(
            harness, "-d", "-d", "-d", "-d",
            "OPENSSL-LISTEN:0,bind=" LOOPBACK ",verify=0,psk-env=SHARED_KEY", commands[i], NULL);
        unsigned port = program_port(server);
        expect_no_secrets(harness, "/proc/PID/environ",
                          shown_environment(harness, program_pid(server)), true);
        struct program *client = program_start(
            harness, "-d", "-d", "-d", "-d", "-t", "10", "-U", "-",
            text(harness, "OPENSSL:" LOOPBACK ":%u,verify=0,psk-env=SHARED_KEY", port), NULL);
        program_ends(client, 0);
        assert_non_null(strstr(program_output(client, NULL), "PLAIN=plainly"));
        expect_no_secrets(harness, commands[i], program_output(client, NULL), true);
        expect_no_secrets(harness, "log of the client", program_log(client), true);
        program_end(server);
        expect_no_secrets(harness, "log of the server", program_log(server), true);
    }
}

static void a_layer_in_a_dual_address_is_looked_at_too(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program = program_start(
        harness, "-",
        text(harness, "PIPE!!OPENSSL,verify=0,psk-env=SHARED_KEY|TCP:" LOOPBACK ":%u", port), NULL);
    peer_accept(harness, listener);
    expect_no_secrets(harness, "/proc/PID/environ",
                      shown_environment(harness, program_pid(program)), true);
    program_signal(program, SIGTERM);
    program_end(program);
}

/* At the most talkative level. */
static void messages_do_not_show_what_options_hold(void **state)
{
    static const char *const addresses[] = {
        "SOCKS5:" LOOPBACK ":1:name:80,socks-password=" PASSWORD,
        "SOCKS5:name:80,socks-password=" PASSWORD "|TCP:" LOOPBACK ":1",
        "PROXY:" LOOPBACK ":name:80,proxyport=1,proxy-authorization=me:" PASSWORD,
        "PROXY:" LOOPBACK ":name:80,proxyport=1,proxyauth=me:" PASSWORD,
        "PROXY:" LOOPBACK ":name:80,proxyport=1,proxy-auth=me:" PASSWORD,
        "PROXY:" LOOPBACK ":name:80,proxy-auth=me:" PASSWORD ",no-such-option",
        "PROXY:" LOOPBACK ":name:80,no-such-option,proxy-auth=me:" PASSWORD,
        "SOCKS5:name:80,proxy-auth=me:" PASSWORD "|TCP:" LOOPBACK ":1",
        "SOCKS5:" LOOPBACK ":1:name:80,nosuch,socks-password=\"" PASSWORD "\"",
        "SOCKS5:" LOOPBACK ":1:name:80,socks-password=" PASSWORD ",x='",
        "SOCKS5:" LOOPBACK ":1:name:80,socks-password='" PASSWORD,
    };
    struct harness *harness = *state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct program *program =
            program_start(harness, "-d", "-d", "-d", "-d", "-", addresses[i], NULL);
        program_ends(program, 1);
        expect_no_secrets(harness, addresses[i], program_log(program), false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SECRETS_TEST(programs_do_not_get_a_password_for_proxies),
        SECRETS_TEST(a_program_in_place_of_modcat_does_not_get_it_either),
        SECRETS_TEST(programs_do_not_get_what_an_address_names_that_is_opened_later),
        SECRETS_TEST(programs_do_not_get_what_an_address_names_that_is_opened_before),
        SECRETS_TEST(a_layer_in_a_dual_address_is_looked_at_too),
        SECRETS_TEST(messages_do_not_show_what_options_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
