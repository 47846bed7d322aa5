/* lockfile.h: lock files: whoever makes the file holds the lock, and its content names the holder's
 * process. */

#ifndef CORE_BASE_LOCKFILE_H
#define CORE_BASE_LOCKFILE_H

/* Makes the lock file at once with its content, by linking a finished temporary file to it.
 * Returns 0 when the lock is taken, 1 when somebody holds it (the entry exists, whatever it is),
 * -1 with errno after reporting. */
int lockfile_take(const char *path);

/* Reports a lock that is taken: by which process, and whether that one still lives. */
void lockfile_report(const char *path);

/* Takes the lock as soon as it is free: calls `pause` between two attempts, which returns 0 to go
 * on, or -1 with errno to give up. Returns 0 when the lock is taken, -1 with errno. */
int lockfile_wait(const char *path, int (*pause)(void *context), void *context);

/* Gives the lock back. Returns 0, or -1 with errno after reporting. */
int lockfile_release(const char *path);

#endif
