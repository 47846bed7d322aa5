/* hosting.h: sessions that share the process of their server: option fork=session. */

#ifndef CORE_SERVE_HOSTING_H
#define CORE_SERVE_HOSTING_H

#include "core/opening/session_state.h"
#include "core/services/process/children.h"

/* A session of a server. */
struct hosted;

/* A server and its sessions. */
struct hosting {
    struct session *server;
    struct environment *environment; /* what those of all sessions stand on */
    struct hosted *spare;            /* the next one, before there is a peer */
    unsigned count;                  /* how many there have been */
    unsigned long descriptors;       /* how many this process may have */
    long long quiet_until;           /* when a shortage may be reported again */
};

/* Where fork=session is asked for and can't be, makes a stack of openings fork processes instead,
 * and says why. */
void hosting_choose(struct modcat_opening *lowest);

/* Starts the loop, for `most` sessions at a time, 0: for any number. Returns 0, or -1 after
 * reporting. */
int hosting_start(struct hosting *hosting, struct session *server, int most);

/* Lets the sessions end, which they do when the program is asked to end. */
void hosting_finish(struct hosting *hosting);

/* False where there are not enough descriptors for another session, which is said once a second:
 * the peer had better wait in the system's queue. */
bool hosting_has_room(struct hosting *hosting, int fd);

/* The session of the next peer, to whom its opening belongs. From then on until the next call of
 * hosting_take() or hosting_without_peer() messages name it. */
struct session *hosting_next(struct hosting *hosting);

/* There is no peer after all. */
void hosting_without_peer(struct hosting *hosting);

/* Gives the next session its peer, whose layers are not on yet, and starts it. *opened is taken
 * over. */
void hosting_take(struct hosting *hosting, struct opened *opened);

/* Makes a session of what a client has opened, layers included. */
void hosting_take_client(struct hosting *hosting, struct opened *opened);

/* As children_wait_for_room() for sessions. */
int hosting_wait_for_room(struct hosting *hosting, int most, struct queue_of_peers queue);

/* Waits for all sessions to end. Returns 0, or -1 with errno. */
int hosting_wait_for_all(struct hosting *hosting);

#endif
