#define _GNU_SOURCE
#include "core/services/net/unix.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/procfs.h"
#include "core/base/words.h"
#include "core/opening/leftovers.h"
#include "core/opening/opening.h"
#include "core/registry/registry.h"
#include "core/services/files/path.h"
#include "core/services/net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TEMPORARY_PATTERN "/tmp/modcat-bind.XXXXXX"
#define PLACEHOLDER "XXXXXX"
#define TEMPORARY_TRIES 100

#define PERMISSIONS 0777

/* Before an abstract name there is a NUL, behind a path as well. */
#define LENGTH_MAX (sizeof((struct sockaddr_un *)NULL)->sun_path - 1)
#define TOO_LONG "\"%s\" is longer than a socket's name may be (%zu bytes instead of %zu)"

/* What the options want of a new entry. */
struct entry_mode {
    mode_t mode;
    bool mode_given;
    uid_t user; /* -1: as it comes */
    gid_t group;
};

static struct sockaddr_un *name_of(struct modcat_sockaddr *address)
{
    return (struct sockaddr_un *)&address->u.storage;
}

static const char *path_of(const struct modcat_sockaddr *address)
{
    const struct sockaddr_un *name = (const struct sockaddr_un *)&address->u.storage;
    bool is_path = address->length > offsetof(struct sockaddr_un, sun_path) &&
                   name->sun_family == AF_UNIX && name->sun_path[0] != '\0';
    return is_path ? name->sun_path : NULL;
}

static int check_length(const struct modcat_opening *opening, const char *name)
{
    size_t length = strlen(name);
    if (length > 0 && length <= LENGTH_MAX)
        return 0;
    errno = length == 0 ? EINVAL : ENAMETOOLONG;
    if (length == 0)
        return modcat_fail(opening, "%s: the name of the socket is empty", modcat_keyword(opening));
    return modcat_fail(opening, TOO_LONG, name, length, LENGTH_MAX);
}

int modcat_unix_address(struct modcat_opening *opening, const char *name, bool abstract,
                        struct modcat_sockaddr *address)
{
    struct sockaddr_un *target = name_of(address);
    bool tight = modcat_option_bool(opening, "unix-tightsocklen", true);
    if (check_length(opening, name) < 0)
        return -1;
    *address = (struct modcat_sockaddr){.length = sizeof *target};
    target->sun_family = AF_UNIX;
    memcpy(target->sun_path + (abstract ? 1 : 0), name, strlen(name));
    if (tight)
        address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
    return 0;
}

int modcat_unix_local(struct modcat_opening *opening, bool abstract,
                      struct modcat_sockaddr *address)
{
    const char *name = modcat_option_string(opening, "bind", NULL);
    const struct modcat_value *temporary = modcat_option_value(opening, "unix-bind-tempname");
    *address = (struct modcat_sockaddr){.length = 0};
    errno = EINVAL;
    if (name != NULL && temporary != NULL)
        return modcat_fail_option(opening, "unix-bind-tempname",
                                  "do not use both options bind and unix-bind-tempname");
    if (name == NULL && temporary == NULL)
        return 0;
    if (temporary != NULL)
        name =
            temporary->absent || *temporary->string == '\0' ? TEMPORARY_PATTERN : temporary->string;
    if (strlen(name) > LENGTH_MAX) {
        errno = ENAMETOOLONG;
        return modcat_fail_option(opening, temporary != NULL ? "unix-bind-tempname" : "bind",
                                  TOO_LONG, name, strlen(name), LENGTH_MAX);
    }
    return modcat_unix_address(opening, name, abstract, address);
}

/* Only sockets are removed to make room for a new one, unless option unlink asks for any. */
static int make_room(struct modcat_opening *opening, const char *path)
{
    struct stat status;
    bool any = modcat_option_bool(opening, "unlink", false);
    bool early = modcat_option_bool(opening, "unlink-early", false);
    if (lstat(path, &status) < 0)
        return 0;
    if (any || (early && S_ISSOCK(status.st_mode)))
        return path_remove(opening, path);
    errno = EADDRINUSE;
    if (early)
        return modcat_fail(opening, "\"%s\" exists and is not a socket: it is not removed", path);
    return modcat_fail(opening, "\"%s\" exists; option unlink-early removes an old socket", path);
}

static mode_t current_umask(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return mask;
}

static struct entry_mode wanted_mode(struct modcat_opening *opening)
{
    const struct modcat_value *mode = modcat_option_value(opening, "perm");
    return (struct entry_mode){
        .mode = mode != NULL ? (mode_t)mode->number : PERMISSIONS & ~current_umask(),
        .mode_given = mode != NULL,
        .user = (uid_t)modcat_option_number(opening, "user", -1),
        .group = (gid_t)modcat_option_number(opening, "group", -1),
    };
}

/* The entry gets the permissions of the socket itself, less the umask. */
static int bind_with_mode(struct modcat_opening *opening, int fd,
                          const struct modcat_sockaddr *local, mode_t mode)
{
    if (fchmod(fd, mode) < 0)
        return modcat_fail_call(opening, "set the permissions of the socket", NULL, NULL,
                                "fchmod(%d, 0%o)", fd, (unsigned)mode);
    mode_t mask = umask(0);
    int result = bind(fd, &local->u.any, local->length);
    umask(mask);
    return result == 0 ? 0 : socket_fail_bind(opening, fd, local);
}

