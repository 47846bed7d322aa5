/* What address types of host and port have in common. */

#include <modcat/net.h>

static bool is_of_packets(const struct modcat_transport *transport)
{
    return transport->socktype == SOCK_DGRAM;
}

/* An empty packet at the end is all that can tell a peer that no more comes. */
int modcat_type_connect(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    const struct modcat_transport *transport = modcat_type_data(opening);
    int result = modcat_connect_host(opening, transport, modcat_param(opening, 0),
                                     modcat_param(opening, 1), endpoint);
    if (is_of_packets(transport))
        endpoint->half_close = MODCAT_HALF_NULL;
    return result;
}

int modcat_type_listen(struct modcat_opening *opening, struct modcat_listener *listener)
{
    const struct modcat_transport *transport = modcat_type_data(opening);
    const char *service = modcat_param(opening, 0);
    return is_of_packets(transport) ? modcat_listen_packets(opening, transport, service, listener)
                                    : modcat_listen_service(opening, transport, service, listener);
}

static int send_to(struct modcat_opening *opening, enum modcat_senders senders,
                   struct modcat_endpoint *endpoint)
{
    return modcat_sendto_host(opening, modcat_type_data(opening), modcat_param(opening, 0),
                              modcat_param(opening, 1), senders, endpoint);
}

int modcat_type_sendto(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return send_to(opening, MODCAT_TARGET_ONLY, endpoint);
}

int modcat_type_datagram(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return send_to(opening, MODCAT_ANYBODY, endpoint);
}

int modcat_type_receive(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    return modcat_receive_service(opening, modcat_type_data(opening), modcat_param(opening, 0),
                                  endpoint);
}

int modcat_type_receive_from(struct modcat_opening *opening, struct modcat_listener *listener)
{
    return modcat_receive_from_service(opening, modcat_type_data(opening), modcat_param(opening, 0),
                                       listener);
}
