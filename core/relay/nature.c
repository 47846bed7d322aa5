#define _GNU_SOURCE
#include "core/relay/nature.h"

#include "core/base/patient.h"
#include "core/services/net/socket.h"
#include <fcntl.h>

/* Drivers say what is a socket. */
static int flags_of(const struct modcat_endpoint *endpoint, int fd)
{
    return (endpoint->flags & SOCKET_OWN) != 0 ? O_RDWR | O_NONBLOCK : fcntl(fd, F_GETFL);
}

static mode_t kind_of(const struct modcat_endpoint *endpoint, int fd)
{
    struct stat status;
    if ((endpoint->flags & MODCAT_END_SOCKET) != 0)
        return S_IFSOCK;
    return fstat(fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

struct nature *nature_of(struct natures *natures, const struct modcat_endpoint *endpoint, int fd)
{
    for (size_t i = 0; i < natures->count; i++)
        if (natures->list[i].fd == fd)
            return &natures->list[i];
    struct nature *nature = &natures->list[natures->count++];
    *nature =
        (struct nature){.fd = fd, .flags = flags_of(endpoint, fd), .kind = kind_of(endpoint, fd)};
    return nature;
}

bool nature_blocks(struct nature *nature, const struct modcat_endpoint *endpoint)
{
    if (nature->flags < 0 || (nature->flags & O_NONBLOCK) != 0)
        return false;
    bool blocks = patient_needed(endpoint, nature->fd);
    nature->flags = fcntl(nature->fd, F_GETFL);
    return blocks;
}
