/* Loading an object by descriptor. Its name in /proc is all that dlopen(3) takes of a
 * descriptor. */

#define _GNU_SOURCE
#include "core/registry/object.h"

#include "core/base/memory.h"
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FLAGS (RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)

static bool is_same_file(int fd, const char *path)
{
    struct stat open, named;
    return fstat(fd, &open) == 0 && stat(path, &named) == 0 && open.st_dev == named.st_dev &&
           open.st_ino == named.st_ino;
}

/* dlopen(3) never opens a name twice, and numbers of descriptors come again: each time there is one
 * more slash in the name. */
static char *name_of_descriptor(int fd)
{
    static int loads;
    char slashes[200];
    loads++;
    memset(slashes, '/', sizeof slashes);
    return memory_format("/proc/self/fd%.*s%d", loads % (int)sizeof slashes + 1, slashes, fd);
}

/* The text with each `name` in it replaced. */
static char *replace(const char *text, const char *name, const char *by)
{
    char *result = memory_copy_text("");
    for (const char *found; (found = strstr(text, name)) != NULL; text = found + strlen(name)) {
        char *longer = memory_format("%s%.*s%s", result, (int)(found - text), text, by);
        free(result);
        result = longer;
    }
    char *whole = memory_format("%s%s", result, text);
    free(result);
    return whole;
}

/* The names of an object that is loaded, which is for ever: the one that the library gave it, which
 * must not be freed, and the one it has now. They stay in reach, so that checkers of memory do not
 * take them for lost. */
struct renamed {
    struct renamed *next;
    char *first, *now;
};

static struct renamed *renamed_objects;

/* Debuggers and dladdr(3) show this name, and the library puts it in its own messages. */
static void set_name(void *object, const char *real_path)
{
    struct link_map *map;
    if (dlinfo(object, RTLD_DI_LINKMAP, &map) != 0)
        return;
    struct renamed *renamed = memory_alloc(sizeof *renamed);
    *renamed = (struct renamed){
        .next = renamed_objects, .first = map->l_name, .now = memory_copy_text(real_path)};
    renamed_objects = renamed;
    map->l_name = renamed->now;
}

static void *load_by_name(int fd, const char *real_path, char **reason)
{
    void *object = is_same_file(fd, real_path) ? dlopen(real_path, FLAGS) : NULL;
    if (object == NULL) {
        const char *said = dlerror();
        *reason = memory_copy_text(said != NULL ? said : "it has just been replaced");
    }
    return object;
}

/* Without /proc there is only the name. All folders above have been found good: of others, nobody
 * can put another file there. */
void *object_load(int fd, const char *path, const char *real_path, char **reason)
{
    AUTO_FREE char *name = name_of_descriptor(fd);
    if (!is_same_file(fd, name))
        return load_by_name(fd, real_path, reason);
    void *object = dlopen(name, FLAGS);
    if (object != NULL)
        set_name(object, real_path);
    else
        *reason = replace(dlerror(), name, path);
    return object;
}
