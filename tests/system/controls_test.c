/* What peers call themselves, and what they say in handshakes, steers no terminal: control
 * characters of ASCII, C1 and its form in UTF-8 reach neither logs nor the environment. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <signal.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define STEERING "\033[31m\302\23331m\23331m\177\342\200\256"

static void expect_plain(struct harness *harness, const char *where, const char *content)
{
    static const char *const steering[] = {"\033", "\302\233", "\233", "\177", "\342\200\256"};
    for (size_t i = 0; i < COUNT(steering); i++)
        if (strstr(content, steering[i]) != NULL)
            harness_fail(harness, "%s: control character %zu in \"%s\"", where, i, content);
}

/* The environment of the program goes to the log, too. */
static void the_path_of_a_unix_peer_steers_no_terminal(void **state)
{
    struct harness *harness = *state;
    const char *server = path(harness, "server"), *log = path(harness, "log");
    for (int to_file = 0; to_file < 2; to_file++) {
        const char *peer = path(harness, to_file ? "p2" STEERING : "p" STEERING);
        struct program *program = program_start(
            harness, "-d", "-d", "-d", "-d", to_file ? text(harness, "-lf%s", log) : "-ls",
            text(harness, "UNIX-LISTEN:%s", server), "SYSTEM:env >&2", NULL);
        while (!file_exists(server))
            ;
        program_end(program_start_helper(harness, "-u", "/dev/null",
                                         text(harness,
                                              "UNIX-CONNECT:%s,bind=%s,retry=50,"
                                              "interval=0.1",
                                              server, text(harness, "'%s'", peer)),
                                         NULL));
        program_ends(program, 0);
        assert_non_null(strstr(program_log(program), "MODCAT_PEERADDR="));
        expect_plain(harness, "environment and messages", program_log(program));
        if (to_file)
            expect_plain(harness, "file", file_read(harness, log));
    }
}

static void what_a_proxy_says_steers_no_terminal(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-d", "-d", "-d", "-d", "-",
                      text(harness, "PROXY:" LOOPBACK ":h:80,proxyport=%u", port), NULL);
    int proxy = peer_accept(harness, listener);
    peer_send(harness, proxy,
              "HTTP/1.0 403 " STEERING "\r\nX-Header: " STEERING "\r\n\r\n" STEERING);
    program_ends(program, 1);
    assert_non_null(strstr(program_log(program), "(status 403)"));
    expect_plain(harness, "messages", program_log(program));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(the_path_of_a_unix_peer_steers_no_terminal),
        SYSTEM_TEST(what_a_proxy_says_steers_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
