// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef TESTS_UNIT_FILES_H
#define TESTS_UNIT_FILES_H

/** @file Files that tests put into directories of theirs. */

#include <stdbool.h>

struct catalog;

/** The test's own directory, between setup_tmp() and teardown_tmp(). */
extern char *tmp;

void setup_tmp(void);
/** The same, and work there, so that relative paths lead into it. */
void enter_tmp(void);
void teardown_tmp(void);

/** The catalog of configs/, in full. */
struct catalog *load_catalog(void);

/** The path of something in `tmp`; the caller frees it. */
char *in_tmp(const char *name);

/** Write a file, and make the directories that it is in. */
void put_file(const char *root, const char *name, const char *text);

/** The same, which can be run. */
void put_program(const char *root, const char *name, const char *text);

/** What a file holds; free(). */
char *get_file(const char *root, const char *name);

/** What a file must hold. */
void expect_contents(const char *root, const char *name, const char *text);

/** Whether something has the name, be it a link that leads nowhere. */
bool is_there(const char *root, const char *name);

#endif /* TESTS_UNIT_FILES_H */
