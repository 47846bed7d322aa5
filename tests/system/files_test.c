/* Addresses that are files, pipes and descriptors. */

#define _GNU_SOURCE
#include "tests/system/peers.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each row: an address to write "NEW" to, "%s" being the file; what the file holds before and
 * afterwards; NULL: there is none. */
static const struct writing {
    const char *address;
    const char *before;
    const char *after;
} writings[] = {
    {"OPEN:%s", "old file", "NEW file"},
    {"FILE:%s", "old file", "NEW file"},
    {"open:%s,wronly", "old file", "NEW file"},
    {"OPEN:%s,creat", NULL, "NEW"},
    {"OPEN:%s,creat,excl", NULL, "NEW"},
    {"OPEN:%s,o-creat=1,trunc=0", "old file", "NEW file"},
    {"OPEN:%s,append", "old file", "old fileNEW"},
    {"OPEN:%s,trunc", "old file", "NEW"},
    {"OPEN:%s,ftruncate=0", "old file", "NEW"},
    {"OPEN:%s,ftruncate=5", "old file", "NEW f"},
    {"OPEN:%s,seek=4", "old file", "old NEWe"},
    {"OPEN:%s,lseek=2", "old file", "olNEWile"},
    {"OPEN:%s,seek-end=-4", "old file", "old NEWe"},
    {"OPEN:%s,seek-end=0", "old file", "old fileNEW"},
    {"OPEN:%s,seek=2,seek-cur=2", "old file", "old NEWe"},
    {"OPEN:%s,seek=0x4", "old file", "old NEWe"},
    {"OPEN:%s,unlink-early,creat", "old file", "NEW"},
    {"OPEN:%s,creat,unlink-late", NULL, NULL},
    {"OPEN:%s,creat,unlink-close", NULL, NULL},
    {"OPEN:%s,creat,unlink-close=0", NULL, "NEW"},
    {"CREATE:%s", "old file", "NEW"},
    {"CREAT:%s", NULL, "NEW"},
    {"GOPEN:%s", "old file", "old fileNEW"},
    {"GOPEN:%s", NULL, "NEW"},
    {"GOPEN:%s,append=0", "old file", "NEW file"},
    {"GOPEN:%s,trunc", "old file", "NEW"},
    {"%s", "old file", "old fileNEW"},
    {"%s", NULL, "NEW"},
    {"'%s'", NULL, "NEW"},
    {"\"OPEN\":\"%s\",\"creat\"", NULL, "NEW"},
};

static void write_new(struct harness *harness, const struct writing *row, const char *file)
{
    struct program *program;

    unlink(file);
    if (row->before != NULL)
        file_write(harness, file, row->before);
    program = program_start(harness, "-u", "-", with_path(harness, row->address, file), NULL);
    program_send(program, "NEW");
    program_end_input(program);
    program_ends(program, 0);
}

static void files_are_written_as_their_options_say(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "file");

    for (size_t i = 0; i < sizeof(writings) / sizeof(writings[0]); i++) {
        write_new(harness, &writings[i], file);
        if (file_exists(file) != (writings[i].after != NULL))
            harness_fail(harness, "the file is wrongly there or not, row %zu", i);
        if (writings[i].after != NULL && strcmp(file_read(harness, file), writings[i].after) != 0)
            harness_fail(harness, "the file holds \"%s\" and not \"%s\"", file_read(harness, file),
                         writings[i].after);
    }
}

/* Each row: an address to read from, "%s" being the file, and what comes out of "0123456789". */
static const struct {
    const char *address;
    const char *out;
} readings[] = {
    {"OPEN:%s", "0123456789"},          {"%s", "0123456789"},
    {"GOPEN:%s", "0123456789"},         {"OPEN:%s,rdonly", "0123456789"},
    {"OPEN:%s,seek=7", "789"},          {"OPEN:%s,seek-end=-1", "9"},
    {"OPEN:%s,readbytes=3", "012"},     {"OPEN:%s,seek=4,bytes=2", "45"},
    {"OPEN:%s,nonblock", "0123456789"},
};

