/* numbers.h: the numbers behind command line options. */

#ifndef CORE_COMMAND_NUMBERS_H
#define CORE_COMMAND_NUMBERS_H

#include <stddef.h>

/* The biggest block that -b takes, in bytes. */
#define NUMBERS_BLOCK_MAX ((size_t)1 << 30)

/* Each parses an option's value. Integers are decimal, octal with 0 or hexadecimal with 0x; sizes
 * may end in k, M or G, large or small; times are seconds as strtod(3) takes them, in nanoseconds
 * after parsing, MODCAT_FOREVER where that is too large a number. Returns 0, or -1 after reporting,
 * with the result left alone. */
int numbers_block(const char *value, size_t *bytes);              /* -b */
int numbers_mask(const char *value, unsigned long *mask);         /* -S */
int numbers_closing(const char *value, long long *closing);       /* -t: not negative */
int numbers_inactivity(const char *value, long long *inactivity); /* -T: negative is forever */
int numbers_drain(const char *value, long long *drain);           /* --drain: a century at most */

#endif
