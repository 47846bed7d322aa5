#define _GNU_SOURCE
#include "core/services/datagram/batch.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/services/datagram/operations.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Packets whose places in memory are a power of two apart would fight for the same cache lines. */
#define STAGGER 320

struct batch {
    size_t room;  /* for the data of one packet */
    size_t first; /* of those that are held */
    size_t count; /* that are held */
    char *data[BATCH_PACKETS];
    size_t lengths[BATCH_PACKETS];
    struct iovec pieces[BATCH_PACKETS];
    struct mmsghdr messages[BATCH_PACKETS];
    struct packet_facts facts[BATCH_PACKETS];
    char memory[];
};

bool batch_possible(const struct modcat_endpoint *source, const struct modcat_endpoint *sink)
{
    if (!datagram_is_plain(source) || !datagram_is_plain(sink))
        return false;
    const struct modcat_sockaddr *target = datagram_target(sink);
    return target == NULL || target->length > sizeof(sa_family_t);
}

/* Pages that no packet reaches are never touched. */
struct batch *batch_new(size_t length)
{
    size_t distance = (length + STAGGER) / 64 * 64;
    struct batch *batch = memory_alloc(sizeof *batch + BATCH_PACKETS * distance);
    batch->room = length;
    batch->first = batch->count = 0;
    for (size_t i = 0; i < BATCH_PACKETS; i++)
        batch->data[i] = batch->memory + i * distance;
    return batch;
}

void batch_free(struct batch *batch)
{
    free(batch);
}

/* Moves a packet to the end of those that are held. */
static void keep(struct batch *batch, size_t from)
{
    char *data = batch->data[from];
    batch->data[from] = batch->data[batch->count];
    batch->data[batch->count] = data;
    batch->lengths[batch->count++] = batch->lengths[from];
}

/* Takes over what was received, without what is not wanted. */
static void sort_out(struct batch *batch, struct modcat_endpoint *source, size_t received)
{
    int fd = datagram_fd(source);
    for (size_t i = 0; i < received; i++) {
        struct mmsghdr *message = &batch->messages[i];
        struct packet_facts *facts = &batch->facts[i];
        packet_received(fd, &message->msg_hdr, message->msg_len, facts);
        ssize_t length = datagram_take(source, facts, batch->data[i], batch->room);
        if (length < 0)
            continue;
        batch->lengths[i] = (size_t)length;
        keep(batch, i);
    }
}

int batch_read(struct batch *batch, struct modcat_endpoint *source)
{
    source->flags &= ~MODCAT_END_REPORTED;
    batch->first = batch->count = 0;
    for (size_t i = 0; i < BATCH_PACKETS; i++) {
        batch->pieces[i] = (struct iovec){.iov_base = batch->data[i], .iov_len = batch->room};
        packet_prepare(&batch->messages[i].msg_hdr, &batch->pieces[i], &batch->facts[i]);
    }
    int received =
        recvmmsg(datagram_fd(source), batch->messages, BATCH_PACKETS, PACKET_FLAGS, NULL);
    if (received < 0)
        return datagram_read_failed(source);
    log_hold();
    sort_out(batch, source, (size_t)received);
    log_release();
    return received;
}

int batch_write(struct batch *batch, struct modcat_endpoint *sink)
{
    const struct modcat_sockaddr *target = datagram_target(sink);
    for (size_t i = batch->first; i < batch->first + batch->count; i++) {
        batch->pieces[i] = (struct iovec){.iov_base = batch->data[i], .iov_len = batch->lengths[i]};
        batch->messages[i].msg_hdr = (struct msghdr){
            .msg_name = target != NULL ? (void *)&target->u.any : NULL,
            .msg_namelen = target != NULL ? target->length : 0,
            .msg_iov = &batch->pieces[i],
            .msg_iovlen = 1,
        };
    }
    int sent = sendmmsg(datagram_fd(sink), batch->messages + batch->first, (unsigned)batch->count,
                        MSG_NOSIGNAL);
    if (sent < 0)
        return datagram_write_failed(sink);
    datagram_written(sink, sent);
    return sent;
}

size_t batch_count(const struct batch *batch)
{
    return batch != NULL ? batch->count : 0;
}

size_t batch_bytes(const struct batch *batch)
{
    size_t bytes = 0;
    for (size_t i = 0; i < batch_count(batch); i++)
        bytes += batch->lengths[batch->first + i];
    return bytes;
}

size_t batch_first_length(const struct batch *batch)
{
    return batch->lengths[batch->first];
}

void batch_drop_first(struct batch *batch)
{
    batch->first++;
    batch->count--;
}

void batch_drop_all(struct batch *batch)
{
    if (batch != NULL)
        batch->count = 0;
}

void batch_drop_empty(struct batch *batch)
{
    size_t count = batch->count;
    batch->count = 0;
    for (size_t i = 0; i < count; i++)
        if (batch->lengths[i] > 0)
            keep(batch, i);
}

bool batch_end_at_empty(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->lengths[i] > 0)
            continue;
        batch->count = i;
        return true;
    }
    return false;
}
