/* patient.h: reading and writing descriptors that other processes share. Such a descriptor is
 * never switched to non-blocking, because the others would be surprised. */

#ifndef CORE_BASE_PATIENT_H
#define CORE_BASE_PATIENT_H

#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* True when this descriptor of an endpoint may block the program if it is used before it is ready.
 * The program's own descriptors are switched to non-blocking here. */
bool patient_needed(const struct modcat_endpoint *endpoint, int fd);

/* As read(2), write(2) and accept4(2) on a descriptor that does not block: what would have to wait
 * fails with EAGAIN, in some cases after a moment (moment.h). */
ssize_t patient_read(int fd, void *data, size_t length);
ssize_t patient_write(int fd, const void *data, size_t length);
int patient_accept(int fd, struct sockaddr *peer, socklen_t *length, int flags);

#endif
