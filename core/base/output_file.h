/* output_file.h: files that the program itself writes to, beside what addresses do: logs, dumps. */

#ifndef CORE_BASE_OUTPUT_FILE_H
#define CORE_BASE_OUTPUT_FILE_H

#include <sys/types.h>

/* Opens a file to append to it, and makes it where it is not there. Never waits for the other end
 * of a FIFO, and follows no symbolic link that belongs to somebody else than root or us: it could
 * lead to any file. In a folder where all can make files, it must be ours or root's, and have no
 * other name. Returns a non-blocking close-on-exec descriptor, or -1 with errno. */
int output_file_open(const char *path, mode_t mode);

#endif
