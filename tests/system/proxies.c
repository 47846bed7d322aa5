#define _GNU_SOURCE
#include "tests/system/proxies.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEBIBYTE ((size_t)1 << 20)

/* One line of /proc/net/tcp, as far as it matters; see proc_net_tcp.txt of the kernel. */
struct connection {
    unsigned local_port;
    unsigned remote_port;
    unsigned state;
    unsigned unread;
};

#define STATE_LISTEN 10U

const char *talk_address(struct harness *harness, const char *format, unsigned port)
{
    const char *mark = strchr(format, '#');
    return text(harness, "%.*s%u%s", (int)(mark - format), format, port, mark + 1);
}

void talk_finish(struct harness *harness, struct talk talk)
{
    program_send(talk.program, "question");
    peer_receives(harness, talk.server, "question");
    peer_send(harness, talk.server, "answer");
    program_outputs(talk.program, "answer");
    program_end_input(talk.program);
    peer_receives_end(harness, talk.server);
    harness_close(harness, talk.server);
    program_ends(talk.program, 0);
}

/* Finds the first connection that has these ports; a remote port of 0 is a listener's. */
static bool find_connection(unsigned local_port, unsigned remote_port, struct connection *found)
{
    char line[512];
    bool result = false;
    FILE *file = fopen("/proc/net/tcp", "re");
    while (file != NULL && !result && fgets(line, sizeof line, file) != NULL)
        result = sscanf(line, "%*d: %*x:%x %*x:%x %x %*x:%x", &found->local_port,
                        &found->remote_port, &found->state, &found->unread) == 4 &&
                 found->local_port == local_port && found->remote_port == remote_port;
    if (file != NULL)
        fclose(file);
    return result;
}

static void await_listener(struct harness *harness, struct program *program, unsigned port)
{
    struct connection found;
    long long deadline = milliseconds() + PATIENCE;
    while (!find_connection(port, 0, &found) || found.state != STATE_LISTEN) {
        if (milliseconds() > deadline)
            harness_fail(harness, "nobody listens on port %u: %s", port, program_log(program));
        poll(NULL, 0, 5);
    }
}

void peer_has_read(struct harness *harness, int fd)
{
    struct sockaddr_in local, remote;
    struct connection found = {0};
    socklen_t local_length = sizeof local, remote_length = sizeof remote;
    long long deadline = milliseconds() + PATIENCE;
    getsockname(fd, (struct sockaddr *)&local, &local_length);
    getpeername(fd, (struct sockaddr *)&remote, &remote_length);
    while (find_connection(ntohs(remote.sin_port), ntohs(local.sin_port), &found) &&
           found.unread > 0) {
        if (milliseconds() > deadline)
            harness_fail(harness, "the peer does not read");
        poll(NULL, 0, 1);
    }
}

void peer_send_bytes(struct harness *harness, int fd, const void *data, size_t length)
{
    if (send(fd, data, length, MSG_NOSIGNAL) != (ssize_t)length)
        harness_fail(harness, "send() of %zu bytes: %s", length, strerror(errno));
}

void peer_receives_bytes(struct harness *harness, int fd, const void *data, size_t length)
{
    unsigned char *buffer = memory(harness, length + 1);
    size_t received = 0;
    while (received < length) {
        struct pollfd ready = {fd, POLLIN, 0};
        if (poll(&ready, 1, PATIENCE) <= 0)
            harness_fail(harness, "only %zu of %zu bytes come", received, length);
        ssize_t count = read(fd, buffer + received, length - received);
        if (count <= 0)
            harness_fail(harness, "the end comes after %zu of %zu bytes", received, length);
        received += (size_t)count;
    }
    for (size_t i = 0; i < length; i++)
        if (buffer[i] != ((const unsigned char *)data)[i])
            harness_fail(harness, "byte %zu is 0x%02x and not 0x%02x", i, buffer[i],
                         ((const unsigned char *)data)[i]);
}

void peer_send_cut(struct harness *harness, int fd, const void *data, size_t length, size_t cut)
{
    peer_send_bytes(harness, fd, data, cut);
    peer_has_read(harness, fd);
    peer_send_bytes(harness, fd, (const char *)data + cut, length - cut);
}

/* Not every user has the folders of servers in PATH. */
static const char *find_program(struct harness *harness, const char *name)
{
    static const char *const folders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                          "/usr/bin"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        const char *program = text(harness, "%s/%s", folders[i], name);
        if (access(program, X_OK) == 0)
            return program;
    }
    skip_because("%s is not installed", name);
    return NULL;
}

static unsigned free_port(struct harness *harness)
{
    unsigned port;
    harness_close(harness, peer_bind(harness, LOOPBACK, &port));
    return port;
}

static unsigned start(struct harness *harness, const char *program, const char *const *arguments,
                      unsigned port)
{
    const struct launch launch = {
        .program = program, .arguments = arguments, .in = STREAM_NULL, .out = STREAM_NULL};
    await_listener(harness, program_launch(harness, &launch), port);
    return port;
}

