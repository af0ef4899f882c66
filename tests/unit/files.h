// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef TESTS_UNIT_FILES_H
#define TESTS_UNIT_FILES_H

/** @file Files that tests put into folders of theirs. */

/** Write a file, and make the folders that it is in; fails the test if it cannot. */
void put_file(const char *root, const char *name, const char *text);

#endif /* TESTS_UNIT_FILES_H */
