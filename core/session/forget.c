#define _GNU_SOURCE
#include "core/session/forget.h"

#include "core/base/memory.h"
#include "core/base/secrets.h"
#include "core/opening/opening.h"
#include "core/opening/session_state.h"
#include "core/registry/registry.h"
#include <modcat/layer.h>
#include <string.h>

void modcat_wipe_when_open(struct modcat_opening *opening, char *secret)
{
    struct opening_prepared *prepared = opening->prepared;
    if (prepared == NULL)
        return;
    prepared->secrets =
        memory_resize(prepared->secrets, prepared->secret_count + 1, sizeof *prepared->secrets);
    prepared->secrets[prepared->secret_count++] = secret;
}

static void wipe_prepared(struct opening_prepared *prepared)
{
    for (size_t i = 0; i < prepared->secret_count; i++)
        explicit_bzero(prepared->secrets[i], strlen(prepared->secrets[i]));
}

/* What the openings of a server's peers share in one process, the next peer needs. */
static void forget(const struct opened *opened, bool is_hosted)
{
    for (; opened != NULL; opened = opened->lower) {
        struct opening_prepared *prepared =
            opened->opening != NULL ? opened->opening->prepared : NULL;
        if (prepared != NULL && (!is_hosted || prepared->users == 1))
            wipe_prepared(prepared);
    }
}

/* A session that opens something while it runs needs them until it ends. */
static bool opens_later(const struct address *address)
{
    for (; address != NULL; address = address_next(address))
        if ((address->type->type.flags & (MODCAT_TYPE_REOPENS | MODCAT_TYPE_ADDRESSES)) != 0)
            return true;
    return false;
}

void session_forget_secrets(const struct session *session)
{
    for (size_t i = 0; i < 2; i++)
        if (opens_later(session->sides[i].address->first) ||
            opens_later(session->sides[i].address->second))
            return;
    bool is_hosted = session->server != NULL;
    for (size_t i = 0; i < 2; i++) {
        forget(&session->sides[i].first, is_hosted);
        forget(&session->sides[i].second, is_hosted);
    }
    if (!is_hosted)
        secrets_wipe();
}

void session_forget_prepared(const struct modcat_opening *listening)
{
    for (const struct modcat_opening *level = listening; level != NULL; level = level->above)
        for (size_t i = 0; i < level->address->option_count; i++) {
            const struct address_option *option = &level->address->options[i];
            if (option->entry->option.secret_name && option->value.string != NULL)
                secrets_release(option->value.string);
        }
}
