/* range.h: a range of peer addresses, as the option range names it. */

#ifndef CORE_VALUES_RANGE_H
#define CORE_VALUES_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* sa_data of the longest socket address. */
#define RANGE_BYTES_MAX (sizeof(struct sockaddr_storage) - sizeof(sa_family_t))

/* Which bytes a peer's address must have: those of `address` where `mask` has bits. */
struct range {
    int family; /* of the peers that it can hold */
    bool raw;   /* of sa_data as a whole, not of an IP address */
    size_t length;
    uint8_t address[RANGE_BYTES_MAX];
    uint8_t mask[RANGE_BYTES_MAX];
};

/* Looks up a host that is written as a name. Puts 4 (AF_INET) or 16 (AF_INET6) bytes in `address`.
 * Returns 0, or -1 after reporting. */
typedef int range_lookup_fn(void *context, int family, const char *host, void *address);

/* Parses a range for peers of a family: "address/bits" or "address:mask" for AF_INET,
 * "[address]/bits" for AF_INET6, and "data:mask" in dalan notation, of the bytes of sa_data, for
 * families that nothing else is known of; with a leading x on both sides, for IP as well.
 * Returns 0, or -1 with the reason in `reason`, which is empty when `lookup` has reported. */
int range_parse(int family, const char *text, range_lookup_fn *lookup, void *context,
                struct range *range, char *reason, size_t reason_size);

/* Says what is wrong with a range whatever peers there will be, of an address type with these
 * groups. Nothing is looked up. Returns 0, or -1 with the reason. */
int range_check(const char *text, const char *groups, char *reason, size_t reason_size);

/* True when the address lies in the range. */
bool range_holds(const struct range *range, const struct sockaddr *address, socklen_t length);

#endif
