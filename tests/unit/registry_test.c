/* The registry: which driver knows a word, and that no other one is loaded. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/registry/registry.h"
#include "tests/skipping.h"
#include "tests/unit/scratch.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A driver NAME with a type and an alias, a group of its own, and an option for FD; WHERE stands
 * for more members of the driver. */
#define DRIVER(name, type, alias, group, option, where)                                            \
    "static int toy_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)\n"      \
    "{ (void)opening, (void)endpoint; return -1; }\n"                                              \
    "static const struct modcat_address_type types[] = {\n"                                        \
    "    {.name = \"" type "\", .aliases = \"" alias "\", .groups = \"FD," group "\",\n"           \
    "     .directions = MODCAT_DIR_READ, .open = toy_open},\n"                                     \
    "};\n"                                                                                         \
    "static const struct modcat_option own[] = {\n"                                                \
    "    {.name = \"" option "\", .aliases = \"" option "-too\", .type = MODCAT_INT}};\n"          \
    "static const struct modcat_option more[] = {\n"                                               \
    "    {.name = \"" option "-fd\", .type = MODCAT_BOOL}};\n"                                     \
    "static const struct modcat_option_group groups[] = {\n"                                       \
    "    {.name = \"" group "\", .help = \"toys\", MODCAT_OPTIONS(own)},\n"                        \
    "    {.name = \"FD\", MODCAT_OPTIONS(more)}};\n"                                               \
    "MODCAT_DRIVER(.name = \"" name "\", .version = \"1.0\", .summary = \"toys\" " where ",\n"     \
    "              MODCAT_TYPES(types), MODCAT_GROUPS(groups));\n"

#define TOY DRIVER("toy", "TOY-CONNECT", "TOY,TOY-C", "TOY", "toy-size", "")
#define BALL DRIVER("ball", "BALL-THROW", "BALL", "BALL", "ball-size", "")

/* Manifests of drivers that are never loaded. */
#define MANIFEST(name, type, alias)                                                                \
    "modcat-driver\t1.0\ndriver\t" name "\t1.0\t\n"                                                \
    "address\t" type "\t" alias "\t\tFD\trw\t0\t0\t\t\n"
#define OPTION(name, group) "option\t" name "\t\t" group "\tINT\tFD\t\n"

static const char *write_manifest(const char *folder, const char *name, const char *text)
{
    const char *path = scratch_path("%s/%s.driver", folder, name);
    scratch_write(path, text);
    return path;
}

static bool is_loaded(const char *object)
{
    void *handle = dlopen(object, RTLD_LAZY | RTLD_NOLOAD);
    if (handle == NULL)
        return false;
    dlclose(handle);
    return true;
}

static struct registry *registry;

static int start(void **state)
{
    unsetenv("MODCAT_DRIVER_PATH");
    registry = NULL;
    if (scratch_start(state) < 0)
        return -1;
    scratch_folder("one");
    scratch_folder("two");
    return 0;
}

static int end(void **state)
{
    registry_close(registry);
    return scratch_end(state);
}

static void open_folders(void)
{
    const char *const paths[] = {scratch_path("one"), scratch_path("two")};
    registry = registry_open(paths, MODCAT_COUNT(paths));
    assert_non_null(registry);
}

static const struct registry_type *find_type(const char *word)
{
    bool failed;
    const struct registry_type *type = registry_type(registry, word, &failed);
    if (failed)
        fail_msg("%s", scratch_logged());
    return type;
}

static const struct registry_option *find_option(const char *word, const char *groups)
{
    bool failed;
    const struct registry_option *option = registry_option(registry, word, groups, &failed);
    if (failed)
        fail_msg("%s", scratch_logged());
    return option;
}

static void expect_type_fails(const char *word, const char *message)
{
    bool failed = false;
    assert_null(registry_type(registry, word, &failed));
    assert_true(failed);
    scratch_expect_log(message);
}

