#define _GNU_SOURCE
#include "core/relay/dump.h"

#include "core/base/log.h"
#include "core/relay/dumpname.h"
#include "core/relay/patient.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

/* Waits until a descriptor can be written. Returns false when the program is asked to end. */
static bool await_room(const struct dump *dump, int fd)
{
    struct wait_entry entry = {.fd = fd, .events = POLLOUT};
    int ready;
    do
        ready = session_wait(dump->session, &entry, 1, MODCAT_FOREVER);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* `blocks`: as of patient_needed(). Returns 0, or -1 with errno. */
static int write_all(const struct dump *dump, int fd, bool blocks, const void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        const char *rest = (const char *)data + done;
        if (blocks && !await_room(dump, fd))
            return 0;
        ssize_t count =
            blocks ? patient_write(fd, rest, length - done) : write(fd, rest, length - done);
        if (count >= 0)
            done += (size_t)count;
        else if (errno == EAGAIN && !blocks && !await_room(dump, fd))
            return 0;
        else if (errno != EAGAIN && errno != EINTR)
            return -1;
    }
    return 0;
}

/* Where standard error takes nothing, there is nobody to tell. */
static void put_page(struct page *page)
{
    (void)write_all(page->dump, page->dump->screen, page->dump->screen_blocks, page->bytes,
                    page->length);
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
    if (dump->fd >= 0 && write_all(dump, dump->fd, false, data, length) < 0)
        log_warning("option %s: write(%d, \"%s\", %zu): %s", dump->option, dump->fd, dump->path,
                    length, strerror(errno));
    dump->offset += length;
}

static int open_file(struct dump *dump, const char *pattern, const struct timespec *now)
{
    if (pattern == NULL)
        return 0;
    dump->path = dumpname_expand(pattern, now);
    dump->fd =
        open(dump->path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0664);
    if (dump->fd >= 0)
        return 0;
    log_error("option %s \"%s\": %s", dump->option, dump->path, strerror(errno));
    return -1;
}

/* A terminal that polls as writable may have room for a few bytes only. One that is opened anew
 * can be switched to non-blocking without surprising those who share standard error. */
static void open_screen(struct dump dumps[2])
{
    const struct modcat_endpoint shared = {.flags = MODCAT_INHERITED};
    int own = isatty(STDERR_FILENO)
                  ? open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                  : -1;
    for (int i = 0; i < 2; i++) {
        dumps[i].screen = own >= 0 ? own : STDERR_FILENO;
        dumps[i].screen_blocks = own < 0 && patient_needed(&shared, STDERR_FILENO);
    }
}

int dumps_open(struct session *session, struct dump dumps[2])
{
    const struct settings *settings = session->settings;
    struct timespec now;
    for (int i = 0; i < 2; i++)
        dumps[i] = (struct dump){
            .observer = {.look = look},
            .session = session,
            .mark = i == 0 ? '>' : '<',
            .text = settings->dump_text,
            .hex = settings->dump_hex,
            .screen = STDERR_FILENO,
            .option = i == 0 ? "-r" : "-R",
            .fd = -1,
        };
    if (settings->dump_text || settings->dump_hex)
        open_screen(dumps);
    clock_gettime(CLOCK_REALTIME, &now);
    if (open_file(&dumps[0], settings->dump_left, &now) < 0)
        return -1;
    return open_file(&dumps[1], settings->dump_right, &now);
}

struct flow_observer *dump_observer(struct dump *dump)
{
    return dump->text || dump->hex || dump->fd >= 0 ? &dump->observer : NULL;
}

void dumps_close(struct dump dumps[2])
{
    if (dumps[0].screen != STDERR_FILENO)
        close(dumps[0].screen);
    for (int i = 0; i < 2; i++) {
        if (dumps[i].fd >= 0)
            close(dumps[i].fd);
        free(dumps[i].path);
    }
}