/* GOPEN takes sockets, too. */
static void a_file_may_have_a_longer_name_than_a_socket(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, text(harness, "%0150d", 0));

    file_write(harness, file, "read");
    struct program *program =
        program_start(harness, "-u", text(harness, "GOPEN:%s", file), "STDOUT", NULL);
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "read");
}

static void files_are_read_as_their_options_say(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "file");

    file_write(harness, file, "0123456789");
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        struct program *program = program_start(
            harness, "-u", with_path(harness, readings[i].address, file), "STDOUT", NULL);
        program_ends(program, 0);
        assert_string_equal(program_output(program, NULL), readings[i].out);
    }
}

/* The other side has nothing to say, so that it does not matter what can't be written to. */
static void what_can_only_be_read_is_no_trouble_while_nothing_is_written(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "file");
    const char *const addresses[] = {text(harness, "OPEN:%s,rdonly", file), "FD:3"};
    file_write(harness, file, "0123456789");
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        const char *const arguments[] = {addresses[i], "-", NULL};
        struct program *program = program_launch(
            harness,
            &(struct launch){.arguments = arguments,
                             .in = STREAM_PIPE,
                             .out = STREAM_PIPE,
                             .extra = harness_keep(harness, open(file, O_RDONLY | O_CLOEXEC))});
        program_end_input(program);
        program_ends(program, 0);
        assert_string_equal(program_output(program, NULL), "0123456789");
        assert_string_equal(program_log(program), "");
    }
}

/* Each row: an address that can't be opened, and the message. */
static const struct {
    const char *address;
    const char *message;
} failures[] = {
    {"OPEN:%s/missing",
     " E cannot open */missing: No such file or directory [open(\"*/missing\", 0*, 0666)]"},
    {"GOPEN:%s/missing/file,creat",
     " E cannot open */file: No such file or directory [open(\"*/file\", 0*, 0666)]"},
    {"OPEN:%s/there,creat,excl",
     " E cannot open */there: File exists [open(\"*/there\", 0*, 0666)]"},
    {"OPEN:%s,wronly",
     " E cannot open *: Is a directory (name a file in it) [open(\"*\", 0*, 0666)]"},
    {"CREATE:%s/missing/file", " E cannot create */file: No such file or directory (its folder "
                               "does not exist) [creat(\"*/file\", 0666)]"},
    {"OPEN:%s/fifo,nonblock",
     " E cannot open */fifo: No such device or address [open(\"*/fifo\", 0*, 0666)]"},
    {"OPEN:%s/link,nofollow",
     " E cannot open */link: Too many levels of symbolic links [open(\"*/link\", 0*, 0666)]"},
};

static void a_file_that_cannot_be_opened_is_an_error_that_names_it(void **state)
{
    struct harness *harness = *state;
    const char *folder = path(harness, ".");

    file_write(harness, path(harness, "there"), "precious");
    assert_int_equal(mkfifo(path(harness, "fifo"), 0600), 0);
    assert_int_equal(symlink("there", path(harness, "link")), 0);
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        struct program *program = program_start(
            harness, "-u", "-", with_path(harness, failures[i].address, folder), NULL);
        program_ends_logging(program, 1, failures[i].message);
    }
    assert_string_equal(file_read(harness, path(harness, "there")), "precious");
}

/* Each row: an address that makes a file, and the permission bits that it gets. */
static const struct {
    const char *address;
    mode_t mode;
} modes[] = {
    {"OPEN:%s,creat,mode=640", 0640},       {"OPEN:%s,creat,perm=0604", 0604},
    {"OPEN:%s,creat,umask=077", 0600},      {"OPEN:%s,creat,umask=0,mode=0666", 0666},
    {"OPEN:%s,creat,perm-late=0444", 0444}, {"CREATE:%s,mode=0600", 0600},
    {"GOPEN:%s,mode=0600", 0600},
};

