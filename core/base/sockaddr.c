#include "core/base/sockaddr.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* Text that grows in a buffer and is cut where the buffer ends. */
struct text {
    char *start;
    size_t size;
    size_t length;
};

static void text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t space = text->size - text->length;
    int length = vsnprintf(text->start + text->length, space, format, arguments);
    va_end(arguments);
    text->length += length < 0 ? 0 : (size_t)length < space ? (size_t)length : space - 1;
}

static void text_put(struct text *text, char byte)
{
    if (text->length + 1 >= text->size)
        return;
    text->start[text->length++] = byte;
    text->start[text->length] = '\0';
}

/* What an address of one family looks like. `size` is the least length that it needs. */
struct renderer {
    int family;
    socklen_t size;
    void (*host)(struct text *text, const struct sockaddr *address, socklen_t length);
    const char *quote;
};

static void host_ip4(struct text *text, const struct sockaddr *address, socklen_t length)
{
    char host[INET_ADDRSTRLEN];
    (void)length;
    inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, host, sizeof host);
    text_add(text, "%s", host);
}

static void host_ip6(struct text *text, const struct sockaddr *address, socklen_t length)
{
    const uint8_t *bytes = ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr;
    (void)length;
    for (size_t i = 0; i < 16; i += 2)
        text_add(text, "%c%02x%02x", i == 0 ? '[' : ':', bytes[i], bytes[i + 1]);
    text_add(text, "]");
}

static void add_byte(struct text *text, unsigned char byte)
{
    static const char codes[] = "\0\a\b\t\n\v\f\r";
    static const char letters[] = "0abtnvfr";
    const char *found = memchr(codes, byte, sizeof codes - 1);
    if (found != NULL)
        text_add(text, "\\%c", letters[found - codes]);
    else if (byte < 0x20 || byte >= 0x7f)
        text_add(text, "\\x%02x", byte);
    else
        text_put(text, (char)byte);
}

static void host_unix(struct text *text, const struct sockaddr *address, socklen_t length)
{
    const char *path = ((const struct sockaddr_un *)address)->sun_path;
    size_t start = offsetof(struct sockaddr_un, sun_path);
    size_t size = length > start ? length - start : 0;
    if (size > 0 && path[0] != '\0')
        size = strnlen(path, size);
    if (size == 0)
        text_add(text, "<anon>");
    for (size_t i = 0; i < size; i++)
        add_byte(text, (unsigned char)path[i]);
}

static void host_vsock(struct text *text, const struct sockaddr *address, socklen_t length)
{
    (void)length;
    text_add(text, "cid:%u", ((const struct sockaddr_vm *)address)->svm_cid);
}

static void host_other(struct text *text, const struct sockaddr *address, socklen_t length)
{
    const uint8_t *bytes;
    size_t count = sockaddr_bytes(address, length, &bytes);
    text_add(text, "AF=%d 0x", address->sa_family);
    for (size_t i = 0; i < count; i++)
        text_add(text, "%02x", bytes[i]);
}

static const struct renderer renderers[] = {
    {AF_INET, sizeof(struct sockaddr_in), host_ip4, ""},
    {AF_INET6, sizeof(struct sockaddr_in6), host_ip6, ""},
    {AF_UNIX, sizeof(sa_family_t), host_unix, "\""},
    {AF_VSOCK, sizeof(struct sockaddr_vm), host_vsock, ""},
};

static const struct renderer *renderer_of(const struct sockaddr *address, socklen_t length)
{
    static const struct renderer other = {AF_UNSPEC, sizeof(sa_family_t), host_other, ""};
    for (size_t i = 0; i < MODCAT_COUNT(renderers); i++)
        if (renderers[i].family == address->sa_family && length >= renderers[i].size)
            return &renderers[i];
    return &other;
}

static bool nameless(const struct sockaddr *address, socklen_t length)
{
    return address == NULL || length < sizeof(sa_family_t);
}

const char *sockaddr_host_text(const struct sockaddr *address, socklen_t length,
                               char text[SOCKADDR_HOST_TEXT])
{
    struct text host = {text, SOCKADDR_HOST_TEXT, 0};
    if (nameless(address, length))
        text_add(&host, "<anon>");
    else
        renderer_of(address, length)->host(&host, address, length);
    return text;
}

const char *modcat_sockaddr_text(const struct sockaddr *address, socklen_t length,
                                 char text[MODCAT_SOCKADDR_TEXT])
{
    struct text whole = {text, MODCAT_SOCKADDR_TEXT, 0};
    if (nameless(address, length)) {
        text_add(&whole, "AF=0 <anon>");
        return text;
    }
    const struct renderer *renderer = renderer_of(address, length);
    long long port = sockaddr_port(address, length);
    text_add(&whole, "AF=%d %s", address->sa_family, renderer->quote);
    renderer->host(&whole, address, length);
    text_add(&whole, "%s", renderer->quote);
    if (port >= 0)
        text_add(&whole, address->sa_family == AF_VSOCK ? " port:%lld" : ":%lld", port);
    return text;
}

