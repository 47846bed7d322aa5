#define _GNU_SOURCE
#include "core/command/descriptors.h"

#include "core/command/descriptor.h"
#include "core/relay/screen.h"
#include <stdio.h>
#include <stdlib.h>

static void put_side(FILE *out, struct side *side)
{
    const struct opened *reader = side_reader(side), *writer = side_writer(side);
    int read_fd = reader != NULL ? reader->endpoint->read_fd : -1;
    int write_fd = writer != NULL ? writer->endpoint->write_fd : -1;
    if (read_fd >= 0)
        descriptor_print_row(out, read_fd, DESCRIPTOR_OWN);
    if (write_fd >= 0 && write_fd != read_fd)
        descriptor_print_row(out, write_fd, DESCRIPTOR_OWN);
}

/* The table is printed as a whole, so that those of several processes do not mix. */
void descriptors_print(struct session *session)
{
    char *table = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&table, &size);
    if (out == NULL)
        return;
    descriptor_print_header(out, DESCRIPTOR_OWN);
    put_side(out, &session->sides[0]);
    put_side(out, &session->sides[1]);
    if (fclose(out) == 0) {
        struct screen screen;
        screen_open(&screen, session);
        (void)screen_write(&screen, table, size);
        screen_close(&screen);
    }
    free(table);
}
