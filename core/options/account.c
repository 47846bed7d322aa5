#define _GNU_SOURCE
#include "core/options/account.h"

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/opening/session_state.h"
#include "core/options/process_state.h"
#include "core/registry/registry.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

static void account_free(struct account *account)
{
    free(account->groups);
    free(account->name);
    free(account->home);
    free(account->shell);
    free(account);
}

/* The first call only counts. */
static void read_groups(struct account *account)
{
    int before = -1;
    while (getgrouplist(account->name, account->group, account->groups, &account->group_count) <
               0 &&
           account->group_count > before) {
        before = account->group_count;
        account->groups = memory_resize(account->groups, (size_t)before, sizeof *account->groups);
    }
}

static int look_up(struct session *session, const struct modcat_value *value)
{
    uid_t user = (uid_t)value->number;
    errno = 0;
    const struct passwd *entry = getpwuid(user);
    if (entry == NULL) {
        log_error("getpwuid(%lu): %s", (unsigned long)user,
                  errno == 0 ? "no such user" : strerror(errno));
        errno = ENOENT;
        return -1;
    }
    struct account *account = memory_zeroed(1, sizeof *account);
    account->next = session->accounts;
    account->wanted_by = value;
    account->user = entry->pw_uid;
    account->group = entry->pw_gid;
    account->name = memory_copy_text(entry->pw_name);
    account->home = memory_copy_text(entry->pw_dir);
    account->shell = memory_copy_text(entry->pw_shell);
    read_groups(account);
    session->accounts = account;
    return 0;
}

static int look_up_stack(struct session *session, const struct address *address)
{
    for (; address != NULL; address = address_next(address))
        for (size_t i = 0; i < address->option_count; i++) {
            const struct address_option *option = &address->options[i];
            if (process_names_account(&option->entry->option) &&
                look_up(session, &option->value) < 0)
                return -1;
        }
    return 0;
}

int accounts_look_up(struct session *session)
{
    for (int i = 0; i < 2; i++)
        if (look_up_stack(session, session->sides[i].address->first) < 0 ||
            look_up_stack(session, session->sides[i].address->second) < 0)
            return -1;
    return 0;
}

void accounts_free(struct session *session)
{
    while (session->accounts != NULL) {
        struct account *account = session->accounts;
        session->accounts = account->next;
        account_free(account);
    }
}

const struct account *account_find(const struct modcat_opening *opening,
                                   const struct modcat_value *value)
{
    for (const struct account *account = opening->session->accounts; account != NULL;
         account = account->next)
        if (account->wanted_by == value)
            return account;
    errno = ENOENT;
    modcat_fail(opening, "the account of user %lld has not been looked up", value->number);
    return NULL;
}
