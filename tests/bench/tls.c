/* TLS: bulk transfers through a relay at either end of an encrypted connection, and how many
 * handshakes a relay makes in a second with clients of openssl(1). */

#define _GNU_SOURCE
#include "tests/bench/ends.h"
#include "tests/bench/works.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024.0 * 1024.0)
#define CLIENTS 2
#define CLIENT_SECONDS 2

/* Makes the key and the certificate once. Returns 0, or -1 after reporting. */
static int make_certificate(const struct bench *bench, char *path, size_t size)
{
    char command[8 * PATH_SIZE];
    snprintf(path, size, "%.96s/server.pem", bench->scratch);
    if (access(path, R_OK) == 0)
        return 0;
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
             "-subj /CN=localhost -keyout '%s.key' -out '%s.crt' >/dev/null 2>&1 && "
             "cat '%s.key' '%s.crt' >'%s'",
             path, path, path, path, path);
    return system(command) == 0 ? 0 : complain("openssl(1) makes no certificate");
}

static int start_server(const struct bench *bench, enum contender who, const char *options,
                        unsigned to_port, struct relay *relay, unsigned *port)
{
    char certificate[PATH_SIZE], left[3 * PATH_SIZE], right[64];
    struct plumbing plumbing = {.left = left, .right = right, .in = -1, .out = -1};
    if (make_certificate(bench, certificate, sizeof certificate) < 0)
        return -1;
    *port = end_free_port();
    snprintf(left, sizeof left,
             "OPENSSL-LISTEN:%u,bind=" LOOPBACK ",pf=ip4,reuseaddr,cert=%s,verify=0%s", *port,
             certificate, options);
    snprintf(right, sizeof right, "TCP4:" LOOPBACK ":%u", to_port);
    if (relay_start(bench, who, &plumbing, relay) < 0)
        return -1;
    return end_await_port(relay, "/proc/net/tcp", *port);
}

static int start_client(const struct bench *bench, enum contender who, unsigned to_port,
                        struct relay *relay, unsigned *port)
{
    char left[128], right[128];
    struct plumbing plumbing = {.left = left, .right = right, .in = -1, .out = -1};
    *port = end_free_port();
    snprintf(left, sizeof left, "TCP4-LISTEN:%u,bind=" LOOPBACK ",reuseaddr", *port);
    snprintf(right, sizeof right, "OPENSSL:" LOOPBACK ":%u,pf=ip4,verify=0", to_port);
    return relay_start(bench, who, &plumbing, relay);
}

/* Through both relays. Returns the seconds, or -1 after reporting. */
static double transfer(const struct bench *bench, struct relay *entry, struct relay *exit,
                       unsigned port, int listener)
{
    int source = end_connect(entry, port);
    int sink = source < 0 ? -1 : end_accept(exit, listener);
    if (sink < 0) {
        if (source >= 0)
            close(source);
        return -1;
    }
    double start = now();
    pid_t sender = end_send(source, bench->size);
    size_t received = end_drain(sink);
    double seconds = now() - start;
    close(sink);
    end_join(sender);
    if (received != bench->size)
        return complain("%s: %zu of %zu bytes arrived", contender_name(entry->who), received,
                        bench->size);
    return seconds;
}

int measure_tls_bulk(const struct bench *bench, const struct work *work, enum contender who,
                     double *values)
{
    struct relay entry = {.who = who}, leaving = {.who = who};
    unsigned target = 0, tls_port = 0, port = 0;
    int listener = end_listen(&target);
    double seconds = -1, cpu = 0;
    (void)work;
    if (start_server(bench, who, "", target, &leaving, &tls_port) == 0 &&
        start_client(bench, who, tls_port, &entry, &port) == 0)
        seconds = transfer(bench, &entry, &leaving, port, listener);
    if (seconds > 0)
        cpu = relay_wait(&entry) + relay_wait(&leaving);
    relay_end(&entry);
    relay_end(&leaving);
    close(listener);
    values[0] = (double)bench->size / MIB / seconds;
    values[1] = cpu * 1024 * MIB / (double)bench->size;
    return seconds > 0 ? 0 : -1;
}

/* Clients that connect anew all the time. Returns the number of their handshakes. */
static double shake_hands(unsigned port)
{
    char command[256], line[256];
    FILE *clients[CLIENTS];
    double total = 0, count;
    snprintf(command, sizeof command,
             "exec openssl s_time -connect " LOOPBACK ":%u -new -time %d 2>/dev/null", port,
             CLIENT_SECONDS);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = popen(command, "r");
    for (int i = 0; i < CLIENTS; i++) {
        while (clients[i] != NULL && fgets(line, sizeof line, clients[i]) != NULL)
            if (strstr(line, " real seconds") != NULL && sscanf(line, "%lf connections", &count))
                total += count;
        if (clients[i] != NULL)
            pclose(clients[i]);
    }
    return total;
}

int measure_tls_handshakes(const struct bench *bench, const struct work *work, enum contender who,
                           double *values)
{
    struct relay relay = {.who = who};
    unsigned target = 0, port = 0;
    int listener = end_listen(&target);
    pid_t acceptor = 0;
    (void)work;
    int result = start_server(bench, who, contender_listen_options(who, work->workers), target,
                              &relay, &port);
    if (result == 0) {
        acceptor = end_swallow(listener);
        double start = now(), count = shake_hands(port);
        values[0] = count / (now() - start);
        if (count == 0)
            result = complain("%s: no handshake came off", contender_name(who));
    }
    end_kill(acceptor);
    relay_end(&relay);
    close(listener);
    return result;
}
