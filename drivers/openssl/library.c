/* The library's configuration, which may name modules to be loaded: it is read when the driver is
 * loaded, before options can change the root folder to one where others have put a file of that
 * name. */

#define _GNU_SOURCE
#include <openssl/err.h>
#include <openssl/ssl.h>

/* Methods of compression may be in a library that is loaded on demand. A configuration that can't
 * be used fails again, and is reported, when the first context is made. */
__attribute__((constructor)) static void start_library(void)
{
    (void)OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
    (void)SSL_COMP_get_compression_methods();
    ERR_clear_error();
}
