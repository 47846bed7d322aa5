#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "drivers/proxy/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void asks(struct proxy_request request, const char *expected)
{
    char *made = proxy_request_text(&request);
    assert_string_equal(made, expected);
    free(made);
}

static void asks_in_the_words_of_http_1_0(void **state)
{
    (void)state;
    asks((struct proxy_request){.host = "www.example.org", .port = "80", .version = "1.0"},
         "CONNECT www.example.org:80 HTTP/1.0\r\n\r\n");
}

static void names_the_host_in_http_1_1(void **state)
{
    (void)state;
    asks((struct proxy_request){.host = "[::1]", .port = "443", .version = "1.1"},
         "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n");
}

/* The texts of RFC 7617 section 2 and RFC 4648 section 10. */
static void encodes_user_and_password(void **state)
{
    static const struct {
        const char *login;
        const char *code;
    } codes[] = {
        {"Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfd", "//79"},
        {">>>???", "Pj4+Pz8/"},
    };
    char expected[200];
    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        snprintf(expected, sizeof expected,
                 "CONNECT h:1 HTTP/1.0\r\nProxy-authorization: Basic %s\r\n\r\n", codes[i].code);
        asks(
            (struct proxy_request){
                .host = "h", .port = "1", .version = "1.0", .login = codes[i].login},
            expected);
    }
}

/* An answer, what comes out of it, and which of its bytes are not the proxy's any more. */
static const struct example {
    const char *text;
    enum proxy_verdict verdict;
    const char *detail; /* `why`, or the rest where it is granted */
    bool bare_ends;
} examples[] = {
    {"HTTP/1.0 200 OK\r\n\r\n", PROXY_GRANTED, "", false},
    {"HTTP/1.1 200 OK\r\n\r\nhello", PROXY_GRANTED, "hello", false},
    {"HTTP/1.1 200 OK\r\n\r\n\r\n\r\n", PROXY_GRANTED, "\r\n\r\n", false},
    {"HTTP/1.1 200\r\n\r\n", PROXY_GRANTED, "", false},
    {"HTTP/1.1   200 \r\n\r\n", PROXY_GRANTED, "", false},
    {"HTTP/1.1 204 fine\r\nContent-Length: 5\r\n\r\nhello", PROXY_GRANTED, "hello", false},
    {"HTTP/1.1 200 OK\r\nA: \r b\r\nC: d\r\r\n\r\nx", PROXY_GRANTED, "x", false},
    {"HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx", PROXY_GRANTED, "x", false},
    {"HTTP/1.0 200 OK\n\nx", PROXY_GRANTED, "x", true},
    {"HTTP/1.0 200 OK\r\nA: b\n\r\nx", PROXY_GRANTED, "x", true},
    {"HTTP/1.1 407 Proxy Authentication Required\r\n", PROXY_REFUSED,
     "Proxy Authentication Required (status 407)", false},
    {"HTTP/1.1 503\r\n", PROXY_REFUSED, "status 503", false},
    {"HTTP/1.1 301 Moved\n", PROXY_REFUSED, "Moved (status 301)", true},
    {"HTTP/1.1 101 Switching\r\n", PROXY_REFUSED, "Switching (status 101)", false},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oh\r\n", PROXY_REFUSED, "Oh (status 500)", false},
    {"HTTP/1.0 200 OK\n", PROXY_BROKEN,
     "proxy: a line of the answer ends without carriage return; option ignorecr permits that",
     false},
    {"HTTP/1.1 2000 OK\r\n", PROXY_BROKEN, "proxy: invalid answer \"HTTP/1.1 2000 OK\"", false},
    {"HTTP/1.1 20 OK\r\n", PROXY_BROKEN, "proxy: invalid answer \"HTTP/1.1 20 OK\"", false},
    {"HTTP/1.1 200OK\r\n", PROXY_BROKEN, "proxy: invalid answer \"HTTP/1.1 200OK\"", false},
    {"HTTP/1.1 099 x\r\n", PROXY_BROKEN, "proxy: invalid answer \"HTTP/1.1 099 x\"", false},
    {"HTTP/1.1\r\n", PROXY_BROKEN, "proxy: invalid answer \"HTTP/1.1\"", false},
    {"HTTP/1.\r\n", PROXY_BROKEN, "proxy: invalid answer \"HTTP/1.\"", false},
    {"HTTP/1.x 200 OK\r\n", PROXY_BROKEN, "proxy: invalid answer \"HTTP/1.x 200 OK\"", false},
    {"\r\n", PROXY_BROKEN, NULL, false},
    {"HTTP/2.0 200 OK\r\n", PROXY_BROKEN, NULL, false},
    {"SSH-2.0-x\r\n", PROXY_BROKEN, NULL, false},
    {"\x15\x03", PROXY_BROKEN, NULL, false},
};

