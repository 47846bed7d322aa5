/* options_resolver.h: what the options of name resolution do. Their rows stand in group IP4. */

#ifndef CORE_SERVICES_NET_OPTIONS_RESOLVER_H
#define CORE_SERVICES_NET_OPTIONS_RESOLVER_H

#include <modcat/driver.h>

/* Sets or clears the flag `code` of getaddrinfo(3). */
modcat_apply_fn options_set_ai_flag;

/* Sets or clears the bit `code` of _res.options. */
modcat_apply_fn options_set_res_option;

/* Remembers the name server. */
modcat_apply_fn options_set_name_server;

#endif
