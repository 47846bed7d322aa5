/* secrets.h: secrets that the user has put into the environment. They are taken out of it at the
 * start, so that neither the programs that are run nor /proc/PID/environ show them. */

#ifndef CORE_BASE_SECRETS_H
#define CORE_BASE_SECRETS_H

/* Where a password for SOCKS servers may be, without any option. */
#define SECRETS_SOCKS_PASSWORD "MODCAT_SOCKS_PASSWORD"

/* Takes a variable out of the environment, and wipes it there, for one user more; nothing where
 * there is none. */
void secrets_take(const char *name);

/* The value of a variable that was taken, or NULL. It lives until it is wiped. */
const char *secrets_get(const char *name);

/* A user needs it no more: without any it is wiped. */
void secrets_release(const char *name);

/* Wipes all values. */
void secrets_wipe(void);

#endif
