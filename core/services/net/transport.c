#include "core/services/net/transport.h"

#include <string.h>

struct modcat_transport transport_copy(const struct modcat_transport *transport)
{
    struct modcat_transport copy = {0};
    memcpy(&copy, transport, transport->size < sizeof copy ? transport->size : sizeof copy);
    copy.size = sizeof copy;
    return copy;
}
