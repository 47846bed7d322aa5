#define _GNU_SOURCE
#include "header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static const uint8_t signature[12] = "\r\n\r\n\0\r\nQUIT\n";

#define WORD "PROXY "
#define START 16 /* of version 2: signature, version and command, family, length */
#define EXTRA_START 3
#define CHECKSUM_LENGTH 4
#define UNIX_PATH 108

/* Kinds of addresses, as version 2 numbers them, and as version 1 calls them. */
static const struct family {
    uint8_t number;
    int family;
    size_t host_length;
    const char *word;
    size_t text_least; /* of the host */
} families[] = {
    {1, AF_INET, 4, "TCP4", sizeof "0.0.0.0" - 1},
    {2, AF_INET6, 16, "TCP6", sizeof "::" - 1},
    {3, AF_UNIX, UNIX_PATH, NULL, 0},
};
#define FAMILIES (sizeof families / sizeof families[0])

static const struct family *family_of(const struct pp_header *header)
{
    for (size_t i = 0; i < FAMILIES && !header->is_local; i++)
        if (header->source.length > 0 && header->source.u.any.sa_family == families[i].family)
            return &families[i];
    return NULL;
}

static enum pp_verdict wrong(const char **why, const char *text)
{
    *why = text;
    return PP_WRONG;
}

static enum pp_verdict more(struct pp_header *header, size_t missing)
{
    header->missing = missing;
    return PP_MORE;
}

static void *host_of(struct pp_address *address)
{
    return address->u.any.sa_family == AF_INET
               ? (void *)&((struct sockaddr_in *)&address->u.storage)->sin_addr
               : (void *)&((struct sockaddr_in6 *)&address->u.storage)->sin6_addr;
}

/* The port stands at the same place for both families. */
static in_port_t *port_of(struct pp_address *address)
{
    return &((struct sockaddr_in *)&address->u.storage)->sin_port;
}

