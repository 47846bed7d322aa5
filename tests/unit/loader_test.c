/* Loading drivers: good ones of any age, and why others are refused. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/registry/loader.h"
#include "core/registry/object.h"
#include "core/registry/tables.h"
#include "tests/skipping.h"
#include "tests/unit/scratch.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Some other user. */
#define STRANGER 54321

#define OPEN                                                                                       \
    "static int toy_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)\n"      \
    "{ (void)opening, (void)endpoint; return -1; }\n"
#define TYPES                                                                                      \
    "static const struct modcat_address_type types[] = {\n"                                        \
    "    {.name = \"TOY\", .groups = \"FD\", .open = toy_open},\n"                                 \
    "    {.name = \"TOYS\", .groups = \"FD\", .max_params = 3, .open = toy_open},\n"               \
    "};\n"
#define NAMED ".name = \"toy\", .version = \"1.0\", .summary = \"a toy\""
#define TOY OPEN TYPES "MODCAT_DRIVER(" NAMED ", MODCAT_TYPES(types));\n"

static const char *build(const char *source)
{
    return scratch_build(scratch_folder("drivers"), "toy", source);
}

static void load(const char *path, struct modcat_driver *driver)
{
    if (loader_open(path, driver) < 0)
        fail_msg("%s", scratch_logged());
    assert_string_equal(scratch_logged(), "");
}

/* Loading fails with one line, which names the file and ends with the reason. */
static void check_refused(const char *path, const char *reason)
{
    struct modcat_driver driver;
    AUTO_FREE char *expected =
        memory_format(" E driver \"%s\" cannot be loaded: %s\n", path, reason);
    assert_int_equal(loader_open(path, &driver), -1);
    const char *logged = scratch_logged();
    if (strstr(logged, expected) == NULL || strchr(logged, '\n')[1] != '\0')
        fail_msg("expected:%slogged: %s", expected, logged);
}

static void check_source_refused(const char *source, const char *reason)
{
    check_refused(build(source), reason);
}

static void loads_a_good_driver(void **state)
{
    (void)state;
    struct modcat_driver driver;
    struct modcat_address_type type;
    load(build(TOY), &driver);
    assert_string_equal(driver.name, "toy");
    assert_string_equal(driver.version, "1.0");
    assert_int_equal(driver.abi_major, MODCAT_ABI_MAJOR);
    assert_int_equal(driver.type_count, 2);
    assert_int_equal(driver.group_count, 0);
    tables_type(&driver, 1, &type);
    assert_string_equal(type.name, "TOYS");
    assert_int_equal(type.max_params, 3);
    assert_non_null(type.open);
}

static void a_newer_minor_number_is_no_obstacle(void **state)
{
    (void)state;
    struct modcat_driver driver;
    load(build(OPEN TYPES "MODCAT_DRIVER(" NAMED ", .abi_minor = MODCAT_ABI_MINOR + 5,"
                          "MODCAT_TYPES(types));\n"),
         &driver);
    assert_int_equal(driver.abi_minor, MODCAT_ABI_MINOR + 5);
}

static void a_layer_needs_neither_open_nor_listen(void **state)
{
    (void)state;
    struct modcat_driver driver;
    load(
        build("static int toy_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,\n"
              "                    struct modcat_endpoint *endpoint)\n"
              "{ (void)opening, (void)lower, (void)endpoint; return -1; }\n"
              "static const struct modcat_address_type types[] = {\n"
              "    {.name = \"TOY\", .wrap = toy_wrap}};\n"
              "MODCAT_DRIVER(" NAMED ", MODCAT_TYPES(types));"),
        &driver);
    assert_int_equal(driver.type_count, 1);
}

static void refuses_another_major_number(void **state)
{
    (void)state;
    check_source_refused(OPEN TYPES "MODCAT_DRIVER(" NAMED ", .abi_major = 77, .abi_minor = 5,"
                                    "MODCAT_TYPES(types));\n",
                         "it was made for driver ABI 77.5, and this modcat has 1.0");
}

static void refuses_a_file_that_is_missing(void **state)
{
    (void)state;
    check_refused(scratch_path("missing.so"), "No such file or directory");
    check_refused("/missing.so", "No such file or directory");
}

