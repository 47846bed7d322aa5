#define _GNU_SOURCE
#include "tests/unit/scratch.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/registry/loader.h"
#include "core/registry/manifest.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    char *folder;
    char *texts[200]; /* to be freed at the end */
    size_t text_count;
    size_t seen; /* of the log */
} scratch;

static const char *keep(char *text)
{
    assert_true(scratch.text_count < sizeof scratch.texts / sizeof scratch.texts[0]);
    return scratch.texts[scratch.text_count++] = text;
}

int scratch_start(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    umask(022);
    scratch.folder = memory_format("%s/modcat-test-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(scratch.folder) == NULL)
        return -1;
    scratch.seen = 0;
    log_set_level(MODCAT_WARNING);
    log_set_sloppy(false);
    return log_to_file(scratch_path("log"));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *position)
{
    (void)status, (void)type, (void)position;
    return remove(path);
}

int scratch_end(void **state)
{
    (void)state;
    log_to_stderr();
    nftw(scratch.folder, remove_entry, 10, FTW_DEPTH | FTW_PHYS);
    while (scratch.text_count > 0)
        free(scratch.texts[--scratch.text_count]);
    free(scratch.folder);
    return 0;
}

const char *scratch_path(const char *format, ...)
{
    char *name;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&name, format, arguments);
    va_end(arguments);
    assert_true(length >= 0);
    const char *path = keep(memory_format("%s/%s", scratch.folder, name));
    free(name);
    return path;
}

const char *scratch_folder(const char *name)
{
    const char *path = scratch_path("%s", name);
    assert_int_equal(mkdir(path, 0755), 0);
    return path;
}

void scratch_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

const char *scratch_read(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = memory_copy_text("");
    }
    fclose(file);
    return keep(text);
}

/* The compiler is a command with options, as make(1) hands it over. */
static void compile(const char *source, const char *object)
{
    const char *compiler = getenv("CC"), *tree = getenv("srcdir");
    AUTO_FREE char *command = memory_format("%s -w -shared -fPIC -I'%s/include' -o '%s' '%s'",
                                            compiler != NULL ? compiler : "cc",
                                            tree != NULL ? tree : ".", object, source);
    int status = system(command);
    if (status != 0)
        fail_msg("%s: status %d", command, status);
}

const char *scratch_build(const char *folder, const char *name, const char *source)
{
    const char *file = keep(memory_format("%s/%s.c", folder, name));
    const char *object = keep(memory_format("%s/%s.so", folder, name));
    AUTO_FREE char *text = memory_format("#include <modcat/driver.h>\n%s\n", source);
    scratch_write(file, text);
    compile(file, object);
    return object;
}

/* In a process of its own, so that the driver is not loaded in this one. */
static void describe(const char *object, const char *manifest)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct modcat_driver driver;
        if (loader_open(object, &driver) < 0)
            _exit(1);
        FILE *file = fopen(manifest, "we");
        fputs(manifest_describe(&driver), file);
        _exit(fclose(file) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        fail_msg("%s: %s", object, scratch_logged());
}

const char *scratch_install(const char *folder, const char *name, const char *source)
{
    const char *object = scratch_build(folder, name, source);
    describe(object, keep(memory_format("%s/%s.driver", folder, name)));
    return object;
}

const char *scratch_logged(void)
{
    const char *text = scratch_read(scratch_path("log")) + scratch.seen;
    scratch.seen += strlen(text);
    return text;
}

void scratch_expect_log(const char *text)
{
    const char *logged = scratch_logged();
    if (strstr(logged, text) == NULL)
        fail_msg("expected:\n%s\nlogged:\n%s", text, logged);
}
