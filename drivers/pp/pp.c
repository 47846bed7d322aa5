/* PP: tells the peer who the client is, or learns it, by the PROXY protocol. */

#define _GNU_SOURCE
#include "pp.h"

#include <errno.h>
#include <modcat/net.h>
#include <stdlib.h>
#include <string.h>

static modcat_wrap_fn pp_wrap;
static modcat_check_fn check_version;

#define PP_OPTION(option, kind, text, value)                                                       \
    .name = (option), .help = (text), .type = (kind), .phase = MODCAT_PHASE_SPEC,                  \
    .effect = MODCAT_FETCHED, .preset = (value)
static const struct modcat_option options[] = {
    {PP_OPTION("pp-role", MODCAT_CHOICE, "who sends the header",
               "receive on an address that listens, otherwise send"),
     .words = PP_ROLES},
    {PP_OPTION("pp-version", MODCAT_UINT, "version of the header, 1 or 2",
               "1 to send, 2 where only that will do, any to receive"),
     .check = check_version},
    {PP_OPTION("pp-trust", MODCAT_STRING,
               "range of peers whose headers are taken; may be given again", "all"),
     .check = modcat_check_range},
    {PP_OPTION("pp-crc32c", MODCAT_BOOL, "send a checksum, or insist on one", "0")},
    {PP_OPTION("pp-tls", MODCAT_BOOL, "send what is known of the TLS of the other address", "0")},
    {PP_OPTION("pp-authority", MODCAT_STRING, "send the name that the client has asked for",
               "none"),
     .check = modcat_check_filled},
    {PP_OPTION("pp-alpn", MODCAT_STRING, "send the protocol that the client speaks", "none"),
     .check = modcat_check_filled},
    {PP_OPTION("pp-unique-id", MODCAT_STRING_OR_NONE,
               "send an identifier of the connection; without a value one is made", "none")},
    {PP_OPTION("pp-netns", MODCAT_STRING, "send the name of a network namespace", "none"),
     .check = modcat_check_filled},
    {PP_OPTION("pp-tlv", MODCAT_INT_DATA, "send an extra of this type; may be given again",
               "none")},
};

static const struct modcat_option_group groups[] = {
    {.name = "PP", .help = "PROXY protocol", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {
    {
        .name = "PP",
        .groups = "CHILD,RETRY,PP",
        .help = "tell who the client is, or learn it, by the PROXY protocol",
        .example = "modcat TCP-LISTEN:25,fork 'PP|TCP:mail.example.org:25'",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .flags = MODCAT_TYPE_NAMES_PEER,
        .wrap = pp_wrap,
        .prepare = pp_prepare,
        .release = free,
        .layer_groups = "CHILD,RETRY,PP",
    },
};

MODCAT_DRIVER(.name = "pp", .version = MODCAT_DRIVER_VERSION,
              .summary = "who the client is, by the PROXY protocol", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups));

static const char *check_version(const struct modcat_value *value)
{
    return value->number == 1 || value->number == 2 ? NULL : "it must be 1 or 2";
}

/* The longest packet of UDP, and more. */
#define PP_MESSAGE_MAX 65536

static int send_header(struct modcat_opening *opening, const struct pp_wish *wish,
                       struct modcat_endpoint *lower, struct modcat_endpoint *endpoint)
{
    bool packets = (lower->flags & MODCAT_END_MESSAGES) != 0;
    struct pp_made *made = malloc(sizeof *made);
    if (made == NULL)
        return modcat_fail(opening, "out of memory");
    int result = pp_make(opening, wish, packets, made);
    if (result == 0 && packets) {
        result = pp_over_messages(opening, lower, endpoint, made, NULL, 0);
    } else if (result == 0) {
        result = modcat_lower_send(opening, lower, made->data, made->length,
                                   modcat_connect_deadline(opening));
        if (result < 0 && errno != ECANCELED)
            modcat_fail(opening, "cannot send the header: %s [write()]", strerror(errno));
        if (result == 0)
            modcat_pass_through(lower, endpoint, NULL, 0);
    }
    int error = errno;
    free(made);
    errno = error;
    return result;
}

/* A proxy sends its header at once. */
#define PATIENCE (10 * MODCAT_SECOND)

static long long header_deadline(const struct modcat_opening *opening)
{
    long long deadline = modcat_connect_deadline(opening);
    return deadline != MODCAT_FOREVER ? deadline : modcat_deadline(PATIENCE);
}

static int refuse_missing(const struct modcat_opening *opening, ssize_t count, bool begun)
{
    if (count < 0 && errno == ECANCELED)
        return -1;
    if (count == 0 || errno == ECONNRESET)
        return pp_refuse(opening, begun ? "the peer has left in the middle of its header"
                                        : "the peer has left without a header");
    return pp_refuse(opening,
                     errno == ETIMEDOUT ? "its header has not come in time" : strerror(errno));
}

/* The first message holds the header and what follows it. */
static int receive_message(struct modcat_opening *opening, const struct pp_wish *wish,
                           struct modcat_endpoint *lower, struct modcat_endpoint *endpoint,
                           uint8_t data[PP_MESSAGE_MAX])
{
    struct pp_header header;
    const char *why = "its first packet is too short for a header";
    ssize_t count =
        modcat_lower_receive(opening, lower, data, PP_MESSAGE_MAX, header_deadline(opening));
    if (count < 0)
        return refuse_missing(opening, count, false);
    if (pp_read(data, (size_t)count, &header, &why) != PP_TAKEN)
        return pp_refuse(opening, why);
    int result = pp_take(opening, wish, &header);
    return result != 0 ? result
                       : pp_over_messages(opening, lower, endpoint, NULL, data, (size_t)count);
}

/* Nothing is read of what stands behind the header, so that the relay finds the plain descriptors
 * below. */
static int receive_bytes(struct modcat_opening *opening, const struct pp_wish *wish,
                         struct modcat_endpoint *lower, struct modcat_endpoint *endpoint,
                         uint8_t data[PP_HEADER_MAX])
{
    long long deadline = header_deadline(opening);
    size_t length = 0;
    struct pp_header header;
    const char *why;
    for (;;) {
        enum pp_verdict verdict = pp_read(data, length, &header, &why);
        if (verdict == PP_WRONG)
            return pp_refuse(opening, why);
        if (verdict == PP_TAKEN)
            break;
        ssize_t count =
            modcat_lower_receive(opening, lower, data + length, header.missing, deadline);
        if (count <= 0)
            return refuse_missing(opening, count, length > 0);
        length += (size_t)count;
    }
    int result = pp_take(opening, wish, &header);
    return result != 0 ? result : modcat_pass_through(lower, endpoint, NULL, 0);
}

static int receive_header(struct modcat_opening *opening, const struct pp_wish *wish,
                          struct modcat_endpoint *lower, struct modcat_endpoint *endpoint)
{
    bool packets = (lower->flags & MODCAT_END_MESSAGES) != 0;
    uint8_t *data = malloc(packets ? PP_MESSAGE_MAX : PP_HEADER_MAX);
    if (data == NULL)
        return modcat_fail(opening, "out of memory");
    int result = (packets ? receive_message : receive_bytes)(opening, wish, lower, endpoint, data);
    int error = errno;
    free(data);
    errno = error;
    return result;
}

static int pp_wrap(struct modcat_opening *opening, struct modcat_endpoint *lower,
                   struct modcat_endpoint *endpoint)
{
    const struct pp_wish *wish = modcat_prepared(opening);
    return (wish->role == PP_SEND ? send_header : receive_header)(opening, wish, lower, endpoint);
}