static void refuses_a_file_that_is_no_object(void **state)
{
    (void)state;
    const char *path = scratch_path("text.so");
    AUTO_FREE char *reason = memory_format("%s: file too short", path);
    scratch_write(path, "hello");
    check_refused(path, reason);
    AUTO_FREE char *header = memory_format("%s: invalid ELF header", path);
    scratch_write(path, "hello, this is just some text in a file, and it goes on like this for "
                        "a while, so that it is longer than any header would be, line by line");
    check_refused(path, header);
}

static void refuses_what_is_no_regular_file(void **state)
{
    (void)state;
    const char *path = scratch_path("pipe.so");
    assert_int_equal(mkfifo(path, 0600), 0);
    check_refused(path, "not a regular file");
    check_refused(scratch_folder("folder.so"), "not a regular file");
}

/* The beginning of a file, as a file of its own. */
static const char *cut(const char *path, size_t length, size_t part)
{
    char block[64 * 1024];
    const char *copy = scratch_path("cut%zu.so", part);
    FILE *from = fopen(path, "re"), *to = fopen(copy, "we");
    assert_true(from != NULL && to != NULL);
    length = fread(block, 1, length < sizeof block ? length : sizeof block, from);
    assert_int_equal(fwrite(block, 1, length, to), length);
    fclose(from);
    assert_int_equal(fclose(to), 0);
    return copy;
}

static void refuses_a_file_that_is_cut_short_anywhere(void **state)
{
    (void)state;
    struct modcat_driver driver;
    struct stat status;
    const char *path = build(TOY);
    assert_int_equal(stat(path, &status), 0);
    for (size_t part = 0; part < 16; part++) {
        const char *copy = cut(path, (size_t)status.st_size * part / 16, part);
        assert_int_equal(loader_open(copy, &driver), -1);
        const char *logged = scratch_logged();
        assert_non_null(strstr(logged, copy));
        assert_non_null(strstr(logged, "it is cut short"));
    }
}

static void refuses_an_object_that_is_no_driver(void **state)
{
    (void)state;
    check_source_refused("int something = 1;", "not a modcat driver: missing symbol modcat_driver");
}

static void names_the_symbol_that_nobody_has(void **state)
{
    (void)state;
    const char *path =
        build("int modcat_service_of_the_future(void);\n"
              "static int toy_open(struct modcat_opening *opening, struct modcat_endpoint *to)\n"
              "{ (void)opening, (void)to; return modcat_service_of_the_future(); }\n" TYPES
              "MODCAT_DRIVER(" NAMED ", MODCAT_TYPES(types));\n");
    AUTO_FREE char *reason =
        memory_format("%s: undefined symbol: modcat_service_of_the_future", path);
    check_refused(path, reason);
}

static void refuses_a_file_that_others_can_write(void **state)
{
    (void)state;
    const char *path = build(TOY);
    assert_int_equal(chmod(path, 0646), 0);
    AUTO_FREE char *reason =
        memory_format("everybody can write it (mode 0646): chmod go-w \"%s\"", path);
    check_refused(path, reason);
}

static void refuses_a_folder_that_others_can_write(void **state)
{
    (void)state;
    const char *path = build(TOY);
    assert_int_equal(chmod(scratch_path("drivers"), 01777), 0);
    AUTO_FREE char *reason =
        memory_format("its folder: everybody can write it (mode 1777): chmod go-w \"%s\"",
                      scratch_path("drivers"));
    check_refused(path, reason);
}

static const char *stranger_owns(const char *path, const char *what)
{
    static char reason[600];
    snprintf(reason, sizeof reason,
             "%sit belongs to user 54321, neither to root nor to you; if you trust it: chown root "
             "\"%s\"",
             what, path);
    return reason;
}

static void refuses_what_belongs_to_somebody_else(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip_because("it takes root");
    const char *path = build(TOY);
    assert_int_equal(chown(path, STRANGER, (gid_t)-1), 0);
    check_refused(path, stranger_owns(path, ""));
    assert_int_equal(chown(path, 0, (gid_t)-1), 0);
    assert_int_equal(chown(scratch_path("drivers"), STRANGER, (gid_t)-1), 0);
    check_refused(path, stranger_owns(scratch_path("drivers"), "its folder: "));
}

static void refuses_a_file_that_a_strange_group_can_write(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip_because("it takes root");
    const char *path = build(TOY);
    assert_int_equal(chown(path, (uid_t)-1, STRANGER), 0);
    assert_int_equal(chmod(path, 0664), 0);
    AUTO_FREE char *reason =
        memory_format("group 54321 can write it (mode 0664): chmod go-w \"%s\"", path);
    check_refused(path, reason);
}

