/* Sessions between sockets that carry packets, which come out as they went in, one by one. */

#include "tests/random/couple.h"

const struct trial_way packet_ways[] = {
    {.name = NULL},
};
