/* What the user asks for. Extras that are the same for all connections are made here. */

#define _GNU_SOURCE
#include "pp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNIQUE_ID_MAX 128

/* Options that add an extra with their text, and what is only for one who sends. */
static const struct {
    const char *name;
    uint8_t type;
} texts[] = {
    {"pp-authority", PP_AUTHORITY},
    {"pp-alpn", PP_ALPN},
    {"pp-netns", PP_NAMESPACE},
};
static const char *const sending[] = {"pp-authority", "pp-alpn", "pp-netns",
                                      "pp-unique-id", "pp-tls",  "pp-tlv"};

static int fail_too_long(struct modcat_opening *opening, const char *name)
{
    errno = EMSGSIZE;
    return modcat_fail_option(opening, name, "the header would be longer than %d bytes",
                              PP_HEADER_MAX);
}

static int add_texts(struct modcat_opening *opening, struct pp_made *made)
{
    for (size_t i = 0; i < MODCAT_COUNT(texts); i++) {
        const struct modcat_value *value = modcat_option_value(opening, texts[i].name);
        if (value != NULL && !pp_add(made, texts[i].type, value->string, value->length))
            return fail_too_long(opening, texts[i].name);
    }
    return 0;
}

static int add_unique_id(struct modcat_opening *opening, struct pp_wish *wish)
{
    const struct modcat_value *value = modcat_option_value(opening, "pp-unique-id");
    wish->makes_id = value != NULL && value->absent;
    if (value == NULL || value->absent)
        return 0;
    if (value->length == 0 || value->length > UNIQUE_ID_MAX) {
        errno = EINVAL;
        return modcat_fail_option(opening, "pp-unique-id", "it must be 1 to %d bytes long",
                                  UNIQUE_ID_MAX);
    }
    return pp_add(&wish->made, PP_UNIQUE_ID, value->string, value->length)
               ? 0
               : fail_too_long(opening, "pp-unique-id");
}

static int add_free_extras(struct modcat_opening *opening, struct pp_made *made)
{
    const struct modcat_value *value = NULL;
    while ((value = modcat_option_next(opening, "pp-tlv", value)) != NULL) {
        if (value->number < 0 || value->number > UINT8_MAX || value->number == PP_CRC32C) {
            errno = EINVAL;
            return modcat_fail_option(opening, "pp-tlv",
                                      "a type is a number from 0 to 255, and not 3, the checksum");
        }
        if (!pp_add(made, (uint8_t)value->number, value->data, value->length))
            return fail_too_long(opening, "pp-tlv");
    }
    return 0;
}

static const char *extra_given(struct modcat_opening *opening)
{
    for (size_t i = 0; i < MODCAT_COUNT(sending); i++)
        if (modcat_option_value(opening, sending[i]) != NULL)
            return sending[i];
    return modcat_option_bool(opening, "pp-crc32c", false) ? "pp-crc32c" : NULL;
}

static int check_extras_are_for(struct modcat_opening *opening, const struct pp_wish *wish,
                                const char *extra)
{
    errno = EINVAL;
    if (wish->role == PP_RECEIVE && extra != NULL && strcmp(extra, "pp-crc32c") != 0)
        return modcat_fail_option(opening, extra,
                                  "it is for a header that is sent, and here one "
                                  "is received; pp-role=send changes that");
    if (wish->version == 1 && extra != NULL)
        return modcat_fail_option(opening, extra, "there is no such thing in version 1");
    if (wish->role == PP_SEND && modcat_option_value(opening, "pp-trust") != NULL)
        return modcat_fail_option(opening, "pp-trust",
                                  "it is for headers that are received, and here one is sent; "
                                  "pp-role=receive changes that");
    return 0;
}

static int read_options(struct modcat_opening *opening, struct pp_wish *wish)
{
    const char *extra = extra_given(opening);
    wish->role = (enum pp_role)modcat_option_number(
        opening, "pp-role", modcat_is_served(opening) ? PP_RECEIVE : PP_SEND);
    wish->version = (int)modcat_option_number(opening, "pp-version", 0);
    wish->has_checksum = modcat_option_bool(opening, "pp-crc32c", false);
    wish->tells_tls = modcat_option_bool(opening, "pp-tls", false);
    if (check_extras_are_for(opening, wish, extra) < 0)
        return -1;
    if (wish->role == PP_SEND && wish->version == 0 && extra != NULL)
        wish->version = 2;
    if (add_texts(opening, &wish->made) < 0 || add_unique_id(opening, wish) < 0)
        return -1;
    return add_free_extras(opening, &wish->made);
}

int pp_prepare(struct modcat_opening *opening, void **prepared)
{
    struct pp_wish *wish = calloc(1, sizeof *wish);
    if (wish == NULL)
        return modcat_fail(opening, "out of memory");
    if (read_options(opening, wish) < 0) {
        free(wish);
        return -1;
    }
    *prepared = wish;
    return 0;
}
