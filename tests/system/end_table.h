/* end_table.h: the table in ends.rows, which says what happens to a program when its session
 * ends. */

#ifndef TESTS_SYSTEM_END_TABLE_H
#define TESTS_SYSTEM_END_TABLE_H

#include "tests/system/harness.h"

/* The first ones say when a row holds, each with "any" or with one word or several; the others,
 * what happens then. */
enum end_column {
    END_HOW,
    END_TYPE,
    END_CONNECTED,
    END_DIRECTION,
    END_PROGRAM,
    END_CHILDREN,
    END_WAITED_FOR,
    END_SAID,
    END_STATUS,
};
#define END_CONDITIONS 4
#define END_COLUMNS 9

/* In a column of what happens: it does not. */
#define END_NOTHING "nothing"

struct end_table {
    const char *(*rows)[END_COLUMNS];
    size_t count;
};

struct end_table end_table_read(struct harness *harness);

/* The number of the only row that holds for these conditions; the test fails where there is none,
 * or more than one. */
size_t end_table_find(struct harness *harness, const struct end_table *table,
                      const char *const conditions[END_CONDITIONS]);

/* True when a word is in a list whose words have ", " between them. */
bool end_list_has(const char *list, const char *word);

/* Fails the test unless a program that has ended has logged the messages of column END_SAID, and no
 * other errors and warnings. */
void end_said(struct harness *harness, struct program *program, const char *said);

#endif
