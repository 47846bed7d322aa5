/* digest.h: what proves that the other side has read the request: SHA-1 (FIPS 180-4) of the key and
 * a constant, in base64 (RFC 4648). Nothing secret depends on it. */

#ifndef DRIVERS_WS_DIGEST_H
#define DRIVERS_WS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 20

/* The length of base64 for so many bytes, with its NUL. */
#define BASE64_TEXT(bytes) (((bytes) + 2) / 3 * 4 + 1)

#define WS_KEY_BYTES 16
#define WS_KEY_TEXT BASE64_TEXT(WS_KEY_BYTES)
#define WS_ACCEPT_TEXT BASE64_TEXT(DIGEST_BYTES)

void digest_sha1(const void *data, size_t length, uint8_t digest[DIGEST_BYTES]);
void digest_base64(const uint8_t *bytes, size_t length, char *text);

/* True for 16 bytes in base64, as a key has to be: RFC 6455 section 4.1. */
bool digest_is_key(const char *text);

/* The answer to a key, RFC 6455 section 4.2.2. */
void digest_accept(const char *key, char accept[WS_ACCEPT_TEXT]);

#endif
