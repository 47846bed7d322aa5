/* Pseudo terminals as addresses: links to them, programs that come and go, and their end. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define TRANSFER " N starting data transfer loop"

/* The program with a PTY, its options behind the link's, and what a client needs of it. */
struct line {
    struct harness *harness;
    const char *link;
    struct program *program;
};

static struct line line_start(struct harness *harness, const char *options, const char *other)
{
    struct line line = {.harness = harness, .link = path(harness, "link")};

    line.program = program_start(harness, "-d", "-d",
                                 text(harness, "PTY,link=%s%s", line.link, options), other, NULL);
    return line;
}

static int line_open(const struct line *line)
{
    int fd = open(line->link, O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        harness_fail(line->harness, "can't open %s", line->link);
    return harness_keep(line->harness, fd);
}

static void line_end(const struct line *line)
{
    program_signal(line->program, SIGTERM);
    program_ends(line->program, 143);
}

static const char *destination(struct harness *harness, const char *link)
{
    char *target = memory(harness, PATH_MAX);
    ssize_t length = readlink(link, target, PATH_MAX - 1);

    if (length < 0)
        return NULL;
    target[length] = '\0';
    return target;
}

static void the_link_leads_to_the_terminal_and_goes_at_the_end(void **state)
{
    struct line line = line_start(*state, ",mode=640,rawer", "PIPE");
    struct stat status;

    program_logs(line.program, " N PTY is /dev/pts/");
    program_logs(line.program, TRANSFER);
    assert_int_equal(strncmp(destination(*state, line.link), "/dev/pts/", 9), 0);
    assert_int_equal(stat(line.link, &status), 0);
    assert_true(S_ISCHR(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0640);
    line_end(&line);
    assert_int_equal(lstat(line.link, &status), -1);
}

static void an_old_link_is_replaced(void **state)
{
    const char *link = path(*state, "link");
    struct line line;

    assert_int_equal(symlink("/nowhere", link), 0);
    line = line_start(*state, "", "PIPE");
    program_logs(line.program, TRANSFER);
    assert_int_equal(strncmp(destination(*state, line.link), "/dev/pts/", 9), 0);
    line_end(&line);
}

static void a_file_in_the_links_place_survives(void **state)
{
    struct line line;

    file_write(*state, path(*state, "link"), "content");
    line = line_start(*state, "", "PIPE");
    program_ends_logging(line.program, 1, " E \"*link\" is a regular file");
    assert_string_equal(file_read(*state, line.link), "content");
}

static void a_folder_in_the_links_place_survives(void **state)
{
    struct line line;

    assert_int_equal(mkdir(path(*state, "link"), 0700), 0);
    line = line_start(*state, "", "PIPE");
    program_ends_logging(line.program, 1, " E \"*link\" is a directory");
    assert_int_equal(rmdir(line.link), 0);
}

static void a_file_goes_where_unlink_early_says_so(void **state)
{
    struct line line;

    file_write(*state, path(*state, "link"), "content");
    line = line_start(*state, ",unlink-early", "PIPE");
    program_logs(line.program, TRANSFER);
    assert_non_null(destination(*state, line.link));
    line_end(&line);
}

static void a_link_that_somebody_else_has_made_since_stays(void **state)
{
    struct line line = line_start(*state, "", "PIPE");

    program_logs(line.program, TRANSFER);
    assert_int_equal(unlink(line.link), 0);
    assert_int_equal(symlink("/elsewhere", line.link), 0);
    line_end(&line);
    assert_string_equal(destination(*state, line.link), "/elsewhere");
    unlink(line.link);
}

static void the_link_stays_without_unlink_close(void **state)
{
    struct line line = line_start(*state, ",unlink-close=0", "PIPE");

    program_logs(line.program, TRANSFER);
    line_end(&line);
    assert_non_null(destination(*state, line.link));
    unlink(line.link);
}

static void a_failing_second_address_leaves_no_link(void **state)
{
    struct line line = line_start(*state, "", "OPEN:/nowhere/file");
    struct stat status;

    program_ends_logging(line.program, 1, " E cannot open /nowhere/file: *open(\"/nowhere/file\"");
    assert_int_equal(lstat(line.link, &status), -1);
}

static void options_set_the_terminal(void **state)
{
    struct line line = line_start(*state, ",raw,echo=0,ispeed=9600,ospeed=13,eof=3", "PIPE");
    struct termios settings;

    program_logs(line.program, TRANSFER);
    assert_int_equal(tcgetattr(line_open(&line), &settings), 0);
    assert_int_equal(settings.c_lflag & (ICANON | ECHO | ISIG), 0);
    assert_int_equal(settings.c_oflag & OPOST, 0);
    assert_int_equal(cfgetospeed(&settings), B9600);
    assert_int_equal(settings.c_cc[VEOF], 3);
    line_end(&line);
}

static void the_user_option_gives_the_terminal_away(void **state)
{
    struct line line;
    struct stat status;

    if (getuid() != 0)
        skip_because("only root can give a file away");
    line = line_start(*state, ",user=65534,group=65534", "PIPE");
    program_logs(line.program, TRANSFER);
    assert_int_equal(stat(line.link, &status), 0);
    assert_int_equal(status.st_uid, 65534);
    assert_int_equal(status.st_gid, 65534);
    line_end(&line);
}

static void programs_come_and_go(void **state)
{
    struct line line = line_start(*state, ",rawer", "PIPE");
    size_t before;

    program_logs(line.program, TRANSFER);
    before = process_descriptors(program_pid(line.program));
    for (int i = 0; i < 20; i++) {
        int client = line_open(&line);
        const char *greeting = text(*state, "hello %d", i);
        peer_send(*state, client, greeting);
        peer_receives(*state, client, greeting);
        harness_close(*state, client);
    }
    process_awaits_descriptors(*state, program_pid(line.program), before);
    line_end(&line);
}

static void every_byte_goes_both_ways(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port), server, client;
    struct line line = line_start(harness, ",rawer", text(harness, "TCP4:" LOOPBACK ":%u", port));

    server = peer_accept(harness, listener);
    program_logs(line.program, TRANSFER);
    client = line_open(&line);
    fcntl(client, F_SETFL, O_NONBLOCK);
    struct flow flows[] = {
        {.write_fd = client, .read_fd = server, .seed = 1, .length = 1 << 20, .open_end = true},
        {.write_fd = server, .read_fd = client, .seed = 2, .length = 1 << 20, .open_end = true},
    };
    flows_run(harness, flows, 2);
    line_end(&line);
}

/* What a program writes just before it closes the terminal arrives, and then the end. */
static void with_wait_slave_the_end_comes_when_the_program_closes_it(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "file");
    struct line line = line_start(harness, ",rawer,wait-slave,pty-interval=1000",
                                  text(harness, "CREATE:%s", file));
    int client;

    program_logs(line.program, " N waiting for a program to open ");
    assert_false(file_exists(file));
    client = line_open(&line);
    program_logs(line.program, TRANSFER);
    peer_send(harness, client, "first, ");
    peer_send(harness, client, "last");
    harness_close(harness, client);
    program_logs(line.program, " N read(*): Input/output error (probably PTY closed)");
    program_ends(line.program, 0);
    assert_string_equal(file_read(harness, file), "first, last");
}

