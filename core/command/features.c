#define _GNU_SOURCE
#include "core/command/features.h"

#include "core/base/version.h"
#include "core/command/commandline.h"
#include "core/command/help.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <string.h>
#include <sys/utsname.h>

/* How it is known whether a feature is there. */
enum source { ALWAYS, NEVER, DRIVER, TYPE, GROUP, OPTION };

static const struct feature {
    const char *name;
    enum source source;
    const char *word; /* what the registry is asked for */
} features[] = {
    {"HELP", ALWAYS, NULL},
    {"STATS", ALWAYS, NULL},
    {"STDIO", TYPE, "STDIO"},
    {"FDNUM", TYPE, "FD"},
    {"FILE", TYPE, "OPEN"},
    {"CREAT", TYPE, "CREATE"},
    {"GOPEN", TYPE, "GOPEN"},
    {"TERMIOS", GROUP, "TERMIOS"},
    {"PIPE", TYPE, "PIPE"},
    {"SOCKETPAIR", TYPE, "SOCKETPAIR"},
    {"UNIX", TYPE, "UNIX-CONNECT"},
    {"ABSTRACT_UNIXSOCKET", TYPE, "ABSTRACT-CONNECT"},
    {"IP4", GROUP, "IP4"},
    {"IP6", GROUP, "IP6"},
    {"RAWIP", TYPE, "IP-SENDTO"},
    {"GENERICSOCKET", TYPE, "SOCKET-CONNECT"},
    {"INTERFACE", TYPE, "INTERFACE"},
    {"TCP", TYPE, "TCP-CONNECT"},
    {"UDP", TYPE, "UDP-CONNECT"},
    {"SCTP", TYPE, "SCTP-CONNECT"},
    {"DCCP", TYPE, "DCCP-CONNECT"},
    {"UDPLITE", TYPE, "UDPLITE-CONNECT"},
    {"LISTEN", GROUP, "LISTEN"},
    {"POSIXMQ", DRIVER, "posixmq"},
    {"SOCKS4", TYPE, "SOCKS4"},
    {"SOCKS4A", TYPE, "SOCKS4A"},
    {"SOCKS5", TYPE, "SOCKS5-CONNECT"},
    {"VSOCK", TYPE, "VSOCK-CONNECT"},
    {"NAMESPACES", OPTION, "netns"},
    {"PROXY", TYPE, "PROXY"},
    {"SYSTEM", TYPE, "SYSTEM"},
    {"SHELL", TYPE, "SHELL"},
    {"EXEC", TYPE, "EXEC"},
    {"READLINE", TYPE, "READLINE"},
    {"TUN", TYPE, "TUN"},
    {"PTY", TYPE, "PTY"},
    {"OPENSSL", TYPE, "OPENSSL"},
    {"FIPS", OPTION, "openssl-fips"},
    {"LIBWRAP", OPTION, "tcpwrappers"},
    {"SYCLS", NEVER, NULL},
    {"FILAN", ALWAYS, NULL},
    {"RETRY", GROUP, "RETRY"},
    {"DEVTESTS", NEVER, NULL},
};

static bool has_feature(const struct registry *registry, const struct feature *feature)
{
    switch (feature->source) {
    case ALWAYS:
        return true;
    case NEVER:
        return false;
    case DRIVER:
        return registry_has_driver(registry, feature->word);
    case TYPE:
        return registry_has_type(registry, feature->word);
    case GROUP:
        return registry_has_group(registry, feature->word);
    case OPTION:
        return registry_has_option(registry, feature->word);
    }
    return false;
}

static void put_system(FILE *out)
{
    struct utsname system;
    if (uname(&system) == 0)
        fprintf(out, "   running on %s version %s, release %s, machine %s\n", system.sysname,
                system.version, system.release, system.machine);
}

static void put_features(FILE *out, const struct registry *registry)
{
    fputs("features:\n", out);
    for (size_t i = 0; i < MODCAT_COUNT(features); i++)
        if (has_feature(registry, &features[i]))
            fprintf(out, "  #define WITH_%s 1\n", features[i].name);
        else
            fprintf(out, "  #undef WITH_%s\n", features[i].name);
    fputs("  #define WITH_MSGLEVEL 0 /*debug*/\n"
          "  #define WITH_DEFAULT_IPV 4\n",
          out);
}

/* Scripts take the first number with points for the version, so that none may stand before it. */
static void put_version(FILE *out, const char *program)
{
    const char *built = __DATE__ " " __TIME__;
    if (version_stands_in(program)) {
        fprintf(out,
                VERSION_STANDS_IN_FOR
                ": modcat, a relay between two addresses\n" VERSION_STANDS_IN_FOR
                " version " VERSION_STANDS_IN " on %s (modcat " PACKAGE_VERSION ")\n",
                built);
        return;
    }
    commandline_identify(out);
    fprintf(out, "modcat version " PACKAGE_VERSION " on %s\n", built);
}

int features_print(FILE *out, const struct registry *registry, const char *program)
{
    put_version(out, program);
    put_system(out);
    put_features(out, registry);
    return help_flush(out);
}
