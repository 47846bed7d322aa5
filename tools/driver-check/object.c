/* The file: that it can be loaded, what it exports, for which ABI it was made, and whether its
 * manifest says what its tables say. */

#define _GNU_SOURCE
#include "tools/driver-check/check.h"

#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/registry/tables.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYMBOL "modcat_driver"
#define HIDE_IT                                                                                    \
    ": compile with -fvisibility=hidden, and link with what \"pkg-config "                         \
    "--variable=driver_ldflags modcat\" prints, so that " SYMBOL " is the only symbol"

/* A file in memory. */
struct object {
    const char *data;
    size_t size;
};

void check_loading(struct subject *subject, const void *argument)
{
    (void)argument;
    subject_load(subject);
}

static bool map_object(const char *path, struct object *object)
{
    struct stat status;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) {
        fault("%s: %s", path, strerror(errno));
        return false;
    }
    object->size = (size_t)status.st_size;
    object->data = mmap(NULL, object->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (object->data != MAP_FAILED)
        return true;
    fault("mmap(\"%s\"): %s", path, strerror(errno));
    return false;
}

static bool lies_within(const struct object *object, const ElfW(Shdr) * section)
{
    return section->sh_offset <= object->size &&
           section->sh_size <= object->size - section->sh_offset;
}

/* The table of symbols of this type, SHT_DYNSYM or SHT_SYMTAB, or NULL. */
static const ElfW(Shdr) *
    find_symbols(const struct object *object, unsigned type, const ElfW(Shdr) * *sections)
{
    const ElfW(Ehdr) *header = (const void *)object->data;
    if (object->size < sizeof *header ||
        header->e_shoff + (size_t)header->e_shnum * sizeof **sections > object->size)
        return NULL;
    *sections = (const void *)(object->data + header->e_shoff);
    for (size_t i = 0; i < header->e_shnum; i++) {
        const ElfW(Shdr) *section = &(*sections)[i];
        if (section->sh_type == type && section->sh_link < header->e_shnum &&
            lies_within(object, section) && lies_within(object, &(*sections)[section->sh_link]))
            return section;
    }
    return NULL;
}

static bool is_exported(const ElfW(Sym) * symbol)
{
    unsigned char binding = ELF64_ST_BIND(symbol->st_info);
    return symbol->st_shndx != SHN_UNDEF && binding != STB_LOCAL &&
           ELF64_ST_VISIBILITY(symbol->st_other) == STV_DEFAULT;
}

/* The address sanitizer marks each variable that it watches. */
static bool is_marker(const char *name)
{
    return strstr(name, "_asan") != NULL;
}

/* What a driver exports. */
struct exports {
    bool described;    /* SYMBOL is among them */
    const char *other; /* the first of the others, or NULL */
    size_t others;
};

static void count_symbol(struct exports *exports, const char *name)
{
    if (strcmp(name, SYMBOL) == 0) {
        exports->described = true;
    } else if (!is_marker(name) && exports->others++ == 0) {
        exports->other = name;
    }
}

static void judge_exports(const struct exports *exports)
{
    if (exports->others == 1)
        fault("it exports \"%s\"" HIDE_IT, exports->other);
    else if (exports->others > 1)
        fault("it exports \"%s\" and %zu more" HIDE_IT, exports->other, exports->others - 1);
    if (!exports->described)
        fault("it does not export " SYMBOL ": register it with MODCAT_DRIVER()");
}

void check_symbols(struct subject *subject, const void *argument)
{
    (void)argument;
    struct object object;
    const ElfW(Shdr) * sections;
    struct exports exports = {0};
    if (!map_object(subject->path, &object))
        return;
    const ElfW(Shdr) *table = find_symbols(&object, SHT_DYNSYM, &sections);
    if (table == NULL) {
        fault("it has no table of dynamic symbols");
        return;
    }
    const ElfW(Sym) *symbols = (const void *)(object.data + table->sh_offset);
    const char *names = object.data + sections[table->sh_link].sh_offset;
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++)
        if (is_exported(&symbols[i]))
            count_symbol(&exports, names + symbols[i].st_name);
    judge_exports(&exports);
}

