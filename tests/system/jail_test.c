/* What an address that changes the root folder, the user or the groups can still reach. */

#define _GNU_SOURCE
#include "tests/system/jail.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_jail(struct harness *harness)
{
    jail_make(harness);
    assert_int_equal(symlink("../out/secret", path(harness, "jail/relative")), 0);
    assert_int_equal(symlink("/secret", path(harness, "jail/absolute")), 0);
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
                         255, " E setgid(65533): Operation not permitted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        JAIL_TEST(nothing_outside_of_the_jail_can_be_read),
        JAIL_TEST(the_folder_of_the_opening_is_no_way_out_afterwards),
        JAIL_TEST(what_lies_outside_of_the_new_root_is_named_and_stays),
        JAIL_TEST(rights_are_given_up_in_the_order_that_works),
        JAIL_TEST(supplementary_groups_are_dropped_unless_they_are_to_be_kept),
        JAIL_TEST(no_user_id_of_root_is_left),
        JAIL_TEST(rights_that_can_not_be_given_up_end_the_opening_whatever_is_tolerated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