static bool is_wildcard(const struct modcat_sockaddr *address)
{
    const uint8_t *bytes;
    size_t count = sockaddr_bytes(&address->u.any, address->length, &bytes);
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Host and port of an IP address. */
static void plain_ip(struct text *text, const struct modcat_sockaddr *address)
{
    char host[INET6_ADDRSTRLEN];
    int family = address->u.any.sa_family;
    const uint8_t *bytes;
    sockaddr_bytes(&address->u.any, address->length, &bytes);
    inet_ntop(family, bytes, host, sizeof host);
    long long port = sockaddr_port(&address->u.any, address->length);
    if (is_wildcard(address))
        text_add(text, "port %lld", port);
    else
        text_add(text, family == AF_INET6 ? "[%s]:%lld" : "%s:%lld", host, port);
}

const char *sockaddr_plain_text(const struct modcat_sockaddr *address,
                                char text[SOCKADDR_PLAIN_TEXT])
{
    struct text whole = {text, SOCKADDR_PLAIN_TEXT, 0};
    const struct sockaddr *any = &address->u.any;
    text[0] = '\0';
    if (sockaddr_port(any, address->length) >= 0 && any->sa_family != AF_VSOCK)
        plain_ip(&whole, address);
    else if (!nameless(any, address->length) && any->sa_family == AF_UNIX)
        host_unix(&whole, any, address->length);
    else
        modcat_sockaddr_text(any, address->length, text);
    return text;
}

long long sockaddr_port(const struct sockaddr *address, socklen_t length)
{
    if (nameless(address, length))
        return -1;
    if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in))
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    if (address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6))
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    if (address->sa_family == AF_VSOCK && length >= sizeof(struct sockaddr_vm))
        return ((const struct sockaddr_vm *)address)->svm_port;
    return -1;
}

void sockaddr_set_port(struct modcat_sockaddr *address, uint16_t port)
{
    if (address->u.any.sa_family == AF_INET)
        ((struct sockaddr_in *)&address->u.storage)->sin_port = htons(port);
    else if (address->u.any.sa_family == AF_INET6)
        ((struct sockaddr_in6 *)&address->u.storage)->sin6_port = htons(port);
}

bool sockaddr_wildcard(int family, struct modcat_sockaddr *address)
{
    *address = (struct modcat_sockaddr){0};
    address->u.any.sa_family = (sa_family_t)family;
    if (family == AF_INET)
        address->length = sizeof(struct sockaddr_in);
    else if (family == AF_INET6)
        address->length = sizeof(struct sockaddr_in6);
    return address->length > 0;
}

void sockaddr_copy(struct modcat_sockaddr *to, const struct sockaddr *from, socklen_t length)
{
    if (length > sizeof to->u.storage)
        length = sizeof to->u.storage;
    /* The peer of an opening may be set from itself. */
    if (from != NULL)
        memmove(&to->u.storage, from, length);
    to->length = from != NULL ? length : 0;
}

size_t sockaddr_bytes(const struct sockaddr *address, socklen_t length, const uint8_t **bytes)
{
    *bytes = NULL;
    if (nameless(address, length))
        return 0;
    if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        *bytes = (const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr;
        return 4;
    }
    if (address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        *bytes = ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr;
        return 16;
    }
    *bytes = (const uint8_t *)address->sa_data;
    return length - sizeof(sa_family_t);
}

/* A name in the file system ends at its NUL, or where the address does. */
static size_t unix_name_length(const struct modcat_sockaddr *address)
{
    const char *name = ((const struct sockaddr_un *)&address->u.storage)->sun_path;
    size_t size = address->length - offsetof(struct sockaddr_un, sun_path);
    return size > 0 && name[0] != '\0' ? strnlen(name, size) : size;
}

static bool same_unix(const struct modcat_sockaddr *one, const struct modcat_sockaddr *other)
{
    size_t length = unix_name_length(one);
    return length == unix_name_length(other) &&
           memcmp(((const struct sockaddr_un *)&one->u.storage)->sun_path,
                  ((const struct sockaddr_un *)&other->u.storage)->sun_path, length) == 0;
}

static bool same_ip6(const struct modcat_sockaddr *one, const struct modcat_sockaddr *other)
{
    uint32_t scope = ((const struct sockaddr_in6 *)&one->u.storage)->sin6_scope_id;
    uint32_t other_scope = ((const struct sockaddr_in6 *)&other->u.storage)->sin6_scope_id;
    return scope == 0 || other_scope == 0 || scope == other_scope;
}

bool sockaddr_same(const struct modcat_sockaddr *one, const struct modcat_sockaddr *other)
{
    const uint8_t *bytes, *other_bytes;
    if (nameless(&one->u.any, one->length) || nameless(&other->u.any, other->length) ||
        one->u.any.sa_family != other->u.any.sa_family)
        return false;
    if (one->u.any.sa_family == AF_UNIX)
        return same_unix(one, other);
    size_t count = sockaddr_bytes(&one->u.any, one->length, &bytes);
    return count == sockaddr_bytes(&other->u.any, other->length, &other_bytes) &&
           memcmp(bytes, other_bytes, count) == 0 &&
           sockaddr_port(&one->u.any, one->length) == sockaddr_port(&other->u.any, other->length) &&
           (one->u.any.sa_family != AF_INET6 || same_ip6(one, other));
}
