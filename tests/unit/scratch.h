/* scratch.h: a folder for one test, the drivers that are made in it, and what is logged meanwhile.
 * Texts that are returned live until the test ends. */

#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

/* A test's setup and teardown: makes the folder and points the log at a file in it; removes it. */
int scratch_start(void **state);
int scratch_end(void **state);

/* The path of an entry of the folder, as printf(3) would make its name. */
const char *scratch_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes a folder in it. Returns its path. */
const char *scratch_folder(const char *name);

/* Writes a text file. */
void scratch_write(const char *path, const char *text);

/* The text of a file. */
const char *scratch_read(const char *path);

/* Compiles a driver's source, for which <modcat/driver.h> is included, into FOLDER/NAME.so.
 * Returns its path. */
const char *scratch_build(const char *folder, const char *name, const char *source);

/* The same, with a manifest beside it that says what is in it. */
const char *scratch_install(const char *folder, const char *name, const char *source);

/* All that has been logged since the test began, or since the last call. */
const char *scratch_logged(void);

/* Fails, showing both, unless scratch_logged() holds `text`. */
void scratch_expect_log(const char *text);

#endif
