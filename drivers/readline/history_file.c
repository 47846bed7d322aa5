#define _GNU_SOURCE
#include "history_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>

#define FLAGS (O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define MODE 0600

/* It may lead to any file. */
static bool is_link_of_somebody_else(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode) && status.st_uid != 0 &&
           status.st_uid != geteuid();
}

/* Returns 0 for a regular file, otherwise -1 with errno. */
static int check(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -1;
    errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    return S_ISREG(status.st_mode) ? 0 : -1;
}

static int open_regular(const char *path, int flags)
{
    int fd = open(path, flags | FLAGS | O_NOFOLLOW, MODE);
    if (fd < 0 && errno == ELOOP && is_link_of_somebody_else(path)) {
        errno = EACCES;
        return -1;
    }
    if (fd < 0 && errno == ELOOP)
        fd = open(path, flags | FLAGS, MODE);
    if (fd < 0 || check(fd) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Closes the descriptor where it fails. */
static FILE *open_stream(int fd, const char *mode)
{
    FILE *file = fd >= 0 ? fdopen(fd, mode) : NULL;
    if (file == NULL && fd >= 0)
        close(fd);
    return file;
}

int history_read(const char *path)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = open_stream(open_regular(path, O_RDONLY), "r");
    if (file == NULL)
        return errno == ENOENT ? 0 : -1;
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0')
            add_history(line);
    }
    free(line);
    int result = ferror(file) ? -1 : 0, error = errno;
    fclose(file);
    errno = error;
    return result;
}

int history_write(const char *path)
{
    HIST_ENTRY **lines = history_list();
    int fd = open_regular(path, O_WRONLY | O_CREAT);
    if (fd >= 0 && ftruncate(fd, 0) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    FILE *file = open_stream(fd, "w");
    if (file == NULL)
        return -1;
    for (size_t i = 0; lines != NULL && lines[i] != NULL; i++)
        fprintf(file, "%s\n", lines[i]->line);
    int result = fflush(file) == 0 ? 0 : -1, error = errno;
    fclose(file);
    errno = error;
    return result;
}
