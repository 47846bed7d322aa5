/* manifest.h: what a driver offers, as the text file beside it says, so that nothing has to be
 * loaded to know who offers what. One line an item, fields separated by tabs:
 *
 *   modcat-driver  ABI-MAJOR.MINOR
 *   driver         NAME VERSION SUMMARY
 *   needs          NAME[,NAME...]
 *   address        NAME ALIASES SYNTAX GROUPS DIRECTIONS MIN-PARAMS MAX-PARAMS HELP EXAMPLE
 *   layer          NAME MIN-PARAMS MAX-PARAMS SYNTAX GROUPS, of the address type of this name
 *   group          NAME HELP
 *   option         NAME ALIASES GROUPS TYPE PHASE HELP PRESET
 *
 * A field may be empty. New fields come at the end of their line, new kinds of lines anywhere; who
 * does not know them passes them over. */

#ifndef CORE_REGISTRY_MANIFEST_H
#define CORE_REGISTRY_MANIFEST_H

#include <modcat/driver.h>
#include <stdbool.h>
#include <stddef.h>

struct manifest_type {
    const char *name, *aliases, *syntax, *groups, *help, *example; /* NULL where empty */
    unsigned directions;                                           /* MODCAT_DIR_... */
    unsigned min_params, max_params;
    bool is_layer;
    unsigned layer_min_params, layer_max_params;
    const char *layer_syntax, *layer_groups; /* NULL where empty */
};

struct manifest_group {
    const char *name, *help;
};

struct manifest_option {
    const char *name, *aliases, *groups, *help, *preset;
    const char *words;        /* that it takes, see struct modcat_option */
    const char *type, *phase; /* their names, as help shows them */
};

struct manifest {
    const char *name, *version, *summary, *needs;
    unsigned abi_major, abi_minor;
    struct manifest_type *types;
    size_t type_count;
    struct manifest_group *groups;
    size_t group_count;
    struct manifest_option *options;
    size_t option_count;
    char *text; /* holds all of the above */
};

/* Takes a manifest's text apart, which must come from malloc(3) and belongs to the manifest
 * from then on. Returns 0, or -1 with the reason and line number in `reason`. */
int manifest_parse(char *text, struct manifest *manifest, char *reason, size_t reason_size);
void manifest_free(struct manifest *manifest);

/* True when both say the same. */
bool manifest_equal(const struct manifest *left, const struct manifest *right);

/* The manifest's text for a driver's tables, to be freed. */
char *manifest_describe(const struct modcat_driver *driver);

#endif