static void made_files_get_the_permissions_that_the_options_ask_for(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "file");
    struct stat status;

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        write_new(harness, &(struct writing){modes[i].address, NULL, NULL}, file);
        assert_int_equal(stat(file, &status), 0);
        if ((status.st_mode & 07777) != modes[i].mode)
            harness_fail(harness, "%s made a file of mode %o", modes[i].address, status.st_mode);
    }
}

/* Each row: an address that opens a file, a pipe or a device that is there. */
static const char *const openings[] = {
    "OPEN:%s,mode=640",    "OPEN:%s,creat,perm=0604", "OPEN:%s,append,perm=640",
    "CREATE:%s,mode=0640", "GOPEN:%s,mode=0640",      "PIPE:%s,perm=640",
};

static void the_permissions_of_what_is_there_stay(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "file");
    struct stat status;

    for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
        file_write(harness, file, "old");
        assert_int_equal(chmod(file, 0600), 0);
        program_ends(
            program_start(harness, "-u", "/dev/null", with_path(harness, openings[i], file), NULL),
            0);
        assert_int_equal(stat(file, &status), 0);
        if ((status.st_mode & 07777) != 0600)
            harness_fail(harness, "%s changed the mode to %o", openings[i], status.st_mode);
    }
}

static void chdir_holds_for_one_address_only(void **state)
{
    struct harness *harness = *state;
    struct program *program;

    file_write(harness, path(harness, "in"), "content");
    program = program_start(harness, "-u", text(harness, "OPEN:in,chdir=%s", path(harness, ".")),
                            text(harness, "CREATE:%s", path(harness, "out")), NULL);
    program_ends(program, 0);
    assert_string_equal(file_read(harness, path(harness, "out")), "content");
    program = program_start(harness, "-u", text(harness, "OPEN:in,chdir=%s", path(harness, ".")),
                            "OPEN:in", NULL);
    program_ends_logging(program, 1,
                         " E cannot open in: No such file or directory [open(\"in\", *)]");
}

static void a_named_pipe_is_made_and_removed(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    struct program *program =
        program_start(harness, "-d", "-d", "-t", "0.1", "-", text(harness, "PIPE:%s", fifo), NULL);

    program_logs(program, " N created named pipe \"*\" for reading and writing");
    program_send(program, "echo");
    program_outputs(program, "echo");
    program_end_input(program);
    program_ends(program, 0);
    assert_false(file_exists(fifo));
}

static void a_named_pipe_that_was_there_stays(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    struct program *program;

    assert_int_equal(mkfifo(fifo, 0600), 0);
    program =
        program_start(harness, "-d", "-d", "-t", "0.1", "-", text(harness, "PIPE:%s", fifo), NULL);
    program_logs(program, " N opening named pipe \"*\" for reading and writing");
    program_send(program, "echo");
    program_outputs(program, "echo");
    program_end_input(program);
    program_ends(program, 0);
    assert_true(file_exists(fifo));
}

static void unlink_close_decides_about_a_named_pipe(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    struct program *program = program_start(harness, "-T", "0.01", "-",
                                            text(harness, "PIPE:%s,unlink-close=0", fifo), NULL);

    program_ends(program, 0);
    assert_true(file_exists(fifo));
    program = program_start(harness, "-T", "0.01", "-", text(harness, "PIPE:%s,unlink-close", fifo),
                            NULL);
    program_ends(program, 0);
    assert_false(file_exists(fifo));
}

static void an_entry_that_has_been_replaced_stays(void **state)
{
    static const char *const addresses[] = {"OPEN:%s,creat,unlink-close",
                                            "OPEN:%s,creat,unlink-early,unlink-close"};
    struct harness *harness = *state;
    const char *file = path(harness, "entry");
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct program *program = program_start(harness, "-u", "-d", "-d", "-d", "-",
                                                with_path(harness, addresses[i], file), NULL);
        program_logs(program, " starting data transfer loop");
        assert_int_equal(rename(file, path(harness, "moved")), 0);
        file_write(harness, file, "of somebody else");
        program_end_input(program);
        program_ends_logging(program, 0,
                             " N \"*/entry\" is not removed: it has been replaced since");
        assert_string_equal(file_read(harness, file), "of somebody else");
        assert_int_equal(unlink(file), 0);
    }
}

