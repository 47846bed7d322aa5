/* UNIX sockets: their names and entries, and the types that stand behind them. */

#define _GNU_SOURCE
#include "tests/system/packets.h"
#include "tests/system/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static mode_t mode_of(const char *name)
{
    struct stat status;
    assert_int_equal(lstat(name, &status), 0);
    return status.st_mode;
}

static bool is_there(const char *name)
{
    struct stat status;
    return lstat(name, &status) == 0;
}

static int connect_to(struct harness *harness, int type, const struct place *place)
{
    int fd = harness_keep(harness, socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    packet_connect(harness, fd, place);
    return fd;
}

static void echoes(struct harness *harness, const char *name)
{
    struct place place = place_path(harness, name);
    int fd = connect_to(harness, SOCK_STREAM, &place);
    peer_send(harness, fd, "echo");
    peer_receives(harness, fd, "echo");
    peer_end(fd);
    peer_receives_end(harness, fd);
}

static void a_listener_removes_its_entry_at_the_end(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    struct program *program = program_start(
        harness, "-d", "-d", text(harness, "UNIX-LISTEN:%s,fork", name), "PIPE", NULL);
    program_logs(program, " N listening on AF=1 \"*socket\"");

    echoes(harness, name);
    echoes(harness, name);
    process_awaits_children(harness, program_pid(program), 0);
    assert_true(is_there(name));
    program_signal(program, SIGTERM);
    program_ends(program, 143);
    assert_false(is_there(name));
}

static void a_listener_leaves_its_entry_when_told_so(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    struct program *program = program_start(
        harness, "-d", "-d", text(harness, "UNIX-LISTEN:%s,unlink-close=0", name), "PIPE", NULL);

    program_logs(program, " N listening on ");
    echoes(harness, name);
    program_ends(program, 0);
    assert_true(is_there(name));
}

static void an_entry_that_has_been_replaced_stays(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    struct program *program = program_start(harness, "-d", "-d", "-d",
                                            text(harness, "UNIX-LISTEN:%s", name), "PIPE", NULL);

    program_logs(program, " N listening on ");
    assert_int_equal(rename(name, path(harness, "moved")), 0);
    file_write(harness, name, "of somebody else");
    echoes(harness, path(harness, "moved"));
    program_ends_logging(program, 0, " N \"*/socket\" is not removed: it has been replaced since");
    assert_string_equal(file_read(harness, name), "of somebody else");
}

static void a_listener_refuses_a_second_name(void **state)
{
    struct harness *harness = *state;
    program_ends_logging(
        program_start(harness, text(harness, "UNIX-LISTEN:%s,bind=other", path(harness, "socket")),
                      "PIPE", NULL),
        1, " E option \"bind\" is for clients; UNIX-LISTEN binds to its parameter");
    assert_false(is_there(path(harness, "socket")));
}

static void an_entry_that_exists_is_left_alone(void **state)
{
    static const char *const types[] = {"UNIX-LISTEN", "UNIX-RECVFROM", "UNIX-RECV"};
    struct harness *harness = *state;
    const char *name = path(harness, "file");
    file_write(harness, name, "content");

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        program_ends_logging(
            program_start(harness, "-u", text(harness, "%s:%s", types[i], name), "-", NULL), 1,
            text(harness, " E \"%s\" exists", name));
        program_ends_logging(program_start(harness, "-u",
                                           text(harness, "%s:%s,unlink-early", types[i], name), "-",
                                           NULL),
                             1, "exists and is not a socket: it is not removed");
        assert_string_equal(file_read(harness, name), "content");
    }
}

static void unlink_early_makes_room_where_a_socket_was_left(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    struct place place = place_path(harness, name);
    struct program *program;

    packet_socket(harness, SOCK_STREAM, 0, &place);
    program_ends_logging(program_start(harness, text(harness, "UNIX-LISTEN:%s", name), "-", NULL),
                         1, "exists");
    assert_true(is_there(name));
    program = program_start(harness, "-d", "-d", text(harness, "UNIX-LISTEN:%s,unlink-early", name),
                            "PIPE", NULL);
    program_logs(program, " N listening on ");
    echoes(harness, name);
    program_ends(program, 0);
}

