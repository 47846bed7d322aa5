/* ends.h: the benchmark's own ends of what is measured: sockets, pipes, files, and who fills and
 * empties them. */

#ifndef TESTS_BENCH_ENDS_H
#define TESTS_BENCH_ENDS_H

#include "tests/bench/contenders.h"
#include <stddef.h>
#include <sys/types.h>

#define LOOPBACK "127.0.0.1"

/* A TCP listener on a free port of the loopback; a UNIX one at a path; a port that is free now.
 * Each returns a descriptor (or the port), or -1 after reporting. */
int end_listen(unsigned *port);
int end_listen_unix(const char *path);
unsigned end_free_port(void);

/* Connects as soon as the relay listens. Return the descriptor, or -1 after reporting. */
int end_connect(struct relay *relay, unsigned port);
int end_connect_unix(struct relay *relay, const char *path);

/* Accepts what the relay connects. Returns the descriptor, or -1 when none comes. */
int end_accept(struct relay *relay, int listener);

/* Waits until something listens on a TCP port, or is bound to a UDP one. Returns 0, or -1 when the
 * relay ends first or takes too long. */
int end_await_port(struct relay *relay, const char *table, unsigned port);

/* A process that writes `size` bytes and ends the stream; one that gives back what it reads.
 * Both close the descriptor here. */
pid_t end_send(int fd, size_t size);
pid_t end_echo(int fd);
void end_join(pid_t pid);

/* A process that accepts connections and closes them again, until it is killed. */
pid_t end_swallow(int listener);
void end_kill(pid_t pid);

/* Reads to the end. Returns the number of bytes. */
size_t end_drain(int fd);

/* Writes and reads exactly `length` bytes. Return 0, or -1. */
int end_write(int fd, const void *data, size_t length);
int end_read(int fd, void *data, size_t length);

#endif