static void unlink_early_makes_a_named_pipe_anew(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");

    file_write(harness, fifo, "in the way");
    for (int i = 0; i < 2; i++) {
        struct program *program = program_start(harness, "-d", "-d", "-t", "0.1", "-",
                                                text(harness, "PIPE:%s,unlink-early", fifo), NULL);
        program_logs(program, " N created named pipe \"*\" for reading and writing");
        program_send(program, "echo");
        program_outputs(program, "echo");
        program_end_input(program);
        program_ends(program, 0);
        assert_false(file_exists(fifo));
    }
}

static void unlink_is_about_what_is_there_before_a_pipe_is_made(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    file_write(harness, fifo, "in the way");
    struct program *program =
        program_start(harness, "-t", "0.1", "-", text(harness, "PIPE:%s,unlink", fifo), NULL);
    program_send(program, "echo");
    program_outputs(program, "echo");
    program_end_input(program);
    program_ends(program, 0);
    assert_false(file_exists(fifo));
}

static void a_pipe_has_its_owner_and_permissions_before_the_other_end_comes(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    bool root = geteuid() == 0;
    struct stat status;
    struct program *program = program_start(
        harness, "-d", "-d", "-u",
        text(harness, "PIPE:%s,perm=622%s", fifo, root ? ",user=65534,group=65533" : ""), "-",
        NULL);
    program_logs(program, " N opening *\"*/fifo\" for reading");
    assert_int_equal(stat(fifo, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0622);
    assert_int_equal(status.st_uid, root ? 65534 : geteuid());
    if (root)
        assert_int_equal(status.st_gid, 65533);
    file_write(harness, fifo, "through");
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "through");
}

static void a_log_goes_to_a_fifo_that_is_read_and_waits_for_no_reader(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    program_ends(program_start(harness, "-lf", fifo, "-u", "/dev/null", "-", NULL), 1);
    int reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    program_ends(program_start(harness, "-d", "-d", "-lf", fifo, "-u", "/dev/null", "-", NULL), 0);
    char line[4] = "";
    assert_true(read(reader, line, sizeof line) > 0);
    close(reader);
}

static void two_programs_meet_at_a_fifo(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    struct program *reader, *writer;

    assert_int_equal(mkfifo(fifo, 0600), 0);
    reader = program_start(harness, "-d", "-d", "-u", text(harness, "OPEN:%s", fifo), "-", NULL);
    program_logs(reader, " N opening named pipe ");
    writer = program_start(harness, "-u", "-", text(harness, "OPEN:%s", fifo), NULL);
    program_send(writer, "through the fifo");
    program_end_input(writer);
    program_outputs(reader, "through the fifo");
    program_ends(writer, 0);
    program_ends(reader, 0);
}

static void a_socketpair_gives_back_what_it_gets(void **state)
{
    struct program *program =
        program_start(*state, "-d", "-d", "-t", "0.1", "-", "SOCKETPAIR", NULL);

    program_logs(program, " N writing to and reading from unnamed socketpair");
    program_send(program, "one");
    program_outputs(program, "one");
    program_send(program, "two");
    program_outputs(program, "two");
    program_end_input(program);
    program_ends(program, 0);
}

static void a_socketpair_of_streams_ends_with_its_input(void **state)
{
    struct program *program =
        program_start(*state, "-t", "1000", "-", "SOCKETPAIR,socktype=1", NULL);

    program_send(program, "one");
    program_end_input(program);
    program_outputs(program, "one");
    program_ends(program, 0);
}

/* Each row: two addresses between standard input and output. */
static const char *const stdio_forms[][2] = {
    {"-", "STDOUT"},
    {"STDIN", "-"},
    {"STDIO", "STDOUT"},
    {"stdin", "stdout"},
    {"0", "1"},
    {"FD:0", "FD:1"},
    {"FD:0x0", "1"},
    {"-!!STDERR", "STDOUT"},
    {"STDIN!!STDERR", "STDERR!!STDOUT"},
};