static void knows_words_without_loading(void **state)
{
    (void)state;
    const char *toy = scratch_install(scratch_path("one"), "toy", TOY);
    open_folders();
    assert_true(registry_has_driver(registry, "toy"));
    assert_true(registry_has_type(registry, "TOY-CONNECT"));
    assert_true(registry_has_type(registry, "toy-c"));
    assert_true(registry_has_group(registry, "TOY"));
    assert_true(registry_has_group(registry, "PROCESS"));
    assert_true(registry_has_option(registry, "TOY-SIZE"));
    assert_true(registry_has_option(registry, "toy-size-fd"));
    assert_false(registry_has_driver(registry, "to"));
    assert_false(registry_has_type(registry, "TOY-CONNECTS"));
    assert_false(registry_has_group(registry, "toys"));
    assert_false(registry_has_option(registry, "toy-siz"));
    assert_string_equal(registry_nearest_type(registry, "TOY-CONECT"), "TOY-CONNECT");
    assert_false(is_loaded(toy));
}

static void loads_the_driver_of_the_word_that_is_used_and_no_other(void **state)
{
    (void)state;
    const char *toy = scratch_install(scratch_path("one"), "toy", TOY);
    const char *ball = scratch_install(scratch_path("one"), "ball", BALL);
    open_folders();
    const struct registry_type *type = find_type("BALL-THROW");
    assert_non_null(type);
    assert_string_equal(type->type.name, "BALL-THROW");
    assert_non_null(type->type.open);
    assert_string_equal(registry_driver_name(type->driver), "ball");
    assert_true(registry_endpoint_size(type->driver) >= sizeof(struct modcat_endpoint));
    assert_true(registry_listener_size(type->driver) >= sizeof(struct modcat_listener));
    assert_true(is_loaded(ball));
    assert_false(is_loaded(toy));
}

static void finds_types_by_alias_and_in_any_case(void **state)
{
    (void)state;
    scratch_install(scratch_path("one"), "toy", TOY);
    open_folders();
    const struct registry_type *type = find_type("TOY-CONNECT");
    assert_non_null(type);
    assert_ptr_equal(find_type("toy-connect"), type);
    assert_ptr_equal(find_type("TOY"), type);
    assert_ptr_equal(find_type("Toy-c"), type);
    assert_null(find_type("TOY,TOY-C"));
    assert_null(find_type("TO"));
    assert_null(find_type(""));
}

static void an_unknown_word_is_no_failure(void **state)
{
    (void)state;
    open_folders();
    assert_null(find_type("NO-SUCH-TYPE"));
    assert_null(find_option("no-such-option", "FD"));
    assert_null(find_option("no-such-option", NULL));
    assert_string_equal(scratch_logged(), "");
}

static void a_word_in_two_drivers_is_an_error_that_names_both_files(void **state)
{
    (void)state;
    const char *one = write_manifest("one", "toy", MANIFEST("toy", "TOY", "PLAY") OPTION("x", "A"));
    const char *two = write_manifest("two", "fun", MANIFEST("fun", "FUN", "PLAY") OPTION("x", "A"));
    open_folders();
    AUTO_FREE char *type =
        memory_format("E \"Play\" is offered by two drivers, \"%s\" and \"%s\"", one, two);
    expect_type_fails("Play", type);
    AUTO_FREE char *option =
        memory_format("E \"x\" is offered by two drivers, \"%s\" and \"%s\"", one, two);
    bool failed = false;
    assert_null(registry_option(registry, "x", "A", &failed));
    assert_true(failed);
    scratch_expect_log(option);
    assert_null(find_option("x", "B"));
}

static void a_driver_in_an_earlier_folder_hides_a_later_one(void **state)
{
    (void)state;
    write_manifest("one", "toy", MANIFEST("toy", "TOY", "PLAY"));
    const char *hidden = write_manifest("two", "toy", MANIFEST("toy", "TOY", "GAME"));
    log_set_level(MODCAT_INFO);
    open_folders();
    assert_true(registry_has_type(registry, "PLAY"));
    assert_false(registry_has_type(registry, "GAME"));
    AUTO_FREE char *message = memory_format(
        "I driver manifest \"%s\" is hidden by an earlier one of the same name", hidden);
    scratch_expect_log(message);
}

