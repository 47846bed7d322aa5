/* session_state.h: one pair of sides that is relayed: what its parts know of it, and how they wait.
 * session.h is about its beginning and its end. */

#ifndef CORE_OPENING_SESSION_STATE_H
#define CORE_OPENING_SESSION_STATE_H

#include "core/address/address.h"
#include "core/base/settings.h"
#include "core/base/wait.h"
#include "core/opening/opening.h"
#include <modcat/driver.h>
#include <stdbool.h>

struct account;
struct children;
struct environment;
struct leftovers;
struct program;
struct relay;
struct share;
struct stage;
struct task;
struct terminals;

/* What signals mean for a session while it waits. */
struct session_events {
    void (*resized)(struct session *session);      /* the terminal's window has a new size */
    void (*pass_signals)(struct session *session); /* some may have come that programs get */
    void (*child_ended)(struct session *session);
};

/* An opened address with what it came from. */
struct opened {
    struct modcat_opening *opening;
    struct modcat_endpoint *endpoint; /* NULL: not open */
    struct opened *lower;             /* what this layer stands on, or NULL */
    bool ended;                       /* it has said itself that nothing more comes, or failed */
    bool written;                     /* something was written to it */
    bool connected;                   /* it is written to over a connection with a peer */
    bool half_closed;                 /* the peer knows that no more will be written */
    bool incomplete;                  /* it has not got all that was to be written */
    bool said_goodbye;                /* by its operation */
    bool shares_opening;              /* the opening belongs to the layer on top */
    bool read_blocks;                 /* below a layer: reading when not ready would block ... */
    bool write_blocks;                /* ... and writing */
    int watch_fd;                     /* tells what a program has left of its input; 0: none */
};

/* What a driver has opened itself; its opening has a list of them. */
struct lower_end {
    struct lower_end *next;
    struct opened *opened;
};

/* A side: one endpoint for both directions, or one for each (`A!!B`). */
struct side {
    struct address_pair *address;
    unsigned directions;  /* in which it is used */
    struct opened first;  /* reads; also writes where there is no second */
    struct opened second; /* writes */
    int number;           /* 1 or 2, as messages call it */
};

/* A session has a process of its own, or is one of many that a server hosts in its process: they
 * have the server's addresses, children and accounts, and their own of all the rest. */
struct session {
    const struct settings *settings;
    const struct session_events *events;
    void (*log_statistics)(const struct session *session);
    struct side sides[2];
    struct environment *environment; /* what child programs get */
    struct account *accounts;        /* that options name */
    struct leftovers *leftovers;     /* entries and locks to remove at the end */
    struct terminals *terminals;     /* settings to put back at the end */
    struct children *children;       /* processes that serve peers */
    struct program *programs;        /* what addresses run */
    struct relay *relay;             /* while data is moved */
    unsigned rebuilt;                /* how often a level was opened or closed meanwhile */
    struct share *shares;            /* what its sessions have in common */
    long long parting;               /* until when peers are waited for at the end; 0: no end yet */
    long long limit;                 /* until when something may be waited for; 0: no limit */
    bool lost;                       /* something that was sent did not arrive */
    long long fork_quiet_until;      /* when a fork(2) that fails may be reported again */
    struct stage *stage;             /* of this process, for its parent; or NULL */
    bool serves;                     /* it waits for peers, each of whom gets a session */
    bool forked;                     /* this process was made to serve a peer */
    struct session *server;      /* the one that waits for peers, of a hosted session, or NULL */
    struct session *hosted;      /* those that share the process of this one, which serves */
    unsigned opening;            /* how many of those are not open yet */
    struct session *next_hosted; /* of the same server ... */
    struct session *previous_hosted; /* ... in a list */
    struct task *task;               /* of a hosted session, or NULL */
    unsigned number;                 /* of a hosted session, from 1 on, or 0 */
    bool awaits_hosted;              /* wakes up when a hosted session has ended */
    bool canceled;                   /* it is to end, though the program goes on */
    bool child_ended;                /* one of its programs, since it waited last */
    bool done;                       /* opening has failed, for all has been done already */
    int done_status;                 /* exit status when nothing is left to be relayed */
};

/* wait_ready() with what signals mean for a session: statistics are logged, children buried.
 * Returns as it does; -1 with errno EINTR: a child has ended, ECANCELED: the program is asked to
 * end, ETIMEDOUT: the session's limit has passed. */
int session_wait(struct session *session, struct wait_entry *entries, size_t count,
                 long long deadline);

/* Calls `act` for the session, and for all that share its process. */
void session_for_all(struct session *session, void (*act)(struct session *session));

/* True when the program, or this session alone, is asked to end. */
bool session_must_end(const struct session *session);

/* A program of the session has ended: it is to look at that. */
void session_child_ended(struct session *session);

/* Ends a session that shares its process with others. */
void session_cancel(struct session *session);

/* modcat_wait() where no option of a socket bounds the time. */
int session_wait_for(struct session *session, int fd, short events, long long deadline);

/* The time after which a call that reads from the socket fails, by option so-rcvtimeo, or
 * MODCAT_FOREVER. */
long long session_socket_bound(int fd, short events);

/* Waits for a time, whatever else happens meanwhile. Returns 0, or -1 with errno ECANCELED. */
int session_pause(struct session *session, long long delay);

/* True where an endpoint has an operation; one that was built for an older header may lack it. */
#define ENDPOINT_DOES(endpoint, operation)                                                         \
    ((endpoint) != NULL && (endpoint)->ops != NULL &&                                              \
     (endpoint)->ops->size > offsetof(struct modcat_endpoint_ops, operation) &&                    \
     (endpoint)->ops->operation != NULL)

/* The side of a session on which an opening's address stands, 1 or 2. */
int session_side(const struct modcat_opening *opening);

/* The address on the other side of an opening's session, as far as it is open, or NULL. Of one with
 * a half for each direction it is what is read from. */
const struct opened *session_other(const struct modcat_opening *opening);

/* Where a side's bytes come from and go to; NULL: that direction is not open. */
struct opened *side_reader(struct side *side);
struct opened *side_writer(struct side *side);

#endif
