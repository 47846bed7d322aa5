#define _GNU_SOURCE
#include "core/relay/dump.h"

#include "core/base/log.h"
#include "core/base/output_file.h"
#include "core/relay/dumpname.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW 16 /* bytes in a row of -v with -x */

/* Text on its way to standard error: collected, so that it takes few writes. */
struct page {
    const struct dump *dump;
    size_t length;
    char bytes[16384];
};

/* Where standard error takes nothing, there is nobody to tell. */
static void put_page(struct page *page)
{
    (void)screen_write(&page->dump->screen, page->bytes, page->length);
    page->length = 0;
}

static void put(struct page *page, const char *piece, size_t length)
{
    if (page->length + length > sizeof page->bytes)
        put_page(page);
    memcpy(page->bytes + page->length, piece, length);
    page->length += length;
}

static void put_header(struct page *page, size_t length)
{
    char date[32] = "", header[160];
    unsigned long long from = page->dump->offset;
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &parts) != NULL)
        (void)strftime(date, sizeof date, "%Y/%m/%d %H:%M:%S", &parts);
    int made = snprintf(header, sizeof header, "%c %s.%09ld  length=%zu from=%llu to=%llu\n",
                        page->dump->mark, date, now.tv_nsec, length, from, from + length - 1);
    put(page, header, (size_t)made);
}

static bool printable(unsigned char byte)
{
    return byte >= ' ' && byte < 0x7f;
}

static void put_as_text(struct page *page, unsigned char byte)
{
    static const char controls[] = "\a\b\v\f\r\\", letters[] = "abvfr\\";
    const char *control = byte != '\0' ? strchr(controls, byte) : NULL;
    if (control != NULL)
        put(page, (const char[]){'\\', letters[control - controls]}, 2);
    else
        put(page, printable(byte) || byte == '\t' || byte == '\n' ? (const char *)&byte : ".", 1);
}

static void put_text(struct page *page, const unsigned char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        put_as_text(page, data[i]);
}

static void put_as_hex(struct page *page, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    put(page, (const char[]){' ', digits[byte >> 4], digits[byte & 15]}, 3);
}

static void put_hex(struct page *page, const unsigned char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        put_as_hex(page, data[i]);
    put(page, "\n", 1);
}

/* A row ends with a line of the data. */
static size_t row_length(const unsigned char *data, size_t length)
{
    size_t most = length < ROW ? length : ROW;
    const unsigned char *newline = memchr(data, '\n', most);
    return newline != NULL ? (size_t)(newline - data) + 1 : most;
}

static void put_row(struct page *page, const unsigned char *data, size_t length)
{
    for (size_t i = 0; i < ROW; i++)
        if (i < length)
            put_as_hex(page, data[i]);
        else
            put(page, "   ", 3);
    put(page, "  ", 2);
    for (size_t i = 0; i < length; i++)
        put(page, printable(data[i]) ? (const char *)&data[i] : ".", 1);
    put(page, "\n", 1);
}

static void put_rows(struct page *page, const unsigned char *data, size_t length)
{
    while (length > 0) {
        size_t row = row_length(data, length);
        put_row(page, data, row);
        data += row;
        length -= row;
    }
    put(page, "--\n", 3);
}

static void show(const struct dump *dump, const unsigned char *data, size_t length)
{
    struct page page;
    page.dump = dump;
    page.length = 0;
    put_header(&page, length);
    if (dump->text && dump->hex)
        put_rows(&page, data, length);
    else if (dump->hex)
        put_hex(&page, data, length);
    else
        put_text(&page, data, length);
    put_page(&page);
}

static void look(struct flow_observer *observer, const unsigned char *data, size_t length)
{
    struct dump *dump = (struct dump *)observer;
    if (dump->text || dump->hex)
        show(dump, data, length);
    if (dump->file.fd >= 0 && screen_write(&dump->file, data, length) < 0)
        log_warning("option %s: write(%d, \"%s\", %zu): %s", dump->option, dump->file.fd,
                    dump->path, length, strerror(errno));
    dump->offset += length;
}

static int open_file(struct dump *dump, const char *pattern, const struct timespec *now)
{
    if (pattern == NULL)
        return 0;
    dump->path = dumpname_expand(pattern, now);
    dump->file.fd = output_file_open(dump->path, 0664);
    if (dump->file.fd >= 0)
        return 0;
    log_error("option %s \"%s\": %s", dump->option, dump->path, strerror(errno));
    return -1;
}

static void open_screens(struct dump dumps[2], struct session *session)
{
    screen_open(&dumps[0].screen, session);
    dumps[1].screen = dumps[0].screen;
}

int dumps_open(struct session *session, struct dump dumps[2])
{
    const struct settings *settings = session->settings;
    struct timespec now;
    for (int i = 0; i < 2; i++)
        dumps[i] = (struct dump){
            .observer = {.look = look},
            .mark = i == 0 ? '>' : '<',
            .text = settings->dump_text,
            .hex = settings->dump_hex,
            .screen = {.session = session, .fd = STDERR_FILENO},
            .option = i == 0 ? "-r" : "-R",
            .file = {.session = session, .fd = -1},
        };
    if (settings->dump_text || settings->dump_hex)
        open_screens(dumps, session);
    clock_gettime(CLOCK_REALTIME, &now);
    if (open_file(&dumps[0], settings->dump_left, &now) == 0 &&
        open_file(&dumps[1], settings->dump_right, &now) == 0)
        return 0;
    dumps_close(dumps);
    return -1;
}

struct flow_observer *dump_observer(struct dump *dump)
{
    return dump->text || dump->hex || dump->file.fd >= 0 ? &dump->observer : NULL;
}

void dumps_close(struct dump dumps[2])
{
    screen_close(&dumps[0].screen);
    for (int i = 0; i < 2; i++) {
        if (dumps[i].file.fd >= 0)
            close(dumps[i].file.fd);
        free(dumps[i].path);
    }
}