static void files_are_read_in_sorted_order(void **state)
{
    (void)state;
    const char *path;
    size_t cursor = 0;
    write_manifest("two", "a", MANIFEST("a", "A", ""));
    write_manifest("one", "z", MANIFEST("z", "Z", ""));
    write_manifest("one", "m", MANIFEST("m", "M", ""));
    write_manifest("one", "b", MANIFEST("b", "B", ""));
    open_folders();
    static const char *const expected[] = {"b", "m", "z", "a"};
    for (size_t i = 0; i < MODCAT_COUNT(expected); i++)
        assert_string_equal(registry_next_driver(registry, &cursor, &path)->name, expected[i]);
    assert_string_equal(path, scratch_path("two/a.so"));
}

static void drivers_that_are_needed_are_loaded_first(void **state)
{
    (void)state;
    const char *ball = scratch_install(scratch_path("two"), "ball", BALL);
    const char *toy =
        scratch_install(scratch_path("one"), "toy",
                        DRIVER("toy", "TOY", "", "TOY", "toy-size", ", .needs = \"ball\""));
    log_set_level(MODCAT_DEBUG);
    open_folders();
    assert_non_null(find_type("TOY"));
    assert_true(is_loaded(toy));
    assert_true(is_loaded(ball));
    const char *logged = scratch_logged();
    AUTO_FREE char *first = memory_format(" D loaded driver \"%s\"\n", ball);
    AUTO_FREE char *second = memory_format(" D loaded driver \"%s\"\n", toy);
    assert_non_null(strstr(logged, first));
    assert_non_null(strstr(logged, second));
    assert_true(strstr(logged, first) < strstr(logged, second));
}

static void a_driver_that_is_needed_but_missing_is_named(void **state)
{
    (void)state;
    write_manifest("one", "toy", MANIFEST("toy", "TOY", "") "needs\tball\n");
    open_folders();
    expect_type_fails("TOY",
                      " E driver \"toy\" needs the driver \"ball\", which is not installed\n");
}

static void drivers_that_need_each_other_are_refused(void **state)
{
    (void)state;
    write_manifest("one", "a", MANIFEST("a", "A", "") "needs\tb\n");
    write_manifest("one", "b", MANIFEST("b", "B", "") "needs\tc\n");
    write_manifest("one", "c", MANIFEST("c", "C", "") "needs\ta\n");
    write_manifest("one", "d", MANIFEST("d", "D", "") "needs\td\n");
    open_folders();
    expect_type_fails("A", "\" needs itself\n");
    expect_type_fails("D", " E driver \"d\" needs itself\n");
}

static void a_manifest_that_lies_is_refused(void **state)
{
    (void)state;
    const char *toy = scratch_install(scratch_path("one"), "toy", TOY);
    const char *manifest = scratch_path("one/toy.driver");
    const char *truth = scratch_read(manifest), *types = strstr(truth, "address\t");
    AUTO_FREE char *lie = memory_format("%.*saddress\tCAR\t\t\tFD\trw\t0\t0\t\t\n%s",
                                        (int)(types - truth), truth, types);
    scratch_write(manifest, lie);
    open_folders();
    AUTO_FREE char *message =
        memory_format(" E driver \"%s\" does not match its manifest \"%s\"; ", toy, manifest);
    expect_type_fails("CAR", message);
    expect_type_fails("TOY", message);
}

static void a_driver_whose_tables_make_no_manifest_is_refused(void **state)
{
    (void)state;
    scratch_build(scratch_path("one"), "toy", DRIVER("toy", "TOY", "A\\tB", "TOY", "x", ""));
    write_manifest("one", "toy", MANIFEST("toy", "TOY", ""));
    open_folders();
    expect_type_fails("TOY", "does not match its manifest");
}

static void a_driver_without_its_object_is_refused(void **state)
{
    (void)state;
    write_manifest("one", "toy", MANIFEST("toy", "TOY", "") OPTION("x", "A"));
    open_folders();
    expect_type_fails("TOY", "/one/toy.so\" cannot be loaded: No such file or directory\n");
    bool failed = false;
    assert_null(registry_option(registry, "x", "A", &failed));
    assert_true(failed);
}

static void a_driver_for_another_abi_is_refused_before_it_is_loaded(void **state)
{
    (void)state;
    write_manifest("one", "toy",
                   "modcat-driver\t9.2\ndriver\ttoy\t1\t\naddress\tTOY\t\t\t\tr\t0\t0\t\t\n");
    open_folders();
    expect_type_fails("TOY", "it was made for driver ABI 9.2, and this modcat has 1.0\n");
}