static void an_entry_has_its_permissions_from_the_start(void **state)
{
    static const struct {
        const char *options;
        mode_t mode;
    } rows[] = {{"mode=606", 0606}, {"perm=777", 0777}, {"umask=027", 0750}, {"mode=0", 0}};
    struct harness *harness = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *name = path(harness, text(harness, "socket%zu", i));
        struct program *program =
            program_start(harness, "-d", "-d",
                          text(harness, "UNIX-LISTEN:%s,%s", name, rows[i].options), "-", NULL);
        program_logs(program, " N listening on ");
        assert_int_equal(mode_of(name), S_IFSOCK | rows[i].mode);
    }
}

static void an_entry_has_its_owner_and_group(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    struct program *program;
    struct stat status;

    if (geteuid() != 0)
        skip_because("it takes root");
    program = program_start(harness, "-d", "-d",
                            text(harness, "UNIX-RECVFROM:%s,user=65534,group=2,mode=640", name),
                            "-", NULL);
    program_logs(program, " N receiving on ");
    assert_int_equal(stat(name, &status), 0);
    assert_int_equal(status.st_uid, 65534);
    assert_int_equal(status.st_gid, 2);
    assert_int_equal(status.st_mode, S_IFSOCK | 0640);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
    struct harness *harness = *state;
    char name[120];
    memset(name, 'x', sizeof(name));
    name[108] = '\0';
    program_ends_logging(program_start(harness, text(harness, "UNIX-LISTEN:%s", name), "-", NULL),
                         1, "is longer than a socket's name may be (108 bytes instead of 107)");
    program_ends_logging(program_start(harness, text(harness, "ABSTRACT:%s", name), "-", NULL), 1,
                         "is longer than a socket's name may be");
    program_ends_logging(program_start(harness, "UNIX-CONNECT:", "-", NULL), 1,
                         "the name of the socket is empty");
}

static void the_client_finds_out_which_type_of_socket_there_is(void **state)
{
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
    static const char *const clients[] = {"UNIX-CLIENT", "GOPEN", "ABSTRACT-CLIENT"};
    struct harness *harness = *state;

    for (size_t i = 0; i < 9; i++) {
        const char *name = path(harness, text(harness, "socket%zu", i));
        bool abstract = i % 3 == 2;
        struct place place = abstract ? place_abstract(harness, name) : place_path(harness, name);
        int fd = packet_socket(harness, types[i / 3], 0, &place);
        if (types[i / 3] != SOCK_DGRAM)
            assert_int_equal(listen(fd, 1), 0);
        struct program *program =
            program_start(harness, "-d", "-d", "-",
                          text(harness, "%s:%s,bind=%s.own", clients[i % 3], name, name), NULL);
        program_send(program, "hello");
        if (types[i / 3] != SOCK_DGRAM)
            fd = peer_accept(harness, fd);
        struct place from = packet_arrives(harness, fd, "hello");
        if (types[i / 3] == SOCK_DGRAM)
            packet_send_to(harness, fd, &from, "answer");
        else
            peer_send(harness, fd, "answer");
        program_outputs(program, "answer");
        assert_false(program_has_logged(program, " W "));
        program_end_input(program);
        program_ends(program, 0);
        assert_false(is_there(text(harness, "%s.own", name)));
    }
}

static void a_missing_peer_is_named(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "nobody"), *file = path(harness, "file");
    struct program *program;

    file_write(harness, file, "content");
    for (int i = 0; i < 2; i++) {
        const char *type = i == 0 ? "UNIX" : "UNIX-CONNECT";
        program_ends_logging(
            program_start(harness, text(harness, "%s:%s,bind=%s", type, name, file), "-", NULL), 1,
            text(harness, " E \"%s\" exists", file));
    }
    program_ends_logging(
        program_start(harness, text(harness, "UNIX-CONNECT:%s", name), "-", NULL), 1,
        " E cannot connect to *nobody: No such file or directory [connect(*nobody\"*)]");
    program_ends_logging(
        program_start(harness, text(harness, "UNIX:%s", name), "-", NULL), 1,
        text(harness, " E cannot connect to %s: No such file or directory [connect(", name));
    program_ends_logging(
        program_start(harness, text(harness, "UNIX:%s", file), "-", NULL), 1,
        text(harness, " E cannot connect to %s: Connection refused [connect(", file));
    program_ends_logging(program_start(harness, text(harness, "ABSTRACT:%s", name), "-", NULL), 1,
                         text(harness, " E cannot connect to %s: Connection refused", name));
    program = program_start(harness, "-u", "-", text(harness, "UNIX-SENDTO:%s", name), NULL);
    program_send(program, "x");
    program_logs(program,
                 " E cannot send to *nobody: No such file or directory [sendto(*nobody\")]");
    program_ends(program, 1);
}

