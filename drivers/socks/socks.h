/* socks.h: what the parts of the driver share: what the user asks a SOCKS server for, and how it
 * is asked. */

#ifndef DRIVERS_SOCKS_SOCKS_H
#define DRIVERS_SOCKS_SOCKS_H

#include "message.h"

#include <modcat/layer.h>

/* What an address type speaks. */
struct socks_kind {
    int version; /* 4 or 5 */
    bool names;  /* the server resolves names: all but plain SOCKS 4 */
    enum socks_command command;
};

/* What the user asks for. */
struct socks_wish {
    struct socks_host target;
    char target_text[SOCKS_HOST_TEXT]; /* as the user wrote it */
    const char *target_name;           /* without the port */
    char *user;
    char *password; /* or NULL */
};

/* Works out what is wanted from parameters and options; and frees it. */
modcat_prepare_fn socks_prepare;
void socks_release(void *wish);

/* Asks the server that `lower` leads to. Return 0, or -1 after reporting. */
int socks4_handshake(struct modcat_opening *opening, struct modcat_endpoint *lower,
                     const struct socks_wish *wish);
int socks5_handshake(struct modcat_opening *opening, struct modcat_endpoint *lower,
                     const struct socks_wish *wish);

#endif
