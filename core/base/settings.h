/* settings.h: what the command line and the environment say about the run as a whole. */

#ifndef CORE_BASE_SETTINGS_H
#define CORE_BASE_SETTINGS_H

#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>

struct settings {
    const char *program;       /* argv[0] without its folders: "modcat", "socat" */
    const char *addresses[2];  /* as on the command line */
    unsigned directions[2];    /* MODCAT_DIR_READ, MODCAT_DIR_WRITE of each address, by -u and -U */
    bool no_data;              /* -b 0: everything is at its end as soon as it is open */
    size_t block_size;         /* -b, in bytes; 0: the program's choice */
    long long closing;         /* -t */
    long long inactivity;      /* -T; MODCAT_FOREVER: none */
    long long drain;           /* --drain; 0: no time */
    bool no_group_check;       /* -g */
    char listen_version;       /* '4', '6' or '0' (none): for passive addresses */
    char resolve_version;      /* '4', '6' or '0' (none): first choice of clients */
    unsigned long signal_mask; /* -S */
    const char *lock_file;     /* -L or -W, or NULL */
    bool lock_wait;            /* -W */
    bool statistics;           /* --statistics */
    bool statistics_json;      /* --statistics=json */
    bool progress;             /* --progress */
    bool experimental;         /* --experimental */
    bool show_descriptors;     /* -D */
    bool dump_text;            /* -v */
    bool dump_hex;             /* -x */
    const char *dump_left;     /* -r: where left-to-right data is copied to, or NULL */
    const char *dump_right;    /* -R: the same for right-to-left data */
    const char *describe;      /* --describe, --describe-driver, --complete, or NULL */
    bool json;                 /* --json: descriptions for programs */
    unsigned fork_wait;        /* seconds, SOCAT_FORK_WAIT */
    unsigned transfer_wait;    /* seconds, SOCAT_TRANSFER_WAIT */
    unsigned main_wait;        /* seconds, SOCAT_MAIN_WAIT */
    const char **driver_paths; /* --driver-path, in order */
    size_t driver_path_count;
};

#endif
