#define _GNU_SOURCE
#include "tests/bench/ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK ((size_t)256 * 1024)
#define PATIENCE 10 /* seconds until a relay must be there */

static struct sockaddr_in loopback(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int fail_closing(int fd, const char *call)
{
    complain("%s: %s", call, strerror(errno));
    close(fd);
    return -1;
}

int end_listen(unsigned *port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return fail_closing(fd, "listening on the loopback");
    *port = ntohs(address.sin_port);
    return fd;
}

static struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

int end_listen_unix(const char *path)
{
    struct sockaddr_un address = unix_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0)
        return fail_closing(fd, path);
    return fd;
}

unsigned end_free_port(void)
{
    unsigned port = 0;
    int fd = end_listen(&port);
    if (fd >= 0)
        close(fd);
    return port;
}

static void pause_shortly(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    nanosleep(&pause, NULL);
}

/* Tries until somebody listens. */
static int connect_to(struct relay *relay, const struct sockaddr *address, socklen_t length)
{
    const int on = 1;
    double deadline = now() + PATIENCE;
    while (now() < deadline) {
        int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return complain("socket(): %s", strerror(errno));
        if (address->sa_family == AF_INET)
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connect(fd, address, length) == 0)
            return fd;
        close(fd);
        if (!relay_alive(relay))
            return -1;
        pause_shortly();
    }
    return complain("%s does not listen", contender_name(relay->who));
}

int end_connect(struct relay *relay, unsigned port)
{
    struct sockaddr_in address = loopback(port);
    return connect_to(relay, (struct sockaddr *)&address, sizeof address);
}

int end_connect_unix(struct relay *relay, const char *path)
{
    struct sockaddr_un address = unix_address(path);
    return connect_to(relay, (struct sockaddr *)&address, sizeof address);
}

int end_accept(struct relay *relay, int listener)
{
    struct pollfd poll_one = {.fd = listener, .events = POLLIN};
    const int on = 1;
    for (double deadline = now() + PATIENCE; now() < deadline && relay_alive(relay);)
        if (poll(&poll_one, 1, 100) == 1) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            return fd;
        }
    return complain("%s does not connect", contender_name(relay->who));
}

/* Looks for the port in /proc/net/tcp (state 0A, listening) or /proc/net/udp (07, bound). */
static bool port_shows(const char *table, unsigned port)
{
    char line[256];
    unsigned local, state;
    bool found = false;
    FILE *file = fopen(table, "r");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = sscanf(line, " %*d: %*8x:%x %*8x:%*x %x", &local, &state) == 2 && local == port &&
                (state == 0x0a || state == 0x07);
    if (file != NULL)
        fclose(file);
    return found;
}

int end_await_port(struct relay *relay, const char *table, unsigned port)
{
    for (double deadline = now() + PATIENCE; now() < deadline; pause_shortly()) {
        if (port_shows(table, port))
            return 0;
        if (!relay_alive(relay))
            return -1;
    }
    return complain("%s does not listen", contender_name(relay->who));
}

int end_write(int fd, const void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = write(fd, (const char *)data + done, length - done);
        if (count < 0 && errno != EINTR)
            return -1;
        done += count > 0 ? (size_t)count : 0;
    }
    return 0;
}

int end_read(int fd, void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = read(fd, (char *)data + done, length - done);
        if (count == 0 || (count < 0 && errno != EINTR))
            return -1;
        done += count > 0 ? (size_t)count : 0;
    }
    return 0;
}

pid_t end_send(int fd, size_t size)
{
    static char chunk[CHUNK];
    pid_t pid = fork();
    if (pid == 0) {
        for (size_t left = size; left > 0;) {
            size_t length = left < CHUNK ? left : CHUNK;
            if (end_write(fd, chunk, length) < 0)
                _exit(1);
            left -= length;
        }
        shutdown(fd, SHUT_WR);
        _exit(0);
    }
    close(fd);
    return pid;
}

pid_t end_echo(int fd)
{
    char data[4096];
    pid_t pid = fork();
    if (pid == 0) {
        for (ssize_t count; (count = read(fd, data, sizeof data)) > 0;)
            if (end_write(fd, data, (size_t)count) < 0)
                break;
        _exit(0);
    }
    close(fd);
    return pid;
}

void end_join(pid_t pid)
{
    if (pid > 0)
        waitpid(pid, NULL, 0);
}

pid_t end_swallow(int listener)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;)
        close(fd);
    _exit(0);
}

void end_kill(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    end_join(pid);
}

size_t end_drain(int fd)
{
    static char chunk[CHUNK];
    size_t total = 0;
    for (;;) {
        ssize_t count = read(fd, chunk, sizeof chunk);
        if (count == 0 || (count < 0 && errno != EINTR))
            return total;
        total += count > 0 ? (size_t)count : 0;
    }
}
