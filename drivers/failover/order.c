#define _GNU_SOURCE
#include "order.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* An end with what decides: the smallest comes first. */
struct candidate {
    size_t end;
    bool left_out;
    uint64_t weight;
    size_t distance; /* from the end whose turn it is */
};

static int compare_numbers(uint64_t one, uint64_t other)
{
    return one < other ? -1 : one > other;
}

static int compare(const void *first, const void *second)
{
    const struct candidate *one = first, *other = second;
    int result = one->left_out - other->left_out;
    if (result == 0)
        result = compare_numbers(one->weight, other->weight);
    return result != 0 ? result : compare_numbers(one->distance, other->distance);
}

/* FNV-1a, with its bits mixed at the end as MurmurHash3 does. */
static uint64_t hash(const void *data, size_t length, uint64_t start)
{
    const unsigned char *bytes = data;
    uint64_t value = 0xcbf29ce484222325u ^ start * 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < length; i++)
        value = (value ^ bytes[i]) * 0x100000001b3u;
    value = (value ^ value >> 33) * 0xff51afd7ed558ccdu;
    value = (value ^ value >> 33) * 0xc4ceb9fe1a85ec53u;
    return value ^ value >> 33;
}

/* The host alone: each connection of a peer has another port. */
static const void *host_of(const struct sockaddr *peer, socklen_t whole, size_t *length)
{
    if (peer->sa_family == AF_INET) {
        *length = sizeof(struct in_addr);
        return &((const struct sockaddr_in *)peer)->sin_addr;
    }
    if (peer->sa_family == AF_INET6) {
        *length = sizeof(struct in6_addr);
        return &((const struct sockaddr_in6 *)peer)->sin6_addr;
    }
    *length = whole;
    return peer;
}

/* Rendezvous hashing: when an end fails, only its own peers go elsewhere. */
static uint64_t weight_for_peer(const struct sockaddr *peer, socklen_t whole, size_t end)
{
    size_t length = 0;
    const void *host = host_of(peer, whole, &length);
    return hash(host, length, end + 1);
}

void order_make(size_t order[ENDS_MAX], size_t count, enum order_policy policy,
                struct common *common, const struct sockaddr *peer, socklen_t length)
{
    struct candidate candidates[ENDS_MAX];
    unsigned long sessions[ENDS_MAX];
    bool by_peer = policy == ORDER_PEER && peer != NULL;
    size_t first = policy == ORDER_GIVEN || by_peer ? 0 : common_turn(common) % count;
    if (policy == ORDER_LEAST)
        common_count(common, sessions);
    for (size_t i = 0; i < count; i++) {
        candidates[i] = (struct candidate){
            .end = i,
            .left_out = common_is_left_out(common, i),
            .distance = (i + count - first) % count,
        };
        if (policy == ORDER_LEAST)
            candidates[i].weight = sessions[i];
        if (by_peer)
            candidates[i].weight = weight_for_peer(peer, length, i);
    }
    qsort(candidates, count, sizeof candidates[0], compare);
    for (size_t i = 0; i < count; i++)
        order[i] = candidates[i].end;
}
