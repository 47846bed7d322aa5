#define _GNU_SOURCE
#include "digest.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 64

static uint32_t rotate(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

/* FIPS 180-4 section 4.1.1, and the constants of section 4.2.1. */
static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20)
        return ((b & c) | (~b & d)) + 0x5a827999;
    if (round < 40)
        return (b ^ c ^ d) + 0x6ed9eba1;
    if (round < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    return (b ^ c ^ d) + 0xca62c1d6;
}

static void take_block(uint32_t state[5], const uint8_t block[BLOCK])
{
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 80; i++)
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t next = rotate(a, 5) + mix(i, b, c, d) + e + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

/* The end of the data, a one, zeros and the length in bits, in one block or two. */
static void take_end(uint32_t state[5], const uint8_t *rest, size_t left, uint64_t length)
{
    uint8_t blocks[2 * BLOCK] = {0};
    size_t size = left + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
    memcpy(blocks, rest, left);
    blocks[left] = 0x80;
    for (size_t i = 0; i < 8; i++)
        blocks[size - 1 - i] = (uint8_t)(length * 8 >> 8 * i);
    for (size_t at = 0; at < size; at += BLOCK)
        take_block(state, blocks + at);
}

void digest_sha1(const void *data, size_t length, uint8_t digest[DIGEST_BYTES])
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *at = data;
    size_t left = length;
    for (; left >= BLOCK; at += BLOCK, left -= BLOCK)
        take_block(state, at);
    take_end(state, at, left, length);
    for (int i = 0; i < DIGEST_BYTES; i++)
        digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

void digest_base64(const uint8_t *bytes, size_t length, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        size_t count = length - i < 3 ? length - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= count > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= count > 2 ? bytes[i + 2] : 0;
        *text++ = digits[group >> 18];
        *text++ = digits[group >> 12 & 63];
        *text++ = count > 1 ? digits[group >> 6 & 63] : '=';
        *text++ = count > 2 ? digits[group & 63] : '=';
    }
    *text = '\0';
}

/* Of the last digit four bits belong to the 16th byte, and two are zero. */
bool digest_is_key(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return strlen(text) == WS_KEY_TEXT - 1 && strspn(text, digits) == WS_KEY_TEXT - 3 &&
           strchr("AQgw", text[WS_KEY_TEXT - 4]) != NULL &&
           strcmp(text + WS_KEY_TEXT - 3, "==") == 0;
}

void digest_accept(const char *key, char accept[WS_ACCEPT_TEXT])
{
    static const char constant[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[WS_KEY_TEXT + sizeof constant];
    uint8_t digest[DIGEST_BYTES];
    int length = snprintf(text, sizeof text, "%s%s", key, constant);
    digest_sha1(text, (size_t)length, digest);
    digest_base64(digest, sizeof digest, accept);
}
