/* tcpwrap: adds the rules of hosts_access(5) to the filters of every address that has peers. It has
 * no address type of its own: its options join the group RANGE. */

#define _GNU_SOURCE
#include <errno.h>
#include <modcat/driver.h>
#include <modcat/net.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tcpd.h>
#include <unistd.h>

static modcat_apply_fn check_peer;

#define FILTER .phase = MODCAT_PHASE_ACCEPT, .effect = MODCAT_CALL, .apply = check_peer

static const struct modcat_option options[] = {
    {.name = "tcpwrappers",
     .aliases = "tcpwrap,tcpwrapper,libwrap,wrap",
     .help = "check clients against hosts_access(5) under this daemon name",
     .type = MODCAT_STRING_OR_NONE,
     FILTER},
    {.name = "tcpwrap-etc",
     .aliases = "tcpwrap-dir",
     .help = "folder of hosts.allow and hosts.deny",
     .type = MODCAT_STRING,
     .check = modcat_check_filled,
     FILTER},
    {.name = "tcpwrap-hosts-allow-table",
     .aliases = "allow-table,hosts-allow",
     .help = "file of rules that let peers in",
     .type = MODCAT_STRING,
     .check = modcat_check_filled,
     FILTER},
    {.name = "tcpwrap-hosts-deny-table",
     .aliases = "deny-table,hosts-deny",
     .help = "file of rules that refuse peers",
     .type = MODCAT_STRING,
     .check = modcat_check_filled,
     FILTER},
};

static const struct modcat_option_group groups[] = {
    {.name = "RANGE", MODCAT_OPTIONS(options)},
};

MODCAT_DRIVER(.name = "tcpwrap", .version = MODCAT_DRIVER_VERSION,
              .summary = "filters peers by the rules of hosts_access(5)", MODCAT_GROUPS(groups));

/* One question. It may take a while: the rules may name hosts, which have to be looked up. */
struct question {
    char *daemon;
    char *allow;
    char *deny;
    struct sockaddr_storage peer;
    bool permitted;
};

static void free_question(void *argument)
{
    struct question *question = argument;
    if (question == NULL)
        return;
    free(question->daemon);
    free(question->allow);
    free(question->deny);
    free(question);
}

/* What the library keeps in variables is set for each question, and so one is asked after the
 * other. A resident program can't be replaced by a rule's command. */
static void ask(void *argument)
{
    static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;
    struct question *question = argument;
    struct request_info request;
    pthread_mutex_lock(&library_lock);
    hosts_allow_table = question->allow;
    hosts_deny_table = question->deny;
    resident = 1;
    request_init(&request, RQ_DAEMON, question->daemon, 0);
    if (question->peer.ss_family != AF_UNSPEC)
        request_set(&request, RQ_CLIENT_SIN, &question->peer, 0);
    sock_methods(&request);
    question->permitted = hosts_access(&request) != 0;
    pthread_mutex_unlock(&library_lock);
}

/* A file that is named but not there would let everybody in. */
static int require(struct modcat_opening *opening, const char *path)
{
    if (access(path, R_OK) == 0)
        return 0;
    return modcat_fail_call(opening, "read", path, NULL, "access(\"%s\", R_OK)", path);
}

/* The path of one of the tables: as its option says, or in the folder. NULL after reporting. */
static char *table_path(struct modcat_opening *opening, const char *option, const char *name)
{
    const char *folder = modcat_option_string(opening, "tcpwrap-etc", NULL);
    const char *path = modcat_option_string(opening, option, NULL);
    char *result = NULL;
    if ((path != NULL && require(opening, path) < 0) ||
        (path == NULL && folder != NULL && require(opening, folder) < 0))
        return NULL;
    if (path != NULL)
        result = strdup(path);
    else if (asprintf(&result, "%s/%s", folder != NULL ? folder : "/etc", name) < 0)
        result = NULL;
    if (result == NULL)
        modcat_fail(opening, "tcpwrap: out of memory");
    return result;
}

/* Peers of IPv4 on a socket of IPv6 are known by their IPv4 address to the rules. */
static void set_peer(struct question *question, const struct sockaddr *peer, socklen_t length)
{
    const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)peer;
    struct sockaddr_in *ip4 = (struct sockaddr_in *)&question->peer;
    bool mapped = peer->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&ip6->sin6_addr);
    if (mapped) {
        ip4->sin_family = AF_INET;
        ip4->sin_port = ip6->sin6_port;
        memcpy(&ip4->sin_addr, &ip6->sin6_addr.s6_addr[12], sizeof ip4->sin_addr);
    } else if (peer->sa_family == AF_INET || peer->sa_family == AF_INET6) {
        memcpy(&question->peer, peer, length);
    }
}

static struct question *new_question(struct modcat_opening *opening, const struct sockaddr *peer,
                                     socklen_t length)
{
    const char *daemon = modcat_option_string(opening, "tcpwrappers", NULL);
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL) {
        modcat_fail(opening, "tcpwrap: out of memory");
        return NULL;
    }
    question->daemon = strdup(daemon != NULL ? daemon : modcat_program_name());
    question->allow = table_path(opening, "tcpwrap-hosts-allow-table", "hosts.allow");
    if (question->allow != NULL)
        question->deny = table_path(opening, "tcpwrap-hosts-deny-table", "hosts.deny");
    if (question->daemon == NULL || question->deny == NULL) {
        free_question(question);
        return NULL;
    }
    set_peer(question, peer, length);
    return question;
}

/* All options together are one filter: the first in the table that is given asks the question. */
static bool asks(struct modcat_opening *opening, const struct modcat_option *option)
{
    for (size_t i = 0; i < MODCAT_COUNT(options); i++)
        if (modcat_option_value(opening, options[i].name) != NULL)
            return strcmp(options[i].name, option->name) == 0;
    return false;
}

static int answer(const struct sockaddr *peer, socklen_t length, bool permitted)
{
    char text[MODCAT_SOCKADDR_TEXT];
    modcat_log(permitted ? MODCAT_INFO : MODCAT_WARNING,
               "%s connection from %s due to tcpwrapper option",
               permitted ? "permitting" : "refusing", modcat_sockaddr_text(peer, length, text));
    return permitted ? 0 : 1;
}

static int check_peer(struct modcat_opening *opening, int fd, const struct modcat_option *option,
                      const struct modcat_value *value)
{
    socklen_t length;
    const struct sockaddr *peer = modcat_peer(opening, &length);
    (void)fd;
    (void)value;
    if (peer == NULL || !asks(opening, option))
        return 0;
    struct question *question = new_question(opening, peer, length);
    if (question == NULL || modcat_call_blocking(opening, ask, free_question, question) < 0)
        return -1;
    bool permitted = question->permitted;
    free_question(question);
    return answer(peer, length, permitted);
}
