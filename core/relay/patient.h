/* patient.h: reading and writing descriptors that other processes share. Such a descriptor is
 * never switched to non-blocking, because the others would be surprised. */

#ifndef CORE_RELAY_PATIENT_H
#define CORE_RELAY_PATIENT_H

#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* True when this descriptor of an endpoint may block the program if it is used before it is ready.
 * The program's own descriptors are switched to non-blocking here. */
bool patient_needed(const struct modcat_endpoint *endpoint, int fd);

/* Writes to a descriptor that polled as ready, without waiting. Returns as write(2). */
ssize_t patient_write(int fd, const void *data, size_t length);

#endif
