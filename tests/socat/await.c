/* await COMMAND...: runs a command until it succeeds, again after each change of a file in this
 * folder, as inotify(7) tells it; for at most 20 seconds. The exit status is 0 when it has
 * succeeded, and 1 otherwise. */

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 20000

#define CHANGES (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MODIFY | IN_ATTRIB)

extern char **environ;

static long long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool succeeds(char **command)
{
    pid_t pid;
    int status;
    int error = posix_spawnp(&pid, command[0], NULL, NULL, command, environ);
    if (error != 0) {
        fprintf(stderr, "await: %s: %s\n", command[0], strerror(error));
        return false;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What has changed since is in the queue, and one look is enough for all of it. */
static bool changes(int fd, long long deadline)
{
    char events[4096];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    long long left = deadline - milliseconds();
    if (left <= 0 || poll(&ready, 1, (int)left) <= 0)
        return false;
    while (read(fd, events, sizeof events) > 0)
        continue;
    return true;
}

int main(int argc, char **argv)
{
    long long deadline = milliseconds() + PATIENCE;
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (argc < 2 || fd < 0 || inotify_add_watch(fd, ".", CHANGES) < 0) {
        fprintf(stderr, "await: %s\n", argc < 2 ? "no command is given" : strerror(errno));
        return 1;
    }
    while (!succeeds(argv + 1))
        if (!changes(fd, deadline))
            return 1;
    return 0;
}