static void standard_streams_are_addressed_in_many_ways(void **state)
{
    for (size_t i = 0; i < sizeof(stdio_forms) / sizeof(stdio_forms[0]); i++) {
        struct program *program =
            program_start(*state, "-u", stdio_forms[i][0], stdio_forms[i][1], NULL);
        program_send(program, "data");
        program_end_input(program);
        program_outputs(program, "data");
        program_ends(program, 0);
    }
}

static void stdio_is_both_ways(void **state)
{
    struct program *program = program_start(*state, "-d", "-d", "-", "PIPE", NULL);

    program_logs(program, " N reading from and writing to stdio");
    program_send(program, "echo");
    program_outputs(program, "echo");
}

static void stderr_can_be_written_to(void **state)
{
    struct program *program = program_start(*state, "-u", "-", "STDERR", NULL);

    program_send(program, "on stderr\n");
    program_end_input(program);
    program_ends_logging(program, 0, "on stderr");
}

static void an_inherited_descriptor_is_named_by_its_number(void **state)
{
    struct harness *harness = *state;
    const char *const forms[] = {"3", "FD:3", "FD:0x3"};

    for (size_t i = 0; i < 3; i++) {
        const char *const arguments[] = {"-d", "-d", "-", forms[i], NULL};
        struct program *program;
        int pair[2];
        peer_pair(harness, pair);
        program =
            program_launch(harness, &(struct launch){.arguments = arguments, .extra = pair[1]});
        program_logs(program, " N using file descriptor 3 for reading and writing");
        program_send(program, "there");
        peer_receives(harness, pair[0], "there");
        peer_send(harness, pair[0], "back");
        program_outputs(program, "back");
    }
}

static bool is_blocking(int fd)
{
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
}

/* Others share them: a shell, say, that reads from the same terminal afterwards. */
static void inherited_descriptors_are_left_as_they_were(void **state)
{
    struct harness *harness = *state;
    const char *const arguments[] = {"-d", "-d", "-", "FD:3", NULL};
    struct launch launch = {.arguments = arguments};
    struct program *program;
    int standard[2], extra[2];

    peer_pair(harness, standard);
    peer_pair(harness, extra);
    launch.in = launch.out = standard[1];
    launch.extra = extra[1];
    program = program_launch(harness, &launch);
    peer_send(harness, standard[0], "there");
    peer_receives(harness, extra[0], "there");
    assert_true(is_blocking(standard[1]) && is_blocking(extra[1]));
    peer_end(standard[0]);
    peer_end(extra[0]);
    program_ends(program, 0);
    assert_true(is_blocking(standard[1]) && is_blocking(extra[1]));
    peer_send(harness, standard[1], "still open");
    peer_receives(harness, standard[0], "still open");
}

static void a_descriptor_that_is_not_open_is_an_error(void **state)
{
    program_ends_logging(program_start(*state, "-", "FD:77", NULL), 1, " E *Bad file descriptor");
}

static void a_dual_address_reads_from_one_and_writes_to_the_other(void **state)
{
    struct harness *harness = *state;
    const char *in = path(harness, "in");
    const char *out = path(harness, "out");
    struct program *program;

    file_write(harness, in, "from file");
    program = program_start(harness, "-t", "10", "-",
                            text(harness, "OPEN:%s!!OPEN:%s,creat", in, out), NULL);
    program_send(program, "to file");
    program_end_input(program);
    program_outputs(program, "from file");
    program_ends(program, 0);
    assert_string_equal(file_read(harness, out), "to file");
}

static void two_dual_addresses_make_two_one_way_lines(void **state)
{
    struct harness *harness = *state;
    const char *in = path(harness, "in");
    const char *out = path(harness, "out");
    struct program *program;

    file_write(harness, in, "right to left");
    program = program_start(harness, "-t", "10", "STDIN!!STDOUT",
                            text(harness, "%s!!CREATE:%s", in, out), NULL);
    program_send(program, "left to right");
    program_end_input(program);
    program_outputs(program, "right to left");
    program_ends(program, 0);
    assert_string_equal(file_read(harness, out), "left to right");
}

