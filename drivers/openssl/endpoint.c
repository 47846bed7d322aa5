/* Data over a connection whose handshake is done.
 *
 *     open -> half-closed (close_notify sent) -> ended (close_notify of the peer, or a failure)
 *
 * A read may have to write and a write to read (key updates, DTLS repetitions): tls_wants() says
 * what to wait for, and a call that said EAGAIN is repeated with the same bytes. Of TLS 1.3 each
 * direction is closed by itself; of TLS 1.2 the library answers close_notify at once, RFC 5246
 * section 7.2.1. An end of file below without close_notify may be an attack that cuts data off, and
 * is an error (RFC 8446 section 6.1). What the library has read ahead shows as pending. */

#define _GNU_SOURCE
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* The longest record, RFC 8446 section 5.1: a message of DTLS can't be longer. */
#define RECORD_MAX 16384

const char *tls_error_text(char text[TLS_ERROR_TEXT])
{
    unsigned long error = ERR_peek_last_error();
    ERR_error_string_n(error, text, TLS_ERROR_TEXT);
    return text;
}

const char *tls_error_reason(void)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(error);
    if (reason == NULL && ERR_SYSTEM_ERROR(error))
        reason = strerror(ERR_GET_REASON(error));
    return reason != NULL ? reason : "unknown error of OpenSSL";
}

/* Reports once why the connection is of no more use; the caller has what came before. */
static int fail(struct modcat_endpoint *endpoint, const char *call)
{
    struct tls *tls = endpoint->state;
    char text[TLS_ERROR_TEXT];
    unsigned long error = ERR_peek_last_error();
    bool told = tls->failed || (tls->lower->flags & MODCAT_END_REPORTED) != 0;
    endpoint->flags |= MODCAT_END_REPORTED;
    if (!told && tls->lower_error != 0)
        modcat_log(MODCAT_ERROR, "%s: connection lost: %s [%s()]", tls->name,
                   strerror(tls->lower_error), call);
    else if (!told && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        modcat_log(MODCAT_ERROR,
                   "%s: connection closed without close_notify; data may be truncated [%s()]",
                   tls->name, call);
    else if (!told)
        modcat_log(MODCAT_ERROR, "%s: connection lost: %s [%s(): %s]", tls->name,
                   tls_error_reason(), call, tls_error_text(text));
    tls->failed = true;
    errno = tls->lower_error != 0 ? tls->lower_error : EPROTO;
    return -1;
}

/* Notes what a call that could not go on waits for. Returns -1 with EAGAIN, or as fail(). */
static int wait_or_fail(struct modcat_endpoint *endpoint, int error, unsigned *wants,
                        const char *call)
{
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        tls_note_system_error(endpoint->state, error);
        return fail(endpoint, call);
    }
    *wants = error == SSL_ERROR_WANT_READ ? MODCAT_DIR_READ : MODCAT_DIR_WRITE;
    errno = EAGAIN;
    return -1;
}

/* Reads one record. Returns the count, 0 at the end, -1 with errno. */
static ssize_t read_record(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct tls *tls = endpoint->state;
    size_t count;
    tls->read_wants = MODCAT_DIR_READ;
    int result = SSL_read_ex(tls->library, buffer, length, &count);
    if (result > 0)
        return (ssize_t)count;
    int error = SSL_get_error(tls->library, result);
    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    return wait_or_fail(endpoint, error, &tls->read_wants, "SSL_read");
}

/* Takes as many records as there are, for each holds little; one message of DTLS at a time. */
static ssize_t read_records(struct modcat_endpoint *endpoint, char *buffer, size_t length)
{
    const struct tls *tls = endpoint->state;
    size_t taken = 0;
    while (taken < length) {
        ssize_t count = read_record(endpoint, buffer + taken, length - taken);
        if (count <= 0)
            return taken > 0 ? (ssize_t)taken : count;
        taken += (size_t)count;
        if (tls->datagrams)
            break;
    }
    return (ssize_t)taken;
}

static ssize_t write_record(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct tls *tls = endpoint->state;
    size_t count;
    tls->write_wants = MODCAT_DIR_WRITE;
    int result = SSL_write_ex(tls->library, buffer, length, &count);
    if (result > 0)
        return (ssize_t)count;
    return wait_or_fail(endpoint, SSL_get_error(tls->library, result), &tls->write_wants,
                        "SSL_write");
}

/* A connection below another one is used in the midst of that one's calls, and must leave its
 * errors alone: those of this one stand above a mark. */
static ssize_t tls_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct tls *tls = endpoint->state;
    if (tls->failed)
        return fail(endpoint, "SSL_read");
    ERR_set_mark();
    ssize_t count = read_records(endpoint, buffer, length);
    ERR_pop_to_mark();
    return count;
}

static ssize_t tls_write(struct modcat_endpoint *endpoint, const void *buffer, size_t length)
{
    struct tls *tls = endpoint->state;
    if (tls->failed)
        return fail(endpoint, "SSL_write");
    if (length == 0)
        return 0;
    ERR_set_mark();
    ssize_t count =
        write_record(endpoint, buffer, tls->datagrams && length > RECORD_MAX ? RECORD_MAX : length);
    ERR_pop_to_mark();
    return count;
}

/* Returns 0 when close_notify is sent, or never can be; -1 with EAGAIN. */
static int say_goodbye(struct tls *tls)
{
    int result = SSL_shutdown(tls->library);
    int error = result < 0 ? SSL_get_error(tls->library, result) : SSL_ERROR_NONE;
    tls->said_goodbye = error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ;
    if (tls->said_goodbye)
        return 0;
    tls->write_wants = error == SSL_ERROR_WANT_READ ? MODCAT_DIR_READ : MODCAT_DIR_WRITE;
    errno = EAGAIN;
    return -1;
}

/* close_notify alone: what is below stays open both ways, for many a proxy on the way takes the end
 * of one direction for that of both. */
static int tls_shutdown(struct modcat_endpoint *endpoint)
{
    struct tls *tls = endpoint->state;
    if (tls->failed || tls->said_goodbye)
        return 0;
    ERR_set_mark();
    int result = say_goodbye(tls);
    ERR_pop_to_mark();
    return result;
}

static void tls_close(struct modcat_endpoint *endpoint)
{
    tls_free(endpoint->state);
}

/* The peer's close_notify may have been read together with its last data. */
static bool has_ended(const struct tls *tls)
{
    return (SSL_get_shutdown(tls->library) & SSL_RECEIVED_SHUTDOWN) != 0;
}

static bool tls_pending(struct modcat_endpoint *endpoint)
{
    struct tls *tls = endpoint->state;
    if (tls->failed || SSL_pending(tls->library) > 0 || has_ended(tls))
        return true;
    return tls->read_wants == MODCAT_DIR_READ && modcat_lower_pending(tls->lower);
}

static short tls_wants(struct modcat_endpoint *endpoint, unsigned direction)
{
    struct tls *tls = endpoint->state;
    return modcat_lower_wants(tls->lower,
                              direction == MODCAT_DIR_READ ? tls->read_wants : tls->write_wants);
}

const struct modcat_endpoint_ops tls_ops = {
    .size = sizeof tls_ops,
    .read = tls_read,
    .write = tls_write,
    .shutdown = tls_shutdown,
    .close = tls_close,
    .pending = tls_pending,
    .wants = tls_wants,
};

void tls_free(struct tls *tls)
{
    SSL_free(tls->library);
    free(tls->expected_name);
    free(tls->verify_subject);
    free(tls->verify_names);
    free(tls);
}
