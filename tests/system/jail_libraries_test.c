/* Libraries load modules and read settings on demand. Inside of another root folder those would be
 * the ones of whoever can write there: nothing of that kind is opened in it. */

#define _GNU_SOURCE
#include "tests/system/jail.h"
#include "tests/system/peers.h"
#include "tests/system/terminal.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#ifdef WITH_TLS
#include "tests/system/certificates.h"
#include <openssl/x509.h>
#endif

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BAITS_MAX 32
#define LANGUAGE "xx_XX.UTF-8"

/* Files inside of the jail that must not be opened. */
struct baits {
    struct harness *harness;
    int fd;
    size_t count;
    struct {
        int watch;
        const char *name;
    } bait[BAITS_MAX];
};

static void lay(struct baits *baits, const char *name)
{
    const char *file = jail_path(baits->harness, name);
    if (!file_exists(file))
        file_write(baits->harness, file, "bait\n");
    assert_true(baits->count < BAITS_MAX);
    int watch = inotify_add_watch(baits->fd, file, IN_OPEN);
    assert_true(watch >= 0);
    baits->bait[baits->count].watch = watch;
    baits->bait[baits->count++].name = name;
}

static const char *const anywhere[] = {
    "etc/nsswitch.conf",
    "etc/ld.so.preload",
    "etc/ld.so.cache",
    "etc/inputrc",
    "etc/hosts.allow",
    "etc/hosts.deny",
    "etc/localtime",
    "etc/terminfo/v/vt100",
    "lib/terminfo/v/vt100",
    "usr/share/terminfo/v/vt100",
    "usr/lib/locale/locale-archive",
    "usr/lib/locale/xx_XX.utf8/LC_CTYPE",
    "usr/share/locale/locale.alias",
};

static const char *const beside_the_c_library[] = {
    "libnss_files.so.2", "libnss_dns.so.2",           "libnss_db.so.2",
    "libgcc_s.so.1",     "gconv/gconv-modules.cache", "gconv/gconv-modules",
};

static void lay_beside_the_c_library(struct baits *baits)
{
    Dl_info info;
    if (dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &info) == 0)
        return;
    const char *end = strrchr(info.dli_fname, '/');
    assert_non_null(end);
    for (size_t i = 0; i < COUNT(beside_the_c_library); i++)
        lay(baits, text(baits->harness, "%.*s%s", (int)(end - info.dli_fname), info.dli_fname + 1,
                        beside_the_c_library[i]));
}

static struct baits *lay_all(struct harness *harness)
{
    struct baits *baits = memory(harness, sizeof *baits);
    *baits = (struct baits){.harness = harness};
    baits->fd = harness_keep(harness, inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    assert_true(baits->fd >= 0);
    for (size_t i = 0; i < COUNT(anywhere); i++)
        lay(baits, anywhere[i]);
    lay_beside_the_c_library(baits);
#ifdef WITH_TLS
    lay(baits, text(harness, "%s/openssl.cnf", X509_get_default_cert_area() + 1));
#endif
    return baits;
}

/* The name of one that has been opened, or NULL. */
static const char *taken(const struct baits *baits)
{
    struct inotify_event event;
    if (read(baits->fd, &event, sizeof event) < 0)
        return NULL;
    for (size_t i = 0; i < baits->count; i++)
        if (baits->bait[i].watch == event.wd)
            return baits->bait[i].name;
    return "?";
}

static void are_untouched(const struct baits *baits, const char *by)
{
    const char *name = taken(baits);
    if (name != NULL)
        harness_fail(baits->harness, "%s opens %s inside of the jail", by, name);
}

/* Each row is a session whose root folder changes while libraries are still to be used; "%s" is the
 * folder. What becomes of it does not matter. */
static const struct {
    const char *left;
    const char *right;
} sessions[] = {
    {"FILE:/secret,chroot-early=%s", "TCP:localhost:no-such-service"},
    {"PIPE,chroot=%s", "UDP4:host.invalid:7"},
    {"TCP4-LISTEN:0,chroot-early=%s,range=localhost:255.0.0.0,accept-timeout=0.05", "-"},
    {"SYSTEM:id,chroot=%s,su=nobody", "-"},
#ifdef WITH_READLINE
    {"READLINE,chroot-early=%s", "FILE:/missing"},
    {"TEXT:hello,chroot=%s", "READLINE"},
#endif
#ifdef WITH_TLS
    {"OPENSSL-LISTEN:0,chroot-early=%s,verify=0,cert=/server.pem,accept-timeout=0.05", "-"},
    {"PIPE,chroot=%s", "OPENSSL:" LOOPBACK ":1,verify=0"},
    {"PIPE,chroot=%s", "DTLS:" LOOPBACK ":1,verify=0,connect-timeout=0.05"},
#endif
};

static void make_certificate(struct harness *harness)
{
#ifdef WITH_TLS
    certificates_make_usual(harness);
    assert_int_equal(rename(certificate_path(harness, "server"), path(harness, "jail/server.pem")),
                     0);
#else
    (void)harness;
#endif
}

static void nothing_that_runs_or_rules_is_opened_in_the_jail(void **state)
{
    struct harness *harness = *state;
    jail_make(harness);
    make_certificate(harness);
    struct baits *baits = lay_all(harness);
    setenv("LC_ALL", LANGUAGE, 1);
    for (size_t i = 0; i < COUNT(sessions); i++) {
        struct terminal *terminal = terminal_open(harness);
        const char *jail = path(harness, "jail");
        struct program *program =
            terminal_start(terminal, "-d", "-d", with_path(harness, sessions[i].left, jail),
                           sessions[i].right, NULL);
        terminal_type(terminal, "\004");
        (void)program_end(program);
        assert_true(program_has_logged(program, "modcat"));
        are_untouched(baits, text(harness, "%s %s", sessions[i].left, sessions[i].right));
    }
    unsetenv("LC_ALL");
}

static void a_bait_that_is_opened_is_noticed(void **state)
{
    struct harness *harness = *state;
    jail_make(harness);
    struct baits *baits = lay_all(harness);
    program_ends(
        program_start(harness, "-u",
                      text(harness, "FILE:/etc/inputrc,chroot-early=%s", path(harness, "jail")),
                      "-", NULL),
        0);
    assert_string_equal(taken(baits), "etc/inputrc");
}

#ifdef WITH_TLS
/* Its modules are loaded as well; here it asks for algorithms that nobody has. */
static void the_configuration_of_the_former_root_counts(void **state)
{
    struct harness *harness = *state;
    const char *file = path(harness, "openssl.cnf");
    jail_make(harness);
    make_certificate(harness);
    file_write(harness, file,
               "openssl_conf = first\n[first]\nalg_section = second\n"
               "[second]\ndefault_properties = provider=nobody\n");
    const char *address = text(harness,
                               "OPENSSL-LISTEN:0,chroot-early=%s,verify=0,cert=/server.pem,"
                               "accept-timeout=0.05",
                               path(harness, "jail"));
    program_ends_logging(program_start(harness, "-u", address, "-", NULL), 0,
                         " W accept: Connection timed out");
    setenv("OPENSSL_CONF", file, 1);
    program_ends_logging(program_start(harness, "-u", address, "-", NULL), 1,
                         " E *cannot set up TLS: *SSL_CTX_new");
    unsetenv("OPENSSL_CONF");
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        JAIL_TEST(nothing_that_runs_or_rules_is_opened_in_the_jail),
        JAIL_TEST(a_bait_that_is_opened_is_noticed),
#ifdef WITH_TLS
        JAIL_TEST(the_configuration_of_the_former_root_counts),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
