/* session.h: one pair of sides that is relayed, and what must be undone when it ends. */

#ifndef CORE_SESSION_SESSION_H
#define CORE_SESSION_SESSION_H

#include "core/address/address.h"
#include "core/base/settings.h"
#include "core/services/process/programs.h"
#include "core/base/wait.h"
#include "core/services/process/children.h"
#include "core/opening/opening.h"
#include <modcat/driver.h>
#include <stdbool.h>

struct account;
struct environment;
struct leftovers;
struct relay;
struct terminals;

/* An opened address with what it came from. */
struct opened {
    struct modcat_opening *opening;
    struct modcat_endpoint *endpoint; /* NULL: not open */
    struct opened *lower;             /* what this layer stands on, or NULL */
    bool ended;                       /* it has said itself that nothing more comes, or failed */
    bool written;                     /* something was written to it */
    bool connected;                   /* it is written to over a connection with a peer */
    bool half_closed;                 /* the peer knows that no more will be written */
    bool shares_opening;              /* the opening belongs to the layer on top */
    bool read_blocks;                 /* below a layer: reading when not ready would block ... */
    bool write_blocks;                /* ... and writing */
};

/* A side: one endpoint for both directions, or one for each (`A!!B`). */
struct side {
    struct address_pair *address;
    unsigned directions;  /* in which it is used */
    struct opened first;  /* reads; also writes where there is no second */
    struct opened second; /* writes */
    int number;           /* 1 or 2, as messages call it */
};

struct session {
    const struct settings *settings;
    struct side sides[2];
    struct environment *environment; /* what child programs get */
    struct account *accounts;        /* that options name */
    struct leftovers *leftovers;     /* entries and locks to remove at the end */
    struct terminals *terminals;     /* settings to put back at the end */
    struct children children;        /* processes that serve peers */
    struct programs programs;        /* what addresses run */
    struct relay *relay;             /* while data is moved */
    long long parting;               /* until when peers are waited for at the end; 0: no end yet */
    bool lost;                       /* something that was sent did not arrive */
    long long fork_quiet_until;      /* when a fork(2) that fails may be reported again */
    struct stage *stage;             /* of this process, for its parent; or NULL */
    bool forked;                     /* this process was made to serve a peer */
    bool done;                       /* opening has failed, for all has been done already */
    int done_status;                 /* exit status when nothing is left to be relayed */
};

/* How opening a session ended. */
enum session_result {
    SESSION_FAILED = -1,
    SESSION_OPEN = 0, /* both sides are open in this process */
    SESSION_DONE = 1  /* this process has served others, and nothing is left to do */
};

/* Starts a session over two bound addresses, which belong to it from then on. */
void session_start(struct session *session, const struct settings *settings,
                   struct address_pair *addresses[2]);

/* Opens both sides, the left one first. */
enum session_result session_open(struct session *session);

/* Ends it: closes the sides, ends programs, removes what it left in the file system. */
void session_finish(struct session *session);
/* Frees its memory afterwards. */
void session_free(struct session *session);
/* Both. */
void session_close(struct session *session);

/* wait_ready() with what signals mean for a session: statistics are logged, children buried.
 * Returns as it does; -1 with errno EINTR: a child has ended, ECANCELED: the program is asked to
 * end. */
int session_wait(struct session *session, struct wait_entry *entries, size_t count,
                 long long deadline);

/* Waits for a time, whatever else happens meanwhile. Returns 0, or -1 with errno ECANCELED. */
int session_pause(struct session *session, long long delay);

/* Takes a lock file that is given back when the session ends; `wait`: as soon as it is free.
 * Returns 0, or -1 after reporting. */
int session_lock(struct session *session, const char *path, bool wait);

/* Makes a process for one peer, as soon as the system has one. Returns as fork(2); -1: the program
 * is asked to end. In the child nothing of the
 * parent's is left to remove or to wait for. */
int session_fork(struct session *session, const struct opening_settings *set);

/* Tells the other end of a socket that no more will be written, and logs it. Returns 0, or -1 with
 * errno. Counterpart: shutdown(2). */
int session_end_writing(int fd);

/* Closes an endpoint and frees it with its opening. */
void session_close_opened(struct opened *opened);

/* The same in a parent whose child goes on with the connection: it is not shut down. */
void session_leave_to_child(struct opened *opened);

#endif