static void wait_slave_misses_no_program_however_short(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "file");
    struct line line =
        line_start(harness, ",rawer,waitslave,pty-interval=1000", text(harness, "CREATE:%s", file));
    int client;

    program_logs(line.program, " N waiting for a program to open ");
    client = line_open(&line);
    peer_send(harness, client, "short");
    harness_close(harness, client);
    program_ends(line.program, 0);
    assert_string_equal(file_read(harness, file), "short");
}

static void sigterm_ends_it_while_it_waits_for_a_program(void **state)
{
    struct line line = line_start(*state, ",wait-slave", "PIPE");
    struct stat status;

    program_logs(line.program, " N waiting for a program to open ");
    line_end(&line);
    assert_int_equal(lstat(line.link, &status), -1);
}

static void with_ptmx_the_first_program_is_waited_for_and_its_close_is_the_end(void **state)
{
    struct harness *harness = *state;
    struct line line = line_start(harness, ",rawer,ptmx", "PIPE");
    int client;

    program_logs(line.program, TRANSFER);
    client = line_open(&line);
    peer_send(harness, client, "hello");
    peer_receives(harness, client, "hello");
    harness_close(harness, client);
    program_ends(line.program, 0);
}

static void sitout_eio_bridges_the_time_between_two_programs(void **state)
{
    struct harness *harness = *state;
    struct line line = line_start(harness, ",rawer,ptmx,sitout-eio=100", "PIPE");
    int client;

    program_logs(line.program, TRANSFER);
    for (int i = 0; i < 2; i++) {
        client = line_open(&line);
        peer_send(harness, client, "hello");
        peer_receives(harness, client, "hello");
        harness_close(harness, client);
        program_logs(line.program, " N xioread(fd=*): EIO, sitting out 100.00s for recovery");
    }
    line_end(&line);
}

