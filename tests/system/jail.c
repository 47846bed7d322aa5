#define _GNU_SOURCE
#include "tests/system/jail.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

void jail_needs_root(void)
{
    if (geteuid() == 0)
        return;
    skip_because("only root can change the root folder");
}

/* Of the test's own, so that nobody else sees what is mounted. */
static bool enter_mount_namespace(void)
{
    static bool entered;
    entered = entered ||
              (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    return entered;
}

static void mount_proc(const char *folder)
{
    assert_int_equal(mkdir(folder, 0755), 0);
    if (!enter_mount_namespace() || mount("proc", folder, "proc", 0, NULL) < 0)
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
}

void jail_make(struct harness *harness)
{
    jail_needs_root();
    assert_int_equal(mkdir(path(harness, "jail"), 0755), 0);
    assert_int_equal(mkdir(path(harness, "jail/folder"), 0755), 0);
    assert_int_equal(mkdir(path(harness, "out"), 0755), 0);
    file_write(harness, path(harness, "jail/secret"), "inside");
    file_write(harness, path(harness, "out/secret"), "outside");
    mount_proc(path(harness, "jail/proc"));
}

const char *jail_path(struct harness *harness, const char *name)
{
    const char *whole = text(harness, "%s/%s", path(harness, "jail"), name);
    char *cut = strdup(whole);
    for (char *slash = strchr(cut + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(cut, 0755) < 0)
            assert_int_equal(errno, EEXIST);
        *slash = '/';
    }
    free(cut);
    return whole;
}

int jail_end(void **state)
{
    (void)umount2(path(*state, "jail/proc"), MNT_DETACH);
    return harness_end(state);
}
