/* PIPE: a pipe within the program, which gives back what is written, or a named one. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <modcat/driver.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int pipe_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

static const struct modcat_address_type types[] = {
    {
        .name = "PIPE",
        .aliases = "ECHO,FIFO",
        .syntax = "[:<filename>]",
        .groups = "FD,FIFO,NAMED,OPEN",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .help = "give back what is written, or use a named pipe",
        .example = "modcat TCP-LISTEN:7,fork PIPE",
        .max_params = 1,
        .open = pipe_open,
    },
};

MODCAT_DRIVER(.name = "pipe", .version = MODCAT_DRIVER_VERSION,
              .summary = "unnamed and named pipes", MODCAT_TYPES(types));

static int open_unnamed(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return modcat_fail_call(opening, "make a pipe", NULL, NULL, "pipe2(ends, O_CLOEXEC)");
    modcat_log(MODCAT_NOTICE, "writing to and reading from unnamed pipe");
    endpoint->read_fd = ends[0];
    endpoint->write_fd = ends[1];
    endpoint->flags = MODCAT_END_GIVES_BACK;
    endpoint->half_close = MODCAT_HALF_CLOSE;
    return 0;
}

/* Option unlink is about what is there before the pipe is made, and not about the pipe. */
static int remove_old(struct modcat_opening *opening, const char *path)
{
    if (modcat_unlink_early(opening, path) < 0)
        return -1;
    if (!modcat_option_bool(opening, "unlink", false) || unlink(path) == 0 || errno == ENOENT)
        return 0;
    return modcat_fail_call(opening, "remove", path, NULL, "unlink(\"%s\")", path);
}

/* The opening may wait, and the other end has to be able to open it meanwhile. Acts on a pipe only,
 * whatever the name leads to by now. */
static int give_away(struct modcat_opening *opening, const char *path)
{
    uid_t user = (uid_t)modcat_option_number(opening, "user", -1);
    gid_t group = (gid_t)modcat_option_number(opening, "group", -1);
    if (user == (uid_t)-1 && group == (gid_t)-1)
        return 0;
    struct stat status = {.st_mode = 0};
    int result = -1, entry = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (entry >= 0 && fstat(entry, &status) == 0 && S_ISFIFO(status.st_mode))
        result = fchownat(entry, "", user, group, AT_EMPTY_PATH);
    else if (entry >= 0)
        errno = EEXIST;
    if (result < 0)
        modcat_fail_call(opening, "change the owner of", path, NULL, "chown(\"%s\", %d, %d)", path,
                         (int)user, (int)group);
    if (entry >= 0)
        close(entry);
    return result;
}

/* Permissions that are given count as they are, without the umask. */
static int make_pipe(struct modcat_opening *opening, const char *path)
{
    bool given = modcat_option_value(opening, "perm") != NULL;
    mode_t mode = (mode_t)modcat_option_number(opening, "perm", 0666);
    mode_t mask = given ? umask(0) : 0;
    int result = mkfifo(path, mode), error = errno;
    if (given)
        umask(mask);
    errno = error;
    if (result < 0)
        return modcat_fail_call(opening, "make named pipe", path, NULL, "mkfifo(%s, %o)", path,
                                (unsigned)mode);
    return 0;
}

/* Makes the pipe where nothing of that name exists. Returns 1 when it was made. */
static int make_named(struct modcat_opening *opening, const char *path)
{
    struct stat status;
    if (remove_old(opening, path) < 0)
        return -1;
    if (stat(path, &status) == 0)
        return 0;
    if (make_pipe(opening, path) < 0)
        return -1;
    modcat_log(MODCAT_NOTICE, "created named pipe \"%s\" for %s", path,
               modcat_directions_name(opening));
    return 1;
}

static int open_named(struct modcat_opening *opening, const char *path,
                      struct modcat_endpoint *endpoint)
{
    unsigned directions = modcat_directions(opening);
    int made = make_named(opening, path);
    if (made < 0)
        return -1;
    modcat_unlink_at_close(opening, path, made > 0);
    if (made > 0 && give_away(opening, path) < 0)
        return -1;
    int fd = modcat_open_path(opening, path, 0);
    if (fd < 0)
        return -1;
    endpoint->read_fd = (directions & MODCAT_DIR_READ) != 0 ? fd : -1;
    endpoint->write_fd = (directions & MODCAT_DIR_WRITE) != 0 ? fd : -1;
    return 0;
}

static int pipe_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    const char *path = modcat_param(opening, 0);
    return path == NULL ? open_unnamed(opening, endpoint) : open_named(opening, path, endpoint);
}
