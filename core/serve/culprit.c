/* Finding the driver that a signal has interrupted.
 *
 * A driver that crashes or never returns is often inside of the C library at that moment. Then
 * the return addresses at the end of the stack tell which driver called it. The table of drivers
 * is made beforehand, since dladdr(3) must not be called in a signal handler. */

#define _GNU_SOURCE
#include "core/serve/culprit.h"

#include <dlfcn.h>
#include <link.h>
#include <modcat/driver.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#define OBJECTS_MAX 128

/* How much of a stack is looked through. */
#define WORDS_MAX 1024

#define PAGE ((uintptr_t)4096)

/* What is loaded: from its first address up to its last. */
struct object {
    const char *path;
    uintptr_t start;
    uintptr_t end;
    const char *driver; /* its name; NULL: it is none */
};

static struct {
    struct object objects[OBJECTS_MAX];
    size_t count;
} loaded;

static int note(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    struct object object = {.path = info->dlpi_name, .start = UINTPTR_MAX};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        object.start = start < object.start ? start : object.start;
        object.end = start + info->dlpi_phdr[i].p_memsz;
    }
    if (*info->dlpi_name != '\0' && loaded.count < OBJECTS_MAX)
        loaded.objects[loaded.count++] = object;
    return 0;
}

/* Only drivers export a description. */
static const char *driver_in(const char *path)
{
    void *object = dlopen(path, RTLD_NOLOAD | RTLD_LAZY);
    const struct modcat_driver *driver = object != NULL ? dlsym(object, "modcat_driver") : NULL;
    const char *name = driver != NULL ? driver->name : NULL;
    if (object != NULL)
        dlclose(object);
    return name;
}

void culprit_prepare(void)
{
    loaded.count = 0;
    dl_iterate_phdr(note, NULL);
    for (size_t i = 0; i < loaded.count; i++)
        loaded.objects[i].driver = driver_in(loaded.objects[i].path);
}

static const char *driver_at(uintptr_t address)
{
    for (const struct object *object = loaded.objects; object < loaded.objects + loaded.count;
         object++)
        if (address >= object->start && address < object->end)
            return object->driver;
    return NULL;
}

static uintptr_t place_of(const ucontext_t *context, uintptr_t *stack)
{
#if defined(__x86_64__)
    *stack = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    *stack = (uintptr_t)context->uc_mcontext.sp;
    return (uintptr_t)context->uc_mcontext.pc;
#else
    (void)context;
    *stack = 0;
    return 0;
#endif
}

/* Up to where the stack may end, whatever lies there. */
__attribute__((no_sanitize("address"))) static const char *driver_on_stack(uintptr_t stack)
{
    const uintptr_t *word = (const uintptr_t *)(stack & ~(uintptr_t)(sizeof stack - 1));
    for (size_t i = 0; stack != 0 && i < WORDS_MAX; i++, word++) {
        if (i > 64 && ((uintptr_t)word & (PAGE - 1)) == 0)
            break;
        const char *driver = driver_at(*word);
        if (driver != NULL)
            return driver;
    }
    return NULL;
}

const char *culprit_find(const void *context, bool on_stack)
{
    uintptr_t stack, place = place_of(context, &stack);
    const char *driver = driver_at(place);
    return driver == NULL && on_stack ? driver_on_stack(stack) : driver;
}