static void a_malformed_manifest_is_left_out_with_a_warning(void **state)
{
    (void)state;
    const char *bad = write_manifest("one", "bad", MANIFEST("bad", "BAD", "") "address\t\n");
    write_manifest("one", "toy", MANIFEST("toy", "TOY", ""));
    open_folders();
    assert_false(registry_has_type(registry, "BAD"));
    assert_true(registry_has_type(registry, "TOY"));
    AUTO_FREE char *message =
        memory_format(" W skipping driver manifest \"%s\": line 4 is malformed\n", bad);
    scratch_expect_log(message);
}

static void what_is_no_manifest_is_left_out(void **state)
{
    (void)state;
    write_manifest("one", "toy", MANIFEST("toy", "TOY", ""));
    assert_int_equal(mkfifo(scratch_path("one/fifo.driver"), 0600), 0);
    scratch_folder("one/folder.driver");
    assert_int_equal(symlink("toy.driver", scratch_path("one/link.driver")), 0);
    scratch_write(scratch_path("one/README"), "no driver");
    scratch_write(scratch_path("one/.driver"), "no name");
    open_folders();
    assert_true(registry_has_type(registry, "TOY"));
    const char *logged = scratch_logged();
    assert_non_null(strstr(logged, "fifo.driver\": not a regular file\n"));
    assert_non_null(strstr(logged, "folder.driver\": not a regular file\n"));
    assert_non_null(strstr(logged, "link.driver\": "));
    assert_null(strstr(logged, "README"));
    assert_null(strstr(logged, "/.driver"));
}

static void an_untrusted_folder_is_left_out_with_a_warning(void **state)
{
    (void)state;
    write_manifest("one", "toy", MANIFEST("toy", "TOY", ""));
    write_manifest("two", "ball", MANIFEST("ball", "BALL", ""));
    assert_int_equal(chmod(scratch_path("one"), 0777), 0);
    open_folders();
    assert_false(registry_has_type(registry, "TOY"));
    assert_true(registry_has_type(registry, "BALL"));
    AUTO_FREE char *message = memory_format(
        " W skipping drivers in \"%s\": everybody can write it (mode 0777): chmod go-w ",
        scratch_path("one"));
    scratch_expect_log(message);
}

static void an_untrusted_manifest_is_left_out_with_a_warning(void **state)
{
    (void)state;
    const char *toy = write_manifest("one", "toy", MANIFEST("toy", "TOY", ""));
    write_manifest("one", "ball", MANIFEST("ball", "BALL", ""));
    assert_int_equal(chmod(toy, 0666), 0);
    open_folders();
    assert_false(registry_has_type(registry, "TOY"));
    assert_true(registry_has_type(registry, "BALL"));
    AUTO_FREE char *message = memory_format(
        " W skipping drivers in \"%s\": everybody can write it (mode 0666): chmod go-w ", toy);
    scratch_expect_log(message);
}

static void a_folder_of_somebody_else_is_left_out(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip_because("it takes root");
    write_manifest("one", "toy", MANIFEST("toy", "TOY", ""));
    assert_int_equal(chown(scratch_path("one"), 54321, (gid_t)-1), 0);
    open_folders();
    assert_false(registry_has_type(registry, "TOY"));
    scratch_expect_log(
        "it belongs to user 54321, neither to root nor to you; if you trust it: chown root ");
}

static void a_folder_that_is_missing_is_left_out_with_a_warning(void **state)
{
    (void)state;
    const char *const paths[] = {scratch_path("three"), scratch_path("one")};
    write_manifest("one", "toy", MANIFEST("toy", "TOY", ""));
    registry = registry_open(paths, MODCAT_COUNT(paths));
    assert_true(registry_has_type(registry, "TOY"));
    scratch_expect_log("/three\": No such file or directory\n");
}

static void relative_folders_are_refused(void **state)
{
    (void)state;
    const char *const paths[] = {"one"};
    assert_null(registry_open(paths, 1));
    scratch_expect_log(" E driver folder \"one\": use an absolute path\n");
    setenv("MODCAT_DRIVER_PATH", "/nowhere:./one", 1);
    assert_null(registry_open(NULL, 0));
    scratch_expect_log(" E driver folder \"./one\": use an absolute path\n");
}

