/* Wherever the program waits, a signal that ends it does so at once. */
#define _GNU_SOURCE
#include "tests/system/halts.h"
#include "tests/system/peers.h"

#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTENING "TCP4-LISTEN:0,bind=" LOOPBACK

/* A name that only the server behind the port can know, which does not answer. */
#define UNKNOWN "machine.of-nobody.test:1,res-nsaddr=" LOOPBACK ":%u"

static void make_file(struct halt_visit *visit)
{
    file_write(visit->harness, visit->file, "something");
}

static void make_fifo(struct halt_visit *visit)
{
    assert_int_equal(mkfifo(visit->file, 0600), 0);
}

/* A FIFO that has a reader, which reads nothing. */
static void make_deaf_fifo(struct halt_visit *visit)
{
    make_fifo(visit);
    harness_keep(visit->harness, open(visit->file, O_RDWR | O_CLOEXEC));
}

static struct sockaddr_un path_of(const struct halt_visit *visit)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, visit->file, strlen(visit->file));
    return address;
}

static int make_socket(const struct halt_visit *visit, int type)
{
    const struct sockaddr_un address = path_of(visit);
    int fd = harness_keep(visit->harness, socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void make_silent_socket(struct halt_visit *visit)
{
    listen(make_socket(visit, SOCK_STREAM), 8);
}

static void make_silent_packets(struct halt_visit *visit)
{
    listen(make_socket(visit, SOCK_SEQPACKET), 8);
}

static void make_deaf_datagrams(struct halt_visit *visit)
{
    make_socket(visit, SOCK_DGRAM);
}

static void make_full_socket(struct halt_visit *visit)
{
    const struct sockaddr_un address = path_of(visit);
    int fd;
    listen(make_socket(visit, SOCK_STREAM), 0);
    do
        fd = harness_keep(visit->harness,
                          socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    while (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
}

static void connect_one_and_wait(struct halt_visit *visit)
{
    halt_connect(visit);
    program_logs(visit->program, " N Waiting for * to terminate");
}

/* The server ends its direction; the other one stays open. */
static void half_close(struct halt_visit *visit)
{
    peer_end(peer_accept(visit->harness, visit->listener));
    program_logs(visit->program, " is at EOF");
}

/* It has a name only until it is open. */
static void name_queue(struct halt_visit *visit)
{
    visit->file = text(visit->harness, "/modcat-halts-%d", (int)getpid());
}

static void forget_queue(struct halt_visit *visit)
{
    mq_unlink(visit->file);
}

static void fill_queue(struct halt_visit *visit)
{
    forget_queue(visit);
    halt_fill(visit);
}

static const struct halt halts[] = {
    /* before anything is open */
    {"the wait before the start", {"-d"}, "-", "PIPE", .environment = "SOCAT_MAIN_WAIT=600"},
    {"the wait before the transfer", {"-d"}, "-", "PIPE", .environment = "SOCAT_TRANSFER_WAIT=600"},
    {"the wait behind a fork",
     {"-d"},
     LISTENING ",fork",
     "PIPE",
     .arrive = halt_connect,
     .environment = "SOCAT_FORK_WAIT=600"},
    {"a lock", {"-W", "%s"}, "-", "PIPE", .prepare = make_file, .logs = " N waiting for lock"},
    {"a lock of an address",
     {"-d"},
     "-,waitlock=%s",
     "PIPE",
     .prepare = make_file,
     .logs = " N waiting for lock"},
    /* opening */
    {"a look-up", {"-d"}, "TCP:" UNKNOWN, "PIPE", .peer = PEER_DEAF},
    {"a look-up of a range", {"-d"}, "TCP4-LISTEN:0,range=" UNKNOWN, "PIPE", .peer = PEER_DEAF},
    {"a look-up of packets", {"-d"}, "UDP:" UNKNOWN, "PIPE", .peer = PEER_DEAF},
    {"accept", {"-d"}, LISTENING, "PIPE", .logs = " N listening on "},
    {"accept with fork", {"-d"}, LISTENING ",fork", "PIPE", .logs = " N listening on "},
    {"accept with a deadline",
     {"-d"},
     LISTENING ",accept-timeout=600",
     "PIPE",
     .logs = " N listening on "},
    {"full children", {"-d"}, LISTENING ",fork,max-children=1", "PIPE", .arrive = halt_connect_two},
    {"the last children",
     {"-d"},
     LISTENING ",fork,accept-timeout=0.2",
     "PIPE",
     .arrive = connect_one_and_wait},
    {"a packet", {"-d"}, "UDP4-RECVFROM:0,bind=" LOOPBACK, "PIPE", .logs = " N "},
    {"a first packet", {"-d"}, "UDP4-LISTEN:0,bind=" LOOPBACK, "PIPE", .logs = " N "},
    {"a first packet with fork",
     {"-d"},
     "UDP4-LISTEN:0,fork,bind=" LOOPBACK,
     "PIPE",
     .logs = " N "},
    {"connect", {"-d"}, "TCP4:" LOOPBACK ":%u", "PIPE", .peer = PEER_FULL},
    {"connect of a path", {"-d"}, "UNIX-CONNECT:%s", "PIPE", .prepare = make_full_socket},
    {"the next try",
     {"-d"},
     "TCP4:" LOOPBACK ":%u,forever,interval=600",
     "PIPE",
     .peer = PEER_UNBOUND},
    {"the next of some tries",
     {"-d"},
     "TCP4:" LOOPBACK ":%u,retry=9,interval=600",
     "PIPE",
     .peer = PEER_UNBOUND},
    {"the next try of many children",
     {"-d"},
     "TCP4:" LOOPBACK ":%u,forever,fork,interval=600",
     "PIPE",
     .peer = PEER_UNBOUND},
    {"the slave of a terminal", {"-d"}, "PTY,wait-slave", "PIPE", .logs = " N PTY is "},
    {"a FIFO without writers",
     {"-u"},
     "OPEN:%s",
     "-",
     .prepare = make_fifo,
     .logs = " N opening named pipe"},
    {"a FIFO without readers",
     {"-u"},
     "-",
     "OPEN:%s,wronly",
     .prepare = make_fifo,
     .logs = " N opening named pipe"},
    {"a FIFO to be created", {"-u"}, "-", "CREATE:%s", .prepare = make_fifo},
    {"an answer of a proxy",
     {"-d"},
     "PROXY:" LOOPBACK ":host:1,proxyport=%u",
     "PIPE",
     .peer = PEER_SILENT},
    {"an answer of SOCKS4",
     {"-d"},
     "SOCKS4:" LOOPBACK ":127.0.0.1:1,socksport=%u",
     "PIPE",
     .peer = PEER_SILENT},
    {"an answer of SOCKS4A",
     {"-d"},
     "SOCKS4A:" LOOPBACK ":host:1,socksport=%u",
     "PIPE",
     .peer = PEER_SILENT},
    {"an answer of SOCKS5", {"-d"}, "SOCKS5:" LOOPBACK ":%u:host:1", "PIPE", .peer = PEER_SILENT},
    {"a client of SOCKS5",
     {"-d"},
     "SOCKS5-LISTEN:" LOOPBACK ":%u:host:1",
     "PIPE",
     .peer = PEER_SILENT},
    /* relaying */
    {"data", {"-d"}, "TCP4:" LOOPBACK ":%u", "PIPE", .peer = PEER_SILENT},
    {"input", {"-d"}, "-", "PIPE", .logs = HALT_RELAYS},
    {"input of a terminal", {"-d"}, "-", "PIPE", .logs = HALT_RELAYS, .terminal = true},
    {"input of a raw terminal",
     {"-d"},
     "-,raw,echo=0",
     "PIPE",
     .logs = HALT_RELAYS,
     .terminal = true},
#ifdef WITH_READLINE
    {"a line",
     {"-d"},
     "READLINE",
     "PIPE",
     .logs = HALT_RELAYS,
     .environment = "TERM=vt100",
     .terminal = true},
#endif
    {"a file that may grow",
     {"-u"},
     "OPEN:%s,ignoreeof",
     "-",
     .prepare = make_file,
     .logs = HALT_RELAYS},
    {"a program", {"-u"}, "-", "EXEC:sleep 600", .logs = HALT_RELAYS, .arrive = halt_fill},
    {"a program over a pipe",
     {"-u"},
     "-",
     "EXEC:sleep 600,pipes",
     .logs = HALT_RELAYS,
     .arrive = halt_fill},
    {"a program in a terminal",
     {"-u"},
     "-",
     "EXEC:sleep 600,pty,raw,echo=0",
     .logs = HALT_RELAYS,
     .arrive = halt_fill},
    {"a program that is told to end",
     {"-d"},
     "-",
     "SYSTEM:trap '' TERM INT HUP; sleep 600",
     .logs = HALT_RELAYS,
     .arrive = halt_end_input},
    {"a deaf server",
     {"-u"},
     "-",
     "TCP4:" LOOPBACK ":%u",
     .peer = PEER_SILENT,
     .logs = HALT_RELAYS,
     .arrive = halt_fill},
    {"a deaf server with so-linger",
     {"-u"},
     "-",
     "TCP4:" LOOPBACK ":%u,so-linger=600",
     .peer = PEER_SILENT,
     .logs = HALT_RELAYS,
     .arrive = halt_fill},
    {"a deaf server of a path",
     {"-u"},
     "-",
     "UNIX-CONNECT:%s",
     .prepare = make_silent_socket,
     .logs = HALT_RELAYS,
     .arrive = halt_fill},
    {"a deaf server of packets",
     {"-u"},
     "-",
     "UNIX-CONNECT:%s,type=5",
     .prepare = make_silent_packets,
     .logs = HALT_RELAYS,
     .arrive = halt_fill},
    {"deaf datagrams",
     {"-u"},
     "-",
     "UNIX-SENDTO:%s",
     .prepare = make_deaf_datagrams,
     .logs = HALT_RELAYS,
     .arrive = halt_fill},
    {"a deaf FIFO",
     {"-u"},
     "-",
     "OPEN:%s",
     .prepare = make_deaf_fifo,
     .logs = HALT_RELAYS,
     .arrive = halt_fill},
    {"a deaf output", {"-u"}, "-", "STDOUT", .logs = HALT_RELAYS, .arrive = halt_fill},
    {"a full queue of messages",
     {"-u"},
     "-",
     "POSIXMQ-SEND:%s",
     .prepare = name_queue,
     .logs = HALT_RELAYS,
     .arrive = fill_queue},
    {"an empty queue of messages",
     {"-u"},
     "POSIXMQ-READ:%s",
     "-",
     .prepare = name_queue,
     .logs = HALT_RELAYS,
     .arrive = forget_queue},
    /* ends */
    {"the other direction",
     {"-d"},
     "-",
     "TCP4:" LOOPBACK ":%u",
     .peer = PEER_SILENT,
     .logs = HALT_RELAYS,
     .arrive = halt_end_input},
    {"the other direction, whose peer has ended",
     {"-d"},
     "-",
     "TCP4:" LOOPBACK ":%u",
     .peer = PEER_SILENT,
     .logs = HALT_RELAYS,
     .arrive = half_close},
    {"the end of a peer",
     {"-u"},
     "-",
     "TCP4:" LOOPBACK ":%u",
     .peer = PEER_SILENT,
     .logs = HALT_RELAYS,
     .arrive = halt_end_input},
    {"the end of a peer with so-linger",
     {"-u"},
     "-",
     "TCP4:" LOOPBACK ":%u,so-linger=600",
     .peer = PEER_SILENT,
     .logs = HALT_RELAYS,
     .arrive = halt_end_input},
    {"the end of a deaf peer",
     {"-u"},
     "-,readbytes=1000000",
     "TCP4:" LOOPBACK ":%u,sndbuf=4096",
     .peer = PEER_SILENT,
     .logs = HALT_RELAYS,
     .arrive = halt_fill},
    {"the end of a peer of a path",
     {"-u"},
     "-",
     "UNIX-CONNECT:%s",
     .prepare = make_silent_socket,
     .logs = HALT_RELAYS,
     .arrive = halt_end_input},
    {"the end of a program",
     {"-u"},
     "-",
     "EXEC:sleep 600",
     .logs = HALT_RELAYS,
     .arrive = halt_end_input},
};

#define HALTS (sizeof halts / sizeof halts[0])

static void sigterm_ends_it_at_once_wherever_it_waits(void **state)
{
    for (size_t i = 0; i < HALTS; i++)
        halts_end(*state, &halts[i], SIGTERM);
}

static void sigint_and_sighup_end_it_at_once_wherever_it_waits(void **state)
{
    for (size_t i = 0; i < HALTS; i++)
        halts_end(*state, &halts[i], i % 2 == 0 ? SIGINT : SIGHUP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(sigterm_ends_it_at_once_wherever_it_waits),
        SYSTEM_TEST(sigint_and_sighup_end_it_at_once_wherever_it_waits),
    };
    if (SANITIZED)
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* the search is done by another thread */
    return cmocka_run_group_tests_name("halts", tests, NULL, NULL);
}
