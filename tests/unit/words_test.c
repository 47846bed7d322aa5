#include "core/base/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void compares_words_without_case(void **state)
{
    (void)state;
    assert_true(words_equal("tcp-Connect", "TCP-CONNECT"));
    assert_true(words_equal("", ""));
    assert_false(words_equal("tcp", "tcp4"));
}

static void walks_through_a_list(void **state)
{
    (void)state;
    const char *cursor = "FD,,APPL,";
    const char *word;
    size_t length;
    assert_true(words_next(&cursor, &word, &length));
    assert_int_equal(length, 2);
    assert_memory_equal(word, "FD", 2);
    assert_true(words_next(&cursor, &word, &length));
    assert_int_equal(length, 4);
    assert_memory_equal(word, "APPL", 4);
    assert_false(words_next(&cursor, &word, &length));
    assert_false(words_next(&cursor, &word, &length));
}

static void finds_nothing_in_an_absent_list(void **state)
{
    (void)state;
    const char *cursor = NULL;
    const char *word;
    size_t length;
    assert_false(words_next(&cursor, &word, &length));
    assert_false(words_list_has(NULL, "FD"));
    assert_false(words_lists_meet(NULL, "FD"));
    assert_false(words_lists_meet("FD", NULL));
}

static void finds_whole_words_in_a_list_only(void **state)
{
    (void)state;
    assert_true(words_list_has("FD,APPL", "appl"));
    assert_true(words_list_has("FD", "FD"));
    assert_false(words_list_has("FD,APPL", "APP"));
    assert_false(words_list_has("FD,APPL", "FD,APPL"));
    assert_false(words_list_has("FD,,APPL", ""));
}

static void tells_whether_lists_meet(void **state)
{
    (void)state;
    assert_true(words_lists_meet("FD,SOCKET,TCP", "open,tcp"));
    assert_false(words_lists_meet("FD,SOCKET", "TCP,SOCK"));
    assert_false(words_lists_meet("", ""));
}

static void counts_edits(void **state)
{
    (void)state;
    static const struct {
        const char *left, *right;
        unsigned distance;
    } table[] = {
        {"", "", 0},
        {"tcp", "TCP", 0},
        {"", "tcp", 3},
        {"tcp", "", 3},
        {"tcp", "tpc", 1},
        {"tcp", "tcp4", 1},
        {"tcp", "udp", 2},
        {"reuseadr", "reuseaddr", 1},
        {"frok", "fork", 1},
        {"fokr", "fork", 1},
        {"ca", "abc", 3},
        {"kitten", "sitting", 3},
        {"listen", "silent", 4},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(words_distance(table[i].left, table[i].right, 10), table[i].distance);
        assert_int_equal(words_distance(table[i].right, table[i].left, 10), table[i].distance);
    }
}

static void stops_counting_at_the_limit(void **state)
{
    (void)state;
    assert_int_equal(words_distance("kitten", "sitting", 3), 3);
    assert_int_equal(words_distance("kitten", "sitting", 2), 2);
    assert_int_equal(words_distance("kitten", "sitting", 0), 0);
}

static void takes_long_words_for_far(void **state)
{
    (void)state;
    char word[66];
    memset(word, 'a', sizeof word - 1);
    word[65] = '\0';
    assert_int_equal(words_distance(word, word, 7), 7);
    word[64] = '\0';
    assert_int_equal(words_distance(word, word, 7), 0);
}

static const char *nearest_of(const char *wanted, const char *const *candidates)
{
    struct words_nearest nearest = {.wanted = wanted};
    for (; *candidates != NULL; candidates++)
        words_consider(&nearest, *candidates);
    return nearest.best;
}

static void keeps_the_nearest_word(void **state)
{
    (void)state;
    const char *const words[] = {"reuseport", "reuseaddr", "retry", NULL};
    assert_string_equal(nearest_of("reuseadr", words), "reuseaddr");
    assert_string_equal(nearest_of("retyr", words), "retry");
}

static void keeps_the_first_of_words_that_are_equally_near(void **state)
{
    (void)state;
    const char *const words[] = {"tcp4", "tcp6", NULL};
    assert_string_equal(nearest_of("tcp5", words), "tcp4");
}

static void finds_nothing_near_when_all_is_far(void **state)
{
    (void)state;
    const char *const words[] = {"OPEN", "EXEC", NULL};
    assert_null(nearest_of("TCP-LISTEN", words));
    assert_null(nearest_of("OX", words));
}

static void allows_one_edit_in_a_short_word_and_a_third_in_a_longer_one(void **state)
{
    (void)state;
    const char *const words[] = {"fd", "listen", NULL};
    assert_string_equal(nearest_of("fx", words), "fd");
    assert_null(nearest_of("xx", words));
    assert_string_equal(nearest_of("lixxen", words), "listen");
    assert_null(nearest_of("lixxxn", words));
}

static void does_not_suggest_the_word_itself(void **state)
{
    (void)state;
    const char *const words[] = {"TCP", "tcp4", NULL};
    assert_string_equal(nearest_of("tcp", words), "tcp4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_words_without_case),
        cmocka_unit_test(walks_through_a_list),
        cmocka_unit_test(finds_nothing_in_an_absent_list),
        cmocka_unit_test(finds_whole_words_in_a_list_only),
        cmocka_unit_test(tells_whether_lists_meet),
        cmocka_unit_test(counts_edits),
        cmocka_unit_test(stops_counting_at_the_limit),
        cmocka_unit_test(takes_long_words_for_far),
        cmocka_unit_test(keeps_the_nearest_word),
        cmocka_unit_test(keeps_the_first_of_words_that_are_equally_near),
        cmocka_unit_test(finds_nothing_near_when_all_is_far),
        cmocka_unit_test(allows_one_edit_in_a_short_word_and_a_third_in_a_longer_one),
        cmocka_unit_test(does_not_suggest_the_word_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