static void entry_options_of_a_client_need_an_entry(void **state)
{
    static const char *const options[] = {"perm=600", "user=0", "unlink-early", "unlink-close=0"};
    struct harness *harness = *state;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        program_ends_logging(
            program_start(harness, text(harness, "UNIX-CONNECT:x,%s", options[i]), "-", NULL), 1,
            " only with bind option");
    program_ends_logging(program_start(harness, "UNIX:x,bind=y,bind-tempname", "-", NULL), 1,
                         "do not use both options bind and unix-bind-tempnam");
    program_ends_logging(program_start(harness, "UNIX:x,bind-tempname=y", "-", NULL), 1,
                         "option bind-tempname: invalid value \"y\": it must contain XXXXXX");
}

static void a_client_takes_a_temporary_name_that_nobody_has(void **state)
{
    struct harness *harness = *state;
    struct place place = place_path(harness, path(harness, "server"));
    int fd = packet_socket(harness, SOCK_DGRAM, 0, &place);
    char last[108] = "";

    for (int i = 0; i < 3; i++) {
        struct program *program =
            program_start(harness, "-u", "-",
                          text(harness, "UNIX-SENDTO:%s,bind-tempname=%s", path(harness, "server"),
                               path(harness, "from-XXXXXX-here")),
                          NULL);
        program_send(program, "x");
        struct place from = packet_arrives(harness, fd, "x");
        const char *name = ((const struct sockaddr_un *)&from.address)->sun_path;
        assert_null(strstr(name, "XXXXXX"));
        assert_non_null(strstr(name, "-here"));
        assert_string_not_equal(name, last);
        assert_true(is_there(name));
        program_end_input(program);
        program_ends(program, 0);
        assert_false(is_there(name));
        memcpy(last, name, sizeof(last));
    }
}

static void a_connection_that_fails_leaves_no_entry(void **state)
{
    struct harness *harness = *state;
    const char *own = path(harness, "own"), *name = path(harness, "server");
    struct program *program = program_start(
        harness, "-d", "-d", "-d", "-",
        text(harness, "UNIX-CONNECT:%s,bind=%s,retry=100,interval=0.05", name, own), NULL);
    struct place place = place_path(harness, name);
    int fd;

    program_logs(program, "No such file or directory");
    program_logs(program, "No such file or directory");
    fd = packet_socket(harness, SOCK_STREAM, 0, &place);
    listen(fd, 1);
    fd = peer_accept(harness, fd);
    assert_true(is_there(own));
    program_end_input(program);
    peer_receives_end(harness, fd);
    harness_close(harness, fd);
    program_ends(program, 0);
    assert_false(is_there(own));
}

static void tightsocklen_chooses_how_long_an_abstract_name_is(void **state)
{
    struct harness *harness = *state;
    for (int tight = 0; tight < 2; tight++) {
        const char *name = path(harness, text(harness, "name%d", tight));
        struct place place = place_abstract(harness, name);
        struct program *program;
        if (!tight)
            place.length = sizeof(struct sockaddr_un);
        program = program_start(
            harness, "-d", "-d",
            text(harness, "ABSTRACT-LISTEN:%s,unix-tightsocklen=%d", name, tight), "PIPE", NULL);
        program_logs(program, " N listening on AF=1 \"\\0");
        int fd = connect_to(harness, SOCK_STREAM, &place);
        peer_send(harness, fd, "echo");
        peer_receives(harness, fd, "echo");
    }
}

static void recvfrom_answers_each_sender(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    struct program *program = program_start(
        harness, "-d", "-d", "-t5", text(harness, "UNIX-RECVFROM:%s,fork", name), "PIPE", NULL);
    struct place place = place_path(harness, name);

    program_logs(program, " N receiving on AF=1 ");
    for (int i = 0; i < 5; i++) {
        struct place own = place_path(harness, path(harness, text(harness, "own%d", i)));
        int fd = packet_socket(harness, SOCK_DGRAM, 0, &own);
        packet_connect(harness, fd, &place);
        peer_send(harness, fd, text(harness, "question %d", i));
        packet_arrives(harness, fd, text(harness, "question %d", i));
    }
    process_awaits_children(harness, program_pid(program), 0);
    assert_true(is_there(name));
}

