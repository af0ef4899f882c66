// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads a plan that another job has made. */

#include <stdlib.h>
#include <string.h>

#include "bot/plan/plan.h"
#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct catalog_arch arch = { .name = "x86_64" };
	static const struct catalog catalog = { .archs = &arch, .arch_count = 1 };
	_cleanup_plan_ struct plan plan = { 0 };
	_cleanup_free_ char *text = fuzz_text(data, size);

	error_destroy(plan_parse(&catalog, text, "fuzz", &plan));
	for (size_t i = 0; i < plan.count; i++) {
		// What is taken is fit for the name of a file.
		if (plan.items[i].arch != &arch ||
		    strchr(plan.items[i].release_text, '/'))
			abort();
	}
	return 0;
}
