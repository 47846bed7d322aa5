/* Entries of the file system that are not what was expected: what somebody else has put in the
 * place of one that was made stays at the end, and what stood there before is neither waited for
 * nor overwritten. */

#define _GNU_SOURCE
#include "tests/system/harness.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define REPLACED " N \"*\" is not removed: it has been replaced since"

/* Each row: arguments, "%s" being the path of the entry, and what is logged when it is there. */
static const struct {
    const char *arguments[5];
    const char *pattern; /* of the entry's name; NULL: it is as given */
    const char *ready;
} makers[] = {
    {{"-L", "%s", "-", "PIPE"}, NULL, " N starting data transfer loop"},
    {{"-", "PIPE,lockfile=%s"}, NULL, " N starting data transfer loop"},
    {{"-", "PIPE,waitlock=%s"}, NULL, " N starting data transfer loop"},
    {{"-", "PIPE:%s"}, NULL, " N starting data transfer loop"},
    {{"-", "PTY,link=%s"}, NULL, " N starting data transfer loop"},
    {{"-", "UNIX-LISTEN:%s"}, NULL, " N listening on"},
    {{"-", "UNIX-LISTEN:%s,fork"}, NULL, " N listening on"},
    {{"-", "UNIX-RECV:%s"}, NULL, " N starting data transfer loop"},
    {{"-", "UNIX-RECVFROM:%s"}, NULL, " N receiving on"},
    {{"-", "UNIX-SENDTO:/nowhere,bind=%s"}, NULL, " N starting data transfer loop"},
    {{"-", "UNIX-SENDTO:/nowhere,bind-tempname=%s.XXXXXX"},
     "%s.*",
     " N starting data transfer loop"},
};

static const char *made_entry(struct harness *harness, const char *pattern)
{
    glob_t found;
    if (pattern == NULL)
        return path(harness, "entry");
    assert_int_equal(glob(with_path(harness, pattern, path(harness, "entry")), 0, NULL, &found), 0);
    const char *name = text(harness, "%s", found.gl_pathv[0]);
    globfree(&found);
    return name;
}

/* Starts the program with arguments in which "%s" is a path. */
static struct program *start_with(struct harness *harness, const char *const *row, const char *name)
{
    const char *arguments[9] = {"-d", "-d", "-d"};
    for (size_t i = 0; row[i] != NULL; i++)
        arguments[3 + i] = strstr(row[i], "%s") == NULL ? row[i] : with_path(harness, row[i], name);
    return program_launch(harness, &(struct launch){.arguments = arguments});
}

static struct program *start_row(struct harness *harness, size_t row)
{
    return start_with(harness, makers[row].arguments, path(harness, "entry"));
}

/* What somebody else may put there. */
static void put_file(struct harness *harness, const char *name)
{
    file_write(harness, name, "of somebody else");
}

static void put_fifo(struct harness *harness, const char *name)
{
    (void)harness;
    assert_int_equal(mkfifo(name, 0600), 0);
}

static void put_link(struct harness *harness, const char *name)
{
    file_write(harness, path(harness, "target"), "of somebody else");
    assert_int_equal(symlink(path(harness, "target"), name), 0);
}

static void (*const putters[])(struct harness *harness, const char *name) = {put_file, put_fifo,
                                                                             put_link};

/* Of two files that exist at the same time, both have a number of their own. */
static void take_away(struct harness *harness, const char *entry, bool removed)
{
    if (removed)
        assert_int_equal(unlink(entry), 0);
    else
        assert_int_equal(rename(entry, path(harness, "moved")), 0);
}

static void replace_while_it_runs(struct harness *harness, size_t row, size_t putter)
{
    struct stat before, after;
    struct program *program = start_row(harness, row);
    program_logs(program, makers[row].ready);
    const char *entry = made_entry(harness, makers[row].pattern);
    take_away(harness, entry, putters[putter] != put_file);
    putters[putter](harness, entry);
    assert_int_equal(lstat(entry, &before), 0);
    program_signal(program, 15);
    (void)program_end(program);
    if (lstat(entry, &after) < 0 || after.st_ino != before.st_ino)
        harness_fail(harness, "%s: what had been put there is gone", makers[row].arguments[1]);
    if (strncmp(makers[row].arguments[1], "PTY", 3) != 0)
        assert_true(program_has_logged(program, REPLACED));
    assert_int_equal(unlink(entry), 0);
}

static void what_was_put_in_the_place_of_an_entry_stays(void **state)
{
    for (size_t row = 0; row < COUNT(makers); row++)
        for (size_t putter = 0; putter < COUNT(putters); putter++)
            replace_while_it_runs(*state, row, putter);
    assert_string_equal(file_read(*state, path(*state, "target")), "of somebody else");
}