static void only_the_needed_half_of_a_dual_address_is_opened(void **state)
{
    struct harness *harness = *state;
    const char *precious = path(harness, "precious");
    struct program *program;

    file_write(harness, precious, "precious");
    program =
        program_start(harness, "-u", text(harness, "STDIN!!CREATE:%s", precious), "STDOUT", NULL);
    program_send(program, "data");
    program_end_input(program);
    program_outputs(program, "data");
    program_ends_logging(program, 0, " W unidirectional open of dual address");
    assert_string_equal(file_read(harness, precious), "precious");
}

static void a_write_only_address_that_is_read_from_gives_a_warning(void **state)
{
    struct harness *harness = *state;
    struct program *program =
        program_start(harness, "-", text(harness, "CREATE:%s", path(harness, "file")), NULL);

    program_logs(program, " W address is opened in read-write mode but only supports write-only");
}

static void a_lock_file_keeps_a_second_program_out(void **state)
{
    struct harness *harness = *state;
    const char *lock = path(harness, "lock");
    struct program *first = program_start(harness, "-d", "-d", "-L", lock, "-", "PIPE", NULL);
    struct program *second;

    program_logs(first, " N starting data transfer loop");
    assert_string_equal(file_read(harness, lock), text(harness, "%d\n", (int)program_pid(first)));
    second = program_start(harness, "-L", lock, "-", "PIPE", NULL);
    program_ends_logging(second, 1,
                         text(harness, " E could not obtain lock \"%s\": process %d has it; ", lock,
                              (int)program_pid(first)));
    program_end_input(first);
    program_ends(first, 0);
    assert_false(file_exists(lock));
}

/* No process has a number that large. */
static void a_lock_file_that_nobody_has_any_more_is_told(void **state)
{
    static const struct {
        const char *holds, *says;
    } rows[] = {
        {"2147483647\n", "process 2147483647 has left it behind; remove the file"},
        {"2147483647", "process 2147483647 has left it behind; remove the file"},
        {"2147483647x", "the file exists"},
        {"nobody\n", "the file exists"},
        {"", "the file exists"},
    };
    struct harness *harness = *state;
    const char *lock = path(harness, "lock");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        file_write(harness, lock, rows[i].holds);
        program_ends_logging(
            program_start(harness, "-L", lock, "-", "PIPE", NULL), 1,
            text(harness, " E could not obtain lock \"%s\": %s", lock, rows[i].says));
        assert_true(file_exists(lock));
    }
}

static void an_address_can_hold_a_lock_file_too(void **state)
{
    struct harness *harness = *state;
    const char *lock = path(harness, "lock");
    struct program *first =
        program_start(harness, "-d", "-d", text(harness, "-,lockfile=%s", lock), "PIPE", NULL);

    program_logs(first, " N starting data transfer loop");
    program_ends_logging(program_start(harness, "-", text(harness, "PIPE,lockfile=%s", lock), NULL),
                         1, " E could not obtain lock \"");
    program_end_input(first);
    program_ends(first, 0);
    assert_false(file_exists(lock));
}

static void files_that_are_locked_are_left_alone(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "file");
    int fd = harness_keep(harness, open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
    program_ends_logging(
        program_start(harness, "-u", "-", text(harness, "OPEN:%s,setlk", file), NULL), 1,
        " E cannot set option *: Resource temporarily unavailable [fcntl(");
}

static void a_file_that_is_followed_may_come_later(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "later");
    struct program *program =
        program_start(harness, "-d", "-d", "-u", text(harness, "%s,ignoreeof", file), "-", NULL);
    program_logs(program, "starting data transfer loop");
    assert_true(file_exists(file));
    file_append(harness, file, "there");
    program_outputs(program, "there");
}