static void when_sitout_eio_is_over_the_closed_terminal_is_an_error(void **state)
{
    struct line line = line_start(*state, ",rawer,ptmx,sitout-eio=0.25", "PIPE");
    long long ticks;

    program_logs(line.program, TRANSFER);
    harness_close(*state, line_open(&line));
    program_logs(line.program, " N xioread(fd=*): EIO, sitting out 0.25s for recovery");
    ticks = process_ticks(program_pid(line.program));
    assert_true(ticks < 100);
    program_ends_logging(line.program, 1, " E cannot read from *: Input/output error [read(");
}

/* A program that is slow to read what was written last still gets all of it. */
static void a_slow_reader_gets_every_byte(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port), server, client;
    struct line line = line_start(harness, ",rawer,wait-slave",
                                  text(harness, "TCP4:" LOOPBACK ":%u,shut-none", port));
    char buffer[3000];

    program_logs(line.program, " N waiting for a program to open ");
    client = line_open(&line);
    server = peer_accept(harness, listener);
    program_logs(line.program, TRANSFER);
    for (size_t i = 0; i < sizeof buffer; i++)
        buffer[i] = (char)('a' + i % 26);
    assert_int_equal(write(server, buffer, sizeof buffer), sizeof buffer);
    harness_close(harness, server);
    program_logs(line.program, " N socket 2 (fd *) is at EOF");
    for (size_t i = 0; i < sizeof buffer; i += 10) {
        poll(NULL, 0, 4);
        peer_receives(harness, client, text(harness, "%.10s", buffer + i));
    }
    program_ends(line.program, 0);
}

/* One that reads so much, and then nothing for so many milliseconds, until it has all. */
static void gets_every_byte_with_pauses(struct harness *harness, size_t length, size_t piece,
                                        int pause)
{
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port), server, client;
    struct line line =
        line_start(harness, ",rawer,wait-slave", text(harness, "TCP4:" LOOPBACK ":%u", port));
    char *sent = memory(harness, length + 1);

    program_logs(line.program, " N waiting for a program to open ");
    client = line_open(&line);
    server = peer_accept(harness, listener);
    program_logs(line.program, TRANSFER);
    for (size_t i = 0; i < length; i++)
        sent[i] = (char)('a' + i % 26);
    assert_int_equal(write(server, sent, length), length);
    for (size_t i = 0; i < length; i += piece) {
        peer_receives(harness, client, text(harness, "%.*s", (int)piece, sent + i));
        if (i == 0) {
            harness_close(harness, server);
            program_logs(line.program, " N socket 2 (fd *) is at EOF");
        }
        poll(NULL, 0, pause);
    }
    program_ends(line.program, 0);
    assert_false(program_has_logged(line.program, " W discarding"));
}

static void a_reader_who_pauses_gets_every_byte(void **state)
{
    gets_every_byte_with_pauses(*state, 3000, 1000, 2000);
}

/* The kernel does not show how much of more than 4 KiB is unread. */
static void a_reader_who_pauses_gets_every_byte_of_many(void **state)
{
    gets_every_byte_with_pauses(*state, 12000, 1500, 1500);
}

