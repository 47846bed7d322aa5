#define _GNU_SOURCE
#include "tests/bench/contenders.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a relay may take to end when its work is done, in seconds. */
#define PATIENCE 30

extern char **environ;

static const char *const names[CONTENDERS] = {
    [MODCAT] = "modcat", [SOCAT] = "socat",     [SOCAT_TUNED] = "socat, tuned",
    [NGINX] = "nginx",   [HAPROXY] = "haproxy", [DIRECT] = "direct",
};

const char *contender_name(enum contender who)
{
    return names[who];
}

const char *contender_listen_options(enum contender who, unsigned workers)
{
    if (who == MODCAT && workers > 0)
        return workers > 1 ? ",fork=session,workers=2" : ",fork=session";
    return who == SOCAT_TUNED ? ",fork,backlog=1024" : ",fork";
}

static bool installed(const char *program)
{
    char command[PATH_SIZE + 64];
    snprintf(command, sizeof command, "PATH=$PATH:/usr/sbin command -v '%s' >/dev/null", program);
    return system(command) == 0;
}

void contenders_find(struct bench *bench)
{
    bench->present[DIRECT] = true;
    bench->present[MODCAT] = installed(bench->modcat);
    bench->present[SOCAT] = bench->present[SOCAT_TUNED] = installed(bench->socat);
    bench->present[NGINX] = installed("nginx");
    bench->present[HAPROXY] = installed("haproxy");
}

static int spawn(struct relay *relay, char *const arguments[], const struct plumbing *plumbing)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int streams[] = {plumbing->in, plumbing->out};
    for (int i = 0; i < 2; i++)
        if (streams[i] >= 0)
            posix_spawn_file_actions_adddup2(&actions, streams[i], i);
        else
            posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, relay->log,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int error = posix_spawnp(&relay->pid, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0)
        return 0;
    relay->pid = 0;
    return complain("posix_spawnp(\"%s\"): %s", arguments[0], strerror(error));
}

static int start_relay_program(const struct bench *bench, struct relay *relay,
                               const struct plumbing *plumbing)
{
    char block[16];
    const char *arguments[8] = {relay->who == MODCAT ? bench->modcat : bench->socat};
    size_t count = 1;
    if (relay->who == SOCAT_TUNED && bench->tuned_block > 0) {
        snprintf(block, sizeof block, "%u", bench->tuned_block);
        arguments[count++] = "-b";
        arguments[count++] = block;
    }
    if (plumbing->one_way)
        arguments[count++] = "-u";
    arguments[count++] = plumbing->left;
    arguments[count] = plumbing->right;
    return spawn(relay, (char *const *)arguments, plumbing);
}

static const char nginx_module[] = "/usr/lib/nginx/modules/ngx_stream_module.so";

static void write_nginx_settings(FILE *file, const char *folder, const struct plumbing *plumbing)
{
    if (access(nginx_module, R_OK) == 0)
        fprintf(file, "load_module %s;\n", nginx_module);
    fprintf(file,
            "daemon off;\nmaster_process %s;\nworker_processes %u;\npid %s/nginx.pid;\n"
            "error_log stderr;\nevents { worker_connections 30000; }\n"
            "stream { server { listen 127.0.0.1:%u; proxy_pass 127.0.0.1:%u; } }\n",
            plumbing->workers > 1 ? "on" : "off", plumbing->workers > 1 ? plumbing->workers : 1,
            folder, plumbing->from_port, plumbing->to_port);
}

static void write_haproxy_settings(FILE *file, const char *folder, const struct plumbing *plumbing)
{
    (void)folder;
    fprintf(file,
            "global\n maxconn 9900\n maxpipes 64\n nbthread %u\ndefaults\n mode tcp\n option "
            "splice-auto\n"
            " timeout connect 5s\n timeout client 60s\n timeout server 60s\n"
            "listen relay\n bind 127.0.0.1:%u\n server target 127.0.0.1:%u\n",
            plumbing->workers > 1 ? plumbing->workers : 1, plumbing->from_port, plumbing->to_port);
}

/* Those that take a file of settings. */
static int start_server(const struct bench *bench, struct relay *relay,
                        const struct plumbing *plumbing)
{
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/settings", bench->scratch);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return complain("fopen(\"%s\"): %s", path, strerror(errno));
    (relay->who == NGINX ? write_nginx_settings : write_haproxy_settings)(file, bench->scratch,
                                                                          plumbing);
    if (fclose(file) != 0)
        return complain("fclose(\"%s\"): %s", path, strerror(errno));
    const char *nginx[] = {"nginx", "-e", "stderr", "-c", path, NULL};
    const char *haproxy[] = {"haproxy", "-db", "-f", path, NULL};
    return spawn(relay, (char *const *)(relay->who == NGINX ? nginx : haproxy), plumbing);
}

int relay_start(const struct bench *bench, enum contender who, const struct plumbing *plumbing,
                struct relay *relay)
{
    static unsigned number;
    *relay = (struct relay){.who = who};
    snprintf(relay->log, sizeof relay->log, "%.96s/log-%u", bench->scratch, number++);
    if (who == DIRECT)
        return 0;
    if (who == NGINX || who == HAPROXY)
        return start_server(bench, relay, plumbing);
    return start_relay_program(bench, relay, plumbing);
}

static void show_log(const struct relay *relay)
{
    char line[512];
    FILE *file = fopen(relay->log, "r");
    for (int i = 0; file != NULL && i < 3 && fgets(line, sizeof line, file) != NULL; i++)
        fprintf(stderr, "  %s: %s", contender_name(relay->who), line);
    if (file != NULL)
        fclose(file);
}

bool relay_alive(struct relay *relay)
{
    siginfo_t info = {0};
    if (relay->who == DIRECT)
        return true;
    if (relay->pid > 0 &&
        waitid(P_PID, (id_t)relay->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == 0)
        return true;
    show_log(relay);
    return false;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Returns the status of wait4(2), or -1 when the relay does not end in time. */
static int await_end(struct relay *relay, struct rusage *usage)
{
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, relay->pid, 0), .events = POLLIN};
    int status, ready = poll(&ended, 1, PATIENCE * 1000);
    if (ready != 1)
        kill(relay->pid, SIGKILL);
    wait4(relay->pid, &status, 0, usage);
    close(ended.fd);
    relay->pid = 0;
    return ready == 1 ? status : -1;
}

double relay_wait(struct relay *relay)
{
    struct rusage usage;
    if (relay->pid == 0)
        return 0;
    int status = await_end(relay, &usage);
    if (status == 0)
        return seconds(usage.ru_utime) + seconds(usage.ru_stime);
    show_log(relay);
    return complain("%s ends with status %#x", contender_name(relay->who), (unsigned)status);
}

double relay_end(struct relay *relay)
{
    struct rusage usage;
    if (relay->pid == 0)
        return 0;
    kill(relay->pid, SIGTERM);
    (void)await_end(relay, &usage);
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}
