#define _GNU_SOURCE
#include "core/options/effects.h"

#include "core/base/failure.h"
#include "core/base/hint.h"
#include "core/values/values.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>

/* The arguments of one call: `data` points to one of the members behind it, or to the value's. */
struct sockopt {
    int level, name;
    const void *data;
    size_t length;
    union {
        unsigned char byte;
        int number;
        long long wide;
        struct timeval timeval;
        struct timespec timespec;
        struct linger linger;
    } room;
    char shown[80];
};

static int use_integer(struct sockopt *call, long long number)
{
    call->room.number = (int)number;
    call->data = &call->room.number;
    call->length = sizeof call->room.number;
    snprintf(call->shown, sizeof call->shown, "%d", call->room.number);
    return 0;
}

static int use_byte(struct sockopt *call, long long number)
{
    call->room.byte = (unsigned char)number;
    call->data = &call->room.byte;
    call->length = sizeof call->room.byte;
    snprintf(call->shown, sizeof call->shown, "%d", call->room.byte);
    return 0;
}

static int use_wide(struct sockopt *call, long long number)
{
    call->room.wide = number;
    call->data = &call->room.wide;
    call->length = sizeof call->room.wide;
    snprintf(call->shown, sizeof call->shown, "%lld", number);
    return 0;
}

/* Rounds up: 0 would mean no limit at all. */
static int use_timeval(struct sockopt *call, long long time)
{
    long long microseconds = (time + 999) / 1000;
    call->room.timeval.tv_sec = microseconds / 1000000;
    call->room.timeval.tv_usec = microseconds % 1000000;
    call->data = &call->room.timeval;
    call->length = sizeof call->room.timeval;
    snprintf(call->shown, sizeof call->shown, "%lld,%lld", microseconds / 1000000,
             microseconds % 1000000);
    return 0;
}

static int use_timespec(struct sockopt *call, long long time)
{
    call->room.timespec.tv_sec = time / MODCAT_SECOND;
    call->room.timespec.tv_nsec = (long)(time % MODCAT_SECOND);
    call->data = &call->room.timespec;
    call->length = sizeof call->room.timespec;
    snprintf(call->shown, sizeof call->shown, "%lld,%lld", time / MODCAT_SECOND,
             time % MODCAT_SECOND);
    return 0;
}

static int use_linger(struct sockopt *call, long long seconds)
{
    call->room.linger = (struct linger){.l_onoff = 1, .l_linger = (int)seconds};
    call->data = &call->room.linger;
    call->length = sizeof call->room.linger;
    snprintf(call->shown, sizeof call->shown, "1,%lld", seconds);
    return 0;
}

static int use_text(struct sockopt *call, const struct modcat_value *value)
{
    call->data = value->string;
    call->length = value->length + 1;
    snprintf(call->shown, sizeof call->shown, "\"%.70s\"", value->string);
    return 0;
}

static int use_data(struct sockopt *call, const struct modcat_value *value)
{
    call->data = value->data;
    call->length = value->length;
    snprintf(call->shown, sizeof call->shown, "...");
    return 0;
}

/* Level and name come from the value itself. */
static void use_tuple_names(struct sockopt *call, const struct modcat_value *value)
{
    call->level = (int)value->number;
    call->name = (int)value->second;
}

/* Returns 0, or -1 where no socket option takes values of this type. */
static int prepare_sockopt(struct sockopt *call, enum modcat_value_type type,
                           const struct modcat_value *value)
{
    switch (type) {
    case MODCAT_CONST:
        return use_integer(call, 1);
    case MODCAT_BOOL:
    case MODCAT_INT:
    case MODCAT_INT_SIZE:
    case MODCAT_INT_BOOL:
    case MODCAT_INT_OR_NONE:
    case MODCAT_UINT:
    case MODCAT_USHORT:
        return use_integer(call, value->number);
    case MODCAT_BYTE:
        return use_byte(call, value->number);
    case MODCAT_LONG:
    case MODCAT_SIZE:
    case MODCAT_OFFSET:
        return use_wide(call, value->number);
    case MODCAT_TIMEVAL:
        return use_timeval(call, value->time);
    case MODCAT_TIMESPEC:
        return use_timespec(call, value->time);
    case MODCAT_LINGER:
        return use_linger(call, value->number);
    case MODCAT_STRING:
    case MODCAT_STRING_OR_NONE:
        return use_text(call, value);
    case MODCAT_DATA:
        return use_data(call, value);
    case MODCAT_INT_INT_INT:
        use_tuple_names(call, value);
        return use_integer(call, value->third);
    case MODCAT_INT_INT_DATA:
        use_tuple_names(call, value);
        return use_data(call, value);
    case MODCAT_INT_INT_STRING:
        use_tuple_names(call, value);
        return use_text(call, value);
    default:
        return -1;
    }
}

/* The option that has this value, or NULL. */
static const struct address_option *find_given(const struct modcat_opening *opening,
                                               const struct modcat_value *value)
{
    const struct address *address = opening->address;
    for (size_t i = 0; address != NULL && i < address->option_count; i++)
        if (&address->options[i].value == value)
            return &address->options[i];
    return NULL;
}

int effects_fail(const struct modcat_opening *opening, const struct modcat_option *option,
                 const struct modcat_value *value, const char *reason, const char *call, ...)
{
    char text[200];
    const struct address_option *given = find_given(opening, value);
    if (given != NULL)
        snprintf(text, sizeof text, "%s%s%s", given->name, given->text != NULL ? "=" : "",
                 given->text != NULL ? given->text : "");
    va_list arguments;
    va_start(arguments, call);
    int result = failure_fail(opening, "set option", given != NULL ? text : option->name, reason,
                              call, arguments);
    va_end(arguments);
    return result;
}