static void what_nobody_reads_does_not_hold_it_up(void **state)
{
    struct harness *harness = *state;
    struct line line = line_start(harness, ",rawer,wait-slave", "SYSTEM:echo unread");

    program_logs(line.program, " N waiting for a program to open ");
    line_open(&line);
    program_ends_logging(line.program, 0, " W discarding at least 7 unread bytes in /dev/pts/*");
}

/* The terminal takes nothing any more, and the peer neither ends nor is read from. */
static void a_user_who_has_gone_does_not_hold_up_a_peer_who_goes_on(void **state)
{
    struct harness *harness = *state;
    unsigned port;
    int listener = peer_listen(harness, LOOPBACK, &port);
    struct program *program =
        program_start(harness, "-d", "-d", "-t", "1",
                      text(harness, "PTY,link=%s,rawer,wait-slave", path(harness, "link")),
                      text(harness, "TCP4:" LOOPBACK ":%u", port), NULL);
    struct line line = {.harness = harness, .program = program, .link = path(harness, "link")};

    program_logs(program, " N waiting for a program to open ");
    int client = line_open(&line), server = peer_accept(harness, listener);
    program_logs(program, TRANSFER);
    struct flow flow = {.write_fd = server, .read_fd = client, .seed = 1, .length = 100000};
    flow_push(harness, &flow);
    harness_close(harness, client);
    program_logs(program, " N socket 1 (fd *) is at EOF");
    long long ticks = process_ticks(program_pid(program));
    poll(NULL, 0, 500);
    assert_true(process_ticks(program_pid(program)) - ticks < 10);
    program_ends_logging(program, 0, " W * bytes for socket 1 are not delivered");
}

/* The same in a session that only writes to the terminal. */
static struct line line_start_for_writing(struct harness *harness, const char *options)
{
    struct line line = {.harness = harness, .link = path(harness, "link")};
    line.program = program_start(harness, "-d", "-d", "-u", "-",
                                 text(harness, "PTY,link=%s,rawer%s", line.link, options), NULL);
    return line;
}

static void sends(const struct line *line, int client, const char *data)
{
    program_send(line->program, data);
    peer_receives(line->harness, client, data);
}

static void one_way_into_it_ends_when_its_reader_leaves(void **state)
{
    static const char *const options[] = {",wait-slave", ",ptmx"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct line line = line_start_for_writing(*state, options[i]);
        program_logs(line.program, i == 0 ? " N waiting for a program to open " : TRANSFER);
        int client = line_open(&line);
        sends(&line, client, "hello");
        harness_close(*state, client);
        program_ends_logging(line.program, 0, " N socket 2 (fd *) has gone, nothing was on its");
    }
}

static void one_way_into_it_fails_when_its_reader_leaves_something(void **state)
{
    struct line line = line_start_for_writing(*state, ",wait-slave");
    program_logs(line.program, " N waiting for a program to open ");
    int client = line_open(&line);
    sends(&line, client, "hello");
    struct flow flow = {.write_fd = program_take_input(line.program), .read_fd = client, .seed = 1};
    flow.length = 1 << 20;
    flow_push(*state, &flow);
    harness_close(*state, client);
    program_ends_logging(line.program, 1, " E cannot write to *: Input/output error [write(");
}

/* It would block on the way, and then read no more. */
static void what_a_reader_types_holds_nothing_up(void **state)
{
    struct line line = line_start_for_writing(*state, "");
    program_logs(line.program, TRANSFER);
    int client = line_open(&line);
    for (int i = 0; i < 100; i++) {
        peer_send(*state, client, text(*state, "%01000d", i));
        sends(&line, client, "hello");
    }
    program_end_input(line.program);
    program_ends(line.program, 0);
}

static void sitout_eio_waits_for_the_next_reader(void **state)
{
    struct line line = line_start_for_writing(*state, ",wait-slave,sitout-eio=100");
    program_logs(line.program, " N waiting for a program to open ");
    for (int i = 0; i < 3; i++) {
        int client = line_open(&line);
        if (i > 0)
            peer_receives(*state, client, "meanwhile");
        sends(&line, client, "hello");
        harness_close(*state, client);
        program_logs(line.program, " N xioread(fd=*): EIO, sitting out 100.00s for recovery");
        program_send(line.program, "meanwhile");
    }
    program_end_input(line.program);
    program_ends(line.program, 0);
}

