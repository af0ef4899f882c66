// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_RANGE_H
#define VM_SUITE_RANGE_H

/**
 * @file
 *
 * On which kernels a command works, by a search: the first, the last and three
 * between are tested, and then, between two that differ, what is in the middle.
 * All kernels between two that agree are taken to agree as well.
 */

#include <stdbool.h>
#include <stddef.h>

#include "vm/suite/suite.h"

struct json_t;
struct string_builder;

/**
 * What to test next.
 *
 * @param[in] suite Of one architecture and flavor, oldest first.
 * @return False if there is nothing more to find out.
 */
bool range_next(const struct suite *suite, size_t *index_ret);

/** How many are known to be good or bad. */
size_t range_tested(const struct suite *suite);

/**
 * Append where a verdict holds: `all`, `none`, `up to 6.1.20`, `from 6.6`, or
 * `6.1.10 to 6.1.20, from 6.6`; `unknown` if none was tested.
 */
void range_append(struct string_builder *sb, const struct suite *suite,
		  enum bisect_verdict verdict);

/** The same: a list of objects with the releases `first` and `last`. */
struct json_t *range_json(const struct suite *suite, enum bisect_verdict verdict);

/** A badge as SVG; free(). */
char *badge_format(const char *label, const char *text);

#endif /* VM_SUITE_RANGE_H */
