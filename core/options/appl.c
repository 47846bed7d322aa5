/* The group APPL: what the relay does with an address's data. */

#define _GNU_SOURCE
#include "core/options/effects.h"
#include "core/values/groups.h"

#include <errno.h>

static modcat_apply_fn set_lock_file;

#define LINE_END(kind)                                                                             \
    .type = MODCAT_CONST, .phase = MODCAT_PHASE_LATE, OPENING_SETTING(line_end), .detail = (kind)
/* `code` tells whether to wait for the lock. */
#define LOCK_FILE(wait)                                                                            \
    .type = MODCAT_STRING, .phase = MODCAT_PHASE_INIT, .effect = MODCAT_CALL,                      \
    .apply = set_lock_file, .code = (wait), .check = modcat_check_filled

static const struct modcat_option options[] = {
    {"cr", NULL, NULL, "use CR as line end on this side", LINE_END(LINE_END_CR)},
    {"crnl", "crlf", NULL, "use CR NL as line end on this side", LINE_END(LINE_END_CRNL)},
    {"ignoreeof", "ignoreof", NULL, "ignore end of file and wait for more, as tail -f does",
     .type = MODCAT_BOOL, .phase = MODCAT_PHASE_LATE, OPENING_SETTING(ignoreeof), .preset = "0"},
    {"readbytes", "bytes", NULL, "end of file after this many bytes", .type = MODCAT_SIZE,
     .phase = MODCAT_PHASE_LATE, OPENING_SETTING(readbytes), .preset = "no limit"},
    {"escape", NULL, NULL, "end the input at the byte with this code", .type = MODCAT_INT,
     .phase = MODCAT_PHASE_INIT, OPENING_SETTING(escape), .preset = "none"},
    {"lockfile", NULL, NULL, "hold this lock file while the address is open, or fail",
     LOCK_FILE(false)},
    {"waitlock", NULL, NULL, "wait for this lock file, and hold it while the address is open",
     LOCK_FILE(true)},
};

const struct modcat_option_group group_appl = {
    .name = "APPL",
    .help = "the data of any address",
    MODCAT_OPTIONS(options),
};

static int set_lock_file(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                         const struct modcat_value *value)
{
    (void)fd;
    if (opening->set.lockfile != NULL) {
        errno = EINVAL;
        return modcat_fail(opening, "only one use of options lockfile and waitlock allowed");
    }
    opening->set.lockfile = value->string;
    opening->set.lockfile_wait = option->code != 0;
    return 0;
}