unsigned microsocks_start(struct harness *harness, const char *user, const char *password)
{
    const char *program = find_program(harness, "microsocks");
    unsigned port = free_port(harness);
    const char *number = text(harness, "%u", port);
    const char *const open[] = {"-i", LOOPBACK, "-p", number, NULL};
    const char *const guarded[] = {"-i", LOOPBACK, "-p", number, "-u", user, "-P", password, NULL};
    return start(harness, program, user != NULL ? guarded : open, port);
}

unsigned dante_start(struct harness *harness)
{
    const char *program = find_program(harness, "danted");
    const char *configuration = path(harness, "danted.conf");
    unsigned port = free_port(harness);
    file_write(harness, configuration,
               text(harness,
                    "logoutput: stderr\n"
                    "internal: " LOOPBACK " port = %u\n"
                    "external: " LOOPBACK "\n"
                    "clientmethod: none\n"
                    "socksmethod: none\n"
                    "client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\n"
                    "socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0\n"
                    "             command: bind connect bindreply }\n",
                    port));
    return start(
        harness, program,
        (const char *const[]){"-f", configuration, "-p", path(harness, "danted.pid"), NULL}, port);
}

unsigned tinyproxy_start(struct harness *harness, const char *user, const char *password)
{
    const char *program = find_program(harness, "tinyproxy");
    const char *configuration = path(harness, "tinyproxy.conf");
    const char *login = user != NULL ? text(harness, "BasicAuth %s %s\n", user, password) : "";
    unsigned port = free_port(harness);
    file_write(
        harness, configuration,
        text(harness, "Listen " LOOPBACK "\nPort %u\nTimeout 60\nMaxClients 20\n%s", port, login));
    return start(harness, program, (const char *const[]){"-d", "-c", configuration, NULL}, port);
}

unsigned haproxy_start(struct harness *harness, const char *rest)
{
    const char *program = find_program(harness, "haproxy");
    const char *configuration = path(harness, "haproxy.conf");
    unsigned port = free_port(harness);
    file_write(harness, configuration,
               text(harness,
                    "defaults\n mode tcp\n timeout connect 20s\n timeout client 20s\n"
                    " timeout server 20s\nlisten it\n bind " LOOPBACK ":%u%s",
                    port, rest));
    return start(harness, program, (const char *const[]){"-db", "-f", configuration, NULL}, port);
}

static unsigned nginx_serve(struct harness *harness, unsigned port, const char *modules,
                            const char *section)
{
    const char *program = find_program(harness, "nginx");
    const char *configuration = path(harness, "nginx.conf");
    file_write(harness, configuration,
               text(harness,
                    "%s\ndaemon off;\nmaster_process off;\npid %s;\nerror_log stderr;\n"
                    "events {}\n%s\n",
                    modules, path(harness, "nginx.pid"), section));
    return start(harness, program, (const char *const[]){"-e", "stderr", "-c", configuration, NULL},
                 port);
}

unsigned nginx_start(struct harness *harness, const char *rest)
{
    static const char module[] = "/usr/lib/nginx/modules/ngx_stream_module.so";
    const char *load = access(module, R_OK) == 0 ? text(harness, "load_module %s;", module) : "";
    unsigned port = free_port(harness);
    return nginx_serve(harness, port, load,
                       text(harness, "stream { server { listen " LOOPBACK ":%u%s } }", port, rest));
}

unsigned nginx_start_http(struct harness *harness, unsigned upstream)
{
    static const char *const kinds[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    const char *folders = "";
    unsigned port = free_port(harness);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        folders = text(harness, "%s%s_temp_path %s;\n", folders, kinds[i], path(harness, kinds[i]));
    return nginx_serve(harness, port, "",
                       text(harness,
                            "http { access_log off;\n%sserver { listen " LOOPBACK ":%u;\n"
                            "location / { proxy_pass http://" LOOPBACK ":%u;\n"
                            "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\n"
                            "proxy_set_header Connection upgrade;\n} } }",
                            folders, port, upstream));
}

/* Proxies take the end of one direction for the end of all: the streams stay open until everything
 * has come out. */
void relay_through(struct harness *harness, const char *second, int listener)
{
    struct program *program =
        program_start(harness, "-d", "-d", "-t", "10", "TCP-LISTEN:0,bind=" LOOPBACK, second, NULL);
    int client = peer_connect(harness, LOOPBACK, program_port(program));
    int server = peer_accept(harness, listener);
    struct flow flows[] = {
        {.write_fd = client, .read_fd = server, .seed = 1, .length = 64 * MEBIBYTE},
        {.write_fd = server, .read_fd = client, .seed = 2, .length = 64 * MEBIBYTE},
    };
    flows[0].open_end = flows[1].open_end = true;
    flows_run(harness, flows, 2);
    peer_end(client);
    peer_receives_end(harness, server);
    harness_close(harness, server);
    program_ends(program, 0);
}
