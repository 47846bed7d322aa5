#define _GNU_SOURCE
#include "core/options/confine.h"

#include <dlfcn.h>
#include <features.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#ifdef __GLIBC__
#include <nss.h>

/* Before 2.34 files and dns were libraries; the others are for threads that end and for names in
 * other letters than ASCII's. One that is missing is not needed. */
static const char *const libraries[] = {
    "libnss_files.so.2",
    "libnss_dns.so.2",
    "libgcc_s.so.1",
    "libidn2.so.0",
};

static const struct {
    const char *name;
    const char *services;
} databases[] = {
    {"aliases", "files"},      {"ethers", "files"},        {"group", "files"},
    {"group_compat", "files"}, {"gshadow", "files"},       {"hosts", "files dns"},
    {"initgroups", "files"},   {"netgroup", "files"},      {"networks", "files"},
    {"passwd", "files"},       {"passwd_compat", "files"}, {"protocols", "files"},
    {"publickey", "files"},    {"rpc", "files"},           {"services", "files"},
    {"shadow", "files"},       {"shadow_compat", "files"},
};

/* Once the services are given, glibc does not read nsswitch.conf any more. */
static void confine_names(void)
{
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        (void)dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    for (size_t i = 0; i < sizeof databases / sizeof databases[0]; i++)
        (void)__nss_configure_lookup(databases[i].name, databases[i].services);
}
#else
static void confine_names(void)
{
}
#endif

void confine_lookups(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    confine_names();
    tzset();
}
