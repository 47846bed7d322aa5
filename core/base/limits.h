/* limits.h: how many descriptors this process may have. */

#ifndef CORE_BASE_LIMITS_H
#define CORE_BASE_LIMITS_H

/* Allows as many as the system lets us. Returns how many. */
unsigned long limits_raise_descriptors(void);

/* As it was before, for a program: some look at all that they may have. */
void limits_restore(void);

#endif