static void a_sender_without_a_name_gets_no_answer(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    struct program *program =
        program_start(harness, "-d", "-d", text(harness, "UNIX-RECVFROM:%s", name), "PIPE", NULL);
    struct place place = place_path(harness, name);

    program_logs(program, " N receiving on AF=1 ");
    int fd = connect_to(harness, SOCK_DGRAM, &place);
    peer_send(harness, fd, "question");
    program_logs(program, " N receiving packet from AF=1 \"<anon>\"");
    program_logs(program, " E cannot reply: the sender's socket has no address");
    program_ends(program, 1);
}

/* A stream, in blocks that are longer than a socket's buffer. */
static struct program *sends_long_blocks(struct harness *harness, const char *address,
                                         const char *name, size_t length)
{
    char *bytes = memory(harness, length + 1);
    memset(bytes, 'x', length);
    bytes[length] = '\0';
    file_write(harness, path(harness, "content"), bytes);
    return program_start(harness, "-b", "1M", "-u", path(harness, "content"),
                         text(harness, "%s:%s,so-sndbuf=10000", address, name), NULL);
}

static void blocks_that_are_too_long_for_a_sequence_of_packets_are_split(void **state)
{
    enum { LENGTH = 3000000 };
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    struct place place = place_path(harness, name);
    int listener = packet_socket(harness, SOCK_SEQPACKET, 0, &place);
    static char buffer[65536];
    size_t received = 0, length;

    assert_int_equal(listen(listener, 1), 0);
    struct program *program =
        sends_long_blocks(harness, "UNIX-CONNECT", text(harness, "%s,so-type=5", name), LENGTH);
    int server = peer_accept(harness, listener);
    while ((length = packet_receive(harness, server, buffer, sizeof(buffer), NULL)) > 0)
        received += length;
    assert_int_equal(received, LENGTH);
    harness_close(harness, server);
    program_ends(program, 0);
    assert_string_equal(program_log(program), "");
}

static void blocks_that_are_too_long_for_datagrams_are_an_error(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    struct place place = place_path(harness, name);

    packet_socket(harness, SOCK_DGRAM, 0, &place);
    program_ends_logging(sends_long_blocks(harness, "UNIX-SENDTO", name, 100000), 1,
                         " E cannot write to *Message too *: this message of 100000 bytes is "
                         "dropped; option -b makes");
}

/* A receiver that takes nothing for a while: packets wait, and the program does so as well. */
static void a_receiver_with_a_full_queue_is_waited_for(void **state)
{
    enum { PACKETS = 500 };
    struct harness *harness = *state;
    const char *from_name = path(harness, "from"), *to_name = path(harness, "to");
    struct place from = place_path(harness, from_name), to = place_path(harness, to_name);
    int receiver = packet_socket(harness, SOCK_DGRAM, 0, &to);
    struct program *program =
        program_start(harness, "-d", "-d", "-u", text(harness, "UNIX-RECV:%s", from_name),
                      text(harness, "UNIX-SENDTO:%s", to_name), NULL);
    int fd, sent = 0;

    program_logs(program, " N receiving on ");
    fd = connect_to(harness, SOCK_DGRAM | SOCK_NONBLOCK, &from);
    while (sent < PACKETS && send(fd, &sent, sizeof(sent), 0) == sizeof(sent))
        sent++;
    /* Time in which a program that does not wait would be seen at work. */
    long long ticks = process_ticks(program_pid(program));
    poll(NULL, 0, 300);
    assert_true(process_ticks(program_pid(program)) - ticks < 10);
    fcntl(fd, F_SETFL, 0);
    for (int i = 0; i < PACKETS; i++) {
        int number = -1;
        packet_receive(harness, receiver, &number, sizeof(number), NULL);
        assert_int_equal(number, i);
        if (sent < PACKETS) {
            packet_send(harness, fd, &sent, sizeof(sent));
            sent++;
        }
    }
    assert_false(program_has_logged(program, " E "));
}

