#define _GNU_SOURCE
#include "core/process/family.h"

#include "core/base/memory.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

void family_add(struct family *family, pid_t pid)
{
    family->pids = memory_resize(family->pids, family->count + 1, sizeof *family->pids);
    family->pids[family->count++] = pid;
}

/* proc(5): the children of one thread, by their numbers. */
static void add_listed(struct family *family, const char *path, family_member_fn *member,
                       const void *context)
{
    FILE *file = fopen(path, "re");
    int pid;
    if (file == NULL)
        return;
    while (fscanf(file, "%d", &pid) == 1)
        if (member(pid, context))
            family_add(family, pid);
    fclose(file);
}

void family_add_children(struct family *family, pid_t parent, family_member_fn *member,
                         const void *context)
{
    AUTO_FREE char *folder = memory_format("/proc/%d/task", (int)parent);
    DIR *threads = opendir(folder);
    if (threads == NULL)
        return;
    for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
        AUTO_FREE char *path = memory_format("%s/%s/children", folder, thread->d_name);
        if (thread->d_name[0] != '.')
            add_listed(family, path, member, context);
    }
    closedir(threads);
}

void family_add_descendants(struct family *family, family_member_fn *member, const void *context)
{
    for (size_t i = 0; i < family->count; i++)
        family_add_children(family, family->pids[i], member, context);
}

bool family_has(const struct family *family, pid_t pid)
{
    for (size_t i = 0; i < family->count; i++)
        if (family->pids[i] == pid)
            return true;
    return false;
}

void family_free(struct family *family)
{
    free(family->pids);
    *family = (struct family){0};
}