static void roots_group_may_write(void **state)
{
    (void)state;
    struct modcat_driver driver;
    if (geteuid() != 0)
        skip_because("it takes root");
    const char *path = build(TOY);
    assert_int_equal(chown(path, (uid_t)-1, 0), 0);
    assert_int_equal(chmod(path, 0664), 0);
    load(path, &driver);
}

/* An access control list as the kernel takes it, in which a user or group may write; the mask is
 * what the list lets anybody do. */
static void set_list(const char *path, unsigned short tag, unsigned id, unsigned short mask)
{
    struct {
        unsigned version;
        struct {
            unsigned short tag, permissions;
            unsigned id;
        } entries[5];
    } list = {2, {{1, 7, ~0u}, {4, 4, ~0u}, {0x10, mask, ~0u}, {0x20, 4, ~0u}}};
    size_t place = tag == 2 ? 1 : 2;
    memmove(&list.entries[place + 1], &list.entries[place], (4 - place) * sizeof list.entries[0]);
    list.entries[place].tag = tag;
    list.entries[place].permissions = 6;
    list.entries[place].id = id;
    if (setxattr(path, "system.posix_acl_access", &list, sizeof list, 0) < 0) {
        assert_int_equal(errno, ENOTSUP);
        skip_because("the file system has no access control lists");
    }
}

static void check_list_refused(const char *path, const char *listed, const char *what,
                               const char *who)
{
    AUTO_FREE char *reason = memory_format(
        "%sits access control list lets %s write: setfacl -b \"%s\"", what, who, listed);
    check_refused(path, reason);
}

/* With root's own group the mode alone says nothing against the file. */
static void refuses_what_an_access_control_list_lets_others_write(void **state)
{
    (void)state;
    const char *path = build(TOY), *folder = scratch_path("drivers");
    set_list(path, 2, STRANGER, 6);
    check_list_refused(path, path, "", "user 54321");
    set_list(path, 8, STRANGER, 6);
    check_list_refused(path, path, "", "group 54321");
    assert_int_equal(removexattr(path, "system.posix_acl_access"), 0);
    assert_int_equal(chmod(path, 0644), 0);
    set_list(folder, 2, STRANGER, 7);
    assert_int_equal(chmod(folder, 0775), 0);
    check_list_refused(path, folder, "its folder: ", "user 54321");
    set_list(folder, 2, geteuid(), 5);
    assert_int_equal(chmod(scratch_path("."), 0755), 0);
    set_list(scratch_path("."), 8, STRANGER, 7);
    assert_int_equal(loader_open(path, &(struct modcat_driver){0}), -1);
    scratch_expect_log("its access control list lets group 54321 write");
}

static void what_the_mask_of_a_list_takes_away_does_no_harm(void **state)
{
    (void)state;
    struct modcat_driver driver;
    const char *path = build(TOY);
    set_list(path, 2, STRANGER, 4);
    load(path, &driver);
    set_list(path, 2, geteuid(), 6);
    load(path, &driver);
}

static void refuses_what_lies_below_a_folder_that_others_can_write(void **state)
{
    (void)state;
    const char *above = scratch_folder("above"), *folder = scratch_folder("above/drivers");
    const char *path = scratch_build(folder, "toy", TOY);
    AUTO_FREE char *reason = memory_format(
        "folder \"%s\": everybody can write it (mode 0777): chmod go-w \"%s\"", above, above);
    assert_int_equal(chmod(above, 0777), 0);
    check_refused(path, reason);
}

/* Nobody can rename in there what belongs to somebody else. */
static void a_sticky_folder_above_is_good_enough(void **state)
{
    (void)state;
    struct modcat_driver driver;
    const char *above = scratch_folder("above"), *folder = scratch_folder("above/drivers");
    const char *path = scratch_build(folder, "toy", TOY);
    assert_int_equal(chmod(above, 01777), 0);
    load(path, &driver);
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(folder, STRANGER, (gid_t)-1), 0);
    check_refused(path, stranger_owns(folder, "its folder: "));
}

