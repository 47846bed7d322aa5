/* pp.h: what the parts of the driver know of each other. */

#ifndef DRIVERS_PP_PP_H
#define DRIVERS_PP_PP_H

#include "header.h"

#include <modcat/layer.h>

enum pp_role { PP_RECEIVE, PP_SEND };
#define PP_ROLES "receive,send" /* in this order */

/* What the user asks for. */
struct pp_wish {
    enum pp_role role;
    int version;         /* to send; or the only one to be taken, 0: each */
    bool has_checksum;   /* it is sent; or headers of version 2 without it are refused */
    bool tells_tls;      /* what is known of the TLS of the other address is sent */
    bool makes_id;       /* a unique id is made for each connection */
    struct pp_made made; /* extras that are the same for all connections */
};

/* Reads the options. */
modcat_prepare_fn pp_prepare;

/* Makes the header for a connection, about who is at the other address of the session. Returns 0,
 * or -1 after reporting. */
int pp_make(struct modcat_opening *opening, const struct pp_wish *wish, bool packets,
            struct pp_made *made);

/* Takes a header that is complete: sets peer and variables. Returns as `wrap`. */
int pp_take(struct modcat_opening *opening, const struct pp_wish *wish,
            const struct pp_header *header);

/* Refuses whoever has sent something that is no header, or one that isn't wanted. Returns as
 * `wrap`. */
int pp_refuse(const struct modcat_opening *opening, const char *why);

/* Where each message begins with a header of its own: fills in the endpoint on top, which puts
 * `made` before what is written, or takes off what comes before that which is read. The first
 * message that is read is there already; it is copied, and NULL when none is. Returns 0, or -1
 * after reporting. */
int pp_over_messages(struct modcat_opening *opening, struct modcat_endpoint *lower,
                     struct modcat_endpoint *endpoint, const struct pp_made *made,
                     const void *first, size_t length);

#endif
