/* What an address that changes the root folder, the user or the groups can still reach. */

#define _GNU_SOURCE
#include "tests/system/jail.h"

#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_jail(struct harness *harness)
{
    jail_make(harness);
    assert_int_equal(symlink("../out/secret", path(harness, "jail/relative")), 0);
    assert_int_equal(symlink("/secret", path(harness, "jail/absolute")), 0);
    assert_int_equal(symlink("folder/../relative", path(harness, "jail/chain")), 0);
}

/* Each row: an address, "%s" being the folder that holds all, and what may be read from it. */
static const struct {
    const char *address;
    const char *out;
} attempts[] = {
    {"FILE:secret,chroot-early=%s/jail", "inside"},
    {"FILE:/secret,chroot-early=%s/jail", "inside"},
    {"FILE:../secret,chroot-early=%s/jail", "inside"},
    {"FILE:../../../../out/secret,chroot-early=%s/jail", ""},
    {"FILE:relative,chroot-early=%s/jail", ""},
    {"FILE:absolute,chroot-early=%s/jail", "inside"},
    {"FILE:secret,chroot-early=jail,chdir=%s", "inside"},
    {"FILE:secret,chroot-early=../jail,chdir=%s/out", "inside"},
    {"FILE:chain,chroot-early=%s/jail", ""},
    {"FILE:/proc/self/root/../out/secret,chroot-early=%s/jail", ""},
    {"FILE:/proc/self/root/secret,chroot-early=%s/jail", "inside"},
    {"FILE:/proc/self/fd/9/secret,chroot-early=%s/jail", ""},
    {"FILE:/proc/self/cwd/secret,chroot-early=%s/jail", "inside"},
    {"FILE:missing,chroot-early=jail,retry=1,interval=0.01,chdir=%s", ""},
};

static void nothing_outside_of_the_jail_can_be_read(void **state)
{
    struct harness *harness = *state;
    make_jail(harness);
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        const char *address = with_path(harness, attempts[i].address, path(harness, "."));
        struct program *program = program_start(harness, "-u", address, "-", NULL);
        (void)program_end(program);
        if (strcmp(program_output(program, NULL), attempts[i].out) != 0)
            harness_fail(harness, "%s gives \"%s\"", address, program_output(program, NULL));
    }
}

static void the_folder_of_the_opening_is_no_way_out_afterwards(void **state)
{
    struct harness *harness = *state;
    make_jail(harness);
    struct program *program = program_start(harness, "-u",
                                            text(harness, "FILE:secret,chdir=%s,chroot=%s",
                                                 path(harness, "out"), path(harness, "jail")),
                                            "CREATE:written", NULL);
    program_ends(program, 0);
    assert_string_equal(file_read(harness, path(harness, "jail/written")), "outside");
    assert_false(file_exists(path(harness, "out/written")));
}

static void what_lies_outside_of_the_new_root_is_named_and_stays(void **state)
{
    struct harness *harness = *state;
    make_jail(harness);
    const char *lock = path(harness, "out/lock"), *inside = path(harness, "jail/folder/lock");
    program_ends_logging(
        program_start(harness, "-u", "-L", lock,
                      text(harness, "FILE:secret,chroot-early=%s", path(harness, "jail")), "-",
                      NULL),
        0, " W \"*/out/lock\" can't be removed: it is outside of the root folder");
    assert_true(file_exists(lock));
    program_ends(program_start(harness, "-u", "-L", inside,
                               text(harness, "FILE:secret,chroot-early=%s", path(harness, "jail")),
                               "-", NULL),
                 0);
    assert_false(file_exists(inside));
}

/* Each row: an address that makes an entry, "%s" being the jail, and the entry's name in there. */
static const struct {
    const char *arguments[5];
    const char *name;
    const char *ready;
} makers[] = {
    {{"-", "UNIX-LISTEN:/made,chroot-early=%s"}, "made", " N listening on"},
    {{"-", "UNIX-LISTEN:/../folder/made,chroot-early=%s"}, "folder/made", " N listening on"},
    {{"-", "UNIX-RECV:made,chroot-early=%s"}, "made", " N starting data transfer loop"},
    {{"-", "UNIX-SENDTO:/x,bind-tempname=/made.XXXXXX,chroot-early=%s"},
     "made.*",
     " N starting data transfer loop"},
    {{"-", "UNIX-SENDTO:/x,bind=/../made,chroot-early=%s"},
     "made",
     " N starting data transfer loop"},
    {{"-", "PIPE:/made,chroot-early=%s"}, "made", " N starting data transfer loop"},
    {{"-", "CREATE:/../../made,chroot-early=%s,unlink-close"},
     "made",
     " N starting data transfer loop"},
    {{"-", "PIPE,lockfile=/../made,chroot-early=%s"}, "made", " N starting data transfer loop"},
};

static const char *found(struct harness *harness, const char *pattern)
{
    glob_t result;
    int error = glob(text(harness, "%s/%s", path(harness, "jail"), pattern), 0, NULL, &result);
    const char *name = error == 0 ? text(harness, "%s", result.gl_pathv[0]) : NULL;
    if (error == 0)
        globfree(&result);
    return name;
}

