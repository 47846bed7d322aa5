/* wish.h: what the user wants of a proxy. */

#ifndef DRIVERS_PROXY_WISH_H
#define DRIVERS_PROXY_WISH_H

#include <modcat/layer.h>

struct proxy_wish {
    const char *name; /* the host as the user wrote it */
    char *host;       /* the host as the proxy gets it: brackets around an IPv6 address */
    char port[12];
    const char *version;
    char *login; /* "user:password", or NULL */
    bool bare_ends;
};

/* Works out what is wanted from parameters and options; and frees it. */
modcat_prepare_fn proxy_prepare;
void proxy_release(void *wish);

#endif