/* Hands the text over in two parts, the second in pieces. */
static void check_split(const struct example *example, size_t cut, size_t piece)
{
    struct proxy_answer answer = {.bare_ends = example->bare_ends};
    size_t length = strlen(example->text), position = 0, used;
    enum proxy_verdict verdict = PROXY_MORE;
    while (verdict == PROXY_MORE && position < length) {
        size_t rest = position < cut ? cut - position : length - position;
        verdict = proxy_answer_take(&answer, example->text + position,
                                    position >= cut && rest > piece ? piece : rest, &used);
        position += used;
    }
    assert_int_equal(verdict, example->verdict);
    if (verdict == PROXY_GRANTED)
        assert_string_equal(example->text + position, example->detail);
    else if (example->detail != NULL)
        assert_string_equal(answer.why, example->detail);
}

static void reads_answers_however_they_are_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++)
        for (size_t cut = 0; cut <= strlen(examples[i].text); cut++) {
            check_split(&examples[i], cut, 1);
            check_split(&examples[i], cut, 4096);
        }
}

static void shows_what_else_came_instead_of_an_answer(void **state)
{
    struct proxy_answer answer = {0};
    size_t used;
    (void)state;
    assert_int_equal(proxy_answer_take(&answer, "SSH-2.0-x\r\nmore", 15, &used), PROXY_BROKEN);
    assert_string_equal(answer.why, "proxy: invalid answer \"SSH-2.0-x\"");
}

static enum proxy_verdict take_text(struct proxy_answer *answer, const char *text)
{
    size_t used;
    return proxy_answer_take(answer, text, strlen(text), &used);
}

static void refuses_a_first_line_without_end(void **state)
{
    struct proxy_answer answer = {0};
    enum proxy_verdict verdict = take_text(&answer, "HTTP/1.1 200 ");
    (void)state;
    for (int i = 0; verdict == PROXY_MORE && i < PROXY_LINE_MAX; i++)
        verdict = take_text(&answer, "x");
    assert_int_equal(verdict, PROXY_BROKEN);
    assert_string_equal(answer.why, "proxy answer exceeds 2048 bytes, aborting");
}

static void check_headers(const char *header)
{
    struct proxy_answer answer = {0};
    enum proxy_verdict verdict = take_text(&answer, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; verdict == PROXY_MORE && i < PROXY_ANSWER_MAX; i++)
        verdict = take_text(&answer, header);
    assert_int_equal(verdict, PROXY_BROKEN);
    assert_string_equal(answer.why, "proxy answer exceeds 65536 bytes, aborting");
}

static void refuses_headers_without_end(void **state)
{
    (void)state;
    check_headers("a");
    check_headers("A: b\r\n");
    check_headers("\r");
}

static void takes_an_answer_of_the_greatest_length(void **state)
{
    struct proxy_answer answer = {0};
    enum proxy_verdict verdict = take_text(&answer, "HTTP/1.1 200 OK\r\n");
    (void)state;
    while (verdict == PROXY_MORE && answer.total < PROXY_ANSWER_MAX - 4)
        verdict = take_text(&answer, "a");
    assert_int_equal(take_text(&answer, "\r\n\r\n"), PROXY_GRANTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_in_the_words_of_http_1_0),
        cmocka_unit_test(names_the_host_in_http_1_1),
        cmocka_unit_test(encodes_user_and_password),
        cmocka_unit_test(reads_answers_however_they_are_split),
        cmocka_unit_test(shows_what_else_came_instead_of_an_answer),
        cmocka_unit_test(refuses_a_first_line_without_end),
        cmocka_unit_test(refuses_headers_without_end),
        cmocka_unit_test(takes_an_answer_of_the_greatest_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
