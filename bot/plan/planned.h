// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_PLAN_PLANNED_H
#define BOT_PLAN_PLANNED_H

/** @file A plan that another job has made, read from its JSON (plan_json.h). */

#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/kernel/release.h"

struct error;

struct planned {
	struct release release;
	char release_text[RELEASE_TEXT_SIZE];
	char arch[ARCH_SIZE];
};

/** In the plan's order. */
struct planned_list {
	struct planned *items;
	size_t count;
	size_t left_out;
};

void planned_list_deinit(struct planned_list *list);

#define _cleanup_planned_list_ _cleanup_(planned_list_deinit)

/**
 * Read a plan's document or its matrix.
 *
 * @param[in] name For messages.
 * @return ERROR_USAGE if it is neither.
 */
_must_check_ struct error *planned_list_parse(const char *text, const char *name,
					      struct planned_list *ret);

#endif /* BOT_PLAN_PLANNED_H */
