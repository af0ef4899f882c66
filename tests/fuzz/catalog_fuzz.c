// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads a catalog. */

#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog *catalog = NULL;
	_cleanup_free_ char *text = fuzz_text(data, size);

	error_destroy(catalog_parse(text, "fuzz", NULL, &catalog));
	catalog_destroy(catalog);
	return 0;
}