/* Acts on the very entry that was bound, whatever its name leads to by now. */
static int give_away(struct modcat_opening *opening, const char *path,
                     const struct entry_mode *wanted)
{
    AUTO_CLOSE int entry = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (entry < 0 || fstat(entry, &status) < 0)
        return modcat_fail_call(opening, "open", path, NULL, "open(\"%s\", O_PATH)", path);
    errno = ENOTSOCK;
    if (!S_ISSOCK(status.st_mode))
        return modcat_fail(opening, "\"%s\": %s", path, strerror(errno));
    if (fchownat(entry, "", wanted->user, wanted->group, AT_EMPTY_PATH) < 0)
        return modcat_fail_call(opening, "change the owner of", path, NULL, "chown(\"%s\", %d, %d)",
                                path, (int)wanted->user, (int)wanted->group);
    if (procfs_chmod(entry, wanted->mode) < 0)
        return modcat_fail_call(opening, "change the permissions of", path, NULL,
                                "chmod(\"%s\", 0%o)", path, (unsigned)wanted->mode);
    return 0;
}

/* Not what somebody else has put there since. Keeps errno. */
static void remove_made(const struct entry *made, const char *path)
{
    int error = errno;
    if (entry_is_at(made, path))
        unlink(path);
    errno = error;
}

/* While the entry belongs to the wrong owner nobody may connect to it. */
static int bind_for(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local,
                    const struct entry_mode *wanted)
{
    bool given_away = wanted->user != (uid_t)-1 || wanted->group != (gid_t)-1;
    if (!given_away && !wanted->mode_given)
        return bind(fd, &local->u.any, local->length) == 0 ? 0
                                                           : socket_fail_bind(opening, fd, local);
    if (bind_with_mode(opening, fd, local, given_away ? 0 : wanted->mode) < 0)
        return -1;
    if (!given_away)
        return 0;
    const struct entry made = entry_at(path_of(local));
    if (give_away(opening, path_of(local), wanted) == 0)
        return 0;
    remove_made(&made, path_of(local));
    return -1;
}

/* The options of the entry that are not about its making. */
static int apply_to_entry(struct modcat_opening *opening, int fd, const char *path)
{
    const char *outer = opening->path;
    opening->path = path;
    int result = modcat_apply(opening, MODCAT_PHASE_PREOPEN, fd);
    if (result == 0)
        result = modcat_apply(opening, MODCAT_PHASE_PASTOPEN, fd);
    opening->path = outer;
    return result;
}

static bool takes_entry_options(const struct modcat_opening *opening)
{
    return words_list_has(opening->address->type->type.groups, "NAMED");
}

static int bind_path(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local)
{
    const struct entry_mode wanted = wanted_mode(opening);
    const char *path = path_of(local);
    if (make_room(opening, path) < 0 || bind_for(opening, fd, local, &wanted) < 0)
        return -1;
    opening->bound = *local;
    opening->bound_entry = entry_at(path);
    modcat_unlink_at_close(opening, path, takes_entry_options(opening));
    if (apply_to_entry(opening, fd, path) == 0)
        return 0;
    unix_unbind(opening);
    return -1;
}

static int bind_name(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local)
{
    if (path_of(local) != NULL)
        return bind_path(opening, fd, local);
    return bind(fd, &local->u.any, local->length) == 0 ? 0 : socket_fail_bind(opening, fd, local);
}

static int fill_placeholder(char *place)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    unsigned random[sizeof PLACEHOLDER - 1];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return -1;
    for (size_t i = 0; i < MODCAT_COUNT(random); i++)
        place[i] = letters[random[i] % (sizeof letters - 1)];
    return 0;
}

static int bind_temporary(struct modcat_opening *opening, int fd,
                          const struct modcat_sockaddr *pattern)
{
    enum modcat_level level = opening->failure;
    int result = -1;
    errno = EADDRINUSE;
    for (int i = 0; i < TEMPORARY_TRIES && result < 0 && errno == EADDRINUSE; i++) {
        struct modcat_sockaddr local = *pattern;
        char *path = name_of(&local)->sun_path;
        char *place =
            memmem(path, sizeof name_of(&local)->sun_path, PLACEHOLDER, sizeof PLACEHOLDER - 1);
        if (place == NULL || fill_placeholder(place) < 0)
            return modcat_fail(opening, "no random numbers for a temporary name");
        opening->failure = i + 1 < TEMPORARY_TRIES ? MODCAT_INFO : level;
        result = bind_name(opening, fd, &local);
    }
    opening->failure = level;
    if (result < 0 && errno != EADDRINUSE)
        return socket_fail_bind(opening, fd, pattern);
    return result;
}

int unix_bind(struct modcat_opening *opening, int fd, const struct modcat_sockaddr *local)
{
    bool temporary = modcat_option_value(opening, "unix-bind-tempname") != NULL;
    return temporary ? bind_temporary(opening, fd, local) : bind_name(opening, fd, local);
}

void unix_unbind(struct modcat_opening *opening)
{
    int saved = errno;
    const char *path = path_of(&opening->bound);
    if (path != NULL) {
        remove_made(&opening->bound_entry, path);
        leftovers_forget(opening->session, path);
    }
    opening->bound.length = 0;
    errno = saved;
}
