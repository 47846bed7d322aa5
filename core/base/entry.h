/* entry.h: which file system entry a name stands for, so that only what was made here is removed,
 * and not what somebody else has put in its place since. */

#ifndef CORE_BASE_ENTRY_H
#define CORE_BASE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers of files are given again once a file is gone; the time of its making is not, but for the
 * moment of a tick of the clock. */
struct entry {
    bool known;
    uint16_t type; /* S_IFREG and so on */
    uint32_t device[2];
    uint64_t number;
    int64_t born[2]; /* 0 where the file system does not say */
};

/* What is there now; a symbolic link counts itself. Not `known` where there is nothing. errno is
 * kept. */
struct entry entry_at(const char *path);

/* True where a known entry still is what the path names. errno is kept. */
bool entry_is_at(const struct entry *entry, const char *path);

#endif