static void the_way_to_a_driver_may_lead_through_links_of_ones_own(void **state)
{
    (void)state;
    struct modcat_driver driver;
    const char *above = scratch_folder("above"), *path = build(TOY);
    const char *link = scratch_path("above/link"), *again = scratch_path("again.so");
    const char *linked = scratch_path("above/link/toy.so");
    assert_int_equal(symlink("../above/../drivers/.", link), 0);
    assert_int_equal(symlink(linked, again), 0);
    load(linked, &driver);
    load(again, &driver);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink(path, link), 0);
    check_refused(linked, "Not a directory");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("link", link), 0);
    check_refused(linked, "Too many levels of symbolic links");
    assert_int_equal(unlink(again), 0);
    assert_int_equal(symlink("again.so", again), 0);
    check_refused(again, "Too many levels of symbolic links");
    assert_int_equal(chmod(above, 0755), 0);
}

static void refuses_the_link_of_somebody_else(void **state)
{
    (void)state;
    const char *path = build(TOY), *link = scratch_path("link");
    if (geteuid() != 0)
        skip_because("it takes root");
    assert_int_equal(symlink("drivers", link), 0);
    assert_int_equal(lchown(link, STRANGER, (gid_t)-1), 0);
    (void)path;
    check_refused(scratch_path("link/toy.so"), "the symbolic link \"link\" on its path belongs to "
                                               "user 54321, neither to root nor to you");
}

static void refuses_a_folder_above_that_belongs_to_somebody_else(void **state)
{
    (void)state;
    const char *above = scratch_folder("above"), *folder = scratch_folder("above/drivers");
    const char *path = scratch_build(folder, "toy", TOY);
    if (geteuid() != 0)
        skip_because("it takes root");
    AUTO_FREE char *what = memory_format("folder \"%s\": ", above);
    assert_int_equal(chown(above, STRANGER, (gid_t)-1), 0);
    check_refused(path, stranger_owns(above, what));
}

/* Whoever replaces the file while it is checked: what is loaded is what was open. */
static void what_was_checked_is_what_is_loaded(void **state)
{
    (void)state;
    char *reason = NULL;
    const char *path = build(TOY);
    const char *other = scratch_build(scratch_path("drivers"), "other",
                                      "__attribute__((constructor)) static void start(void)\n"
                                      "{ __builtin_trap(); }\n" TOY);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(rename(other, path), 0);
    void *object = object_load(fd, path, path, &reason);
    assert_non_null(object);
    assert_non_null(dlsym(object, LOADER_SYMBOL));
    close(fd);
}

/* Numbers of descriptors come again, and dlopen(3) opens no name twice. */
static void drivers_that_had_the_same_descriptor_are_two(void **state)
{
    (void)state;
    struct modcat_driver one, two;
    const char *folder = scratch_folder("drivers");
    load(scratch_build(folder, "one",
                       OPEN TYPES "MODCAT_DRIVER(.name = \"one\", .version = \"1\","
                                  "MODCAT_TYPES(types));\n"),
         &one);
    load(scratch_build(folder, "two",
                       OPEN TYPES "MODCAT_DRIVER(.name = \"two\", .version = \"1\","
                                  "MODCAT_TYPES(types));\n"),
         &two);
    assert_string_equal(one.name, "one");
    assert_string_equal(two.name, "two");
}

static void debuggers_are_told_the_path_of_a_driver(void **state)
{
    (void)state;
    struct modcat_driver driver;
    Dl_info info;
    const char *path = build(TOY);
    load(path, &driver);
    assert_int_not_equal(dladdr(driver.types, &info), 0);
    assert_string_equal(info.dli_fname, path);
    void *again = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    assert_non_null(again);
    dlclose(again);
}

static void refuses_tables_that_are_missing(void **state)
{
    (void)state;
    check_source_refused("MODCAT_DRIVER(" NAMED ", .type_size = 200, .type_count = 1);",
                         "its table of address types is missing");
    check_refused(scratch_build(scratch_path("drivers"), "groups",
                                "MODCAT_DRIVER(" NAMED ", .group_size = 100, .group_count = 1);"),
                  "its table of option groups is missing");
    check_refused(scratch_build(scratch_path("drivers"), "options",
                                "static const struct modcat_option_group groups[] = {\n"
                                "    {.name = \"TOY\", .option_size = 100, .option_count = 1}};\n"
                                "MODCAT_DRIVER(" NAMED ", MODCAT_GROUPS(groups));"),
                  "a group's table of options is missing");
}

