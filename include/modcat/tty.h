/* tty.h: services for terminals: their settings, the controlling terminal, pseudo terminals. What
 * they change of a terminal that was there before is undone when the session ends. */

#ifndef MODCAT_TTY_H
#define MODCAT_TTY_H

#include <modcat/driver.h>
#include <stddef.h>
#include <termios.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The settings of the terminal behind `fd`, for an option to change. They are read once for each
 * descriptor; at the end of the phase the host sets them, after output is drained, and when the
 * session ends it puts back what was there. The memory is the host's. `option` is for the message
 * where fd is no terminal, and may be NULL. Returns NULL after reporting.
 * Counterpart: tcgetattr(3), tcsetattr(3). */
struct termios *modcat_tty_settings(struct modcat_opening *opening, int fd,
                                    const struct modcat_option *option);

/* Remembers the settings of the terminal behind `fd`, for a driver that changes them by other
 * means. The host puts them back when the session ends, also by a signal, in the process that
 * called this. Nothing happens where fd is no terminal or its settings are remembered already. */
void modcat_tty_keep(struct modcat_opening *opening, int fd);

/* Makes `fd` the controlling terminal of this process, which gives up the one that it has, and puts
 * the process's group into its foreground: for a child between setsid(2) and exec(3). What fails is
 * a warning only. Option tiocsctty calls this. Counterpart: TIOCSCTTY in ioctl_tty(2),
 * tcsetpgrp(3). */
void modcat_tty_control(struct modcat_opening *opening, int fd);

#define MODCAT_PTY_NAME 64

/* Both ends of a pseudo terminal. */
struct modcat_pty {
    size_t size; /* sizeof(struct modcat_pty) in the driver, which sets it */
    int master;  /* for the endpoint */
    int slave;   /* for a child, or to keep the line up while nobody else has it open; or -1 */
    char name[MODCAT_PTY_NAME]; /* of the slave: "/dev/pts/3" */
};

/* Opens a pseudo terminal, both ends close-on-exec. Its settings, owner and permissions are what
 * the options say (all of group TERMIOS but tiocsctty, which waits for phase LATE2); other options
 * of phase FD are left for the master. It gets the window size of the terminal on the session's
 * other side, if one is open. The options sitout-eio, openpty and ptmx count as used. Returns 0, or
 * -1 after reporting, with nothing left open. Counterpart: posix_openpt(3), pty(7). */
int modcat_pty_open(struct modcat_opening *opening, struct modcat_pty *pty);

/* The same without the slave, which is -1 then. As long as nobody has ever opened the slave,
 * reading from the master waits; after the last one has closed it, reading fails with EIO. */
int modcat_pty_open_master(struct modcat_opening *opening, struct modcat_pty *pty);

/* Opens the slave too. Returns 0, or -1 after reporting. */
int modcat_pty_open_slave(struct modcat_opening *opening, struct modcat_pty *pty);

/* Waits while a program still reads what was written to the master, which would be lost when the
 * master is closed. Ends when nothing is left, nobody has the terminal open, nobody reads for a
 * while, or the program is asked to end. The slave may be open here or not afterwards. */
void modcat_pty_drain(struct modcat_opening *opening, struct modcat_pty *pty);

/* Closes the ends that are open (not -1), and sets them to -1. */
void modcat_pty_close(struct modcat_pty *pty);

/* Makes the symbolic link `path` to a terminal's name. An existing symbolic link is replaced,
 * anything else is an error and stays, unless the option unlink-early wants it to go. The link is
 * removed when the session ends if it still leads to that name, unless the option unlink-close
 * forbids it. Both texts are copied. Returns 0, or -1 after reporting. Counterpart: symlink(2). */
int modcat_tty_link(struct modcat_opening *opening, const char *name, const char *path);

#ifdef __cplusplus
}
#endif

#endif