static void what_was_made_goes(void **state)
{
    struct harness *harness = *state;
    for (size_t row = 0; row < COUNT(makers); row++) {
        struct program *program = start_row(harness, row);
        program_logs(program, makers[row].ready);
        const char *entry = made_entry(harness, makers[row].pattern);
        program_signal(program, 15);
        (void)program_end(program);
        if (faccessat(AT_FDCWD, entry, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            harness_fail(harness, "%s is left", makers[row].arguments[1]);
    }
}

/* Each row: arguments that write or make a file, "%s" being its path. */
static const char *const writers[][6] = {
    {"-lf", "%s", "-u", "/dev/null", "-"}, {"-r", "%s", "-u", "/dev/null", "-"},
    {"-R", "%s", "-u", "/dev/null", "-"},  {"-L", "%s", "-u", "/dev/null", "-"},
    {"-u", "/dev/null,lockfile=%s", "-"},  {"-u", "/dev/null", "UNIX-LISTEN:%s"},
};

static void fails_beside_fifo(struct harness *harness, const char *const *row, const char *fifo)
{
    struct stat status;
    program_ends(start_with(harness, row, fifo), 1);
    assert_int_equal(lstat(fifo, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
}

/* A FIFO without another end where each row wants to make or write a file: it fails, or gets what
 * it needs otherwise, at once. */
static void a_fifo_in_place_of_a_file_is_not_waited_for(void **state)
{
    struct harness *harness = *state;
    const char *fifo = path(harness, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    for (size_t i = 0; i < COUNT(writers); i++)
        fails_beside_fifo(harness, writers[i], fifo);
    fails_beside_fifo(harness, (const char *const[]){"-u", "/dev/null", "PTY,link=%s", NULL}, fifo);
}

/* The link belongs to another user, who may have made it to have us write elsewhere. */
static void a_link_of_somebody_else_is_not_written_through(void **state)
{
    struct harness *harness = *state;
    const char *link = path(harness, "link"), *target = path(harness, "target");
    if (geteuid() != 0)
        skip_because("only root can make links of other users");
    file_write(harness, target, "of somebody else");
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(lchown(link, 65534, 65534), 0);
    for (size_t i = 0; i < COUNT(writers); i++) {
        program_ends(start_with(harness, writers[i], link), 1);
        assert_string_equal(file_read(harness, target), "of somebody else");
    }
}

/* In a folder like /tmp, others can have put a file, a FIFO or a name of one of our own files there
 * before, to read what is copied or to have us spoil that file. */
static void what_others_have_put_into_a_shared_folder_is_not_written_to(void **state)
{
    struct harness *harness = *state;
    const char *folder = path(harness, "shared"), *own = path(harness, "own");
    const char *file = text(harness, "%s/file", folder), *fifo = text(harness, "%s/fifo", folder);
    const char *hard = text(harness, "%s/hard", folder), *soft = path(harness, "soft");
    const char *const names[] = {file, fifo, hard, soft};
    static const char *const options[] = {"-lf", "-r", "-R"};
    if (geteuid() != 0)
        skip_because("only root can make files of other users");
    assert_int_equal(mkdir(folder, 01777), 0);
    assert_int_equal(chmod(folder, 01777), 0);
    file_write(harness, file, "before");
    file_write(harness, own, "before");
    assert_int_equal(chown(file, 65534, 65534), 0);
    assert_int_equal(mkfifo(fifo, 0666), 0);
    assert_int_equal(chown(fifo, 65534, 65534), 0);
    harness_keep(harness, open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    assert_int_equal(link(own, hard), 0);
    assert_int_equal(symlink(file, soft), 0);
    for (size_t i = 0; i < COUNT(names); i++)
        for (size_t option = 0; option < COUNT(options); option++)
            program_ends_logging(program_start(harness, options[option], names[i], "-u",
                                               "/dev/null", "/dev/null", NULL),
                                 1, "Permission denied");
    assert_string_equal(file_read(harness, file), "before");
    assert_string_equal(file_read(harness, own), "before");
    assert_int_equal(chmod(folder, 0755), 0);
    program_ends(program_start(harness, "-r", file, "-u", "/dev/null", "/dev/null", NULL), 0);
}

static void a_link_of_ones_own_is_written_through(void **state)
{
    struct harness *harness = *state;
    const char *link = path(harness, "link"), *target = path(harness, "target");
    assert_int_equal(symlink(target, link), 0);
    struct program *program = program_start(harness, "-r", link, "-u", "-", "/dev/null", NULL);
    program_send(program, "copied");
    program_end_input(program);
    program_ends(program, 0);
    assert_string_equal(file_read(harness, target), "copied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(what_was_put_in_the_place_of_an_entry_stays),
        SYSTEM_TEST(what_was_made_goes),
        SYSTEM_TEST(a_fifo_in_place_of_a_file_is_not_waited_for),
        SYSTEM_TEST(a_link_of_somebody_else_is_not_written_through),
        SYSTEM_TEST(what_others_have_put_into_a_shared_folder_is_not_written_to),
        SYSTEM_TEST(a_link_of_ones_own_is_written_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