static void try_to_make(struct harness *harness, size_t row)
{
    const char *arguments[9] = {"-d", "-d"};
    for (size_t i = 0; makers[row].arguments[i] != NULL; i++)
        arguments[2 + i] =
            strstr(makers[row].arguments[i], "%s") == NULL
                ? makers[row].arguments[i]
                : with_path(harness, makers[row].arguments[i], path(harness, "jail"));
    struct program *program = program_launch(harness, &(struct launch){.arguments = arguments});
    program_logs(program, makers[row].ready);
    if (found(harness, makers[row].name) == NULL)
        harness_fail(harness, "%s: no %s in the jail", makers[row].arguments[1], makers[row].name);
    program_signal(program, SIGTERM);
    (void)program_end(program);
    if (found(harness, makers[row].name) != NULL)
        harness_fail(harness, "%s: %s is left", makers[row].arguments[1], makers[row].name);
}

static void what_is_made_is_made_in_the_jail(void **state)
{
    struct harness *harness = *state;
    make_jail(harness);
    for (size_t row = 0; row < sizeof makers / sizeof makers[0]; row++)
        try_to_make(harness, row);
    assert_false(file_exists("/made"));
    assert_false(file_exists(path(harness, "made")));
    assert_false(file_exists(path(harness, "out/made")));
}

/* Copies of the data are made once both addresses are open. */
static void copies_are_made_in_the_jail(void **state)
{
    struct harness *harness = *state;
    make_jail(harness);
    const char *const options[] = {"chroot", "chroot-early"};
    for (size_t i = 0; i < 2; i++) {
        struct program *program =
            program_start(harness, "-r", "/right", "-R", "../left", "-",
                          text(harness, "PIPE,%s=%s", options[i], path(harness, "jail")), NULL);
        program_send(program, "copied");
        program_end_input(program);
        program_ends(program, 0);
        assert_string_equal(file_read(harness, path(harness, "jail/right")), "copied");
        assert_string_equal(file_read(harness, path(harness, "jail/left")), "copied");
        assert_int_equal(unlink(path(harness, "jail/right")), 0);
        assert_int_equal(unlink(path(harness, "jail/left")), 0);
        assert_false(file_exists("/right"));
    }
}

/* A terminal takes /dev of the jail, which may hold none: the link's place is what counts. */
static void a_terminal_and_its_link_are_of_the_jail(void **state)
{
    struct harness *harness = *state;
    make_jail(harness);
    (void)program_end(program_start(
        harness, "/dev/null",
        text(harness, "PTY,link=/made,chroot-early=%s", path(harness, "jail")), NULL));
    assert_false(file_exists("/made"));
}

/* Without /proc there is no search for them. Returns the options of before. */
static const char *leave_leaks_alone(struct harness *harness)
{
    const char *options = getenv("ASAN_OPTIONS");
    const char *before = text(harness, "%s", options != NULL ? options : "");
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    return before;
}

