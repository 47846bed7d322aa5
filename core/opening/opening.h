/* opening.h: the opening of one address: which of its options have been used, and the settings
 * that they made. It lives as long as the endpoint that comes out of it. */

#ifndef CORE_OPENING_OPENING_H
#define CORE_OPENING_OPENING_H

#include "core/address/address.h"
#include "core/base/entry.h"
#include "core/base/settings.h"
#include "core/opening/opening_settings.h"
#include <modcat/driver.h>
#include <modcat/net.h>
#include <stdbool.h>
#include <stddef.h>

struct range;
struct session;
struct tty_change;

/* What the options of one phase want of the process's root folder, groups and user; NULL:
 * nothing. */
struct identity_wish {
    const struct modcat_value *root;
    const struct modcat_value *group;
    const struct modcat_value *user;
    const struct modcat_value *account;
};

/* What the options of one phase have only prepared, and what is done at the end of the phase. */
struct phase_work {
    int (*finish)(struct modcat_opening *opening); /* returns 0, or -1 after reporting */
    void (*drop)(struct modcat_opening *opening);  /* it is not to be done any more */
};

/* What a layer's `prepare` made, for the opening of the address and those of its peers. */
struct opening_prepared {
    unsigned users;
    void *state;
    char **secrets; /* in `state`, wiped when the session is open */
    size_t secret_count;
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
    enum { PEER_UNKNOWN, PEER_HERE, PEER_ELSEWHERE } peer_place; /* see peer_is_here() */
    struct range *range;          /* of option range, once it is parsed, or NULL */
    struct modcat_sockaddr bound; /* the name of what binding a UNIX socket has made ... */
    struct entry bound_entry;     /* ... and the entry itself */
    struct modcat_opening *above; /* of the next layer, until that is put on; belongs to this one */
    struct modcat_opening *below; /* of the layer or address that this layer is put on, or NULL */
    struct opening_prepared *prepared; /* of a layer, or NULL */
    struct lower_end *ends;            /* that the driver has opened itself, see ends.h */
    struct share *share;               /* with other sessions, or NULL */
    bool is_read;    /* somebody has read from the terminal what was written to it */
    bool layering;   /* messages name the layer */
    char *peer_name; /* see modcat_peer_name() */
    const struct address_option *carried_out; /* the option that a driver's function carries out */
    const char *path; /* the file system entry that options act on, while there is one */
    const struct phase_work *phase_work; /* of the phase that is being carried out, or NULL */
    void **kept;                         /* storage of what modcat_param_value() has given out */
    size_t kept_count;
    struct tty_change *tty_changes; /* terminal settings of this phase, not set yet */
    bool tty_is_own;                /* they are for a terminal that was just made */
};

/* Starts an opening: carries out the options that only make settings, which hold for the whole
 * stack of layers that the address is part of. */
struct modcat_opening *opening_new(struct session *session, const struct address *address,
                                   unsigned directions);
/* The same for one peer of a listener, and its session: what the listener used stays used. */
struct modcat_opening *opening_for_peer(const struct modcat_opening *listening,
                                        struct session *session);
void opening_free(struct modcat_opening *opening);

/* Writes the address as the user wrote it, without its options, cut to `size`. */
void opening_name(const struct modcat_opening *opening, char *text, size_t size);
void opening_name_of(const struct address *address, char *text, size_t size);

/* True when an option of this name was given and has been used. */
bool opening_option_used(const struct modcat_opening *opening, const char *name);

#endif
