/* Which name the peer has to have, and whether a certificate carries it, as RFC 9525 says: host
 * names are compared with alternative names, where `*` stands for the whole of the first label, and
 * addresses with alternative addresses. Where a certificate has no alternative of that kind, its
 * common name counts, for many that are made by hand have nothing else. */

#define _GNU_SOURCE
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* An address in the form of the protocol. */
struct numeric {
    unsigned char bytes[16];
    size_t length;
};

static size_t without_brackets(const char **text)
{
    size_t length = strlen(*text);
    if (length < 2 || (*text)[0] != '[' || (*text)[length - 1] != ']')
        return length;
    (*text)++;
    return length - 2;
}

/* Also the short forms of inet_aton(3), which reach a host as well. A zone says nothing about who
 * that is. */
static bool parse_numeric(const char *text, struct numeric *address)
{
    struct in_addr ip4;
    size_t length = without_brackets(&text);
    char *plain = strndup(text, length);
    if (plain == NULL)
        return false;
    if (inet_aton(plain, &ip4) != 0) {
        memcpy(address->bytes, &ip4, sizeof ip4);
        address->length = sizeof ip4;
        free(plain);
        return true;
    }
    plain[strcspn(plain, "%")] = '\0';
    bool valid = inet_pton(AF_INET6, plain, address->bytes) == 1;
    address->length = sizeof address->bytes;
    free(plain);
    return valid;
}

bool tls_is_numeric(const char *host)
{
    struct numeric address;
    return parse_numeric(host, &address);
}

/* The user's words for whom to expect, or NULL. */
static const char *wanted_name(const struct modcat_opening *opening,
                               const struct tls_context *context)
{
    if (context->common_name != NULL || context->server)
        return context->common_name;
    const char *below = modcat_peer_name(opening);
    return below != NULL ? below : context->sni_host;
}

/* A dot at the end only says that the name is whole. */
char *tls_expected_name(const struct modcat_opening *opening, const struct tls_context *context)
{
    const char *wanted = wanted_name(opening, context);
    if (wanted == NULL)
        return strdup("");
    size_t length = without_brackets(&wanted);
    if (length > 1 && wanted[length - 1] == '.')
        length--;
    return strndup(wanted, length);
}

int tls_check_wish(struct modcat_opening *opening, const char *option, const char *name)
{
    if (name == NULL || name[0] != '.')
        return 0;
    errno = EINVAL;
    return modcat_fail(opening,
                       "%s=\"%s\": no certificate is for all hosts of a domain; give the name of "
                       "one host, or the wildcard that the certificate carries (\"*%s\")",
                       option, name, name);
}

/* True when the certificate has an alternative name of this kind. */
static bool has_alternative(X509 *certificate, int kind)
{
    bool found = false;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++)
        found = sk_GENERAL_NAME_value(names, i)->type == kind;
    GENERAL_NAMES_free(names);
    return found;
}

static bool is_this_address(const X509_NAME_ENTRY *entry, const struct numeric *address)
{
    unsigned char *text = NULL;
    struct numeric named;
    int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    bool same = length > 0 && strlen((char *)text) == (size_t)length &&
                parse_numeric((char *)text, &named) && named.length == address->length &&
                memcmp(named.bytes, address->bytes, named.length) == 0;
    OPENSSL_free(text);
    return same;
}

static bool has_common_name(X509 *certificate, const struct numeric *address)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        if (is_this_address(X509_NAME_get_entry(subject, at), address))
            return true;
    return false;
}

bool tls_certificate_is_for(X509 *certificate, const char *name)
{
    struct numeric address;
    if (parse_numeric(name, &address))
        return X509_check_ip(certificate, address.bytes, address.length, 0) == 1 ||
               (!has_alternative(certificate, GEN_IPADD) && has_common_name(certificate, &address));
    /* The library would take a dot at the start for any host of that domain. */
    return name[0] != '.' && X509_check_host(certificate, name, strlen(name),
                                             X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}
