#define _GNU_SOURCE
#include "tests/system/streams.h"
#include "tests/system/types.h"

#ifdef WITH_TLS
#include "tests/system/certificates.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

struct stream_setup stream_setup(struct harness *harness, size_t length)
{
    struct stream_setup setup = {.length = length, .authority = "", .certificate = ""};
#ifdef WITH_TLS
    certificates_make_usual(harness);
    setup.authority = certificate_path(harness, "ca");
    setup.certificate = certificate_path(harness, "server");
#else
    (void)harness;
#endif
    return setup;
}

#define ZEROS "x0000000000000000"

static const char *side_path(const struct stream_end *end)
{
    return path(end->harness, end->side);
}

/* The path of something else that belongs to the end. */
static const char *further_path(const struct stream_end *end, const char *what)
{
    return text(end->harness, "%s.%s", side_path(end), what);
}

static const char *address(const struct stream_end *end, const char *parameters)
{
    return text(end->harness, "%s:%s%s", end->kind->types, parameters, end->kind->options);
}

static const char *name_alone(struct stream_end *end)
{
    return text(end->harness, "%s%s", end->kind->types, end->kind->options);
}

static void use_socket(struct stream_end *end, int fd)
{
    end->read_fd = fd;
    end->write_fd = fd;
}

/* DCCP loses what the receiver has no room for. */
static void make_room(int fd)
{
    const int room = 4000000;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

static void serve(struct stream_end *end, struct place place, int type)
{
    int fd = packet_socket(end->harness, type, end->kind->protocol, &place);
    use_socket(end, fd);
    end->place = packet_place(end->harness, fd);
    if (type == SOCK_DCCP)
        make_room(fd);
    assert_int_equal(listen(fd, 1), 0);
}

static const char *serve_ip4(struct stream_end *end)
{
    serve(end, place_host(end->harness, LOOPBACK, 0), SOCK_STREAM);
    return address(end, text(end->harness, LOOPBACK ":%u", place_port(&end->place)));
}

static const char *serve_ip6(struct stream_end *end)
{
    serve(end, place_host(end->harness, "::1", 0), SOCK_STREAM);
    return address(end, text(end->harness, "[::1]:%u", place_port(&end->place)));
}

static const char *serve_dccp4(struct stream_end *end)
{
    serve(end, place_host(end->harness, LOOPBACK, 0), SOCK_DCCP);
    return address(end, text(end->harness, LOOPBACK ":%u", place_port(&end->place)));
}

static const char *serve_dccp6(struct stream_end *end)
{
    serve(end, place_host(end->harness, "::1", 0), SOCK_DCCP);
    return address(end, text(end->harness, "[::1]:%u", place_port(&end->place)));
}

static struct place place_vsock(unsigned cid, unsigned port)
{
    struct place place = {.length = sizeof(struct sockaddr_vm)};
    struct sockaddr_vm *vm = (struct sockaddr_vm *)&place.address;
    vm->svm_family = AF_VSOCK;
    vm->svm_cid = cid;
    vm->svm_port = port;
    return place;
}

static const char *serve_vsock(struct stream_end *end)
{
    serve(end, place_vsock(VMADDR_CID_LOCAL, VMADDR_PORT_ANY), SOCK_STREAM);
    return address(end, text(end->harness, "%u:%u", VMADDR_CID_LOCAL,
                             ((struct sockaddr_vm *)&end->place.address)->svm_port));
}

static void serve_at_path(struct stream_end *end, int type)
{
    serve(end, place_path(end->harness, side_path(end)), type);
}

static const char *serve_path(struct stream_end *end)
{
    serve_at_path(end, SOCK_STREAM);
    return address(end, side_path(end));
}

static const char *serve_sequence(struct stream_end *end)
{
    serve_at_path(end, SOCK_SEQPACKET);
    return address(end, side_path(end));
}

static const char *serve_name(struct stream_end *end)
{
    serve(end, place_abstract(end->harness, side_path(end)), SOCK_STREAM);
    return address(end, side_path(end));
}

static const char *serve_generic(struct stream_end *end)
{
    serve(end, place_host(end->harness, LOOPBACK, 0), SOCK_STREAM);
    return address(end, text(end->harness, "2:6:x%04x7f000001" ZEROS, place_port(&end->place)));
}

/* A shell runs it, or sees to where its messages go; or it is run by itself. */
static const char *quoted_command(const struct stream_end *end, const char *command)
{
    bool by_shell = strcmp(end->kind->types, "EXEC") != 0;
    if (end->messages != 0)
        command = text(end->harness, "%s 2>&%d", command, end->messages);
    if (by_shell)
        return text(end->harness, "\"exec %s\"", command);
    return text(end->harness, end->messages != 0 ? "\"sh -c 'exec %s'\"" : "\"%s\"", command);
}

/* A program that is started, and which is connected with the test by a program of its own. On a
 * terminal that one ends both directions at once. A shell in between would keep pipes open. It has
 * the other side's descriptor too, and must not keep it for as long as a test has patience. */
static const char *serve_child(struct stream_end *end)
{
    bool pipes = strstr(end->kind->options, "pipes") != NULL;
    const char *waits = end->kind->closing == CLOSES_WHOLE ? "0" : "10";
    const char *helper = program_word(end->harness, program_helper_file());
    serve_at_path(end, SOCK_STREAM);
    const char *command = text(end->harness, "%s -t %s STDIO,%s UNIX-CONNECT:%s", helper, waits,
                               pipes ? "shut-close" : "shut-down", side_path(end));
    return address(end, quoted_command(end, command));
}

static void accept_program(struct stream_end *end, struct program *program)
{
    (void)program;
    use_socket(end, peer_accept(end->harness, end->read_fd));
    if (end->kind->protocol == IPPROTO_DCCP)
        make_room(end->read_fd);
}

static const char *wait_ip4(struct stream_end *end)
{
    end->place = place_host(end->harness, LOOPBACK, 0);
    return address(end, "0");
}

static const char *wait_ip6(struct stream_end *end)
{
    end->place = place_host(end->harness, "::1", 0);
    return address(end, "0");
}

static const char *wait_vsock(struct stream_end *end)
{
    end->place = place_vsock(VMADDR_CID_LOCAL, 0);
    return address(end, "0xffffffff");
}

static const char *wait_path(struct stream_end *end)
{
    end->place = place_path(end->harness, side_path(end));
    return address(end, side_path(end));
}

static const char *wait_name(struct stream_end *end)
{
    end->place = place_abstract(end->harness, side_path(end));
    return address(end, side_path(end));
}

static const char *wait_generic(struct stream_end *end)
{
    end->place = place_host(end->harness, LOOPBACK, 0);
    return address(end, "2:6:x00007f000001" ZEROS);
}

static void connect_type(struct stream_end *end, int type)
{
    int fd = socket(end->place.address.ss_family, type | SOCK_CLOEXEC, end->kind->protocol);
    use_socket(end, harness_keep(end->harness, fd));
    if (type == SOCK_DCCP)
        make_room(fd);
    packet_connect(end->harness, fd, &end->place);
}

/* The port stands at the same place for both versions of IP. */
static void await_port(struct stream_end *end, struct program *program)
{
    struct sockaddr_in *ip = (struct sockaddr_in *)&end->place.address;
    ip->sin_port = htons((uint16_t)program_port(program));
}

static void connect_host(struct stream_end *end, struct program *program)
{
    await_port(end, program);
    connect_type(end, SOCK_STREAM);
}

static void connect_dccp(struct stream_end *end, struct program *program)
{
    await_port(end, program);
    connect_type(end, SOCK_DCCP);
}

static void connect_vsock(struct stream_end *end, struct program *program)
{
    const char *line = program_logs(program, " N listening on ");
    end->place = place_vsock(VMADDR_CID_LOCAL, (unsigned)strtoul(strrchr(line, ':') + 1, NULL, 10));
    connect_type(end, SOCK_STREAM);
}

static void connect_unix(struct stream_end *end, struct program *program)
{
    program_logs(program, " N listening on ");
    connect_type(end, SOCK_STREAM);
}

static void connect_sequence(struct stream_end *end, struct program *program)
{
    program_logs(program, " N listening on ");
    connect_type(end, SOCK_SEQPACKET);
}

static int give_pair(struct stream_end *end)
{
    int pair[2];
    peer_pair(end->harness, pair);
    use_socket(end, pair[0]);
    return pair[1];
}

static const char *give_socket(struct stream_end *end)
{
    end->given = give_pair(end);
    return address(end, text(end->harness, "%d", end->number));
}

static const char *give_listener(struct stream_end *end)
{
    serve(end, place_host(end->harness, LOOPBACK, 0), SOCK_STREAM);
    end->given = end->read_fd;
    return address(end, text(end->harness, "%d", end->number));
}

static const char *give_stdio(struct stream_end *end)
{
    end->standard[0] = end->standard[1] = give_pair(end);
    return name_alone(end);
}

/* A pipe of which the program writes (or reads) the returned end, and the test the other. */
static int give_pipe(struct stream_end *end, bool program_writes)
{
    int pipe_ends[2];
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    harness_keep(end->harness, pipe_ends[0]);
    harness_keep(end->harness, pipe_ends[1]);
    if (program_writes)
        end->read_fd = pipe_ends[0];
    else
        end->write_fd = pipe_ends[1];
    return pipe_ends[program_writes];
}

static const char *give_pipes(struct stream_end *end)
{
    end->standard[0] = give_pipe(end, false);
    end->standard[1] = give_pipe(end, true);
    return name_alone(end);
}

/* The program's copies are the only ones from now on, so that their end is the end. */
static void let_go(struct stream_end *end, struct program *program)
{
    (void)program;
    harness_close(end->harness, end->given);
    for (int i = 0; i < 3; i++)
        harness_close(end->harness, end->standard[i]);
}

static void connect_given(struct stream_end *end, struct program *program)
{
    program_logs(program, " N listening on ");
    let_go(end, program);
    connect_type(end, SOCK_STREAM);
}

/* The test's end of a pipe, which is there at once because it holds the other for a moment. */
static int open_pipe(struct stream_end *end, const char *name, int flags)
{
    if (mkfifo(name, 0600) < 0)
        harness_fail(end->harness, "mkfifo(%s): %s", name, strerror(errno));
    int both = open(name, O_RDWR | O_CLOEXEC);
    int fd = open(name, flags | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        harness_fail(end->harness, "open(%s): %s", name, strerror(errno));
    close(both);
    return harness_keep(end->harness, fd);
}

static const char *pipe_to_program(struct stream_end *end)
{
    const char *name = further_path(end, "in");
    end->write_fd = open_pipe(end, name, O_WRONLY);
    return name;
}

static const char *pipe_from_program(struct stream_end *end)
{
    const char *name = further_path(end, "out");
    end->read_fd = open_pipe(end, name, O_RDONLY);
    return name;
}

static const char *name_files(struct stream_end *end)
{
    const char *in = pipe_to_program(end), *out = pipe_from_program(end);
    return text(end->harness, "OPEN:%s!!CREATE:%s%s", in, out, end->kind->options);
}

/* Who has opened both ends of a pipe sees no end in it. */
static const char *name_pipes(struct stream_end *end)
{
    const char *in = pipe_to_program(end), *out = pipe_from_program(end);
    return text(end->harness, "PIPE:%s,readbytes=%zu!!PIPE:%s%s", in, end->setup->length, out,
                end->kind->options);
}

static const char *name_file_and_stderr(struct stream_end *end)
{
    const char *in = pipe_to_program(end);
    end->standard[2] = give_pipe(end, true);
    return text(end->harness, "OPEN:%s!!STDERR%s", in, end->kind->options);
}

static void open_terminal(struct stream_end *end, struct program *program)
{
    const char *line = program_logs(program, " N waiting for a program to open /");
    const char *name = strrchr(line, ' ') + 1;
    int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        harness_fail(end->harness, "open(%s): %s", name, strerror(errno));
    use_socket(end, harness_keep(end->harness, fd));
}

/* What a client says and how it is answered, turn by turn. */
struct answer {
    size_t length; /* of the client's message; 0: up to the empty line */
    const char *bytes;
    size_t count;
};

#define ANSWER(length, bytes)                                                                      \
    {                                                                                              \
        length, bytes, sizeof(bytes) - 1                                                           \
    }
#define GRANTED_4 "\0\x5a\0\0\0\0\0\0"
#define GRANTED_5 "\5\0\0\1\x7f\0\0\1\0\x50"

/* The target is 127.0.0.1, or localhost where names are sent; its port 80. See socks4.protocol,
 * socks4a.protocol, RFC 1928 and RFC 9110, 9.3.6. */
static const struct answer as_socks4[] = {ANSWER(11, GRANTED_4), {0}};
static const struct answer as_socks4a[] = {ANSWER(21, GRANTED_4), {0}};
static const struct answer as_socks5[] = {ANSWER(3, "\5\0"), ANSWER(10, GRANTED_5), {0}};
static const struct answer as_socks5_twice[] = {
    ANSWER(3, "\5\0"), ANSWER(10, GRANTED_5 GRANTED_5), {0}};
static const struct answer as_http[] = {ANSWER(0, "HTTP/1.0 200 OK\r\n\r\n"), {0}};

static size_t has_come(struct stream_end *end, char *message, size_t length, size_t size)
{
    struct pollfd ready = {end->read_fd, POLLIN, 0};
    if (poll(&ready, 1, PATIENCE) <= 0)
        harness_fail(end->harness, "no message for the proxy");
    ssize_t count = read(end->read_fd, message + length, size - length);
    if (count <= 0)
        harness_fail(end->harness, "the message for the proxy ends after %zu bytes", length);
    return length + (size_t)count;
}

/* The client sends nothing else before it is answered. */
static void answer(struct stream_end *end, const struct answer *answer)
{
    char message[1024] = "";
    size_t length = 0;
    while (answer->length > 0 ? length < answer->length : strstr(message, "\r\n\r\n") == NULL)
        length = has_come(end, message, length, sizeof message - 1);
    if (answer->length > 0)
        assert_int_equal(length, answer->length);
    assert_int_equal(write(end->write_fd, answer->bytes, answer->count), answer->count);
}

static void play(struct stream_end *end, const struct answer *answers)
{
    use_socket(end, peer_accept(end->harness, end->read_fd));
    for (; answers->bytes != NULL; answers++)
        answer(end, answers);
}

static void play_socks4(struct stream_end *end, struct program *program)
{
    (void)program;
    play(end, as_socks4);
}

static void play_socks4a(struct stream_end *end, struct program *program)
{
    (void)program;
    play(end, as_socks4a);
}

static void play_socks5(struct stream_end *end, struct program *program)
{
    (void)program;
    play(end, as_socks5);
}

static void play_socks5_twice(struct stream_end *end, struct program *program)
{
    play(end, as_socks5_twice);
    program_logs(program, "listening on remote host");
}

static void play_http(struct stream_end *end, struct program *program)
{
    (void)program;
    play(end, as_http);
}

/* The options hold the proxy's port, for which they have a `%u`. */
static const char *proxied(struct stream_end *end, const char *format)
{
    serve(end, place_host(end->harness, LOOPBACK, 0), SOCK_STREAM);
    const char *mark = strstr(format, "%u");
    return text(end->harness, "%s:%.*s%u%s", end->kind->types, (int)(mark - format), format,
                place_port(&end->place), mark + 2);
}

static const char *serve_socks4(struct stream_end *end)
{
    return proxied(end, LOOPBACK ":127.0.0.1:80,socksuser=me,socksport=%u");
}

static const char *serve_socks4a(struct stream_end *end)
{
    return proxied(end, LOOPBACK ":localhost:80,socksuser=me,socksport=%u");
}

static const char *serve_socks5(struct stream_end *end)
{
    return proxied(end, LOOPBACK ":%u:127.0.0.1:80");
}

static const char *serve_http(struct stream_end *end)
{
    return proxied(end, LOOPBACK ":localhost:80,proxyport=%u");
}

/* The handshake and all that follows go over whatever the layer stands on. */

static const char *first_type(const struct stream_end *end)
{
    const char *types = end->kind->types;
    return types_next(end->harness, &types);
}

static const char *serve_layer(struct stream_end *end)
{
    serve_at_path(end, SOCK_STREAM);
    return text(end->harness, "%s:%s|UNIX-CONNECT:%s", first_type(end), end->kind->options,
                side_path(end));
}

static void start_helper(struct stream_end *end, const char *near, const char *far)
{
    end->helper = program_start_helper(end->harness, "-d", "-d", "-t", "20", near, far, NULL);
}

static const char *tls_server(const struct stream_end *end)
{
    return text(end->harness, "verify=0,cert=%s", end->setup->certificate);
}

static const char *tls_client(const struct stream_end *end)
{
    return text(end->harness, "cn=localhost,cafile=%s", end->setup->authority);
}

/* What connects the helper with the test. */
static const char *to_test(struct stream_end *end)
{
    serve_at_path(end, SOCK_STREAM);
    return text(end->harness, "UNIX-CONNECT:%s", side_path(end));
}

static const char *serve_tls(struct stream_end *end)
{
    start_helper(end, text(end->harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",%s", tls_server(end)),
                 to_test(end));
    return text(end->harness, "OPENSSL:" LOOPBACK ":%u,%s", program_port(end->helper),
                tls_client(end));
}

static const char *serve_tls_layer(struct stream_end *end)
{
    const char *wire = further_path(end, "wire");
    start_helper(end, text(end->harness, "OPENSSL-LISTEN,%s|UNIX-LISTEN:%s", tls_server(end), wire),
                 to_test(end));
    program_logs(end->helper, " N listening on ");
    return text(end->harness, "OPENSSL,%s|UNIX-CONNECT:%s", tls_client(end), wire);
}

static const char *wait_tls(struct stream_end *end)
{
    return text(end->harness, "OPENSSL-LISTEN:0,bind=" LOOPBACK ",%s", tls_server(end));
}

static void connect_tls(struct stream_end *end, struct program *program)
{
    start_helper(
        end,
        text(end->harness, "OPENSSL:" LOOPBACK ":%u,%s", program_port(program), tls_client(end)),
        to_test(end));
    accept_program(end, program);
}

static const char *wait_tls_layer(struct stream_end *end)
{
    return text(end->harness, "%s,%s|UNIX-LISTEN:%s", first_type(end), tls_server(end),
                further_path(end, "wire"));
}

static void connect_tls_layer(struct stream_end *end, struct program *program)
{
    program_logs(program, " N listening on ");
    start_helper(end,
                 text(end->harness, "OPENSSL,%s|UNIX-CONNECT:%s", tls_client(end),
                      further_path(end, "wire")),
                 to_test(end));
    accept_program(end, program);
}

#define INPUT_AND_OUTPUT 3U
#define ERRORS 4U

#define HALVES .closing = CLOSES_BY_HALVES
#define WHOLE .closing = CLOSES_WHOLE
#define BACK .closing = GIVES_BACK
#define SOCKET HALVES, .traits = STREAM_RESETS
#define SOCKET_ALIKE HALVES, .traits = STREAM_RESETS | STREAM_ALIKE
#define LISTENER HALVES, .traits = STREAM_RESETS | STREAM_FORKS
#define LISTENER_ALIKE HALVES, .traits = STREAM_RESETS | STREAM_FORKS | STREAM_ALIKE
#define PROGRAM .traits = STREAM_PROGRAM
#define PROGRAM_ALIKE .traits = STREAM_PROGRAM | STREAM_ALIKE

#define TERMINAL ",pty,rawer"
#define ROOM ",so-rcvbuf=4000000,so-sndbuf=4000000"
#define SCTP WHOLE, .rare = true, .protocol = IPPROTO_SCTP
#define DCCP WHOLE, .rare = true, .protocol = IPPROTO_DCCP
#define VSOCK HALVES, .rare = true

const struct stream_kind stream_kinds[] = {
    {"TCP4-CONNECT", "", serve_ip4, accept_program, SOCKET},
    {"TCP6-CONNECT", "", serve_ip6, accept_program, SOCKET_ALIKE},
    {"TCP-CONNECT", "", serve_ip4, accept_program, SOCKET_ALIKE},
    {"TCP4-LISTEN", "", wait_ip4, connect_host, LISTENER},
    {"TCP6-LISTEN", "", wait_ip6, connect_host, LISTENER_ALIKE},
    {"TCP-LISTEN", "", wait_ip4, connect_host, LISTENER_ALIKE},
    {"UNIX-CONNECT", "", serve_path, accept_program, SOCKET},
    {"UNIX-CLIENT", "", serve_path, accept_program, SOCKET_ALIKE},
    {"GOPEN", "", serve_path, accept_program, SOCKET_ALIKE},
    {"UNIX-LISTEN", "", wait_path, connect_unix, LISTENER},
    {"UNIX-CLIENT", "", serve_sequence, accept_program, HALVES,
     .traits = STREAM_RESETS | STREAM_MESSAGES},
    {"UNIX-LISTEN", ",socktype=5", wait_path, connect_sequence, HALVES,
     .traits = STREAM_RESETS | STREAM_FORKS | STREAM_MESSAGES},
    {"ABSTRACT-CONNECT", "", serve_name, accept_program, SOCKET_ALIKE},
    {"ABSTRACT-CLIENT", "", serve_name, accept_program, SOCKET_ALIKE},
    {"ABSTRACT-LISTEN", "", wait_name, connect_unix, LISTENER_ALIKE},
    {"SOCKET-CONNECT", "", serve_generic, accept_program, SOCKET_ALIKE},
    {"SOCKET-LISTEN", "", wait_generic, connect_host, LISTENER_ALIKE},
    {"EXEC", "", serve_child, accept_program, HALVES, PROGRAM},
    {"EXEC", ",pipes", serve_child, accept_program, HALVES, PROGRAM},
    {"EXEC", TERMINAL, serve_child, accept_program, WHOLE, PROGRAM},
    {"SYSTEM", "", serve_child, accept_program, HALVES, PROGRAM_ALIKE},
    {"SYSTEM", ",pipes", serve_child, accept_program, HALVES, PROGRAM_ALIKE},
    {"SYSTEM", TERMINAL, serve_child, accept_program, WHOLE, PROGRAM_ALIKE},
    {"SHELL", "", serve_child, accept_program, HALVES, PROGRAM_ALIKE},
    {"SHELL", ",pipes", serve_child, accept_program, HALVES, PROGRAM_ALIKE},
    {"SHELL", TERMINAL, serve_child, accept_program, WHOLE, PROGRAM_ALIKE},
    {"PTY", ",rawer,pty-wait-slave", name_alone, open_terminal, WHOLE, .late = true},
    {"ACCEPT-FD", "", give_listener, connect_given, LISTENER},
    {"FD", ",shut-down", give_socket, let_go, SOCKET},
    {"STDIO", ",shut-down", give_stdio, let_go, .streams = INPUT_AND_OUTPUT,
     .traits = STREAM_RESETS},
    {"STDIN!!STDOUT", ",shut-close", give_pipes, let_go, .streams = INPUT_AND_OUTPUT,
     .traits = STREAM_DUAL},
    {"OPEN!!STDERR", ",shut-close", name_file_and_stderr, let_go, .streams = ERRORS, .late = true,
     .traits = STREAM_DUAL},
    {"OPEN!!CREATE", ",shut-close", name_files, NULL, .late = true, .traits = STREAM_DUAL},
    {"PIPE!!PIPE", ",shut-close", name_pipes, NULL, .late = true,
     .traits = STREAM_DUAL | STREAM_ENDLESS},
    {"PIPE", "", name_alone, NULL, BACK},
    {"SOCKETPAIR", ",socktype=1", name_alone, NULL, BACK},
    {"SOCKS4", "", serve_socks4, play_socks4, SOCKET_ALIKE},
    {"SOCKS4A", "", serve_socks4a, play_socks4a, SOCKET_ALIKE},
    {"SOCKS5-CONNECT", "", serve_socks5, play_socks5, SOCKET},
    {"SOCKS5-LISTEN", "", serve_socks5, play_socks5_twice, SOCKET_ALIKE},
    {"PROXY", "", serve_http, play_http, SOCKET_ALIKE},
    {"SOCKS4|UNIX-CONNECT", "127.0.0.1:80,socksuser=me", serve_layer, play_socks4, SOCKET_ALIKE},
    {"SOCKS4A|UNIX-CONNECT", "localhost:80,socksuser=me", serve_layer, play_socks4a, SOCKET_ALIKE},
    {"SOCKS5-CONNECT|UNIX-CONNECT", "127.0.0.1:80", serve_layer, play_socks5, SOCKET_ALIKE},
    {"SOCKS5-LISTEN|UNIX-CONNECT", "127.0.0.1:80", serve_layer, play_socks5_twice, SOCKET_ALIKE},
    {"PROXY|UNIX-CONNECT", "localhost:80", serve_layer, play_http, SOCKET},
    {"OPENSSL", "", serve_tls, accept_program, SOCKET},
    {"OPENSSL-LISTEN", "", wait_tls, connect_tls, LISTENER},
    {"OPENSSL|UNIX-CONNECT", "", serve_tls_layer, accept_program, SOCKET_ALIKE},
    {"OPENSSL-LISTEN|UNIX-LISTEN", "", wait_tls_layer, connect_tls_layer, LISTENER_ALIKE},
    {"OPENSSL|UNIX-LISTEN", "", wait_tls_layer, connect_tls_layer, LISTENER_ALIKE},
    {"SCTP4-CONNECT", "", serve_ip4, accept_program, SCTP},
    {"SCTP6-CONNECT", "", serve_ip6, accept_program, SCTP},
    {"SCTP-CONNECT", "", serve_ip4, accept_program, SCTP},
    {"SCTP4-LISTEN", "", wait_ip4, connect_host, SCTP},
    {"SCTP6-LISTEN", "", wait_ip6, connect_host, SCTP},
    {"SCTP-LISTEN", "", wait_ip4, connect_host, SCTP},
    {"DCCP4-CONNECT", ROOM, serve_dccp4, accept_program, DCCP},
    {"DCCP6-CONNECT", ROOM, serve_dccp6, accept_program, DCCP},
    {"DCCP-CONNECT", ROOM, serve_dccp4, accept_program, DCCP},
    {"DCCP4-LISTEN", ROOM, wait_ip4, connect_dccp, DCCP},
    {"DCCP6-LISTEN", ROOM, wait_ip6, connect_dccp, DCCP},
    {"DCCP-LISTEN", ROOM, wait_ip4, connect_dccp, DCCP},
    {"VSOCK-CONNECT", "", serve_vsock, accept_program, VSOCK},
    {"VSOCK-LISTEN", "", wait_vsock, connect_vsock, VSOCK},
};
const size_t stream_kind_count = sizeof stream_kinds / sizeof stream_kinds[0];