static void when_nobody_reads_within_sitout_eio_that_is_an_error(void **state)
{
    struct line line = line_start_for_writing(*state, ",wait-slave,sitout-eio=0.25");
    program_logs(line.program, " N waiting for a program to open ");
    int client = line_open(&line);
    sends(&line, client, "hello");
    harness_close(*state, client);
    program_logs(line.program, " N xioread(fd=*): EIO, sitting out 0.25s for recovery");
    assert_true(process_ticks(program_pid(line.program)) < 100);
    program_ends_logging(line.program, 1, " E cannot write to *: Input/output error [write(");
}

/* Each row: an address, and the message that names what is wrong with it. */
static const struct {
    const char *address;
    const char *message;
} mistakes[] = {
    {"PTY:x", " E PTY: wrong number of parameters (1 instead of 0)"},
    {"PTY,link=/nowhere/link", " E cannot make symbolic link /nowhere/link: No such file"},
    {"PTY,pty-interval=x", " E *pty-interval=x"},
    {"PTY,setpgid", " E *\"setpgid\" not supported with this address type"},
    {"PTY,user=nobody-of-this-name", " E *nobody-of-this-name"},
    {"PTY,csize=9", " E option csize: invalid value \"9\""},
};

static void each_mistake_is_named(void **state)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        program_ends_logging(program_start(*state, mistakes[i].address, "PIPE", NULL), 1,
                             mistakes[i].message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(the_link_leads_to_the_terminal_and_goes_at_the_end),
        SYSTEM_TEST(an_old_link_is_replaced),
        SYSTEM_TEST(a_file_in_the_links_place_survives),
        SYSTEM_TEST(a_folder_in_the_links_place_survives),
        SYSTEM_TEST(a_file_goes_where_unlink_early_says_so),
        SYSTEM_TEST(a_link_that_somebody_else_has_made_since_stays),
        SYSTEM_TEST(the_link_stays_without_unlink_close),
        SYSTEM_TEST(a_failing_second_address_leaves_no_link),
        SYSTEM_TEST(options_set_the_terminal),
        SYSTEM_TEST(the_user_option_gives_the_terminal_away),
        SYSTEM_TEST(programs_come_and_go),
        SYSTEM_TEST(every_byte_goes_both_ways),
        SYSTEM_TEST(with_wait_slave_the_end_comes_when_the_program_closes_it),
        SYSTEM_TEST(wait_slave_misses_no_program_however_short),
        SYSTEM_TEST(sigterm_ends_it_while_it_waits_for_a_program),
        SYSTEM_TEST(with_ptmx_the_first_program_is_waited_for_and_its_close_is_the_end),
        SYSTEM_TEST(sitout_eio_bridges_the_time_between_two_programs),
        SYSTEM_TEST(when_sitout_eio_is_over_the_closed_terminal_is_an_error),
        SYSTEM_TEST(a_slow_reader_gets_every_byte),
        SYSTEM_TEST(a_reader_who_pauses_gets_every_byte),
        SYSTEM_TEST(a_reader_who_pauses_gets_every_byte_of_many),
        SYSTEM_TEST(what_nobody_reads_does_not_hold_it_up),
        SYSTEM_TEST(a_user_who_has_gone_does_not_hold_up_a_peer_who_goes_on),
        SYSTEM_TEST(one_way_into_it_ends_when_its_reader_leaves),
        SYSTEM_TEST(one_way_into_it_fails_when_its_reader_leaves_something),
        SYSTEM_TEST(what_a_reader_types_holds_nothing_up),
        SYSTEM_TEST(sitout_eio_waits_for_the_next_reader),
        SYSTEM_TEST(when_nobody_reads_within_sitout_eio_that_is_an_error),
        SYSTEM_TEST(each_mistake_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
