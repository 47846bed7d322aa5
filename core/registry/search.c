#define _GNU_SOURCE
#include "core/registry/search.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/registry/trust.h"
#include "core/registry/walk.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".driver"
#define MANIFEST_MAX (1024 * 1024)
#define BEGINNING 2048

/* Who wants the manifests. */
struct taker {
    void (*take)(void *context, const char *path, char *text);
    void *context;
};

static bool refused;

bool search_has_refused(void)
{
    return refused;
}

static void leave_out(const char *path, const char *reason)
{
    log_warning("skipping drivers in \"%s\": %s", path, reason);
}

/* What is not there, or can't be opened, is not refused. */
static void refuse(const char *path, const struct walk *walk)
{
    refused = refused || walk->error == 0;
    leave_out(path, walk->fault);
}

/* The size of a manifest that was found good, or -1 after a warning. */
static ssize_t size_of(const struct walk *file, const char *path)
{
    struct stat status;
    if (file->fd < 0)
        refuse(path, file);
    else if (fstat(file->fd, &status) < 0)
        leave_out(path, strerror(errno));
    else if (status.st_size > MANIFEST_MAX)
        leave_out(path, "not a manifest");
    else
        return (ssize_t)status.st_size;
    return -1;
}

/* The first `length` bytes of a file, or NULL after a warning. */
static char *read_text(int fd, const char *path, size_t length)
{
    char *text = memory_alloc(length + 1);
    ssize_t count = pread(fd, text, length, 0);
    if (count != (ssize_t)length) {
        free(text);
        return leave_out(path, count < 0 ? strerror(errno) : "it is cut short"), NULL;
    }
    text[length] = '\0';
    return text;
}

/* Cuts off the lines about groups and options, which come last and are many. Returns false when the
 * text ends before they begin. */
static bool cut_to_beginning(char *text)
{
    char *group = strstr(text, "\ngroup\t"), *option = strstr(text, "\noption\t");
    if (group != NULL)
        group[1] = '\0';
    if (option != NULL)
        option[1] = '\0';
    return group != NULL || option != NULL;
}

/* Every run reads the beginning of every manifest: no more than that is read, if it can be. */
static char *read_beginning(const struct walk *file, const char *path)
{
    ssize_t size = size_of(file, path);
    if (size < 0)
        return NULL;
    char *text = read_text(file->fd, path, size < BEGINNING ? (size_t)size : BEGINNING);
    if (text == NULL || cut_to_beginning(text) || size <= BEGINNING)
        return text;
    free(text);
    text = read_text(file->fd, path, (size_t)size);
    if (text != NULL)
        cut_to_beginning(text);
    return text;
}

char *search_read(const char *path)
{
    struct walk file;
    walk_file(path, &file);
    ssize_t size = size_of(&file, path);
    char *text = size < 0 ? NULL : read_text(file.fd, path, (size_t)size);
    walk_end(&file);
    return text;
}

static bool is_manifest(const char *name)
{
    size_t length = strlen(name);
    return length > sizeof SUFFIX - 1 && strcmp(name + length - (sizeof SUFFIX - 1), SUFFIX) == 0;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The names of the manifests in a folder, sorted; as scandirat(3), which only the GNU library has.
 * Returns how many, or -1. */
static ssize_t list_manifests(int folder_fd, char ***names)
{
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    size_t count = 0;
    *names = NULL;
    if (folder == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (is_manifest(entry->d_name)) {
            *names = memory_resize(*names, count + 1, sizeof **names);
            (*names)[count++] = memory_copy_text(entry->d_name);
        }
    closedir(folder);
    if (count > 0)
        qsort(*names, count, sizeof **names, by_name);
    return (ssize_t)count;
}

static void take_manifest(const struct walk *folder, const char *name, const char *path,
                          const struct taker *taker)
{
    struct walk file;
    walk_file_in(folder, name, path, &file);
    char *text = read_beginning(&file, path);
    walk_end(&file);
    if (text != NULL)
        taker->take(taker->context, path, text);
}

static void search_open_folder(const struct walk *walk, const char *folder,
                               const struct taker *taker)
{
    AUTO_FREE char **names = NULL;
    ssize_t count = list_manifests(walk->fd, &names);
    if (count < 0) {
        leave_out(folder, strerror(errno));
        return;
    }
    for (ssize_t i = 0; i < count; i++) {
        AUTO_FREE char *name = names[i];
        AUTO_FREE char *path = memory_join(folder, name);
        take_manifest(walk, name, path, taker);
    }
}

/* `wanted`: somebody named this folder, so that its absence is worth a word. */
static void search_walked(const struct walk *walk, const char *folder, bool wanted,
                          const struct taker *taker)
{
    if (walk->fd >= 0)
        search_open_folder(walk, folder, taker);
    else if (wanted || walk->error != ENOENT)
        refuse(folder, walk);
}

static int search_folder(const char *folder, bool wanted, const struct taker *taker)
{
    struct walk walk;
    if (folder[0] != '/') {
        log_error("driver folder \"%s\": use an absolute path", folder);
        return -1;
    }
    walk_folder(folder, &walk);
    search_walked(&walk, folder, wanted, taker);
    walk_end(&walk);
    return 0;
}

static int search_environment(const struct taker *taker)
{
    const char *paths = secure_getenv("MODCAT_DRIVER_PATH");
    if (paths == NULL || paths[0] == '\0')
        return 0;
    AUTO_FREE char *copy = memory_copy_text(paths);
    char *rest = copy;
    for (char *folder; (folder = strsep(&rest, ":")) != NULL;)
        if (folder[0] != '\0' && search_folder(folder, true, taker) < 0)
            return -1;
    return 0;
}

/* A build tree's drivers, where the program stands in one, take the place of the installed ones. */
static int search_default(const struct taker *taker)
{
    struct walk walk;
    if (!walk_beside_program(&walk))
        return search_folder(MODCAT_DRIVER_DIR, false, taker);
    search_walked(&walk, walk.path, false, taker);
    walk_end(&walk);
    return 0;
}

int search_manifests(const char *const *paths, size_t path_count,
                     void (*take)(void *context, const char *path, char *text), void *context)
{
    struct taker taker = {.take = take, .context = context};
    if (path_count > 0 && trust_raised_privileges()) {
        log_error("--driver-path is not allowed with raised privileges");
        return -1;
    }
    for (size_t i = 0; i < path_count; i++)
        if (search_folder(paths[i], true, &taker) < 0)
            return -1;
    if (search_environment(&taker) < 0)
        return -1;
    return search_default(&taker);
}
