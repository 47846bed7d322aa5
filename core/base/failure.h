/* failure.h: a failed call in one form: what could not be done, why, and the call behind it.
 *
 *     cannot connect to localhost:80: Connection refused [connect(5, AF=2 127.0.0.1:80, 16)]
 *
 * Called socat, the program keeps the form that scripts look for:
 *
 *     connect(5, AF=2 127.0.0.1:80, 16): Connection refused */

#ifndef CORE_BASE_FAILURE_H
#define CORE_BASE_FAILURE_H

#include <modcat/driver.h>
#include <stdarg.h>
#include <stdbool.h>

/* Chooses socat's form. */
void failure_put_calls_first(bool on);
bool failure_calls_come_first(void);

/* What failed, without the call. */
struct failure {
    const char *verb, *object, *reason;
};

/* Returns the text, to be freed. */
char *failure_text(const struct failure *failure, const char *call, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* As modcat_fail_call(). */
int failure_fail(const struct modcat_opening *opening, const char *verb, const char *object,
                 const char *reason, const char *call, va_list arguments)
    __attribute__((format(printf, 5, 0)));

/* Logs "cannot VERB OBJECT: REASON [CALL]". `object` may be NULL; a `reason` of NULL stands for
 * errno, which is kept. modcat_fail_call() does the same for an opening. */
void log_failure(enum modcat_level level, const char *verb, const char *object, const char *reason,
                 const char *call, ...) __attribute__((format(printf, 5, 6)));

#endif
