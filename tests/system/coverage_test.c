/* No address type is left out of the tests that run every type. */

#define _GNU_SOURCE
#include "tests/system/datagrams.h"
#include "tests/system/types.h"

#include <string.h>

/* What carries neither a stream nor packets that would come out as they went in. */
static const struct {
    const char *type;
    const char *reason;
} exceptions[] = {
    {"BALANCE", "it is one of several others; see failover_test"},
    {"FAILOVER", "it is one of several others; see failover_test"},
    {"KEEP", "it stands on others; see keep_test"},
    {"PP", "it stands on others; see pp_test"},
    {"READLINE", "it takes lines that a user edits, with the keys' meanings; see readline_test"},
    {"POSIXMQ", "it is POSIXMQ-READ or POSIXMQ-SEND by its direction; see posixmq_test"},
    {"STALL", "nothing goes through it; see text_test"},
    {"TEXT", "what it gives stands in its address; see text_test"},
    {"WS", "its bytes are in frames, with a handshake before them; see ws_test"},
};

static bool names(struct harness *harness, const char *row, const char *wanted)
{
    for (const char *type; (type = types_next(harness, &row)) != NULL;)
        if (strcmp(type, wanted) == 0)
            return true;
    return false;
}

static bool is_exception(const char *type)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
        if (strcmp(exceptions[i].type, type) == 0)
            return true;
    return false;
}

static bool is_in_a_matrix(struct harness *harness, const char *type)
{
    for (size_t i = 0; i < stream_kind_count; i++)
        if (names(harness, stream_kinds[i].types, type))
            return true;
    for (size_t i = 0; i < datagram_kind_count; i++)
        if (names(harness, datagram_kinds[i].types, type))
            return true;
    return false;
}

static void every_type_is_in_a_matrix_or_an_exception(void **state)
{
    struct harness *harness = *state;
    for (const char *const *type = types_of_program(harness); *type != NULL; type++)
        if (is_in_a_matrix(harness, *type) == is_exception(*type))
            harness_fail(harness,
                         is_exception(*type) ? "%s is in a matrix, and no exception"
                                             : "no matrix has %s",
                         *type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(every_type_is_in_a_matrix_or_an_exception),
    };
    return cmocka_run_group_tests_name("coverage", tests, NULL, NULL);
}
