// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_STRING_LIST_H
#define COMMON_BASE_STRING_LIST_H

/**
 * @file
 *
 * A list of strings that it owns, ended by a NULL as argv is, so that a child's
 * arguments can be collected in one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct string_list {
	/** NULL while empty, else ended by a NULL. */
	char **items;
	size_t count;
};

#define STRING_LIST_INIT                                                       \
	{                                                                      \
		0                                                              \
	}

void string_list_add(struct string_list *list, const char *text);
_printf_(2, 3) void string_list_addf(struct string_list *list,
				     const char *format, ...);

/** Add the non-empty parts of a comma-separated list. */
void string_list_add_split(struct string_list *list, const char *text);

bool string_list_contains(const struct string_list *list, const char *text);

void string_list_deinit(struct string_list *list);

#define _cleanup_string_list_ _cleanup_(string_list_deinit)

#endif /* COMMON_BASE_STRING_LIST_H */
