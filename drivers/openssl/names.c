/* What a certificate says about its owner, for messages and for child programs. */

#define _GNU_SOURCE
#include "tls.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "C = DE, O = Acme, CN = x", with letters beyond ASCII as they are. */
#define ONE_LINE (XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB)

char *tls_name_text(const X509_NAME *name)
{
    char *data, *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, ONE_LINE) >= 0) {
        long length = BIO_get_mem_data(bio, &data);
        text = strndup(length > 0 ? data : "", (size_t)length);
        if (text != NULL)
            tls_clean(text, strlen(text));
    }
    BIO_free(bio);
    return text;
}

/* A name with a NUL byte in it is made to be taken for another one. */
static bool is_clean(const unsigned char *text, int length)
{
    return length > 0 && memchr(text, '\0', (size_t)length) == NULL;
}

/* As names of hosts are in certificates, RFC 5280 section 7.2. */
static bool is_ascii(const unsigned char *text, int length)
{
    for (int i = 0; i < length; i++)
        if (text[i] >= 0x80)
            return false;
    return true;
}

/* A list of texts that grows. */
struct list {
    FILE *out;
    char *text;
    size_t size;
    const char *separator;
    unsigned count;
};

static bool list_start(struct list *list, const char *separator)
{
    *list = (struct list){.separator = separator};
    list->out = open_memstream(&list->text, &list->size);
    return list->out != NULL;
}

/* Control characters are replaced, those of C1 in UTF-8 too (0xC2 0x80 to 0xC2 0x9F). */
void tls_clean(char *text, size_t length)
{
    unsigned char *bytes = (unsigned char *)text;
    for (size_t i = 0; i < length; i++) {
        bool wide = bytes[i] == 0xc2 && i + 1 < length && (bytes[i + 1] & 0xe0) == 0x80;
        if (wide)
            bytes[i + 1] = '?';
        if (wide || bytes[i] < 0x20 || bytes[i] == 0x7f)
            bytes[i] = '?';
    }
}

static void list_add(struct list *list, const char *before, const unsigned char *text, int length)
{
    char *clean = strndup((const char *)text, (size_t)length);
    if (clean == NULL)
        return;
    tls_clean(clean, strlen(clean));
    fprintf(list->out, "%s%s%s", list->count++ > 0 ? list->separator : "", before, clean);
    free(clean);
}

/* The text, to be freed; NULL when nothing was added. */
static char *list_end(struct list *list)
{
    fclose(list->out);
    if (list->count > 0)
        return list->text;
    free(list->text);
    return NULL;
}

static void add_dns(struct list *list, const char *before, const GENERAL_NAME *name)
{
    const ASN1_STRING *text = name->d.dNSName;
    if (is_ascii(ASN1_STRING_get0_data(text), ASN1_STRING_length(text)) &&
        is_clean(ASN1_STRING_get0_data(text), ASN1_STRING_length(text)))
        list_add(list, before, ASN1_STRING_get0_data(text), ASN1_STRING_length(text));
}

static void add_ip(struct list *list, const char *before, const GENERAL_NAME *name)
{
    const ASN1_OCTET_STRING *bytes = name->d.iPAddress;
    char text[INET6_ADDRSTRLEN];
    int length = ASN1_STRING_length(bytes);
    if (length != 4 && length != 16)
        return;
    if (inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text,
                  sizeof text) != NULL)
        list_add(list, before, (const unsigned char *)text, (int)strlen(text));
}

/* The kinds of alternative names that a peer can be known by. */
static const struct {
    int type;
    const char *label;
    const char *variable;
    void (*add)(struct list *list, const char *before, const GENERAL_NAME *name);
} name_kinds[] = {
    {GEN_DNS, "DNS:", "OPENSSL_X509V3_SUBJECTALTNAME_DNS", add_dns},
    {GEN_IPADD, "IP:", "OPENSSL_X509V3_SUBJECTALTNAME_IPADD", add_ip},
};

static void add_alternative_names(struct list *list, X509 *certificate, size_t kind, bool labelled)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == name_kinds[kind].type)
            name_kinds[kind].add(list, labelled ? name_kinds[kind].label : "", name);
    }
    GENERAL_NAMES_free(names);
}

/* The values of one field of a name, with a label before each. */
static void add_field(struct list *list, const X509_NAME *name, int field, const char *before)
{
    for (int at = -1; (at = X509_NAME_get_index_by_NID(name, field, at)) >= 0;) {
        unsigned char *text = NULL;
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, at);
        int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
        if (length >= 0 && is_clean(text, length))
            list_add(list, before, text, length);
        OPENSSL_free(text);
    }
}

char *tls_certificate_names(X509 *certificate)
{
    struct list list;
    if (certificate == NULL || !list_start(&list, ", "))
        return NULL;
    for (size_t kind = 0; kind < MODCAT_COUNT(name_kinds); kind++)
        add_alternative_names(&list, certificate, kind, true);
    add_field(&list, X509_get_subject_name(certificate), NID_commonName, "CN:");
    return list_end(&list);
}

static void export_text(struct modcat_opening *opening, const char *name, char *text)
{
    if (text != NULL)
        modcat_setenv(opening, name, text);
    free(text);
}

static void export_field(struct modcat_opening *opening, const X509_NAME *name, int field)
{
    char variable[80];
    struct list list;
    const char *long_name = OBJ_nid2ln(field);
    if (field == NID_undef || long_name == NULL || !list_start(&list, " // "))
        return;
    snprintf(variable, sizeof variable, "OPENSSL_X509_%s", long_name);
    for (char *at = variable; *at != '\0'; at++)
        *at = isalnum((unsigned char)*at) ? (char)toupper((unsigned char)*at) : '_';
    add_field(&list, name, field, "");
    export_text(opening, variable, list_end(&list));
}

void tls_export_certificate(struct modcat_opening *opening, X509 *certificate, bool names)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    export_text(opening, "OPENSSL_X509_SUBJECT", tls_name_text(subject));
    export_text(opening, "OPENSSL_X509_ISSUER", tls_name_text(X509_get_issuer_name(certificate)));
    if (!names)
        return;
    for (int i = 0; i < X509_NAME_entry_count(subject); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, i);
        export_field(opening, subject, OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)));
    }
    for (size_t kind = 0; kind < MODCAT_COUNT(name_kinds); kind++) {
        struct list list;
        if (!list_start(&list, " // "))
            continue;
        add_alternative_names(&list, certificate, kind, false);
        export_text(opening, name_kinds[kind].variable, list_end(&list));
    }
}
