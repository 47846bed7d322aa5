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
#include <sys/stat.h>
#include <unistd.h>

/* Whoever can write the file chooses the server that is trusted: a session that is resumed comes
 * without a certificate. */
static const char *why_untrusted(const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        return "it is not a regular file";
    if (status->st_uid != 0 && status->st_uid != geteuid())
        return "it belongs to another user";
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "other users can write it; use chmod go-w";
    return NULL;
}

/* NULL with errno 0: it is there, but not to be used. */
static FILE *open_trusted(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    const char *reason = fstat(fd, &status) < 0 ? strerror(errno) : why_untrusted(&status);
    FILE *file = reason == NULL ? fdopen(fd, "r") : NULL;
    if (file != NULL)
        return file;
    if (reason != NULL)
        modcat_log(MODCAT_WARNING, "the session in \"%s\" is not used: %s", path, reason);
    int error = reason != NULL ? 0 : errno;
    close(fd);
    errno = error;
    return NULL;
}

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
    FILE *file = open_trusted(context->session_file);
    if (file == NULL && errno != ENOENT && errno != 0)
        return modcat_fail(opening, "cannot read \"%s\": %s", context->session_file,
                           strerror(errno));
    if (file == NULL)
        return 0;
    context->session = PEM_read_SSL_SESSION(file, NULL, NULL, NULL);
    fclose(file);
    if (context->session == NULL)
        modcat_log(MODCAT_WARNING, "no session in \"%s\"", context->session_file);
    ERR_clear_error();
    return 0;
}

/* Closes the descriptor. */
static int write_session(int fd, SSL_SESSION *session)
{
    FILE *file = fdopen(fd, "w");
    if (file == NULL) {
        close(fd);
        return -1;
    }
    int written = PEM_write_SSL_SESSION(file, session);
    return fclose(file) == 0 && written ? 0 : -1;
}

/* A device, a FIFO or a link would be gone, whoever needs it. */
static bool can_be_replaced(const char *path)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return true;
    return S_ISREG(status.st_mode);
}

/* `fresh` is a pattern for a name that nobody can guess and nobody has. */
static int replace_session(const char *path, char *fresh, SSL_SESSION *session)
{
    int fd = mkostemp(fresh, O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (write_session(fd, session) == 0 && rename(fresh, path) == 0)
        return 0;
    int error = errno;
    unlink(fresh);
    errno = error;
    return -1;
}

/* Called by the library for each session that a server offers. Keeps no reference. */
int tls_keep_session(SSL *library, SSL_SESSION *session)
{
    const struct tls *tls = SSL_get_app_data(library);
    const char *path = tls->session_file;
    char *fresh = NULL;
    if (path != NULL && !can_be_replaced(path)) {
        modcat_log(MODCAT_WARNING, "the session is not kept in \"%s\": not a regular file", path);
        return 0;
    }
    if (path == NULL || asprintf(&fresh, "%s.XXXXXX", path) < 0)
        return 0;
    if (replace_session(path, fresh, session) < 0)
        modcat_log(MODCAT_WARNING, "cannot keep the session in \"%s\": %s", path, strerror(errno));
    free(fresh);
    return 0;
}
