/* session.h: the beginning of a session, and its end: what is closed, undone and removed. */

#ifndef CORE_SESSION_SESSION_H
#define CORE_SESSION_SESSION_H

#include "core/opening/session_state.h"

/* Starts a session over two bound addresses, which belong to it from then on. `statistics` logs how
 * much it has moved. */
void session_start(struct session *session, const struct settings *settings,
                   struct address_pair *addresses[2], void (*statistics)(const struct session *));

/* Starts a session beside others in the process of a server. The environment belongs to it from
 * then on. */
void session_start_hosted(struct session *session, struct session *server, unsigned number,
                          struct environment *environment);

/* Tells programs the id of this process, as the variable NAME. */
void session_tell_process(const struct session *session, const char *name);

/* Ends it: closes the sides, ends programs, removes what it left in the file system. */
void session_finish(struct session *session);
/* Frees its memory afterwards. */
void session_free(struct session *session);
/* Both. */
void session_close(struct session *session);

/* Takes a lock file that is given back when the session ends, or when the address that it is for is
 * closed, which may be NULL; `wait`: as soon as it is free.
 * Returns 0, or -1 after reporting. */
int session_lock(struct session *session, const struct address *of, const char *path, bool wait);

/* Tells the other end of a socket that no more will be written, and logs it. Returns 0, or -1 with
 * errno. Counterpart: shutdown(2). */
int session_end_writing(int fd);

/* Closes an endpoint and frees it with its opening. */
void session_close_opened(struct opened *opened);

/* What another process goes on with: it is closed only, and not shut down. */
void session_keep_open(const struct opened *opened);

/* Closes it in a parent whose child goes on with the connection: it is not shut down. */
void session_leave_to_child(struct opened *opened);

#endif
