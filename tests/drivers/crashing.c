/* A driver that breaks: CRASH writes where nothing is, DEEP calls itself until its stack is used
 * up, LIBRARY hands the C library what it can't take, and SPIN never gives way. */

#define _GNU_SOURCE
#include <modcat/driver.h>
#include <string.h>

static int crash_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
static int deep_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
static int library_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
static int spin_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

#define TYPE(word, function)                                                                       \
    {                                                                                              \
        .name = (word), .groups = "FD", .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,          \
        .help = "break", .example = "modcat - " word, .open = (function),                          \
    }

static const struct modcat_address_type types[] = {
    TYPE("CRASH", crash_open),
    TYPE("DEEP", deep_open),
    TYPE("LIBRARY", library_open),
    TYPE("SPIN", spin_open),
};

MODCAT_DRIVER(.name = "crashing", .version = "1.0", .summary = "breaks", MODCAT_TYPES(types));

static int *volatile nowhere = (int *)16;

static int crash_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    (void)opening, (void)endpoint;
    *nowhere = 1;
    return 0;
}

__attribute__((noinline)) static int go_down(volatile char *above)
{
    volatile char here[512];
    here[0] = above[0];
    return go_down(here) + here[0];
}

static int deep_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    (void)opening, (void)endpoint;
    volatile char first[1] = {1};
    return go_down(first) & -2;
}

static int library_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    (void)opening, (void)endpoint;
    return (int)strlen((char *)nowhere);
}

/* Until a value that never comes, and in the C library most of the time. */
static int spin_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    static const char text[4096] = "";
    (void)opening, (void)endpoint;
    while (nowhere != NULL)
        if (memchr(text, 'x', sizeof text) != NULL)
            return -1;
    return 0;
}
