/* environment.h: the variables that a session sets for the programs it starts. They are collected
 * here and set in the child only. */

#ifndef CORE_OPENING_ENVIRONMENT_H
#define CORE_OPENING_ENVIRONMENT_H

struct environment;

struct environment *environment_new(void);
void environment_free(struct environment *environment);

/* One that begins with what is set in another one, which must not change as long as it lives. */
struct environment *environment_on(const struct environment *base);

/* A copy of its own, and the way back to it: what has been set since is forgotten. */
struct environment *environment_copy(const struct environment *environment);
void environment_restore(struct environment *environment, const struct environment *earlier);

/* Sets NAME, or replaces its value. Both texts are copied. */
void environment_set(struct environment *environment, const char *name, const char *value);

/* Sets SOCAT_NAME, MODCAT_NAME, and the same with the program's name in capitals. A value of NULL
 * takes them away. */
void environment_set_prefixed(struct environment *environment, const char *name, const char *value);

/* The same by the address of a side, 1 or 2, and the value that it has set, or NULL. */
void environment_set_of_side(struct environment *environment, const char *name, const char *value,
                             int side);
const char *environment_get_of_side(const struct environment *environment, const char *name,
                                    int side);

/* The value that was set for NAME, or NULL. */
const char *environment_get(const struct environment *environment, const char *name);

/* Puts all of it into this process's own environment. What was inherited of the variables that
 * sessions set goes, and with SOCAT_WORD_DETAIL also what was inherited as SOCAT_WORD_..., so that
 * nothing is taken for this session's that was another one's. Settings that are read stay.
 * Returns 0, or -1 with errno. Counterpart: setenv(3). */
int environment_apply(const struct environment *environment);

#endif