static void the_environment_names_folders_after_the_command_line(void **state)
{
    (void)state;
    const char *const paths[] = {scratch_path("one")};
    scratch_folder("three");
    write_manifest("one", "toy", MANIFEST("toy", "TOY", "FIRST"));
    write_manifest("two", "toy", MANIFEST("toy", "TOY", "SECOND"));
    write_manifest("two", "ball", MANIFEST("ball", "BALL", "SECOND"));
    write_manifest("three", "ball", MANIFEST("ball", "BALL", "THIRD"));
    write_manifest("three", "car", MANIFEST("car", "CAR", ""));
    AUTO_FREE char *both = memory_format(":%s::%s:", scratch_path("two"), scratch_path("three"));
    setenv("MODCAT_DRIVER_PATH", both, 1);
    registry = registry_open(paths, MODCAT_COUNT(paths));
    assert_true(registry_has_type(registry, "FIRST"));
    assert_true(registry_has_type(registry, "SECOND"));
    assert_false(registry_has_type(registry, "THIRD"));
    assert_true(registry_has_type(registry, "CAR"));
    assert_string_equal(scratch_logged(), "");
}

static void finds_options_of_the_core_by_alias_and_group(void **state)
{
    (void)state;
    open_folders();
    const struct registry_option *option = find_option("chdir", "PROCESS");
    assert_non_null(option);
    assert_null(option->driver);
    assert_ptr_equal(find_option("CD", "FD,PROCESS"), option);
    assert_ptr_equal(find_option("cd", NULL), option);
    assert_null(find_option("chdir", "FD"));
}

static void an_option_loads_the_driver_that_registers_it(void **state)
{
    (void)state;
    const char *toy = scratch_install(scratch_path("one"), "toy", TOY);
    const char *ball = scratch_install(scratch_path("one"), "ball", BALL);
    open_folders();
    assert_null(find_option("toy-size", "BALL"));
    assert_false(is_loaded(toy));
    const struct registry_option *option = find_option("Toy-Size-Too", "BALL,TOY");
    assert_non_null(option);
    assert_string_equal(option->option.name, "toy-size");
    assert_string_equal(option->groups, "TOY");
    assert_string_equal(registry_driver_name(option->driver), "toy");
    assert_true(is_loaded(toy));
    assert_ptr_equal(find_option("toy-size", "TOY"), option);
    assert_false(is_loaded(ball));
}

static void a_driver_adds_options_to_a_group_of_the_core(void **state)
{
    (void)state;
    scratch_install(scratch_path("one"), "toy", TOY);
    open_folders();
    const struct registry_option *option = find_option("toy-size-fd", "FD");
    assert_non_null(option);
    assert_string_equal(option->groups, "FD");
    assert_int_equal(option->option.type, MODCAT_BOOL);
}

static void options_of_one_name_are_told_apart_by_their_groups(void **state)
{
    (void)state;
    scratch_install(
        scratch_path("one"), "toy",
        "static const struct modcat_option a[] = {{.name = \"size\", .code = 1}};\n"
        "static const struct modcat_option b[] = {{.name = \"size\", .code = 2, .also = \"C\"}};\n"
        "static const struct modcat_option_group groups[] = {\n"
        "    {.name = \"A\", .help = \"a\", MODCAT_OPTIONS(a)},\n"
        "    {.name = \"B\", .help = \"b\", MODCAT_OPTIONS(b)}};\n"
        "MODCAT_DRIVER(.name = \"toy\", .version = \"1\", MODCAT_GROUPS(groups));\n");
    open_folders();
    assert_int_equal(find_option("size", "A")->option.code, 1);
    assert_int_equal(find_option("size", "B")->option.code, 2);
    assert_int_equal(find_option("size", "C")->option.code, 2);
    assert_int_equal(find_option("size", "A")->option.code, 1);
    assert_string_equal(find_option("size", "C")->groups, "B,C");
    assert_null(find_option("size", "D"));
}

