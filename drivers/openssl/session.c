/* A client's session, kept in a file for the next run. With TLS 1.3 it comes some time after the
 * handshake, and each may be used once. */

#define _GNU_SOURCE
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file that is not there yet, or holds nothing of use, only means a full handshake. */
int tls_load_session(struct modcat_opening *opening, struct tls_context *context)
{
    context->session_file = modcat_option_string(opening, "openssl-session", NULL);
    if (context->session_file == NULL)
        return 0;
    if (context->server) {
        errno = EINVAL;
        return modcat_fail(opening, "session-file is for clients; servers hand out tickets");
    }
    SSL_CTX_set_session_cache_mode(context->library,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context->library, tls_keep_session);
    FILE *file = fopen(context->session_file, "re");
    if (file == NULL && errno != ENOENT)
        return modcat_fail(opening, "reading \"%s\": %s", context->session_file, strerror(errno));
    if (file == NULL)
        return 0;
    context->session = PEM_read_SSL_SESSION(file, NULL, NULL, NULL);
    fclose(file);
    if (context->session == NULL)
        modcat_log(MODCAT_WARNING, "there is no session in \"%s\"", context->session_file);
    ERR_clear_error();
    return 0;
}

static int write_session(const char *path, SSL_SESSION *session)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    int written = PEM_write_SSL_SESSION(file, session);
    return fclose(file) == 0 && written ? 0 : -1;
}

/* Called by the library for each session that a server offers. Keeps no reference. */
int tls_keep_session(SSL *library, SSL_SESSION *session)
{
    const struct tls *tls = SSL_get_app_data(library);
    const char *path = tls->session_file;
    char *fresh = NULL;
    if (path == NULL || asprintf(&fresh, "%s.%d", path, (int)getpid()) < 0)
        return 0;
    if (write_session(fresh, session) < 0 || rename(fresh, path) < 0) {
        modcat_log(MODCAT_WARNING, "keeping the session in \"%s\": %s", path, strerror(errno));
        unlink(fresh);
    }
    free(fresh);
    return 0;
}
