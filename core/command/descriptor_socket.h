/* descriptor_socket.h: what a row of the table of descriptors shows of a socket. */

#ifndef CORE_COMMAND_DESCRIPTOR_SOCKET_H
#define CORE_COMMAND_DESCRIPTOR_SOCKET_H

#include <stdbool.h>
#include <stdio.h>

/* Prints a column for each option that the socket has, "\tNAME=value": those of all sockets, its
 * addresses, and those of its protocols. With `own` it is a socket that is in use here: whatever
 * takes an error off it is left out. */
void descriptor_print_socket(FILE *out, int fd, bool own);

#endif
