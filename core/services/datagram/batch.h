/* batch.h: many packets from one datagram socket to another with two system calls, recvmmsg(2) and
 * sendmmsg(2). */

#ifndef CORE_SERVICES_DATAGRAM_BATCH_H
#define CORE_SERVICES_DATAGRAM_BATCH_H

#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>

/* The most packets that one call moves. */
#define BATCH_PACKETS 32

struct batch;

/* True when both are plain sockets of the host that keep messages apart, whose own operations do no
 * more than the calls of this module. */
bool batch_possible(const struct modcat_endpoint *source, const struct modcat_endpoint *sink);

/* Room for packets of up to `length` bytes each. */
struct batch *batch_new(size_t length);
/* `batch` may be NULL. */
void batch_free(struct batch *batch);

/* Reads what is there. Of packets that the endpoint does not want nothing is left. Returns how many
 * the kernel had, or -1 with errno. Never blocks. The batch must be empty. */
int batch_read(struct batch *batch, struct modcat_endpoint *source);

/* Writes packets from the front. Returns how many the kernel took, which are still held, or -1 with
 * errno when not even the first could be written. Never blocks. */
int batch_write(struct batch *batch, struct modcat_endpoint *sink);

/* How many packets are held, and how long they are together; of a batch that may be NULL. */
size_t batch_count(const struct batch *batch);
size_t batch_bytes(const struct batch *batch);

/* The length of the first packet. */
size_t batch_first_length(const struct batch *batch);
/* Takes the first packet out, unsent. */
void batch_drop_first(struct batch *batch);
void batch_drop_all(struct batch *batch);

/* Takes out all empty packets. */
void batch_drop_empty(struct batch *batch);
/* Takes out the first empty packet and all after it. Returns false when there is none. */
bool batch_end_at_empty(struct batch *batch);

#endif
