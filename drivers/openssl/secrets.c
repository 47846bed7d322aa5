/* Passphrases and shared keys. They come from files and the environment, because everybody can see
 * a command line. */

#define _GNU_SOURCE
#include "tls.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* No file with secrets is longer. */
#define SECRETS_MAX 65536

void tls_free_secret(char *text)
{
    if (text != NULL)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
}

/* The text of a file, to be freed with tls_free_secret(); NULL after reporting. */
static char *read_lines(struct modcat_opening *opening, const char *path)
{
    size_t length;
    char *text = modcat_read_file(opening, "psk-file", path, SECRETS_MAX, &length);
    if (text == NULL || memchr(text, '\0', length) == NULL)
        return text;
    OPENSSL_cleanse(text, length);
    free(text);
    errno = EINVAL;
    modcat_fail(opening, "psk-file \"%s\" holds a zero byte", path);
    return NULL;
}

static char *read_environment(const struct modcat_opening *opening, const char *name)
{
    const char *text = modcat_secret_from_environment(name);
    if (text != NULL)
        return strdup(text);
    errno = EINVAL;
    modcat_fail(opening, "environment variable \"%s\" is not set", name);
    return NULL;
}

typedef char *read_fn(struct modcat_opening *opening, const char *path);

/* The secret that one of two options names. Returns 0 with *text NULL where none is given. */
static int read_secret(struct modcat_opening *opening, const char *file_option,
                       const char *environment_option, read_fn *read_file, char **text)
{
    const char *path = modcat_option_string(opening, file_option, NULL);
    const char *name = modcat_option_string(opening, environment_option, NULL);
    *text = NULL;
    if (path != NULL && name != NULL) {
        errno = EINVAL;
        return modcat_fail(opening, "only one of options %s and %s allowed", file_option,
                           environment_option);
    }
    if (path == NULL && name == NULL)
        return 0;
    *text = path != NULL ? read_file(opening, path) : read_environment(opening, name);
    return *text != NULL ? 0 : -1;
}

int tls_load_passphrase(struct modcat_opening *opening, struct tls_context *context)
{
    return read_secret(opening, "openssl-passphrase-file", "openssl-passphrase-env",
                       modcat_read_secret, &context->passphrase);
}

void tls_free_psk(struct tls_psk *psk)
{
    while (psk != NULL) {
        struct tls_psk *next = psk->next;
        OPENSSL_cleanse(psk->key, sizeof psk->key);
        free(psk->identity);
        free(psk);
        psk = next;
    }
}

/* Takes "identity:key"; the key has hexadecimal digits. Returns what is wrong, or NULL. */
static const char *parse_psk(char *line, struct tls_psk *psk)
{
    char *colon = strrchr(line, ':');
    if (colon == NULL || colon == line)
        return "it is not identity:key";
    if (colon - line > PSK_MAX_IDENTITY_LEN)
        return "the identity is too long";
    *colon = '\0';
    if (!OPENSSL_hexstr2buf_ex(psk->key, sizeof psk->key, &psk->length, colon + 1, '\0') ||
        psk->length == 0)
        return "the key is not an even number of hexadecimal digits, or too long";
    psk->identity = strdup(line);
    return psk->identity != NULL ? NULL : strerror(ENOMEM);
}

static int add_psk(struct modcat_opening *opening, struct tls_psk ***end, char *line,
                   unsigned number)
{
    struct tls_psk *psk = calloc(1, sizeof *psk);
    const char *fault = psk != NULL ? parse_psk(line, psk) : strerror(ENOMEM);
    if (fault != NULL) {
        tls_free_psk(psk);
        errno = EINVAL;
        return modcat_fail(opening, "line %u of the shared keys: %s", number, fault);
    }
    **end = psk;
    *end = &psk->next;
    return 0;
}

static int parse_psks(struct modcat_opening *opening, struct tls_context *context, char *text)
{
    struct tls_psk **end = &context->psk;
    unsigned number = 1;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL; number++) {
        line[strcspn(line, "\r")] = '\0';
        if (line[0] != '\0' && line[0] != '#' && add_psk(opening, &end, line, number) < 0)
            return -1;
    }
    if (context->psk != NULL)
        return 0;
    errno = EINVAL;
    return modcat_fail(opening, "no shared key given: write lines identity:key");
}

/* A client uses the first key, unless it is told another one's identity. */
static int choose_psk(struct modcat_opening *opening, struct tls_context *context)
{
    const char *identity = modcat_option_string(opening, "openssl-psk-identity", NULL);
    if (identity == NULL)
        return 0;
    for (struct tls_psk **at = &context->psk; *at != NULL; at = &(*at)->next) {
        struct tls_psk *found = *at;
        if (strcmp(found->identity, identity) != 0)
            continue;
        *at = found->next;
        found->next = context->psk;
        context->psk = found;
        return 0;
    }
    errno = EINVAL;
    return modcat_fail(opening, "psk-identity: no shared key for \"%s\"", identity);
}

int tls_load_psk(struct modcat_opening *opening, struct tls_context *context)
{
    char *text;
    if (read_secret(opening, "openssl-psk-file", "openssl-psk-env", read_lines, &text) < 0)
        return -1;
    if (text != NULL) {
        size_t length = strlen(text);
        int result = parse_psks(opening, context, text);
        OPENSSL_cleanse(text, length);
        free(text);
        if (result < 0)
            return -1;
    }
    return choose_psk(opening, context);
}
