// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads kernel.org's releases.json. */

#include <stdlib.h>

#include "bot/plan/plan.h"
#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct catalog *catalog;
	_cleanup_series_list_ struct series_list list = { 0 };
	_cleanup_free_ char *text = fuzz_text(data, size);

	if (!catalog && catalog_load(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				     NULL, &catalog))
		abort();
	error_destroy(series_list_add_releases(&list, catalog, text, "fuzz"));
	return 0;
}
