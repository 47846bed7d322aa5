/* Secrets are wiped from memory as soon as they are not needed any more: a process that has been
 * let in by a proxy, has read a key, or serves a peer, holds none. */

#define _GNU_SOURCE
#include "tests/system/certificates.h"
#include "tests/system/proxies.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BYTES(text) (text), sizeof(text) - 1

#define PASSWORD "Vq7-open-sesame-tZ"
#define LOGIN "me:" PASSWORD
#define ENCODED "bWU6VnE3LW9wZW4tc2VzYW1lLXRa"
#define KEY "0badcafe7e57ab1e0badcafe7e57ab1e"

#define SERVING "OPENSSL-LISTEN:0,bind=" LOOPBACK ",fork,verify=0"

static const char *const secrets[] = {PASSWORD, ENCODED, KEY, NULL};

/* One range of a process's memory, as a line of /proc/PID/maps has it. */
struct region {
    uintptr_t start, end;
    char access[5];
    char name[64];
};

static void look_at(struct harness *harness, int memory_fd, const struct region *region, pid_t pid)
{
    size_t length = region->end - region->start;
    char *content = malloc(length);
    assert_non_null(content);
    ssize_t count = pread(memory_fd, content, length, (off_t)region->start);
    for (const char *const *secret = secrets; count > 0 && *secret != NULL; secret++)
        if (memmem(content, (size_t)count, *secret, strlen(*secret)) != NULL) {
            free(content);
            harness_fail(harness, "process %d holds %s in its memory, in %s", (int)pid, *secret,
                         region->name[0] != '\0' ? region->name : "an unnamed part");
        }
    free(content);
}

/* All that the process can write to. */
static void holds_no_secrets(struct harness *harness, pid_t pid)
{
    char line[512];
    if (SANITIZED)
        skip_because("the sanitizers' memory is too large to be read");
    FILE *maps = fopen(text(harness, "/proc/%d/maps", (int)pid), "re");
    int memory_fd = open(text(harness, "/proc/%d/mem", (int)pid), O_RDONLY | O_CLOEXEC);
    if (memory_fd < 0 && (errno == EACCES || errno == EPERM))
        skip_because("the memory of other processes can't be read here");
    assert_true(maps != NULL && memory_fd >= 0);
    harness_keep(harness, memory_fd);
    while (fgets(line, sizeof line, maps) != NULL) {
        struct region region = {.name = ""};
        sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %63s", &region.start, &region.end,
               region.access, region.name);
        if (region.access[1] == 'w')
            look_at(harness, memory_fd, &region, pid);
    }
    fclose(maps);
}

/* The only child of a process. */
static pid_t child_of(struct harness *harness, pid_t pid)
{
    process_awaits_children(harness, pid, 1);
    const char *children =
        file_read(harness, text(harness, "/proc/%d/task/%d/children", (int)pid, (int)pid));
    return (pid_t)strtol(children, NULL, 10);
}

static struct program *run(struct harness *harness, const char *first, const char *second,
                           const char *environment)
{
    const char *const arguments[] = {"-d", "-d", first, second, NULL};
    const struct launch launch = {.arguments = arguments, .environment = environment};
    return program_launch(harness, &launch);
}

static const char *secret_file(struct harness *harness, const char *content)
{
    const char *name = path(harness, "secret");
    file_write(harness, name, content);
    return name;
}

/* The server's part: SOCKS 5 with a password, or HTTP. */
static void let_in_by_socks(struct harness *harness, int server)
{
    peer_receives_bytes(harness, server, BYTES("\5\2\0\2"));
    peer_send_bytes(harness, server, BYTES("\5\2"));
    peer_receives_bytes(harness, server, BYTES("\1\2me\x12" PASSWORD));
    peer_send_bytes(harness, server, BYTES("\1\0"));
    peer_receives_bytes(harness, server, BYTES("\5\1\0\3\4name\0\x50"));
    peer_send_bytes(harness, server, BYTES("\5\0\0\1\x7f\0\0\1\x10\0"));
}

static void let_in_by_proxy(struct harness *harness, int server)
{
    peer_receives_bytes(harness, server,
                        BYTES("CONNECT name:80 HTTP/1.0\r\n"
                              "Proxy-authorization: Basic " ENCODED "\r\n\r\n"));
    peer_send(harness, server, "HTTP/1.0 200 OK\r\n\r\n");
}

