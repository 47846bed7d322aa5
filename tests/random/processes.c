#define _GNU_SOURCE
#include "tests/random/processes.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The kernel's list of a thread's children: "PID PID ". */
static size_t children(pid_t parent, pid_t *pids, size_t most)
{
    char name[64], list[4096];
    size_t count = 0;
    snprintf(name, sizeof name, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, list, sizeof list - 1);
    if (fd >= 0)
        close(fd);
    list[length > 0 ? length : 0] = '\0';
    for (char *next = list; count < most && *next != '\0'; next += strspn(next, " "))
        pids[count++] = (pid_t)strtol(next, &next, 10);
    return count;
}

/* "PID (NAME) STATE": that of one that has ended is Z. */
static bool lives(pid_t pid, char *line, size_t size)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, line, size - 1);
    if (fd >= 0)
        close(fd);
    line[length > 0 ? length : 0] = '\0';
    char *end = strrchr(line, ')');
    if (end == NULL)
        return false;
    end[1] = '\0';
    return end[2] != 'Z' && end[2] != 'X';
}

#define MOST 256

const char *processes_left(struct harness *harness)
{
    pid_t pids[MOST];
    char line[512];
    size_t count = children(getpid(), pids, MOST);
    for (size_t i = 0; i < count; i++)
        if (lives(pids[i], line, sizeof line))
            return text(harness, "%s", line);
    return NULL;
}

void processes_kill_all(void)
{
    pid_t pids[MOST];
    for (size_t count; (count = children(getpid(), pids, MOST)) > 0;) {
        for (size_t i = 0; i < count; i++)
            kill(pids[i], SIGKILL);
        if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
            return;
    }
}