/* Its types share no process with other sessions, so that they may have variables. */
static bool needs_own_process(const struct modcat_driver *driver)
{
    struct modcat_address_type type;
    for (size_t i = 0; i < driver->type_count; i++) {
        tables_type(driver, i, &type);
        if ((type.flags & MODCAT_TYPE_OWN_PROCESS) == 0)
            return false;
    }
    return driver->type_count > 0;
}

/* Functions that no driver calls, and what it does instead. */
static const struct forbidden {
    const char *names; /* separated by commas */
    const char *instead;
} forbidden[] = {
    {"fork,vfork,_Fork,system,popen,posix_spawn,posix_spawnp,daemon",
     "let modcat_spawn() start programs"},
    {"sleep,usleep,nanosleep,clock_nanosleep,pause,sigsuspend,select,pselect,epoll_wait,epoll_"
     "pwait",
     "wait with modcat_wait(), or have `attend` called"},
    {"printf,vprintf,puts,putchar,perror,__printf_chk,__vprintf_chk,syslog",
     "say it with modcat_log() or modcat_fail()"},
    {"setenv,putenv,unsetenv,clearenv", "set variables of programs with modcat_setenv()"},
    {"chdir,fchdir,chroot", "use openat(2), or absolute paths"},
    {"signal,sigaction,sigprocmask,pthread_sigmask,alarm,setitimer,timer_create",
     "leave signals to the program; `watch` gives times"},
    {"exit,_exit,_Exit,quick_exit,abort", "report with modcat_fail(), and return -1"},
};

static void judge_call(const char *name)
{
    for (size_t i = 0; i < MODCAT_COUNT(forbidden); i++)
        if (words_list_has(forbidden[i].names, name))
            fault("it calls %s(): %s", name, forbidden[i].instead);
}

void check_calls(struct subject *subject, const void *argument)
{
    (void)argument;
    struct object object;
    const ElfW(Shdr) * sections;
    if (!subject_load(subject) || needs_own_process(&subject->driver) ||
        !map_object(subject->path, &object))
        return;
    const ElfW(Shdr) *table = find_symbols(&object, SHT_DYNSYM, &sections);
    if (table == NULL)
        return;
    const ElfW(Sym) *symbols = (const void *)(object.data + table->sh_offset);
    const char *names = object.data + sections[table->sh_link].sh_offset;
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++)
        if (symbols[i].st_shndx == SHN_UNDEF)
            judge_call(names + symbols[i].st_name);
}

/* What the linker makes read-only after relocation is a constant. */
static bool is_variable(const ElfW(Sym) * symbol, const ElfW(Shdr) * sections, size_t count,
                        const char *section_names)
{
    unsigned char type = ELF64_ST_TYPE(symbol->st_info);
    if ((type != STT_OBJECT && type != STT_TLS) || symbol->st_shndx >= count)
        return false;
    const char *section = section_names + sections[symbol->st_shndx].sh_name;
    static const char *const writable[] = {".data", ".bss", ".tdata", ".tbss"};
    for (size_t i = 0; i < MODCAT_COUNT(writable); i++)
        if (strcmp(section, writable[i]) == 0)
            return true;
    return false;
}

/* A lock guards what a library shares between threads. Its name tells, for its type is not kept. */
static bool is_lock(const char *name)
{
    return strstr(name, "_lock") != NULL;
}

/* The compiler's own: __dso_handle, completed.0, references to what finds exceptions of C++, and what
 * sanitizers and coverage add. */
static bool is_compilers(const char *name)
{
    static const char *const starts[] = {"__", "completed.", "DW.ref."};
    for (size_t i = 0; i < MODCAT_COUNT(starts); i++)
        if (strncmp(name, starts[i], strlen(starts[i])) == 0)
            return true;
    return is_marker(name);
}

/* A stripped object has no names to look at, and passes. */
void check_variables(struct subject *subject, const void *argument)
{
    (void)argument;
    struct object object;
    const ElfW(Shdr) * sections;
    if (!subject_load(subject) || needs_own_process(&subject->driver) ||
        !map_object(subject->path, &object))
        return;
    const ElfW(Ehdr) *header = (const void *)object.data;
    const ElfW(Shdr) *table = find_symbols(&object, SHT_SYMTAB, &sections);
    if (table == NULL || header->e_shstrndx >= header->e_shnum)
        return;
    const ElfW(Sym) *symbols = (const void *)(object.data + table->sh_offset);
    const char *names = object.data + sections[table->sh_link].sh_offset;
    const char *section_names = object.data + sections[header->e_shstrndx].sh_offset;
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++)
        if (is_variable(&symbols[i], sections, header->e_shnum, section_names) &&
            !is_compilers(names + symbols[i].st_name) && !is_lock(names + symbols[i].st_name))
            fault("the variable \"%s\" can be changed: make it const, or keep it in `state`",
                  names + symbols[i].st_name);
}