static void begin_address(struct pp_address *address, int family)
{
    memset(address, 0, sizeof *address);
    address->u.any.sa_family = (sa_family_t)family;
    address->length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* One word of a line, with a NUL behind it. */
struct words {
    char text[PP_LINE_MAX + 1];
    char *next; /* NULL: there is none more */
};

static const char *next_word(struct words *words)
{
    const char *word = words->next;
    char *end = word != NULL ? strchr(word, ' ') : NULL;
    words->next = end != NULL ? end + 1 : NULL;
    if (end != NULL)
        *end = '\0';
    return word != NULL ? word : "";
}

static bool read_port(const char *word, in_port_t *port)
{
    unsigned number = 0;
    size_t length = strspn(word, "0123456789");
    if (length == 0 || length > 5 || word[length] != '\0' || (length > 1 && word[0] == '0'))
        return false;
    for (; *word != '\0'; word++)
        number = number * 10 + (unsigned)(*word - '0');
    *port = htons((uint16_t)number);
    return number <= 65535;
}

static enum pp_verdict read_words(struct words *words, const struct family *family,
                                  struct pp_header *header, const char **why)
{
    begin_address(&header->source, family->family);
    begin_address(&header->destination, family->family);
    if (inet_pton(family->family, next_word(words), host_of(&header->source)) != 1 ||
        inet_pton(family->family, next_word(words), host_of(&header->destination)) != 1)
        return wrong(why, "its line has no address of the family that it names");
    if (!read_port(next_word(words), port_of(&header->source)) ||
        !read_port(next_word(words), port_of(&header->destination)))
        return wrong(why, "its line has no port from 0 to 65535");
    return words->next == NULL ? PP_TAKEN : wrong(why, "its line has words behind the ports");
}

static const struct family *family_by_word(const char *word)
{
    for (size_t i = 0; i < FAMILIES; i++)
        if (families[i].word != NULL && strcmp(families[i].word, word) == 0)
            return &families[i];
    return NULL;
}

static enum pp_verdict read_line(const uint8_t *data, struct pp_header *header, const char **why)
{
    struct words words;
    size_t length = header->length - 2;
    if (memchr(data, '\0', length) != NULL)
        return wrong(why, "its line has a zero byte");
    memcpy(words.text, data, length);
    words.text[length] = '\0';
    words.next = words.text + strlen(WORD);
    const char *word = next_word(&words);
    const struct family *family = family_by_word(word);
    if (family != NULL)
        return read_words(&words, family, header, why);
    return strcmp(word, "UNKNOWN") == 0
               ? PP_TAKEN
               : wrong(why, "its line names neither TCP4, TCP6 nor UNKNOWN");
}

/* The end of the line, and the least that can stand before it. Behind the address that begins with
 * the second space comes another one, and two ports, each with a space before it. */
static size_t least_missing(const uint8_t *data, size_t length)
{
    const struct family *family = NULL;
    size_t spaces = 0, missing = data[length - 1] == '\r' ? 1 : 2;
    for (size_t i = 0; i < FAMILIES; i++)
        if (families[i].word != NULL && length > strlen(WORD "TCP4") &&
            memcmp(data + strlen(WORD), families[i].word, 4) == 0)
            family = &families[i];
    for (size_t i = 0; i < length; i++)
        spaces += data[i] == ' ';
    if (family != NULL && spaces == 2)
        missing += 1 + family->text_least;
    if (family != NULL && spaces < 5)
        missing += 2 * (5 - (spaces < 3 ? 3 : spaces));
    return missing;
}

static enum pp_verdict read_version_1(const uint8_t *data, size_t length, struct pp_header *header,
                                      const char **why)
{
    const uint8_t *end = memchr(data, '\n', length < PP_LINE_MAX ? length : PP_LINE_MAX);
    header->version = 1;
    if (end == NULL && length >= PP_LINE_MAX)
        return wrong(why, "its line does not end within 107 bytes");
    if (end == NULL)
        return more(header, least_missing(data, length));
    if (end == data || end[-1] != '\r')
        return wrong(why, "its line does not end with CR and LF");
    header->length = (size_t)(end + 1 - data);
    return read_line(data, header, why);
}

static unsigned read_16(const uint8_t *data)
{
    return (unsigned)data[0] << 8 | data[1];
}

static void write_16(uint8_t *data, unsigned number)
{
    data[0] = (uint8_t)(number >> 8);
    data[1] = (uint8_t)number;
}

/* CRC-32C, RFC 3720 section 12.1, where the checksum itself counts as zeros. */
static uint32_t checksum(const uint8_t *data, size_t length, const uint8_t *own)
{
    uint32_t sum = 0xffffffff;
    for (const uint8_t *at = data; at < data + length; at++) {
        sum ^= at >= own && at < own + CHECKSUM_LENGTH ? 0 : *at;
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (0x82f63b78 & (0 - (sum & 1)));
    }
    return ~sum;
}

static bool checksum_fits(const uint8_t *data, size_t length, const uint8_t *own)
{
    uint32_t sum = (uint32_t)read_16(own) << 16 | read_16(own + 2);
    return checksum(data, length, own) == sum;
}

bool pp_next_extra(const uint8_t **data, size_t *length, struct pp_extra *extra)
{
    if (*length < EXTRA_START || *length - EXTRA_START < read_16(*data + 1))
        return false;
    *extra = (struct pp_extra){
        .type = (*data)[0], .length = (uint16_t)read_16(*data + 1), .data = *data + EXTRA_START};
    *data += EXTRA_START + extra->length;
    *length -= EXTRA_START + (size_t)extra->length;
    return true;
}

static enum pp_verdict check_extras(const uint8_t *header_data, struct pp_header *header,
                                    const char **why)
{
    const uint8_t *data = header->extras;
    size_t length = header->extras_length;
    struct pp_extra extra;
    while (pp_next_extra(&data, &length, &extra)) {
        if (extra.type != PP_CRC32C)
            continue;
        if (extra.length != CHECKSUM_LENGTH ||
            !checksum_fits(header_data, header->length, extra.data))
            return wrong(why, "its checksum is wrong");
        header->has_checksum = true;
    }
    return length == 0 ? PP_TAKEN : wrong(why, "it has an extra that is cut off");
}

static void read_unix(const uint8_t *data, struct pp_address *address)
{
    struct sockaddr_un *unix_address = (struct sockaddr_un *)&address->u.storage;
    memset(address, 0, sizeof *address);
    unix_address->sun_family = AF_UNIX;
    memcpy(unix_address->sun_path, data, UNIX_PATH);
    size_t length = UNIX_PATH;
    while (length > 0 && data[length - 1] == 0)
        length--;
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static void read_host(const struct family *family, const uint8_t *data, const uint8_t *port,
                      struct pp_address *address)
{
    begin_address(address, family->family);
    memcpy(host_of(address), data, family->host_length);
    memcpy(port_of(address), port, sizeof(in_port_t));
}

static void read_addresses(const struct family *family, const uint8_t *data,
                           struct pp_header *header)
{
    size_t length = family->host_length;
    const uint8_t *ports = data + 2 * length;
    if (family->family == AF_UNIX) {
        read_unix(data, &header->source);
        read_unix(data + length, &header->destination);
    } else {
        read_host(family, data, ports, &header->source);
        read_host(family, data + length, ports + 2, &header->destination);
    }
}

static size_t addresses_length(const struct family *family)
{
    if (family == NULL)
        return 0;
    return 2 * (family->host_length + (family->family == AF_UNIX ? 0 : sizeof(in_port_t)));
}

static const struct family *family_by_number(unsigned number)
{
    for (size_t i = 0; i < FAMILIES; i++)
        if (families[i].number == number)
            return &families[i];
    return NULL;
}

/* What a family byte says that nobody has defined must not be taken; with LOCAL it is ignored. */
static bool is_known_family(uint8_t byte)
{
    return byte == 0 ||
           (family_by_number(byte >> 4) != NULL && ((byte & 15) == 1 || (byte & 15) == 2));
}

static enum pp_verdict check_start(const uint8_t *data, const char **why)
{
    if (data[12] >> 4 != 2)
        return wrong(why, "it is of a version that nobody knows");
    if ((data[12] & 15) > 1)
        return wrong(why, "its command is neither LOCAL nor PROXY");
    if ((data[12] & 15) == 1 && !is_known_family(data[13]))
        return wrong(why, "it names a family of addresses that nobody knows");
    if (START + read_16(data + 14) > PP_HEADER_MAX)
        return wrong(why, "it is longer than 4096 bytes");
    return PP_TAKEN;
}

static enum pp_verdict read_version_2(const uint8_t *data, size_t length, struct pp_header *header,
                                      const char **why)
{
    header->version = 2;
    if (length < START)
        return more(header, START - length);
    if (check_start(data, why) == PP_WRONG)
        return PP_WRONG;
    header->length = START + read_16(data + 14);
    if (length < header->length)
        return more(header, header->length - length);
    const struct family *family = family_by_number(data[13] >> 4);
    size_t addresses = addresses_length(family);
    header->is_local = (data[12] & 15) == 0;
    header->is_packets = (data[13] & 15) == 2;
    if (header->is_local)
        return PP_TAKEN;
    if (header->length - START < addresses)
        return wrong(why, "it is too short for its addresses");
    if (family != NULL)
        read_addresses(family, data + START, header);
    header->extras = data + START + addresses;
    header->extras_length = header->length - START - addresses;
    return check_extras(data, header, why);
}

enum pp_verdict pp_read(const uint8_t *data, size_t length, struct pp_header *header,
                        const char **why)
{
    size_t seen = length < sizeof signature ? length : sizeof signature;
    size_t word = length < strlen(WORD) ? length : strlen(WORD);
    *header = (struct pp_header){0};
    if (length == 0)
        return more(header, sizeof signature);
    if (memcmp(data, signature, seen) == 0)
        return length < sizeof signature ? more(header, START - length)
                                         : read_version_2(data, length, header, why);
    if (memcmp(data, WORD, word) != 0)
        return wrong(why, "there is none");
    /* The shortest line is "PROXY UNKNOWN" with its end. */
    return length < strlen(WORD) ? more(header, strlen(WORD "UNKNOWN\r\n") - length)
                                 : read_version_1(data, length, header, why);
}

static bool add(struct pp_made *made, const void *data, size_t length)
{
    if (length > sizeof made->data - made->length)
        return false;
    memcpy(made->data + made->length, data, length);
    made->length += length;
    return true;
}

bool pp_add(struct pp_made *made, uint8_t type, const void *data, size_t length)
{
    uint8_t start[EXTRA_START] = {type};
    if (length + EXTRA_START > sizeof made->data - made->length)
        return false;
    write_16(start + 1, (unsigned)length);
    return add(made, start, sizeof start) && add(made, data, length);
}

void pp_make_line(const struct pp_header *header, struct pp_made *made)
{
    struct pp_header copy = *header;
    const struct family *family = family_of(header);
    char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
    if (family == NULL || family->word == NULL) {
        made->length = (size_t)snprintf((char *)made->data, PP_LINE_MAX + 1, WORD "UNKNOWN\r\n");
        return;
    }
    inet_ntop(family->family, host_of(&copy.source), source, sizeof source);
    inet_ntop(family->family, host_of(&copy.destination), destination, sizeof destination);
    made->length = (size_t)snprintf(
        (char *)made->data, PP_LINE_MAX + 1, WORD "%s %s %s %u %u\r\n", family->word, source,
        destination, ntohs(*port_of(&copy.source)), ntohs(*port_of(&copy.destination)));
}

static void add_host(struct pp_made *made, const struct family *family, struct pp_address *address)
{
    const struct sockaddr_un *name = (const struct sockaddr_un *)&address->u.storage;
    char path[UNIX_PATH] = "";
    size_t before = offsetof(struct sockaddr_un, sun_path);
    if (family->family != AF_UNIX) {
        add(made, host_of(address), family->host_length);
        return;
    }
    if (address->length > before)
        memcpy(path, name->sun_path, address->length - before);
    add(made, path, sizeof path);
}

void pp_begin(const struct pp_header *header, struct pp_made *made)
{
    struct pp_header copy = *header;
    const struct family *family = family_of(header);
    uint8_t rest[4] = {header->is_local ? 0x20 : 0x21};
    if (family != NULL)
        rest[1] = (uint8_t)(family->number << 4 | (header->is_packets ? 2 : 1));
    made->length = 0;
    add(made, signature, sizeof signature);
    add(made, rest, sizeof rest);
    if (family == NULL)
        return;
    add_host(made, family, &copy.source);
    add_host(made, family, &copy.destination);
    if (family->family != AF_UNIX) {
        add(made, port_of(&copy.source), sizeof(in_port_t));
        add(made, port_of(&copy.destination), sizeof(in_port_t));
    }
}

bool pp_finish(struct pp_made *made, bool has_checksum)
{
    static const uint8_t zeros[CHECKSUM_LENGTH];
    if (has_checksum && !pp_add(made, PP_CRC32C, zeros, sizeof zeros))
        return false;
    write_16(made->data + 14, (unsigned)(made->length - START));
    if (has_checksum) {
        uint8_t *own = made->data + made->length - CHECKSUM_LENGTH;
        uint32_t sum = checksum(made->data, made->length, own);
        write_16(own, sum >> 16);
        write_16(own + 2, sum & 0xffff);
    }
    return true;
}
