/* known.h: the words of the drivers that belong to this project, so that a missing one can be
 * named together with the package that holds it. */

#ifndef CORE_REGISTRY_KNOWN_H
#define CORE_REGISTRY_KNOWN_H

/* One driver of the project. Word lists are separated by commas. */
struct known_driver {
    const char *name;
    const char *package;
    const char *types;   /* address words */
    const char *options; /* option words, where they tell the driver */
};

/* The driver that an address word or an option word belongs to, or NULL. */
const struct known_driver *known_by_type(const char *word);
const struct known_driver *known_by_option(const char *word);

/* Why a known driver is missing, and what to do, as the end of a sentence; to be freed. */
char *known_absence(const struct known_driver *known);

#endif
