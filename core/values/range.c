#define _GNU_SOURCE
#include "core/values/range.h"

#include "core/base/sockaddr.h"
#include "core/base/words.h"
#include "core/values/values.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"

/* What parsing works on. */
struct parsing {
    int family;
    const char *text;
    range_lookup_fn *lookup;
    void *context;
    struct range *range;
    char *reason;
    size_t reason_size;
};

static int refuse(const struct parsing *parsing, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int refuse(const struct parsing *parsing, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(parsing->reason, parsing->reason_size, format, arguments);
    va_end(arguments);
    return -1;
}

static int parse_host(const struct parsing *parsing, const char *start, size_t length)
{
    uint8_t *address = parsing->range->address;
    char host[256];
    if (length >= sizeof host)
        return refuse(parsing, "host name in range \"%s\" is too long", parsing->text);
    memcpy(host, start, length);
    host[length] = '\0';
    if (inet_pton(parsing->family, host, address) == 1)
        return 0;
    /* The short forms of inet_aton(3), which are no names either. */
    if (parsing->family == AF_INET && inet_aton(host, (struct in_addr *)address) != 0)
        return 0;
    return parsing->lookup(parsing->context, parsing->family, host, address);
}

static void set_mask_bits(struct range *range, unsigned bits)
{
    for (unsigned i = 0; i < bits; i++)
        range->mask[i / 8] |= (uint8_t)(0x80u >> i % 8);
}

/* Reads a count of bits. Returns it, -1 when it is no number, or `limit` + 1 when it is more. */
static int read_bits(const char *text, int limit)
{
    if (*text == '\0' || text[strspn(text, DIGITS)] != '\0')
        return -1;
    unsigned long bits = strtoul(text, NULL, 10);
    return bits > (unsigned long)limit ? limit + 1 : (int)bits;
}

static int parse_ip4_bits(const struct parsing *parsing, const char *text)
{
    int bits = read_bits(text, 32);
    if (bits < 0)
        return refuse(parsing, "\"%s\" is not a valid IPv4 netmask in \"%s\"", text, parsing->text);
    if (bits > 32)
        return refuse(parsing, "IPv4 netmask \"%s\" is too large", text);
    set_mask_bits(parsing->range, (unsigned)bits);
    return 0;
}

static int parse_ip4_mask(const struct parsing *parsing, const char *text)
{
    struct in_addr mask;
    if (inet_aton(text, &mask) == 0)
        return refuse(parsing, "\"%s\" is not a valid IPv4 netmask in \"%s\"", text, parsing->text);
    memcpy(parsing->range->mask, &mask, sizeof mask);
    return 0;
}

static int parse_ip4(const struct parsing *parsing)
{
    size_t host = strcspn(parsing->text, "/:");
    const char *delimiter = parsing->text + host;
    if (*delimiter == '\0')
        return refuse(parsing, "no netmask in \"%s\": use ADDRESS/BITS, as in 10.0.0.0/8",
                      parsing->text);
    parsing->range->length = sizeof(struct in_addr);
    int result = *delimiter == '/' ? parse_ip4_bits(parsing, delimiter + 1)
                                   : parse_ip4_mask(parsing, delimiter + 1);
    return result < 0 ? -1 : parse_host(parsing, parsing->text, host);
}

static int parse_ip6(const struct parsing *parsing)
{
    const char *end = strchr(parsing->text, ']');
    if (parsing->text[0] != '[' || end == NULL)
        return refuse(parsing, "missing brackets for IPv6 range definition \"%s\"", parsing->text);
    if (end[1] != '/')
        return refuse(parsing, "missing mask bits delimiter '/' in range \"%s\"", parsing->text);
    int bits = read_bits(end + 2, 128);
    if (bits < 0)
        return refuse(parsing, "\"%s\" is not a valid IPv6 netmask in \"%s\"", end + 2,
                      parsing->text);
    if (bits > 128)
        return refuse(parsing, "netmask \"%s\" is too large", end + 2);
    parsing->range->length = sizeof(struct in6_addr);
    set_mask_bits(parsing->range, (unsigned)bits);
    return parse_host(parsing, parsing->text + 1, (size_t)(end - parsing->text - 1));
}

static ssize_t parse_data(const struct parsing *parsing, const char *start, size_t length,
                          uint8_t bytes[RANGE_BYTES_MAX])
{
    const char *why = NULL;
    char *part = strndup(start, length);
    ssize_t count = part != NULL ? modcat_parse_data(part, bytes, RANGE_BYTES_MAX, &why) : -1;
    free(part);
    if (count < 0)
        refuse(parsing, "%s in range \"%s\"", why != NULL ? why : "no memory", parsing->text);
    return count;
}

static int parse_raw(const struct parsing *parsing)
{
    const char *colon = strchr(parsing->text, ':');
    if (colon == NULL)
        return refuse(parsing,
                      "syntax error in range \"%s\" of unspecified address family: "
                      "use <addr>:<mask>",
                      parsing->text);
    ssize_t length = parse_data(parsing, parsing->text, (size_t)(colon - parsing->text),
                                parsing->range->address);
    ssize_t mask =
        length < 0 ? -1 : parse_data(parsing, colon + 1, strlen(colon + 1), parsing->range->mask);
    if (mask < 0)
        return -1;
    if (length != mask)
        return refuse(parsing, "network address is %zd bytes long, mask is %zd bytes long", length,
                      mask);
    parsing->range->raw = true;
    parsing->range->length = (size_t)length;
    return 0;
}

/* Both sides are words of an x with hexadecimal digits, which no IP mask can be. */
static bool looks_raw(const char *text)
{
    size_t left = text[0] == 'x' ? strspn(text, "x " HEX_DIGITS) : 0;
    if (left == 0 || text[left] != ':' || text[left + 1] != 'x')
        return false;
    const char *right = text + left + 1;
    return right[strspn(right, "x " HEX_DIGITS)] == '\0';
}

int range_parse(int family, const char *text, range_lookup_fn *lookup, void *context,
                struct range *range, char *reason, size_t reason_size)
{
    struct parsing parsing = {family, text, lookup, context, range, reason, reason_size};
    *range = (struct range){.family = family};
    reason[0] = '\0';
    if (family == AF_UNIX || family == AF_VSOCK)
        return refuse(&parsing, "range option not supported with address family %d", family);
    if ((family != AF_INET && family != AF_INET6) || looks_raw(text))
        return parse_raw(&parsing);
    return family == AF_INET ? parse_ip4(&parsing) : parse_ip6(&parsing);
}

bool range_holds(const struct range *range, const struct sockaddr *address, socklen_t length)
{
    const uint8_t *bytes = (const uint8_t *)address->sa_data;
    size_t count = length - sizeof(sa_family_t);
    if (address->sa_family != range->family)
        return false;
    if (!range->raw)
        count = sockaddr_bytes(address, length, &bytes);
    if (count < range->length)
        return false;
    for (size_t i = 0; i < range->length; i++)
        if (((bytes[i] ^ range->address[i]) & range->mask[i]) != 0)
            return false;
    return true;
}

static int take_any_name(void *context, int family, const char *host, void *address)
{
    (void)context, (void)family, (void)host, (void)address;
    return 0;
}

/* A type of both versions of IP gets what looks like IPv6 in its brackets explained as such. */
int range_check(const char *text, const char *groups, char *reason, size_t reason_size)
{
    bool ip4 = words_list_has(groups, "IP4"), ip6 = words_list_has(groups, "IP6");
    int family = ip6 && (!ip4 || text[0] == '[') ? AF_INET6 : ip4 ? AF_INET : AF_UNSPEC;
    struct range range;
    return range_parse(family, text, take_any_name, NULL, &range, reason, reason_size);
}
