#define _GNU_SOURCE
#include "core/registry/object.h"

#include "core/base/memory.h"
#include "core/registry/loader.h"
#include <elf.h>
#include <link.h>
#include <modcat/driver.h>
#include <string.h>
#include <sys/mman.h>

/* More than any driver's table of exported symbols is worth reading. */
#define TABLE_MAX (1024 * 1024)

bool object_map(int fd, size_t size, struct object *object)
{
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    *object = (struct object){.data = data, .size = size};
    return data != MAP_FAILED;
}

void object_unmap(struct object *object)
{
    munmap((void *)object->data, object->size);
}

static bool read_at(const struct object *object, size_t offset, void *data, size_t size)
{
    if (offset > object->size || size > object->size - offset)
        return false;
    memcpy(data, object->data + offset, size);
    return true;
}

static bool read_header(const struct object *object, ElfW(Ehdr) * header)
{
    return read_at(object, 0, header, sizeof *header) &&
           memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
}

bool object_is_complete(const struct object *object)
{
    ElfW(Ehdr) header;
    if (!read_header(object, &header))
        return true;
    if (header.e_shoff + (size_t)header.e_shnum * header.e_shentsize > object->size)
        return false;
    for (size_t i = 0; i < header.e_phnum; i++) {
        ElfW(Phdr) segment;
        if (!read_at(object, header.e_phoff + i * sizeof segment, &segment, sizeof segment) ||
            segment.p_offset + segment.p_filesz > object->size)
            return false;
    }
    return true;
}

static bool read_section(const struct object *object, const ElfW(Ehdr) * header, size_t index,
                         ElfW(Shdr) * section)
{
    return index < header->e_shnum &&
           read_at(object, header->e_shoff + index * sizeof *section, section, sizeof *section);
}

/* The content of a section, with a NUL behind it, or NULL. */
static char *load_section(const struct object *object, const ElfW(Shdr) * section)
{
    if (section->sh_size > TABLE_MAX || section->sh_offset > object->size ||
        section->sh_size > object->size - section->sh_offset)
        return NULL;
    char *data = memory_zeroed(section->sh_size + 1, 1);
    if (read_at(object, section->sh_offset, data, section->sh_size))
        return data;
    memory_free_local(&data);
    return NULL;
}

static bool find_in_table(const struct object *object, const ElfW(Ehdr) * header,
                          const ElfW(Shdr) * table, ElfW(Addr) * address)
{
    ElfW(Shdr) strings;
    if (!read_section(object, header, table->sh_link, &strings))
        return false;
    AUTO_FREE char *symbols = load_section(object, table);
    AUTO_FREE char *names = load_section(object, &strings);
    if (symbols == NULL || names == NULL)
        return false;
    for (size_t i = 0; i < table->sh_size / sizeof(ElfW(Sym)); i++) {
        const ElfW(Sym) *symbol = (const ElfW(Sym) *)(const void *)symbols + i;
        if (symbol->st_shndx == SHN_UNDEF || symbol->st_name >= strings.sh_size ||
            strcmp(names + symbol->st_name, LOADER_SYMBOL) != 0)
            continue;
        *address = symbol->st_value;
        return true;
    }
    return false;
}

static bool find_symbol(const struct object *object, const ElfW(Ehdr) * header,
                        ElfW(Addr) * address)
{
    ElfW(Shdr) section;
    for (size_t i = 0; read_section(object, header, i, &section); i++)
        if (section.sh_type == SHT_DYNSYM)
            return find_in_table(object, header, &section, address);
    return false;
}

/* Where in the file that stands which will be at an address. */
static bool find_offset(const struct object *object, const ElfW(Ehdr) * header, ElfW(Addr) address,
                        size_t *offset)
{
    for (size_t i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) segment;
        if (!read_at(object, header->e_phoff + i * sizeof segment, &segment, sizeof segment))
            return false;
        if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
            address - segment.p_vaddr >= segment.p_filesz)
            continue;
        *offset = segment.p_offset + (address - segment.p_vaddr);
        return true;
    }
    return false;
}

/* The first members of the driver's struct are numbers, which no relocation changes. */
bool object_abi(const struct object *object, unsigned *major, unsigned *minor)
{
    ElfW(Ehdr) header;
    ElfW(Addr) address;
    size_t offset;
    if (!read_header(object, &header) || header.e_shentsize != sizeof(ElfW(Shdr)) ||
        header.e_phentsize != sizeof(ElfW(Phdr)) || !find_symbol(object, &header, &address) ||
        !find_offset(object, &header, address, &offset))
        return false;
    return read_at(object, offset + offsetof(struct modcat_driver, abi_major), major,
                   sizeof *major) &&
           read_at(object, offset + offsetof(struct modcat_driver, abi_minor), minor,
                   sizeof *minor);
}
