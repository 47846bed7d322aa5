/* opening_settings.h: what an address asks for by options that only make settings. */

#ifndef CORE_OPENING_OPENING_SETTINGS_H
#define CORE_OPENING_OPENING_SETTINGS_H

#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct account;
struct address;

/* What to do with the write side when no more will be written; by the shut-* options. */
enum shut_choice { SHUT_DEFAULT, SHUT_NONE, SHUT_DOWN, SHUT_CLOSE, SHUT_NULL };

/* What serves each peer; by option fork, in the order of its values. */
enum fork_choice { FORK_NOT, FORK_PROCESS, FORK_SESSION };

/* How an address's lines end outside; the relay itself uses LF. */
enum line_end { LINE_END_RAW, LINE_END_CR, LINE_END_CRNL };

/* The settings that options make. Options of the core write here through OPENING_SETTING(). */
struct opening_settings {
    bool end_close;     /* end-close */
    int shut;           /* enum shut_choice */
    bool null_eof;      /* null-eof */
    bool cool_write;    /* cool-write */
    bool ignoreeof;     /* ignoreeof */
    size_t readbytes;   /* readbytes; 0: no limit */
    int escape;         /* escape; -1: none */
    int line_end;       /* enum line_end */
    bool cloexec_given; /* cloexec */
    bool cloexec;
    const char *lockfile; /* lockfile or waitlock, or NULL */
    bool lockfile_wait;   /* waitlock */
    unsigned retry;       /* retry: further attempts */
    bool forever;         /* forever */
    long long interval;   /* interval */
    int fork;             /* fork: enum fork_choice */
    unsigned workers;     /* workers; 0: none */
    int max_children;     /* max-children; 0: no limit */
    int children_shutup;  /* children-shutup: steps */
    const char *chdir;    /* chdir, for the time of the opening */
    bool umask_given;     /* umask, for the time of the opening */
    mode_t umask;
    const char *netns;                     /* netns, for the time of the opening */
    int backlog;                           /* backlog; -1: default */
    long long accept_timeout;              /* accept-timeout; 0: none */
    int accept_status;                     /* accept-timeout-status */
    long long connect_timeout;             /* connect-timeout; 0: none */
    int ai_flags_set;                      /* ai-*: bits to set in getaddrinfo(3)'s flags ... */
    int ai_flags_cleared;                  /* ... and to clear */
    unsigned long res_options_set;         /* res-*: bits of _res.options to set ... */
    unsigned long res_options_cleared;     /* ... and to clear */
    int res_retrans;                       /* res-retrans; 0: default */
    int res_retry;                         /* res-retry; 0: default */
    const char *res_nsaddr;                /* res-nsaddr, text */
    bool keep_groups;                      /* keep-groups */
    const struct account *delayed_account; /* su-d, or NULL */
    long long sitout_eio;                  /* sitout-eio of a pseudo terminal; 0: none */
};

/* The core's own effect besides those of enum modcat_effect: the value is stored in
 * struct opening_settings at offset `code`, as the C type that belongs to the value's type (BOOL:
 * bool, or int where it has words; CONST: int, which becomes `detail`; STRING: const char *,
 * TIMEVAL and TIMESPEC: long long, INT: int, UINT: unsigned, SIZE: size_t). It happens when the
 * opening begins. */
#define EFFECT_SETTING ((enum modcat_effect)1000)
#define OPENING_SETTING(member)                                                                    \
    .effect = EFFECT_SETTING, .code = offsetof(struct opening_settings, member)

/* Stores a value as EFFECT_SETTING says. */
void opening_settings_store(struct opening_settings *settings, const struct modcat_option *option,
                            const struct modcat_value *value);

/* What the options of a stack of layers ask for, which is opened, served and relayed as one. Of
 * several values the highest layer's counts. */
struct opening_settings opening_settings_of_stack(const struct address *address);

/* The same for one address of the stack, whose own values count before others'. */
struct opening_settings opening_settings_of(const struct address *address);

#endif
