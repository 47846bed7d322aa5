#define _GNU_SOURCE
#include "core/opening/leftovers.h"

#include "core/base/entry.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/opening/session_state.h"
#include <errno.h>
#include <limits.h>
#include <modcat/driver.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct leftovers {
    struct leftovers *next;
    const struct address *of; /* that left it, or NULL */
    char *path;
    char *target; /* of a link that must still lead there, or NULL */
    const char *what;
    int (*remove)(const char *path);
    pid_t owner;
    struct entry entry; /* what was there when it was added */
    bool outside;       /* of the root folder that the process has by now */
};

static char *absolute(const char *path)
{
    AUTO_FREE char *folder = path[0] == '/' ? NULL : getcwd(NULL, 0);
    return folder == NULL ? memory_copy_text(path) : memory_format("%s/%s", folder, path);
}

static void add(struct session *session, struct leftovers leftover)
{
    struct leftovers *added = memory_alloc(sizeof *added);
    *added = leftover;
    added->next = session->leftovers;
    added->owner = getpid();
    session->leftovers = added;
}

void leftovers_add(struct session *session, const struct address *of, const char *path,
                   const char *what)
{
    add(session, (struct leftovers){.of = of,
                                    .path = absolute(path),
                                    .what = what,
                                    .remove = unlink,
                                    .entry = entry_at(path)});
}

void leftovers_add_link(struct session *session, const struct address *of, const char *path,
                        const char *target)
{
    add(session, (struct leftovers){.of = of,
                                    .path = absolute(path),
                                    .target = memory_copy_text(target),
                                    .remove = unlink,
                                    .entry = entry_at(path)});
}

static void free_leftover(struct leftovers *leftover)
{
    free(leftover->path);
    free(leftover->target);
    free(leftover);
}

void leftovers_forget(struct session *session, const char *path)
{
    AUTO_FREE char *wanted = absolute(path);
    for (struct leftovers **place = &session->leftovers; *place != NULL; place = &(*place)->next) {
        struct leftovers *found = *place;
        if (strcmp(found->path, wanted) != 0)
            continue;
        *place = found->next;
        free_leftover(found);
        return;
    }
}

static struct leftovers *find(const struct session *session, const char *path)
{
    AUTO_FREE char *wanted = session->leftovers != NULL ? absolute(path) : NULL;
    struct leftovers *found = session->leftovers;
    while (found != NULL && strcmp(found->path, wanted) != 0)
        found = found->next;
    return found;
}

void leftovers_open(struct session *session, const char *path)
{
    struct leftovers *found = find(session, path);
    if (found != NULL && !entry_at(path).known)
        found->entry.known = false;
}

void leftovers_opened(struct session *session, const char *path, int fd)
{
    struct stat named, open;
    struct leftovers *found = find(session, path);
    if (found != NULL && !found->entry.known && stat(path, &named) == 0 && fstat(fd, &open) == 0 &&
        named.st_dev == open.st_dev && named.st_ino == open.st_ino)
        found->entry = entry_at(path);
}

/* The path of an entry as it is seen from a folder that has become the root, or NULL. */
static char *path_inside(const char *path, const char *root)
{
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    bool inside = strncmp(path, root, length) == 0 && path[length] == '/';
    return inside ? memory_copy_text(path + length) : NULL;
}

void leftovers_change_root(struct session *session, const char *root)
{
    for (struct leftovers *left = session->leftovers; left != NULL; left = left->next) {
        char *inside = left->remove == unlink ? path_inside(left->path, root) : NULL;
        if (inside == NULL) {
            left->outside = left->remove == unlink;
            continue;
        }
        free(left->path);
        left->path = inside;
    }
}

/* Somebody else may have put another link there meanwhile. */
static bool leads_elsewhere(const struct leftovers *leftover)
{
    char target[PATH_MAX];
    if (leftover->target == NULL)
        return false;
    ssize_t length = readlink(leftover->path, target, sizeof target);
    return length < 0 || (size_t)length != strlen(leftover->target) ||
           memcmp(target, leftover->target, (size_t)length) != 0;
}

static void remove_entry(const struct leftovers *leftover)
{
    bool is_entry = leftover->remove == unlink;
    if (leftover->remove(leftover->path) < 0)
        modcat_log(is_entry || errno != ENOENT ? MODCAT_WARNING : MODCAT_INFO, "%s(\"%s\"): %s",
                   is_entry ? "unlink" : "removing", leftover->path, strerror(errno));
    else if (leftover->what != NULL)
        log_info("%s \"%s\"", leftover->what, leftover->path);
}

/* What can't be reached any more, or has been replaced since by somebody else, stays. */
static bool must_stay(const struct leftovers *leftover)
{
    if (leftover->outside)
        log_warning("\"%s\" can't be removed: it is outside of the root folder", leftover->path);
    if (leftover->outside || leads_elsewhere(leftover))
        return true;
    if (leftover->remove != unlink || !entry_at(leftover->path).known ||
        entry_is_at(&leftover->entry, leftover->path))
        return false;
    log_notice("\"%s\" is not removed: it has been replaced since", leftover->path);
    return true;
}

/* Takes it off the list. */
static void remove_at(struct leftovers **place)
{
    struct leftovers *found = *place;
    *place = found->next;
    if (found->owner == getpid() && !must_stay(found))
        remove_entry(found);
    free_leftover(found);
}

void leftovers_remove(struct session *session)
{
    while (session->leftovers != NULL)
        remove_at(&session->leftovers);
}

static bool belongs_to(const struct address *address, const struct address *stack)
{
    for (; stack != NULL; stack = stack->lower) {
        if (stack == address)
            return true;
        for (size_t i = 0; i < stack->end_count; i++)
            if (belongs_to(address, stack->ends[i]->first))
                return true;
    }
    return false;
}

void leftovers_remove_of(struct session *session, const struct address *of)
{
    struct leftovers **place = &session->leftovers;
    while (*place != NULL) {
        if ((*place)->of != NULL && belongs_to((*place)->of, of))
            remove_at(place);
        else
            place = &(*place)->next;
    }
}

void modcat_unlink_at_close(struct modcat_opening *opening, const char *path, bool otherwise)
{
    if (modcat_option_bool(opening, "unlink-close", otherwise))
        leftovers_add(opening->session, opening->address, path, NULL);
}

void modcat_remove_at_close(struct modcat_opening *opening, const char *name,
                            int (*remove)(const char *name))
{
    struct session *session = opening->session;
    for (const struct leftovers *old = session->leftovers; old != NULL; old = old->next)
        if (old->remove == remove && old->owner == getpid() && strcmp(old->path, name) == 0)
            return;
    add(session, (struct leftovers){
                     .of = opening->address, .path = memory_copy_text(name), .remove = remove});
}