/* Each row is a declaration of a driver that lacks something, and what is said about it. */
static const struct fault {
    const char *source;
    const char *reason;
} faults[] = {
    {"MODCAT_DRIVER(.version = \"1\");", "it has no name"},
    {"MODCAT_DRIVER(.name = \"\", .version = \"1\");", "it has no name"},
    {"MODCAT_DRIVER(.name = \"toy\");", "it has no version"},
    {"MODCAT_DRIVER(" NAMED ", .endpoint_size = 1);",
     "invalid structure size (built for another ABI?)"},
    {OPEN TYPES "MODCAT_DRIVER(" NAMED ", .types = types, .type_count = 2);",
     "invalid structure size (built for another ABI?)"},
    {"static const struct modcat_address_type types[] = {{.name = 0}};\n"
     "MODCAT_DRIVER(" NAMED ", MODCAT_TYPES(types));",
     "an address type has no name"},
    {"static const struct modcat_address_type types[] = {{.name = \"TOY\"}};\n"
     "MODCAT_DRIVER(" NAMED ", MODCAT_TYPES(types));",
     "an address type cannot be opened"},
    {OPEN
     "static int toy_listen(struct modcat_opening *opening, struct modcat_listener *listener)\n"
     "{ (void)opening, (void)listener; return -1; }\n"
     "static const struct modcat_address_type types[] = {\n"
     "    {.name = \"TOY\", .open = toy_open, .listen = toy_listen}};\n"
     "MODCAT_DRIVER(" NAMED ", MODCAT_TYPES(types));",
     "an address type has both open and listen"},
    {"static const struct modcat_option_group groups[] = {{.name = 0}};\n"
     "MODCAT_DRIVER(" NAMED ", MODCAT_GROUPS(groups));",
     "an option group has no name"},
#define OPTION(row)                                                                                \
    "static const struct modcat_option options[] = {{" row "}};\n"                                 \
    "static const struct modcat_option_group groups[] = {{\"TOY\", 0, MODCAT_OPTIONS(options)}};"  \
    "\nMODCAT_DRIVER(" NAMED ", MODCAT_GROUPS(groups));"
    {OPTION(".name = 0"), "an option has no name"},
    {OPTION(".name = \"x\", .type = 999"),
     "an option has a type or a phase that is not known here"},
    {OPTION(".name = \"x\", .phase = 999"),
     "an option has a type or a phase that is not known here"},
    {OPTION(".name = \"x\", .effect = 1000"), "an option has an effect that is not known here"},
    {OPTION(".name = \"x\", .effect = MODCAT_SOCKOPT"), "an option takes effect in no phase"},
    {OPTION(".name = \"x\", .effect = MODCAT_CALL, .phase = MODCAT_PHASE_FD"),
     "an option calls no function"},
    {OPTION(".name = \"x\", .type = MODCAT_CHOICE"), "an option is a choice without words"},
    {OPEN "static const struct modcat_address_type types[] = {\n"
          "    {.name = \"TOY\", .groups = \"ONE,TWO\", .open = toy_open}};\n"
          "static const struct modcat_option one[] = {{.name = \"size\"}};\n"
          "static const struct modcat_option two[] = {{.name = \"big\", .aliases = \"size\"}};\n"
          "static const struct modcat_option_group groups[] = {\n"
          "    {.name = \"ONE\", MODCAT_OPTIONS(one)}, {.name = \"TWO\", MODCAT_OPTIONS(two)}};\n"
          "MODCAT_DRIVER(" NAMED ", MODCAT_TYPES(types), MODCAT_GROUPS(groups));",
     "address type TOY has two options \"size\""},
};

static void refuses_tables_that_make_no_sense(void **state)
{
    (void)state;
    const char *folder = scratch_folder("drivers");
    for (size_t i = 0; i < MODCAT_COUNT(faults); i++) {
        AUTO_FREE char *name = memory_format("toy%zu", i);
        check_refused(scratch_build(folder, name, faults[i].source), faults[i].reason);
    }
}

static void an_older_driver_lacks_the_members_that_came_later(void **state)
{
    (void)state;
    struct modcat_driver driver;
    check_source_refused("MODCAT_DRIVER(" NAMED ", .size = 16);",
                         "invalid structure size (built for another ABI?)");
    /* The first driver ABI ended here. */
    load(scratch_build(scratch_path("drivers"), "first",
                       OPEN TYPES "MODCAT_DRIVER(" NAMED ", MODCAT_TYPES(types), .size ="
                                  "offsetof(struct modcat_driver, group_count) + sizeof(size_t));"),
         &driver);
    assert_int_equal(driver.type_count, 2);
}

