/* Single uses of an open address: what an operation returns, how long it takes, and what it leaves
 * alone. */

#define _GNU_SOURCE
#include "tools/driver-check/steps.h"

#include "core/registry/registry.h"
#include "core/session/endpoint.h"
#include "core/session/halfclose.h"
#include "tools/driver-check/check.h"
#include "tools/driver-check/process.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define FILL_MAX (256 * 1024)

/* Returns true when the endpoint is ready, or says that it need not be waited for. */
static bool is_ready(struct opened *opened, unsigned direction)
{
    struct modcat_endpoint *endpoint = opened->endpoint;
    long long began = process_call_begins();
    bool pending = direction == MODCAT_DIR_READ && endpoint_pending(endpoint);
    process_call_ends("pending", began);
    if (pending)
        return true;
    began = process_call_begins();
    short wants = endpoint_wants(endpoint, direction);
    process_call_ends("wants", began);
    if ((wants & (POLLIN | POLLOUT)) == 0 && ENDPOINT_DOES(endpoint, watch))
        return false;
    if ((wants & (POLLIN | POLLOUT)) == 0)
        fault("`wants` names neither POLLIN nor POLLOUT, and there is no `watch` that would end "
              "the wait");
    return modcat_wait(opened->opening, endpoint_fd(endpoint, wants), wants,
                       modcat_deadline(MODCAT_SECOND / 10)) > 0;
}

static bool may_wait(const struct opened *opened)
{
    const struct address *address = opened->opening->address;
    return (address->type->type.flags & MODCAT_TYPE_WAITS) != 0;
}

static void step_read(struct session *session)
{
    char bytes[2][5] = {{0}, {'k', 'e', 'p', 't', '\0'}};
    struct opened *reader = side_reader(&session->sides[0]);
    if (reader == NULL || !is_ready(reader, MODCAT_DIR_READ))
        return;
    struct modcat_endpoint *endpoint = reader->endpoint;
    bool own = endpoint->ops != NULL && endpoint->ops->read != NULL;
    long long began = process_call_begins();
    errno = 0;
    ssize_t count = own ? endpoint->ops->read(endpoint, bytes[0], sizeof bytes[0])
                        : read(endpoint->read_fd, bytes[0], sizeof bytes[0]);
    if (own && !may_wait(reader))
        process_call_ends("read", began);
    if (count > (ssize_t)sizeof bytes[0])
        fault("`read` returned %zd for a buffer of %zu bytes", count, sizeof bytes[0]);
    if (count < 0 && errno == 0)
        fault("`read` failed without errno");
    if (count < 0 && errno == EAGAIN && endpoint_pending(endpoint))
        fault("`pending` is true, and `read` says EAGAIN: it would be asked again and again");
    if (memcmp(bytes[1], "kept", 5) != 0)
        fault("`read` wrote beyond its buffer");
}

/* Returns false when nothing more can be written. */
static bool write_some(struct opened *writer, const char *data, size_t length)
{
    struct modcat_endpoint *endpoint = writer->endpoint;
    bool own = endpoint->ops != NULL && endpoint->ops->write != NULL;
    long long began = process_call_begins();
    errno = 0;
    ssize_t count = own ? endpoint->ops->write(endpoint, data, length)
                        : write(endpoint->write_fd, data, length);
    if (own && !may_wait(writer))
        process_call_ends("write", began);
    if (count > (ssize_t)length)
        fault("`write` returned %zd for %zu bytes", count, length);
    if (count < 0 && errno == 0)
        fault("`write` failed without errno");
    if (count == 0)
        fault("`write` took nothing and did not say EAGAIN");
    return count > 0;
}

static void step_write(struct session *session)
{
    struct opened *writer = side_writer(&session->sides[0]);
    if (writer != NULL && is_ready(writer, MODCAT_DIR_WRITE))
        write_some(writer, "modcat\n", 7);
}

static void step_fill(struct session *session)
{
    static const char block[4096];
    struct opened *writer = side_writer(&session->sides[0]);
    for (size_t sum = 0; writer != NULL && sum < FILL_MAX; sum += sizeof block)
        if (!is_ready(writer, MODCAT_DIR_WRITE) || !write_some(writer, block, sizeof block))
            return;
}

static void step_half_close(struct session *session)
{
    struct opened *writer = side_writer(&session->sides[0]);
    long long began = process_call_begins();
    if (writer != NULL)
        halfclose_sink(writer);
    process_call_ends("shutdown", began);
}

void steps_take(struct session *session, char step)
{
    static const struct {
        char letter;
        void (*take)(struct session *session);
    } steps[] = {{'r', step_read}, {'w', step_write}, {'f', step_fill}, {'s', step_half_close}};
    for (size_t i = 0; i < MODCAT_COUNT(steps); i++)
        if (steps[i].letter == step)
            steps[i].take(session);
}
