#define _GNU_SOURCE
/* modcat: opens two addresses and carries bytes both ways between them. */

#include "core/address/bind.h"
#include "core/base/log.h"
#include "core/base/secrets.h"
#include "core/base/signals.h"
#include "core/command/commandline.h"
#include "core/command/compat.h"
#include "core/command/complete.h"
#include "core/command/describe.h"
#include "core/command/descriptors.h"
#include "core/command/features.h"
#include "core/command/help.h"
#include "core/opening/environment.h"
#include "core/registry/registry.h"
#include "core/relay/relay.h"
#include "core/serve/sides.h"
#include "core/session/forget.h"
#include "core/session/session.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A standard descriptor that is missing must not become a socket by chance. What is put there is at
 * its end when it is read, and fails when it is written to: output must not vanish. */
static void fill_missing_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", O_RDONLY);
}

static int print(const struct settings *settings, struct registry *registry,
                 enum commandline_action action)
{
    switch (action) {
    case ACTION_VERSION:
        return features_print(stdout, registry, settings->program);
    case ACTION_DRIVERS:
        return describe_drivers(stdout, registry, settings->json);
    case ACTION_COMPAT:
        return compat_print(stdout, settings->json);
    case ACTION_DESCRIBE:
        return describe_type(stdout, registry, settings->describe, settings->json);
    case ACTION_DESCRIBE_DRIVER:
        return describe_driver(stdout, settings->describe, settings->json);
    case ACTION_COMPLETE:
        return complete_word(stdout, registry, settings->describe);
    default:
        return help_print(stdout, registry, settings->program, action);
    }
}

/* What holds secrets in the environment, for this address and those below. */
static void take_secrets(const struct address *address)
{
    for (; address != NULL; address = address_next(address))
        for (size_t i = 0; i < address->option_count; i++)
            if (address->options[i].entry->option.secret_name &&
                address->options[i].value.string != NULL)
                secrets_take(address->options[i].value.string);
}

static void take_all_secrets(struct address_pair *const pairs[2])
{
    secrets_take(SECRETS_SOCKS_PASSWORD);
    for (size_t i = 0; i < 2; i++) {
        take_secrets(pairs[i]->first);
        take_secrets(pairs[i]->second);
    }
}

/* Both addresses are understood, and their drivers loaded, before anything is opened. */
static int initialise(struct session *session, const struct settings *settings,
                      struct registry *registry)
{
    struct address_pair *pairs[2];
    log_info("default listen IP version is %c", settings->listen_version);
    log_info("preferred resolve IP version is %c", settings->resolve_version);
    pairs[0] = bind_argument(registry, settings, settings->addresses[0]);
    pairs[1] = bind_argument(registry, settings, settings->addresses[1]);
    if (pairs[0] == NULL || pairs[1] == NULL) {
        address_free(pairs[0]);
        address_free(pairs[1]);
        return -1;
    }
    take_all_secrets(pairs);
    session_start(session, settings, pairs, relay_log_statistics);
    return 0;
}

static int prepare(struct session *session)
{
    const struct settings *settings = session->settings;
    if (settings->main_wait > 0 && session_pause(session, settings->main_wait * MODCAT_SECOND) < 0)
        return -1;
    if (settings->lock_file == NULL)
        return 0;
    return session_lock(session, NULL, settings->lock_file, settings->lock_wait);
}

static int transfer(struct session *session)
{
    if (session->settings->show_descriptors)
        descriptors_print(session);
    return relay_run(session);
}

/* A failure of opening is status 1; with -s, where errors do not end the program, -1. */
static int open_and_transfer(struct session *session)
{
    enum session_result result = prepare(session) < 0 ? SESSION_FAILED : sides_open(session);
    if (result == SESSION_OPEN)
        session_forget_secrets(session);
    if (result == SESSION_OPEN)
        return session->settings->no_data ? 0 : transfer(session);
    if (session->settings->statistics)
        relay_log_statistics(session);
    if (result == SESSION_DONE || session->done)
        return session->done_status;
    return log_sloppy() ? -1 : 1;
}

/* The end of a process that was made to serve a peer. All that it could free it shares with its
 * parent, page by page, and would get copies of by doing so. */
static _Noreturn void leave(int status)
{
    fflush(NULL);
    signals_end_by();
    _exit(status);
}

static int run(const struct settings *settings, struct registry *registry)
{
    struct session session;
    if (initialise(&session, settings, registry) < 0) {
        log_notice("exit(1)");
        return 1;
    }
    signals_set_drain(settings->drain);
    int status = signals_start(settings->signal_mask) < 0 ? 1 : open_and_transfer(&session);
    session_finish(&session);
    int number = signals_ending();
    if (session.lost && status == 0)
        status = log_sloppy() ? 0 : 1;
    if (number != 0)
        status = 128 + number;
    if (status > 0)
        log_notice("exit(%d)", status);
    else
        log_notice("exiting with status %d", status);
    log_finish();
    if (session.forked)
        leave(status);
    session_free(&session);
    signals_end_by();
    return status;
}

int main(int argc, char **argv)
{
    struct settings settings;
    struct registry *registry = NULL;
    enum commandline_action action;
    int status = 1;
    fill_missing_descriptors();
    if (commandline_parse(argc, argv, &settings, &action) == 0 &&
        (registry = registry_open(settings.driver_paths, settings.driver_path_count)) != NULL)
        status =
            action == ACTION_RUN ? run(&settings, registry) : -print(&settings, registry, action);
    registry_close(registry);
    commandline_free(&settings);
    return status;
}