/* A driver whose structs have members that this program has never heard of. */
static void a_newer_driver_has_members_that_are_passed_over(void **state)
{
    (void)state;
    struct modcat_driver driver;
    struct modcat_address_type type;
    struct modcat_option_group group;
    struct modcat_option option;
    load(build(OPEN
               "static const struct { struct modcat_address_type known; long news[3]; }\n"
               "types[] = {{{.name = \"TOY\", .open = toy_open}, {1, 2, 3}},\n"
               "           {{.name = \"TOYS\", .max_params = 3, .open = toy_open}, {4}}};\n"
               "static const struct { struct modcat_option known; long news[2]; } options[] =\n"
               "    {{{.name = \"one\"}, {1, 2}}, {{.name = \"two\", .code = 4}, {3, 4}}};\n"
               "static const struct { struct modcat_option_group known; long news[5]; }\n"
               "groups[] = {{{.name = \"A\"}, {1}}, {{\"B\", 0, MODCAT_OPTIONS(options)}, {2}}};\n"
               "extern const struct { struct modcat_driver known; long news[4]; }\n"
               "modcat_driver;\n"
               "const __typeof__(modcat_driver) modcat_driver = {{\n"
               "    .size = sizeof modcat_driver, .abi_major = 1, .abi_minor = 9,\n"
               "    .endpoint_size = 200, .listener_size = 300, " NAMED ",\n"
               "    .types = &types[0].known, .type_size = sizeof types[0], .type_count = 2,\n"
               "    .groups = &groups[0].known, .group_size = sizeof groups[0],\n"
               "    .group_count = 2}, {9, 9, 9, 9}};\n"),
         &driver);
    assert_int_equal(driver.endpoint_size, 200);
    assert_int_equal(driver.group_count, 2);
    tables_type(&driver, 1, &type);
    assert_string_equal(type.name, "TOYS");
    assert_int_equal(type.max_params, 3);
    tables_group(&driver, 1, &group);
    assert_string_equal(group.name, "B");
    tables_option(&group, 1, &option);
    assert_string_equal(option.name, "two");
    assert_int_equal(option.code, 4);
}

static void shorter_rows_are_filled_up_with_zeros(void **state)
{
    (void)state;
    char from[4] = {1, 2, 3, 4}, to[8];
    memset(to, 99, sizeof to);
    tables_copy(to, sizeof to, from, sizeof from);
    assert_memory_equal(to, "\1\2\3\4\0\0\0\0", sizeof to);
    tables_copy(to, 2, from, sizeof from);
    assert_memory_equal(to, "\1\2\3\4\0\0\0\0", sizeof to);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_start, scratch_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(loads_a_good_driver),
        TEST(a_newer_minor_number_is_no_obstacle),
        TEST(a_layer_needs_neither_open_nor_listen),
        TEST(refuses_another_major_number),
        TEST(refuses_a_file_that_is_missing),
        TEST(refuses_a_file_that_is_no_object),
        TEST(refuses_what_is_no_regular_file),
        TEST(refuses_a_file_that_is_cut_short_anywhere),
        TEST(refuses_an_object_that_is_no_driver),
        TEST(names_the_symbol_that_nobody_has),
        TEST(refuses_a_file_that_others_can_write),
        TEST(refuses_a_folder_that_others_can_write),
        TEST(refuses_what_belongs_to_somebody_else),
        TEST(refuses_a_file_that_a_strange_group_can_write),
        TEST(roots_group_may_write),
        TEST(refuses_what_an_access_control_list_lets_others_write),
        TEST(what_the_mask_of_a_list_takes_away_does_no_harm),
        TEST(refuses_what_lies_below_a_folder_that_others_can_write),
        TEST(a_sticky_folder_above_is_good_enough),
        TEST(the_way_to_a_driver_may_lead_through_links_of_ones_own),
        TEST(refuses_the_link_of_somebody_else),
        TEST(refuses_a_folder_above_that_belongs_to_somebody_else),
        TEST(what_was_checked_is_what_is_loaded),
        TEST(drivers_that_had_the_same_descriptor_are_two),
        TEST(debuggers_are_told_the_path_of_a_driver),
        TEST(refuses_tables_that_are_missing),
        TEST(refuses_tables_that_make_no_sense),
        TEST(an_older_driver_lacks_the_members_that_came_later),
        TEST(a_newer_driver_has_members_that_are_passed_over),
        TEST(shorter_rows_are_filled_up_with_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