/* How a proxy is given its password, and lets in. */
static const struct way {
    const char *address; /* "#" is the proxy's port, "%s" a file */
    const char *content;
    const char *environment;
    void (*let_in)(struct harness *harness, int server);
} ways[] = {
    {"SOCKS5:" LOOPBACK ":#:name:80,socksuser=me,socks-password-file=%s", PASSWORD, NULL,
     let_in_by_socks},
    {"SOCKS5:name:80,socksuser=me,socks-password-file=%s|TCP:" LOOPBACK ":#", PASSWORD, NULL,
     let_in_by_socks},
    {"SOCKS5:" LOOPBACK ":#:name:80,socksuser=me", NULL, "MODCAT_SOCKS_PASSWORD=" PASSWORD,
     let_in_by_socks},
    {"PROXY:" LOOPBACK ":name:80,proxyport=#,proxy-authorization-file=%s", LOGIN, NULL,
     let_in_by_proxy},
};
#define WAYS (sizeof ways / sizeof ways[0])

static const char *address_of(struct harness *harness, const struct way *way, unsigned port)
{
    const char *hash = strchr(way->address, '#');
    const char *address =
        text(harness, "%.*s%u%s", (int)(hash - way->address), way->address, port, hash + 1);
    return way->content == NULL ? address
                                : with_path(harness, address, secret_file(harness, way->content));
}

static void nothing_is_left_once_a_proxy_has_let_in(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < WAYS; i++) {
        unsigned port;
        int listener = peer_listen(harness, LOOPBACK, &port);
        struct program *program =
            run(harness, "-", address_of(harness, &ways[i], port), ways[i].environment);
        int server = peer_accept(harness, listener);
        ways[i].let_in(harness, server);
        program_send(program, "hello");
        peer_receives(harness, server, "hello");
        holds_no_secrets(harness, program_pid(program));
        harness_close(harness, server);
        program_end_input(program);
        program_end(program);
    }
}

/* The parent goes on to need it. */
static void nothing_is_left_in_a_process_that_serves_a_peer(void **state)
{
    struct harness *harness = *state;
    for (size_t i = 0; i < WAYS; i++) {
        unsigned port;
        int listener = peer_listen(harness, LOOPBACK, &port);
        struct program *program = run(harness, "TCP4-LISTEN:0,fork,bind=" LOOPBACK,
                                      address_of(harness, &ways[i], port), ways[i].environment);
        unsigned own = program_port(program);
        for (unsigned turn = 0; turn < 2; turn++) {
            int client = peer_connect(harness, LOOPBACK, own);
            int server = peer_accept(harness, listener);
            ways[i].let_in(harness, server);
            peer_send(harness, client, "hello");
            peer_receives(harness, server, "hello");
            holds_no_secrets(harness, child_of(harness, program_pid(program)));
            harness_close(harness, client);
            harness_close(harness, server);
            process_awaits_children(harness, program_pid(program), 0);
        }
        program_signal(program, SIGTERM);
        program_end(program);
    }
}

/* What a server has read before it listens. */
static void check_server(struct harness *harness, const char *options, const char *client_options,
                         const char *environment)
{
    struct program *server =
        run(harness, text(harness, SERVING ",%s", options), "PIPE", environment);
    unsigned port = program_port(server);
    holds_no_secrets(harness, program_pid(server));
    struct program *client =
        run(harness, "-", text(harness, "OPENSSL:" LOOPBACK ":%u,verify=0%s", port, client_options),
            client_options[0] != '\0' ? environment : NULL);
    program_send(client, "hello");
    program_outputs(client, "hello");
    holds_no_secrets(harness, program_pid(client));
    holds_no_secrets(harness, child_of(harness, program_pid(server)));
    program_end_input(client);
    program_ends(client, 0);
    program_signal(server, SIGTERM);
    program_end(server);
}

static void nothing_is_left_of_the_passphrase_of_a_key(void **state)
{
    struct harness *harness = *state;
    certificates_make_usual(harness);
    const char *key = certificate_lock_key(harness, "server", PASSWORD);
    const char *options = text(harness, "%s,key=%s", certificate_shown(harness), key);
    const char *file = secret_file(harness, PASSWORD "\n");
    check_server(harness, text(harness, "%s,passphrase-file=%s", options, file), "", NULL);
    check_server(harness, text(harness, "%s,passphrase-env=SECRET", options), "",
                 "SECRET=" PASSWORD);
}

static void nothing_is_left_of_the_text_of_a_shared_key(void **state)
{
    struct harness *harness = *state;
    const char *file = secret_file(harness, "me:" KEY "\n");
    const char *option = text(harness, "psk-file=%s", file);
    check_server(harness, option, text(harness, ",%s", option), NULL);
    check_server(harness, "psk-env=SECRET", ",psk-env=SECRET", "SECRET=me:" KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(nothing_is_left_once_a_proxy_has_let_in),
        SYSTEM_TEST(nothing_is_left_in_a_process_that_serves_a_peer),
        SYSTEM_TEST(nothing_is_left_of_the_passphrase_of_a_key),
        SYSTEM_TEST(nothing_is_left_of_the_text_of_a_shared_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
