/* trust.h: whether a file may say or do something in this program.
 *
 * What is loaded, and its folder, must belong to root or to the user, and nobody else may be able
 * to write to them: neither by their mode nor by an access control list. The user counts only as
 * long as the program has no rights that its caller lacks. The same holds for all
 * folders above, see walk.h, as sshd(8) asks it for authorized_keys; there a folder that all can
 * write to is good enough if it is sticky, as /tmp is, for in it nobody can rename or remove what
 * belongs to somebody else. */

#ifndef CORE_REGISTRY_TRUST_H
#define CORE_REGISTRY_TRUST_H

#include <stdbool.h>
#include <sys/stat.h>

/* Who is trusted besides root and the user; -1: nobody. */
struct trust {
    uid_t owner;
    gid_t group;
};
extern const struct trust trust_strict;

/* Beside a program, those are trusted who could put another program in its place. */
struct trust trust_like(const struct stat *program, const struct stat *folder);

/* NULL when an open file or folder can be trusted; otherwise the reason and what can be done about
 * it, from malloc(3). `path` is its name, for the reason. trust_above() is for the folders
 * above. */
char *trust_fault(const struct trust *trust, int fd, const struct stat *status, const char *path);
char *trust_fault_above(const struct trust *trust, int fd, const struct stat *status,
                        const char *path);

/* True for those who may own what is loaded. */
bool trust_owner(const struct trust *trust, uid_t owner);

/* True when the program runs with more privileges than its caller. */
bool trust_raised_privileges(void);

#endif
