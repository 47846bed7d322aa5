#define _GNU_SOURCE
#include "core/address/network.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static int fail(struct address_error *error,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return -1;
}

/* IPv6 addresses stand in brackets. */
static bool is_ip6(const char *text)
{
    return text[0] == '[';
}

static const char *example(const char *text)
{
    return is_ip6(text) ? "[fd00::1]/64" : "10.0.0.1/24";
}

int network_check(const char *text, struct place place, struct address_error *error)
{
    const char *slash = strchr(text, '/');
    unsigned long most = is_ip6(text) ? 128 : 32;
    error->place = place;
    if (slash == NULL)
        return fail(error, "no netmask in \"%.100s\": use ADDRESS/BITS, as in %s", text,
                    example(text));
    if (slash == text)
        return fail(error, "no address before the netmask: use ADDRESS/BITS, as in %s",
                    example(text));
    const char *bits = slash + 1;
    if (!isdigit((unsigned char)*bits) || bits[strspn(bits, "0123456789")] != '\0')
        return fail(error, "\"%.100s\" is not a netmask: use a number of bits, as in %s", bits,
                    example(text));
    if (strtoul(bits, NULL, 10) > most)
        return fail(error, "netmask \"%.100s\" is too large: IPv%d has %lu bits", bits,
                    is_ip6(text) ? 6 : 4, most);
    return 0;
}