static int refuse_type(const struct modcat_opening *opening, const struct modcat_option *option,
                       const char *function)
{
    errno = EINVAL;
    return modcat_fail(opening, "option \"%s\": %s does not take values of type %s", option->name,
                       function, values_type_name(option->type));
}

static int set_sockopt(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                       const struct modcat_value *value)
{
    char reason[HINT_TEXT];
    struct sockopt call = {.level = option->code, .name = option->detail};
    if (value->absent)
        return 0;
    if (prepare_sockopt(&call, option->type, value) < 0)
        return refuse_type(opening, option, "setsockopt()");
    if (setsockopt(fd, call.level, call.name, call.data, (socklen_t)call.length) == 0)
        return 0;
    return effects_fail(opening, option, value, hint_sockopt(call.level, call.name, reason),
                        "setsockopt(%d, %d, %d, {%s}, %zu)", fd, call.level, call.name, call.shown,
                        call.length);
}

/* The argument of one request: nothing, a number by value, or the address of `room` or data. */
struct request {
    unsigned request;
    unsigned long argument;
    int room;
    /* Kernels write through these pointers as they like, thus into a copy with some spare room. */
    unsigned char copy[VALUES_DATA_MAX + 4096];
};

static void pass_copy(struct request *call, const void *data, size_t length)
{
    if (length > VALUES_DATA_MAX)
        length = VALUES_DATA_MAX;
    if (length > 0)
        memcpy(call->copy, data, length);
    call->argument = (unsigned long)call->copy;
}

static void pass_number(struct request *call, long long number)
{
    call->room = (int)number;
    call->argument = (unsigned long)&call->room;
}

static int prepare_request(struct request *call, const struct modcat_option *option,
                           const struct modcat_value *value)
{
    call->request = (unsigned)option->code;
    switch (option->type) {
    case MODCAT_CONST:
    case MODCAT_BOOL:
        return 0;
    case MODCAT_INT:
    case MODCAT_INT_SIZE:
    case MODCAT_INT_BOOL:
        pass_number(call, value->number);
        return 0;
    case MODCAT_STRING:
        pass_copy(call, value->string, value->length + 1);
        return 0;
    case MODCAT_DATA:
        pass_copy(call, value->data, value->length);
        return 0;
    default:
        break;
    }
    call->request = (unsigned)value->number;
    switch (option->type) {
    case MODCAT_INT_INT:
        call->argument = (unsigned long)value->second;
        return 0;
    case MODCAT_INT_INTP:
        pass_number(call, value->second);
        return 0;
    case MODCAT_INT_DATA:
        pass_copy(call, value->data, value->length);
        return 0;
    case MODCAT_INT_STRING:
        pass_copy(call, value->string, value->length + 1);
        return 0;
    default:
        return -1;
    }
}

static bool takes_number(enum modcat_value_type type)
{
    return type == MODCAT_INT_INT;
}

static int do_ioctl(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                    const struct modcat_value *value)
{
    struct request call = {0};
    if (option->type == MODCAT_BOOL && value->number == 0)
        return 0;
    if (prepare_request(&call, option, value) < 0)
        return refuse_type(opening, option, "ioctl()");
    if (ioctl(fd, (unsigned long)call.request, call.argument) >= 0)
        return 0;
    if (call.argument == 0 && !takes_number(option->type))
        return effects_fail(opening, option, value, NULL, "ioctl(%d, 0x%x, NULL)", fd,
                            call.request);
    if (!takes_number(option->type))
        return effects_fail(opening, option, value, NULL, "ioctl(%d, 0x%x, ...)", fd, call.request);
    return effects_fail(opening, option, value, NULL, "ioctl(%d, 0x%x, 0x%lx)", fd, call.request,
                        call.argument);
}

static int set_status_flag(struct modcat_opening *opening, int fd,
                           const struct modcat_option *option, const struct modcat_value *value)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return effects_fail(opening, option, value, NULL, "fcntl(%d, F_GETFL)", fd);
    int changed = effects_flags(flags, option, value);
    if (changed == flags || fcntl(fd, F_SETFL, changed) == 0)
        return 0;
    return effects_fail(opening, option, value, NULL, "fcntl(%d, F_SETFL, 0%o)", fd,
                        (unsigned)changed);
}

int effects_flags(int flags, const struct modcat_option *option, const struct modcat_value *value)
{
    bool on = option->type == MODCAT_CONST || value->number != 0;
    return (flags & ~option->code) | (on ? option->detail : 0);
}

/* Services that the option calls name it when they fail. */
static int call_option(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                       const struct modcat_value *value)
{
    const struct address_option *outer = opening->carried_out;
    opening->carried_out = find_given(opening, value);
    int result = option->apply(opening, fd, option, value);
    opening->carried_out = outer;
    return result;
}

int effects_carry_out(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value)
{
    switch (option->effect) {
    case MODCAT_SOCKOPT:
        return set_sockopt(opening, fd, option, value);
    case MODCAT_IOCTL:
        return do_ioctl(opening, fd, option, value);
    case MODCAT_STATUS_FLAG:
        return set_status_flag(opening, fd, option, value);
    case MODCAT_CALL:
        return call_option(opening, fd, option, value);
    case MODCAT_FETCHED:
    case MODCAT_OPEN_FLAG:
        return 0;
    }
    if (option->effect == EFFECT_SETTING)
        opening_settings_store(&opening->set, option, value);
    return 0;
}
