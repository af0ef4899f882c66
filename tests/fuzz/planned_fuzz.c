// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads a plan that another job has made. */

#include <stdlib.h>
#include <string.h>

#include "bot/plan/plan.h"
#include "common/base/error.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_planned_list_ struct planned_list list = { 0 };
	_cleanup_free_ char *text = strndup((const char *)data, size);
	struct error *err;

	if (!text)
		abort();
	err = planned_list_parse(text, "fuzz", &list);
	if (err) {
		error_destroy(err);
		return 0;
	}
	for (size_t i = 0; i < list.count; i++) {
		// What is taken is fit for the name of a file.
		if (!*list.items[i].arch || strchr(list.items[i].arch, '/') ||
		    strchr(list.items[i].release_text, '/'))
			abort();
	}
	return 0;
}
