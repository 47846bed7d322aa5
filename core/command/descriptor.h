/* descriptor.h: what the kernel tells about one descriptor, or about an entry of the file system,
 * as a row of the table of -D and filan(1), or as a short line. */

#ifndef CORE_COMMAND_DESCRIPTOR_H
#define CORE_COMMAND_DESCRIPTOR_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* How rows are written. */
enum descriptor_form {
    DESCRIPTOR_RAW = 1, /* the device and times are plain numbers */
    DESCRIPTOR_OWN = 2, /* it is in use here, and must be left as it is: pending errors, too */
};

/* The header of the table. */
void descriptor_print_header(FILE *out, unsigned form);

/* A row. Of a descriptor that is not open, the row is its number with the reason. */
void descriptor_print_row(FILE *out, int fd, unsigned form);

/* The same for an entry of the file system; with `follow` for what a symbolic link leads to. What
 * takes an open descriptor is left empty.
 * Returns 0, or -1 with errno where it can't be looked at, with nothing printed. */
int descriptor_print_entry(FILE *out, const char *path, bool follow, unsigned form);

/* How a short line shows a socket. */
enum descriptor_short {
    DESCRIPTOR_PLAIN, /* "tcp LOCAL PEER", "unix LOCAL" */
    DESCRIPTOR_JOINED /* "tcp LOCAL-PEER (stream)" */
};

/* Kind and name of an open descriptor, "file /etc/passwd", without an end of line. */
void descriptor_print_short(FILE *out, int fd, enum descriptor_short form);

/* "file", "chrdev", ...; "undef" for what has none of the kinds. */
const char *descriptor_kind(mode_t mode);

#endif