static void a_file_that_is_only_read_is_not_made(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "missing");
    struct program *program =
        program_start(harness, "-u", text(harness, "GOPEN:%s", file), "-", NULL);
    program_ends_logging(
        program, 1, " E cannot open */missing: No such file or directory [open(\"*/missing\"*)]");
    assert_false(file_exists(file));
}

static void with_blocks_of_zero_all_is_at_its_end(void **state)
{
    struct program *program = program_start(*state, "-b", "0", "-", "PIPE", NULL);
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), "");
}

static void the_size_of_a_pipe_is_for_pipes(void **state)
{
    struct program *program = program_start(*state, "-u", "-", "PIPE,pipesz=128k", NULL);
    program_end_input(program);
    program_ends(program, 0);
    program = program_start(*state, "-", "TCP:127.0.0.1:1,f-setpipe-sz=128k", NULL);
    program_ends_logging(program, 1, "option \"f-setpipe-sz\" not supported with this address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(files_are_written_as_their_options_say),
        SYSTEM_TEST(a_file_may_have_a_longer_name_than_a_socket),
        SYSTEM_TEST(files_are_read_as_their_options_say),
        SYSTEM_TEST(what_can_only_be_read_is_no_trouble_while_nothing_is_written),
        SYSTEM_TEST(a_file_that_cannot_be_opened_is_an_error_that_names_it),
        SYSTEM_TEST(made_files_get_the_permissions_that_the_options_ask_for),
        SYSTEM_TEST(the_permissions_of_what_is_there_stay),
        SYSTEM_TEST(chdir_holds_for_one_address_only),
        SYSTEM_TEST(a_named_pipe_is_made_and_removed),
        SYSTEM_TEST(a_named_pipe_that_was_there_stays),
        SYSTEM_TEST(unlink_close_decides_about_a_named_pipe),
        SYSTEM_TEST(an_entry_that_has_been_replaced_stays),
        SYSTEM_TEST(unlink_early_makes_a_named_pipe_anew),
        SYSTEM_TEST(unlink_is_about_what_is_there_before_a_pipe_is_made),
        SYSTEM_TEST(a_pipe_has_its_owner_and_permissions_before_the_other_end_comes),
        SYSTEM_TEST(a_log_goes_to_a_fifo_that_is_read_and_waits_for_no_reader),
        SYSTEM_TEST(two_programs_meet_at_a_fifo),
        SYSTEM_TEST(a_socketpair_gives_back_what_it_gets),
        SYSTEM_TEST(a_socketpair_of_streams_ends_with_its_input),
        SYSTEM_TEST(standard_streams_are_addressed_in_many_ways),
        SYSTEM_TEST(stdio_is_both_ways),
        SYSTEM_TEST(stderr_can_be_written_to),
        SYSTEM_TEST(an_inherited_descriptor_is_named_by_its_number),
        SYSTEM_TEST(inherited_descriptors_are_left_as_they_were),
        SYSTEM_TEST(a_descriptor_that_is_not_open_is_an_error),
        SYSTEM_TEST(a_dual_address_reads_from_one_and_writes_to_the_other),
        SYSTEM_TEST(two_dual_addresses_make_two_one_way_lines),
        SYSTEM_TEST(only_the_needed_half_of_a_dual_address_is_opened),
        SYSTEM_TEST(a_write_only_address_that_is_read_from_gives_a_warning),
        SYSTEM_TEST(a_lock_file_keeps_a_second_program_out),
        SYSTEM_TEST(a_lock_file_that_nobody_has_any_more_is_told),
        SYSTEM_TEST(an_address_can_hold_a_lock_file_too),
        SYSTEM_TEST(files_that_are_locked_are_left_alone),
        SYSTEM_TEST(a_file_that_is_followed_may_come_later),
        SYSTEM_TEST(a_file_that_is_only_read_is_not_made),
        SYSTEM_TEST(with_blocks_of_zero_all_is_at_its_end),
        SYSTEM_TEST(the_size_of_a_pipe_is_for_pipes),
    };
    return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
