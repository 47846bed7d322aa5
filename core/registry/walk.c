#define _GNU_SOURCE
#include "core/registry/walk.h"

#include "core/base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

/* As many as path_resolution(7) allows. */
#define LINKS_MAX 40

static void begin(struct walk *walk, const struct trust *trust)
{
    *walk = (struct walk){.fd = -1, .trust = *trust};
}

void walk_end(struct walk *walk)
{
    if (walk->fd >= 0)
        close(walk->fd);
    free(walk->path);
    free(walk->fault);
    *walk = (struct walk){.fd = -1};
}

/* Takes over `fault`, from malloc(3). */
static bool fail(struct walk *walk, char *fault)
{
    if (walk->fd >= 0)
        close(walk->fd);
    walk->fd = -1;
    free(walk->fault);
    walk->fault = fault;
    return false;
}

static bool fail_call(struct walk *walk)
{
    walk->error = errno;
    return fail(walk, memory_copy_text(strerror(walk->error)));
}

static void enter(struct walk *walk, int fd, char *path)
{
    if (walk->fd >= 0)
        close(walk->fd);
    walk->fd = fd;
    free(walk->path);
    walk->path = path;
}

/* The path of an entry of the folder that has been reached. */
static char *path_in(const struct walk *walk, const char *name)
{
    const char *slash = strrchr(walk->path, '/');
    if (strcmp(name, "..") == 0)
        return slash == walk->path ? memory_copy_text("/")
                                   : memory_copy_span(walk->path, (size_t)(slash - walk->path));
    return strcmp(walk->path, "/") == 0 ? memory_format("/%s", name)
                                        : memory_join(walk->path, name);
}

typedef char *fault_fn(const struct trust *trust, int fd, const struct stat *status,
                       const char *path);

/* The fault of the folder that has been reached, or NULL. */
static char *find(struct walk *walk, fault_fn *find_fault)
{
    struct stat status;
    if (fstat(walk->fd, &status) < 0) {
        walk->error = errno;
        return memory_copy_text(strerror(errno));
    }
    return find_fault(&walk->trust, walk->fd, &status, walk->path);
}

static bool check_above(struct walk *walk)
{
    AUTO_FREE char *fault = find(walk, trust_fault_above);
    return fault == NULL || fail(walk, memory_format("folder \"%s\": %s", walk->path, fault));
}

/* The folder that the way leads to. */
static void check_folder(struct walk *walk)
{
    char *fault = find(walk, trust_fault);
    if (fault != NULL)
        fail(walk, fault);
    walk->itself = fault != NULL && walk->error == 0;
}

/* A link that belongs to somebody else may lead elsewhere at any time. */
static char *read_link(struct walk *walk, int folder, const char *name)
{
    char target[4096];
    struct stat status;
    AUTO_CLOSE int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    ssize_t length =
        fd < 0 || fstat(fd, &status) < 0 ? -1 : readlinkat(fd, "", target, sizeof target);
    if (length < 0 || length == (ssize_t)sizeof target) {
        errno = length < 0 ? errno : ENAMETOOLONG;
        fail_call(walk);
        return NULL;
    }
    if (trust_owner(&walk->trust, status.st_uid))
        return memory_copy_span(target, (size_t)length);
    fail(walk, memory_format("the symbolic link \"%s\" on its path belongs to user %u, neither to "
                             "root nor to you",
                             name, (unsigned)status.st_uid));
    return NULL;
}

static bool enter_root(struct walk *walk)
{
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_call(walk);
    enter(walk, fd, memory_copy_text("/"));
    return true;
}

