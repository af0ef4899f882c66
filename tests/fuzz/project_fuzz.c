// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads a project's vmtest.json. */

#include "common/base/error.h"
#include "tests/fuzz/fuzz.h"
#include "vm/suite/suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_project_ struct project project = { 0 };
	_cleanup_free_ char *text = fuzz_text(data, size);

	error_destroy(project_parse(text, "fuzz", "/folder", &project));
	return 0;
}
