#include "core/command/numbers.h"

#include "core/base/log.h"
#include "core/values/values.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Judges where the parsing of a number ended. Returns 0, or -1 after reporting. */
static int check_end(const char *option, const char *value, const char *end)
{
    if (end == value)
        log_error("option %s needs a number, and \"%s\" is not one", option, value);
    else if (*end != '\0')
        log_error("option %s: unexpected \"%s\" behind the number in \"%s\"", option, end, value);
    return end == value || *end != '\0' ? -1 : 0;
}

/* strtoul(3) takes a sign, and turns "-1" into the biggest number. */
static bool is_negative(const char *value)
{
    return value[strspn(value, " \t\n\v\f\r")] == '-';
}

int numbers_block(const char *value, size_t *bytes)
{
    char *end;
    int bits = 0;
    unsigned long number = strtoul(value, &end, 0);
    const char *behind = end != value ? values_suffix(end, &bits) : end;
    if (check_end("-b", value, behind) < 0)
        return -1;
    if (is_negative(value)) {
        log_error("buffer size option (-b) too small - %s (the range is 0 to %zu)", value,
                  NUMBERS_BLOCK_MAX);
        return -1;
    }
    if (number > NUMBERS_BLOCK_MAX >> bits) {
        log_error("buffer size option (-b) too big - %s (max is %zu)", value, NUMBERS_BLOCK_MAX);
        return -1;
    }
    number <<= bits;
    *bytes = number;
    return 0;
}

int numbers_mask(const char *value, unsigned long *mask)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(value, &end, 0);
    if (check_end("-S", value, end) < 0)
        return -1;
    if (errno == ERANGE) {
        log_error("option -S: \"%s\" has more bits than there are signals", value);
        return -1;
    }
    *mask = number;
    return 0;
}

static int parse_seconds(const char *option, const char *value, double *seconds)
{
    char *end;
    *seconds = strtod(value, &end);
    if (check_end(option, value, end) < 0)
        return -1;
    if (!isnan(*seconds))
        return 0;
    log_error("option %s: \"%s\" is not a time", option, value);
    return -1;
}

#define CENTURY (100 * 365.25 * 86400)

static long long to_time(double seconds)
{
    if (seconds >= CENTURY)
        return MODCAT_FOREVER;
    return (long long)(seconds * (double)MODCAT_SECOND + 0.5);
}

static int parse_positive_seconds(const char *option, const char *value, double *seconds)
{
    if (parse_seconds(option, value, seconds) < 0)
        return -1;
    if (*seconds >= 0)
        return 0;
    log_error("option %s: the time \"%s\" is negative", option, value);
    return -1;
}

int numbers_closing(const char *value, long long *closing)
{
    double seconds;
    if (parse_positive_seconds("-t", value, &seconds) < 0)
        return -1;
    *closing = to_time(seconds);
    return 0;
}

int numbers_drain(const char *value, long long *drain)
{
    double seconds;
    if (parse_positive_seconds("--drain", value, &seconds) < 0)
        return -1;
    *drain = (long long)((seconds < CENTURY ? seconds : CENTURY) * (double)MODCAT_SECOND);
    return 0;
}

int numbers_inactivity(const char *value, long long *inactivity)
{
    double seconds;
    if (parse_seconds("-T", value, &seconds) < 0)
        return -1;
    *inactivity = seconds < 0 ? MODCAT_FOREVER : to_time(seconds);
    return 0;
}
