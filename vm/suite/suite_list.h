// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_SUITE_LIST_H
#define VM_SUITE_SUITE_LIST_H

/**
 * @file
 *
 * Kernels written down, to test just these again:
 *
 *     [{ "kernel": "6.12.117-vmtest1.0tiny", "arch": "x86_64",
 *        "flavor": "tiny", "sha256": "…" }]
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "vm/suite/suite.h"

struct json_t;

struct suite_listed {
	/** A release, or a directory. */
	char *kernel;
	char arch[ARCH_SIZE];
	/** Of its package; "" if it is not known. */
	char *digest;
};

struct suite_list {
	struct suite_listed *items;
	size_t count;
};

void suite_list_deinit(struct suite_list *list);

#define _cleanup_suite_list_ _cleanup_(suite_list_deinit)

/** A kernel as the list has it. */
struct json_t *suite_item_json(const struct suite_item *item);

/**
 * The list of a suite; free().
 *
 * @param[in] failed_only Leave out those that have not failed.
 */
char *suite_list_format(const struct suite *suite, bool failed_only);

/** @return ERROR_NOT_FOUND if there is no such file. */
_must_check_ struct error *suite_list_read(const char *path,
					   struct suite_list *ret);

/** Keep of a suite what is in the list, or what is not. */
void suite_keep_listed(struct suite *suite, const struct suite_list *list,
		       bool listed);

/** Find one of a kernel's architecture, series and flavor; NULL if none is. */
const struct suite_listed *suite_list_find_kind(const struct suite_list *list,
						const struct suite_item *item);

/**
 * Check that a suite has all of a list, as it was.
 *
 * @param[in] name For messages.
 * @return ERROR_NOT_FOUND for what is gone, ERROR_OTHER for what is not the
 * same.
 */
_must_check_ struct error *suite_check_list(const struct suite *suite,
					    const struct suite_list *list,
					    const char *name);

#endif /* VM_SUITE_SUITE_LIST_H */
