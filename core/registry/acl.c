#define _GNU_SOURCE
#include "core/registry/acl.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ATTRIBUTE "system.posix_acl_access"
#define LIST_VERSION 2
#define MAY_WRITE 2

/* What stands in the list, in the order of bytes of little endian machines. */
enum tag { OWNER = 1, USER = 2, OWNING_GROUP = 4, GROUP = 8, MASK = 16, OTHERS = 32 };

struct header {
    uint32_t version;
};

struct entry {
    uint16_t tag;
    uint16_t permissions;
    uint32_t id;
};

/* A descriptor of O_PATH has no attributes. A folder that can be read is opened once more, and
 * anything else reached by its name in /proc. */
static ssize_t read_by_path(int fd, void *list, size_t size)
{
    char name[40];
    int readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (readable < 0) {
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        return getxattr(name, ATTRIBUTE, list, size);
    }
    ssize_t length = fgetxattr(readable, ATTRIBUTE, list, size);
    int saved = errno;
    close(readable);
    errno = saved;
    return length;
}

ssize_t acl_read(int fd, void *list, size_t size)
{
    ssize_t length = fgetxattr(fd, ATTRIBUTE, list, size);
    if (length < 0 && errno == EBADF)
        length = read_by_path(fd, list, size);
    return length < 0 && (errno == ENODATA || errno == ENOTSUP) ? 0 : length;
}

bool acl_is_valid(const void *list, size_t size)
{
    struct header header;
    if (size < sizeof header || (size - sizeof header) % sizeof(struct entry) != 0)
        return false;
    memcpy(&header, list, sizeof header);
    return le32toh(header.version) == LIST_VERSION;
}

static bool read_entry(const void *list, size_t size, size_t index, struct entry *entry)
{
    size_t offset = sizeof(struct header) + index * sizeof *entry;
    if (offset >= size)
        return false;
    memcpy(entry, (const char *)list + offset, sizeof *entry);
    entry->tag = le16toh(entry->tag);
    entry->permissions = le16toh(entry->permissions);
    entry->id = le32toh(entry->id);
    return true;
}

/* What the mask leaves of what users and groups may do. */
static unsigned mask_of(const void *list, size_t size)
{
    struct entry entry;
    for (size_t i = 0; read_entry(list, size, i, &entry); i++)
        if (entry.tag == MASK)
            return entry.permissions;
    return ~0u;
}

bool acl_next_writer(const void *list, size_t size, size_t *cursor, gid_t group,
                     struct acl_writer *writer)
{
    unsigned mask = mask_of(list, size);
    struct entry entry;
    while (read_entry(list, size, (*cursor)++, &entry)) {
        if (entry.tag == OWNER || entry.tag == MASK || entry.tag == OTHERS ||
            (entry.permissions & mask & MAY_WRITE) == 0)
            continue;
        writer->is_group = entry.tag != USER;
        writer->id = entry.tag == OWNING_GROUP ? group : entry.id;
        return true;
    }
    return false;
}
