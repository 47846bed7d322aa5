/* machine.h: what was measured, and on which machine, for the notes of a picture. */

#ifndef TESTS_BENCH_MACHINE_H
#define TESTS_BENCH_MACHINE_H

#include "tests/bench/bench.h"

#define NOTE_SIZE 256

/* Puts the version of a contender into a text with one %s, or with none. Returns `text`. */
const char *describe_contender(const struct bench *bench, enum contender who, const char *format,
                               char text[NOTE_SIZE]);

/* modcat's version, the processors, the system and the date. Returns `text`. */
const char *describe_machine(const struct bench *bench, char text[NOTE_SIZE]);

#endif
