/* admission.h: asks the layer that will stand on a datagram socket about unknown senders,
 * before anything is made for them. */

#ifndef CORE_SERVICES_DATAGRAM_ADMISSION_H
#define CORE_SERVICES_DATAGRAM_ADMISSION_H

#include "core/services/datagram/packet.h"

/* True when there is a layer that judges first packets. */
bool admission_wanted(const struct modcat_opening *opening);

/* True when the sender of this packet, who is set as the peer of the opening, may become one. One
 * who may not is sent what the layer answers. */
bool admission_granted(struct modcat_opening *opening, int fd, const struct packet *packet);

#endif
