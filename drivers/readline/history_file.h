/* history_file.h: the file of earlier lines. The library would wait for the other end of a FIFO
 * that somebody has put there, and write through any link. */

#ifndef DRIVERS_READLINE_HISTORY_FILE_H
#define DRIVERS_READLINE_HISTORY_FILE_H

/* Adds the lines of a file to the library's history; one that is not there has none. Returns 0, or
 * -1 with errno. Counterpart: read_history() of history(3). */
int history_read(const char *path);

/* Replaces the content of a file by the history's lines. Returns 0, or -1 with errno. Counterpart:
 * write_history() of history(3). */
int history_write(const char *path);

#endif
