// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads kernel.org's releases.json. */

#include <stdlib.h>

#include "bot/plan/plan.h"
#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog *catalog = NULL;
	_cleanup_series_list_ struct series_list list = { 0 };
	_cleanup_free_ char *text = fuzz_text(data, size);
	_cleanup_error_ struct error *err = catalog_load(VMTEST_SOURCE_DIR
							 "/configs/vmtest.json",
							 NULL, &catalog);

	if (err)
		abort();
	err = series_list_add_releases(&list, catalog, text, "fuzz");
	catalog_destroy(catalog);
	return 0;
}
