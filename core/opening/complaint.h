/* complaint.h: what is wrong with an address as a whole, told before it is opened. */

#ifndef CORE_OPENING_COMPLAINT_H
#define CORE_OPENING_COMPLAINT_H

struct address;

/* Reports a mistake in an option of a stack of layers, which is shown with the place marked.
 * Returns -1, errno kept. */
int complain_of_option(const struct address *address, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
