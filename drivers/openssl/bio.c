/* The library reads and writes through the lower endpoint, whatever that is; on a plain TCP socket
 * the kernel can do the ciphering, where it has TLS. */

#define _GNU_SOURCE
#include "tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The name of TLS among the upper layer protocols of TCP, in the kernel's documentation of TLS. */
static const char kernel_protocol[] = "tls";

/* What IP and UDP take of a packet: the larger one, of IPv6. */
#define DATAGRAM_OVERHEAD 48

static int finish(BIO *bio, struct tls *tls, ssize_t count, bool reading)
{
    BIO_clear_retry_flags(bio);
    if (count >= 0)
        return (int)count;
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        tls->lower_error = errno;
    else if (reading)
        BIO_set_retry_read(bio);
    else
        BIO_set_retry_write(bio);
    return -1;
}

/* The library looks at packets one after the other, for as long as more of them come. */
static bool is_too_late(const struct tls *tls)
{
    return tls->deadline != MODCAT_FOREVER && modcat_deadline(0) >= tls->deadline;
}

static int nothing_there(void)
{
    errno = EAGAIN;
    return -1;
}

static int bio_read(BIO *bio, char *buffer, int length)
{
    struct tls *tls = BIO_get_data(bio);
    if (length <= 0)
        return 0;
    if (is_too_late(tls))
        return finish(bio, tls, nothing_there(), true);
    ssize_t count = modcat_lower_read(tls->lower, buffer, (size_t)length);
    /* An empty message ends nothing, and there may be more. */
    if (count == 0 && (tls->lower->flags & MODCAT_END_MESSAGES) != 0)
        return finish(bio, tls, nothing_there(), true);
    if (count == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return finish(bio, tls, count, true);
}

static int bio_write(BIO *bio, const char *data, int length)
{
    struct tls *tls = BIO_get_data(bio);
    if (length <= 0)
        return 0;
    return finish(bio, tls, modcat_lower_write(tls->lower, data, (size_t)length), false);
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_EOF:
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
        return 1;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return DATAGRAM_OVERHEAD;
    default:
        return 0;
    }
}

BIO_METHOD *tls_new_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "modcat");
    if (method == NULL || !BIO_meth_set_read(method, bio_read) ||
        !BIO_meth_set_write(method, bio_write) || !BIO_meth_set_ctrl(method, bio_control)) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}

static int hand_to_kernel(int fd)
{
    return setsockopt(fd, IPPROTO_TCP, TCP_ULP, kernel_protocol, sizeof kernel_protocol);
}

/* A kernel that has TLS wants a connection for it; one that has not does not know the name. */
bool tls_kernel_has_it(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool has = hand_to_kernel(fd) == 0 || errno == ENOTCONN;
    close(fd);
    return has;
}

bool tls_use_kernel(const struct modcat_endpoint *lower)
{
    bool plain = lower->ops == NULL && lower->read_fd == lower->write_fd &&
                 (lower->flags & (MODCAT_END_SOCKET | MODCAT_END_MESSAGES)) == MODCAT_END_SOCKET;
    return plain && hand_to_kernel(lower->read_fd) == 0;
}

void tls_note_system_error(struct tls *tls, int error)
{
    if (tls->in_kernel && error == SSL_ERROR_SYSCALL && tls->lower_error == 0)
        tls->lower_error = errno;
}

BIO *tls_new_bio(BIO_METHOD *method, struct tls *tls)
{
    if (tls->in_kernel)
        return BIO_new_socket(tls->lower->read_fd, BIO_NOCLOSE);
    BIO *bio = BIO_new(method);
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    return bio;
}