/* Names of descriptors that somebody has made in the jail lead to another file. */
static void what_others_have_put_into_proc_is_not_used(void **state)
{
    struct harness *harness = *state;
    struct stat status;
    make_jail(harness);
    (void)umount2(path(harness, "jail/proc"), MNT_DETACH);
    const char *before = leave_leaks_alone(harness);
    for (int fd = 3; fd < 16; fd++)
        assert_int_equal(
            symlink("/secret", jail_path(harness, text(harness, "proc/self/fd/%d", fd))), 0);
    assert_int_equal(chmod(path(harness, "jail/secret"), 0600), 0);
    struct program *program =
        program_start(harness, "-d", "-d",
                      text(harness, "UNIX-LISTEN:/made,user=65534,perm=666,chroot-early=%s",
                           path(harness, "jail")),
                      "-", NULL);
    program_logs(program, " N listening on");
    assert_int_equal(stat(path(harness, "jail/secret"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(stat(path(harness, "jail/made"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0666);
    program_signal(program, SIGTERM);
    (void)program_end(program);
    setenv("ASAN_OPTIONS", before, 1);
}

/* What a link in /proc of a process leads to. */
static const char *leads_to(struct harness *harness, int pid, const char *name)
{
    char target[PATH_MAX] = "";
    (void)!readlink(text(harness, "/proc/%d/%s", pid, name), target, sizeof target - 1);
    return text(harness, "%s", target);
}

static void has_no_folder_open(struct harness *harness, int pid, const char *address)
{
    for (int fd = 0; fd < 64; fd++) {
        struct stat status;
        const char *name = text(harness, "/proc/%d/fd/%d", pid, fd);
        if (stat(name, &status) == 0 && S_ISDIR(status.st_mode))
            harness_fail(harness, "%s: the program has descriptor %d of folder %s", address, fd,
                         leads_to(harness, pid, text(harness, "fd/%d", fd)));
    }
    assert_string_equal(leads_to(harness, pid, "root"), "/usr");
    assert_string_equal(leads_to(harness, pid, "cwd"), "/usr");
}

static void a_program_gets_no_folder_that_leads_out(void **state)
{
    static const char *const options[] = {
        "chroot=/usr",           "chroot-early=/usr",         "chdir=/tmp,chroot=/usr",
        "chdir=/,chroot=../usr", "chdir=/,chroot-early=/usr", "chroot-early=/usr,fdin=3,fdout=4",
        "chroot=/usr,pty",       "chroot-early=/usr,pipes",   "chdir=/,chroot=/usr,nofork",
    };
    struct harness *harness = *state;
    jail_needs_root();
    if (!file_exists("/usr/bin/sh") || !file_exists("/usr/lib64"))
        skip_because("/usr can't be a root here");
    const char *before = leave_leaks_alone(harness);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const char *address = text(harness, "SYSTEM:echo $$ >&2; exec cat,%s", options[i]);
        struct program *program = program_start(harness, "-", address, NULL);
        const char *line = program_logs(program, "");
        has_no_folder_open(harness, (pid_t)number_in(harness, line), address);
        program_end_input(program);
        program_signal(program, SIGTERM);
        (void)program_end(program);
    }
    setenv("ASAN_OPTIONS", before, 1);
}

/* Each row: options, and what the program may say of itself. */
static const struct {
    const char *options;
    const char *out;
} identities[] = {
    {"setuid=65534,setgid=65533", "65534 65533 65533\n"},
    {"setgid=65533,setuid=65534", "65534 65533 65533\n"},
    {"setgid=65533", "0 65533 65533\n"},
    {"setuid=65534", "65534 0 0\n"},
};

static void rights_are_given_up_in_the_order_that_works(void **state)
{
    struct harness *harness = *state;
    jail_needs_root();
    for (size_t i = 0; i < sizeof identities / sizeof identities[0]; i++) {
        struct program *program = program_start(
            harness, "-u",
            text(harness, "SYSTEM:echo $(id -u) $(id -g) $(id -G),%s", identities[i].options), "-",
            NULL);
        program_ends(program, 0);
        assert_string_equal(program_output(program, NULL), identities[i].out);
    }
}

static void says(struct harness *harness, const char *address, const char *expected)
{
    struct program *program = program_start(harness, "-u", address, "-", NULL);
    program_ends(program, 0);
    assert_string_equal(program_output(program, NULL), expected);
}

static void supplementary_groups_are_dropped_unless_they_are_to_be_kept(void **state)
{
    jail_needs_root();
    const gid_t extra = 4242;
    gid_t groups[64];
    int count = getgroups(64, groups);
    assert_true(count >= 0);
    assert_int_equal(setgroups(1, &extra), 0);
    says(*state, "SYSTEM:id -G,setuid=65534", "0\n");
    says(*state, "SYSTEM:id -G,setuid=65534,keep-groups", "0 4242\n");
    says(*state, "SYSTEM:id -G,setgid=65533", "65533\n");
    says(*state, "SYSTEM:id -G,setgid=65533,keep-groups", "65533 4242\n");
    says(*state, "SYSTEM:id -G,setuid-early=65534", "0\n");
    says(*state, "SYSTEM:id -G,setgid-early=65533", "65533\n");
    assert_int_equal(setgroups((size_t)count, groups), 0);
}

static void no_user_id_of_root_is_left(void **state)
{
    jail_needs_root();
    says(*state, "SYSTEM:grep ^Uid /proc/self/status,setuid=65534",
         "Uid:\t65534\t65534\t65534\t65534\n");
}

static void rights_that_can_not_be_given_up_end_the_opening_whatever_is_tolerated(void **state)
{
    jail_needs_root();
    program_ends_logging(program_start(*state, "-s", "-u",
                                       "SYSTEM:echo still here,setuid-early=65534,setgid=65533",
                                       "-", NULL),
                         255,
                         " E cannot change to group 65533: Operation not permitted (needs the "
                         "capability CAP_SETGID) [setgid(65533)]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        JAIL_TEST(nothing_outside_of_the_jail_can_be_read),
        JAIL_TEST(the_folder_of_the_opening_is_no_way_out_afterwards),
        JAIL_TEST(what_is_made_is_made_in_the_jail),
        JAIL_TEST(copies_are_made_in_the_jail),
        JAIL_TEST(what_others_have_put_into_proc_is_not_used),
        JAIL_TEST(a_terminal_and_its_link_are_of_the_jail),
        JAIL_TEST(a_program_gets_no_folder_that_leads_out),
        JAIL_TEST(what_lies_outside_of_the_new_root_is_named_and_stays),
        JAIL_TEST(rights_are_given_up_in_the_order_that_works),
        JAIL_TEST(supplementary_groups_are_dropped_unless_they_are_to_be_kept),
        JAIL_TEST(no_user_id_of_root_is_left),
        JAIL_TEST(rights_that_can_not_be_given_up_end_the_opening_whatever_is_tolerated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
