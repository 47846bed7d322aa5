/* leftovers.h: what a session leaves in the file system, to be removed when it ends. */

#ifndef CORE_OPENING_LEFTOVERS_H
#define CORE_OPENING_LEFTOVERS_H

struct address;
struct session;

/* Removes this entry at the end, if the process that said so still is the one that ends, and the
 * entry still is the one that is there now, or that modcat_open_path() makes. The path is copied; a
 * relative one is kept as it is from here. `what` is for the log line at info level, such as
 * "released lock", or NULL. `of`: the address that leaves it, or NULL. */
void leftovers_add(struct session *session, const struct address *of, const char *path,
                   const char *what);

/* The same for a symbolic link, as long as it leads to `target`, which is copied. */
void leftovers_add_link(struct session *session, const struct address *of, const char *path,
                        const char *target);

/* The process has another root folder from now on; `root` was its path, without links. Entries
 * inside of it are removed by their new paths; the others can't be removed any more, and are named
 * at the end. */
void leftovers_change_root(struct session *session, const char *root);

/* The entry is about to be opened, after options may have removed it: what is made by the opening
 * then is what counts. */
void leftovers_open(struct session *session, const char *path);

/* It is open: an entry that was not there before is known from now on. */
void leftovers_opened(struct session *session, const char *path, int fd);

/* Removes them all, last first. */
void leftovers_remove(struct session *session);

/* The same for those of an address and all that is below it. */
void leftovers_remove_of(struct session *session, const struct address *of);

/* Takes an entry off the list, as the caller has removed it. */
void leftovers_forget(struct session *session, const char *path);

#endif
