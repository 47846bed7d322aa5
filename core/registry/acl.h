/* acl.h: whom the access control list of a file lets write to it, see acl(5). The list is read as
 * the kernel hands it out, in the form of <linux/posix_acl_xattr.h>. */

#ifndef CORE_REGISTRY_ACL_H
#define CORE_REGISTRY_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A kernel hands out no longer one. */
#define ACL_MAX 65536

/* Somebody who may write. */
struct acl_writer {
    bool is_group;
    unsigned id;
};

/* Reads the list of an open file or folder, also of one opened with O_PATH. Returns its size, 0 if
 * there is none but the mode, or -1 with errno. Counterpart: getxattr(2). */
ssize_t acl_read(int fd, void *list, size_t size);

/* True when the list has the form that is known here. */
bool acl_is_valid(const void *list, size_t size);

/* Finds the next user or group, besides the owner and others, that a valid list lets write, with
 * its mask applied. *cursor begins at 0; `group` is the file's own. Returns false at the end. */
bool acl_next_writer(const void *list, size_t size, size_t *cursor, gid_t group,
                     struct acl_writer *writer);

#endif