/* Structs of the same minor number have the same size; those of a lower one are smaller. */
static void check_size(const char *what, size_t size, size_t here, bool same)
{
    if (size % sizeof(void *) != 0)
        fault("the size of %s, %zu, can not be right", what, size);
    else if (same && size != here)
        fault("the size of %s is %zu, and %zu in this version of the driver ABI", what, size, here);
    else if (!same && size > here)
        fault("the size of %s is %zu, more than %zu in this later version of the driver ABI", what,
              size, here);
}

void check_abi(struct subject *subject, const void *argument)
{
    (void)argument;
    const struct modcat_driver *driver = &subject->driver;
    if (!subject_load(subject))
        return;
    if (driver->abi_minor > MODCAT_ABI_MINOR) {
        fault("it was made for driver ABI %u.%u, which is newer than the %d.%d that is checked for",
              driver->abi_major, driver->abi_minor, MODCAT_ABI_MAJOR, MODCAT_ABI_MINOR);
        return;
    }
    bool same = driver->abi_minor == MODCAT_ABI_MINOR;
    check_size("struct modcat_driver", driver->size, sizeof *driver, same);
    check_size("struct modcat_endpoint", driver->endpoint_size, sizeof(struct modcat_endpoint),
               same);
    check_size("struct modcat_listener", driver->listener_size, sizeof(struct modcat_listener),
               same);
    if (driver->type_count > 0)
        check_size("struct modcat_address_type", driver->type_size,
                   sizeof(struct modcat_address_type), same);
    if (driver->group_count > 0)
        check_size("struct modcat_option_group", driver->group_size,
                   sizeof(struct modcat_option_group), same);
}

/* The text of a file, or NULL after a fault. */
static char *read_text(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fault("%s: %s: make it with modcat --describe-driver", path, strerror(errno));
        return NULL;
    }
    ssize_t length = getdelim(&text, &size, '\0', file);
    fclose(file);
    if (length > 0)
        return text;
    free(text);
    fault("%s is empty", path);
    return NULL;
}

static const char *line_end(const char *line)
{
    return line + strcspn(line, "\n");
}

/* Names the first line that differs. */
static void compare_lines(const char *path, const char *found, const char *wanted)
{
    unsigned number = 1;
    while (*found != '\0' && *wanted != '\0') {
        const char *end = line_end(found), *wanted_end = line_end(wanted);
        if (end - found != wanted_end - wanted ||
            strncmp(found, wanted, (size_t)(end - found)) != 0)
            break;
        found = end + (*end == '\n');
        wanted = wanted_end + (*wanted_end == '\n');
        number++;
    }
    if (*found != '\0' || *wanted != '\0')
        fault("%s, line %u: \"%.*s\", and the tables say \"%.*s\"", path, number,
              (int)(line_end(found) - found), found, (int)(line_end(wanted) - wanted), wanted);
}

void check_manifest(struct subject *subject, const void *argument)
{
    (void)argument;
    struct manifest found = {0}, wanted = {0};
    char reason[80] = "";
    AUTO_FREE char *text = read_text(subject->manifest_path);
    if (text == NULL || !subject_load(subject))
        return;
    AUTO_FREE char *described = manifest_describe(&subject->driver);
    if (manifest_parse(memory_copy_text(described), &wanted, reason, sizeof reason) < 0)
        fault("a text in its tables makes no manifest: %s", reason);
    else if (manifest_parse(memory_copy_text(text), &found, reason, sizeof reason) < 0)
        fault("%s: %s", subject->manifest_path, reason);
    else if (!manifest_equal(&found, &wanted))
        compare_lines(subject->manifest_path, text, described);
    manifest_free(&found);
    manifest_free(&wanted);
}