static void tells_layers_from_other_types(void **state)
{
    (void)state;
    write_manifest("one", "toy", MANIFEST("toy", "TOY", "PLAY") "layer\tTOY\t0\t0\n");
    write_manifest("one", "ball", MANIFEST("ball", "BALL", ""));
    open_folders();
    assert_true(registry_has_layer(registry, "TOY"));
    assert_true(registry_has_layer(registry, "play"));
    assert_false(registry_has_layer(registry, "BALL"));
    assert_false(registry_has_layer(registry, "TO"));
}

static void suggests_the_nearest_word(void **state)
{
    (void)state;
    write_manifest("one", "toy",
                   MANIFEST("toy", "TOY-CONNECT", "PLAYTHING,GADGET") OPTION("sizable", "TOY"));
    open_folders();
    assert_string_equal(registry_nearest_type(registry, "PLAYTHIN"), "PLAYTHING");
    assert_string_equal(registry_nearest_type(registry, "gadgte"), "GADGET");
    assert_string_equal(registry_nearest_type(registry, "TOY-CONECT"), "TOY-CONNECT");
    assert_null(registry_nearest_type(registry, "SOMETHING-ELSE"));
    assert_string_equal(registry_nearest_option(registry, "sizeable", "TOY"), "sizable");
    assert_string_equal(registry_nearest_option(registry, "sizeable", NULL), "sizable");
    assert_null(registry_nearest_option(registry, "sizeable", "FIFO"));
}

/* The place of an option among all that are known. */
static size_t place_of(const char *name)
{
    const struct manifest_option *option;
    size_t cursor = 0;
    while ((option = registry_next_option(registry, &cursor)) != NULL)
        if (strcmp(option->name, name) == 0)
            return cursor;
    fail_msg("there is no option \"%s\"", name);
    return 0;
}

static void lists_what_the_core_has_before_what_drivers_have(void **state)
{
    (void)state;
    size_t cursor = 0;
    write_manifest("one", "toy", MANIFEST("toy", "TOY", "") OPTION("toy-size", "TOY"));
    open_folders();
    assert_true(place_of("chdir") < place_of("toy-size"));
    assert_true(place_of("so-keepalive") < place_of("toy-size"));
    assert_string_equal(registry_next_group(registry, &cursor)->name, "FD");
    cursor = 0;
    assert_string_equal(registry_next_type(registry, &cursor)->name, "TOY");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(knows_words_without_loading),
        TEST(loads_the_driver_of_the_word_that_is_used_and_no_other),
        TEST(finds_types_by_alias_and_in_any_case),
        TEST(an_unknown_word_is_no_failure),
        TEST(a_word_in_two_drivers_is_an_error_that_names_both_files),
        TEST(a_driver_in_an_earlier_folder_hides_a_later_one),
        TEST(files_are_read_in_sorted_order),
        TEST(drivers_that_are_needed_are_loaded_first),
        TEST(a_driver_that_is_needed_but_missing_is_named),
        TEST(drivers_that_need_each_other_are_refused),
        TEST(a_manifest_that_lies_is_refused),
        TEST(a_driver_whose_tables_make_no_manifest_is_refused),
        TEST(a_driver_without_its_object_is_refused),
        TEST(a_driver_for_another_abi_is_refused_before_it_is_loaded),
        TEST(a_malformed_manifest_is_left_out_with_a_warning),
        TEST(what_is_no_manifest_is_left_out),
        TEST(an_untrusted_folder_is_left_out_with_a_warning),
        TEST(an_untrusted_manifest_is_left_out_with_a_warning),
        TEST(a_folder_of_somebody_else_is_left_out),
        TEST(a_folder_that_is_missing_is_left_out_with_a_warning),
        TEST(relative_folders_are_refused),
        TEST(the_environment_names_folders_after_the_command_line),
        TEST(finds_options_of_the_core_by_alias_and_group),
        TEST(an_option_loads_the_driver_that_registers_it),
        TEST(a_driver_adds_options_to_a_group_of_the_core),
        TEST(options_of_one_name_are_told_apart_by_their_groups),
        TEST(tells_layers_from_other_types),
        TEST(suggests_the_nearest_word),
        TEST(lists_what_the_core_has_before_what_drivers_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
