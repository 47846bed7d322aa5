/* opening.h: the opening of one address: which of its options have been used, and the settings
 * that they made. It lives as long as the endpoint that comes out of it. */

#ifndef CORE_OPENING_OPENING_H
#define CORE_OPENING_OPENING_H

#include "core/address/address.h"
#include "core/base/entry.h"
#include "core/base/settings.h"
#include "core/values/range.h"
#include "core/options/identity.h"
#include "core/relay/convert.h"
#include <modcat/driver.h>
#include <modcat/net.h>
#include <stdbool.h>
#include <stddef.h>

struct session;
struct tty_change;

/* What to do with the write side when no more will be written; by the shut-* options. */
enum shut_choice { SHUT_DEFAULT, SHUT_NONE, SHUT_DOWN, SHUT_CLOSE, SHUT_NULL };

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
    bool fork;            /* fork */
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

/* What a layer's `prepare` made, for the opening of the address and those of its peers. */
struct opening_prepared {
    unsigned users;
    void *state;
    void (*release)(void *state);
};

struct modcat_opening {
    const struct settings *settings;
    const struct address *address;
    struct session *session;
    unsigned directions;
    bool *used; /* one for each option of the address */
    struct opening_settings set;
    struct identity_wish wish; /* of the phase that is being carried out */
    enum modcat_level failure; /* the level at which modcat_fail() speaks */
    bool trying;               /* a connect(2) that fails is not the last word ... */
    bool tried;                /* ... and has failed */
    struct modcat_sockaddr peer;
    struct modcat_sockaddr local;
    struct range range;           /* of option range, once it is parsed */
    struct modcat_sockaddr bound; /* the name of what binding a UNIX socket has made ... */
    struct entry bound_entry;     /* ... and the entry itself */
    struct modcat_opening *above; /* of the next layer, until that is put on; belongs to this one */
    struct modcat_opening *below; /* of the layer or address that this layer is put on, or NULL */
    struct opening_prepared *prepared; /* of a layer, or NULL */
    bool layering;                     /* messages name the layer */
    char *peer_name;                   /* see modcat_peer_name() */
    const char *path; /* the file system entry that options act on, while there is one */
    struct tty_change *tty_changes; /* terminal settings of this phase, not set yet */
    bool tty_is_own;                /* they are for a terminal that nobody had before */
};

/* Starts an opening: carries out the options that only make settings, which hold for the whole
 * stack of layers that the address is part of. */
struct modcat_opening *opening_new(struct session *session, const struct address *address,
                                   unsigned directions);
/* The settings of the stack of layers that an address is part of. */
struct opening_settings opening_stack_settings(const struct address *address);
/* The same for one peer of a listener: what the listener used stays used. */
struct modcat_opening *opening_for_peer(const struct modcat_opening *listening);
void opening_free(struct modcat_opening *opening);

/* Carries out every option that is left on an endpoint's descriptors: those of the phases before
 * LATE, which come before layers are put on it, and those from LATE on. Return 0, or -1 after
 * reporting. */
int opening_settle(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
int opening_finish(struct modcat_opening *opening, struct modcat_endpoint *endpoint);

/* True when an option of this name was given and has been used. */
bool opening_option_used(const struct modcat_opening *opening, const char *name);

/* Reports options that nothing has used. Returns their number. */
int opening_report_unused(const struct modcat_opening *opening);

#endif