static bool is_link(int folder, const char *name)
{
    struct stat status;
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

static bool step_into(struct walk *walk, const char *name)
{
    int fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_call(walk);
    enter(walk, fd, path_in(walk, name));
    return true;
}

/* What a link stands for comes before what follows it. */
static bool follow(struct walk *walk, const char *name, char **left)
{
    AUTO_FREE char *target = read_link(walk, walk->fd, name);
    if (target == NULL)
        return false;
    char *longer = memory_join(target, *left);
    free(*left);
    *left = longer;
    return target[0] != '/' || enter_root(walk);
}

/* Takes the next name off what is left of a path; NULL at its end. */
static char *next_name(char **left)
{
    const char *start = *left + strspn(*left, "/");
    size_t length = strcspn(start, "/");
    if (length == 0)
        return NULL;
    char *name = memory_copy_span(start, length), *rest = memory_copy_text(start + length);
    free(*left);
    *left = rest;
    return name;
}

static bool go_down(struct walk *walk, const char *folder)
{
    AUTO_FREE char *left = memory_copy_text(folder);
    unsigned links = 0;
    if (!enter_root(walk))
        return false;
    for (;;) {
        AUTO_FREE char *name = next_name(&left);
        if (name == NULL)
            return true;
        if (strcmp(name, ".") == 0)
            continue;
        if (!check_above(walk))
            return false;
        if (!is_link(walk->fd, name)) {
            if (!step_into(walk, name))
                return false;
        } else if (++links > LINKS_MAX) {
            errno = ELOOP;
            return fail_call(walk);
        } else if (!follow(walk, name, &left)) {
            return false;
        }
    }
}

/* `path` from the root on, or NULL with errno. */
static char *whole_path(const char *path)
{
    if (path[0] == '/')
        return memory_copy_text(path);
    AUTO_FREE char *here = getcwd(NULL, 0);
    return here == NULL ? NULL : memory_join(here, path);
}

void walk_folder(const char *folder, struct walk *walk)
{
    begin(walk, &trust_strict);
    AUTO_FREE char *path = whole_path(folder);
    if (path == NULL)
        fail_call(walk);
    else if (go_down(walk, path))
        check_folder(walk);
}

/* Finds this program's file. Without /proc there is the name that it was started by, see
 * getauxval(3), which is good enough for those who could have started another program as well. */
static bool find_program(char program[PATH_MAX], struct stat *file)
{
    const char *name = (const char *)getauxval(AT_EXECFN);
    ssize_t length = readlink("/proc/self/exe", program, PATH_MAX - 1);
    if (length > 0) {
        program[length] = '\0';
        return program[0] == '/' && stat("/proc/self/exe", file) == 0;
    }
    return name != NULL && realpath(name, program) != NULL && stat(program, file) == 0;
}

/* Where the program's drivers are if it stands in a build tree, with who is trusted there. */
static char *beside_program(struct trust *trust)
{
    char program[PATH_MAX];
    struct stat file, folder;
    if (trust_raised_privileges() || !find_program(program, &file))
        return NULL;
    strrchr(program, '/')[1] = '\0';
    AUTO_FREE char *marker = memory_format("%sdrivers/.build-tree", program);
    if (access(marker, F_OK) < 0 || stat(program, &folder) < 0)
        return NULL;
    *trust = trust_like(&file, &folder);
    return memory_format("%sdrivers", program);
}

bool walk_beside_program(struct walk *walk)
{
    struct trust trust;
    char *folder = beside_program(&trust);
    if (folder == NULL)
        return false;
    begin(walk, &trust);
    int fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        fail_call(walk);
        walk->path = folder;
        return true;
    }
    enter(walk, fd, folder);
    check_folder(walk);
    return true;
}

/* The folder of a file, which may be the one beside the program. */
static void walk_folder_of(const char *folder, struct walk *walk)
{
    struct stat named, found;
    if (walk_beside_program(walk)) {
        if (walk->fd >= 0 && stat(folder, &named) == 0 && fstat(walk->fd, &found) == 0 &&
            named.st_dev == found.st_dev && named.st_ino == found.st_ino)
            return;
        walk_end(walk);
    }
    walk_folder(folder, walk);
}

void walk_file_in(const struct walk *folder, const char *name, const char *path, struct walk *walk)
{
    struct stat status;
    begin(walk, &folder->trust);
    walk->path = path_in(folder, name);
    walk->fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (walk->fd < 0 || fstat(walk->fd, &status) < 0) {
        fail_call(walk);
    } else if (!S_ISREG(status.st_mode)) {
        fail(walk, memory_copy_text("not a regular file"));
    } else {
        char *fault = trust_fault(&walk->trust, walk->fd, &status, path);
        if (fault != NULL)
            fail(walk, fault);
    }
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return memory_copy_text(".");
    return slash == path ? memory_copy_text("/") : memory_copy_span(path, (size_t)(slash - path));
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Looks at one file. Returns where it leads if it is a link, from malloc(3), otherwise NULL. */
static char *walk_one_file(const char *path, struct walk *walk)
{
    struct walk folder;
    char *target = NULL, *next = NULL;
    AUTO_FREE char *folder_path = folder_of(path);
    walk_folder_of(folder_path, &folder);
    if (folder.fd < 0) {
        *walk = folder;
        if (walk->itself)
            fail(walk, memory_format("its folder: %s", folder.fault));
        return NULL;
    }
    if (is_link(folder.fd, name_of(path))) {
        begin(walk, &folder.trust);
        target = read_link(walk, folder.fd, name_of(path));
    } else {
        walk_file_in(&folder, name_of(path), path, walk);
    }
    if (target != NULL)
        next = target[0] == '/' ? memory_copy_text(target) : memory_join(folder.path, target);
    free(target);
    walk_end(&folder);
    return next;
}

void walk_file(const char *path, struct walk *walk)
{
    char *next = memory_copy_text(path);
    for (unsigned links = 0; next != NULL && links <= LINKS_MAX; links++) {
        AUTO_FREE char *here = next;
        next = walk_one_file(here, walk);
    }
    if (next == NULL)
        return;
    free(next);
    begin(walk, &trust_strict);
    errno = ELOOP;
    fail_call(walk);
}