static void the_empty_packet_of_shut_null_waits_for_room_too(void **state)
{
    struct harness *harness = *state;
    struct place place = place_path(harness, path(harness, "to"));
    int receiver = packet_socket(harness, SOCK_DGRAM, 0, &place);
    char *data = memory(harness, 400001), buffer[9000];
    size_t length, received = 0;

    memset(data, 'x', 400000);
    data[400000] = '\0';
    file_write(harness, path(harness, "file"), data);
    struct program *program =
        program_start(harness, "-u", path(harness, "file"),
                      text(harness, "UNIX-SENDTO:%s,shut-null", path(harness, "to")), NULL);
    while ((length = packet_receive(harness, receiver, buffer, sizeof(buffer), NULL)) > 0)
        received += length;
    assert_int_equal(received, 400000);
    program_ends(program, 0);
}

static void descriptors_that_come_with_a_packet_are_closed(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    struct place place = place_path(harness, name);
    struct program *program =
        program_start(harness, "-d", "-d", "-u", text(harness, "UNIX-RECV:%s", name), "-", NULL);
    char data[] = "data", control[CMSG_SPACE(2 * sizeof(int))] = "";
    struct iovec piece = {data, 4};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    const int fds[] = {0, 1};

    program_logs(program, " N starting data transfer loop");
    size_t descriptors = process_descriptors(program_pid(program));
    int fd = connect_to(harness, SOCK_DGRAM, &place);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(header), fds, sizeof(fds));
    assert_int_equal(sendmsg(fd, &message, 0), 4);
    program_outputs(program, "data");
    process_awaits_descriptors(harness, program_pid(program), descriptors);
}

#define WITHOUT_PROC "mount --make-rprivate / && umount -l /proc && exec "

/* Drivers are found, and the socket gets its user and its permissions. */
static void a_socket_is_made_where_no_proc_is_mounted(void **state)
{
    struct harness *harness = *state;
    const char *name = path(harness, "socket");
    const char *const arguments[] = {
        "-m",           "sh",
        "-c",           WITHOUT_PROC "\"$0\" \"$@\"",
        program_file(), "-d",
        "-d",           text(harness, "UNIX-LISTEN:%s,user=65534,mode=600,unlink-early", name),
        "PIPE",         NULL};
    if (SANITIZED || system("unshare -m sh -c '" WITHOUT_PROC "true' 2>/dev/null") != 0)
        skip_because("/proc can not be taken away here");
    struct program *program =
        program_launch(harness, &(struct launch){.program = "unshare", .arguments = arguments});
    program_logs(program, " N listening on ");
    struct stat status;
    assert_int_equal(stat(name, &status), 0);
    assert_int_equal(status.st_uid, 65534);
    assert_int_equal(status.st_mode & 0777, 0600);
    program_signal(program, SIGTERM);
    program_ends(program, 128 + SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(a_socket_is_made_where_no_proc_is_mounted),
        SYSTEM_TEST(a_listener_removes_its_entry_at_the_end),
        SYSTEM_TEST(a_listener_leaves_its_entry_when_told_so),
        SYSTEM_TEST(an_entry_that_has_been_replaced_stays),
        SYSTEM_TEST(a_listener_refuses_a_second_name),
        SYSTEM_TEST(an_entry_that_exists_is_left_alone),
        SYSTEM_TEST(unlink_early_makes_room_where_a_socket_was_left),
        SYSTEM_TEST(an_entry_has_its_permissions_from_the_start),
        SYSTEM_TEST(an_entry_has_its_owner_and_group),
        SYSTEM_TEST(a_name_that_is_too_long_is_refused),
        SYSTEM_TEST(the_client_finds_out_which_type_of_socket_there_is),
        SYSTEM_TEST(a_missing_peer_is_named),
        SYSTEM_TEST(entry_options_of_a_client_need_an_entry),
        SYSTEM_TEST(a_client_takes_a_temporary_name_that_nobody_has),
        SYSTEM_TEST(a_connection_that_fails_leaves_no_entry),
        SYSTEM_TEST(tightsocklen_chooses_how_long_an_abstract_name_is),
        SYSTEM_TEST(recvfrom_answers_each_sender),
        SYSTEM_TEST(a_sender_without_a_name_gets_no_answer),
        SYSTEM_TEST(blocks_that_are_too_long_for_a_sequence_of_packets_are_split),
        SYSTEM_TEST(blocks_that_are_too_long_for_datagrams_are_an_error),
        SYSTEM_TEST(a_receiver_with_a_full_queue_is_waited_for),
        SYSTEM_TEST(the_empty_packet_of_shut_null_waits_for_room_too),
        SYSTEM_TEST(descriptors_that_come_with_a_packet_are_closed),
    };
    return cmocka_run_group_tests_name("unix", tests, NULL, NULL);
}
