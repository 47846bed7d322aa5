/* works.h: what relays are measured at. */

#ifndef TESTS_BENCH_WORKS_H
#define TESTS_BENCH_WORKS_H

#include "tests/bench/bench.h"

extern const struct work works[];
extern const size_t work_count;

/* Prepares what the works need: the file that bulk transfers read. Returns 0, or -1. */
int works_prepare(const struct bench *bench);

/* MiB per second of one bulk transfer from TCP to TCP, or -1 after reporting. */
double works_bulk_speed(const struct bench *bench, enum contender who);

/* The functions behind the table. */
typedef int measure_fn(const struct bench *bench, const struct work *work, enum contender who,
                       double *values);
measure_fn measure_bulk, measure_ping_pong, measure_connections, measure_memory, measure_startup,
    measure_packets, measure_tls_bulk, measure_tls_handshakes;

#endif
